"""Rows of credentials' pages and their holders, and of certificates' designs. Tokens are kept as SHA-256."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Index, Text
from sqlmodel import Field

from registry.store.rows.base import Row


class CredentialPageRow(Row, table=True):
    """The page of an award, one at most."""

    __tablename__ = "credential_pages"
    __table_args__ = (Index(None, "award_id", unique=True), Index(None, "holder"))

    id: str = Field(primary_key=True, sa_type=Text)
    award_id: str = Field(sa_type=Text)
    visibility: str = Field(sa_type=Text)
    show_name: bool = Field(sa_type=Boolean)
    holder: str | None = Field(default=None, sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)


class ClaimLinkRow(Row, table=True):
    """A link by which a page is claimed once; ``used_at`` stays as a sign that it was."""

    __tablename__ = "claim_links"
    __table_args__ = (Index(None, "page_id"), Index(None, "expires_at"))

    token_sha256: bytes = Field(primary_key=True)
    page_id: str = Field(sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)
    expires_at: int = Field(sa_type=BigInteger)
    used_at: int | None = Field(default=None, sa_type=BigInteger)


class HolderRow(Row, table=True):
    """Somebody who claimed a page; nothing else is known of them."""

    __tablename__ = "holders"

    id: str = Field(primary_key=True, sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)


class HolderTokenRow(Row, table=True):
    """A session or return link of a holder; the latter do not expire."""

    __tablename__ = "holder_tokens"
    __table_args__ = (Index(None, "holder", "kind"), Index(None, "expires_at"))

    token_sha256: bytes = Field(primary_key=True)
    holder: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)
    expires_at: int | None = Field(default=None, sa_type=BigInteger)


class ShareRow(Row, table=True):
    """Credentials that a holder shows under one address."""

    __tablename__ = "shares"
    __table_args__ = (Index(None, "holder", "created_at"), Index(None, "expires_at"))

    id: str = Field(primary_key=True, sa_type=Text)
    holder: str = Field(sa_type=Text)
    title: str = Field(sa_type=Text)
    show_name: bool = Field(sa_type=Boolean)
    created_at: int = Field(sa_type=BigInteger)
    expires_at: int = Field(sa_type=BigInteger)


class SharedPageRow(Row, table=True):
    """A credential of a share, by its page; ``number`` from 1."""

    __tablename__ = "shared_pages"
    __table_args__ = (Index(None, "page_id"),)

    share_id: str = Field(primary_key=True, sa_type=Text)
    number: int = Field(primary_key=True, sa_type=BigInteger)
    page_id: str = Field(sa_type=Text)


class CertificateDesignRow(Row, table=True):
    """How an issuer's certificates look. ``document`` is ASCII JSON; ``logo`` stands last."""

    __tablename__ = "certificate_designs"

    issuer: bytes = Field(primary_key=True)
    document: str = Field(sa_type=Text)
    logo_type: str | None = Field(default=None, sa_type=Text)
    logo: bytes | None = None
