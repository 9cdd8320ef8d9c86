"""Awards: which entry is whose. Erasing and discarding them is done where their entries are."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row as ResultRow
from sqlalchemy import Select, and_, func, or_, select, update

from registry.encoding import Address
from registry.model.awards import Award, AwardFilter, NewAward
from registry.model.batches import Batch, BatchState
from registry.model.status_lists import AwardMark
from registry.store.database import Database
from registry.store.repositories.batches import AWARDS, BATCHES, DETAILS, ENTRIES, RECEIVING
from registry.store.repositories.entries import places_table
from registry.store.values import instant, micros, unique_chunks

_COLUMNS = (
    "id",
    "issuer",
    "batch_seq",
    "entry_index",
    "achievement_id",
    "achievement_version",
    "recipient",
    "fingerprint",
    "status_list",
    "status_index",
    "supersedes",
    "created_at",
    "credential_id",
)
_recipient_json = json.JSONEncoder(separators=(",", ":")).encode
_SHOWN = (
    select(AWARDS, BATCHES.c.id.label("batch_id"), BATCHES.c.state.label("batch_state"))
    .select_from(AWARDS.join(BATCHES, BATCHES.c.seq == AWARDS.c.batch_seq))
    .where(BATCHES.c.state != RECEIVING)
)


_OTHER = ENTRIES.alias("other")
_MINE = ENTRIES.alias("mine")
_OF_ENTRY = and_(AWARDS.c.batch_seq == _MINE.c.batch_seq, AWARDS.c.entry_index == _MINE.c.entry_index)
_MARK = (AWARDS.c.credential_id, AWARDS.c.status_index, AWARDS.c.status_list, AWARDS.c.issuer)
_BY_ENTRY = select(AWARDS.c.batch_seq, AWARDS.c.entry_index, *_MARK)
_BY_DIGEST = select(_OTHER.c.batch_seq, _OTHER.c.entry_index, *_MARK).select_from(
    _OTHER.join(_MINE, _MINE.c.digest == _OTHER.c.digest).join(AWARDS, _OF_ENTRY)
)


_DETAIL_OF_AWARD = and_(
    DETAILS.c.batch_seq == AWARDS.c.batch_seq, DETAILS.c.entry_index == AWARDS.c.entry_index
)


def _before(query: Select[Any], place: tuple[int, int] | None) -> Select[Any]:
    """Those that stand before a (batch seq, index)."""
    if place is None:
        return query
    seq, index = place
    earlier = and_(AWARDS.c.batch_seq == seq, AWARDS.c.entry_index < index)
    return query.where(or_(AWARDS.c.batch_seq < seq, earlier), AWARDS.c.batch_seq <= seq)


def _award(row: ResultRow[Any]) -> Award:
    return Award(
        id=row.id,
        issuer=Address(row.issuer),
        batch_seq=row.batch_seq,
        batch_id=row.batch_id,
        batch_state=BatchState(row.batch_state),
        index=row.entry_index,
        achievement_id=row.achievement_id,
        achievement_version=row.achievement_version,
        recipient=None if row.recipient is None else json.loads(row.recipient),
        fingerprint=row.fingerprint,
        status_list=row.status_list,
        status_index=row.status_index,
        supersedes=row.supersedes,
        superseded_by=row.superseded_by,
        created_at=instant(row.created_at),
    )


class Awards:
    """`registry.ports.award_store.AwardRepository`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, batch: Batch, first_index: int, awards: Sequence[NewAward]) -> None:
        """Store awards in bulk, for the entries from ``first_index`` on."""
        rows = (
            (
                award.id,
                batch.issuer,
                batch.seq,
                index,
                award.achievement_id,
                award.achievement_version,
                _recipient_json(award.recipient),
                award.fingerprint,
                award.status_list,
                award.status_index,
                award.supersedes,
                micros(award.created_at),
                award.credential_id,
            )
            for index, award in enumerate(awards, first_index)
        )
        self._db.insert_many(AWARDS, _COLUMNS, rows)

    def get(self, award_id: str) -> Award | None:
        """The award, or None."""
        row = self._db.first(_SHOWN.where(AWARDS.c.id == award_id))
        return None if row is None else _award(row)

    def by_ids(self, award_ids: Collection[str]) -> Sequence[Award]:
        """Those that exist, by batch and index."""
        found: list[Award] = []
        for chunk in unique_chunks(award_ids):
            found += [_award(row) for row in self._db.rows(_SHOWN.where(AWARDS.c.id.in_(chunk)))]
        found.sort(key=lambda award: (award.batch_seq, award.index))
        return found

    def by_places(self, places: Collection[tuple[int, int]]) -> Sequence[Award]:
        """By (batch seq, index), in that order."""
        found: list[Award] = []
        for chunk in unique_chunks(places):
            wanted = places_table(chunk)
            same = and_(
                AWARDS.c.batch_seq == wanted.c.batch_seq, AWARDS.c.entry_index == wanted.c.entry_index
            )
            found += [_award(row) for row in self._db.rows(_SHOWN.join(wanted, same))]
        found.sort(key=lambda award: (award.batch_seq, award.index))
        return found

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
        query = _SHOWN.order_by(AWARDS.c.batch_seq.desc(), AWARDS.c.entry_index.desc()).limit(limit)
        if issuer is not None:
            query = query.where(AWARDS.c.issuer == issuer)
        if achievement_id is not None:
            query = query.where(AWARDS.c.achievement_id == achievement_id)
        if batch_seq is not None:
            query = query.where(AWARDS.c.batch_seq == batch_seq)
        return [_award(row) for row in self._db.rows(_before(query, before))]

    def matching(
        self, issuer: Address, wanted: AwardFilter, *, before: tuple[int, int] | None = None, limit: int = 50
    ) -> Sequence[Award]:
        """The issuer's awards that a filter lets through, newest first; see `page`."""
        query = _SHOWN.where(AWARDS.c.issuer == issuer)
        if wanted.achievement_id is not None:
            query = query.where(AWARDS.c.achievement_id == wanted.achievement_id)
        if wanted.batch_seq is not None:
            query = query.where(AWARDS.c.batch_seq == wanted.batch_seq)
        if wanted.batch_states is not None:
            query = query.where(BATCHES.c.state.in_([state.value for state in wanted.batch_states]))
        if wanted.issued_from is not None or wanted.issued_before is not None:
            query = query.join(DETAILS, _DETAIL_OF_AWARD)
        if wanted.issued_from is not None:
            query = query.where(DETAILS.c.valid_from >= micros(wanted.issued_from))
        if wanted.issued_before is not None:
            query = query.where(DETAILS.c.valid_from < micros(wanted.issued_before))
        query = query.order_by(AWARDS.c.batch_seq.desc(), AWARDS.c.entry_index.desc()).limit(limit)
        return [_award(row) for row in self._db.rows(_before(query, before))]

    def to_recipient(self, issuer: Address, member: str, value: str) -> Sequence[Award]:
        """The issuer's awards whose recipient has ``member`` with that value, oldest first; e-mail addresses
        in any case."""
        # In JSON a quotation mark within a text is escaped, so this fragment stands nowhere else.
        fragment = json.dumps({member: value}, separators=(",", ":"))[1:-1].lower()
        query = _SHOWN.where(
            AWARDS.c.issuer == issuer, func.lower(AWARDS.c.recipient).contains(fragment, autoescape=True)
        ).order_by(AWARDS.c.batch_seq, AWARDS.c.entry_index)
        found = [_award(row) for row in self._db.rows(query)]
        folded = str.lower if member == "email" else str
        return [
            award
            for award in found
            if award.recipient is not None and folded(str(award.recipient.get(member))) == folded(value)
        ]

    def supersede(self, award_id: str, by: str) -> bool:
        """Say that ``by`` replaces the award. False when another one does already."""
        statement = (
            update(AWARDS)
            .where(AWARDS.c.id == award_id, AWARDS.c.superseded_by.is_(None))
            .values(superseded_by=by)
        )
        return self._db.run(statement) > 0

    def marked(
        self,
        issuer: Address,
        places: Collection[tuple[int, int]],
        batches: Collection[int],
        *,
        status_list: str | None = None,
    ) -> Sequence[AwardMark]:
        """The issuer's awards whose entry is one of ``places`` or in one of ``batches``, or has the digest of
        such an entry; once for each entry that it was found by."""
        found: set[AwardMark] = set()

        def keep(query: Select[Any]) -> None:
            # Issuer and list are looked at here: a database that searched by them would go through the whole
            # list for each entry.
            for *mark, of_list, of_issuer in self._db.rows(query):
                if of_issuer == issuer and status_list in (None, of_list):
                    found.add(AwardMark(*mark))

        # An erased entry has no digest and is found by its place alone.
        for query, entry in ((_BY_ENTRY, AWARDS), (_BY_DIGEST, _OTHER)):
            for chunk in unique_chunks(places):
                wanted = places_table(chunk)
                same = and_(
                    entry.c.batch_seq == wanted.c.batch_seq, entry.c.entry_index == wanted.c.entry_index
                )
                keep(query.join(wanted, same))
            for seqs in unique_chunks(batches):
                keep(query.where(entry.c.batch_seq.in_(seqs)))
        return sorted(found, key=lambda mark: (mark.batch_seq, mark.entry_index, mark.credential_id or ""))
