"""From the errors of two database drivers to the registry's own. What a driver raised is chained, never
shown: a driver's text may quote values.

| what happened | becomes |
|---|---|
| locked, full, read-only, I/O, connection lost, timeout, deadlock | `StoreUnavailableError` |
| a value that the database cannot hold (U+0000 in text, a number beyond 64 bits) | `ValidationError` |
| a constraint, a syntax error, a missing table | `StoreDefectError`: a bug, conflicts are asked for by name |
"""

from __future__ import annotations

import sqlite3

import psycopg
from sqlalchemy import exc

from registry.errors import DefectError, RootmarkError, StoreUnavailableError, ValidationError

FOREIGN = (exc.SQLAlchemyError, sqlite3.Error, psycopg.Error, OverflowError, UnicodeEncodeError)
"""Everything a statement may raise."""

_SQLITE_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY: "the database is locked by another process",
    sqlite3.SQLITE_LOCKED: "the database is locked by another connection",
    sqlite3.SQLITE_NOMEM: "the database ran out of memory",
    sqlite3.SQLITE_READONLY: "the database is read-only",
    sqlite3.SQLITE_INTERRUPT: "the database was interrupted",
    sqlite3.SQLITE_IOERR: "the database's disk failed",
    sqlite3.SQLITE_CORRUPT: "the database file is damaged",
    sqlite3.SQLITE_FULL: "the database's disk is full",
    sqlite3.SQLITE_CANTOPEN: "the database file cannot be opened",
    sqlite3.SQLITE_PROTOCOL: "the database is locked by another process",
    sqlite3.SQLITE_PERM: "the database file may not be opened",
    sqlite3.SQLITE_NOTADB: "the database file is not a database",
}

# PostgreSQL, appendix A: classes (two characters) and single codes.
_POSTGRES_UNAVAILABLE = {
    "08": "the connection to the database failed",
    "25006": "the database is read-only",
    "25P03": "the database ended a transaction that took too long",
    "25P04": "the database ended a transaction that took too long",
    "28": "the database refuses this user",
    "3D": "the database does not exist",
    "40": "the database gave precedence to another transaction",
    "53": "the database ran out of disk space, memory or connections",
    "55": "the database is locked by another transaction",
    "57": "the database stopped the statement or is shutting down",
    "58": "the database's system failed",
    "F0": "the database's configuration is damaged",
    "XX": "the database failed",
}
_POSTGRES_REFUSED = ("22", "54")


class StoreDefectError(DefectError):
    """The database refused a statement that should have been right: a bug here, not a state of the world."""


def translate(error: BaseException) -> RootmarkError:
    """Find the registry's error for what a driver or SQLAlchemy raised; the caller raises it from
    ``error``."""
    if isinstance(error, OverflowError | UnicodeEncodeError):
        return ValidationError("a value cannot be held by the database")
    if isinstance(error, exc.TimeoutError):
        return StoreUnavailableError("all connections to the database are in use")
    original = error.orig if isinstance(error, exc.DBAPIError) else error
    if isinstance(original, sqlite3.Error):
        return _translate_sqlite(original)
    if isinstance(original, psycopg.Error):
        return _translate_postgres(original)
    return StoreDefectError("the database layer was used wrongly")


def _translate_sqlite(error: sqlite3.Error) -> RootmarkError:
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None and code & 0xFF in _SQLITE_UNAVAILABLE:
        return StoreUnavailableError(_SQLITE_UNAVAILABLE[code & 0xFF])
    if isinstance(error, sqlite3.DataError):
        return ValidationError("a value cannot be held by the database")
    return StoreDefectError("the database refused a statement")


def _translate_postgres(error: psycopg.Error) -> RootmarkError:
    state = error.sqlstate
    if state is None:
        if isinstance(error, psycopg.DataError):
            return ValidationError("a value cannot be held by the database")
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            return StoreUnavailableError(_POSTGRES_UNAVAILABLE["08"])
        return StoreDefectError("the database refused a statement")
    reason = _POSTGRES_UNAVAILABLE.get(state) or _POSTGRES_UNAVAILABLE.get(state[:2])
    if reason is not None:
        return StoreUnavailableError(reason)
    if state[:2] in _POSTGRES_REFUSED:
        return ValidationError("a value cannot be held by the database")
    return StoreDefectError("the database refused a statement")
