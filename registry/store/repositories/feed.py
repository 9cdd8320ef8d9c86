"""The ordered feed and its consumers' cursors.

Items wait in the unit and get their numbers just before it commits: the counter's row is then locked from the
numbering to the commit, so numbers follow commits, and for as short as possible.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row as ResultRow
from sqlalchemy import func, select

from registry.encoding import Address
from registry.ports.store import FeedItem
from registry.store.database import Database
from registry.store.repositories.counters import take_numbers
from registry.store.rows import FeedCursorRow, FeedRow, table
from registry.store.values import instant, micros, unique_chunks

FEED = table(FeedRow)
CURSORS = table(FeedCursorRow)

_COLUMNS = ("id", "at", "kind", "issuer", "payload")


def _item(row: ResultRow[Any]) -> FeedItem:
    return FeedItem(
        id=row.id,
        at=instant(row.at),
        kind=row.kind,
        issuer=Address(row.issuer),
        payload=json.loads(row.payload),
    )


class Feed:
    """`registry.ports.store.FeedRepository`."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._waiting: list[tuple[int, str, bytes, str]] = []

    def append(self, at: datetime, kind: str, issuer: Address, payload: Mapping[str, Any]) -> None:
        """Ids grow in commit order. ``payload`` is anything JSON can say; raises TypeError otherwise."""
        self._waiting.append((micros(at), kind, issuer, json.dumps(payload, separators=(",", ":"))))

    def flush(self) -> None:
        """Number and store what waits."""
        if not self._waiting:
            return
        first = take_numbers(self._db, "feed", len(self._waiting))
        rows = ((number, *item) for number, item in enumerate(self._waiting, first))
        self._db.insert_many(FEED, _COLUMNS, rows)
        self._waiting.clear()

    def after(
        self, after: int, limit: int, *, issuer: Address | None = None, since: datetime | None = None
    ) -> Sequence[FeedItem]:
        """Oldest first, ``id`` greater than ``after``, not from before ``since``."""
        self.flush()
        query = select(FEED).where(FEED.c.id > after).order_by(FEED.c.id).limit(limit)
        if issuer is not None:
            query = query.where(FEED.c.issuer == issuer)
        if since is not None:
            query = query.where(FEED.c.at >= micros(since))
        return [_item(row) for row in self._db.rows(query)]

    def items(self, ids: Collection[int]) -> Sequence[FeedItem]:
        """In order of id; what is not there is left out."""
        self.flush()
        found: list[FeedItem] = []
        for chunk in unique_chunks(sorted(ids)):
            found += [
                _item(row)
                for row in self._db.rows(select(FEED).where(FEED.c.id.in_(chunk)).order_by(FEED.c.id))
            ]
        return found

    def newest(self) -> int:
        """Id of the newest item; 0 when there is none."""
        self.flush()
        return self._db.scalar(select(func.max(FEED.c.id))) or 0

    def cursor(self, consumer: str) -> int:
        """0 for a consumer that is not known."""
        return self._db.scalar(select(CURSORS.c.position).where(CURSORS.c.consumer == consumer)) or 0

    def set_cursor(self, consumer: str, position: int) -> None:
        """Remember how far the consumer has come."""
        statement = self._db.insert(CURSORS).values(consumer=consumer, position=position)
        self._db.run(
            statement.on_conflict_do_update(
                index_elements=[CURSORS.c.consumer], set_={"position": statement.excluded.position}
            )
        )
