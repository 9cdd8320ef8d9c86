"""Rows of batches, of their tiles and of their entries."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, SmallInteger, Text, text
from sqlmodel import Field

from registry.store.rows.base import SERIAL, Row

_OPEN = text("state = 'open'")


class BatchRow(Row, table=True):
    """A batch. ``anchor_*`` are all set or all NULL. ``touched_at`` moves while the batch is `receiving`."""

    __tablename__ = "batches"
    __table_args__ = (
        Index(None, "id", unique=True),
        Index(None, "issuer", "seq"),
        Index(None, "state", "seq"),
        Index(None, "root"),
        Index("uq_batches_open", "issuer", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        {"sqlite_autoincrement": True},
    )

    seq: int | None = Field(default=None, primary_key=True, sa_type=SERIAL)
    id: str = Field(sa_type=Text)
    issuer: bytes
    state: str = Field(sa_type=Text)
    size: int = Field(sa_type=BigInteger)
    root: bytes | None = None
    allow_duplicate: bool
    created_at: int = Field(sa_type=BigInteger)
    touched_at: int = Field(sa_type=BigInteger)
    sealed_at: int | None = Field(default=None, sa_type=BigInteger)
    awaiting_approval_of: str | None = Field(default=None, sa_type=Text)
    error: str | None = Field(default=None, sa_type=Text)
    anchor_transaction: bytes | None = None
    anchor_block: int | None = Field(default=None, sa_type=BigInteger)
    anchor_block_hash: bytes | None = None
    anchor_at: int | None = Field(default=None, sa_type=BigInteger)
    anchor_gas_used: int | None = Field(default=None, sa_type=BigInteger)
    anchor_fee_wei: str | None = Field(default=None, sa_type=Text)
    anchor_sender: bytes | None = None
    anchor_mode: str | None = Field(default=None, sa_type=Text)


class TileRow(Row, table=True):
    """Nodes of one tile, 32 bytes each, flat. ``place`` is level * 2^32 + index within the level. Keeps its
    rowid in SQLite: rows of 8 KiB do not belong into an index."""

    __tablename__ = "tiles"

    batch_seq: int = Field(primary_key=True, sa_type=BigInteger)
    place: int = Field(primary_key=True, sa_type=BigInteger)
    nodes: bytes


class EntryRow(Row, table=True):
    """One credential in a batch; an erased one has neither digest nor salt.

    There may be many millions: no column that is not needed for each, and no foreign key to check for each.
    """

    __tablename__ = "entries"
    __table_args__ = (Index(None, "digest"), {"sqlite_with_rowid": False})

    batch_seq: int = Field(primary_key=True, sa_type=BigInteger)
    entry_index: int = Field(primary_key=True, sa_type=BigInteger)
    method: int = Field(sa_type=SmallInteger)
    digest: bytes | None = None
    salt: bytes | None = None


class EntryDetailRow(Row, table=True):
    """What only some entries have. ``document`` stands last, so that reading the others does not touch it."""

    __tablename__ = "entry_details"
    __table_args__ = (Index(None, "issuer", "external_id", unique=True),)

    batch_seq: int = Field(primary_key=True, sa_type=BigInteger)
    entry_index: int = Field(primary_key=True, sa_type=BigInteger)
    issuer: bytes
    external_id: str | None = Field(default=None, sa_type=Text)
    valid_from: int | None = Field(default=None, sa_type=BigInteger)
    valid_until: int | None = Field(default=None, sa_type=BigInteger)
    document: bytes | None = None
