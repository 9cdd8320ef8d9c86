"""Batches, their tiles, and where they stand."""

from __future__ import annotations

import pytest

from registry.errors import ConflictError, NotFoundError, WrongStateError
from registry.model.batches import BatchState
from registry.model.figures import AnchoredBatch
from registry.store import SqlStore
from tests.integration.store.makers import (
    T0,
    address,
    anchor,
    batch_with,
    entry,
    later,
    root,
    sealed,
)


def test_second_open_batch_of_an_issuer_is_a_conflict(store: SqlStore) -> None:
    with store.write() as unit:
        unit.batches.create(address("a"), BatchState.OPEN, T0, allow_duplicate=False)
        unit.batches.create(address("b"), BatchState.OPEN, T0, allow_duplicate=False)
        unit.batches.create(address("a"), BatchState.RECEIVING, T0, allow_duplicate=False)
    with pytest.raises(ConflictError), store.write() as unit:
        unit.batches.create(address("a"), BatchState.OPEN, T0, allow_duplicate=False)


def test_receiving_batch_is_found_by_seq_only(store: SqlStore) -> None:
    with store.write() as unit:
        batch = batch_with(unit, ["x"])
    with store.read() as unit:
        assert unit.batches.by_id(batch.id) is None
        assert unit.batches.page(None, None, None, 10) == []
        assert unit.batches.page(None, BatchState.RECEIVING, None, 10) == []
        found = unit.batches.by_seq(batch.seq)
    assert found is not None
    assert (found.id, found.size, found.state) == (batch.id, 1, BatchState.RECEIVING)


def test_sealing_twice_is_a_wrong_state_and_stores_no_tiles(store: SqlStore) -> None:
    with store.write() as unit:
        batch = sealed(unit, ["x"])
    with pytest.raises(WrongStateError), store.write() as unit:
        unit.batches.seal(batch.seq, root("other"), [(0, 1, b"\2" * 32)], T0)
    with pytest.raises(WrongStateError), store.write() as unit:
        unit.batches.seal(999, root("other"), [], T0)
    with store.read() as unit:
        assert unit.batches.read_tiles(batch.seq, [(0, 0), (0, 1)]) == {(0, 0): b"\1" * 32}


def test_sealed_batch_has_root_time_and_tiles(store: SqlStore) -> None:
    tiles = {(0, 0): b"\1" * 8192, (0, 1): b"\2" * 64, (1, 0): b"\3" * 64}
    with store.write() as unit:
        batch = batch_with(unit, ["x", "y"])
        rows = ((level, index, nodes) for (level, index), nodes in tiles.items())
        unit.batches.seal(batch.seq, root("r"), rows, later(5), awaiting_approval_of="key 1")
    with store.read() as unit:
        found = unit.batches.by_id(batch.id)
        assert unit.batches.read_tiles(batch.seq, [*tiles, (2, 0), (0, 0)]) == tiles
        assert unit.batches.read_tiles(batch.seq + 1, list(tiles)) == {}
        assert unit.batches.read_tiles(batch.seq, []) == {}
    assert found is not None
    assert (found.state, found.root, found.sealed_at) == (BatchState.SEALED, root("r"), later(5))
    assert (found.size, found.created_at, found.awaiting_approval_of) == (2, T0, "key 1")


def test_approving_clears_what_was_awaited(store: SqlStore) -> None:
    with store.write() as unit:
        batch = batch_with(unit, ["x"])
        unit.batches.seal(batch.seq, root("r"), [], T0, awaiting_approval_of="key 1")
        unit.batches.approve(batch.seq)
        found = unit.batches.by_seq(batch.seq)
    assert found is not None
    assert found.awaiting_approval_of is None
    with pytest.raises(NotFoundError), store.write() as unit:
        unit.batches.approve(999)


def test_set_state_replaces_anchor_and_error(store: SqlStore) -> None:
    with store.write() as unit:
        batch = sealed(unit, ["x"])
        unit.batches.set_state(batch.seq, BatchState.FAILED, anchor=None, error="no funds")
    with store.write() as unit:
        failed = unit.batches.by_id(batch.id)
        unit.batches.set_state(batch.seq, BatchState.MINED, anchor=anchor(), error=None)
    with store.write() as unit:
        mined = unit.batches.by_id(batch.id)
        unit.batches.set_state(batch.seq, BatchState.SUBMITTED, anchor=None, error=None)
        back = unit.batches.by_id(batch.id)
    assert failed is not None
    assert mined is not None
    assert back is not None
    assert (failed.state, failed.error, failed.anchor) == (BatchState.FAILED, "no funds", None)
    assert (mined.state, mined.error, mined.anchor) == (BatchState.MINED, None, anchor())
    assert (back.state, back.anchor) == (BatchState.SUBMITTED, None)
    with pytest.raises(NotFoundError), store.write() as unit:
        unit.batches.set_state(999, BatchState.FINAL, anchor=None, error=None)


def test_batches_are_found_by_issuer_and_root_together(store: SqlStore) -> None:
    with store.write() as unit:
        mine, theirs = sealed(unit, ["x"], owner="a"), sealed(unit, ["y"], owner="b")
        assert mine.root is not None
        assert theirs.root is not None
        found = unit.batches.by_roots(
            [
                (theirs.issuer, theirs.root),
                (mine.issuer, mine.root),
                (mine.issuer, theirs.root),
                (mine.issuer, root("none")),
            ]
        )
        assert unit.batches.by_roots([]) == []
    assert [batch.seq for batch in found] == [mine.seq, theirs.seq]


def test_pages_go_from_new_to_old_by_issuer_and_state(store: SqlStore) -> None:
    with store.write() as unit:
        mine = [sealed(unit, [number], owner="a") for number in range(5)]
        other = sealed(unit, ["o"], owner="b")
        unit.batches.set_state(mine[1].seq, BatchState.FINAL, anchor=None, error=None)
    seqs = [batch.seq for batch in mine]
    with store.read() as unit:
        everything = unit.batches.page(None, None, None, 10)
        first = unit.batches.page(address("a"), None, None, 3)
        rest = unit.batches.page(address("a"), None, first[-1].seq, 3)
        final = unit.batches.page(None, BatchState.FINAL, None, 3)
    assert [batch.seq for batch in everything] == [other.seq, *reversed(seqs)]
    assert [batch.seq for batch in [*first, *rest]] == list(reversed(seqs))
    assert [batch.seq for batch in final] == [mine[1].seq]


def test_open_batches_are_due_by_age_or_by_size_but_never_empty(store: SqlStore) -> None:
    with store.write() as unit:
        old = batch_with(unit, ["x"], owner="old", state=BatchState.OPEN)
        large = unit.batches.create(address("large"), BatchState.OPEN, later(50), allow_duplicate=False)
        unit.entries.add(large, 0, [entry(number) for number in range(3)])
        young = unit.batches.create(address("young"), BatchState.OPEN, later(50), allow_duplicate=False)
        unit.entries.add(young, 0, [entry("y")])
        unit.batches.create(address("empty"), BatchState.OPEN, T0, allow_duplicate=False)
        batch_with(unit, ["z"], owner="other")
        due = unit.batches.open_due(T0, 3)
        found = unit.batches.open_batch(address("old"))
        assert unit.batches.open_batch(address("other")) is None
    assert [batch.seq for batch in due] == [old.seq, large.seq]
    assert found is not None
    assert found.seq == old.seq


def test_abandoned_batches_are_those_untouched_and_discarding_leaves_nothing(store: SqlStore) -> None:
    with store.write() as unit:
        gone = batch_with(unit, ["x", "y"], external_id=None, document=b"doc")
        alive = batch_with(unit, ["z"])
        unit.batches.touch(alive.seq, later(60))
        assert unit.batches.abandoned(T0) == []
        assert unit.batches.abandoned(later(60)) == [gone.seq]
        unit.batches.discard(gone.seq)
        assert unit.batches.by_seq(gone.seq) is None
        assert list(unit.entries.leaf_inputs(gone.seq)) == []
        assert unit.entries.document(gone.seq, 0) is None
        assert len(list(unit.entries.leaf_inputs(alive.seq))) == 1
        fresh = batch_with(unit, ["x"])
    assert fresh.seq > alive.seq


def test_only_a_receiving_batch_can_be_discarded_or_touched(store: SqlStore) -> None:
    with store.write() as unit:
        batch = sealed(unit, ["x"])
    with pytest.raises(WrongStateError), store.write() as unit:
        unit.batches.discard(batch.seq)
    with pytest.raises(WrongStateError), store.write() as unit:
        unit.batches.touch(batch.seq, T0)
    with pytest.raises(WrongStateError), store.write() as unit:
        unit.batches.discard(999)
    with store.read() as unit:
        assert len(list(unit.entries.leaf_inputs(batch.seq))) == 1


def test_counts_name_every_state_and_oldest_unanchored_looks_at_sealing(store: SqlStore) -> None:
    with store.write() as unit:
        assert unit.batches.oldest_unanchored() is None
        for number, state in enumerate([BatchState.FINAL, BatchState.SUBMITTED, BatchState.SEALED]):
            batch = batch_with(unit, [number])
            unit.batches.seal(batch.seq, root(number), [], later(number))
            unit.batches.set_state(batch.seq, state, anchor=None, error=None)
        batch_with(unit, ["r"])
        counts = unit.batches.count_by_state()
        oldest = unit.batches.oldest_unanchored()
    assert oldest == later(1)
    assert set(counts) == set(BatchState)
    assert {state: count for state, count in counts.items() if count} == {
        BatchState.FINAL: 1,
        BatchState.SUBMITTED: 1,
        BatchState.SEALED: 1,
        BatchState.RECEIVING: 1,
    }


def test_anchored_batches_come_newest_first_up_to_a_block(store: SqlStore) -> None:
    with store.write() as unit:
        for number, owner in enumerate(("a", "b", "a"), 1):
            batch = sealed(unit, [(owner, number, place) for place in range(number)], owner=owner)
            unit.batches.set_state(batch.seq, BatchState.MINED, anchor=anchor(number, number), error=None)
        sealed(unit, ["waits"], owner="a")
    with store.read() as unit:
        found = unit.batches.anchored(None, 2, 9)
        assert found == [AnchoredBatch(2, 10.0, 55_003), AnchoredBatch(1, 10.0, 55_003)]
        assert [batch.size for batch in unit.batches.anchored(address("a"), 3, 9)] == [3, 1]
        assert [batch.size for batch in unit.batches.anchored(None, 3, 1)] == [3]
