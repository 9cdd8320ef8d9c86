"""Where a server's records and the chain differ, each difference with a name.

Names: `history_mismatch` (the index contradicts the contract's head), `anchor_not_made_here` (an issuer's key
anchored a root that the server does not have), `anchor_missing` (the server says anchored, the chain does
not), `anchor_differs` (another block or transaction), `anchor_voided` (a key's retirement takes the trust
from it), `status_not_requested` (a status change that nobody requested there), `request_missing` (a final
request without its event).

`compare` knows neither store nor server: `records_of` reads this server's own records, and an auditor may
bring another's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from registry.encoding import Address, BlockHash, Root, TxHash, to_hex
from registry.model.batches import Batch, BatchState
from registry.model.chain import STATUS_CALLS, STATUS_EVENTS, EventKind, RegistryEvent
from registry.model.operations import OperationState
from registry.ports.store import Unit
from registry.services.auditing.history import IssuerAudit

MAX_DIFFERENCES = 10_000
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that server and chain disagree on."""

    kind: str
    issuer: Address
    detail: str
    batch_id: str | None = None
    root: Root | None = None
    transaction: TxHash | None = None


@dataclass(frozen=True, slots=True)
class RecordedBatch:
    """A batch with a root, as a server has it. ``block_*`` are None unless it says that it is anchored."""

    id: str
    root: Root
    block_number: int | None
    block_hash: BlockHash | None


@dataclass(frozen=True, slots=True)
class RecordedChange:
    """What a server says was finally done: ``kind`` in words, in which transaction."""

    kind: str
    root: Root | None
    transaction: TxHash


@dataclass(frozen=True, slots=True)
class Records:
    """What a server says of one issuer.

    Attributes:
        requested: transactions of the status changes that were requested there.
        otherwise: what is said of a status change that is not among them, after "Revoked in block 7".
        final_block: anchors up to this height are final by the server's word.
    """

    batches: Mapping[Root, RecordedBatch]
    requested: Collection[TxHash]
    changes: Sequence[RecordedChange]
    final_block: int
    otherwise: str = "was not requested here"


def differences(unit: Unit, audits: Iterable[IssuerAudit], final_block: int) -> list[Difference]:
    """All differences of the hosted issuers in ``audits``, at most ``MAX_DIFFERENCES``."""
    found = (
        difference for audit in audits for difference in compare(audit, records_of(unit, audit, final_block))
    )
    return list(islice(found, MAX_DIFFERENCES))


def records_of(unit: Unit, audit: IssuerAudit, final_block: int) -> Records:
    """What this server's own records say of the issuer."""
    anchored = (BatchState.MINED, BatchState.FINAL)
    batches = {
        batch.root: RecordedBatch(
            batch.id,
            batch.root,
            batch.anchor.block_number if batch.anchor and batch.state in anchored else None,
            batch.anchor.block_hash if batch.anchor and batch.state in anchored else None,
        )
        for batch in _batches(unit, audit.issuer)
        if batch.root is not None
    }
    transactions = {event.transaction for event in _status_events(audit)}
    changes = [
        RecordedChange(operation.call.kind.value, operation.call.root, operation.effect_transaction)
        for operation in unit.outbox.operations(
            states=(OperationState.FINAL,), issuer=audit.issuer, limit=100_000
        )
        if operation.call.kind in STATUS_CALLS and operation.effect_transaction is not None
    ]
    requested = set(unit.outbox.requests_by_transactions(transactions))
    return Records(batches, requested, changes, final_block)


def _batches(unit: Unit, issuer: Address) -> Iterator[Batch]:
    before: int | None = None
    while page := unit.batches.page(issuer, None, before, _PAGE):
        yield from page
        before = page[-1].seq


def _status_events(audit: IssuerAudit) -> list[RegistryEvent]:
    return [event for event in audit.events if event.kind in STATUS_EVENTS]


def compare(audit: IssuerAudit, records: Records) -> Iterator[Difference]:
    """Hold an issuer's records against its history on chain."""
    issuer = audit.issuer
    if not audit.match:
        detail = "; ".join(problem.detail for problem in audit.history.problems[:3])
        yield Difference(
            "history_mismatch",
            issuer,
            detail or "the contract holds another history head than the events give",
        )
    anchored = {event.root: event for event in audit.events if event.kind is EventKind.BATCH_ANCHORED}
    for root, event in anchored.items():
        if root is not None and root not in records.batches:
            yield Difference(
                "anchor_not_made_here",
                issuer,
                f"the key {to_hex(event.account or b'')} anchored a root that this server does not have",
                root=root,
                transaction=event.transaction,
            )
    for batch in records.batches.values():
        yield from _of_batch(issuer, batch, anchored.get(batch.root), records.final_block)
    for voided in audit.voided:
        batch_or_none = records.batches.get(voided.root)
        yield Difference(
            "anchor_voided",
            issuer,
            f"anchored at {voided.anchored_at}, and its key is trusted only before {voided.key.valid_until}",
            batch_id=batch_or_none.id if batch_or_none else None,
            root=voided.root,
        )
    yield from _of_requests(audit, records)


def _of_batch(
    issuer: Address, batch: RecordedBatch, event: RegistryEvent | None, final_block: int
) -> Iterator[Difference]:
    if batch.block_number is None:
        return
    if event is None:
        detail = "the chain has no anchor of this batch"
        yield Difference("anchor_missing", issuer, detail, batch.id, batch.root)
    elif event.block_hash != batch.block_hash and batch.block_number <= final_block:
        yield Difference(
            "anchor_differs",
            issuer,
            f"the server says block {batch.block_number}, the chain block {event.block_number}",
            batch.id,
            batch.root,
            event.transaction,
        )


def _of_requests(audit: IssuerAudit, records: Records) -> Iterator[Difference]:
    status_events = _status_events(audit)
    for event in status_events:
        if event.transaction not in records.requested:
            yield Difference(
                "status_not_requested",
                audit.issuer,
                f"{event.kind.value} in block {event.block_number} {records.otherwise}",
                root=event.root,
                transaction=event.transaction,
            )
    transactions = {event.transaction for event in status_events}
    for change in records.changes:
        if change.transaction not in transactions:
            yield Difference(
                "request_missing",
                audit.issuer,
                f"a final {change.kind} has no event on chain",
                root=change.root,
                transaction=change.transaction,
            )
