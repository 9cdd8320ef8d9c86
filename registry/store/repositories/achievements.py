"""Achievements, all versions of them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Row as ResultRow
from sqlalchemy import func, select

from registry.encoding import Address
from registry.model.awards import Achievement
from registry.store.database import Database
from registry.store.rows import AchievementRow, table
from registry.store.values import instant, micros, unique_chunks

ACHIEVEMENTS = table(AchievementRow)

_OTHER = ACHIEVEMENTS.alias("other")
_NEWEST = select(func.max(_OTHER.c.version)).where(_OTHER.c.id == ACHIEVEMENTS.c.id).scalar_subquery()
_IS_NEWEST = ACHIEVEMENTS.c.version == _NEWEST


def _achievement(row: ResultRow[Any]) -> Achievement:
    return Achievement(
        issuer=Address(row.issuer),
        id=row.id,
        version=row.version,
        document=json.loads(row.document),
        created_at=instant(row.created_at),
    )


class Achievements:
    """`registry.ports.award_store.AchievementRepository`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, achievement: Achievement) -> bool:
        """Store a version. False when that version of it exists."""
        statement = (
            self._db.insert(ACHIEVEMENTS)
            .values(
                id=achievement.id,
                version=achievement.version,
                issuer=achievement.issuer,
                document=json.dumps(achievement.document, separators=(",", ":")),
                created_at=micros(achievement.created_at),
            )
            .on_conflict_do_nothing()
        )
        return self._db.run(statement) > 0

    def get(self, achievement_id: str, version: int | None = None) -> Achievement | None:
        """That version, or the newest."""
        query = select(ACHIEVEMENTS).where(ACHIEVEMENTS.c.id == achievement_id)
        if version is not None:
            query = query.where(ACHIEVEMENTS.c.version == version)
        row = self._db.first(query.order_by(ACHIEVEMENTS.c.version.desc()).limit(1))
        return None if row is None else _achievement(row)

    def newest(self, achievement_ids: Collection[str]) -> Mapping[str, Achievement]:
        """The newest version of each that exists."""
        found: dict[str, Achievement] = {}
        for chunk in unique_chunks(achievement_ids):
            query = select(ACHIEVEMENTS).where(ACHIEVEMENTS.c.id.in_(chunk), _IS_NEWEST)
            found.update({row.id: _achievement(row) for row in self._db.rows(query)})
        return found

    def page(self, issuer: Address | None, after: str | None, limit: int) -> Sequence[Achievement]:
        """Newest versions in order of id, ``id`` greater than ``after``."""
        query = select(ACHIEVEMENTS).where(_IS_NEWEST)
        if issuer is not None:
            query = query.where(ACHIEVEMENTS.c.issuer == issuer)
        if after is not None:
            query = query.where(ACHIEVEMENTS.c.id > after)
        rows = self._db.rows(query.order_by(ACHIEVEMENTS.c.id).limit(limit))
        return [_achievement(row) for row in rows]
