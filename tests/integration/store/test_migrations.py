"""Migrations: the same for both databases, whole or not at all, one process at a time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, make_url, text

from registry.errors import ConfigurationError, RootmarkError
from registry.store import migrate, migrations_behind, newest_version, open_store, schema_version
from registry.store.engines import parse_url, single_connection_engine
from registry.store.rows import METADATA
from registry.store.schema import VERSION_TABLE
from tests.support.databases import PostgresServer


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'below' / 'rootmark.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = server.create_empty()
    yield url
    server.drop(url)


def tables(url: str) -> set[str]:
    engine = single_connection_engine(parse_url(url))
    with engine.connect() as connection:
        return set(inspect(connection).get_table_names())


def test_unmigrated_database_is_refused_with_the_command_and_not_created(empty_url: str) -> None:
    with pytest.raises(ConfigurationError, match="rootmark db migrate"):
        open_store(empty_url, migrate=False)
    assert schema_version(empty_url) is None
    assert migrations_behind(empty_url) > 0
    if empty_url.startswith("sqlite"):
        assert not Path(str(make_url(empty_url).database)).parent.exists()


def test_migrating_twice_changes_nothing(empty_url: str) -> None:
    assert migrate(empty_url) == newest_version()
    store = open_store(empty_url, migrate=False)
    with store.write() as unit:
        unit.meta.set("kept", "x")
    store.close()
    before = tables(empty_url)
    assert migrate(empty_url) == newest_version()
    assert tables(empty_url) == before
    assert schema_version(empty_url) == newest_version()
    assert migrations_behind(empty_url) == 0
    store = open_store(empty_url, migrate=True)
    with store.read() as unit:
        assert unit.meta.get("kept") == "x"
    store.close()


def test_migrated_schema_and_row_classes_agree(empty_url: str) -> None:
    migrate(empty_url)
    engine = single_connection_engine(parse_url(empty_url))
    options = {"compare_type": True, "compare_server_default": True, "version_table": VERSION_TABLE}
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, METADATA) == []
    assert tables(empty_url) == {*METADATA.tables, VERSION_TABLE}


def test_sqlite_tables_are_laid_out_as_declared(sqlite_url: str) -> None:
    """What a comparison of metadata does not see: the layout of the large tables, and counters that never go
    back."""
    migrate(sqlite_url)
    engine = single_connection_engine(parse_url(sqlite_url))
    with engine.connect() as connection:
        made = statements(connection)
        METADATA.drop_all(connection)
        METADATA.create_all(connection)
        declared = statements(connection)
    assert {name: words(sql) for name, sql in made.items()} == {
        name: words(sql) for name, sql in declared.items()
    }
    assert "WITHOUT ROWID" in made["entries"]


def statements(connection: Connection) -> dict[str, str]:
    query = text("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
    return {name: sql for name, sql in connection.execute(query) if name in METADATA.tables}


def words(sql: str) -> list[str]:
    return sorted(sql.replace(",", " ").replace("(", " ( ").replace(")", " ) ").split())


def test_failed_migration_leaves_nothing_behind(empty_url: str) -> None:
    if empty_url.startswith("sqlite"):
        Path(str(make_url(empty_url).database)).parent.mkdir()
    engine = single_connection_engine(parse_url(empty_url))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE tiles (x INTEGER)"))
    with pytest.raises(RootmarkError):
        migrate(empty_url)
    assert tables(empty_url) == {"tiles"}
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE tiles"))
    assert migrate(empty_url) == newest_version()


def test_several_processes_may_migrate_at_once(empty_url: str) -> None:
    program = "import sys; from registry.store import migrate; print(migrate(sys.argv[1]))"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, empty_url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    outputs = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0] * 3, outputs
    assert {output.strip() for output, _ in outputs} == {newest_version()}
    assert migrations_behind(empty_url) == 0
