"""Batches, their tiles, and where they stand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Row as ResultRow
from sqlalchemy import bindparam, delete, func, or_, select, update

from registry.encoding import Address, BlockHash, Root, TxHash
from registry.errors import ConflictError, WrongStateError
from registry.model.batches import Anchor, Batch, BatchState
from registry.model.chain import SendMode
from registry.model.figures import AnchoredBatch
from registry.store.database import Database
from registry.store.prepared import Prepared
from registry.store.rows import AwardRow, BatchRow, EntryDetailRow, EntryRow, TileRow, table
from registry.store.values import instant, maybe_instant, micros

BATCHES = table(BatchRow)
TILES = table(TileRow)
ENTRIES = table(EntryRow)
DETAILS = table(EntryDetailRow)
AWARDS = table(AwardRow)

RECEIVING = BatchState.RECEIVING.value
_FILLING = (BatchState.OPEN.value, RECEIVING)


_BY_ID = Prepared(select(BATCHES).where(BATCHES.c.id == bindparam("id"), BATCHES.c.state != RECEIVING))
_BY_SEQ = Prepared(select(BATCHES).where(BATCHES.c.seq == bindparam("seq")))
_BY_ROOT = Prepared(select(BATCHES).where(BATCHES.c.root.in_(bindparam("roots", expanding=True))))
_TILES = Prepared(
    select(TILES.c.place, TILES.c.nodes).where(
        TILES.c.batch_seq == bindparam("seq"), TILES.c.place.in_(bindparam("places", expanding=True))
    )
)


def tile_place(level: int, index: int) -> int:
    """Where a tile stands in its batch, as one number: a list of numbers is searched in the index, one of
    pairs is not."""
    return (level << 32) + index


def _anchor(row: ResultRow[Any]) -> Anchor | None:
    if row.anchor_transaction is None:
        return None
    return Anchor(
        transaction=TxHash(row.anchor_transaction),
        block_number=row.anchor_block,
        block_hash=BlockHash(row.anchor_block_hash),
        anchored_at=instant(row.anchor_at),
        gas_used=row.anchor_gas_used,
        fee_wei=int(row.anchor_fee_wei),
        sender=Address(row.anchor_sender),
        mode=SendMode(row.anchor_mode),
    )


def _anchor_values(anchor: Anchor | None) -> dict[str, Any]:
    return {
        "anchor_transaction": anchor and anchor.transaction,
        "anchor_block": anchor and anchor.block_number,
        "anchor_block_hash": anchor and anchor.block_hash,
        "anchor_at": anchor and micros(anchor.anchored_at),
        "anchor_gas_used": anchor and anchor.gas_used,
        "anchor_fee_wei": anchor and str(anchor.fee_wei),
        "anchor_sender": anchor and anchor.sender,
        "anchor_mode": anchor and anchor.mode.value,
    }


def _batch(row: ResultRow[Any]) -> Batch:
    return Batch(
        seq=row.seq,
        id=row.id,
        issuer=Address(row.issuer),
        state=BatchState(row.state),
        size=row.size,
        root=None if row.root is None else Root(row.root),
        created_at=instant(row.created_at),
        sealed_at=maybe_instant(row.sealed_at),
        anchor=_anchor(row),
        error=row.error,
        awaiting_approval_of=row.awaiting_approval_of,
    )


class Batches:
    """`registry.ports.store.BatchRepository`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def create(self, issuer: Address, state: BatchState, at: datetime, *, allow_duplicate: bool) -> Batch:
        """An empty batch with a random public id. Raises `ConflictError` when the issuer has an open batch
        already and this would be the second."""
        batch_id = str(uuid4())
        statement = (
            self._db.insert(BATCHES)
            .values(
                id=batch_id,
                issuer=issuer,
                state=state.value,
                size=0,
                allow_duplicate=allow_duplicate,
                created_at=micros(at),
                touched_at=micros(at),
            )
            .on_conflict_do_nothing()
            .returning(BATCHES.c.seq)
        )
        seq = self._db.scalar(statement)
        if seq is None:
            raise ConflictError("the issuer already has an open batch")
        return Batch(
            seq=seq,
            id=batch_id,
            issuer=issuer,
            state=state,
            size=0,
            root=None,
            created_at=at,
            sealed_at=None,
            anchor=None,
            error=None,
        )

    def by_id(self, batch_id: str) -> Batch | None:
        """Never one that is still `receiving`."""
        rows = self._db.fetch(_BY_ID, id=batch_id)
        return _batch(rows[0]) if rows else None

    def by_seq(self, seq: int) -> Batch | None:
        """Any batch."""
        rows = self._db.fetch(_BY_SEQ, seq=seq)
        return _batch(rows[0]) if rows else None

    def by_roots(self, roots: Collection[tuple[Address, Root]]) -> Sequence[Batch]:
        """Batches by issuer and root, oldest first."""
        wanted = set(roots)
        rows = self._db.fetch_all(_BY_ROOT, "roots", {root for _, root in roots})
        rows.sort(key=lambda row: row.seq)
        return [_batch(row) for row in rows if (row.issuer, row.root) in wanted]

    def page(
        self, issuer: Address | None, state: BatchState | None, before: int | None, limit: int
    ) -> Sequence[Batch]:
        """Newest first, ``seq`` less than ``before``; never `receiving`."""
        query = select(BATCHES).order_by(BATCHES.c.seq.desc()).limit(limit)
        query = query.where(BATCHES.c.state != RECEIVING)
        if issuer is not None:
            query = query.where(BATCHES.c.issuer == issuer)
        if state is not None:
            query = query.where(BATCHES.c.state == state.value)
        if before is not None:
            query = query.where(BATCHES.c.seq < before)
        return [_batch(row) for row in self._db.rows(query)]

    def open_batch(self, issuer: Address) -> Batch | None:
        """The issuer's one open batch; its row stays locked until the unit ends."""
        query = select(BATCHES).where(BATCHES.c.issuer == issuer, BATCHES.c.state == BatchState.OPEN.value)
        row = self._db.first_locked(query)
        return None if row is None else _batch(row)

    def open_due(self, created_before: datetime, size_from: int) -> Sequence[Batch]:
        """Open, non-empty batches that were created at ``created_before`` or earlier, or are large enough to
        seal."""
        due = or_(BATCHES.c.created_at <= micros(created_before), BATCHES.c.size >= size_from)
        query = (
            select(BATCHES)
            .where(BATCHES.c.state == BatchState.OPEN.value, BATCHES.c.size > 0, due)
            .order_by(BATCHES.c.seq)
        )
        return [_batch(row) for row in self._db.rows(query)]

    def seal(
        self,
        seq: int,
        root: Root,
        tiles: Iterable[tuple[int, int, bytes]],
        at: datetime,
        *,
        awaiting_approval_of: str | None = None,
    ) -> None:
        """Store root and tiles (level, index, flat bytes) and go to `sealed`.

        Raises:
            WrongStateError: the batch is neither open nor receiving.
        """
        statement = (
            update(BATCHES)
            .where(BATCHES.c.seq == seq, BATCHES.c.state.in_(_FILLING))
            .values(
                state=BatchState.SEALED.value,
                root=root,
                sealed_at=micros(at),
                awaiting_approval_of=awaiting_approval_of,
            )
        )
        if self._db.run(statement) == 0:
            raise WrongStateError("the batch is sealed already, or does not exist")
        rows = ((seq, tile_place(level, index), nodes) for level, index, nodes in tiles)
        self._db.insert_many(TILES, ("batch_seq", "place", "nodes"), rows)

    def read_tiles(self, seq: int, wanted: Collection[tuple[int, int]]) -> Mapping[tuple[int, int], bytes]:
        """Those (level, index) that exist."""
        places = {tile_place(level, index): (level, index) for level, index in wanted}
        return {
            places[place]: nodes for place, nodes in self._db.fetch_all(_TILES, "places", places, seq=seq)
        }

    def set_state(self, seq: int, state: BatchState, *, anchor: Anchor | None, error: str | None) -> None:
        """Replaces anchor and error too. Raises `NotFoundError`."""
        values = {"state": state.value, "error": error, **_anchor_values(anchor)}
        self._db.must(update(BATCHES).where(BATCHES.c.seq == seq).values(values), "the batch")

    def approve(self, seq: int) -> None:
        """Clear `awaiting_approval_of`. Raises `NotFoundError`."""
        statement = update(BATCHES).where(BATCHES.c.seq == seq).values(awaiting_approval_of=None)
        self._db.must(statement, "the batch")

    def touch(self, seq: int, at: datetime) -> None:
        """Say that a receiving batch is still being filled. Raises `WrongStateError` when it no longer is: it
        was given up as abandoned."""
        statement = (
            update(BATCHES)
            .where(BATCHES.c.seq == seq, BATCHES.c.state == RECEIVING)
            .values(touched_at=micros(at))
        )
        if self._db.run(statement) == 0:
            raise WrongStateError("the batch is no longer being received")

    def abandoned(self, untouched_since: datetime) -> Sequence[int]:
        """Receiving batches whose writer is gone: last touched before that time."""
        query = (
            select(BATCHES.c.seq)
            .where(BATCHES.c.state == RECEIVING, BATCHES.c.touched_at < micros(untouched_since))
            .order_by(BATCHES.c.seq)
        )
        return [row.seq for row in self._db.rows(query)]

    def discard(self, seq: int) -> None:
        """Remove a receiving batch, its entries and their awards.

        Raises:
            WrongStateError: it is in any other state, or does not exist.
        """
        receiving = (BATCHES.c.seq == seq, BATCHES.c.state == RECEIVING)
        if self._db.run(delete(BATCHES).where(*receiving)) == 0:
            raise WrongStateError("only a batch that is being received can be discarded")
        self._db.run(delete(AWARDS).where(AWARDS.c.batch_seq == seq))
        self._db.run(delete(DETAILS).where(DETAILS.c.batch_seq == seq))
        self._db.run(delete(ENTRIES).where(ENTRIES.c.batch_seq == seq))

    def count_by_state(self) -> Mapping[BatchState, int]:
        """Every state is there, with 0 for none."""
        query = select(BATCHES.c.state, func.count()).group_by(BATCHES.c.state)
        counted = {BatchState(state): count for state, count in self._db.rows(query)}
        return {state: counted.get(state, 0) for state in BatchState}

    def totals(self, issuer: Address) -> Mapping[BatchState, tuple[int, int]]:
        """The issuer's batches and their entries by state; `receiving` ones not."""
        query = (
            select(BATCHES.c.state, func.count(), func.sum(BATCHES.c.size))
            .where(BATCHES.c.issuer == issuer, BATCHES.c.state != RECEIVING)
            .group_by(BATCHES.c.state)
        )
        return {BatchState(state): (count, int(size)) for state, count, size in self._db.rows(query)}

    def anchored(self, issuer: Address | None, up_to_block: int, limit: int) -> Sequence[AnchoredBatch]:
        """Batches whose anchor's block is not above a height, newest first."""
        columns = (BATCHES.c.size, BATCHES.c.sealed_at, BATCHES.c.anchor_at, BATCHES.c.anchor_gas_used)
        query = (
            select(*columns)
            .where(BATCHES.c.anchor_block <= up_to_block)
            .order_by(BATCHES.c.seq.desc())
            .limit(limit)
        )
        if issuer is not None:
            query = query.where(BATCHES.c.issuer == issuer)
        return [
            AnchoredBatch(row.size, (row.anchor_at - row.sealed_at) / 1_000_000, row.anchor_gas_used)
            for row in self._db.rows(query)
        ]

    def oldest_unanchored(self) -> datetime | None:
        """When the oldest sealed or submitted batch was sealed."""
        waiting = (BatchState.SEALED.value, BatchState.SUBMITTED.value)
        return maybe_instant(
            self._db.scalar(select(func.min(BATCHES.c.sealed_at)).where(BATCHES.c.state.in_(waiting)))
        )
