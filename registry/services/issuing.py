"""Issuing: whole batches, single credentials into the issuer's open batch, proofs, erasure.

Invariants: index = position in the request; a digest is in at most one living batch of an issuer unless the
request allowed duplicates, and a revoked one never again; an external_id belongs to one entry of an issuer;
with ``require_approval`` nothing is signed before a key that did not publish it has approved.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from registry.encoding import Address, Digest, DigestMethod, JsonValue, to_hex
from registry.errors import (
    DuplicateDigestError,
    ExternalIdConflictError,
    Fault,
    ForbiddenError,
    NotFoundError,
    RootmarkError,
    UnavailableError,
    ValidationError,
    WrongStateError,
)
from registry.model.batches import MAX_BATCH_SIZE, Batch, BatchState, Entry
from registry.model.chain import CallKind, ContractCall
from registry.model.issuers import Caller, Issuer, Scope
from registry.model.operations import OperationState
from registry.ports.chain import Chain
from registry.ports.clock import Clock
from registry.ports.store import Store, Unit
from registry.services.access import may_see_private, require_issuer
from registry.services.auditing.states import may_be_revoked
from registry.services.idempotency import IdempotencyRef, bind
from registry.services.items import (
    Companion,
    NewItem,
    Position,
    entries_of,
    fault_of,
    item_from_credential,
    pointer_into_digests,
)
from registry.services.policy import Policy
from registry.services.proofs import ProofReader
from registry.services.receiving import Receiver, existing, locked_issuer, standing_views
from registry.services.sealing import Checkpoint, build_anchorable, no_checkpoint, seal_in

log = logging.getLogger(__name__)

__all__ = ["IdempotencyRef", "IssuingService", "NewItem"]

_UNSEALED = frozenset({BatchState.OPEN, BatchState.RECEIVING})


class IssuingService:
    """Batches and credentials of the issuers hosted here."""

    def __init__(
        self,
        store: Store,
        chain: Chain,
        clock: Clock,
        policy: Policy,
        checkpoint: Checkpoint = no_checkpoint,
    ) -> None:
        self._store = store
        self._encoder = chain.encoder
        self._clock = clock
        self._policy = policy
        self._checkpoint = checkpoint
        self._receiver = Receiver(store, chain.encoder, clock, policy, checkpoint)
        self._proofs = ProofReader(store, chain.info)

    # --- whole batches --------------------------------------------------------------------------------------

    def create_batch(
        self,
        caller: Caller,
        items: Iterable[NewItem | Fault],
        *,
        allow_duplicate: bool = False,
        position: Position = pointer_into_digests,
        idempotency: IdempotencyRef | None = None,
        companion: Companion | None = None,
    ) -> Batch:
        """Issue ``items`` as one sealed batch; they may be a stream and are never held all at once.

        Args:
            items: in order; a `Fault` in their midst says that this place of the request could not be read.
            allow_duplicate: take digests that the issuer has in another batch; revoked ones are refused even
                so.
            position: where item i stands in the request, for faults about it.
            companion: stores what belongs to the items in the same transactions.

        Raises:
            ForbiddenError: not an issuer's key with scope `batch`.
            ValidationError: empty; a fault in the items (up to 20 are named); a digest or external_id twice.
            DuplicateDigestError: digests issued before; the faults name place and batch.
            ExternalIdConflictError: an external_id is taken by other content.
            TooLargeError: more than 2,000,000 items.
        """
        issuer = require_issuer(caller, Scope.BATCH)
        return self._receiver.receive(
            issuer,
            items,
            position,
            allow_duplicate=allow_duplicate,
            awaiting_approval_of=self._publisher(caller),
            idempotency=idempotency,
            companion=companion,
        )

    def item_from_credential(
        self,
        credential: Mapping[str, JsonValue],
        method: DigestMethod = DigestMethod.JCS_SHA256,
        external_id: str | None = None,
        *,
        pointer: str = "",
    ) -> NewItem:
        """See `registry.services.items.item_from_credential`; the document is kept where the operator says
        so."""
        keep = self._policy.store_documents
        return item_from_credential(credential, method, external_id, keep_document=keep, pointer=pointer)

    # --- the open batch -------------------------------------------------------------------------------------

    def add_credential(
        self,
        caller: Caller,
        item: NewItem,
        *,
        beside: Callable[[Unit, Batch, int], None] | None = None,
        idempotency: IdempotencyRef | None = None,
    ) -> Entry:
        """Append one credential to the issuer's open batch. The same content under its external_id replays.

        Args:
            beside: stores something with the entry of that index, in the same transaction.

        Raises:
            ForbiddenError, ValidationError, ExternalIdConflictError: as in `create_batch`.
            DuplicateDigestError: the issuer has the digest already.
        """
        issuer = require_issuer(caller, Scope.BATCH)
        if (fault := fault_of(item, 0, lambda _: {"pointer": ""})) is not None:
            raise ValidationError(fault.detail, faults=[fault])
        with self._store.write() as unit:
            row = locked_issuer(unit, issuer)
            entry = self._replayed(unit, issuer, item)
            if entry is None:
                _refuse_known(unit, issuer, item.digest)
                batch = self._open_batch(unit, row, caller)
                unit.entries.add(batch, batch.size, entries_of([item]))
                if beside is not None:
                    beside(unit, batch, batch.size)
                (entry,) = unit.entries.by_indices([(batch.seq, batch.size)])
            bind(unit, idempotency, f"entry:{entry.batch_id}:{entry.index}")
        return entry

    def _replayed(self, unit: Unit, issuer: Address, item: NewItem) -> Entry | None:
        if item.external_id is None:
            return None
        for entry in unit.entries.by_external_ids(issuer, [item.external_id]):
            given = (item.digest, item.method, item.valid_from, item.valid_until)
            if given == (entry.digest, entry.method, entry.valid_from, entry.valid_until):
                return entry
            detail = f"taken in batch {entry.batch_id}"
            raise ExternalIdConflictError(
                "the external_id is taken by other content",
                faults=[Fault("external-id-taken", detail, "/external_id")],
            )
        return None

    def _open_batch(self, unit: Unit, issuer: Issuer, caller: Caller) -> Batch:
        """The issuer's open batch with room for one more; a full one is sealed on the way."""
        batch = unit.batches.open_batch(issuer.address)
        if batch is not None and batch.size >= self._policy.batch_max_size:
            self._seal_open(unit, batch, issuer)
            batch = None
        if batch is None:
            batch = unit.batches.create(
                issuer.address, BatchState.OPEN, self._clock.now(), allow_duplicate=False
            )
        if self._policy.require_approval and caller.key_id is not None:
            name = _publishers_name(batch)
            publishers = (unit.meta.get(name) or "").split()
            if caller.key_id not in publishers:
                unit.meta.set(name, " ".join([*publishers, caller.key_id]))
        return batch

    def seal(self, caller: Caller, batch_id: str) -> Batch:
        """Seal the open batch now; one that is sealed already is returned as it is.

        Raises:
            ForbiddenError, NotFoundError: not the issuer's key, or no such batch of the issuer.
        """
        issuer = require_issuer(caller, Scope.BATCH)
        with self._store.write() as unit:
            row = locked_issuer(unit, issuer)
            batch = _own(unit, issuer, batch_id)
            if batch.state is BatchState.OPEN:
                self._seal_open(unit, batch, row)
            result = existing(unit, batch.seq)
        self._checkpoint("after_seal")
        return result

    def seal_due(self) -> int:
        """Seal open batches that are old or full enough and discard abandoned ones; how many were sealed."""
        self._receiver.discard_abandoned()
        oldest = self._clock.now() - timedelta(seconds=self._policy.batch_max_age_seconds)
        with self._store.read() as unit:
            due = unit.batches.open_due(oldest, self._policy.batch_max_size)
        return sum(self._seal_one(batch) for batch in due)

    def _seal_one(self, batch: Batch) -> bool:
        """Seal a due batch; one that cannot be sealed does not hold up the others."""
        try:
            with self._store.write() as unit:
                issuer = locked_issuer(unit, batch.issuer)
                current = existing(unit, batch.seq)
                if current.state is not BatchState.OPEN:
                    return False
                self._seal_open(unit, current, issuer)
        except UnavailableError:
            raise
        except (RootmarkError, ValueError):
            log.exception("batch %s cannot be sealed", batch.id)
            return False
        self._checkpoint("after_seal")
        return True

    def _seal_open(self, unit: Unit, batch: Batch, issuer: Issuer) -> None:
        """Within one transaction, since an open batch may grow between two."""
        tree, redrawn = build_anchorable(unit, batch, self._encoder)
        publishers = unit.meta.get(_publishers_name(batch)) if self._policy.require_approval else None
        seal_in(unit, batch, tree, redrawn, issuer, self._clock.now(), awaiting_approval_of=publishers)

    # --- approval and retry ---------------------------------------------------------------------------------

    def _publisher(self, caller: Caller) -> str | None:
        return caller.key_id if self._policy.require_approval else None

    def approve(self, caller: Caller, batch_id: str) -> Batch:
        """Let a batch be anchored that another key has published.

        Raises:
            ForbiddenError: the key published it itself, or is not the issuer's with scope `batch`.
            WrongStateError: nothing waits for an approval.
        """
        issuer = require_issuer(caller, Scope.BATCH)
        with self._store.write() as unit:
            unit.issuers.lock(issuer)
            batch = _own(unit, issuer, batch_id)
            if batch.awaiting_approval_of is None:
                raise WrongStateError("the batch does not wait for an approval")
            if caller.key_id in batch.awaiting_approval_of.split():
                raise ForbiddenError("another API key than the publishing one must approve")
            unit.batches.approve(batch.seq)
            for operation in unit.outbox.operations_of_batch(batch.seq):
                if operation.call.kind is CallKind.ANCHOR and operation.state is OperationState.HELD:
                    unit.outbox.set_operation(operation.id, OperationState.QUEUED)
            unit.access.log(self._clock.now(), caller.label, "batch.approved", batch.id, "")
            return existing(unit, batch.seq)

    def retry(self, caller: Caller, batch_id: str) -> Batch:
        """Anchor a failed batch after all, or anew one whose anchor a key's retirement voids: the issuer's
        present key takes the anchor over, and the proofs that its holders have count again.

        Raises:
            WrongStateError: the batch has neither failed nor lost its anchor.
            DuplicateDigestError: its digests were issued in a later batch meanwhile.
        """
        issuer = require_issuer(caller, Scope.BATCH)
        with self._store.write() as unit:
            row = locked_issuer(unit, issuer)
            batch = _own(unit, issuer, batch_id)
            if batch.root is None or not (batch.state is BatchState.FAILED or _is_void(unit, batch)):
                raise WrongStateError("only a batch that failed, or whose anchor is void, can be tried again")
            if batch.state is BatchState.FAILED:
                self._refuse_issued_later(unit, batch)
            now = self._clock.now()
            call = ContractCall(CallKind.ANCHOR, issuer, root=batch.root)
            unit.outbox.add_operation(issuer, row.key, call, OperationState.QUEUED, now, batch_seq=batch.seq)
            unit.batches.set_state(batch.seq, BatchState.SEALED, anchor=None, error=None)
            return existing(unit, batch.seq)

    def _refuse_issued_later(self, unit: Unit, batch: Batch) -> None:
        """An earlier batch was looked at when this one was sealed; only later ones can be new."""
        for index, other_id in unit.entries.already_anchored(batch.seq, MAX_BATCH_SIZE):
            other = unit.batches.by_id(other_id)
            if other is not None and other.seq > batch.seq:
                raise DuplicateDigestError(
                    "digests of this batch were issued again meanwhile",
                    faults=[Fault("already-anchored", f"entry {index} is in batch {other_id}", "")],
                )

    # --- reading --------------------------------------------------------------------------------------------

    def batch(self, caller: Caller | None, batch_id: str) -> Batch:
        """A batch by its public name. Raises `NotFoundError`."""
        del caller  # what a batch object says is public
        with self._store.read() as unit:
            batch = unit.batches.by_id(batch_id)
        if batch is None:
            raise NotFoundError("no such batch")
        return batch

    def batches(
        self,
        issuer: Address | None = None,
        state: BatchState | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> Sequence[Batch]:
        """Newest first, ``seq`` less than ``before``."""
        with self._store.read() as unit:
            return list(unit.batches.page(issuer, state, before, limit))

    def proofs(self, caller: Caller, batch_id: str) -> Iterator[dict[str, Any]]:
        """All proofs of a batch in index order, streamed; they hold the salts.

        Raises:
            ForbiddenError: not one of the issuer's keys.
            NotFoundError, NotSealedError: at once.
        """
        batch = self.batch(caller, batch_id)
        if not may_see_private(caller, batch.issuer):
            raise ForbiddenError("the proofs of a batch are for its issuer")
        return self._proofs.all(batch)

    def proof(
        self, digest: Digest, issuer: Address | None = None, batch_id: str | None = None
    ) -> dict[str, Any]:
        """One proof. Raises `NotFoundError`, `AmbiguousDigestError`, `NotSealedError`."""
        return self._proofs.one(digest, issuer, batch_id)

    def entries_by_digest(self, digest: Digest) -> Sequence[Entry]:
        """All entries with this digest, except those of failed batches."""
        with self._store.read() as unit:
            entries = unit.entries.by_digests([digest])
        return [entry for entry in entries if entry.batch_state is not BatchState.FAILED]

    def entries_by_external_ids(self, caller: Caller, external_ids: Collection[str]) -> Sequence[Entry]:
        """The issuer's own entries under these names. Raises `ForbiddenError` for a caller without issuer."""
        if caller.issuer is None:
            raise ForbiddenError("this needs an issuer's API key")
        with self._store.read() as unit:
            return list(unit.entries.by_external_ids(caller.issuer, external_ids))

    # --- erasure --------------------------------------------------------------------------------------------

    def erase(self, caller: Caller, digest: Digest) -> int:
        """Remove digest, salt, document and dates of the issuer's entries with ``digest``; how many.

        An open batch that holds one is sealed first: its root commits to the leaf, which stays.

        Raises:
            NotFoundError: the issuer has no such entry.
        """
        issuer = require_issuer(caller, Scope.BATCH)
        with self._store.write() as unit:
            row = locked_issuer(unit, issuer)
            entries = unit.entries.by_digests([digest], issuer=issuer)
            if not entries:
                raise NotFoundError("no such credential here")
            for seq in sorted({entry.batch_seq for entry in entries if entry.batch_state in _UNSEALED}):
                self._seal_open(unit, existing(unit, seq), row)
            named = may_be_revoked(unit, entries)  # then a published list has to go on naming it
            count = unit.entries.erase(issuer, digest, keep_credential_ids=named)
            unit.console.forget(issuer, digest)
            places = " ".join(f"{entry.batch_id}/{entry.index}" for entry in entries)
            unit.access.log(self._clock.now(), caller.label, "credential.erased", to_hex(issuer), places)
        return count


def _is_void(unit: Unit, batch: Batch) -> bool:
    """Whether the batch is settled on chain by an anchor that its key's retirement voids."""
    if batch.root is None or batch.state is not BatchState.FINAL:
        return False
    place = (batch.issuer, batch.root, 0)
    return standing_views(unit.events.touching([place]), [place])[place].distrusted


def _own(unit: Unit, issuer: Address, batch_id: str) -> Batch:
    """The issuer's batch; another issuer's is as unknown as none. Raises `NotFoundError`."""
    batch = unit.batches.by_id(batch_id)
    if batch is None or batch.issuer != issuer:
        raise NotFoundError("no such batch of this issuer")
    return batch


def _refuse_known(unit: Unit, issuer: Address, digest: Digest) -> None:
    for entry in unit.entries.by_digests([digest], issuer=issuer):
        if entry.batch_state is not BatchState.FAILED:
            raise DuplicateDigestError(
                "this credential was issued already",
                faults=[Fault("already-anchored", f"already in batch {entry.batch_id}", "")],
            )


def _publishers_name(batch: Batch) -> str:
    """Where the ids of the keys stand that put something into an open batch."""
    return f"publishers:{batch.id}"
