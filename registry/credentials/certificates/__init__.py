"""Certificates: a credential on one sheet of paper, which carries the credential itself."""
