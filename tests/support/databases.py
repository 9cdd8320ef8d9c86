"""Databases for tests: SQLite files, and one PostgreSQL server for the whole run with a database for each
test.

PostgreSQL is the one at ROOTMARK_TEST_POSTGRES_URL (a user who may create databases), or pgserver's, which
starts as any user. A `conftest.py` that wants the fixtures imports them from here: `from
tests.support.databases import database_url, postgres_server, postgres_url, sqlite_url, store`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from registry.store import SqlStore, migrate, newest_version, open_store, schema_version
from registry.store.rows import METADATA

URL_VARIABLE = "ROOTMARK_TEST_POSTGRES_URL"
BOTH = ("sqlite", pytest.param("postgres", marks=pytest.mark.postgres))
"""What a fixture is parametrised with that gives each database in turn."""


class PostgresServer:
    """Makes, lends and drops databases. A migrated one that comes back is emptied and lent again."""

    def __init__(self, admin_url: str) -> None:
        self._admin_url = admin_url
        self._made: set[str] = set()
        self._free: list[str] = []

    def execute(self, statement: sql.Composable) -> None:
        """Run a statement outside a transaction, in the administrative database."""
        with psycopg.connect(self._admin_url, autocommit=True) as connection:
            connection.execute(statement)

    def create_empty(self) -> str:
        """A database without any table; returns its URL."""
        name = f"rootmark_test_{uuid4().hex}"
        self.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        url = make_url(self._admin_url).set(database=name).render_as_string(hide_password=False)
        self._made.add(url)
        return url

    def drop(self, url: str) -> None:
        """Drop a database, whoever is still connected."""
        name = str(make_url(url).database)
        self.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        self._made.discard(url)

    def lend(self) -> str:
        """A migrated database with empty tables; returns its URL."""
        if self._free:
            return self._free.pop()
        url = self.create_empty()
        migrate(url)
        return url

    def take_back(self, url: str) -> None:
        """Empty a database that `lend` gave, or drop it when its schema was changed."""
        if schema_version(url) != newest_version():
            self.drop(url)
            return
        names = sql.SQL(", ").join(sql.Identifier(name) for name in METADATA.tables)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(names))
        self._free.append(url)

    def close(self) -> None:
        """Drop all that is left."""
        for url in sorted(self._made):
            self.drop(url)


def _missing(reason: str) -> None:
    if os.environ.get("ROOTMARK_CI") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)  # outside CI only: later Pythons have no pgserver and need a PostgreSQL by URL


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """One server for the run. Without any: a skip, and under ROOTMARK_CI=1 a failure."""
    given = os.environ.get(URL_VARIABLE)
    if given:
        server = PostgresServer(given)
        yield server
        server.close()
        return
    # Not below pytest's: the path has to be short enough for a socket, and no other run may tidy it away.
    with TemporaryDirectory(prefix="rootmark-postgres-", ignore_cleanup_errors=True) as directory:
        # pgserver asks for this one while it is imported, is warned where it is missing, and keeps using it.
        os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
        try:
            import pgserver
        except ImportError:
            _missing(f"PostgreSQL tests need the package pgserver, or a server at {URL_VARIABLE}")
            raise
        own = pgserver.get_server(Path(directory) / "data", cleanup_mode="stop")
        try:
            server = PostgresServer(own.get_uri())
            server.execute(sql.SQL("ALTER SYSTEM SET fsync = off"))
            server.execute(sql.SQL("SELECT pg_reload_conf()"))
            yield server
        finally:
            own.cleanup()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'rootmark.db'}"


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A migrated PostgreSQL database."""
    url = postgres_server.lend()
    yield url
    postgres_server.take_back(url)


@contextmanager
def lent_url(request: pytest.FixtureRequest, directory: Path) -> Iterator[str]:
    """A migrated database of the kind that ``request.param`` names (SQLite unless it has one), for a fixture
    that outlives a test."""
    if getattr(request, "param", "sqlite") == "sqlite":
        url = f"sqlite:///{directory / 'rootmark.db'}"
        migrate(url)
        yield url
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = server.lend()
    yield url
    server.take_back(url)


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest) -> str:
    """Each database in turn."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def store(database_url: str) -> Iterator[SqlStore]:
    """A store on each database in turn."""
    opened = open_store(database_url, migrate=True)
    yield opened
    opened.close()
