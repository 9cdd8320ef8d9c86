"""Rows of issuers, their API keys and the access log."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Text
from sqlmodel import Field

from registry.store.rows.base import SERIAL, Row


class IssuerRow(Row, table=True):
    """An issuer hosted here."""

    __tablename__ = "issuers"

    address: bytes = Field(primary_key=True)
    name: str = Field(sa_type=Text)
    url: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    key: bytes
    hosted_admin: bool
    created_at: int = Field(sa_type=BigInteger)
    email: str | None = Field(default=None, sa_type=Text)


class ApiKeyRow(Row, table=True):
    """A bearer token, as SHA-256. ``scopes`` are names separated by spaces."""

    __tablename__ = "api_keys"
    __table_args__ = (
        Index(None, "token_sha256", unique=True),
        Index(None, "issuer", "created_at"),
    )

    id: str = Field(primary_key=True, sa_type=Text)
    issuer: bytes
    token_sha256: bytes
    label: str = Field(sa_type=Text)
    scopes: str = Field(sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)
    expires_at: int | None = Field(default=None, sa_type=BigInteger)
    revoked_at: int | None = Field(default=None, sa_type=BigInteger)


class AccessRow(Row, table=True):
    """A line of the access log; there is no statement that changes or deletes one."""

    __tablename__ = "access_log"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True, sa_type=SERIAL)
    at: int = Field(sa_type=BigInteger)
    actor: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    detail: str = Field(sa_type=Text)
