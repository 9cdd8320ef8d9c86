"""What all row classes share: one metadata of their own, constraint names, and the column types both
databases agree on.

Columns hold plain integers, bytes and text, so that no value is converted on its way through the driver:
times are microseconds since the epoch in UTC, amounts of wei decimal text, words of a bitmap 8 big-endian
bytes and masks 32, and text that strangers wrote on chain is bytes (PostgreSQL's text refuses U+0000).
"""

from __future__ import annotations

from typing import cast

from sqlalchemy import BigInteger, Integer, MetaData, Table
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

NAMES = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
}

SERIAL = BigInteger().with_variant(Integer(), "sqlite")
"""A 64-bit number that is a table's only key: SQLite keeps the table in its order if the type is INTEGER."""


class Row(SQLModel, registry=registry(metadata=MetaData(naming_convention=NAMES))):
    """Base of the registry's rows; a registry of its own keeps other users of SQLModel out of its
    migrations."""


def table(row: type[Row]) -> Table:
    """The table behind a row class, for statements on many rows."""
    return cast(Table, row.__table__)  # type: ignore[attr-defined]
