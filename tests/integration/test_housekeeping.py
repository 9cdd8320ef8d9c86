"""What is forgotten, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from registry.encoding import Address
from registry.errors import IdempotencyMismatchError
from registry.model.console import ConsoleSession, Draft, DraftKind
from registry.model.shares import Share
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


def test_drafts_are_forgotten_after_a_day_and_sessions_when_they_are_over(store: SqlStore) -> None:
    clock = HandClock()
    housekeeping = Housekeeping(store, clock)
    draft = Draft("d", Address(bytes(20)), "k", DraftKind.AWARDS, "", {}, START)
    with store.write() as unit:
        unit.console.add_draft(draft, b"names", keep=1)
        unit.console.add_session(ConsoleSession(b"s" * 32, "k", START, START), keep=1)

    def left(hours: float) -> tuple[bool, bool]:
        clock.time = START + timedelta(hours=hours)
        housekeeping.step()
        with store.read() as unit:
            return unit.console.session(b"s" * 32) is not None, unit.console.draft("d") is not None

    assert [left(hours) for hours in (1.9, 3, 23.5, 24.6)] == [
        (True, True),
        (False, True),
        (False, True),
        (False, False),
    ]


def test_shares_are_forgotten_when_they_expire(store: SqlStore) -> None:
    clock = HandClock()
    share = Share("s", "holder", "", False, START, START + timedelta(days=1), {1: "page"})
    with store.write() as unit:
        unit.shares.add(share)
    Housekeeping(store, clock).step()
    with store.read() as unit:
        assert unit.shares.get("s", START) is not None
    clock.time = START + timedelta(days=1)
    Housekeeping(store, clock).step()
    with store.read() as unit:
        assert unit.shares.get("s", START) is None
