"""Erasing a credential removes every copy of what could tell it, and nothing else."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url

from registry.encoding import to_hex
from registry.errors import NotSealedError
from registry.model.batches import BatchState
from registry.model.operations import RequestKind
from registry.model.pages import CredentialPage, Visibility
from registry.model.shares import Share
from registry.store import SqlStore, open_store
from tests.integration.store.makers import (
    T0,
    address,
    api_key,
    b32,
    batch_with,
    digest,
    entry,
    root,
    salt,
    sealed,
)
from tests.integration.store.test_awards import award

GONE = digest("gone")


def test_entry_in_an_open_batch_cannot_be_erased_yet(store: SqlStore) -> None:
    with store.write() as unit:
        sealed(unit, ["gone"], owner="a")
        batch_with(unit, ["gone"], owner="a", state=BatchState.OPEN)
    with pytest.raises(NotSealedError), store.write() as unit:
        unit.entries.erase(address("a"), GONE)
    with store.read() as unit:
        assert len(unit.entries.by_digests([GONE])) == 2


def test_erased_entry_is_not_found_and_its_batch_stays(store: SqlStore) -> None:
    with store.write() as unit:
        batch = unit.batches.create(address("a"), BatchState.RECEIVING, T0, allow_duplicate=False)
        rich = entry("gone", external_id="id", valid_from=T0, document=b"doc")
        unit.entries.add(batch, 0, [entry("first"), rich, entry("last")])
        unit.batches.seal(batch.seq, root("r"), [(0, 0, b"\1" * 96)], T0)
        again = sealed(unit, ["gone", "x"], owner="a")
        theirs = sealed(unit, ["gone"], owner="b")
        assert unit.entries.erase(address("a"), GONE) == 2
        assert unit.entries.erase(address("a"), GONE) == 0
    with store.read() as unit:
        assert [found.batch_seq for found in unit.entries.by_digests([GONE])] == [theirs.seq]
        assert unit.entries.by_external_ids(address("a"), ["id"]) == []
        assert unit.entries.document(batch.seq, 1) is None
        assert unit.entries.by_indices([(batch.seq, 1)]) == []
        assert [found.index for found in unit.entries.of_batch(batch.seq, 0, 10)] == [0, 2]
        assert [leaf[0] for leaf in unit.entries.leaf_inputs(batch.seq)] == [digest("first"), digest("last")]
        assert [found.index for found in unit.entries.of_batch(again.seq, 0, 10)] == [1]
        assert unit.entries.repeated_in(batch.seq, 5) == []
        kept = unit.batches.by_id(batch.id)
        assert unit.batches.read_tiles(batch.seq, [(0, 0)]) == {(0, 0): b"\1" * 96}
    assert kept is not None
    assert (kept.size, kept.root) == (3, root("r"))


def test_external_id_of_an_erased_entry_can_be_used_again(store: SqlStore) -> None:
    with store.write() as unit:
        batch = batch_with(unit, ["gone"], owner="a", external_id="id")
        unit.batches.seal(batch.seq, root("r"), [], T0)
        unit.entries.erase(address("a"), GONE)
        batch_with(unit, ["new"], owner="a", external_id="id")


def test_copies_in_answers_feed_and_requests_lose_the_digits_and_keep_their_shape(store: SqlStore) -> None:
    body = json.dumps({"digest": to_hex(GONE), "other": to_hex(digest("x"))}).encode() + b"\0\xff\\"
    with store.write() as unit:
        sealed(unit, ["gone"], owner="a")
        unit.access.add_key(api_key("mine", owner="a"), b32("t1"))
        unit.access.add_key(api_key("theirs", owner="b"), b32("t2"))
        for owner in ("mine", "theirs", "admin"):
            unit.idempotency.begin(owner, "key", b32("body"), T0, ttl_seconds=60)
            unit.idempotency.finish(owner, "key", 202, {}, body)
        for name in ("a", "b"):
            unit.feed.append(T0, "credential.revoked", address(name), {"digests": [to_hex(GONE)]})
            skipped = [digest("x"), GONE]
            unit.outbox.add_request(
                name, RequestKind.REVOCATION, address(name), 0, None, "l", None, 2, skipped, T0
            )
        unit.entries.erase(address("a"), GONE)
    with store.write() as unit:
        bodies = {}
        for owner in ("mine", "theirs", "admin"):
            answer = unit.idempotency.begin(owner, "key", b32("body"), T0, ttl_seconds=60)
            assert answer is not None
            bodies[owner] = answer.body
        payloads = [item.payload for item in unit.feed.after(0, 10)]
        requests = {name: unit.outbox.request(name) for name in ("a", "b")}
    scrubbed = body.replace(GONE.hex().encode(), b"0" * 64)
    assert bodies == {"mine": scrubbed, "theirs": body, "admin": scrubbed}
    assert payloads == [{"digests": ["0x" + "0" * 64]}, {"digests": [to_hex(GONE)]}]
    assert requests["a"] is not None
    assert requests["b"] is not None
    assert requests["a"].skipped == (digest("x"),)
    assert requests["b"].skipped == (digest("x"), GONE)


def test_erased_bytes_are_in_no_page_of_the_file(sqlite_url: str) -> None:
    store = open_store(sqlite_url, migrate=True)
    with store.write() as unit:
        batch = unit.batches.create(address("a"), BatchState.RECEIVING, T0, allow_duplicate=False)
        unit.entries.add(batch, 0, [entry("gone", document=b"a document of the holder"), entry("x")])
        unit.batches.seal(batch.seq, root("r"), [], T0)
        unit.feed.append(T0, "kind", address("a"), {"digest": to_hex(GONE)})
    with store.write() as unit:
        unit.entries.erase(address("a"), GONE)
    store.close()
    path = Path(str(make_url(sqlite_url).database))
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    content = path.read_bytes()
    for secret in (GONE, salt("gone"), GONE.hex().encode(), b"a document of the holder"):
        assert secret not in content
    assert digest("x") in content


def test_endorsements_are_found_newest_first_and_forgotten_when_erased(store: SqlStore) -> None:
    with store.write() as unit:
        first = sealed(unit, ["gone", "kept"], owner="a")
        second = sealed(unit, ["later"], owner="b")
        unit.endorsements.add(first, 0, "did:web:x")
        unit.endorsements.add(first, 1, "did:web:x")
        unit.endorsements.add(second, 0, "did:web:x")
        unit.endorsements.add(second, 1, "did:web:other")
    everyone = [address("a"), address("b")]
    with store.read() as unit:
        places = unit.endorsements.about(["did:web:x", "https://x.example"], everyone, 10)
        assert list(places) == [(second.seq, 0), (first.seq, 1), (first.seq, 0)]
        assert len(unit.endorsements.about(["did:web:x"], everyone, 2)) == 2
        assert list(unit.endorsements.about(["did:web:x"], [address("b")], 10)) == [(second.seq, 0)]
        assert list(unit.endorsements.about(["did:web:none"], everyone, 10)) == []
        documents = unit.entries.documents([(first.seq, 0), (second.seq, 0), (99, 9)])
        assert set(documents) <= {(first.seq, 0), (second.seq, 0)}
    with store.write() as unit:
        unit.entries.erase(address("a"), GONE)
        assert list(unit.endorsements.about(["did:web:x"], [address("a")], 10)) == [(first.seq, 1)]


def test_endorsement_of_the_longest_id_is_kept(store: SqlStore) -> None:
    longest = "urn:" + "".join(chr(0x10000 + number * 7) for number in range(1_996))
    with store.write() as unit:
        batch = sealed(unit, ["one"], owner="a")
        unit.endorsements.add(batch, 0, longest)
        assert list(unit.endorsements.about([longest], [address("a")], 1)) == [(batch.seq, 0)]
        assert list(unit.endorsements.about([longest[:-1]], [address("a")], 1)) == []


def test_documents_are_read_together(store: SqlStore) -> None:
    with store.write() as unit:
        batch = unit.batches.create(address("a"), BatchState.RECEIVING, T0, allow_duplicate=False)
        unit.entries.add(batch, 0, [entry("one", document=b"1"), entry("none"), entry("two", document=b"2")])
        unit.batches.seal(batch.seq, root("r"), [(0, 0, b"\1" * 96)], T0)
    with store.read() as unit:
        wanted = [(batch.seq, index) for index in range(4)]
        assert unit.entries.documents(wanted) == {(batch.seq, 0): b"1", (batch.seq, 2): b"2"}
        assert unit.entries.documents([]) == {}


def test_erasing_takes_a_credential_out_of_shares(store: SqlStore) -> None:
    with store.write() as unit:
        batch = sealed(unit, ["gone", "kept"], owner="a")
        for index in (0, 1):
            unit.awards.add(batch, index, [award(f"award-{index}")])
            page = CredentialPage(f"page-{index}", f"award-{index}", Visibility.UNLISTED, False, "holder", T0)
            unit.pages.add(page)
        unit.shares.add(
            Share("s", "holder", "", False, T0, T0 + timedelta(days=1), {1: "page-0", 2: "page-1"})
        )
        unit.entries.erase(address("a"), GONE)
        share = unit.shares.get("s", T0)
        assert share is not None
        assert share.pages == {2: "page-1"}
