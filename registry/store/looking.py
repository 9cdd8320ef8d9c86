"""A read transaction on SQLite's own connection.

Most reads are a few prepared queries (see `registry.store.prepared`), which need nothing but the driver's
cursor; beginning, committing and pooling through SQLAlchemy's Connection would cost more than they do. It
comes into being for the statements that need it, inside the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, CursorResult, Dialect, Engine, Executable


class LookConnection:
    """What `Database` uses of SQLAlchemy's Connection; in a transaction from the beginning. Close it.

    Raises:
        Whatever the driver or the pool raise; see `registry.store.errors`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._full: Connection | None = None
        self.connection = engine.raw_connection()
        try:
            driver: Any = self.connection.driver_connection
            driver.execute("BEGIN")
        except BaseException:
            self.connection.invalidate()
            raise

    @property
    def dialect(self) -> Dialect:
        """SQLite's."""
        return self._engine.dialect

    def execute(
        self,
        statement: Executable,
        parameters: Mapping[str, Any] | None = None,
        *,
        execution_options: Mapping[str, Any],
    ) -> CursorResult[Any]:
        """Execute a statement that is not prepared."""
        if self._full is None:
            self._full = Connection(self._engine, connection=self.connection)
        return self._full.execute(statement, parameters, execution_options=execution_options)

    def close(self) -> None:
        """End the transaction and give the driver's connection back to the pool, which rolls back."""
        if self._full is not None:
            self._full.close()
        else:
            self.connection.close()
