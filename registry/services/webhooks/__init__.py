"""Webhooks: what an issuer's addresses are told, when, and until when it is tried."""
