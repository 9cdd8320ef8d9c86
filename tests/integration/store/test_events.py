"""The index: blocks, events, and what decides a status."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.errors import ConflictError
from registry.model.chain import Change, EventKind, IndexPosition, RegistryEvent
from registry.store import SqlStore
from tests.integration.store.makers import T0, address, event, header, later, root

KEEP = 100


def index(store: SqlStore, *events: RegistryEvent) -> None:
    """Index each event's block, in order."""
    with store.write() as unit:
        numbers = sorted({each.block_number for each in events})
        unit.events.append([header(number) for number in numbers], list(events), keep_headers=KEEP)


def revoked(number: int, *changes: tuple[int, int], **fields: object) -> RegistryEvent:
    made = tuple(Change(word, mask) for word, mask in changes)
    return event(EventKind.REVOKED, number, **{"root": root("r"), "changes": made, "reason": 3, **fields})


NASTY = [
    event(EventKind.PROFILE_SET, 1, 0, uri="\0\ud800 \udcff \U0001f600 ' ; --", account=None),
    event(EventKind.PROFILE_SET, 1, 1, uri="x" * 100_000, account=None),
    event(EventKind.KEY_ADDED, 1, 2, roles=65_535, at=2**40 - 1),
    event(EventKind.KEY_RETIRED, 1, 3, valid_until=2**40 - 1, reason=65_535),
    event(EventKind.BATCH_ANCHORED, 1, 4, root=root("r")),
    revoked(1, (2**64 - 1, 2**256 - 1), (0, 1), (2**63, 0), (0, 1), log_index=5),
    event(EventKind.SUSPENDED, 1, 6, root=root("none"), changes=()),
]


def test_anything_that_strangers_may_write_comes_back_unchanged(store: SqlStore) -> None:
    index(store, *NASTY)
    with store.write() as unit:
        assert [stored.event for stored in unit.events.of_issuer(address("issuer"))] == NASTY
        assert [stored.event for stored in unit.events.list()] == NASTY
        word = unit.events.touching([(address("issuer"), root("r"), 2**64 - 1)])
        assert [stored.event for stored in unit.events.rewind(0)] == NASTY
    assert word[-1].changes == (Change(2**64 - 1, 2**256 - 1),)


def test_events_of_one_append_are_stored_in_chain_order(store: SqlStore) -> None:
    events = [revoked(number, (number, 1), log_index=log) for number in (3, 4) for log in (0, 1)]
    index(store, *reversed(events))
    with store.read() as unit:
        stored = unit.events.list()
    assert [each.event for each in stored] == events
    assert [each.id for each in stored] == [1, 2, 3, 4]


def test_block_or_event_that_is_indexed_already_is_a_conflict(store: SqlStore) -> None:
    index(store, revoked(3, (0, 1)))
    for number in (2, 3):
        with pytest.raises(ConflictError), store.write() as unit:
            unit.events.append([header(number)], [], keep_headers=KEEP)
        with pytest.raises(ConflictError), store.write() as unit:
            unit.events.append([], [revoked(number, (0, 1), log_index=7)], keep_headers=KEEP)
    with pytest.raises(ConflictError), store.write() as unit:
        unit.events.append([header(6), header(5)], [], keep_headers=KEEP)
    with store.read() as unit:
        assert [each.number for each in unit.events.recent_headers(9)] == [3]


def test_only_the_newest_headers_are_kept(store: SqlStore) -> None:
    with store.write() as unit:
        unit.events.append([header(number) for number in range(1, 8)], [], keep_headers=5)
        assert unit.events.recent_headers(2) == [header(7), header(6)]
        unit.events.append([header(8)], [], keep_headers=5)
        kept = unit.events.recent_headers(100)
    assert kept == [header(number) for number in (8, 7, 6, 5, 4)]


def test_position_is_replaced_and_survives_a_rewind_below_it_only(store: SqlStore) -> None:
    first = IndexPosition(header(3), 2, T0)
    second = IndexPosition(header(5), 4, later(1))
    with store.write() as unit:
        assert unit.events.position() is None
        unit.events.set_position(first)
        unit.events.set_position(second)
        unit.events.rewind(5)
        assert unit.events.position() == second
        unit.events.rewind(4)
        assert unit.events.position() is None


def test_rewind_returns_what_it_deletes_and_ids_are_not_used_again(store: SqlStore) -> None:
    kept, gone = revoked(3, (0, 1)), revoked(4, (0, 2), (9, 1))
    index(store, kept, gone)
    with store.write() as unit:
        deleted = unit.events.rewind(3)
        assert unit.events.rewind(3) == []
        assert unit.events.recent_headers(9) == [header(3)]
        again = replace(gone, block_hash=header(4, "fork").hash)
        unit.events.append([header(4, "fork", "")], [again], keep_headers=KEEP)
        stored = unit.events.list()
        touching = unit.events.touching([(address("issuer"), root("r"), 9)])
    assert [each.event for each in deleted] == [gone]
    assert [each.event for each in stored] == [kept, again]
    assert stored[-1].id > deleted[-1].id
    assert [each.changes for each in touching] == [(Change(9, 1),)]


def test_head_is_the_last_event_of_that_issuer_up_to_a_block(store: SqlStore) -> None:
    stranger = revoked(5, (0, 1), issuer=address("b"), log_index=1)
    mine = [revoked(number, (number, 1)) for number in (2, 4, 6)]
    index(store, *mine, stranger)
    with store.read() as unit:
        heads = {block: unit.events.head_of(address("issuer"), block) for block in range(1, 8)}
        assert unit.events.head_of(address("issuer")) == mine[2].head
        assert unit.events.head_of(address("nobody")) == bytes(32)
    two, four, six = (each.head for each in mine)
    assert heads == {1: bytes(32), 2: two, 3: two, 4: four, 5: four, 6: six, 7: six}


def test_history_of_an_issuer_streams_across_pieces(store: SqlStore) -> None:
    mine = [revoked(number, (number, 1), (0, 1)) for number in range(1, 1_203)]
    others = [revoked(number, (0, 1), issuer=address("b"), log_index=1) for number in range(1, 50)]
    index(store, *mine, *others)
    with store.read() as unit:
        everything = list(unit.events.of_issuer(address("issuer")))
        bounded = list(unit.events.of_issuer(address("issuer"), up_to_block=600, after=everything[9].id))
        limited = list(unit.events.of_issuer(address("issuer"), limit=700))
        assert list(unit.events.of_issuer(address("issuer"), limit=0)) == []
    assert [each.event for each in everything] == mine
    assert bounded == everything[10:600]
    assert limited == everything[:700]


def test_touching_finds_just_what_decides_the_words_asked_for(store: SqlStore) -> None:
    anchored = event(EventKind.BATCH_ANCHORED, 2, 0, root=root("r"))
    both = revoked(3, (0, 1), (1, 2), (0, 4))
    events = [
        event(EventKind.KEY_ADDED, 1, 0),
        event(EventKind.PROFILE_SET, 1, 1, uri="u"),
        anchored,
        event(EventKind.BATCH_ANCHORED, 2, 1, root=root("other")),
        event(EventKind.BATCH_ANCHORED, 2, 2, root=root("r"), issuer=address("b")),
        event(EventKind.KEY_ADDED, 2, 3, issuer=address("b")),
        both,
        revoked(4, (7, 1)),
        revoked(5, (0, 1), root=root("other")),
        revoked(6, (0, 1), issuer=address("b")),
        event(EventKind.BATCH_WITHDRAWN, 7, 0, root=root("r"), reason=2),
        event(EventKind.WITHDRAWAL_ANNULLED, 8, 0, root=root("r")),
        event(EventKind.KEY_RETIRED, 9, 0, valid_until=5),
        event(EventKind.ADMIN_CHANGED, 10, 0),
        event(EventKind.ADMIN_PROPOSED, 11, 0),
        event(EventKind.REINSTATED, 12, 0, root=root("r"), changes=(Change(0, 1),)),
    ]
    index(store, *events)
    target = (address("issuer"), root("r"), 0)
    with store.read() as unit:
        found = unit.events.touching([target, target])
        bounded = unit.events.touching([target], up_to_block=3)
        words = unit.events.touching([target, (address("issuer"), root("r"), 1)])
        assert unit.events.touching([]) == []
        assert unit.events.touching([(address("c"), root("r"), 0)]) == []
    cut = replace(both, changes=(Change(0, 1), Change(0, 4)))
    expected = [events[0], anchored, cut, *events[10:]]
    assert found == expected
    assert bounded == expected[:3]
    assert words[2] == both


def test_touching_answers_for_many_targets_at_once(store: SqlStore) -> None:
    events = []
    for number in range(1, 401):
        fields = {"root": root(number), "issuer": address(number % 350)}
        events.append(event(EventKind.BATCH_ANCHORED, number, 0, **fields))
        events.append(revoked(number, (number, 1), log_index=1, **fields))
    index(store, *events)
    targets = [(address(number % 350), root(number), number) for number in range(1, 401)]
    with store.read() as unit:
        assert unit.events.touching(targets) == events


def test_list_filters_by_issuer_kind_reason_time_and_block(store: SqlStore) -> None:
    events = [revoked(number, (0, number), reason=number, issuer=address(number % 2)) for number in range(12)]
    index(store, *events)
    at = 1_700_000_000
    with store.read() as unit:

        def numbers(**filters: object) -> list[int]:
            return [stored.event.block_number for stored in unit.events.list(**filters)]  # type: ignore[arg-type]

        assert numbers(issuer=address(1)) == [1, 3, 5, 7, 9, 11]
        assert numbers(kinds=[EventKind.SUSPENDED]) == []
        assert numbers(kinds=[EventKind.SUSPENDED, EventKind.REVOKED], limit=2) == [0, 1]
        assert numbers(kinds=[]) == []
        assert numbers(reason=3) == [3]
        assert numbers(reason=0) == [0, 8, 9, 10, 11]
        assert numbers(since=at + 3, until=at + 5) == [3, 4]
        assert numbers(from_block=9, up_to_block=10) == [9, 10]
        assert numbers(after=unit.events.list(limit=10)[-1].id) == [10, 11]
        assert unit.events.issuers() == sorted([address(0), address(1)])


def test_mismatch_is_remembered_until_it_is_cleared(store: SqlStore) -> None:
    with store.write() as unit:
        assert unit.events.mismatches() == {}
        unit.events.set_mismatch(address("a"), 3, "first")
        unit.events.set_mismatch(address("a"), 4, "second")
        unit.events.set_mismatch(address("b"), 4, "other")
        assert unit.events.mismatches() == {address("a"): "second", address("b"): "other"}
        unit.events.clear_mismatch(address("a"))
        unit.events.clear_mismatch(address("a"))
        assert unit.events.mismatches() == {address("b"): "other"}


def test_status_counts_are_by_word_newest_first_and_leave_out_what_no_batch_has(store: SqlStore) -> None:
    events = [
        revoked(1, (0, 0b111), (1, 1), (2**24, 2**256 - 1)),
        event(EventKind.SUSPENDED, 2, root=root("r"), changes=(Change(0, 3),), issuer=address("other")),
        event(EventKind.KEY_ADDED, 3, roles=1),
    ]
    with store.write() as unit:
        unit.events.append([header(number) for number in (1, 2, 3)], events, keep_headers=9)
    with store.read() as unit:
        found = unit.events.status_counts(None, 3, 9)
        assert [(one.kind, one.reason, one.count) for one in found] == [
            (EventKind.SUSPENDED, 0, 2),
            (EventKind.REVOKED, 3, 3),
            (EventKind.REVOKED, 3, 1),
        ]
        assert [one.count for one in unit.events.status_counts(address("issuer"), 3, 9)] == [3, 1]
        assert [one.count for one in unit.events.status_counts(None, 1, 9)] == [3, 1]
        assert [one.count for one in unit.events.status_counts(None, 3, 1)] == [2]


def test_event_is_found_at_its_place(store: SqlStore) -> None:
    first, second = revoked(1, (0, 1), log_index=0), revoked(1, (0, 2), (1, 4), log_index=1)
    with store.write() as unit:
        unit.events.append([header(1)], [first, second], keep_headers=9)
    with store.read() as unit:
        assert unit.events.at(1, 1) == second
        assert unit.events.at(1, 2) is None
        assert unit.events.at(2, 0) is None
