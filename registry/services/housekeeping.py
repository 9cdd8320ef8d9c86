"""Forgetting what has served its time: answers of requests, links, sessions, shares, drafts, messages."""

from __future__ import annotations

from datetime import datetime, timedelta

from registry.model.console import DRAFTS_KEPT
from registry.ports.clock import Clock
from registry.ports.store import Store
from registry.services.sessions import LONGEST, LONGEST_UNUSED
from registry.services.webhooks.management import KEPT as WEBHOOK_DELIVERIES_KEPT

KEEP_ANSWERS = timedelta(days=7)
"""How long a request may be repeated under its Idempotency-Key; afterwards the key is new again."""

_PAUSE = timedelta(hours=1)


class Housekeeping:
    """One step of the background work. Several processes may do it at once."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._due: datetime | None = None

    def step(self) -> bool:
        """Forget what is old, once an hour; never has more to do at once.

        Raises:
            StoreUnavailableError: try again later.
        """
        now = self._clock.now()
        if self._due is None or now >= self._due:
            with self._store.write() as unit:
                unit.idempotency.purge(now - KEEP_ANSWERS)
                unit.pages.purge(now)
                unit.shares.purge(now)
                unit.webhooks.purge(now - WEBHOOK_DELIVERIES_KEPT)
                unit.console.purge(now - LONGEST, now - LONGEST_UNUSED, now - DRAFTS_KEPT)
            self._due = now + _PAUSE
        return False
