"""What is forgotten, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from registry.errors import IdempotencyMismatchError
from registry.services.housekeeping import Housekeeping
from registry.store import SqlStore
from tests.support.databases import database_url, postgres_server, postgres_url, sqlite_url, store

__all__ = ["database_url", "postgres_server", "postgres_url", "sqlite_url", "store"]

START = datetime(2026, 11, 23, tzinfo=UTC)


class HandClock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time


def claim(store: SqlStore, body: bytes, at: datetime) -> None:
    with store.write() as unit:
        unit.idempotency.begin("owner", "key", body.ljust(32, b"\0"), at, ttl_seconds=30)


def test_an_answer_is_kept_for_seven_days_and_then_forgotten(store: SqlStore) -> None:
    clock = HandClock()
    housekeeping = Housekeeping(store, clock)
    claim(store, b"first", START)
    clock.time = START + timedelta(days=7)
    assert housekeeping.step() is False
    with pytest.raises(IdempotencyMismatchError):
        claim(store, b"second", clock.time)
    clock.time += timedelta(minutes=59)
    housekeeping.step()  # looked less than an hour ago
    with pytest.raises(IdempotencyMismatchError):
        claim(store, b"second", clock.time)
    clock.time += timedelta(minutes=1)
    housekeeping.step()
    claim(store, b"second", clock.time)
