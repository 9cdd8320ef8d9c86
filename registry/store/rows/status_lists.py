"""Rows of the status lists that this server publishes."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Text
from sqlmodel import Field

from registry.store.rows.base import Row


class StatusListRow(Row, table=True):
    """A status list. ``taken`` has a bit for each place that was given out, the first in the highest bit of
    the first byte; it stands last, so that reading the others does not touch it."""

    __tablename__ = "status_lists"
    __table_args__ = (Index(None, "issuer", "used"),)

    id: str = Field(primary_key=True, sa_type=Text)
    issuer: bytes
    size: int = Field(sa_type=BigInteger)
    used: int = Field(sa_type=BigInteger)
    created_at: int = Field(sa_type=BigInteger)
    taken: bytes
