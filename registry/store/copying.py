"""Moving a whole database, row for row, to another one: from SQLite to PostgreSQL or back."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from sqlalchemy import Connection, Table, func, insert, select, text

from registry.errors import ConfigurationError
from registry.store.engines import parse_url, single_connection_engine
from registry.store.errors import FOREIGN, translate
from registry.store.rows import METADATA
from registry.store.schema import migrate, migrations_behind

ROWS_AT_ONCE = 5_000
LARGE_ROWS_AT_ONCE = 10
_LARGE = frozenset({"achievement_images", "certificate_designs", "console_drafts"})
"""Tables whose rows may have megabytes each."""

Progress = Callable[[str, int], None]
"""Told a table's name and how many of its rows are copied so far."""


def copy_database(source: str, target: str, progress: Progress) -> dict[str, int]:
    """Copy every table into an empty database, in one transaction; how many rows of each.

    No process may write to either database meanwhile.

    Raises:
        ConfigurationError: the source is not at this program's schema, or the target is not empty.
        StoreUnavailableError: one of them cannot be reached; the target then holds no rows.
    """
    if migrations_behind(source) > 0:
        raise ConfigurationError("the source is behind on migrations: run `rootmark db migrate` on it first")
    migrate(target)
    reader = single_connection_engine(parse_url(source), writer=False)
    writer = single_connection_engine(parse_url(target), writer=True)
    try:
        with reader.connect() as old, writer.connect() as new:
            _require_empty(new)
            counts = {table.name: _copy_table(table, old, new, progress) for table in METADATA.sorted_tables}
            new.commit()
        return counts
    except FOREIGN as error:
        raise translate(error) from error
    finally:
        reader.dispose()
        writer.dispose()


def _require_empty(new: Connection) -> None:
    for table in METADATA.sorted_tables:
        if new.execute(select(func.count()).select_from(table)).scalar_one():
            raise ConfigurationError(f"the target is not empty: {table.name} has rows")


def _copy_table(table: Table, old: Connection, new: Connection, progress: Progress) -> int:
    at_once = LARGE_ROWS_AT_ONCE if table.name in _LARGE else ROWS_AT_ONCE
    rows = old.execution_options(stream_results=True, yield_per=at_once).execute(select(table)).mappings()
    copied = 0
    iterator = iter(rows)
    while chunk := [dict(row) for row in islice(iterator, at_once)]:
        new.execute(insert(table), chunk)
        copied += len(chunk)
        progress(table.name, copied)
    _advance_sequence(table, new)
    return copied


def _advance_sequence(table: Table, new: Connection) -> None:
    """PostgreSQL numbers new rows from a sequence, which copying does not move."""
    column = table.autoincrement_column
    if new.dialect.name != "postgresql" or column is None:
        return
    highest = new.execute(select(func.max(column))).scalar()
    if highest is None:
        return
    sequence = new.execute(
        text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": table.name, "column": column.name}
    ).scalar_one()
    if sequence is not None:
        new.execute(text("SELECT setval(:sequence, :value)"), {"sequence": sequence, "value": highest})
