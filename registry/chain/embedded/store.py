"""The embedded chain's database: SQLite beneath py-evm, and beside it waiting transactions and an index of
logs.

py-evm reads and writes bytes by key. Writes gather in memory until `commit` puts all of them, with the rows
of the other tables, into one SQLite transaction; `discard` forgets them. So a block is on disk as a whole or
not at all.

Invariants:
    - what `commit` returned from survives SIGKILL and power loss (WAL, synchronous FULL);
    - after any error the buffer is empty and the database is as after the last commit;
    - not thread-safe: the chain's lock is around every call.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from eth.db.backends.base import BaseDB

from registry.chain.embedded.errors import EmbeddedStorageError

_CACHE_ENTRIES: Final = 50_000
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS kv (k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pool (
    arrival INTEGER PRIMARY KEY AUTOINCREMENT, hash BLOB NOT NULL UNIQUE, raw BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS logs (
    block_number INTEGER NOT NULL, log_index INTEGER NOT NULL, transaction_index INTEGER NOT NULL,
    block_hash BLOB NOT NULL, transaction_hash BLOB NOT NULL, address BLOB NOT NULL,
    topic0 BLOB, topic1 BLOB, topic2 BLOB, topic3 BLOB, data BLOB NOT NULL,
    PRIMARY KEY (block_number, log_index)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS logs_address ON logs (address, block_number);
"""

Statement = tuple[str, tuple[Any, ...]]


@contextmanager
def _typed_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise EmbeddedStorageError(f"the embedded chain's database failed: {error}") from error


class ChainStore(BaseDB):  # type: ignore[no-untyped-call, misc, unused-ignore]
    """A py-evm key-value database over one SQLite file."""

    def __init__(self, path: Path, *, busy_timeout_seconds: float = 5.0) -> None:
        """Open or create the file.

        Raises:
            EmbeddedStorageError: the file cannot be opened or is no database.
        """
        self._dirty: dict[bytes, bytes | None] = {}
        self._rows: list[Statement] = []
        self._cache: dict[bytes, bytes] = {}
        with _typed_errors():
            self._sql = sqlite3.connect(
                path, timeout=busy_timeout_seconds, isolation_level=None, check_same_thread=False
            )
            try:
                self._sql.execute("PRAGMA journal_mode = WAL")
                self._sql.execute("PRAGMA synchronous = FULL")
                self._sql.executescript(_SCHEMA)
            except sqlite3.Error:
                self._sql.close()
                raise

    # --- py-evm's interface ---

    def __getitem__(self, key: bytes) -> bytes:
        if key in self._dirty:
            value = self._dirty[key]
            if value is None:
                raise KeyError(key)
            return value
        cached = self._cache.get(key)
        if cached is not None:
            return cached
        row = self._one("SELECT v FROM kv WHERE k = ?", (key,))
        if row is None:
            raise KeyError(key)
        return self._remember(key, bytes(row[0]))

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._dirty[bytes(key)] = bytes(value)

    def __delitem__(self, key: bytes) -> None:
        if key not in self:
            raise KeyError(key)
        self._dirty[bytes(key)] = None

    def _exists(self, key: bytes) -> bool:
        try:
            self[key]
        except KeyError:
            return False
        return True

    # --- transactions ---

    def execute(self, sql: str, values: tuple[Any, ...] = ()) -> None:
        """Add one row change to what the next `commit` writes."""
        self._rows.append((sql, values))

    def commit(self) -> None:
        """Write everything gathered, durably, in one SQLite transaction.

        Raises:
            EmbeddedStorageError: nothing of it was written, and the buffer is empty.
        """
        dirty, rows = self._dirty, self._rows
        self._dirty, self._rows = {}, []
        if not dirty and not rows:
            return
        with _typed_errors():
            try:
                self._sql.execute("BEGIN IMMEDIATE")
                puts = [(key, value) for key, value in dirty.items() if value is not None]
                self._sql.executemany("INSERT OR REPLACE INTO kv (k, v) VALUES (?, ?)", puts)
                drops = [(key,) for key, value in dirty.items() if value is None]
                self._sql.executemany("DELETE FROM kv WHERE k = ?", drops)
                for sql, values in rows:
                    self._sql.execute(sql, values)
                self._sql.execute("COMMIT")
            except BaseException:
                self._cache.clear()
                if self._sql.in_transaction:
                    self._sql.execute("ROLLBACK")
                raise
        for key, value in dirty.items():
            if value is None:
                self._cache.pop(key, None)
            else:
                self._remember(key, value)

    def discard(self) -> None:
        """Forget everything gathered since the last commit."""
        self._dirty, self._rows = {}, []

    # --- other tables; these read what is committed ---

    def rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with _typed_errors():
            return self._sql.execute(sql, values).fetchall()

    def meta(self, name: str) -> bytes | None:
        """A fact about the chain as a whole, or None."""
        row = self._one("SELECT value FROM meta WHERE name = ?", (name,))
        return None if row is None else bytes(row[0])

    def set_meta(self, name: str, value: bytes) -> None:
        """Record a fact with the next commit."""
        self.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (name, value))

    def close(self) -> None:
        """Close the file; what was not committed is lost. A second call does nothing."""
        self.discard()
        with _typed_errors():
            self._sql.close()

    def _one(self, sql: str, values: tuple[Any, ...]) -> tuple[Any, ...] | None:
        with _typed_errors():
            row: tuple[Any, ...] | None = self._sql.execute(sql, values).fetchone()
            return row

    def _remember(self, key: bytes, value: bytes) -> bytes:
        if len(self._cache) >= _CACHE_ENTRIES:
            self._cache.clear()
        self._cache[key] = value
        return value
