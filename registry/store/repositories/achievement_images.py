"""The picture of each achievement that has one uploaded."""

from __future__ import annotations

from sqlalchemy import delete, select

from registry.model.awards import AchievementImage
from registry.store.database import Database
from registry.store.rows import AchievementImageRow, table
from registry.store.values import instant, micros

IMAGES = table(AchievementImageRow)


class AchievementImages:
    """`registry.ports.award_store.AchievementImageRepository`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def put(self, image: AchievementImage) -> None:
        """Store a picture in the place of the one before."""
        self._db.run(delete(IMAGES).where(IMAGES.c.achievement_id == image.achievement_id))
        statement = self._db.insert(IMAGES).values(
            achievement_id=image.achievement_id,
            media_type=image.media_type,
            sha256=image.sha256,
            created_at=micros(image.created_at),
            data=image.data,
            pixels=image.pixels,
        )
        self._db.run(statement)

    def get(self, achievement_id: str) -> AchievementImage | None:
        """The picture, or None."""
        row = self._db.first(select(IMAGES).where(IMAGES.c.achievement_id == achievement_id))
        if row is None:
            return None
        return AchievementImage(
            achievement_id=row.achievement_id,
            media_type=row.media_type,
            sha256=bytes(row.sha256),
            created_at=instant(row.created_at),
            data=bytes(row.data),
            pixels=None if row.pixels is None else bytes(row.pixels),
        )
