"""Queries of the hot path: compiled once for each database, then run on the driver's own cursor.

A verification asks half a dozen small questions. Through SQLAlchemy's execution each costs several times what
the database needs for it; the statements are still SQLAlchemy's, and the answers have the same names.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Dialect, Select

SMALL = 8
"""Lists of up to so many values have a compiled form of their own for each length."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str
    order: tuple[str, ...] | None  # names by position; None where parameters go by name
    constants: Mapping[str, Any]


class Prepared:
    """A query with named parameters, some of which may be lists (``bindparam(…, expanding=True)``)."""

    def __init__(self, statement: Select[Any]) -> None:
        self.statement = statement
        self._compiled: dict[tuple[Any, ...], _Compiled] = {}
        names = [str(column.key) for column in statement.selected_columns]
        found: Any = namedtuple("Found", names, rename=True)  # type: ignore[misc]
        self._make: Callable[[Sequence[Any]], Any] = found._make

    def run(self, cursor: Any, dialect: Dialect, parameters: Mapping[str, Any]) -> list[Any]:
        """All rows, as named tuples. Raises what the driver raises."""
        shape = (dialect.name, *(len(value) for value in parameters.values() if isinstance(value, list)))
        compiled = self._compiled.get(shape)
        if compiled is None:
            compiled = self._compiled[shape] = self._compile(dialect, parameters)
        values = dict(compiled.constants)
        for name, value in parameters.items():
            if isinstance(value, list):
                values.update((f"{name}_{number}", each) for number, each in enumerate(value, 1))
            else:
                values[name] = value
        if compiled.order is None:
            cursor.execute(compiled.sql, values)
        else:
            cursor.execute(compiled.sql, [values[name] for name in compiled.order])
        return [self._make(row) for row in cursor.fetchall()]

    def _compile(self, dialect: Dialect, parameters: Mapping[str, Any]) -> _Compiled:
        compiled: Any = self.statement.compile(dialect=dialect)
        state = compiled.construct_expanded_state(parameters)
        varying = {name for key in parameters for name in state.parameter_expansion.get(key, [key])}
        constants = {name: value for name, value in state.parameters.items() if name not in varying}
        order = tuple(state.positiontup) if compiled.positional else None
        return _Compiled(state.statement, order, constants)
