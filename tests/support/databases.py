"""Databases for tests: SQLite files, and one PostgreSQL server for the whole run with a database for each
test.

PostgreSQL is the one at ROOTMARK_TEST_POSTGRES_URL (a user who may create databases), or pgserver's, which
starts as any user. A `conftest.py` that wants the fixtures imports them from here: `from
tests.support.databases import database_url, postgres_server, postgres_url, sqlite_url, store`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from registry.store import SqlStore, migrate, open_store

URL_VARIABLE = "ROOTMARK_TEST_POSTGRES_URL"


class PostgresServer:
    """Makes and drops databases. New ones are copies of a template that is migrated once."""

    def __init__(self, admin_url: str) -> None:
        self._admin_url = admin_url
        self._template: str | None = None

    def url_of(self, name: str) -> str:
        """The URL of a database of this server."""
        return make_url(self._admin_url).set(database=name).render_as_string(hide_password=False)

    def execute(self, statement: sql.Composable) -> None:
        """Run a statement outside a transaction, in the administrative database."""
        with psycopg.connect(self._admin_url, autocommit=True) as connection:
            connection.execute(statement)

    def create_empty(self) -> str:
        """A database without any table; returns its URL."""
        name = f"rootmark_test_{uuid4().hex}"
        self.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url_of(name)

    def create(self) -> str:
        """A migrated database; returns its URL."""
        if self._template is None:
            url = self.create_empty()
            migrate(url)
            self._template = make_url(url).database
        name = f"rootmark_test_{uuid4().hex}"
        self.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(str(self._template))
            )
        )
        return self.url_of(name)

    def drop(self, url: str) -> None:
        """Drop a database, whoever is still connected."""
        name = str(make_url(url).database)
        self.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def close(self) -> None:
        """Drop the template."""
        if self._template is not None:
            self.drop(self.url_of(self._template))


def _missing(reason: str) -> None:
    if os.environ.get("ROOTMARK_CI") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """One server for the run. Without any: a skip, and under ROOTMARK_CI=1 a failure."""
    given = os.environ.get(URL_VARIABLE)
    if given:
        server = PostgresServer(given)
        yield server
        server.close()
        return
    # pgserver asks for it while it is imported, and is warned where it is missing.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    try:
        import pgserver
    except ImportError:
        _missing(f"PostgreSQL tests need the package pgserver, or a server at {URL_VARIABLE}")
        raise
    own = pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="stop")
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
    url = postgres_server.create()
    yield url
    postgres_server.drop(url)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
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
