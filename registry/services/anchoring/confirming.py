"""What became of sent transactions, and of the operations behind them.

Two tracks: a *transaction* is a nonce that must be filled, whatever it does; an *operation* is an effect that
must be on chain, whoever caused it. Block hashes are compared, never heights alone. Invariants: an operation
is `mined` only while the block its effect was seen in is canonical; a revert or a foreign transaction under
our nonce is judged when it is final, because until then a reorg may still let our transaction through.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from registry.encoding import to_hex
from registry.errors import UnknownBlockError
from registry.model.batches import Anchor
from registry.model.chain import CallKind, Receipt
from registry.model.operations import Operation, OperationState, OutboxTransaction, TransactionState
from registry.ports.chain import Chain
from registry.ports.clock import Clock
from registry.ports.store import Store, Unit
from registry.services.anchoring import ledger
from registry.services.anchoring.anchors import read_anchor
from registry.services.anchoring.effects import Effect, find_anchor, shown_by, unmet
from registry.services.anchoring.lanes import Lane, View
from registry.services.policy import Policy
from registry.services.sealing import Checkpoint

log = logging.getLogger(__name__)

_SUBMITTED = frozenset({OperationState.SUBMITTED})
_MINED = frozenset({OperationState.MINED})


class Confirming:
    """Reads receipts and state, and writes down what they mean."""

    def __init__(
        self, store: Store, chain: Chain, clock: Clock, policy: Policy, checkpoint: Checkpoint
    ) -> None:
        self._store = store
        self._chain = chain
        self._clock = clock
        self._policy = policy
        self._checkpoint = checkpoint

    # --- transactions: under the sender's lane --------------------------------------------------------------

    def confirm(self, lane: Lane, transaction: OutboxTransaction, view: View, mined_count: int) -> bool:
        """Look for the transaction on chain; whether anything was written.

        Args:
            mined_count: the sender's next nonce by the latest block.
        """
        receipt = self._receipt(transaction, view)
        if receipt is None:
            return self._missing(lane, transaction, view, mined_count)
        if not view.is_indexed(receipt.block_number):
            return False
        with self._store.read() as unit:
            operation = unit.outbox.operation(transaction.operation_id)
        is_final = receipt.block_number <= view.final_block
        if operation is None or operation.state is not OperationState.SUBMITTED:
            return self._track(lane, transaction, receipt, is_final=is_final)
        effect = self._effect(operation, receipt)
        anchor = self._anchor(operation, effect)
        if effect is None and not is_final:
            return self._track(lane, transaction, receipt, is_final=False)
        self._checkpoint("before_receipt")
        with lane.write() as unit:
            _found(unit, transaction, receipt, is_final=is_final)
            if (now := ledger.current(unit, operation, _SUBMITTED)) is not None:
                self._settle(unit, now, effect, anchor, view)
        return True

    def _receipt(self, transaction: OutboxTransaction, view: View) -> Receipt | None:
        """The receipt of whichever attempt was mined in a block that is canonical."""
        for attempt in reversed(transaction.attempts):
            receipt = self._chain.receipt(attempt.hash)
            if receipt is not None and view.is_canonical(receipt.block_number, receipt.block_hash):
                return receipt
        return None

    def _track(self, lane: Lane, transaction: OutboxTransaction, receipt: Receipt, *, is_final: bool) -> bool:
        """Only the nonce is still of interest, or the transaction had no effect and is not final yet."""
        state = TransactionState.FINAL if is_final else TransactionState.MINED
        if state is transaction.state:
            return False
        self._checkpoint("before_receipt")
        with lane.write() as unit:
            _found(unit, transaction, receipt, is_final=is_final)
        return True

    def _settle(
        self, unit: Unit, operation: Operation, effect: Effect | None, anchor: Anchor | None, view: View
    ) -> None:
        if effect is None:
            self._without_effect(unit, operation)
        elif operation.call.kind is CallKind.ANCHOR and anchor is None:
            return  # a reorg between two readings: the next round sees clearer
        elif effect.block <= view.final_block:
            ledger.final(unit, operation, effect, anchor, self._clock.now())
        else:
            ledger.mined(unit, operation, effect, anchor)

    def _without_effect(self, unit: Unit, operation: Operation) -> None:
        """Finally without effect: try again, since the next simulation names the reason if there is a lasting
        one."""
        made = len(unit.outbox.transactions_of([operation.id]))
        if made >= self._policy.max_transactions:
            reason = f"{made} transactions were mined without effect"
            log.error("operation %d failed: %s", operation.id, reason)
            ledger.failed(unit, operation, reason, self._clock.now())
        else:
            ledger.queued(unit, operation)

    def _effect(self, operation: Operation, receipt: Receipt) -> Effect | None:
        """Where the wish came true: in the receipt's events, else in the state at the receipt's block."""
        call = operation.call
        if shown_by(call, receipt):
            return Effect(receipt.block_number, receipt.block_hash, receipt.transaction)
        header = self._chain.header_by_hash(receipt.block_hash)
        if unmet(self._chain, call, header, sent=True) is not None:
            return None
        if call.kind is CallKind.ANCHOR and call.root is not None:
            return find_anchor(self._chain, call.issuer, call.root, header)
        return Effect(header.number, header.hash, receipt.transaction if receipt.status == 1 else None)

    def _anchor(self, operation: Operation, effect: Effect | None) -> Anchor | None:
        if effect is None or operation.call.kind is not CallKind.ANCHOR:
            return None
        with self._store.read() as unit:
            own = unit.outbox.transactions_of([operation.id])
        return read_anchor(self._chain, effect, own)

    # --- transactions that are not there --------------------------------------------------------------------

    def _missing(self, lane: Lane, transaction: OutboxTransaction, view: View, mined_count: int) -> bool:
        if transaction.state is TransactionState.MINED:
            with lane.write() as unit:
                unit.outbox.set_transaction(transaction.id, TransactionState.SIGNED)
            return True
        if mined_count <= transaction.nonce:
            return False
        return self._perhaps_replaced(lane, transaction, view)

    def _perhaps_replaced(self, lane: Lane, transaction: OutboxTransaction, view: View) -> bool:
        """The nonce is consumed and none of our attempts is mined: decided at a final block."""
        try:
            final_count = self._chain.transaction_count(lane.sender, at_block=max(view.final_block, 0))
        except UnknownBlockError:
            return False
        if final_count <= transaction.nonce or self._receipt(transaction, view) is not None:
            return False
        log.error("nonce %d of %s went to a foreign transaction", transaction.nonce, to_hex(lane.sender))
        with self._store.read() as unit:
            operation = unit.outbox.operation(transaction.operation_id)
        with lane.write() as unit:
            unit.outbox.set_transaction(transaction.id, TransactionState.REPLACED)
            if operation is None:
                return True
            if (now := ledger.current(unit, operation, _SUBMITTED)) is not None:
                ledger.queued(unit, now)
        return True

    # --- operations whose effect was seen -------------------------------------------------------------------

    def follow(self, operations: Sequence[Operation], view: View) -> bool:
        """Rewind operations whose block is gone, finish those whose block is final; whether anything was
        written."""
        wrote = False
        for operation in operations:
            if operation.state is not OperationState.MINED or operation.effect_hash is None:
                continue
            assert operation.effect_block is not None
            if not view.is_canonical(operation.effect_block, operation.effect_hash):
                self._rewind(operation)
                wrote = True
            elif operation.effect_block <= view.final_block:
                wrote = self._finish(operation) or wrote
        return wrote

    def _rewind(self, operation: Operation) -> None:
        """Back to `submitted` while own bytes are on their way, else back to the queue."""
        log.warning("operation %d: its block is no longer on the chain", operation.id)
        with self._store.write() as unit:
            now = ledger.current(unit, operation, _MINED)
            if now is None or now.effect_hash != operation.effect_hash:
                return
            unfinished = [
                one
                for one in unit.outbox.transactions_of([operation.id])
                if one.state in (TransactionState.SIGNED, TransactionState.MINED)
            ]
            if unfinished:
                ledger.submitted(unit, now)
            else:
                ledger.queued(unit, now)
            self._checkpoint("rewind")

    def _finish(self, operation: Operation) -> bool:
        assert operation.effect_block is not None
        assert operation.effect_hash is not None
        effect = Effect(operation.effect_block, operation.effect_hash, operation.effect_transaction)
        try:
            anchor = self._anchor(operation, effect)
        except UnknownBlockError:
            return False
        if operation.call.kind is CallKind.ANCHOR and anchor is None:
            return False
        with self._store.write() as unit:
            now = ledger.current(unit, operation, _MINED)
            if now is None or now.effect_hash != operation.effect_hash:
                return False
            ledger.final(unit, now, effect, anchor, self._clock.now())
        return True


def _found(unit: Unit, transaction: OutboxTransaction, receipt: Receipt, *, is_final: bool) -> None:
    """The transaction is in a canonical block; its gas counts from the moment that no reorg can undo it."""
    state = TransactionState.FINAL if is_final else TransactionState.MINED
    unit.outbox.set_transaction(transaction.id, state, gas_used=receipt.gas_used)
