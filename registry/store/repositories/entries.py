"""Entries of batches: reading and erasing. Adding them in bulk is `registry.store.repositories.adding`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import CTE, BigInteger, and_, bindparam, column, func, select, text
from sqlalchemy import Row as ResultRow

from registry.encoding import Address, Digest, DigestMethod, Root, Salt
from registry.model.batches import Batch, BatchState, Entry, NewEntry
from registry.store.database import Database
from registry.store.prepared import Prepared
from registry.store.repositories.adding import add_entries
from registry.store.repositories.batches import BATCHES, DETAILS, ENTRIES, RECEIVING
from registry.store.repositories.erasing import erase_entries
from registry.store.repositories.feed import Feed
from registry.store.values import METHODS, maybe_instant, unique_chunks

_PIECE = 16_384
"""Entries read at once while streaming a batch."""

_SHOWN_INDICES = 5

_PLACE = and_(DETAILS.c.batch_seq == ENTRIES.c.batch_seq, DETAILS.c.entry_index == ENTRIES.c.entry_index)
_FULL = (
    select(
        ENTRIES.c.batch_seq,
        BATCHES.c.id,
        BATCHES.c.state,
        BATCHES.c.issuer,
        BATCHES.c.root,
        BATCHES.c.size,
        ENTRIES.c.entry_index,
        ENTRIES.c.digest,
        ENTRIES.c.method,
        ENTRIES.c.salt,
        DETAILS.c.external_id,
        DETAILS.c.valid_from,
        DETAILS.c.valid_until,
    )
    .select_from(ENTRIES.join(BATCHES, BATCHES.c.seq == ENTRIES.c.batch_seq).outerjoin(DETAILS, _PLACE))
    .where(BATCHES.c.state != RECEIVING, ENTRIES.c.digest.is_not(None))
)
_BY_DIGEST = Prepared(_FULL.where(ENTRIES.c.digest.in_(bindparam("digests", expanding=True))))
_LEAVES = (
    select(ENTRIES.c.digest, ENTRIES.c.method, ENTRIES.c.salt)
    .where(
        ENTRIES.c.batch_seq == bindparam("seq"),
        ENTRIES.c.entry_index >= bindparam("first"),
        ENTRIES.c.entry_index < bindparam("end"),
    )
    .order_by(ENTRIES.c.entry_index)
)


def places_table(wanted: Sequence[tuple[int, int]]) -> CTE:
    """Pairs as a table to join with: an IN list of pairs would not be searched in SQLite's indexes."""
    pairs = ", ".join(f"({int(seq)}, {int(index)})" for seq, index in wanted)
    # Only integers are written into the statement.
    listed = text(f"SELECT column1 AS batch_seq, column2 AS entry_index FROM (VALUES {pairs}) AS listed")  # noqa: S608
    return listed.columns(column("batch_seq", BigInteger), column("entry_index", BigInteger)).cte("wanted")


def _entry(row: Sequence[Any]) -> Entry:
    seq, batch_id, state, issuer, root, size, index, digest, method, salt, external_id, since, until = row
    return Entry(
        batch_seq=seq,
        batch_id=batch_id,
        batch_state=BatchState(state),
        issuer=Address(issuer),
        root=None if root is None else Root(root),
        size=size,
        index=index,
        digest=Digest(digest),
        method=METHODS[method],
        salt=Salt(salt),
        external_id=external_id,
        valid_from=maybe_instant(since),
        valid_until=maybe_instant(until),
    )


def _in_order(rows: Sequence[ResultRow[Any]]) -> Sequence[Entry]:
    entries = [_entry(row) for row in rows]
    entries.sort(key=lambda entry: (entry.batch_seq, entry.index))
    return entries


class Entries:
    """`registry.ports.store.EntryRepository`."""

    def __init__(self, database: Database, feed: Feed) -> None:
        self._db = database
        self._feed = feed

    def add(self, batch: Batch, first_index: int, entries: Sequence[NewEntry]) -> None:
        """Append in bulk and set the batch's size to ``first_index + len(entries)``.

        Raises:
            ExternalIdConflictError: taken, or twice in ``entries``; pointers are `/<position in entries>`.
            ValidationError: an external id that a database cannot hold; pointers likewise.
            WrongStateError: the batch is not being filled, or has another size than ``first_index``.
        """
        add_entries(self._db, batch, first_index, entries)

    def leaf_inputs(self, seq: int) -> Iterator[tuple[Digest, DigestMethod, Salt]]:
        """In index order, streamed in pieces; erased ones are left out, so that fewer than the batch's size
        may come."""
        first = 0
        while rows := self._db.rows(_LEAVES, {"seq": seq, "first": first, "end": first + _PIECE}):
            for digest, method, salt in rows:
                if digest is not None:
                    yield Digest(digest), METHODS[method], Salt(salt)
            first += _PIECE

    def set_salt(self, seq: int, index: int, salt: Salt) -> None:
        """Raises `NotFoundError`; an erased entry stays erased."""
        statement = (
            ENTRIES.update()
            .where(ENTRIES.c.batch_seq == seq, ENTRIES.c.entry_index == index, ENTRIES.c.digest.is_not(None))
            .values(salt=salt)
        )
        self._db.must(statement, "the entry")

    def repeated_in(self, seq: int, limit: int) -> Sequence[tuple[Digest, tuple[int, ...]]]:
        """Digests that stand more than once in the batch, with their first five indices; in order of the
        first."""
        repeated = (
            select(ENTRIES.c.digest)
            .where(ENTRIES.c.batch_seq == seq, ENTRIES.c.digest.is_not(None))
            .group_by(ENTRIES.c.digest)
            .having(func.count() > 1)
            .order_by(func.min(ENTRIES.c.entry_index))
            .limit(limit)
        )
        found: dict[bytes, list[int]] = {row.digest: [] for row in self._db.rows(repeated)}
        for chunk in unique_chunks(found):
            query = (
                select(ENTRIES.c.digest, ENTRIES.c.entry_index)
                .where(ENTRIES.c.batch_seq == seq, ENTRIES.c.digest.in_(chunk))
                .order_by(ENTRIES.c.entry_index)
            )
            for digest, index in self._db.rows(query):
                found[digest].append(index)
        return [(Digest(digest), tuple(indices[:_SHOWN_INDICES])) for digest, indices in found.items()]

    def already_anchored(self, seq: int, limit: int) -> Sequence[tuple[int, str]]:
        """(index in this batch, id of the other batch), in order of the index, where the same issuer has the
        digest in another batch that has neither failed nor is receiving; the oldest such batch."""
        other, mine, theirs = ENTRIES.alias("other"), BATCHES.alias("mine"), BATCHES.alias("theirs")
        idle = (RECEIVING, BatchState.FAILED.value)
        query = (
            select(ENTRIES.c.entry_index, func.min(theirs.c.seq).label("seq"))
            .select_from(
                ENTRIES.join(mine, mine.c.seq == ENTRIES.c.batch_seq)
                .join(other, other.c.digest == ENTRIES.c.digest)
                .join(theirs, theirs.c.seq == other.c.batch_seq)
            )
            .where(
                ENTRIES.c.batch_seq == seq,
                other.c.batch_seq != seq,
                theirs.c.issuer == mine.c.issuer,
                theirs.c.state.not_in(idle),
            )
            .group_by(ENTRIES.c.entry_index)
            .order_by(ENTRIES.c.entry_index)
            .limit(limit)
        )
        rows = self._db.rows(query)
        names: dict[int, str] = {}
        for chunk in unique_chunks([row.seq for row in rows]):
            named = self._db.rows(select(BATCHES.c.seq, BATCHES.c.id).where(BATCHES.c.seq.in_(chunk)))
            names.update(dict(named))
        return [(row.entry_index, names[row.seq]) for row in rows]

    def by_digests(self, digests: Collection[Digest], *, issuer: Address | None = None) -> Sequence[Entry]:
        """All entries with these digests, oldest batch first; erased ones and those of receiving batches are
        not there."""
        rows = self._db.fetch_all(_BY_DIGEST, "digests", dict.fromkeys(digests))
        if issuer is not None:
            rows = [row for row in rows if row.issuer == issuer]
        return _in_order(rows)

    def by_external_ids(self, issuer: Address, external_ids: Collection[str]) -> Sequence[Entry]:
        """The issuer's entries under these names, oldest batch first."""
        rows: list[ResultRow[Any]] = []
        for chunk in unique_chunks(external_ids):
            query = _FULL.where(DETAILS.c.issuer == issuer, DETAILS.c.external_id.in_(chunk))
            rows += self._db.rows(query)
        return _in_order(rows)

    def by_indices(self, wanted: Collection[tuple[int, int]]) -> Sequence[Entry]:
        """By (batch seq, index), in that order."""
        rows: list[ResultRow[Any]] = []
        for chunk in unique_chunks(wanted):
            places = places_table(chunk)
            query = _FULL.join(
                places,
                and_(
                    ENTRIES.c.batch_seq == places.c.batch_seq, ENTRIES.c.entry_index == places.c.entry_index
                ),
            )
            rows += self._db.rows(query)
        return _in_order(rows)

    def of_batch(self, seq: int, first_index: int, limit: int) -> Sequence[Entry]:
        """In index order from ``first_index``; erased ones are left out."""
        query = (
            _FULL.where(ENTRIES.c.batch_seq == seq, ENTRIES.c.entry_index >= first_index)
            .order_by(ENTRIES.c.entry_index)
            .limit(limit)
        )
        return [_entry(row) for row in self._db.rows(query)]

    def document(self, seq: int, index: int) -> bytes | None:
        """The stored document, or None."""
        query = select(DETAILS.c.document).where(DETAILS.c.batch_seq == seq, DETAILS.c.entry_index == index)
        document: bytes | None = self._db.scalar(query)
        return document

    def documents(self, wanted: Collection[tuple[int, int]]) -> Mapping[tuple[int, int], bytes]:
        """By (batch seq, index), those that are stored."""
        found: dict[tuple[int, int], bytes] = {}
        for chunk in unique_chunks(wanted):
            places = places_table(chunk)
            here = and_(
                DETAILS.c.batch_seq == places.c.batch_seq, DETAILS.c.entry_index == places.c.entry_index
            )
            query = select(DETAILS.c.batch_seq, DETAILS.c.entry_index, DETAILS.c.document).join(places, here)
            rows = self._db.rows(query.where(DETAILS.c.document.is_not(None)))
            found |= {(seq, index): document for seq, index, document in rows}
        return found

    def erase(self, issuer: Address, digest: Digest, *, keep_credential_ids: bool = False) -> int:
        """Remove digest, salt, document, dates and external id of the issuer's entries with that digest, and
        what their awards say of the recipient, and the ids of their credentials unless those are to be kept;
        root, tiles and index stay. Copies in idempotency answers, feed payloads and status requests go too.
        Returns how many entries.

        Raises:
            NotSealedError: one of them stands in an open batch, whose tree still needs it.
        """
        self._feed.flush()
        return erase_entries(self._db, issuer, digest, keep_credential_ids)
