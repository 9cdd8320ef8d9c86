"""Rows of the keys that sign credentials."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Text, text
from sqlmodel import Field

from registry.store.rows.base import SERIAL, Row

_CURRENT = text("retired_at IS NULL")


class SigningKeyRow(Row, table=True):
    """The public half of a key; ``id`` is the order in which they were added."""

    __tablename__ = "signing_keys"
    __table_args__ = (
        Index(None, "public_key", unique=True),
        Index(None, "issuer", "id"),
        Index(
            "uq_signing_keys_current",
            "issuer",
            "kind",
            unique=True,
            sqlite_where=_CURRENT,
            postgresql_where=_CURRENT,
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=SERIAL)
    issuer: bytes
    public_key: bytes
    kind: str = Field(sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)
    retired_at: int | None = Field(default=None, sa_type=BigInteger)
