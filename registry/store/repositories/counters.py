"""Numbers without gaps that follow the order of commits.

A sequence of PostgreSQL would hand out a lower number to a transaction that commits later; a reader who
remembers the highest number it saw would miss that one. Here the counter is a row, locked from the first
number to the commit.
"""

from __future__ import annotations

from registry.store.database import Database
from registry.store.rows import CounterRow, table

COUNTERS = table(CounterRow)


def take_numbers(database: Database, name: str, count: int) -> int:
    """Reserve ``count`` numbers, from 1 upwards; returns the first."""
    statement = database.insert(COUNTERS).values(name=name, value=count)
    last: int = database.scalar(
        statement.on_conflict_do_update(
            index_elements=[COUNTERS.c.name], set_={"value": COUNTERS.c.value + count}
        ).returning(COUNTERS.c.value)
    )
    return last - count + 1
