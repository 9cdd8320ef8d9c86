"""The contract's events as indexed, and how far the chain was followed.

Ids are given out by a counter and never used twice, also not after a rewind; blocks are appended in order, so
ids stand in chain order. Reads come in pieces by id: a history is never in memory as a whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy import Row as ResultRow

from registry.encoding import Address, BlockHash, Root
from registry.errors import ConflictError
from registry.model.chain import WORD_BITS, EventKind, Header, IndexPosition, RegistryEvent
from registry.model.figures import StatusCount
from registry.model.reasons import Reason
from registry.ports.store import StoredEvent
from registry.store.database import Database
from registry.store.prepared import Prepared
from registry.store.repositories.counters import take_numbers
from registry.store.repositories.event_rows import (
    EVENTS,
    WORDS,
    event_values,
    read_events,
    word_values,
)
from registry.store.repositories.touching import events_touching
from registry.store.rows import HeaderRow, MismatchRow, PositionRow, table
from registry.store.values import instant, micros

HEADERS = table(HeaderRow)
POSITION = table(PositionRow)
MISMATCHES = table(MismatchRow)

_POSITION = Prepared(select(POSITION))
_MISMATCHES = Prepared(select(MISMATCHES.c.issuer, MISMATCHES.c.detail))

_NO_HEAD = bytes(32)
_WORDS_OF_A_BATCH = 2**32 // WORD_BITS
_PIECE = 500
_HEADER_COLUMNS = ("number", "hash", "parent_hash", "timestamp")
_THE_POSITION = 1


def _header(row: ResultRow[Any]) -> Header:
    return Header(
        number=row.number,
        hash=BlockHash(row.hash),
        parent_hash=BlockHash(row.parent_hash),
        timestamp=row.timestamp,
    )


class Events:
    """`registry.ports.store.EventRepository`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def position(self) -> IndexPosition | None:
        """How far the index is, or None before the first block."""
        rows = self._db.fetch(_POSITION)
        if not rows:
            return None
        row = rows[0]
        block = Header(
            number=row.block_number,
            hash=BlockHash(row.block_hash),
            parent_hash=BlockHash(row.parent_hash),
            timestamp=row.timestamp,
        )
        return IndexPosition(block=block, final_block=row.final_block, read_at=instant(row.read_at))

    def set_position(self, position: IndexPosition) -> None:
        """Replaces it."""
        values = {
            "block_number": position.block.number,
            "block_hash": position.block.hash,
            "parent_hash": position.block.parent_hash,
            "timestamp": position.block.timestamp,
            "final_block": position.final_block,
            "read_at": micros(position.read_at),
        }
        statement = self._db.insert(POSITION).values(id=_THE_POSITION, **values)
        self._db.run(statement.on_conflict_do_update(index_elements=[POSITION.c.id], set_=values))

    def recent_headers(self, limit: int) -> Sequence[Header]:
        """Newest first."""
        query = select(HEADERS).order_by(HEADERS.c.number.desc()).limit(limit)
        return [_header(row) for row in self._db.rows(query)]

    def append(
        self, headers: Sequence[Header], events: Sequence[RegistryEvent], *, keep_headers: int
    ) -> None:
        """Add blocks in order with their events; drop headers older than the newest ``keep_headers``.

        Raises:
            ConflictError: a block or event is not above those that are there: another process indexed it.
        """
        in_order = sorted(events, key=lambda event: event.position)
        self._refuse_known(headers, in_order)
        self._db.insert_many(
            HEADERS,
            _HEADER_COLUMNS,
            ((header.number, header.hash, header.parent_hash, header.timestamp) for header in headers),
        )
        if in_order:
            first = take_numbers(self._db, "index_events", len(in_order))
            numbered = list(enumerate(in_order, first))
            columns, rows = event_values(numbered)
            self._db.insert_many(EVENTS, columns, rows)
            columns, rows = word_values(numbered)
            self._db.insert_many(WORDS, columns, rows)
        oldest = select(HEADERS.c.number).order_by(HEADERS.c.number.desc()).offset(keep_headers - 1).limit(1)
        self._db.run(delete(HEADERS).where(HEADERS.c.number < oldest.scalar_subquery()))

    def _refuse_known(self, headers: Sequence[Header], events: Sequence[RegistryEvent]) -> None:
        newest = self._db.scalar(select(func.max(HEADERS.c.number)))
        numbers = [header.number for header in headers]
        if numbers != sorted(set(numbers)):
            raise ConflictError("blocks are appended in order")
        if numbers and newest is not None and numbers[0] <= newest:
            raise ConflictError("the block is indexed already")
        newest = self._db.scalar(select(func.max(EVENTS.c.block_number)))
        if events and newest is not None and events[0].block_number <= newest:
            raise ConflictError("the events are indexed already")

    def rewind(self, above_block: int) -> Sequence[StoredEvent]:
        """Delete headers and events above a height, and the position if it lies above; returns the deleted
        events in chain order."""
        gone = EVENTS.c.block_number > above_block
        deleted = [event for piece in self._pieces([gone]) for event in piece]
        if deleted:
            first = deleted[0].id
            self._db.run(delete(WORDS).where(WORDS.c.event_id >= first))
            self._db.run(delete(EVENTS).where(EVENTS.c.id >= first))
        self._db.run(delete(HEADERS).where(HEADERS.c.number > above_block))
        self._db.run(delete(POSITION).where(POSITION.c.block_number > above_block))
        return deleted

    def head_of(self, issuer: Address, up_to_block: int | None = None) -> bytes:
        """Head after the issuer's last indexed event (not above a height); 32 zero bytes when there is
        none."""
        query = select(EVENTS.c.head).where(EVENTS.c.issuer == issuer).order_by(EVENTS.c.id.desc()).limit(1)
        if up_to_block is not None:
            query = query.where(EVENTS.c.id <= _last_id(up_to_block))
        head: bytes | None = self._db.scalar(query)
        return _NO_HEAD if head is None else head

    def of_issuer(
        self, issuer: Address, *, up_to_block: int | None = None, after: int = 0, limit: int | None = None
    ) -> Iterator[StoredEvent]:
        """In chain order, ``id`` greater than ``after``, streamed in pieces."""
        conditions = [EVENTS.c.issuer == issuer]
        if up_to_block is not None:
            conditions.append(EVENTS.c.block_number <= up_to_block)
        for piece in self._pieces(conditions, after=after, limit=limit):
            yield from piece

    def touching(
        self, targets: Collection[tuple[Address, Root, int]], *, up_to_block: int | None = None
    ) -> Sequence[RegistryEvent]:
        """All that decides the status of (issuer, root, word); see `registry.store.repositories.touching`."""
        return events_touching(self._db, targets, up_to_block)

    def list(
        self,
        *,
        issuer: Address | None = None,
        kinds: Collection[EventKind] | None = None,
        reason: int | None = None,
        since: int | None = None,
        until: int | None = None,
        from_block: int = 0,
        up_to_block: int | None = None,
        after: int = 0,
        limit: int = 500,
    ) -> Sequence[StoredEvent]:
        """Chain order, ``id`` greater than ``after``; times in seconds, since inclusive, until exclusive;
        blocks both inclusive. Reason 0 finds every number without a name too, as it is shown for them."""
        conditions: list[ColumnElement[bool]] = []
        if issuer is not None:
            conditions.append(EVENTS.c.issuer == issuer)
        if kinds is not None:
            conditions.append(EVENTS.c.kind.in_([kind.value for kind in kinds]))
        if reason is not None:
            conditions.append(_has_reason(reason))
        if since is not None:
            conditions.append(EVENTS.c.at >= since)
        if until is not None:
            conditions.append(EVENTS.c.at < until)
        if from_block > 0:
            conditions.append(EVENTS.c.block_number >= from_block)
        if up_to_block is not None:
            conditions.append(EVENTS.c.block_number <= up_to_block)
        return [event for piece in self._pieces(conditions, after=after, limit=limit) for event in piece]

    def _pieces(
        self, conditions: Sequence[ColumnElement[bool]], *, after: int = 0, limit: int | None = None
    ) -> Iterator[Sequence[StoredEvent]]:
        while limit is None or limit > 0:
            wanted = _PIECE if limit is None else min(_PIECE, limit)
            query = select(EVENTS).where(*conditions, EVENTS.c.id > after).order_by(EVENTS.c.id)
            piece = read_events(self._db, query.limit(wanted))
            if piece:
                yield piece
            if len(piece) < wanted:
                return
            after = piece[-1].id
            limit = None if limit is None else limit - len(piece)

    def at(self, block_number: int, log_index: int) -> RegistryEvent | None:
        """The event at a place on the chain, or None."""
        place = (EVENTS.c.block_number == block_number, EVENTS.c.log_index == log_index)
        found = read_events(self._db, select(EVENTS).where(*place))
        return found[0].event if found else None

    def status_counts(self, issuer: Address | None, up_to_block: int, limit: int) -> Sequence[StatusCount]:
        """Changes of words by status events not above a height, newest first; see the port."""
        query = (
            select(EVENTS.c.kind, EVENTS.c.reason, EVENTS.c.at, WORDS.c.target, WORDS.c.mask)
            .join_from(EVENTS, WORDS, WORDS.c.event_id == EVENTS.c.id)
            .where(EVENTS.c.block_number <= up_to_block)
            .order_by(EVENTS.c.id.desc(), WORDS.c.position)
            .limit(limit)
        )
        if issuer is not None:
            query = query.where(EVENTS.c.issuer == issuer)
        return [
            StatusCount(EventKind(kind), reason, at, int.from_bytes(mask, "big").bit_count())
            for kind, reason, at, target, mask in self._db.rows(query)
            if int.from_bytes(target[-8:], "big") < _WORDS_OF_A_BATCH
        ]

    def issuers(self) -> Sequence[Address]:
        """Everyone who ever wrote to the contract, in order of address."""
        query = select(EVENTS.c.issuer).distinct().order_by(EVENTS.c.issuer)
        return [Address(row.issuer) for row in self._db.rows(query)]

    def set_mismatch(self, issuer: Address, block_number: int, detail: str) -> None:
        """Remember that the index contradicts the chain for this issuer."""
        values = {"block_number": block_number, "detail": detail}
        statement = self._db.insert(MISMATCHES).values(issuer=issuer, **values)
        self._db.run(statement.on_conflict_do_update(index_elements=[MISMATCHES.c.issuer], set_=values))

    def clear_mismatch(self, issuer: Address) -> None:
        """Forget it."""
        self._db.run(delete(MISMATCHES).where(MISMATCHES.c.issuer == issuer))

    def mismatches(self) -> Mapping[Address, str]:
        """Details by issuer."""
        return {Address(issuer): detail for issuer, detail in self._db.fetch(_MISMATCHES)}


def _last_id(up_to_block: int) -> Any:
    """The last id of a block not above ``up_to_block``; found in the index on (block, log index)."""
    return (
        select(EVENTS.c.id)
        .where(EVENTS.c.block_number <= up_to_block)
        .order_by(EVENTS.c.block_number.desc(), EVENTS.c.log_index.desc())
        .limit(1)
        .scalar_subquery()
    )


def _has_reason(reason: int) -> ColumnElement[bool]:
    if reason == Reason.UNSPECIFIED:
        return or_(EVENTS.c.reason == 0, EVENTS.c.reason > max(Reason))
    return EVENTS.c.reason == reason
