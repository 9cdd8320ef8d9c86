"""What the services need from a store for achievements and awards: three of `registry.ports.store`.

The rules of that module hold here too: within one unit, many things at once, no query per row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from registry.encoding import Address
from registry.model.awards import Achievement, AchievementImage, Award, AwardFilter, NewAward
from registry.model.batches import Batch
from registry.model.status_lists import AwardMark


class AchievementRepository(Protocol):
    """Achievements, all versions."""

    def add(self, achievement: Achievement) -> bool:
        """Store a version. False when that version of it exists: somebody else was quicker."""
        ...

    def get(self, achievement_id: str, version: int | None = None) -> Achievement | None:
        """That version, or the newest."""
        ...

    def newest(self, achievement_ids: Collection[str]) -> Mapping[str, Achievement]:
        """The newest version of each that exists."""
        ...

    def page(self, issuer: Address | None, after: str | None, limit: int) -> Sequence[Achievement]:
        """Newest versions in order of id, ``id`` greater than ``after``."""
        ...


class AchievementImageRepository(Protocol):
    """Uploaded pictures, one for an achievement at most."""

    def put(self, image: AchievementImage) -> None:
        """Store a picture in the place of the one before."""
        ...

    def get(self, achievement_id: str) -> AchievementImage | None: ...


class AwardRepository(Protocol):
    """Awards; those of receiving batches are not there. `BatchRepository.discard` removes a batch's awards,
    `EntryRepository.erase` what they say of the recipient."""

    def add(self, batch: Batch, first_index: int, awards: Sequence[NewAward]) -> None:
        """Store awards in bulk, for the entries from ``first_index`` on."""
        ...

    def get(self, award_id: str) -> Award | None: ...

    def by_ids(self, award_ids: Collection[str]) -> Sequence[Award]:
        """Those that exist, in the order of `by_places`."""
        ...

    def by_places(self, places: Collection[tuple[int, int]]) -> Sequence[Award]:
        """By (batch seq, index)."""
        ...

    def page(
        self,
        issuer: Address | None,
        *,
        achievement_id: str | None = None,
        batch_seq: int | None = None,
        before: tuple[int, int] | None = None,
        limit: int = 50,
    ) -> Sequence[Award]:
        """Newest first: by (batch seq, index) downwards, less than ``before``."""
        ...

    def matching(
        self, issuer: Address, wanted: AwardFilter, *, before: tuple[int, int] | None = None, limit: int = 50
    ) -> Sequence[Award]:
        """The issuer's awards that a filter lets through, in the order of `page`. An erased one has no issue
        date."""
        ...

    def to_recipient(self, issuer: Address, member: str, value: str) -> Sequence[Award]:
        """The issuer's awards whose recipient has ``member`` (email, did or url) with that value, but for
        upper and lower case in e-mail addresses; oldest first, erased ones not. Reads all of the issuer's."""
        ...

    def supersede(self, award_id: str, by: str) -> bool:
        """Say that ``by`` replaces the award. False when another one does already."""
        ...

    def marked(
        self,
        issuer: Address,
        places: Collection[tuple[int, int]],
        batches: Collection[int],
        *,
        status_list: str | None = None,
    ) -> Sequence[AwardMark]:
        """The issuer's awards whose entry is one of ``places`` (batch seq, index) or in one of ``batches``
        (seq), or has the digest of such an entry; once for each entry that it was found by. With
        ``status_list`` only those with a place in that list."""
        ...


class EndorsementRepository(Protocol):
    """Whom endorsements are about. `EntryRepository.erase` forgets an erased one."""

    def add(self, batch: Batch, index: int, subject: str) -> None: ...

    def about(
        self, subjects: Collection[str], issuers: Collection[Address], limit: int
    ) -> Sequence[tuple[int, int]]:
        """Places (batch seq, index) of the newest endorsements of one of the subjects by one of the
        issuers, newest first."""
        ...
