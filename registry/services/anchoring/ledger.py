"""Writing down what became of an operation, and of everything that follows from it, in one unit.

A batch follows its ANCHOR operation, an issuer becomes active with its key's ADD_KEY, the feed is told about
final and failed batches. Every change locks the issuer's row and looks at the operation again first, so that
two processes that saw the same thing write it once. Invariant: a batch's state and its anchor operation's
change in the same transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from registry.encoding import to_hex
from registry.model.batches import Anchor, Batch, BatchState
from registry.model.chain import CallKind
from registry.model.issuers import IssuerState
from registry.model.operations import Operation, OperationState
from registry.ports.store import Unit
from registry.services.anchoring.effects import Effect


def current(unit: Unit, operation: Operation, states: Collection[OperationState]) -> Operation | None:
    """The operation as it is now, its issuer locked; None when it is in none of ``states`` any more."""
    unit.issuers.lock(operation.issuer)
    now = unit.outbox.operation(operation.id)
    return now if now is not None and now.state in states else None


def submitted(unit: Unit, operation: Operation) -> None:
    """Signed bytes are stored; also where a reorg has dropped what was mined."""
    unit.outbox.set_operation(operation.id, OperationState.SUBMITTED)
    _set_batch(unit, operation, BatchState.SUBMITTED)


def queued(unit: Unit, operation: Operation) -> None:
    """Nothing is on its way any more; it will be tried again."""
    unit.outbox.set_operation(operation.id, OperationState.QUEUED)
    _set_batch(unit, operation, BatchState.SEALED)


def mined(unit: Unit, operation: Operation, effect: Effect, anchor: Anchor | None) -> None:
    """The effect is there. ``anchor`` is given for ANCHOR operations."""
    unit.outbox.set_operation(operation.id, OperationState.MINED, effect=effect.stored())
    _set_batch(unit, operation, BatchState.MINED, anchor)


def final(unit: Unit, operation: Operation, effect: Effect, anchor: Anchor | None, now: datetime) -> None:
    """The effect's block is final. ``anchor`` as for `mined`."""
    unit.outbox.set_operation(operation.id, OperationState.FINAL, effect=effect.stored())
    batch = _set_batch(unit, operation, BatchState.FINAL, anchor)
    if batch is not None:
        unit.feed.append(now, "batch.final", batch.issuer, _final_payload(batch, anchor))
    if operation.call.kind is CallKind.ADD_KEY:
        _activate(unit, operation)


def failed(unit: Unit, operation: Operation, reason: str, now: datetime) -> None:
    """Given up, for a reason that a person can read."""
    unit.outbox.set_operation(operation.id, OperationState.FAILED, error=reason)
    batch = _set_batch(unit, operation, BatchState.FAILED, None, reason)
    if batch is not None:
        unit.feed.append(now, "batch.failed", batch.issuer, {"batch": batch.id, "error": reason})


def _set_batch(
    unit: Unit,
    operation: Operation,
    state: BatchState,
    anchor: Anchor | None = None,
    error: str | None = None,
) -> Batch | None:
    """The batch of an ANCHOR operation, as it is then; None for other operations."""
    if operation.call.kind is not CallKind.ANCHOR or operation.batch_seq is None:
        return None
    unit.batches.set_state(operation.batch_seq, state, anchor=anchor, error=error)
    return unit.batches.by_seq(operation.batch_seq)


def _final_payload(batch: Batch, anchor: Anchor | None) -> dict[str, Any]:
    payload: dict[str, Any] = {"batch": batch.id, "size": batch.size}
    if batch.root is not None:
        payload["root"] = to_hex(batch.root)
    if anchor is not None:
        payload["transaction"] = to_hex(anchor.transaction)
        payload["block_number"] = anchor.block_number
        payload["block_hash"] = to_hex(anchor.block_hash)
    return payload


def _activate(unit: Unit, operation: Operation) -> None:
    issuer = unit.issuers.get(operation.issuer)
    if issuer is not None and issuer.key == operation.call.account and issuer.state is not IssuerState.ACTIVE:
        unit.issuers.set_state(issuer.address, IssuerState.ACTIVE)
