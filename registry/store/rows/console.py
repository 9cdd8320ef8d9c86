"""Rows of the issuers' console."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Text
from sqlmodel import Field

from registry.store.rows.base import Row


class ConsoleSessionRow(Row, table=True):
    """A session of a browser, by the SHA-256 of its token."""

    __tablename__ = "console_sessions"
    __table_args__ = (Index(None, "key_id", "created_at"), Index(None, "created_at"))

    token_sha256: bytes = Field(primary_key=True)
    key_id: str = Field(sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)
    seen_at: int = Field(sa_type=BigInteger)


class ConsoleDraftRow(Row, table=True):
    """A draft. ``summary`` is ASCII JSON; ``data`` stands last, so that reading the others does not touch
    it."""

    __tablename__ = "console_drafts"
    __table_args__ = (Index(None, "key_id", "created_at"), Index(None, "created_at"))

    id: str = Field(primary_key=True, sa_type=Text)
    issuer: bytes
    key_id: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    title: str = Field(sa_type=Text)
    summary: str = Field(sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)
    made: str | None = Field(default=None, sa_type=Text)
    data: bytes
