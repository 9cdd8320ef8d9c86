"""The key-value store beneath the chain: what is gathered, written, forgotten and remembered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.chain.embedded import EmbeddedStorageError, store
from registry.chain.embedded.store import ChainStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chain.sqlite3"


@pytest.fixture
def opened(path: Path) -> Iterator[ChainStore]:
    one = ChainStore(path, busy_timeout_seconds=0.05)
    yield one
    one.close()


def stored(path: Path, key: bytes) -> bytes | None:
    """What another opener reads."""
    other = ChainStore(path)
    try:
        return other.get(key)
    finally:
        other.close()


def test_written_value_is_read_back_before_and_after_commit_and_elsewhere_only_after(
    opened: ChainStore, path: Path
) -> None:
    opened[b"k"] = b"v"
    assert opened[b"k"] == b"v"
    assert stored(path, b"k") is None
    opened.commit()
    assert opened[b"k"] == b"v"
    assert stored(path, b"k") == b"v"


def test_deleted_key_is_gone_before_and_after_commit(opened: ChainStore, path: Path) -> None:
    opened[b"k"] = b"v"
    opened.commit()
    del opened[b"k"]
    assert b"k" not in opened
    assert stored(path, b"k") == b"v"
    opened.commit()
    assert b"k" not in opened
    assert stored(path, b"k") is None


def test_deleting_an_unknown_key_is_a_key_error(opened: ChainStore) -> None:
    with pytest.raises(KeyError):
        del opened[b"k"]
    opened.delete(b"k")


def test_discard_forgets_writes_deletes_and_rows(opened: ChainStore, path: Path) -> None:
    opened[b"old"] = b"v"
    opened.commit()
    opened[b"new"] = b"v"
    del opened[b"old"]
    opened.set_meta("name", b"value")
    opened.discard()
    opened.commit()
    assert opened[b"old"] == b"v"
    assert b"new" not in opened
    assert opened.meta("name") is None


def test_commit_is_all_or_nothing(opened: ChainStore, path: Path) -> None:
    opened[b"k"] = b"v"
    opened.set_meta("name", b"value")
    opened.execute("INSERT INTO no_such_table VALUES (1)")
    with pytest.raises(EmbeddedStorageError, match="no such table"):
        opened.commit()
    assert b"k" not in opened
    assert opened.meta("name") is None
    assert stored(path, b"k") is None
    opened[b"k"] = b"w"
    opened.commit()
    assert stored(path, b"k") == b"w"


def test_values_survive_a_cache_that_is_full(opened: ChainStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_CACHE_ENTRIES", 3)
    for number in range(10):
        opened[bytes([number])] = bytes([number]) * 2
    opened.commit()
    assert [opened[bytes([number])] for number in range(10)] == [bytes([number]) * 2 for number in range(10)]


def test_durability_settings_are_wal_and_full(opened: ChainStore) -> None:
    assert opened.rows("PRAGMA journal_mode") == [("wal",)]
    assert opened.rows("PRAGMA synchronous") == [(2,)]


def test_closed_store_is_a_storage_error_and_closing_twice_is_not(opened: ChainStore) -> None:
    opened.close()
    opened.close()
    with pytest.raises(EmbeddedStorageError):
        opened.rows("SELECT 1")
