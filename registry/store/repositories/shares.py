"""Shares: some of a holder's credentials under one address."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, select
from sqlalchemy import Row as ResultRow

from registry.model.shares import Share
from registry.store.database import Database
from registry.store.rows import CredentialPageRow, SharedPageRow, ShareRow, table
from registry.store.values import instant, micros

SHARES = table(ShareRow)
SHARED = table(SharedPageRow)
PAGES = table(CredentialPageRow)


class Shares:
    """`registry.ports.page_store.ShareRepository`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, share: Share) -> None:
        """Store a share."""
        statement = self._db.insert(SHARES).values(
            id=share.id,
            holder=share.holder,
            title=share.title,
            show_name=share.show_name,
            created_at=micros(share.created_at),
            expires_at=micros(share.expires_at),
        )
        self._db.run(statement)
        rows = [(share.id, number, page_id) for number, page_id in share.pages.items()]
        self._db.insert_many(SHARED, ("share_id", "number", "page_id"), rows)

    def get(self, share_id: str, now: datetime) -> Share | None:
        """The share, if it is in force."""
        found = self._read(SHARES.c.id == share_id, now)
        return found[0] if found else None

    def of_holder(self, holder: str, now: datetime) -> Sequence[Share]:
        """Those in force, newest first."""
        return self._read(SHARES.c.holder == holder, now)

    def remove(self, holder: str, share_id: str) -> bool:
        """End a share. False when the holder has none of that id."""
        mine = and_(SHARES.c.id == share_id, SHARES.c.holder == holder)
        if self._db.run(delete(SHARES).where(mine)) == 0:
            return False
        self._db.run(delete(SHARED).where(SHARED.c.share_id == share_id))
        return True

    def purge(self, now: datetime) -> None:
        """Forget those that have expired."""
        over = select(SHARES.c.id).where(SHARES.c.expires_at <= micros(now))
        self._db.run(delete(SHARED).where(SHARED.c.share_id.in_(over)))
        self._db.run(delete(SHARES).where(SHARES.c.expires_at <= micros(now)))

    def _read(self, wanted: ColumnElement[bool], now: datetime) -> list[Share]:
        # A page that somebody else claimed meanwhile is not this holder's to show any more.
        theirs = and_(PAGES.c.id == SHARED.c.page_id, PAGES.c.holder == SHARES.c.holder)
        query = (
            select(SHARES, SHARED.c.number, PAGES.c.id.label("page_id"))
            .select_from(SHARES)
            .outerjoin(SHARED, SHARED.c.share_id == SHARES.c.id)
            .outerjoin(PAGES, theirs)
            .where(wanted, SHARES.c.expires_at > micros(now))
            .order_by(SHARES.c.created_at.desc(), SHARES.c.id, SHARED.c.number)
        )
        return [_share(list(rows)) for _, rows in groupby(self._db.rows(query), lambda row: row.id)]


def _share(rows: Sequence[ResultRow[Any]]) -> Share:
    """The share of its rows, one for each of its credentials."""
    first = rows[0]
    return Share(
        id=first.id,
        holder=first.holder,
        title=first.title,
        show_name=first.show_name,
        created_at=instant(first.created_at),
        expires_at=instant(first.expires_at),
        pages={row.number: row.page_id for row in rows if row.page_id is not None},
    )
