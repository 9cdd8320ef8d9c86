"""The status lists that this server publishes; which award stands where is noted with the awards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row as ResultRow
from sqlalchemy import select, update

from registry.encoding import Address
from registry.model.status_lists import StatusList
from registry.store.database import Database
from registry.store.rows import StatusListRow, table
from registry.store.values import instant, micros

LISTS = table(StatusListRow)

_SHOWN = select(LISTS.c.id, LISTS.c.issuer, LISTS.c.size, LISTS.c.used, LISTS.c.created_at)


def _list(row: ResultRow[Any]) -> StatusList:
    return StatusList(
        id=row.id,
        issuer=Address(row.issuer),
        size=row.size,
        used=row.used,
        created_at=instant(row.created_at),
    )


class StatusLists:
    """`registry.ports.credential_store.StatusListRepository`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, made: StatusList) -> None:
        """A new list, all of whose places are free."""
        statement = self._db.insert(LISTS).values(
            id=made.id,
            issuer=made.issuer,
            size=made.size,
            used=0,
            created_at=micros(made.created_at),
            taken=bytes(made.size // 8),
        )
        self._db.run(statement)

    def get(self, list_id: str) -> StatusList | None:
        """The list, or None."""
        row = self._db.first(_SHOWN.where(LISTS.c.id == list_id))
        return None if row is None else _list(row)

    def of_issuer(self, issuer: Address) -> Sequence[StatusList]:
        """The issuer's lists, the fullest first."""
        query = _SHOWN.where(LISTS.c.issuer == issuer).order_by(LISTS.c.used.desc())
        return [_list(row) for row in self._db.rows(query)]

    def with_room(self, issuer: Address, below: int) -> StatusList | None:
        """The fullest of the issuer's lists with fewer than ``below`` places given out."""
        query = _SHOWN.where(LISTS.c.issuer == issuer, LISTS.c.used < below).order_by(LISTS.c.used.desc())
        row = self._db.first(query.limit(1))
        return None if row is None else _list(row)

    def taken(self, list_id: str) -> bytes:
        """A bit for each place that is given out; the row stays locked until the unit ends."""
        row = self._db.first_locked(select(LISTS.c.taken).where(LISTS.c.id == list_id))
        assert row is not None, "lists are never removed"
        return bytes(row.taken)

    def take(self, list_id: str, taken: bytes, used: int) -> None:
        """Replaces what `taken` returned."""
        self._db.must(
            update(LISTS).where(LISTS.c.id == list_id).values(taken=taken, used=used), "the status list"
        )
