"""What an auditor's plots are made of."""

from __future__ import annotations

from dataclasses import dataclass

from registry.model.chain import EventKind


@dataclass(frozen=True, slots=True)
class StatusCount:
    """How many credentials the events of one second named, by kind and reason. ``at`` in seconds."""

    kind: EventKind
    reason: int
    at: int
    count: int


@dataclass(frozen=True, slots=True)
class AnchoredBatch:
    """A batch of this server that is on chain.

    Attributes:
        lag_seconds: from its sealing to its block's time; a block's time may lie a little before.
        gas_used: of the transaction that anchored it.
    """

    size: int
    lag_seconds: float
    gas_used: int
