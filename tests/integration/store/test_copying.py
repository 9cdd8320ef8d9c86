"""Moving a database: nothing lost, numbers go on, and never into one that has rows."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from secrets import token_bytes

import pytest

from registry.encoding import Address, Digest, DigestMethod, Root, Salt
from registry.errors import ConfigurationError
from registry.model.awards import Achievement, AchievementImage, NewAward
from registry.model.batches import BatchState, NewEntry
from registry.model.issuers import Issuer, IssuerState
from registry.model.signing_keys import SigningKey, SigningKeyKind
from registry.model.status_lists import StatusList
from registry.store import copy_database, open_store
from tests.support.databases import database_url, postgres_server, postgres_url, sqlite_url

__all__ = ["database_url", "postgres_server", "postgres_url", "sqlite_url"]

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
ISSUER = Address(b"\x11" * 20)


def _fill(url: str) -> list[Digest]:
    digests = [Digest(token_bytes(32)) for _ in range(20)]
    store = open_store(url, migrate=True)
    try:
        with store.write() as unit:
            unit.issuers.add(Issuer(ISSUER, "A", "https://a.example", IssuerState.ACTIVE, ISSUER, True, NOW))
            unit.signing_keys.add(SigningKey(ISSUER, b"\x44" * 32, SigningKeyKind.ED25519, NOW, None))
            unit.status_lists.add(StatusList("list", ISSUER, 64, 0, NOW))
            unit.status_lists.take("list", b"\x80" * 8, 8)
            batch = unit.batches.create(ISSUER, BatchState.RECEIVING, NOW, allow_duplicate=False)
            entries = [
                NewEntry(digest, DigestMethod.OPAQUE, Salt(token_bytes(32)), external_id=digest.hex())
                for digest in digests
            ]
            unit.entries.add(batch, 0, entries)
            unit.achievements.add(Achievement(ISSUER, "urn:a", 1, {"name": "é"}, NOW))
            for number in range(25):
                unit.achievement_images.put(
                    AchievementImage(
                        f"urn:{number}", "image/svg+xml", b"\x55" * 32, NOW, bytes([0, number]), b"\x01"
                    )
                )
            award = NewAward("w", "urn:a", 1, {"email": "é@a.example"}, b"f", NOW, status_index=2**40)
            unit.awards.add(batch, 7, [award])
            unit.batches.seal(batch.seq, Root(b"\x22" * 32), [(0, 0, b"\x33" * 640)], NOW)
            unit.feed.append(NOW, "batch.sealed", ISSUER, {"batch": batch.id})
    finally:
        store.close()
    return digests


@pytest.mark.parametrize("direction", ["to postgres", "to sqlite"])
def test_copy_has_every_row_and_goes_on_counting(direction: str, sqlite_url: str, postgres_url: str) -> None:
    source, target = (sqlite_url, postgres_url) if direction == "to postgres" else (postgres_url, sqlite_url)
    digests = _fill(source)
    counts = copy_database(source, target, lambda _table, _rows: None)
    assert counts["entries"] == 20
    store = open_store(target, migrate=False)
    try:
        with store.read() as unit:
            assert [entry.digest for entry in unit.entries.of_batch(1, 0, 100)] == digests
            (signing_key,) = unit.signing_keys.of_issuer(ISSUER)
            assert signing_key.public_key == b"\x44" * 32
            assert unit.status_lists.of_issuer(ISSUER) == [StatusList("list", ISSUER, 64, 8, NOW)]
            assert unit.status_lists.taken("list") == b"\x80" * 8
            assert unit.entries.by_external_ids(ISSUER, [digests[3].hex()])[0].index == 3
            picture = unit.achievement_images.get("urn:24")
            assert picture == AchievementImage(
                "urn:24", "image/svg+xml", b"\x55" * 32, NOW, b"\x00\x18", b"\x01"
            )
            award = unit.awards.get("w")
            assert unit.achievements.get("urn:a") == Achievement(ISSUER, "urn:a", 1, {"name": "é"}, NOW)
        assert award is not None
        assert (award.index, award.recipient, award.status_index) == (7, {"email": "é@a.example"}, 2**40)
        with store.write() as unit:
            batch = unit.batches.create(ISSUER, BatchState.OPEN, NOW, allow_duplicate=False)
            assert batch.seq == 2
            unit.feed.append(NOW, "batch.sealed", ISSUER, {})
        with store.read() as unit:
            assert [item.id for item in unit.feed.after(0, 10)] == [1, 2]
    finally:
        store.close()


def test_database_with_rows_is_not_copied_into(sqlite_url: str, postgres_url: str) -> None:
    _fill(sqlite_url)
    copy_database(sqlite_url, postgres_url, lambda _table, _rows: None)
    with pytest.raises(ConfigurationError, match="not empty"):
        copy_database(sqlite_url, postgres_url, lambda _table, _rows: None)


def test_source_without_schema_is_refused(tmp_path: object, postgres_url: str) -> None:
    path = f"{tmp_path}/old.db"
    sqlite3.connect(path).close()
    with pytest.raises(ConfigurationError, match="behind"):
        copy_database(f"sqlite:///{path}", postgres_url, lambda _table, _rows: None)
