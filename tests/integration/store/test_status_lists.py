"""Status lists in both databases: places are given out once, and the awards behind entries are found."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from registry.credentials.status.lists import LIST_ENTRIES, USED_AT_MOST, StatusLists, StatusPlace
from registry.encoding import Digest
from registry.errors import NotFoundError, RootmarkError
from registry.model.awards import NewAward
from registry.model.batches import Batch
from registry.model.status_lists import AwardMark, StatusList
from registry.ports.store import Unit
from registry.store import SqlStore
from tests.integration.store.makers import T0, address, b32, batch_with, digest, issuer, root

OWNER = address("a")
BASE = "https://registry.example"


class Clock:
    def now(self) -> object:
        return T0


LISTS = StatusLists(lambda _unit: BASE, Clock())  # type: ignore[arg-type]


def award(name: str, **fields: object) -> NewAward:
    values: dict[str, object] = {
        "id": name,
        "achievement_id": "urn:welding",
        "achievement_version": 1,
        "recipient": {},
        "fingerprint": b32(name),
        "created_at": T0,
        "credential_id": f"urn:{name}",
    }
    return NewAward(**(values | fields))  # type: ignore[arg-type]


def awarded(unit: Unit, names: list[str], *, owner: object = "a", status_list: str | None = None) -> Batch:
    """A sealed batch; an award stands in the list at the place that is its position."""
    batch = batch_with(unit, list(names), owner=owner)
    awards = [
        award(name, status_list=status_list, status_index=number if status_list else None)
        for number, name in enumerate(names)
    ]
    unit.awards.add(batch, 0, awards)
    unit.batches.seal(batch.seq, root(batch.seq), [], T0)
    return batch


@pytest.fixture
def hosting(store: SqlStore) -> SqlStore:
    """A store with the two issuers."""
    with store.write() as unit:
        unit.issuers.add(issuer("a"))
        unit.issuers.add(issuer("b"))
    return store


def failing(store: SqlStore) -> None:
    with store.write() as unit:
        LISTS.assign(unit, OWNER, 5)
        raise ZeroDivisionError


def assign(store: SqlStore, count: int) -> list[StatusPlace]:
    with store.write() as unit:
        return LISTS.assign(unit, OWNER, count)


# --- places -------------------------------------------------------------------------------------------------


def test_two_awards_at_one_place_are_refused(store: SqlStore) -> None:
    with store.write() as unit:
        awarded(unit, ["x"], status_list="list")
    with pytest.raises(RootmarkError), store.write() as unit:
        awarded(unit, ["y"], status_list="list")
    with store.write() as unit:
        awarded(unit, ["z"], status_list="another")
        awarded(unit, ["u", "v"])  # without a place there is nothing to share


def test_places_are_given_back_only_with_the_transaction_that_took_them(hosting: SqlStore) -> None:
    with pytest.raises(ZeroDivisionError):
        failing(hosting)
    with hosting.read() as unit:
        assert unit.status_lists.of_issuer(OWNER) == []
    assign(hosting, 5)
    with hosting.read() as unit:
        (found,) = unit.status_lists.of_issuer(OWNER)
        assert (found.used, found.size, found.created_at) == (5, LIST_ENTRIES, T0)
        assert unit.status_lists.get(found.id) == found
        assert unit.status_lists.get("another") is None
        taken = unit.status_lists.taken(found.id)
    assert sum(byte.bit_count() for byte in taken) == 5


def test_places_given_out_at_once_are_all_different(hosting: SqlStore) -> None:
    with ThreadPoolExecutor(4) as pool:
        rounds = list(pool.map(lambda _: assign(hosting, 50), range(12)))
    places = {(place.list_id, place.index) for found in rounds for place in found}
    assert len(places) == 600
    assert len({list_id for list_id, _ in places}) == 1


def test_another_list_begins_when_one_is_half_full(hosting: SqlStore) -> None:
    first = assign(hosting, USED_AT_MOST - 10)
    second = assign(hosting, 25)
    lists = {place.list_id for place in first}
    assert len(lists) == 1
    assert [place.list_id in lists for place in second] == [True] * 10 + [False] * 15
    assert len({(place.list_id, place.index) for place in first + second}) == USED_AT_MOST + 15
    with hosting.read() as unit:
        assert [found.used for found in unit.status_lists.of_issuer(OWNER)] == [USED_AT_MOST, 15]


def test_issuers_have_lists_of_their_own(hosting: SqlStore) -> None:
    with hosting.write() as unit:
        mine = LISTS.assign(unit, OWNER, 1)
        theirs = LISTS.assign(unit, address("b"), 1)
    assert mine[0].list_id != theirs[0].list_id


def test_place_says_where_it_is_for_each_purpose(hosting: SqlStore) -> None:
    (place,) = assign(hosting, 1)
    assert [entry["statusPurpose"] for entry in place.entries] == ["revocation", "suspension"]
    for entry in place.entries:
        url = f"{BASE}/status/{place.list_id}-{entry['statusPurpose']}"
        assert entry["statusListCredential"] == url
        assert entry["statusListIndex"] == str(place.index)
        assert entry["id"] == f"{url}#{place.index}"
        assert entry["type"] == "BitstringStatusListEntry"


def test_list_of_nobody_cannot_be_changed(store: SqlStore) -> None:
    with store.write() as unit:
        unit.status_lists.add(StatusList("one", OWNER, 64, 0, T0))
    with pytest.raises(RootmarkError), store.write() as unit:
        unit.status_lists.take("another", bytes(8), 0)


def test_nobody_gets_places_who_is_not_hosted_here(store: SqlStore) -> None:
    with pytest.raises(NotFoundError):
        assign(store, 1)


# --- awards behind entries ----------------------------------------------------------------------------------


def test_awards_are_found_by_their_entries_and_by_whole_batches(store: SqlStore) -> None:
    with store.write() as unit:
        first = awarded(unit, ["p", "q", "r"], status_list="one")
        second = awarded(unit, ["s", "t"])
    with store.read() as unit:
        places = [(first.seq, 1), (second.seq, 0), (first.seq, 7), (99, 0)]
        assert unit.awards.marked(OWNER, places, ()) == [
            AwardMark(first.seq, 1, "urn:q", 1),
            AwardMark(second.seq, 0, "urn:s", None),
        ]
        by_batch = unit.awards.marked(OWNER, [(first.seq, 1)], [first.seq])
        assert [mark.status_index for mark in by_batch] == [0, 1, 2]
        listed = unit.awards.marked(OWNER, places, [second.seq], status_list="one")
        assert listed == [AwardMark(first.seq, 1, "urn:q", 1)]
        assert unit.awards.marked(OWNER, (), ()) == []


def test_award_is_found_by_a_copy_of_its_digest_and_by_itself_once_erased(store: SqlStore) -> None:
    with store.write() as unit:
        mine = awarded(unit, ["p", "q"], status_list="one")
        copy = batch_with(unit, ["q"], owner="a")
    with store.read() as unit:
        assert unit.awards.marked(OWNER, (), [copy.seq]) == [AwardMark(copy.seq, 0, "urn:q", 1)]
        assert unit.awards.marked(OWNER, [(copy.seq, 0)], ()) == [AwardMark(copy.seq, 0, "urn:q", 1)]
    with store.write() as unit:
        assert unit.entries.erase(OWNER, Digest(digest("p")), keep_credential_ids=True) == 1
        assert unit.entries.erase(OWNER, Digest(digest("q"))) == 1
    with store.read() as unit:
        assert unit.awards.marked(OWNER, [(mine.seq, 0), (mine.seq, 1)], ()) == [
            AwardMark(mine.seq, 0, "urn:p", 0),
            AwardMark(mine.seq, 1, None, 1),
        ]


def test_awards_of_another_issuer_are_not_found(store: SqlStore) -> None:
    with store.write() as unit:
        theirs = awarded(unit, ["p"], owner="b")
        copy = batch_with(unit, ["p"], owner="a")
    with store.read() as unit:
        assert unit.awards.marked(OWNER, [(theirs.seq, 0)], [copy.seq]) == []
