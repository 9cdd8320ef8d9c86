"""Rows by which the server runs: feed and cursors, leases, idempotency keys, counters, single values."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Text
from sqlmodel import Field

from registry.store.rows.base import SERIAL, Row


class CounterRow(Row, table=True):
    """The last number given out, or a sum that only grows. The row stays locked until the transaction ends,
    so numbers follow the commits."""

    __tablename__ = "counters"

    name: str = Field(primary_key=True, sa_type=Text)
    value: int = Field(sa_type=BigInteger)


class FeedRow(Row, table=True):
    """A domain event; ``payload`` is ASCII JSON."""

    __tablename__ = "feed"
    __table_args__ = (Index(None, "issuer", "id"),)

    id: int = Field(primary_key=True, sa_type=SERIAL, sa_column_kwargs={"autoincrement": False})
    at: int = Field(sa_type=BigInteger)
    kind: str = Field(sa_type=Text)
    issuer: bytes
    payload: str = Field(sa_type=Text)


class FeedCursorRow(Row, table=True):
    """How far a consumer of the feed has come."""

    __tablename__ = "feed_cursors"

    consumer: str = Field(primary_key=True, sa_type=Text)
    position: int = Field(sa_type=BigInteger)


class LeaseRow(Row, table=True):
    """Who holds a lease. ``owner`` is NULL once released; ``token`` never goes back."""

    __tablename__ = "leases"

    name: str = Field(primary_key=True, sa_type=Text)
    owner: str | None = Field(default=None, sa_type=Text)
    token: int = Field(sa_type=BigInteger)
    expires_at: int = Field(sa_type=BigInteger)


class IdempotencyRow(Row, table=True):
    """An Idempotency-Key of an owner. ``answer_headers`` is ASCII JSON; ``status`` is set with the answer."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index(None, "created_at"),)

    owner: str = Field(primary_key=True, sa_type=Text)
    key: str = Field(primary_key=True, sa_type=Text)
    fingerprint: bytes
    created_at: int = Field(sa_type=BigInteger)
    claimed_until: int = Field(sa_type=BigInteger)
    resource: str | None = Field(default=None, sa_type=Text)
    status: int | None = Field(default=None, sa_type=BigInteger)
    answer_headers: str | None = Field(default=None, sa_type=Text)
    answer_body: bytes | None = None


class MetaRow(Row, table=True):
    """A single value."""

    __tablename__ = "meta"

    name: str = Field(primary_key=True, sa_type=Text)
    value: str = Field(sa_type=Text)
