"""Rows of the index: blocks, the contract's events, and how far they were followed."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Text
from sqlmodel import Field

from registry.store.rows.base import SERIAL, Row


class HeaderRow(Row, table=True):
    """One of the newest indexed blocks."""

    __tablename__ = "index_headers"

    number: int = Field(primary_key=True, sa_type=SERIAL, sa_column_kwargs={"autoincrement": False})
    hash: bytes
    parent_hash: bytes
    timestamp: int = Field(sa_type=BigInteger)


class EventRow(Row, table=True):
    """An event. ``id`` grows in chain order, so "up to a block" and "since a time" are bounds on it.

    Anyone may have written the event: ``uri`` is bytes (UTF-8, lone surrogates passed through). ``subject``
    is what the event is about, for those that decide a status and are no bit events: the issuer, or issuer ||
    root.
    """

    __tablename__ = "index_events"
    __table_args__ = (
        Index(None, "block_number", "log_index", unique=True),
        Index(None, "issuer", "id"),
        Index(None, "subject"),
        Index(None, "kind", "id"),
        Index(None, "at", "id"),
    )

    id: int = Field(primary_key=True, sa_type=SERIAL, sa_column_kwargs={"autoincrement": False})
    kind: str = Field(sa_type=Text)
    issuer: bytes
    at: int = Field(sa_type=BigInteger)
    head: bytes
    block_number: int = Field(sa_type=BigInteger)
    block_hash: bytes
    transaction_hash: bytes
    log_index: int = Field(sa_type=BigInteger)
    root: bytes | None = None
    account: bytes | None = None
    reason: int = Field(sa_type=BigInteger)
    roles: int = Field(sa_type=BigInteger)
    valid_until: int = Field(sa_type=BigInteger)
    uri: bytes
    subject: bytes | None = None


class EventWordRow(Row, table=True):
    """A change of one word by a bit event: ``target`` is issuer || root || word (20 + 32 + 8 bytes), ``mask``
    32 bytes. The status of one credential is one search in one index."""

    __tablename__ = "index_event_words"
    __table_args__ = (Index(None, "target"),)

    event_id: int = Field(primary_key=True, sa_type=BigInteger)
    position: int = Field(primary_key=True, sa_type=BigInteger)
    target: bytes
    mask: bytes


class PositionRow(Row, table=True):
    """How far the index has come; one row."""

    __tablename__ = "index_position"

    id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    block_number: int = Field(sa_type=BigInteger)
    block_hash: bytes
    parent_hash: bytes
    timestamp: int = Field(sa_type=BigInteger)
    final_block: int = Field(sa_type=BigInteger)
    read_at: int = Field(sa_type=BigInteger)


class MismatchRow(Row, table=True):
    """An issuer for whom the index contradicts the chain."""

    __tablename__ = "index_mismatches"

    issuer: bytes = Field(primary_key=True)
    block_number: int = Field(sa_type=BigInteger)
    detail: str = Field(sa_type=Text)
