"""What the drivers raise becomes an error of ours that says what kind of trouble it is."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest
from psycopg import errors as postgres
from sqlalchemy import exc

from registry.errors import RootmarkError, StoreUnavailableError, ValidationError
from registry.store import StoreDefectError
from registry.store.errors import translate


def sqlite_error(kind: type[sqlite3.Error], code: int | None) -> sqlite3.Error:
    error = kind("text with a secret value")
    if code is not None:
        error.sqlite_errorcode = code
    return error


UNAVAILABLE = [
    sqlite_error(sqlite3.OperationalError, sqlite3.SQLITE_BUSY),
    sqlite_error(sqlite3.OperationalError, sqlite3.SQLITE_BUSY_SNAPSHOT),
    sqlite_error(sqlite3.OperationalError, sqlite3.SQLITE_LOCKED),
    sqlite_error(sqlite3.OperationalError, sqlite3.SQLITE_FULL),
    sqlite_error(sqlite3.OperationalError, sqlite3.SQLITE_IOERR_WRITE),
    sqlite_error(sqlite3.OperationalError, sqlite3.SQLITE_READONLY_DIRECTORY),
    sqlite_error(sqlite3.OperationalError, sqlite3.SQLITE_CANTOPEN),
    sqlite_error(sqlite3.DatabaseError, sqlite3.SQLITE_CORRUPT),
    sqlite_error(sqlite3.DatabaseError, sqlite3.SQLITE_NOTADB),
    postgres.DiskFull("secret"),
    postgres.TooManyConnections("secret"),
    postgres.LockNotAvailable("secret"),
    postgres.DeadlockDetected("secret"),
    postgres.SerializationFailure("secret"),
    postgres.QueryCanceled("secret"),
    postgres.AdminShutdown("secret"),
    postgres.CannotConnectNow("secret"),
    postgres.ReadOnlySqlTransaction("secret"),
    postgres.InvalidPassword("secret"),
    postgres.InvalidCatalogName("secret"),
    postgres.IoError("secret"),
    postgres.IdleInTransactionSessionTimeout("secret"),
    psycopg.OperationalError("secret"),
    psycopg.InterfaceError("secret"),
]
REFUSED = [
    sqlite_error(sqlite3.DataError, sqlite3.SQLITE_TOOBIG),
    postgres.NumericValueOutOfRange("secret"),
    postgres.ProgramLimitExceeded("secret"),
    psycopg.DataError("secret"),
    OverflowError("secret"),
    UnicodeEncodeError("utf-8", "secret", 0, 1, "secret"),
]
DEFECTS = [
    sqlite_error(sqlite3.IntegrityError, sqlite3.SQLITE_CONSTRAINT_UNIQUE),
    sqlite_error(sqlite3.OperationalError, sqlite3.SQLITE_ERROR),
    sqlite_error(sqlite3.ProgrammingError, None),
    postgres.UniqueViolation("secret"),
    postgres.UndefinedTable("secret"),
    psycopg.ProgrammingError("secret"),
    exc.InvalidRequestError("secret"),
]


def expected() -> list[tuple[BaseException, type[RootmarkError]]]:
    return [
        *((error, StoreUnavailableError) for error in UNAVAILABLE),
        (exc.TimeoutError("secret"), StoreUnavailableError),
        *((error, ValidationError) for error in REFUSED),
        *((error, StoreDefectError) for error in DEFECTS),
    ]


@pytest.mark.parametrize(("error", "wanted"), expected(), ids=lambda value: getattr(value, "__name__", None))
def test_driver_errors_become_ours_and_their_text_is_not_shown(
    error: BaseException, wanted: type[RootmarkError]
) -> None:
    wrapped = exc.DBAPIError("INSERT", {}, error) if isinstance(error, Exception) else error
    found = [translate(error)]
    if isinstance(error, sqlite3.Error | psycopg.Error):
        found.append(translate(wrapped))
    for each in found:
        assert type(each) is wanted
        assert "secret" not in str(each)
