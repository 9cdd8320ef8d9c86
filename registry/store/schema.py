"""Which version of the schema a database has, and how to bring it to this program's.

Migrations run in one transaction, whole or not at all, and one process at a time: SQLite by BEGIN IMMEDIATE,
PostgreSQL by an advisory lock. Whoever comes second finds nothing left to do.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, text

from registry.errors import ConfigurationError, StoreUnavailableError
from registry.store.engines import ensure_wal, parse_url, single_connection_engine, sqlite_path
from registry.store.errors import FOREIGN, translate

VERSION_TABLE = "registry_schema"
"""Where alembic notes the version; other packages in the same database use another."""

_ADVISORY_LOCK = 0x526F6F746D61726B  # "Rootmark"
_MIGRATION_WAIT_SECONDS = 60


def migrate(url: str) -> str:
    """Bring the database to the newest version, creating a SQLite file that is not there. Returns the
    version.

    Raises:
        ConfigurationError: the database was made by a newer program, or the URL is not one.
        StoreUnavailableError: it cannot be reached or written.
    """
    parsed = parse_url(url)
    path = sqlite_path(parsed)
    if path is not None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailableError("the directory of the database cannot be made") from error
        ensure_wal(path)
    head = newest_version()
    with _connection(parsed, writer=True) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL lock_timeout = '{_MIGRATION_WAIT_SECONDS}s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        if _pending(connection) == 0:
            return head
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
    return head


def schema_version(url: str) -> str | None:
    """The database's version; None for a database without any. Raises as `migrations_behind`."""
    with _reading(url) as connection:
        return None if connection is None else _version(connection)


def migrations_behind(url: str) -> int:
    """How many migrations the database lacks.

    Raises:
        ConfigurationError: the database was made by a newer program, or the URL is not one.
        StoreUnavailableError: it cannot be reached.
    """
    with _reading(url) as connection:
        return _count_from(None) if connection is None else _pending(connection)


def newest_version() -> str:
    """The version that this program works with."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None, "the package contains migrations"
    return head


def _config() -> Config:
    config = Config(stdout=StringIO() if sys.stdout is None else sys.stdout)
    config.set_main_option("script_location", "registry.store:migrations")
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def _connection(url: URL, *, writer: bool) -> Iterator[Connection]:
    engine = single_connection_engine(url, writer=writer)
    try:
        with engine.connect() as connection:
            yield connection
    except FOREIGN as error:
        raise translate(error) from error
    finally:
        engine.dispose()


@contextmanager
def _reading(url: str) -> Iterator[Connection | None]:
    """A connection, or None where there is no SQLite file: asking must not create one."""
    parsed = parse_url(url)
    path = sqlite_path(parsed)
    if path is not None and not path.exists():
        yield None
        return
    with _connection(parsed, writer=False) as connection:
        yield connection


def _version(connection: Connection) -> str | None:
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return context.get_current_revision()


def _pending(connection: Connection) -> int:
    return _count_from(_version(connection))


def _count_from(version: str | None) -> int:
    script = ScriptDirectory.from_config(_config())
    known = [revision.revision for revision in script.walk_revisions()]  # newest first
    if version is None:
        return len(known)
    if version not in known:
        raise ConfigurationError("the database was made by a newer version of this program")
    return known.index(version)
