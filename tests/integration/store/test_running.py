"""Feed, leases, idempotency keys, single values."""

from __future__ import annotations

import pytest

from registry.errors import ConflictError, IdempotencyInFlightError, IdempotencyMismatchError, LeaseLostError
from registry.ports.store import StoredAnswer
from registry.store import SqlStore
from tests.integration.store.makers import T0, address, b32, later

BODY = b32("body")


def begin(store: SqlStore, at: float = 0, fingerprint: bytes = BODY) -> StoredAnswer | None:
    with store.write() as unit:
        return unit.idempotency.begin("owner", "key", fingerprint, later(at), ttl_seconds=60)


def test_feed_counts_without_gaps_though_units_fail(store: SqlStore) -> None:
    def fail() -> None:
        with store.write() as unit:
            unit.feed.append(T0, "lost", address("a"), {})
            assert [item.kind for item in unit.feed.after(1, 10)] == ["lost"]
            raise ZeroDivisionError

    with store.write() as unit:
        unit.feed.append(T0, "first", address("a"), {"n": 1, "text": "\0\ud800é"})
    with pytest.raises(ZeroDivisionError):
        fail()
    with store.write() as unit:
        unit.feed.append(later(1), "second", address("b"), {})
        unit.feed.append(later(2), "third", address("a"), {"list": [1, None]})
    with store.read() as unit:
        items = unit.feed.after(0, 10)
        mine = unit.feed.after(0, 10, issuer=address("a"))
        assert unit.feed.after(1, 1) == items[1:2]
    assert [(item.id, item.kind, item.at) for item in items] == [
        (1, "first", T0),
        (2, "second", later(1)),
        (3, "third", later(2)),
    ]
    assert items[0].payload == {"n": 1, "text": "\0\ud800é"}
    assert [item.id for item in mine] == [1, 3]


def test_cursor_of_an_unknown_consumer_is_zero(store: SqlStore) -> None:
    with store.write() as unit:
        assert unit.feed.cursor("webhooks") == 0
        unit.feed.set_cursor("webhooks", 5)
        unit.feed.set_cursor("webhooks", 7)
        unit.feed.set_cursor("learning", 1)
        assert unit.feed.cursor("webhooks") == 7


def test_held_lease_is_refused_to_others_until_it_expires(store: SqlStore) -> None:
    with store.write() as unit:
        assert unit.leases.acquire("indexer", "a", 10, T0) == 1
        assert unit.leases.acquire("indexer", "b", 10, later(9.9)) is None
        assert unit.leases.acquire("sender", "b", 10, T0) == 1
    with store.write() as unit:
        assert unit.leases.acquire("indexer", "b", 10, later(10)) == 2


def test_own_lease_is_renewed_under_the_same_token(store: SqlStore) -> None:
    with store.write() as unit:
        assert unit.leases.acquire("indexer", "a", 10, T0) == 1
        assert unit.leases.acquire("indexer", "a", 10, later(5)) == 1
        assert unit.leases.acquire("indexer", "b", 10, later(12)) is None
        assert unit.leases.acquire("indexer", "a", 10, later(100)) == 1


def test_old_token_is_refused_after_a_change_of_hands(store: SqlStore) -> None:
    with store.write() as unit:
        unit.leases.acquire("indexer", "a", 10, T0)
        unit.leases.check("indexer", 1)
        unit.leases.acquire("indexer", "b", 10, later(10))
        unit.leases.check("indexer", 2)
    with pytest.raises(LeaseLostError), store.write() as unit:
        unit.leases.check("indexer", 1)
    with pytest.raises(LeaseLostError), store.write() as unit:
        unit.leases.check("unknown", 1)


def test_release_frees_only_the_owners_lease_and_the_token_still_grows(store: SqlStore) -> None:
    with store.write() as unit:
        unit.leases.acquire("indexer", "a", 10, T0)
        unit.leases.release("indexer", "b")
        assert unit.leases.acquire("indexer", "b", 10, T0) is None
        unit.leases.release("indexer", "a")
        unit.leases.release("unknown", "a")
    with pytest.raises(LeaseLostError), store.write() as unit:
        unit.leases.check("indexer", 1)
    with store.write() as unit:
        assert unit.leases.acquire("indexer", "a", 10, T0) == 2


def test_second_request_while_the_first_runs_is_in_flight(store: SqlStore) -> None:
    assert begin(store) is None
    with pytest.raises(IdempotencyInFlightError):
        begin(store, 59)


def test_another_body_is_a_mismatch_in_every_state(store: SqlStore) -> None:
    assert begin(store) is None
    for at in (1.0, 1_000.0):
        with pytest.raises(IdempotencyMismatchError):
            begin(store, at, b32("another"))
    with store.write() as unit:
        unit.idempotency.finish("owner", "key", 202, {}, b"")
    with pytest.raises(IdempotencyMismatchError):
        begin(store, 1, b32("another"))


def test_claim_that_ran_out_without_effect_can_be_claimed_again(store: SqlStore) -> None:
    assert begin(store) is None
    assert begin(store, 60) is None
    with pytest.raises(IdempotencyInFlightError):
        begin(store, 119)


def test_answer_is_replayed_as_it_was_given(store: SqlStore) -> None:
    assert begin(store) is None
    with store.write() as unit:
        unit.idempotency.bind("owner", "key", "batch:1")
    assert begin(store, 1) == StoredAnswer("batch:1", None, {}, None)
    with store.write() as unit:
        unit.idempotency.finish("owner", "key", 202, {"location": "/v1/é"}, b"\0\xff{}")
    assert begin(store, 2) == StoredAnswer("batch:1", 202, {"location": "/v1/é"}, b"\0\xff{}")


def test_of_two_requests_under_one_key_only_one_can_bind(store: SqlStore) -> None:
    begin(store)
    begin(store, 60)
    with store.write() as unit:
        unit.idempotency.bind("owner", "key", "batch:1")
    with pytest.raises(ConflictError), store.write() as unit:
        unit.idempotency.bind("owner", "key", "batch:2")
    with pytest.raises(ConflictError), store.write() as unit:
        unit.idempotency.bind("owner", "unknown", "batch:2")


def test_abandoned_key_is_free_again_unless_it_is_bound(store: SqlStore) -> None:
    begin(store)
    with store.write() as unit:
        unit.idempotency.abandon("owner", "key")
    assert begin(store, 1, b32("another")) is None
    with store.write() as unit:
        unit.idempotency.bind("owner", "key", "batch:1")
        unit.idempotency.abandon("owner", "key")
    assert begin(store, 2, b32("another")) == StoredAnswer("batch:1", None, {}, None)


def test_purge_forgets_old_keys_but_none_that_is_claimed(store: SqlStore) -> None:
    with store.write() as unit:
        for name, at in (("old", 0), ("claimed", 0), ("young", 100)):
            ttl = 1_000 if name == "claimed" else 1
            unit.idempotency.begin("owner", name, BODY, later(at), ttl_seconds=ttl)
        assert unit.idempotency.purge(later(50)) == 1
        assert unit.idempotency.begin("owner", "old", b32("new"), later(100), ttl_seconds=1) is None


def test_finishing_a_purged_key_does_nothing(store: SqlStore) -> None:
    with store.write() as unit:
        unit.idempotency.finish("owner", "key", 200, {}, b"")
    assert begin(store) is None


def test_single_values_are_replaced(store: SqlStore) -> None:
    with store.write() as unit:
        assert unit.meta.get("chain") is None
        unit.meta.set("chain", "eip155:31337")
        unit.meta.set("chain", "eip155:1")
        unit.meta.set("other", "x")
        assert unit.meta.get("chain") == "eip155:1"
