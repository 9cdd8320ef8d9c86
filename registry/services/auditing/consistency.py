"""Where this server's records and the chain differ, each difference with a name.

Names: `history_mismatch` (the index contradicts the contract's head), `anchor_not_made_here` (a hosted
issuer's key
anchored a root this server does not have), `anchor_missing` (the server says anchored, the chain does not),
`anchor_differs` (another block or transaction), `anchor_voided` (a key's retirement takes the trust from it),
`status_not_requested` (a status change that nobody requested here), `request_missing` (a final request
without its event).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from registry.encoding import Address, Root, TxHash, to_hex
from registry.model.batches import Batch, BatchState
from registry.model.chain import STATUS_CALLS, STATUS_EVENTS, EventKind, RegistryEvent
from registry.model.operations import Operation, OperationState
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


def differences(unit: Unit, audits: Iterator[IssuerAudit], final_block: int) -> list[Difference]:
    """All differences of the hosted issuers in ``audits``, at most ``MAX_DIFFERENCES``."""
    found: list[Difference] = []
    for audit in audits:
        for difference in _of_issuer(unit, audit, final_block):
            found.append(difference)
            if len(found) == MAX_DIFFERENCES:
                return found
    return found


def _of_issuer(unit: Unit, audit: IssuerAudit, final_block: int) -> Iterator[Difference]:
    issuer = audit.issuer
    if not audit.match:
        detail = "; ".join(problem.detail for problem in audit.history.problems[:3])
        yield Difference(
            "history_mismatch",
            issuer,
            detail or "the contract holds another history head than the events give",
        )
    known = {batch.root: batch for batch in _batches(unit, issuer) if batch.root is not None}
    anchored = {event.root: event for event in audit.events if event.kind is EventKind.BATCH_ANCHORED}
    for root, event in anchored.items():
        if root is not None and root not in known:
            yield Difference(
                "anchor_not_made_here",
                issuer,
                f"the key {to_hex(event.account or b'')} anchored a root that this server does not have",
                root=root,
                transaction=event.transaction,
            )
    for batch in known.values():
        yield from _of_batch(batch, anchored.get(batch.root), final_block)
    for voided in audit.voided:
        batch_or_none = known.get(voided.root)
        yield Difference(
            "anchor_voided",
            issuer,
            f"anchored at {voided.anchored_at}, and its key is trusted only before {voided.key.valid_until}",
            batch_id=batch_or_none.id if batch_or_none else None,
            root=voided.root,
        )
    yield from _of_requests(unit, audit)


def _batches(unit: Unit, issuer: Address) -> Iterator[Batch]:
    before: int | None = None
    while page := unit.batches.page(issuer, None, before, _PAGE):
        yield from page
        before = page[-1].seq


def _of_batch(batch: Batch, event: RegistryEvent | None, final_block: int) -> Iterator[Difference]:
    if batch.state not in (BatchState.MINED, BatchState.FINAL) or batch.anchor is None:
        return
    if event is None:
        yield Difference(
            "anchor_missing", batch.issuer, "the chain has no anchor of this batch", batch.id, batch.root
        )
    elif event.block_hash != batch.anchor.block_hash and batch.anchor.block_number <= final_block:
        yield Difference(
            "anchor_differs",
            batch.issuer,
            f"the server says block {batch.anchor.block_number}, the chain block {event.block_number}",
            batch.id,
            batch.root,
            event.transaction,
        )


def _of_requests(unit: Unit, audit: IssuerAudit) -> Iterator[Difference]:
    status_events = [event for event in audit.events if event.kind in STATUS_EVENTS]
    requested = unit.outbox.requests_by_transactions({event.transaction for event in status_events})
    for event in status_events:
        if event.transaction not in requested:
            yield Difference(
                "status_not_requested",
                audit.issuer,
                f"{event.kind.value} in block {event.block_number} was not requested here",
                root=event.root,
                transaction=event.transaction,
            )
    transactions = {event.transaction for event in status_events}
    for operation in _final_status_operations(unit, audit.issuer):
        if operation.effect_transaction is not None and operation.effect_transaction not in transactions:
            yield Difference(
                "request_missing",
                audit.issuer,
                f"a final {operation.call.kind.value} has no event on chain",
                root=operation.call.root,
                transaction=operation.effect_transaction,
            )


def _final_status_operations(unit: Unit, issuer: Address) -> Sequence[Operation]:
    return [
        operation
        for operation in unit.outbox.operations(states=(OperationState.FINAL,), issuer=issuer, limit=100_000)
        if operation.call.kind in STATUS_CALLS
    ]
