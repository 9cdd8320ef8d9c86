"""Entries: adding, finding, and the checks of a whole batch."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.encoding import DigestMethod
from registry.errors import ExternalIdConflictError, NotFoundError, ValidationError, WrongStateError
from registry.model.batches import BatchState, NewEntry
from registry.store import SqlStore
from tests.integration.store.makers import (
    T0,
    address,
    batch_with,
    digest,
    entry,
    later,
    root,
    salt,
    sealed,
)


def test_external_id_of_another_batch_is_a_conflict_that_names_the_positions(store: SqlStore) -> None:
    with store.write() as unit:
        batch = unit.batches.create(address("a"), BatchState.RECEIVING, T0, allow_duplicate=False)
        unit.entries.add(batch, 0, [entry(1, external_id="one"), entry(2, external_id="two")])
        other = unit.batches.create(address("a"), BatchState.RECEIVING, T0, allow_duplicate=False)
    new = [entry(3), entry(4, external_id="two"), entry(5, external_id="x"), entry(6, external_id="one")]
    with pytest.raises(ExternalIdConflictError) as caught, store.write() as unit:
        unit.entries.add(other, 0, new)
    assert [fault.pointer for fault in caught.value.faults] == ["/1", "/3"]
    with store.write() as unit:
        theirs = unit.batches.create(address("b"), BatchState.RECEIVING, T0, allow_duplicate=False)
        unit.entries.add(theirs, 0, [entry(7, external_id="one")])


def test_external_id_twice_in_one_call_is_a_conflict(store: SqlStore) -> None:
    with store.write() as unit:
        batch = unit.batches.create(address("a"), BatchState.RECEIVING, T0, allow_duplicate=False)
    with pytest.raises(ExternalIdConflictError) as caught, store.write() as unit:
        unit.entries.add(batch, 0, [entry(1, external_id="same"), entry(2, external_id="same")])
    assert [fault.pointer for fault in caught.value.faults] == ["/1"]


def test_external_id_twice_in_one_batch_over_two_calls_is_a_conflict(store: SqlStore) -> None:
    with store.write() as unit:
        batch = batch_with(unit, ["x"], external_id="same")
    with pytest.raises(ExternalIdConflictError) as caught, store.write() as unit:
        unit.entries.add(batch, 1, [entry("y", external_id="other"), entry("z", external_id="same")])
    assert [fault.pointer for fault in caught.value.faults] == ["/1"]


@pytest.mark.parametrize("name", ["nul\0", "\ud800", "x" * 1025, "é" * 513])
def test_external_id_that_a_database_cannot_hold_is_refused_by_position(store: SqlStore, name: str) -> None:
    with store.write() as unit:
        batch = unit.batches.create(address("a"), BatchState.RECEIVING, T0, allow_duplicate=False)
    with pytest.raises(ValidationError) as caught, store.write() as unit:
        unit.entries.add(batch, 0, [entry(1), entry(2, external_id=name)])
    assert [fault.pointer for fault in caught.value.faults] == ["/1"]


def test_longest_external_id_is_kept_whole(store: SqlStore) -> None:
    names = ["é" * 512, "", " ", "\U0001d4b3", "a\nb"]
    with store.write() as unit:
        batch = unit.batches.create(address("a"), BatchState.RECEIVING, T0, allow_duplicate=False)
        unit.entries.add(batch, 0, [entry(name, external_id=name) for name in names])
        unit.batches.seal(batch.seq, root(1), [], T0)
        found = unit.entries.by_external_ids(address("a"), [*names, "unknown"])
    assert [each.external_id for each in found] == names


def test_adding_at_another_index_than_the_size_is_refused(store: SqlStore) -> None:
    with store.write() as unit:
        batch = batch_with(unit, ["x", "y"])
    for first_index in (0, 1, 3):
        with pytest.raises(WrongStateError), store.write() as unit:
            unit.entries.add(batch, first_index, [entry("z")])
    with store.write() as unit:
        unit.entries.add(batch, 2, [entry("z")])
        grown = unit.batches.by_seq(batch.seq)
    assert grown is not None
    assert grown.size == 3


def test_adding_to_a_sealed_batch_is_refused(store: SqlStore) -> None:
    with store.write() as unit:
        batch = sealed(unit, ["x"])
    with pytest.raises(WrongStateError), store.write() as unit:
        unit.entries.add(batch, 1, [entry("z")])


def test_unit_that_failed_leaves_no_entry_behind(store: SqlStore) -> None:
    with store.write() as unit:
        batch = batch_with(unit, ["x"])

    def fail_halfway() -> None:
        with store.write() as unit:
            unit.entries.add(batch, 1, [entry("y")])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()
    with store.read() as unit:
        assert [each[0] for each in unit.entries.leaf_inputs(batch.seq)] == [digest("x")]


def test_leaves_stream_in_index_order_across_pieces(store: SqlStore) -> None:
    count = 16_384 * 2 + 5
    methods = list(DigestMethod)
    entries = [NewEntry(digest(number), methods[number % 3], salt(number)) for number in range(count)]
    with store.write() as unit:
        batch = unit.batches.create(address("a"), BatchState.RECEIVING, T0, allow_duplicate=False)
        unit.entries.add(batch, 0, entries[:20_000])
        unit.entries.add(batch, 20_000, entries[20_000:])
    with store.read() as unit:
        leaves = list(unit.entries.leaf_inputs(batch.seq))
    assert leaves == [(each.digest, each.method, each.salt) for each in entries]


def test_repeated_digests_are_listed_with_their_first_indices(store: SqlStore) -> None:
    names = ["a", "b", "a", "c", "b", "b", "b", "b", "b", "d"]
    with store.write() as unit:
        batch = batch_with(unit, list(names))
        batch_with(unit, ["c", "d"])
        assert unit.entries.repeated_in(batch.seq, 10) == [
            (digest("a"), (0, 2)),
            (digest("b"), (1, 4, 5, 6, 7)),
        ]
        assert unit.entries.repeated_in(batch.seq, 1) == [(digest("a"), (0, 2))]


def test_already_anchored_names_the_oldest_living_batch_of_the_same_issuer(store: SqlStore) -> None:
    with store.write() as unit:
        failed = sealed(unit, ["f", "both"], owner="a")
        unit.batches.set_state(failed.seq, BatchState.FAILED, anchor=None, error="reason")
        first = sealed(unit, ["x", "y", "both"], owner="a")
        sealed(unit, ["x"], owner="a")
        sealed(unit, ["strange"], owner="b")
        batch_with(unit, ["receiving"], owner="a")
        open_ = batch_with(unit, ["open"], owner="a", state=BatchState.OPEN)
        names = ["new", "x", "f", "strange", "receiving", "open", "both"]
        batch = batch_with(unit, list(names), owner="a")
        found = unit.entries.already_anchored(batch.seq, 10)
        limited = unit.entries.already_anchored(batch.seq, 1)
    assert found == [(1, first.id), (5, open_.id), (6, first.id)]
    assert limited == [(1, first.id)]


def test_entry_comes_back_with_its_batch_and_its_rare_values(store: SqlStore) -> None:
    with store.write() as unit:
        batch = unit.batches.create(address("a"), BatchState.RECEIVING, T0, allow_duplicate=False)
        rich = entry("x", external_id="id", valid_from=T0, valid_until=later(1.5), document=b"{\0}")
        unit.entries.add(batch, 0, [entry("w"), rich])
        assert unit.entries.by_digests([digest("x")]) == []
        unit.batches.seal(batch.seq, root("r"), [], T0)
    with store.read() as unit:
        (found,) = unit.entries.by_digests([digest("x")])
        (plain,) = unit.entries.by_indices([(batch.seq, 0)])
        assert unit.entries.document(batch.seq, 1) == b"{\0}"
        assert unit.entries.document(batch.seq, 0) is None
        assert unit.entries.by_external_ids(address("a"), ["id"]) == [found]
        assert unit.entries.by_external_ids(address("b"), ["id"]) == []
        assert unit.entries.of_batch(batch.seq, 0, 10) == [plain, found]
        assert unit.entries.of_batch(batch.seq, 1, 10) == [found]
        assert unit.entries.of_batch(batch.seq, 0, 1) == [plain]
    assert (found.batch_id, found.batch_state, found.issuer) == (batch.id, BatchState.SEALED, address("a"))
    assert (found.root, found.size, found.index) == (root("r"), 2, 1)
    assert (found.digest, found.method, found.salt) == (digest("x"), DigestMethod.OPAQUE, salt("x"))
    assert (found.external_id, found.valid_from, found.valid_until) == ("id", T0, later(1.5))
    assert replace(plain, external_id="id", valid_from=T0) != plain
    assert (plain.external_id, plain.valid_from, plain.valid_until) == (None, None, None)


def test_many_digests_are_found_over_several_batches_and_issuers(store: SqlStore) -> None:
    with store.write() as unit:
        one = sealed(unit, list(range(700)), owner="a")
        two = sealed(unit, [5, 6], owner="b")
        wanted = [digest(number) for number in range(650)]
        everyone = unit.entries.by_digests([*wanted, *wanted, digest("unknown")])
        theirs = unit.entries.by_digests(wanted, issuer=address("b"))
        assert unit.entries.by_digests([]) == []
    assert [(each.batch_seq, each.index) for each in everyone] == [
        *((one.seq, number) for number in range(650)),
        (two.seq, 0),
        (two.seq, 1),
    ]
    assert [(each.batch_seq, each.index) for each in theirs] == [(two.seq, 0), (two.seq, 1)]


def test_salt_is_replaced_for_one_entry(store: SqlStore) -> None:
    with store.write() as unit:
        batch = batch_with(unit, ["x", "y"])
        unit.entries.set_salt(batch.seq, 1, salt("new"))
        leaves = list(unit.entries.leaf_inputs(batch.seq))
    assert [leaf[2] for leaf in leaves] == [salt("x"), salt("new")]
    with pytest.raises(NotFoundError), store.write() as unit:
        unit.entries.set_salt(batch.seq, 2, salt("new"))
