"""One open transaction as the repositories see it: statements in, rows out, foreign errors translated.

Results are complete lists; who wants to stream reads in pieces by key. Nothing here survives the transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Connection,
    CursorResult,
    Executable,
    Integer,
    LargeBinary,
    Select,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy import Row as ResultRow
from sqlalchemy.dialects import postgresql, sqlite

from registry.errors import NotFoundError
from registry.store.errors import FOREIGN, translate
from registry.store.looking import LookConnection
from registry.store.prepared import SMALL, Prepared
from registry.store.values import unique_chunks

_KEEP_ROWCOUNT = {"preserve_rowcount": True}  # of INSERT too

_COPY_TYPES: tuple[tuple[type[Any], str], ...] = (
    (SmallInteger, "int2"),
    (BigInteger, "int8"),
    (Integer, "int4"),
    (LargeBinary, "bytea"),
    (Text, "text"),
    (Boolean, "bool"),
)


class Database:
    """A connection inside a transaction that somebody else begins and ends."""

    def __init__(self, connection: Connection | LookConnection, *, read_only: bool) -> None:
        self.connection = connection
        self.read_only = read_only
        self.is_postgres = connection.dialect.name == "postgresql"

    def _execute(self, statement: Executable, parameters: Mapping[str, Any] | None) -> CursorResult[Any]:
        if statement.is_dml:
            self._require_writing()
        try:
            return self.connection.execute(statement, parameters, execution_options=_KEEP_ROWCOUNT)
        except FOREIGN as error:
            raise translate(error) from error

    def _require_writing(self) -> None:
        if self.read_only:
            raise RuntimeError("this unit only reads")

    def rows(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Any]:
        """All rows of a query, or of what a statement returns."""
        result = self._execute(statement, parameters)
        try:
            return result.all()
        except FOREIGN as error:
            raise translate(error) from error

    def fetch(self, query: Prepared, **parameters: Any) -> Sequence[Any]:
        """All rows of a query of the hot path; parameters that are lists are small."""
        driver: Any = self.connection.connection
        try:
            cursor = driver.cursor()
            try:
                return query.run(cursor, self.connection.dialect, parameters)
            finally:
                cursor.close()
        except FOREIGN as error:
            raise translate(error) from error

    def fetch_all(self, query: Prepared, name: str, values: Collection[Any], **parameters: Any) -> list[Any]:
        """All rows for any number of ``values`` of the list parameter ``name``."""
        if len(values) <= SMALL:
            return list(self.fetch(query, **{name: list(values)}, **parameters)) if values else []
        found: list[Any] = []
        for chunk in unique_chunks(values):
            found += self.rows(query.statement, {name: chunk, **parameters})
        return found

    def first(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None
    ) -> ResultRow[Any] | None:
        """The first row, or None."""
        result = self._execute(statement, parameters)
        try:
            return result.first()
        except FOREIGN as error:
            raise translate(error) from error

    def first_locked(self, query: Select[Any]) -> ResultRow[Any] | None:
        """As `first`, and the row stays locked until the transaction ends. On SQLite a transaction that
        writes has the whole database for itself anyway; one that only reads locks nothing."""
        return self.first(query if self.read_only else query.with_for_update())

    def scalar(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Any:
        """The first column of the first row, or None."""
        row = self.first(statement, parameters)
        return None if row is None else row[0]

    def run(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> int:
        """Execute a statement that changes rows; how many."""
        return self._execute(statement, parameters).rowcount

    def must(self, statement: Executable, what: str) -> None:
        """Execute a statement that has to change something; `NotFoundError` naming ``what`` otherwise."""
        if self.run(statement) == 0:
            raise NotFoundError(f"{what} does not exist")

    def insert(self, table: Table) -> Any:
        """The dialect's INSERT, which knows ON CONFLICT."""
        return postgresql.insert(table) if self.is_postgres else sqlite.insert(table)

    def insert_many(self, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows in the order of ``columns``, consuming the iterable as it goes: COPY on PostgreSQL, one
        prepared statement on SQLite."""
        self._require_writing()
        try:
            if self.is_postgres:
                self._copy(table, columns, rows)
            else:
                marks = ", ".join("?" * len(columns))
                names = ", ".join(columns)
                cursor: Any = self.connection.connection.cursor()
                # Names come from the row classes, values are bound.
                cursor.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)  # noqa: S608
                cursor.close()
        except FOREIGN as error:
            raise translate(error) from error

    def insert_new(self, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> int:
        """Insert those rows that break no unique index; how many were inserted."""
        self._require_writing()
        names = ", ".join(columns)
        driver: Any = self.connection.connection
        # Names and types come from the row classes, values are bound.
        try:
            cursor = driver.cursor()
            if self.is_postgres:
                arrays = ", ".join(f"%b::{_copy_type(table, name)}[]" for name in columns)
                source = f"SELECT * FROM unnest({arrays})"  # noqa: S608
                values = [list(column) for column in zip(*rows, strict=True)]
                cursor.execute(f"INSERT INTO {table.name} ({names}) {source} ON CONFLICT DO NOTHING", values)
            else:
                marks = ", ".join("?" * len(columns))
                source = f"VALUES ({marks}) ON CONFLICT DO NOTHING"
                cursor.executemany(f"INSERT INTO {table.name} ({names}) {source}", rows)
            inserted: int = cursor.rowcount
            cursor.close()
        except FOREIGN as error:
            raise translate(error) from error
        return inserted

    def _copy(self, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        names = ", ".join(columns)
        types = [_copy_type(table, name) for name in columns]
        driver: Any = self.connection.connection
        with (
            driver.cursor() as cursor,
            cursor.copy(f"COPY {table.name} ({names}) FROM STDIN (FORMAT BINARY)") as copy,
        ):
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)


def _copy_type(table: Table, column: str) -> str:
    kind = table.c[column].type
    for python_type, name in _COPY_TYPES:
        if isinstance(kind, python_type):
            return name
    raise TypeError(f"no COPY type for {table.name}.{column}")
