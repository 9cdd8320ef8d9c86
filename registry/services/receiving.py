"""Taking in a whole batch from a stream, and sealing it or leaving nothing behind.

Rows arrive in a `receiving` batch, a chunk a transaction; nobody sees them. What concerns the batch as a
whole is checked set-wise by the store. The tree is built outside of any write transaction, since a receiving
batch's rows do not change any more; what could race with another request (digests anchored already) is
checked under the issuer's row lock in the transaction that seals. Invariant: an error leaves no sealed batch;
what cannot be discarded at once (the process died, the database is away) is discarded by the worker.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import timedelta

from registry.encoding import Address, Digest, Root
from registry.errors import (
    MAX_FAULTS,
    DuplicateDigestError,
    ExternalIdConflictError,
    Fault,
    NotFoundError,
    RootmarkError,
    TooLargeError,
    ValidationError,
)
from registry.model.batches import MAX_BATCH_SIZE, Batch, BatchState
from registry.model.chain import BitKind, CallKind, RegistryEvent
from registry.model.issuers import Issuer
from registry.model.operations import OperationState
from registry.ports.chain import CallEncoder
from registry.ports.clock import Clock
from registry.ports.store import Store, Unit
from registry.services.bits import fold_events, fold_operations, is_set, targets
from registry.services.idempotency import IdempotencyRef, bind
from registry.services.items import Companion, NewItem, Position, chunks, entries_of, fault_of
from registry.services.policy import Policy
from registry.services.sealing import Checkpoint, build_anchorable, no_checkpoint, seal_in
from registry.verdict.state import RegistryState
from registry.verdict.views import EntryView, Target, view_of

log = logging.getLogger(__name__)

LOOKUP_CHUNK = 500
_ASKED_FOR = frozenset(
    {OperationState.HELD, OperationState.QUEUED, OperationState.SUBMITTED, OperationState.MINED}
)


Place = tuple[Address, Root, int]


class Receiver:
    """Makes a sealed batch of a stream of items."""

    def __init__(
        self,
        store: Store,
        encoder: CallEncoder,
        clock: Clock,
        policy: Policy,
        checkpoint: Checkpoint = no_checkpoint,
    ) -> None:
        self._store = store
        self._encoder = encoder
        self._clock = clock
        self._policy = policy
        self._checkpoint = checkpoint

    def receive(
        self,
        issuer: Address,
        items: Iterable[NewItem | Fault],
        position: Position,
        *,
        allow_duplicate: bool,
        awaiting_approval_of: str | None,
        idempotency: IdempotencyRef | None,
        companion: Companion | None = None,
    ) -> Batch:
        """Store, check and seal; see `IssuingService.create_batch` for what may be raised."""
        with self._store.write() as unit:
            if unit.issuers.get(issuer) is None:
                raise NotFoundError("no such issuer here")
            batch = unit.batches.create(
                issuer, BatchState.RECEIVING, self._clock.now(), allow_duplicate=allow_duplicate
            )
        try:
            self._fill(batch, iter(items), position, companion)
            sealed = self._seal(
                batch.seq, position, allow_duplicate, awaiting_approval_of, idempotency, companion
            )
        except BaseException:
            self._discard(batch.seq)
            raise
        self._checkpoint("after_seal")
        return sealed

    def _discard(self, seq: int) -> None:
        try:
            with self._store.write() as unit:
                unit.batches.discard(seq)
        except RootmarkError:
            log.warning("an unfinished batch is left for the worker to discard", exc_info=True)

    def discard_abandoned(self) -> int:
        """Discard receiving batches whose writer is gone; how many."""
        with self._store.read() as unit:
            seqs = unit.batches.abandoned(
                self._clock.now() - timedelta(seconds=self._policy.abandoned_after_seconds)
            )
        for seq in seqs:
            self._discard(seq)
        return len(seqs)

    # --- rows -----------------------------------------------------------------------------------------------

    def _fill(
        self,
        batch: Batch,
        items: Iterator[NewItem | Fault],
        position: Position,
        companion: Companion | None,
    ) -> None:
        size = 0
        chunk_size = self._policy.chunk_size if companion is None else companion.chunk_size
        for chunk in chunks(_checked(items, position), chunk_size):
            if size + len(chunk) > MAX_BATCH_SIZE:
                raise TooLargeError(f"a batch has at most {MAX_BATCH_SIZE} entries")
            try:
                with self._store.write() as unit:
                    unit.entries.add(batch, size, entries_of(chunk))
                    if companion is not None:
                        companion.store(unit, batch, size, chunk)
                    unit.batches.touch(batch.seq, self._clock.now())
            except ExternalIdConflictError as error:
                raise self._external_id_error(batch.issuer, chunk, size, error, position) from error
            size += len(chunk)
            self._checkpoint("after_chunk")
        if not size:
            raise ValidationError(
                "a batch has at least one entry", faults=[Fault("empty", "there is nothing to issue", "")]
            )

    def _external_id_error(
        self,
        issuer: Address,
        chunk: Sequence[NewItem],
        first: int,
        error: ExternalIdConflictError,
        position: Position,
    ) -> RootmarkError:
        """Tell apart: taken by other content, taken by the same digest, or twice in this very batch."""
        places = [int((fault.pointer or "/0").rpartition("/")[2]) for fault in error.faults]
        wanted = {chunk[k].external_id for k in places}
        with self._store.read() as unit:
            found = unit.entries.by_external_ids(issuer, [name for name in wanted if name is not None])
        taken = {entry.external_id: entry for entry in found}
        repeated, same, other = [], [], []
        for k in places:
            where = position(first + k)
            entry = taken.get(chunk[k].external_id)
            if entry is None:
                repeated.append(
                    Fault("repeated-external-id", "the external_id stands in this batch twice", **where)
                )
            elif entry.digest == chunk[k].digest:
                same.append(Fault("already-anchored", f"already in batch {entry.batch_id}", **where))
            else:
                other.append(Fault("external-id-taken", f"taken in batch {entry.batch_id}", **where))
        if repeated:
            return ValidationError("an external_id stands in this batch twice", faults=repeated)
        if other:
            return ExternalIdConflictError("an external_id is taken by other content", faults=other)
        return DuplicateDigestError("these were issued already", faults=same)

    # --- sealing --------------------------------------------------------------------------------------------

    def _seal(
        self,
        seq: int,
        position: Position,
        allow_duplicate: bool,
        awaiting_approval_of: str | None,
        idempotency: IdempotencyRef | None,
        companion: Companion | None,
    ) -> Batch:
        with self._store.read() as unit:
            _refuse_repeated(unit, seq, position)
            batch = existing(unit, seq)
            tree, redrawn = build_anchorable(unit, batch, self._encoder)
        with self._store.write() as unit:
            issuer = locked_issuer(unit, batch.issuer)
            if allow_duplicate:
                refuse_ended(unit, batch, position)
            else:
                refuse_anchored(unit, batch, position)
            now = self._clock.now()
            seal_in(unit, batch, tree, redrawn, issuer, now, awaiting_approval_of=awaiting_approval_of)
            if companion is not None:
                companion.sealed(unit, batch)
            bind(unit, idempotency, f"batch:{batch.id}")
            return existing(unit, seq)


def _checked(items: Iterator[NewItem | Fault], position: Position) -> Iterator[NewItem]:
    """The items as long as all are right; the first fault stops them, and is raised with those that follow
    it.

    Raises:
        ValidationError: at least one fault; up to 20 are collected.
    """
    faults: list[Fault] = []
    for index, item in enumerate(items):
        if isinstance(item, Fault):
            placed = item.pointer is not None or item.line is not None
            faults.append(item if placed else Fault(item.code, item.detail, **position(index)))
        elif (fault := fault_of(item, index, position)) is not None:
            faults.append(fault)
        elif not faults:
            yield item
        if len(faults) == MAX_FAULTS:
            break
    if faults:
        raise ValidationError(f"nothing was issued: {faults[0].detail}", faults=faults)


def existing(unit: Unit, seq: int) -> Batch:
    """The batch under the store's own number. Raises `NotFoundError`."""
    batch = unit.batches.by_seq(seq)
    if batch is None:
        raise NotFoundError("the batch is gone")
    return batch


def locked_issuer(unit: Unit, address: Address) -> Issuer:
    """The issuer, its row held until the unit ends. Raises `NotFoundError`."""
    unit.issuers.lock(address)
    issuer = unit.issuers.get(address)
    if issuer is None:
        raise NotFoundError("no such issuer here")
    return issuer


# --- what concerns the batch as a whole ---------------------------------------------------------------------


def _refuse_repeated(unit: Unit, seq: int, position: Position) -> None:
    faults = [
        Fault("repeated-digest", f"the same digest as item {indices[0]} (counted from 0)", **position(index))
        for _, indices in unit.entries.repeated_in(seq, MAX_FAULTS)
        for index in indices[1:]
    ]
    if faults:
        raise ValidationError("a digest stands in the batch more than once", faults=faults)


def refuse_anchored(unit: Unit, batch: Batch, position: Position) -> None:
    """Raises `DuplicateDigestError` where the issuer has a digest of ``batch`` in another batch."""
    faults = [
        Fault("already-anchored", f"already in batch {other}", **position(index))
        for index, other in unit.entries.already_anchored(batch.seq, MAX_FAULTS)
    ]
    if faults:
        raise DuplicateDigestError("digests of this batch were issued already", faults=faults)


def refuse_ended(unit: Unit, batch: Batch, position: Position) -> None:
    """Raises `DuplicateDigestError` where the issuer has revoked a digest of ``batch``, or asked for it; and
    where a withdrawal, or a key's retirement, stands against it: the worst entry of a digest wins, so that a
    new one would change nothing."""
    repeated = {index for index, _ in unit.entries.already_anchored(batch.seq, MAX_BATCH_SIZE)}
    if not repeated:
        return
    rows = enumerate(unit.entries.leaf_inputs(batch.seq))
    wanted = ((index, row[0]) for index, row in rows if index in repeated)
    faults: list[Fault] = []
    for chunk in chunks(wanted, LOOKUP_CHUNK):
        ended = _ended(unit, batch.issuer, [digest for _, digest in chunk])
        faults += [Fault(*ended[digest], **position(index)) for index, digest in chunk if digest in ended]
        if len(faults) >= MAX_FAULTS:
            break
    if faults:
        raise DuplicateDigestError(
            f"digests of this batch cannot be issued again: {faults[0].detail}", faults=faults
        )


def _ended(unit: Unit, issuer: Address, digests: Sequence[Digest]) -> dict[Digest, tuple[str, str]]:
    """Those of the issuer's digests that a new entry could not make good, each with a code and a sentence."""
    entries = [
        entry
        for entry in unit.entries.by_digests(digests, issuer=issuer)
        if entry.root is not None and entry.batch_state is not BatchState.FAILED
    ]
    words = {(entry.root, entry.index >> 8) for entry in entries if entry.root is not None}
    events = unit.events.touching(targets(issuer, words))
    asked = [
        operation
        for operation in unit.outbox.operations(states=_ASKED_FOR, issuer=issuer, limit=MAX_BATCH_SIZE)
        if operation.call.kind is CallKind.REVOKE
    ]
    bits = fold_operations(fold_events(events), asked)
    places = {(issuer, entry.root, entry.index) for entry in entries if entry.root is not None}
    views = standing_views(events, places)
    found: dict[Digest, tuple[str, str]] = {}
    for entry in entries:
        assert entry.root is not None
        view = views[issuer, entry.root, entry.index]
        if is_set(bits, BitKind.REVOKED, entry.root, entry.index):
            found[entry.digest] = ("revoked", f"revoked in batch {entry.batch_id}")
        elif view.withdrawal is not None:
            found[entry.digest] = ("withdrawn", f"batch {entry.batch_id} was withdrawn; annul that instead")
        elif view.distrusted:
            detail = f"a key's retirement voids batch {entry.batch_id}; anchor that anew (retry)"
            found[entry.digest] = ("void-anchor", detail)
    return found


def standing_views(events: Iterable[RegistryEvent], places: Collection[Place]) -> dict[Place, EntryView]:
    """What the index says now about places (issuer, root, index), given all events that touch them."""
    state = RegistryState()
    for event in events:
        state.apply(event)
    return {place: view_of(state, Target(*place)) for place in places}
