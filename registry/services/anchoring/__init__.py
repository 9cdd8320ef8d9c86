"""From a queued operation to a final effect on chain: the outbox and what moves it."""

from registry.services.anchoring.pipeline import Pipeline

__all__ = ["Pipeline"]
