"""Webhooks and deliveries in both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from registry.model.webhooks import TEST_KIND, DeliveryState, Webhook
from registry.store import SqlStore
from tests.integration.store.makers import T0, address, later


def hook(name: str, issuer: str = "a") -> Webhook:
    return Webhook(name, address(issuer), "https://hooks.example/", "é", frozenset(), b"\x00s", 3, T0)


def filled(store: SqlStore, *names: str, each: int = 3) -> None:
    with store.write() as unit:
        for name in names:
            unit.webhooks.add(hook(name))
            unit.webhooks.add_deliveries([(name, item, "batch.final") for item in range(1, each + 1)], T0)


def test_webhook_comes_back_as_it_was_changed(store: SqlStore) -> None:
    changed = replace(
        hook("w"),
        url="https://other.example/",
        kinds=frozenset({"batch.final", "batch.failed"}),
        previous_secret=b"old",
        previous_until=later(1),
        off_at=later(2),
        off_reason="gone",
        failing_since=later(3),
    )
    with store.write() as unit:
        unit.webhooks.add(hook("w"))
        assert unit.webhooks.get("w") == hook("w")
        unit.webhooks.change(changed)
    with store.read() as unit:
        assert unit.webhooks.get("w") == changed
        assert unit.webhooks.of_issuer(address("a")) == [changed]
        assert unit.webhooks.of_issuer(address("b")) == []
        assert unit.webhooks.of_issuers([address("a")]) == []


def test_feed_item_becomes_one_delivery_of_a_webhook_and_tests_any_number(store: SqlStore) -> None:
    filled(store, "w", each=2)
    with store.write() as unit:
        assert unit.webhooks.add_deliveries([("w", 2, "batch.final"), ("w", 3, "batch.final")], T0) == 1
        assert unit.webhooks.add_deliveries([("w", None, TEST_KIND), ("w", None, TEST_KIND)], T0) == 2
    with store.read() as unit:
        assert unit.webhooks.counts(["w", "x"]) == {"w": {DeliveryState.WAITING: 5}}
        page = unit.webhooks.deliveries("w", state=None, before=None, limit=2)
        assert [one.kind for one in page] == [TEST_KIND, TEST_KIND]
        rest = unit.webhooks.deliveries("w", state=None, before=page[-1].seq, limit=9)
        assert [one.feed_id for one in rest] == [3, 2, 1]


def test_claim_is_fair_and_nobody_elses_until_it_ends(store: SqlStore) -> None:
    filled(store, "busy", each=5)
    filled(store, "quiet", each=1)
    with store.write() as unit:
        taken = unit.webhooks.claim(T0, later(60), each=2, limit=3, without=[])
        assert [one.webhook_id for one in taken] == ["busy", "busy", "quiet"]
        again = unit.webhooks.claim(T0, later(60), each=9, limit=9, without=["quiet"])
        assert {one.seq for one in again}.isdisjoint({one.seq for one in taken})
        assert not unit.webhooks.is_due(later(59), without=[])
        assert not unit.webhooks.is_due(later(61), without=["busy", "quiet"])
        assert len(unit.webhooks.claim(later(61), later(99), each=9, limit=9, without=[])) == 6


def test_attempt_is_recorded_while_the_delivery_waits_and_then_stands(store: SqlStore) -> None:
    filled(store, "w", each=2)
    with store.write() as unit:
        first, second = unit.webhooks.claim(T0, later(60), each=9, limit=9, without=[])
        waiting, done = DeliveryState.WAITING, DeliveryState.DELIVERED
        assert unit.webhooks.record(first.seq, waiting, T0, next_at=later(5), status=500, error="no")
        assert unit.webhooks.record(first.seq, done, later(5), next_at=None, status=200, error=None)
        assert not unit.webhooks.record(first.seq, waiting, T0, next_at=later(9), status=500, error="no")
        unit.webhooks.give_up("w", "gone")
    with store.read() as unit:
        told = unit.webhooks.delivery("w", first.seq)
        assert told is not None
        assert (told.state, told.attempts, told.status, told.next_at) == (done, 2, 200, None)
        given_up = unit.webhooks.delivery("w", second.seq)
        assert given_up is not None
        assert (given_up.state, given_up.error, given_up.next_at) == (DeliveryState.FAILED, "gone", None)
        assert unit.webhooks.delivery("other", first.seq) is None


def test_replay_begins_anew_and_purge_leaves_what_waits(store: SqlStore) -> None:
    filled(store, "w", each=3)
    with store.write() as unit:
        one, *_ = unit.webhooks.claim(T0, later(60), each=9, limit=9, without=[])
        unit.webhooks.record(one.seq, DeliveryState.DELIVERED, T0, next_at=None, status=200, error=None)
        unit.webhooks.give_up("w", "gone")
        assert unit.webhooks.replay("w", later(9), seq=None, since=later(1)) == 0
        assert unit.webhooks.replay("w", later(9), seq=None, since=T0) == 2
        assert unit.webhooks.replay("w", later(9), seq=one.seq, since=None) == 1
        assert unit.webhooks.replay("other", later(9), seq=one.seq, since=None) == 0
        assert unit.webhooks.counts(["w"])["w"] == {DeliveryState.WAITING: 3}
        unit.webhooks.give_up("w", "gone")
        unit.webhooks.replay("w", later(9), seq=one.seq, since=None)
        unit.webhooks.purge(later(1))
        assert unit.webhooks.counts(["w"])["w"] == {DeliveryState.WAITING: 1}
        unit.webhooks.remove("w")
        assert unit.webhooks.get("w") is None
        assert unit.webhooks.counts(["w"]) == {}


def test_feed_tells_items_by_id_the_newest_and_from_a_time_on(store: SqlStore) -> None:
    with store.write() as unit:
        assert unit.feed.newest() == 0
        for number in range(3):
            unit.feed.append(later(number), "batch.final", address("a"), {"n": number})
    with store.read() as unit:
        assert unit.feed.newest() == 3
        assert [item.id for item in unit.feed.items({3, 1, 99})] == [1, 3]
        assert [item.id for item in unit.feed.after(0, 9, since=later(1))] == [2, 3]


def test_two_that_claim_at_once_share_what_is_due(store: SqlStore) -> None:
    filled(store, *(f"w{number}" for number in range(20)), each=2)

    def claim(_: int) -> list[int]:
        with store.write() as unit:
            taken = unit.webhooks.claim(T0, later(60), each=2, limit=20, without=[])
            return [one.seq for one in taken]

    with ThreadPoolExecutor(4) as threads:
        claimed = [seq for part in threads.map(claim, range(8)) for seq in part]
    assert len(claimed) == len(set(claimed))
    with store.read() as unit:
        left = unit.webhooks.is_due(T0, without=[])
    assert len(claimed) == 40 or left


def test_message_id_is_another_after_a_backup_was_restored(store: SqlStore) -> None:
    filled(store, "w", each=1)
    with store.read() as unit:
        (first,) = unit.webhooks.deliveries("w", state=None, before=None, limit=1)
    assert replace(first, attempts=3).message_id == first.message_id
    assert replace(first, created_at=later(0.000001)).message_id != first.message_id
