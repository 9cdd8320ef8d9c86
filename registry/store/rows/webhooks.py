"""Rows of webhooks and of what is sent to them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Text
from sqlmodel import Field

from registry.store.rows.base import SERIAL, Row


class WebhookRow(Row, table=True):
    """A webhook. ``kinds`` are separated by blanks; the secrets are sealed."""

    __tablename__ = "webhooks"
    __table_args__ = (Index(None, "issuer", "created_at"),)

    id: str = Field(primary_key=True, sa_type=Text)
    issuer: bytes
    url: str = Field(sa_type=Text)
    description: str = Field(sa_type=Text)
    kinds: str = Field(sa_type=Text)
    secret: bytes
    previous_secret: bytes | None = None
    previous_until: int | None = Field(default=None, sa_type=BigInteger)
    since: int = Field(sa_type=BigInteger)
    created_at: int = Field(sa_type=BigInteger)
    off_at: int | None = Field(default=None, sa_type=BigInteger)
    off_reason: str | None = Field(default=None, sa_type=Text)
    failing_since: int | None = Field(default=None, sa_type=BigInteger)


class WebhookDeliveryRow(Row, table=True):
    """A message. ``next_at`` is NULL unless it waits; while it is being sent it is when the claim ends."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index(None, "webhook_id", "feed_id", unique=True),
        Index(None, "webhook_id", "seq"),
        Index(None, "next_at"),
        Index(None, "created_at"),
        {"sqlite_autoincrement": True},
    )

    seq: int | None = Field(default=None, primary_key=True, sa_type=SERIAL)
    webhook_id: str = Field(sa_type=Text)
    feed_id: int | None = Field(default=None, sa_type=BigInteger)
    kind: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)
    attempts: int = Field(sa_type=BigInteger)
    next_at: int | None = Field(default=None, sa_type=BigInteger)
    attempted_at: int | None = Field(default=None, sa_type=BigInteger)
    status: int | None = Field(default=None, sa_type=BigInteger)
    error: str | None = Field(default=None, sa_type=Text)
