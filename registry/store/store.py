"""The store: opens units of work over a database."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import Connection, Engine

from registry.errors import ConfigurationError, StoreUnavailableError
from registry.store.database import Database
from registry.store.engines import Engines, ensure_wal, open_engines, parse_url, sqlite_path
from registry.store.errors import FOREIGN, translate
from registry.store.looking import LookConnection
from registry.store.schema import migrate as migrate_database
from registry.store.schema import migrations_behind, newest_version
from registry.store.unit import SqlUnit

MIN_FREE_BYTES = 16 * 1024 * 1024
"""Less free space than this on SQLite's disk, and the store reports itself unavailable before it is full."""


def open_store(url: str, *, migrate: bool) -> SqlStore:
    """Open a database, bringing it to the newest version first if ``migrate``.

    Raises:
        ConfigurationError: it is behind on migrations (and ``migrate`` is false), was made by a newer
        version, or
            the URL is not one.
        StoreUnavailableError: it cannot be reached, or is locked.
    """
    if migrate:
        migrate_database(url)
    elif migrations_behind(url) > 0:
        raise ConfigurationError("the database is behind on migrations: run `rootmark db migrate`")
    path = sqlite_path(parse_url(url))
    if path is not None:
        ensure_wal(path)
    return SqlStore(url)


class SqlStore:
    """`registry.ports.store.Store` over SQLite or PostgreSQL. Threads may share it."""

    def __init__(self, url: str) -> None:
        """Use `open_store`, which checks the schema."""
        parsed = parse_url(url)
        self._version = newest_version()
        self._path = sqlite_path(parsed)
        self._engines: Engines = open_engines(parsed)
        self._here = threading.local()

    @contextmanager
    def write(self) -> Iterator[SqlUnit]:
        """A read-write transaction: committed and durable when the block ends, rolled back on any exception.

        Raises:
            StoreUnavailableError: nothing of the unit was stored. The one exception: a connection to
            PostgreSQL that
                breaks during the commit itself leaves open whether it happened.
            RuntimeError: the thread is inside another writing unit, which would wait for itself.
        """
        if getattr(self._here, "writing", False):
            raise RuntimeError("units that write cannot be nested")
        self._here.writing = True
        try:
            with _transaction(self._engines.write, read_only=False) as unit:
                yield unit
        finally:
            self._here.writing = False

    def read(self) -> AbstractContextManager[SqlUnit]:
        """A read-only snapshot. A method that writes raises RuntimeError."""
        opened = _transaction if self._path is None else _look
        return opened(self._engines.read, read_only=True)

    def ping(self) -> None:
        """Raises `StoreUnavailableError` unless a write would work now: it makes one, and looks at the free
        space."""
        if self._path is not None:
            try:
                free = shutil.disk_usage(self._path.parent).free
            except OSError as error:
                raise StoreUnavailableError("the database's disk cannot be read") from error
            if free < MIN_FREE_BYTES:
                raise StoreUnavailableError("the database's disk is almost full")
        with self.write() as unit:
            if unit.schema_version() != self._version:
                raise StoreUnavailableError("the database has another schema version than this program")
            unit.meta.set("ping", "pong")

    def close(self) -> None:
        """Close all connections."""
        self._engines.dispose()


@contextmanager
def _transaction(engine: Engine, *, read_only: bool) -> Iterator[SqlUnit]:
    connection = _begin(engine)
    try:
        try:
            unit = SqlUnit(Database(connection, read_only=read_only))
            yield unit
            unit.finish()
        except BaseException:
            _quietly_roll_back(connection)
            raise
        try:
            connection.commit()
        except FOREIGN as error:
            _quietly_roll_back(connection)
            raise translate(error) from error
    finally:
        connection.close()


@contextmanager
def _look(engine: Engine, *, read_only: bool) -> Iterator[SqlUnit]:
    try:
        connection = LookConnection(engine)
    except FOREIGN as error:
        raise translate(error) from error
    try:
        unit = SqlUnit(Database(connection, read_only=read_only))
        yield unit
        unit.finish()
    finally:
        connection.close()


def _begin(engine: Engine) -> Connection:
    try:
        connection = engine.connect()
    except FOREIGN as error:
        raise translate(error) from error
    try:
        connection.begin()
    except FOREIGN as error:
        connection.close()
        raise translate(error) from error
    return connection


def _quietly_roll_back(connection: Connection) -> None:
    """Roll back; where even that fails the connection is thrown away, and the first error is the one to
    see."""
    try:
        connection.rollback()
    except FOREIGN:
        connection.invalidate()
