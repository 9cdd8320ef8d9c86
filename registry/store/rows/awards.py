"""Rows of achievements and awards."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Text, text
from sqlmodel import Field

from registry.store.rows.base import Row

_LISTED = text("status_list IS NOT NULL")


class AchievementRow(Row, table=True):
    """One version of an achievement; there is no statement that changes or deletes one. ``document`` is ASCII
    JSON."""

    __tablename__ = "achievements"
    __table_args__ = (Index(None, "issuer", "id", "version"),)

    id: str = Field(primary_key=True, sa_type=Text)
    version: int = Field(primary_key=True, sa_type=BigInteger)
    issuer: bytes
    document: str = Field(sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)


class AchievementImageRow(Row, table=True):
    """The uploaded picture of an achievement. ``data`` and ``pixels`` stand last, so that reading the others
    does not touch them."""

    __tablename__ = "achievement_images"

    achievement_id: str = Field(primary_key=True, sa_type=Text)
    media_type: str = Field(sa_type=Text)
    sha256: bytes
    created_at: int = Field(sa_type=BigInteger)
    data: bytes
    pixels: bytes | None


class AwardRow(Row, table=True):
    """What an award says beside its entry. ``recipient`` is ASCII JSON; it and ``fingerprint``, which is made
    of it too, are NULL once erased, and ``credential_id`` is unless the credential may be revoked.
    ``status_list`` is the list's id."""

    __tablename__ = "awards"
    __table_args__ = (
        Index(None, "batch_seq", "entry_index", unique=True),
        Index(None, "issuer", "batch_seq", "entry_index"),
        Index(None, "issuer", "achievement_id", "batch_seq", "entry_index"),
        Index(
            "uq_awards_status",
            "status_list",
            "status_index",
            unique=True,
            sqlite_where=_LISTED,
            postgresql_where=_LISTED,
        ),
    )

    id: str = Field(primary_key=True, sa_type=Text)
    issuer: bytes
    batch_seq: int = Field(sa_type=BigInteger)
    entry_index: int = Field(sa_type=BigInteger)
    achievement_id: str = Field(sa_type=Text)
    achievement_version: int = Field(sa_type=BigInteger)
    recipient: str | None = Field(default=None, sa_type=Text)
    fingerprint: bytes | None = None
    status_list: str | None = Field(default=None, sa_type=Text)
    status_index: int | None = Field(default=None, sa_type=BigInteger)
    supersedes: str | None = Field(default=None, sa_type=Text)
    superseded_by: str | None = Field(default=None, sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)
    credential_id: str | None = Field(default=None, sa_type=Text)


class EndorsementRow(Row, table=True):
    """Whom an EndorsementCredential is about, beside its entry. An id may be longer than an index holds."""

    __tablename__ = "endorsements"
    __table_args__ = (Index(None, "subject_sha256", "issuer"),)

    batch_seq: int = Field(primary_key=True, sa_type=BigInteger)
    entry_index: int = Field(primary_key=True, sa_type=BigInteger)
    issuer: bytes
    subject_sha256: bytes
