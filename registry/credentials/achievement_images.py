"""Pictures of achievements, uploaded here: cleaned, kept, and served at an address of their own.

A picture is decoded and written anew (`registry.credentials.carriers.images`), so that nothing of the upload
but its pixels, or a cleaned drawing, is handed on. Uploading makes a new version of the achievement whose
``image`` is the address, unless it is that already: what was issued before keeps what it says. There is one
picture for an achievement; another takes its place at the same address.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from registry.credentials.carriers.images import PNG_TYPE, SVG_TYPE, Picture, clean_picture
from registry.errors import ConfigurationError, NotFoundError, PreconditionFailedError, WrongStateError
from registry.model.awards import Achievement, AchievementImage
from registry.model.issuers import Caller, Scope
from registry.ports.clock import Clock
from registry.ports.store import Store, Unit
from registry.services.access import require_issuer

IMAGE_PATH = "/achievements/{achievement_id}/image.{ending}"
ENDINGS = {"png": PNG_TYPE, "svg": SVG_TYPE}

_ENDING_OF = {media_type: ending for ending, media_type in ENDINGS.items()}


def image_path(achievement_id: str, media_type: str) -> str:
    """Where a picture is served, below the server's address."""
    return IMAGE_PATH.format(achievement_id=achievement_id, ending=_ENDING_OF[media_type])


def own_picture(unit: Unit, achievement: Achievement) -> Picture | None:
    """The uploaded picture, where this version of the achievement names it; nothing is fetched for others."""
    named = achievement.document.get("image")
    if not isinstance(named, str):
        return None
    found = unit.achievement_images.get(achievement.id)
    if found is None or not named.endswith(image_path(found.achievement_id, found.media_type)):
        return None
    return Picture(found.media_type, found.data, found.pixels)


class AchievementImageService:
    """Uploaded pictures of the achievements of issuers hosted here."""

    def __init__(self, store: Store, clock: Clock, base: Callable[[], str]) -> None:
        """``base`` gives the server's address, of which DIDs are made too."""
        self._store = store
        self._clock = clock
        self._base = base

    def put(self, caller: Caller, achievement_id: str, data: bytes) -> Achievement:
        """Keep a picture for an achievement; the achievement's newest version, which names it.

        Raises:
            ForbiddenError: not an issuer's key with scope `batch`.
            NotFoundError: the issuer has no such achievement.
            UnsupportedMediaTypeError, TooLargeError, ValidationError: see `clean_picture`.
            WrongStateError: the server has no address that lasts.
            PreconditionFailedError: somebody changed the achievement at the same time.
        """
        issuer = require_issuer(caller, Scope.BATCH)
        with self._store.read() as unit:
            _own(unit, issuer, achievement_id)
        picture = clean_picture(data)
        try:
            address = self._base() + image_path(achievement_id, picture.media_type)
        except ConfigurationError as error:
            raise WrongStateError("this server has no address at which a picture could stay") from error
        now = self._clock.now()
        digest = sha256(picture.data).digest()
        with self._store.write() as unit:
            newest = _own(unit, issuer, achievement_id)
            unit.achievement_images.put(
                AchievementImage(
                    achievement_id, picture.media_type, digest, now, picture.data, picture.pixels
                )
            )
            if newest.document.get("image") == address:
                return newest
            document = {**newest.document, "image": address}
            made = Achievement(issuer, achievement_id, newest.version + 1, document, now)
            if not unit.achievements.add(made):
                raise PreconditionFailedError("the achievement has another version by now")
            return made

    def get(self, achievement_id: str, ending: str) -> AchievementImage:
        """The picture, if it is of that kind. Raises `NotFoundError`."""
        with self._store.read() as unit:
            found = unit.achievement_images.get(achievement_id)
        if found is None or found.media_type != ENDINGS.get(ending):
            raise NotFoundError("no such picture here")
        return found


def _own(unit: Unit, issuer: bytes, achievement_id: str) -> Achievement:
    newest = unit.achievements.get(achievement_id)
    if newest is None or newest.issuer != issuer:
        raise NotFoundError("no such achievement of this issuer")
    return newest
