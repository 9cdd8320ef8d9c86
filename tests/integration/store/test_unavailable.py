"""A database that cannot be used says so with one error, and nothing of the unit was stored."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, event, make_url, text

from registry.errors import ConfigurationError, RootmarkError, StoreUnavailableError
from registry.store import SqlStore, StoreDefectError, engines, migrate, open_store
from tests.integration.store.makers import T0, address, batch_with, entry, issuer


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch, database_url: str) -> Iterator[SqlStore]:
    """A store that waits for locks a fifth of a second only."""
    monkeypatch.setattr(engines, "BUSY_TIMEOUT_SECONDS", 0.2)
    opened = open_store(database_url, migrate=True)
    yield opened
    opened.close()


def file_of(url: str) -> Path:
    return Path(str(make_url(url).database))


def test_file_locked_by_another_connection_is_unavailable_and_readers_go_on(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "BUSY_TIMEOUT_SECONDS", 0.2)
    store = open_store(sqlite_url, migrate=True)
    other = sqlite3.connect(file_of(sqlite_url), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailableError, match="locked") as caught, store.write() as unit:
        unit.meta.set("a", "b")
    assert caught.value.part == "database"
    with pytest.raises(StoreUnavailableError):
        store.ping()
    with store.read() as unit:
        assert unit.meta.get("a") is None
    other.execute("ROLLBACK")
    other.close()
    with store.write() as unit:
        unit.meta.set("a", "b")
    store.close()


def test_file_locked_while_opening_is_unavailable(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "BUSY_TIMEOUT_SECONDS", 0.2)
    other = sqlite3.connect(file_of(sqlite_url), isolation_level=None)
    other.execute("CREATE TABLE theirs (x)")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailableError):
        open_store(sqlite_url, migrate=True)
    other.close()


def test_thread_that_waits_too_long_for_another_one_is_told_so(impatient: SqlStore) -> None:
    caught: list[BaseException] = []

    def second() -> None:
        try:
            with impatient.write() as unit:
                unit.issuers.lock(address("issuer"))
        except RootmarkError as error:
            caught.append(error)

    with impatient.write() as unit:
        unit.issuers.add(issuer())
    with impatient.write() as unit:
        unit.issuers.lock(address("issuer"))
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert [type(error) for error in caught] == [StoreUnavailableError]


def test_full_disk_is_unavailable_and_nothing_was_stored(sqlite_url: str) -> None:
    store = open_store(sqlite_url, migrate=True)
    pages = {"limit": 150}

    @event.listens_for(store._engines.write, "begin")
    def limit_file(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages['limit']}")

    with store.write() as unit:
        batch = batch_with(unit, ["x"])
    with pytest.raises(StoreUnavailableError, match="full"), store.write() as unit:
        unit.entries.add(batch, 1, [entry(number) for number in range(20_000)])
    with store.read() as unit:
        found = unit.batches.by_seq(batch.seq)
        assert len(list(unit.entries.leaf_inputs(batch.seq))) == 1
    assert found is not None
    assert found.size == 1
    pages["limit"] = 100_000
    with store.write() as unit:
        unit.entries.add(batch, 1, [entry(number) for number in range(20_000)])
    store.close()


def test_read_only_file_is_unavailable_to_writers(sqlite_url: str) -> None:
    store = open_store(sqlite_url, migrate=True)

    @event.listens_for(store._engines.write, "begin")
    def refuse_writes(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA query_only = ON")

    with pytest.raises(StoreUnavailableError, match="read-only"):
        store.ping()
    store.close()


def test_almost_full_disk_is_reported_before_it_is_full(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(sqlite_url, migrate=True)
    store.ping()
    monkeypatch.setattr("registry.store.store.MIN_FREE_BYTES", 2**80)
    with pytest.raises(StoreUnavailableError, match="full"):
        store.ping()
    store.close()


def test_ping_is_unavailable_when_the_schema_is_another(store: SqlStore, database_url: str) -> None:
    store.ping()
    with store.write() as unit:
        unit.meta._db.run(text("UPDATE registry_schema SET version_num = 'from the future'"))
    with pytest.raises(StoreUnavailableError, match="version"):
        store.ping()
    with pytest.raises(ConfigurationError, match="newer"):
        open_store(database_url, migrate=True)
    with store.write() as unit:
        unit.meta._db.run(text("DELETE FROM registry_schema"))
    with pytest.raises(StoreUnavailableError, match="version"):
        store.ping()


@pytest.mark.parametrize("content", [b"this is no database" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_file_that_is_no_database_is_unavailable_and_left_alone(sqlite_url: str, content: bytes) -> None:
    file_of(sqlite_url).write_bytes(content)
    for migrating in (False, True):
        with pytest.raises(StoreUnavailableError):
            open_store(sqlite_url, migrate=migrating)
    assert file_of(sqlite_url).read_bytes() == content


@pytest.mark.parametrize("place", ["directory", "file/below"])
def test_path_that_cannot_be_a_file_is_unavailable(tmp_path: Path, place: str) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreUnavailableError):
        open_store(f"sqlite:///{tmp_path / place}", migrate=True)


@pytest.mark.parametrize(
    "url", ["", "nonsense", "mysql://localhost/x", "sqlite://", "sqlite:///:memory:", "postgresql"]
)
def test_url_of_another_kind_is_a_configuration_error(url: str) -> None:
    for migrating in (False, True):
        with pytest.raises(ConfigurationError):
            open_store(url, migrate=migrating)


def test_error_about_a_url_does_not_show_its_password() -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_store("mysql://user:secret@localhost/x", migrate=True)
    assert "secret" not in str(caught.value)


def test_nobody_listening_is_unavailable() -> None:
    with pytest.raises(StoreUnavailableError):
        open_store("postgresql://user@127.0.0.1:1/x", migrate=False)


@pytest.mark.postgres
def test_broken_connection_is_unavailable_and_the_next_unit_works(postgres_url: str) -> None:
    store = open_store(postgres_url, migrate=False)

    def lose(*, write_again: bool) -> None:
        with store.write() as unit:
            unit.meta.set("lost", "x")
            terminate_others(postgres_url)
            if write_again:
                unit.meta.set("lost", "y")

    for write_again in (True, False):
        with pytest.raises(StoreUnavailableError):
            lose(write_again=write_again)
    with store.write() as unit:
        assert unit.meta.get("lost") is None
        unit.meta.set("kept", "x")
    store.close()


def terminate_others(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.mark.postgres
def test_postgres_that_went_read_only_is_unavailable(postgres_url: str) -> None:
    store = open_store(postgres_url, migrate=False)

    @event.listens_for(store._engines.write, "begin")
    def refuse_writes(connection: Connection) -> None:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")

    with pytest.raises(StoreUnavailableError, match="read-only"), store.write() as unit:
        unit.meta.set("a", "b")
    store.close()


def test_writing_units_cannot_be_nested_and_the_outer_one_goes_on(store: SqlStore) -> None:
    with store.write() as unit:
        with pytest.raises(RuntimeError, match="nested"), store.write():
            pass
        with pytest.raises(RuntimeError, match="nested"):
            store.ping()
        unit.meta.set("a", "b")
    with store.write() as unit:
        assert unit.meta.get("a") == "b"


def test_reading_inside_a_writing_unit_sees_what_is_committed(store: SqlStore) -> None:
    with store.write() as unit:
        unit.meta.set("a", "b")
        with store.read() as reader:
            assert reader.meta.get("a") is None
        assert unit.meta.get("a") == "b"


def test_reading_unit_is_a_snapshot_and_cannot_write(store: SqlStore) -> None:
    with store.read() as reader:
        assert reader.meta.get("a") is None
        with store.write() as unit:
            unit.meta.set("a", "b")
        assert reader.meta.get("a") is None
        with pytest.raises(RuntimeError, match="reads"):
            reader.meta.set("a", "c")
        with pytest.raises(RuntimeError, match="reads"):
            reader.entries.add(batch_of(store), 0, [entry("x")])
    with store.read() as reader:
        assert reader.meta.get("a") == "b"
        assert reader.batches.open_batch(address("a")) is None


def batch_of(store: SqlStore) -> object:
    with store.write() as unit:
        return batch_with(unit, [])


def test_feed_item_in_a_reading_unit_is_refused_at_its_end(store: SqlStore) -> None:
    with pytest.raises(RuntimeError, match="reads"), store.read() as reader:
        reader.feed.append(T0, "kind", address("a"), {})


def test_unexpected_refusal_is_a_defect_with_its_cause_and_without_values(store: SqlStore) -> None:
    with pytest.raises(StoreDefectError) as caught, store.write() as unit:
        unit.meta._db.run(text("INSERT INTO meta (name) VALUES ('a secret value')"))
    assert caught.value.__cause__ is not None
    assert "secret" not in str(caught.value)


def test_store_is_on_the_newest_version_after_opening(database_url: str) -> None:
    assert migrate(database_url) == migrate(database_url)
    open_store(database_url, migrate=False).close()
