"""Engines: how connections to the two databases are set up.

SQLite: WAL, so that readers and the one writer go at the same time; synchronous FULL, so that a commit
survives power loss; BEGIN IMMEDIATE for writers, so that a lock is waited for at the start and never in the
middle; readers' connections cannot write. The process has one connection for writing: its threads queue for
it instead of polling the file's lock. PostgreSQL: writers at READ COMMITTED with row locks, readers at
REPEATABLE READ, READ ONLY; every wait has an end.
"""

from __future__ import annotations

import os
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from registry.errors import ConfigurationError, StoreUnavailableError
from registry.store.errors import FOREIGN, translate

BUSY_TIMEOUT_SECONDS = 5.0
"""How long a statement waits for a lock before the caller is told that the database is locked."""

_STATEMENT_TIMEOUT_SECONDS = 300
_IDLE_TIMEOUT_SECONDS = 300
_CONNECT_TIMEOUT_SECONDS = 5
_SQLITE_READERS = 32
_SQLITE_WRITER_CACHE_KIB = 65_536
_SQLITE_READER_CACHE_KIB = 8_192
_WAL_LIMIT_BYTES = 64 * 1024 * 1024
_WAL_PAGES = 16_384
"""Pages of 4 KiB in the WAL before they are copied into the file. A large batch touches the same pages of the
digest index with each chunk; the longer they gather, the fewer times they are copied."""
_POSTGRES_POOL = 10
_POSTGRES_OVERFLOW = 20


@dataclass(frozen=True, slots=True)
class Engines:
    """One engine for units that write, one for units that read."""

    write: Engine
    read: Engine

    def dispose(self) -> None:
        """Close all connections."""
        self.write.dispose()
        self.read.dispose()


def parse_url(url: str) -> URL:
    """Read `sqlite:////path` or `postgresql://…`.

    Raises:
        ConfigurationError: anything else. The message does not contain the URL, which may have a password in
        it.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigurationError("the database URL cannot be read") from error
    name = parsed.get_backend_name()
    if name == "sqlite":
        if not parsed.database or parsed.database == ":memory:" or "mode=memory" in parsed.database:
            raise ConfigurationError("the SQLite database has to be a file")
        return parsed.set(drivername="sqlite+pysqlite")
    if name in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    raise ConfigurationError("the database URL has to start with sqlite:// or postgresql://")


def sqlite_path(url: URL) -> Path | None:
    """The file of a SQLite URL; None for PostgreSQL."""
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def open_engines(url: URL) -> Engines:
    """Engines with pools. Connects to nothing yet."""
    if sqlite_path(url) is not None:
        return Engines(
            write=_sqlite_engine(url, writer=True, pool_size=1, max_overflow=0),
            read=_sqlite_engine(url, writer=False, pool_size=_SQLITE_READERS, max_overflow=0),
        )
    engine = create_engine(
        url,
        pool_size=_POSTGRES_POOL,
        max_overflow=_POSTGRES_OVERFLOW,
        pool_timeout=BUSY_TIMEOUT_SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        connect_args=_postgres_arguments(),
    )
    read = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Engines(write=engine, read=read)


def single_connection_engine(url: URL, *, writer: bool = True) -> Engine:
    """For looking at the schema and changing it: no pool."""
    if sqlite_path(url) is not None:
        return _sqlite_engine(url, writer=writer, poolclass=NullPool)
    return create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=_postgres_arguments())


def _postgres_arguments() -> dict[str, Any]:
    options = {
        "lock_timeout": f"{int(BUSY_TIMEOUT_SECONDS * 1000)}",
        "statement_timeout": f"{_STATEMENT_TIMEOUT_SECONDS * 1000}",
        "idle_in_transaction_session_timeout": f"{_IDLE_TIMEOUT_SECONDS * 1000}",
        "synchronous_commit": "on",
        # Every question has its index. Just after a large batch, without statistics, it would be scanned for.
        "enable_seqscan": "off",
        "client_encoding": "UTF8",
    }
    return {
        "connect_timeout": _CONNECT_TIMEOUT_SECONDS,
        "application_name": "rootmark",
        "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
    }


def _sqlite_engine(url: URL, *, writer: bool, **pool: Any) -> Engine:
    if "poolclass" not in pool:
        pool["pool_timeout"] = BUSY_TIMEOUT_SECONDS
    engine = create_engine(
        url,
        hide_parameters=True,
        connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
        **pool,
    )
    cache_kib = _SQLITE_WRITER_CACHE_KIB if writer else _SQLITE_READER_CACHE_KIB

    def set_up(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # BEGIN is ours
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute(f"PRAGMA cache_size = -{cache_kib}")
        cursor.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
        cursor.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES}")
        cursor.execute("PRAGMA mmap_size = 0")  # a failing disk is then an error, not a signal
        cursor.execute("PRAGMA secure_delete = ON")  # erased means overwritten
        if not writer:
            cursor.execute("PRAGMA query_only = ON")
        cursor.close()

    statement = "BEGIN IMMEDIATE" if writer else "BEGIN"

    def begin(connection: Connection) -> None:
        # On the driver's connection: each of SQLAlchemy's executions costs as much as a whole look-up.
        driver: Any = connection.connection.driver_connection
        if not driver.in_transaction:  # one that was begun there, see registry.store.looking
            driver.execute(statement)

    event.listen(engine, "connect", set_up)
    event.listen(engine, "begin", begin)
    return engine


def ensure_wal(path: Path) -> None:
    """Make a SQLite file, if there is none, that its owner alone can read, and put it into WAL mode, which it
    then keeps.

    The switch needs the file for itself for a moment and does not wait for it on its own.

    Raises:
        StoreUnavailableError: the file cannot be opened, or stayed locked.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_SECONDS
    _create_private(path)
    try:
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_SECONDS)
        try:
            while not _switched_to_wal(connection):
                if time.monotonic() > deadline:
                    raise StoreUnavailableError("the database is locked by another process")
                time.sleep(0.02)
        finally:
            connection.close()
    except FOREIGN as error:
        raise translate(error) from error


def _create_private(path: Path) -> None:
    """SQLite gives the files beside it the database's mode. A file that is there is not opened: closing it
    would let go of the process's locks on it (fcntl, POSIX)."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise StoreUnavailableError("the database file cannot be made") from error


def _switched_to_wal(connection: sqlite3.Connection) -> bool:
    try:
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            return False
        raise
    return bool(mode == "wal")
