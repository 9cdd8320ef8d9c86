"""What delivering webhooks needs: a database's part, a way to post, and a way to keep secrets."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from registry.encoding import Address
from registry.model.webhooks import Delivery, DeliveryState, Webhook


class WebhookRepository(Protocol):
    """Webhooks and their deliveries. The rules of `registry.ports.store` hold here too."""

    def add(self, webhook: Webhook) -> None: ...

    def get(self, webhook_id: str) -> Webhook | None: ...

    def of_issuer(self, issuer: Address) -> Sequence[Webhook]:
        """Oldest first."""
        ...

    def of_issuers(self, issuers: Collection[Address]) -> Sequence[Webhook]:
        """Those that are switched on."""
        ...

    def change(self, webhook: Webhook) -> None:
        """Replace all that may change: everything but id, issuer, ``since`` and ``created_at``."""
        ...

    def remove(self, webhook_id: str) -> None:
        """With its deliveries."""
        ...

    def add_deliveries(self, deliveries: Collection[tuple[str, int | None, str]], at: datetime) -> int:
        """Add (webhook, feed item, kind), due at once; how many were new. A webhook has one delivery of a
        feed item, and any number of tests."""
        ...

    def delivery(self, webhook_id: str, seq: int) -> Delivery | None: ...

    def deliveries(
        self, webhook_id: str, *, state: DeliveryState | None, before: int | None, limit: int
    ) -> Sequence[Delivery]:
        """Newest first, ``seq`` less than ``before``."""
        ...

    def counts(self, webhook_ids: Collection[str]) -> Mapping[str, Mapping[DeliveryState, int]]: ...

    def is_due(self, now: datetime, *, without: Collection[str]) -> bool:
        """Whether `claim` would find something."""
        ...

    def claim(
        self, now: datetime, until: datetime, *, each: int, limit: int, without: Collection[str]
    ) -> Sequence[Delivery]:
        """Take what is due, at most ``each`` of a webhook and none of those in ``without``: nobody else is
        given it before ``until``."""
        ...

    def record(
        self,
        seq: int,
        state: DeliveryState,
        at: datetime,
        *,
        next_at: datetime | None,
        status: int | None,
        error: str | None,
    ) -> bool:
        """What became of an attempt; False when the delivery is no longer waiting, which stays so."""
        ...

    def give_up(self, webhook_id: str, error: str) -> None:
        """All that waits has failed."""
        ...

    def replay(self, webhook_id: str, at: datetime, *, seq: int | None, since: datetime | None) -> int:
        """Let one delivery, or the failed ones made from ``since`` on, wait again with no attempts made; how
        many."""
        ...

    def purge(self, before: datetime) -> None:
        """Forget deliveries made before a time that wait for nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Posted:
    """What came of a message. ``status``: the answer's; None when there was none, and ``trouble`` says why.
    ``retry_after_seconds``: what the answer asked for."""

    status: int | None
    retry_after_seconds: int | None = None
    trouble: str = ""


class Post(Protocol):
    """Sends messages to addresses that issuers gave."""

    def check(self, url: str) -> None:
        """Raises `ValidationError` for an address that nothing will ever be sent to."""
        ...

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Posted:
        """Send once, to addresses that are looked up and checked now; never raises for what the other side
        does."""
        ...


class SecretBox(Protocol):
    """Seals secrets that have to be read again, so that a copy of the database does not tell them."""

    def seal(self, secret: bytes, name: str) -> bytes:
        """``name`` belongs to it: under another one it does not open."""
        ...

    def open(self, sealed: bytes, name: str) -> bytes:
        """Raises `SignerError` when it was changed, or sealed elsewhere."""
        ...
