"""Achievements and awards in both databases: versions, places, what erasing and discarding leave."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import make_url

from registry.errors import RootmarkError
from registry.model.awards import Achievement, NewAward
from registry.model.batches import Batch, BatchState
from registry.ports.store import Unit
from registry.store import SqlStore, open_store
from tests.integration.store.makers import T0, address, b32, batch_with, digest, later, root


def achievement(name: str, version: int = 1, owner: object = "a") -> Achievement:
    return Achievement(address(owner), f"urn:{name}", version, {"name": f"{name} é {version}"}, T0)


def award(name: str, **fields: object) -> NewAward:
    values: dict[str, object] = {
        "id": name,
        "achievement_id": "urn:welding",
        "achievement_version": 1,
        "recipient": {"email": f"{name}@college.example"},
        "fingerprint": b32(name),
        "created_at": T0,
    }
    return NewAward(**(values | fields))  # type: ignore[arg-type]


def sealed_awards(unit: Unit, names: list[str], *, owner: object = "a", **fields: object) -> Batch:
    batch = batch_with(unit, list(names), owner=owner)
    unit.awards.add(batch, 0, [award(name, **fields) for name in names])
    unit.batches.seal(batch.seq, root(batch.seq), [], T0)
    return batch


def test_version_that_exists_is_not_stored_again(store: SqlStore) -> None:
    with store.write() as unit:
        assert unit.achievements.add(achievement("x"))
        assert not unit.achievements.add(achievement("x", owner="b"))
    with store.read() as unit:
        found = unit.achievements.get("urn:x")
    assert found == achievement("x")


def test_newest_version_is_given_unless_another_is_named(store: SqlStore) -> None:
    with store.write() as unit:
        for version in (1, 2, 10):
            unit.achievements.add(achievement("x", version))
        unit.achievements.add(achievement("y"))
    with store.read() as unit:
        assert unit.achievements.get("urn:x") == achievement("x", 10)
        assert unit.achievements.get("urn:x", 2) == achievement("x", 2)
        assert unit.achievements.get("urn:x", 3) is None
        assert unit.achievements.get("urn:z") is None
        assert unit.achievements.newest(["urn:x", "urn:y", "urn:z"]) == {
            "urn:x": achievement("x", 10),
            "urn:y": achievement("y"),
        }


def test_achievements_are_listed_once_each_by_issuer_page_by_page(store: SqlStore) -> None:
    with store.write() as unit:
        for name in "cab":
            unit.achievements.add(achievement(name))
            unit.achievements.add(achievement(name, 2))
        unit.achievements.add(achievement("d", owner="b"))
    with store.read() as unit:
        first = unit.achievements.page(address("a"), None, 2)
        assert first == [achievement("a", 2), achievement("b", 2)]
        assert unit.achievements.page(address("a"), "urn:b", 2) == [achievement("c", 2)]
        assert [found.id for found in unit.achievements.page(None, "urn:b", 9)] == ["urn:c", "urn:d"]


def test_award_of_a_receiving_batch_is_nowhere(store: SqlStore) -> None:
    with store.write() as unit:
        batch = batch_with(unit, ["x"], owner="a")
        unit.awards.add(batch, 0, [award("x")])
    with store.read() as unit:
        assert unit.awards.get("x") is None
        assert unit.awards.by_places([(batch.seq, 0)]) == []
        assert unit.awards.page(address("a")) == []


def test_discarded_batch_takes_its_awards_with_it_and_no_others(store: SqlStore) -> None:
    with store.write() as unit:
        kept = sealed_awards(unit, ["kept"])
        batch = batch_with(unit, ["x", "y"], owner="a")
        unit.awards.add(batch, 0, [award("x"), award("y")])
        unit.batches.discard(batch.seq)
        again = batch_with(unit, ["x"], owner="a")
        unit.awards.add(again, 0, [award("x")])  # its id is free again
    with store.read() as unit:
        assert [found.id for found in unit.awards.by_places([(kept.seq, 0), (batch.seq, 0)])] == ["kept"]


def test_two_awards_of_one_entry_are_refused(store: SqlStore) -> None:
    with store.write() as unit:
        batch = batch_with(unit, ["x"], owner="a")
        unit.awards.add(batch, 0, [award("x")])
    with pytest.raises(RootmarkError), store.write() as unit:
        unit.awards.add(batch, 0, [award("y")])


def test_award_comes_back_as_it_was_stored(store: SqlStore) -> None:
    with store.write() as unit:
        batch = batch_with(unit, ["x", "y"], owner="a")
        placed = award("y", status_list="list", status_index=2**40, supersedes="old")
        unit.awards.add(batch, 0, [award("x"), placed])
        unit.batches.seal(batch.seq, root(batch.seq), [], T0)
    with store.read() as unit:
        found = unit.awards.get("y")
        assert unit.awards.by_places([(batch.seq, 1), (batch.seq, 7)]) == [found]
    assert found is not None
    assert (found.issuer, found.batch_id, found.batch_state) == (address("a"), batch.id, BatchState.SEALED)
    assert (found.index, found.recipient, found.fingerprint) == (
        1,
        {"email": "y@college.example"},
        b32("y"),
    )
    assert (found.status_list, found.status_index) == ("list", 2**40)
    assert (found.supersedes, found.superseded_by, found.created_at) == ("old", None, T0)
    assert not found.is_erased


def test_awards_are_listed_newest_first_and_filtered(store: SqlStore) -> None:
    with store.write() as unit:
        first = sealed_awards(unit, ["1", "2", "3"])
        second = sealed_awards(unit, ["4"], achievement_id="urn:other")
        sealed_awards(unit, ["5"], owner="b")
    with store.read() as unit:

        def ids(**wanted: object) -> list[str]:
            return [found.id for found in unit.awards.page(address("a"), **wanted)]  # type: ignore[arg-type]

        assert ids() == ["4", "3", "2", "1"]
        assert ids(limit=2) == ["4", "3"]
        assert ids(before=(second.seq, 0)) == ["3", "2", "1"]
        assert ids(before=(first.seq, 1)) == ["1"]
        assert ids(achievement_id="urn:other") == ["4"]
        assert ids(batch_seq=first.seq, before=(first.seq, 2)) == ["2", "1"]
        assert len(unit.awards.page(None)) == 5


def test_awards_are_found_by_their_whole_recipient_and_nothing_that_looks_like_it(store: SqlStore) -> None:
    recipients = {
        "1": {"email": "Ada@College.example"},
        "2": {"email": "ada@college.example", "name": "A"},
        "3": {"email": "xada@college.example"},
        "4": {"email": "eve@college.example", "name": '"email":"ada@college.example"'},
        "5": {"did": "did:web:ada_example"},
        "6": {"did": "did:web:adaxexample"},
        "7": {"did": "DID:WEB:ADA_EXAMPLE"},
    }
    with store.write() as unit:
        for name, recipient in recipients.items():
            sealed_awards(unit, [name], recipient=recipient)
        sealed_awards(unit, ["8"], recipient=recipients["2"], owner="b")
        unit.entries.erase(address("a"), digest("2"))
    with store.read() as unit:

        def ids(member: str, value: str) -> list[str]:
            return [found.id for found in unit.awards.to_recipient(address("a"), member, value)]

        assert ids("email", "ADA@college.example") == ["1"]
        assert ids("did", "did:web:ada_example") == ["5"]
        assert ids("url", "ada@college.example") == []
        assert ids("email", "%") == []


def test_award_is_superseded_once(store: SqlStore) -> None:
    with store.write() as unit:
        sealed_awards(unit, ["old", "new", "other"])
        assert unit.awards.supersede("old", "new")
        assert not unit.awards.supersede("old", "other")
        assert not unit.awards.supersede("nothing", "other")
    with store.read() as unit:
        found = unit.awards.get("old")
    assert found is not None
    assert found.superseded_by == "new"


def test_erased_award_keeps_its_place_and_links_and_nothing_of_its_recipient(store: SqlStore) -> None:
    with store.write() as unit:
        sealed_awards(unit, ["x", "y"], supersedes="old")
        unit.awards.supersede("x", "new")
        assert unit.entries.erase(address("a"), digest("x")) == 1
    with store.read() as unit:
        gone, kept = unit.awards.get("x"), unit.awards.get("y")
    assert gone is not None
    assert kept is not None
    assert (gone.recipient, gone.fingerprint, gone.is_erased) == (None, None, True)
    assert (gone.index, gone.supersedes, gone.superseded_by) == (0, "old", "new")
    assert kept.recipient == {"email": "y@college.example"}


def test_erased_recipient_is_in_no_page_of_the_file(sqlite_url: str) -> None:
    store = open_store(sqlite_url, migrate=True)
    with store.write() as unit:
        sealed_awards(unit, ["somebody", "y"], created_at=later(1))
    with store.write() as unit:
        unit.entries.erase(address("a"), digest("somebody"))
    store.close()
    path = Path(str(make_url(sqlite_url).database))
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    content = path.read_bytes()
    assert b"somebody@college.example" not in content
    assert b32("somebody") not in content
    assert b"y@college.example" in content
