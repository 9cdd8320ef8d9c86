"""Two processes at the same time: whoever is second sees what the first did."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import psycopg
import pytest

from registry.errors import (
    ConflictError,
    ExternalIdConflictError,
    IdempotencyInFlightError,
    LeaseLostError,
    WrongStateError,
)
from registry.model.batches import BatchState
from registry.model.chain import CallKind, ContractCall, SendMode
from registry.model.operations import OperationState
from registry.ports.store import Unit
from registry.store import SqlStore, open_store
from tests.integration.store.makers import T0, address, attempt, b32, batch_with, entry, issuer, later, root

T = TypeVar("T")


@pytest.fixture
def pair(database_url: str) -> Iterator[tuple[SqlStore, SqlStore]]:
    """Two stores on one database, as two processes have them."""
    stores = open_store(database_url, migrate=True), open_store(database_url, migrate=True)
    yield stores
    for each in stores:
        each.close()


@pytest.fixture
def rivals(postgres_url: str) -> Iterator[Rivals]:
    """Two stores on one PostgreSQL."""
    made = Rivals(postgres_url)
    yield made
    made.close()


class Rivals:
    """Lets one unit wait for another that is still open."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.first = open_store(url, migrate=True)
        self.second = open_store(url, migrate=True)
        self._pool = ThreadPoolExecutor(1)

    def start(self, act: Callable[[Unit], T]) -> Future[T]:
        """Run ``act`` in a unit of the second store, and return once that unit waits for a lock."""

        def run() -> T:
            with self.second.write() as unit:
                return act(unit)

        future = self._pool.submit(run)
        with psycopg.connect(self.url, autocommit=True) as connection:
            while not future.done():
                row = connection.execute(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
                ).fetchone()
                if row is not None and row[0] > 0:
                    return future
                time.sleep(0.01)
        raise AssertionError(f"the second unit did not wait: {future}")

    def close(self) -> None:
        self._pool.shutdown()
        self.first.close()
        self.second.close()


def sign(unit: Unit, nonce: int, name: object) -> int:
    call = ContractCall(CallKind.ANCHOR, address("issuer"), root("r"))
    operation = unit.outbox.add_operation(
        address("issuer"), address("actor"), call, OperationState.QUEUED, T0
    )
    made = unit.outbox.add_transaction(
        operation.id, address("sender"), nonce, SendMode.DIRECT, address("to"), b"", 1, 0, attempt(name)
    )
    return made.nonce


@pytest.mark.postgres
def test_second_signature_for_a_nonce_is_a_conflict(rivals: Rivals) -> None:
    with rivals.first.write() as unit:
        sign(unit, 7, "first")
        waiting = rivals.start(lambda other: sign(other, 7, "second"))
    with pytest.raises(ConflictError):
        waiting.result()


@pytest.mark.postgres
def test_second_open_batch_is_a_conflict(rivals: Rivals) -> None:
    with rivals.first.write() as unit:
        unit.batches.create(address("a"), BatchState.OPEN, T0, allow_duplicate=False)
        waiting = rivals.start(
            lambda other: other.batches.create(address("a"), BatchState.OPEN, T0, allow_duplicate=False)
        )
    with pytest.raises(ConflictError):
        waiting.result()


@pytest.mark.postgres
def test_open_batch_that_is_being_sealed_is_gone_for_who_waited(rivals: Rivals) -> None:
    with rivals.first.write() as unit:
        batch = batch_with(unit, ["x"], owner="a", state=BatchState.OPEN)
    with rivals.first.write() as unit:
        assert unit.batches.open_batch(address("a")) is not None
        waiting = rivals.start(lambda other: other.batches.open_batch(address("a")))
        unit.batches.seal(batch.seq, root("r"), [], T0)
    assert waiting.result() is None


@pytest.mark.postgres
def test_entry_added_while_its_batch_is_sealed_is_refused(rivals: Rivals) -> None:
    with rivals.first.write() as unit:
        batch = batch_with(unit, ["x"], owner="a", state=BatchState.OPEN)
    with rivals.first.write() as unit:
        unit.batches.seal(batch.seq, root("r"), [], T0)
        waiting = rivals.start(lambda other: other.entries.add(batch, 1, [entry("y")]))
    with pytest.raises(WrongStateError):
        waiting.result()


@pytest.mark.postgres
def test_external_id_taken_meanwhile_is_a_conflict_that_names_the_position(rivals: Rivals) -> None:
    with rivals.first.write() as unit:
        mine = batch_with(unit, [], owner="a")
        theirs = batch_with(unit, [], owner="a")
    with rivals.first.write() as unit:
        unit.entries.add(mine, 0, [entry("x", external_id="id")])
        new = [entry("y"), entry("z", external_id="id")]
        waiting = rivals.start(lambda other: other.entries.add(theirs, 0, new))
    with pytest.raises(ExternalIdConflictError) as caught:
        waiting.result()
    assert [fault.pointer for fault in caught.value.faults] == ["/1"]


@pytest.mark.postgres
def test_lease_taken_meanwhile_is_refused(rivals: Rivals) -> None:
    with rivals.first.write() as unit:
        assert unit.leases.acquire("indexer", "a", 10, T0) == 1
        waiting = rivals.start(lambda other: other.leases.acquire("indexer", "b", 10, T0))
    assert waiting.result() is None


@pytest.mark.postgres
def test_lease_cannot_change_hands_while_its_holder_writes(rivals: Rivals) -> None:
    with rivals.first.write() as unit:
        token = unit.leases.acquire("indexer", "a", 10, T0)
        assert token == 1
    with rivals.first.write() as unit:
        unit.leases.check("indexer", token)
        waiting = rivals.start(lambda other: other.leases.acquire("indexer", "b", 10, later(60)))
    assert waiting.result() == 2
    with pytest.raises(LeaseLostError), rivals.first.write() as unit:
        unit.leases.check("indexer", token)


@pytest.mark.postgres
def test_second_request_with_a_key_sees_the_first_one_in_flight(rivals: Rivals) -> None:
    def begin(unit: Unit) -> object:
        return unit.idempotency.begin("owner", "key", b32("body"), T0, ttl_seconds=60)

    with rivals.first.write() as unit:
        assert begin(unit) is None
        waiting = rivals.start(begin)
    with pytest.raises(IdempotencyInFlightError):
        waiting.result()


@pytest.mark.postgres
def test_units_of_one_issuer_wait_for_each_other(rivals: Rivals) -> None:
    with rivals.first.write() as unit:
        unit.issuers.add(issuer())
    order: list[str] = []

    def second(unit: Unit) -> None:
        unit.issuers.lock(address("issuer"))
        order.append("second")

    with rivals.first.write() as unit:
        unit.issuers.lock(address("issuer"))
        waiting = rivals.start(second)
        order.append("first")
    waiting.result()
    assert order == ["first", "second"]


@pytest.mark.postgres
def test_feed_numbers_follow_the_commits_and_readers_miss_none(rivals: Rivals) -> None:
    with rivals.first.write() as unit:
        unit.feed.append(T0, "first", address("a"), {})
        assert len(unit.feed.after(0, 10)) == 1
        waiting = rivals.start(lambda other: append_and_read(other, "second"))
        with rivals.first.read() as reader:
            assert reader.feed.after(0, 10) == []
    assert waiting.result() == [(1, "first"), (2, "second")]


@pytest.mark.postgres
def test_feed_number_of_a_unit_that_failed_is_given_to_the_next(rivals: Rivals) -> None:
    waiting = None

    def fail() -> None:
        nonlocal waiting
        with rivals.first.write() as unit:
            unit.feed.append(T0, "lost", address("a"), {})
            assert len(unit.feed.after(0, 10)) == 1
            waiting = rivals.start(lambda other: append_and_read(other, "second"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert waiting is not None
    assert waiting.result() == [(1, "second")]


def append_and_read(unit: Unit, kind: str) -> list[tuple[int, str]]:
    unit.feed.append(T0, kind, address("a"), {})
    return [(item.id, item.kind) for item in unit.feed.after(0, 10)]


def test_of_many_threads_in_two_processes_one_wins_each_race(pair: tuple[SqlStore, SqlStore]) -> None:
    barrier = threading.Barrier(8)

    def compete(number: int) -> list[str]:
        store, won = pair[number % 2], []
        barrier.wait()
        with store.write() as unit:
            if unit.leases.acquire("indexer", f"owner {number}", 60, T0) is not None:
                won.append("lease")
        for prize, act in (
            ("key", lambda unit: unit.idempotency.begin("o", "k", b32("b"), T0, ttl_seconds=60)),
            (
                "batch",
                lambda unit: unit.batches.create(address("a"), BatchState.OPEN, T0, allow_duplicate=False),
            ),
            ("nonce", lambda unit: sign(unit, 3, number)),
        ):
            try:
                with store.write() as unit:
                    act(unit)
            except ConflictError:
                continue
            won.append(prize)
        with store.write() as unit:
            unit.feed.append(T0, "kind", address("a"), {"n": number})
        return won

    with ThreadPoolExecutor(8) as pool:
        prizes = [prize for won in pool.map(compete, range(8)) for prize in won]
    assert sorted(prizes) == ["batch", "key", "lease", "nonce"]
    with pair[0].read() as unit:
        assert [item.id for item in unit.feed.after(0, 100)] == list(range(1, 9))
