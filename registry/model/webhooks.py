"""Webhooks: where an issuer wants to be told of what happens, and the messages on their way there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from registry.encoding import Address

EVENT_KINDS = (
    "batch.sealed",
    "batch.final",
    "batch.failed",
    "batch.withdrawn",
    "batch.withdrawal_annulled",
    "credential.revoked",
    "credential.suspended",
    "credential.reinstated",
    "credential.annulled",
    "key.added",
    "key.retired",
    "admin.proposed",
    "admin.changed",
    "profile.set",
)
"""What the server's feed tells, and a webhook may ask for."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

MAX_URL_CHARACTERS = 2_048
"""Of a webhook's address."""

TEST_KIND = "webhook.test"
"""Of a message that was asked for, and that nothing happened for."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that an issuer gave.

    Attributes:
        kinds: of `EVENT_KINDS`; empty: all.
        secret: sealed; what messages are signed with. ``previous_secret`` signs too until ``previous_until``.
        since: what the feed had when it was made; it is told of what came later.
        off_at: when it was switched off, with ``off_reason``; it gets nothing until it is switched on again.
        failing_since: the first failure after the last success.
    """

    id: str
    issuer: Address
    url: str
    description: str
    kinds: frozenset[str]
    secret: bytes = field(repr=False)
    since: int
    created_at: datetime
    previous_secret: bytes | None = field(default=None, repr=False)
    previous_until: datetime | None = None
    off_at: datetime | None = None
    off_reason: str | None = None
    failing_since: datetime | None = None

    def wants(self, kind: str) -> bool:
        """Whether it is to be told of events of a kind."""
        return not self.kinds or kind in self.kinds


class DeliveryState(StrEnum):
    """``waiting``: for its next attempt; ``delivered``; ``failed``: given up, until somebody replays it."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message to a webhook. Its text is made anew from the feed at each attempt, so that it says nothing
    that was erased meanwhile.

    Attributes:
        seq: grows with every message of the server.
        feed_id: the feed's item; None for a test.
        attempts: since it was made, or last replayed.
        next_at: None unless waiting.
        status: the last answer's HTTP status; None when there was none.
        error: why the last attempt failed.
    """

    seq: int
    webhook_id: str
    feed_id: int | None
    kind: str
    state: DeliveryState
    created_at: datetime
    attempts: int
    next_at: datetime | None
    attempted_at: datetime | None
    status: int | None
    error: str | None

    @property
    def message_id(self) -> str:
        """The same at each attempt, and no other message's: a database that was restored from a backup
        counts from an earlier number again, at a later time."""
        microseconds = (self.created_at - _EPOCH) // timedelta(microseconds=1)
        return f"msg_{self.webhook_id}_{self.seq}_{microseconds:x}"
