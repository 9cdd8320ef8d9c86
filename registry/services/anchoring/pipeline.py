"""One round of the outbox after the other, until every operation is final or failed.

A round: seal what is due; read the chain's end; rewind what a reorg took and finish what is final; for each
sender this process holds the lease of, confirm its transactions, send again what was lost, raise the fee of
what is stuck; submit what is ready. Everything a round learns is written before the next step, so that a
process may die anywhere and another go on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence

from registry.encoding import Address
from registry.errors import ChainError, LeaseLostError
from registry.model.batches import BatchState
from registry.model.chain import STATUS_CALLS, SendMode
from registry.model.issuers import IssuerState
from registry.model.operations import Operation, OperationState, OutboxTransaction, TransactionState
from registry.ports.chain import Chain
from registry.ports.clock import Clock
from registry.ports.signer import Keystore, Signer
from registry.ports.store import Store
from registry.services.anchoring.confirming import Confirming
from registry.services.anchoring.keys import Keys
from registry.services.anchoring.lanes import Lane, Lanes, View, look
from registry.services.anchoring.ready import ready
from registry.services.anchoring.sending import Sending
from registry.services.anchoring.submitting import Submission, Submitting
from registry.services.issuers import key_added_at
from registry.services.issuing import IssuingService
from registry.services.policy import Policy
from registry.services.sealing import Checkpoint, no_checkpoint

log = logging.getLogger(__name__)

_UNFINISHED = frozenset({OperationState.QUEUED, OperationState.SUBMITTED, OperationState.MINED})
_OPEN = frozenset({TransactionState.SIGNED, TransactionState.MINED})
_ANCHORED = frozenset({BatchState.MINED, BatchState.FINAL})
MAX_OPERATIONS = 100_000


class Pipeline:
    """Moves operations from queued to final. Safe to run in several processes on one store."""

    def __init__(
        self,
        store: Store,
        chain: Chain,
        operating: Keystore,
        admins: Keystore,
        relayer: Signer | None,
        clock: Clock,
        policy: Policy,
        owner: str,
        checkpoint: Checkpoint = no_checkpoint,
    ) -> None:
        """``owner`` names this process among those that share the store; it must be unique."""
        self._store = store
        self._chain = chain
        self._policy = policy
        self._lanes = Lanes(store, chain.info.chain_id, clock, policy, owner)
        keys = Keys(operating, admins, relayer)
        self._sending = Sending(chain, keys, clock, policy, checkpoint)
        self._submitting = Submitting(
            store, chain, keys, self._lanes, self._sending, clock, policy, checkpoint
        )
        self._confirming = Confirming(store, chain, clock, policy, checkpoint)
        self._issuing = IssuingService(store, chain, clock, policy, checkpoint)
        self._lock = threading.Lock()

    def step(self) -> bool:
        """One round; whether anything changed.

        Raises:
            ChainUnavailableError, NodeMismatchError, StoreUnavailableError: the round ends here; what it has
                written stands, and the next one goes on from there.
        """
        with self._lock:
            sealed = self._issuing.seal_due() > 0
            operations, transactions = self._unfinished()
            if not operations and not transactions:
                return sealed
            view = look(self._chain, self._policy, self._indexed_block())
            changed = self._confirming.follow(operations, view)
            for sender, own in _by_sender(transactions).items():
                changed = self._serve(sender, own, view) or changed
            return self._submit(view) or changed or sealed

    def close(self) -> None:
        """Give the senders to others at once instead of when the leases run out."""
        with self._lock:
            self._lanes.release_all()

    def _indexed_block(self) -> int | None:
        with self._store.read() as unit:
            position = unit.events.position()
        return None if position is None else position.block.number

    def _unfinished(self) -> tuple[Sequence[Operation], Sequence[OutboxTransaction]]:
        with self._store.read() as unit:
            operations = unit.outbox.operations(states=_UNFINISHED, limit=MAX_OPERATIONS)
            transactions = unit.outbox.transactions(states=_OPEN, limit=MAX_OPERATIONS)
        return operations, transactions

    # --- what is on its way ---------------------------------------------------------------------------------

    def _serve(self, sender: Address, transactions: Sequence[OutboxTransaction], view: View) -> bool:
        lane = self._lanes.acquire(sender)
        if lane is None:
            return False
        try:
            return self._serve_lane(lane, transactions, view)
        except LeaseLostError:
            log.info("another process sends for this account now")
        except ChainError as error:  # a reorg between two readings; the next round sees clearer
            log.warning("a round for one sender is cut short: %s", error)
        return False

    def _serve_lane(self, lane: Lane, transactions: Sequence[OutboxTransaction], view: View) -> bool:
        mined_count = self._sending.mined_count(lane.sender)
        changed = False
        for transaction in transactions:
            if self._confirming.confirm(lane, transaction, view, mined_count):
                changed = True
            elif transaction is transactions[0] and transaction.nonce > mined_count:
                changed = self._sending.fill_gap(lane, transaction, mined_count) or changed
            elif transaction.state is TransactionState.SIGNED and transaction.nonce >= mined_count:
                changed = self._sending.bump(lane, transaction, mined_count) or changed
                changed = self._sending.resend(lane, transaction) or changed
        return changed

    # --- what is to be sent ---------------------------------------------------------------------------------

    def _submit(self, view: View) -> bool:
        operations, transactions = self._unfinished()
        relaying = self._relaying(operations, transactions)
        changed = False
        for operation in ready(
            operations,
            anchored=self._anchored(operations),
            awaiting_admin=self._awaiting_admin(operations),
            relaying=relaying,
        ):
            if operation.actor in relaying:
                continue
            try:
                done = self._submitting.submit(operation, view)
            except LeaseLostError:
                continue
            except ChainError as error:
                log.warning("operation %d waits: %s", operation.id, error)
                continue
            if done is Submission.RELAYED:
                relaying.add(operation.actor)
            changed = changed or done is not Submission.WAITS
        return changed

    def _relaying(
        self, operations: Iterable[Operation], transactions: Iterable[OutboxTransaction]
    ) -> set[Address]:
        """Accounts with a relayed call on its way."""
        relayed = {
            one.operation_id
            for one in transactions
            if one.mode is SendMode.RELAYED and one.state is TransactionState.SIGNED
        }
        return {one.actor for one in operations if one.id in relayed}

    def _anchored(self, operations: Iterable[Operation]) -> set[int]:
        seqs = {
            one.batch_seq for one in operations if one.call.kind in STATUS_CALLS and one.batch_seq is not None
        }
        with self._store.read() as unit:
            batches = [unit.batches.by_seq(seq) for seq in seqs]
        return {batch.seq for batch in batches if batch is not None and batch.state in _ANCHORED}

    def _awaiting_admin(self, operations: Iterable[Operation]) -> set[Address]:
        """Issuers whose own admin has still to register the key; those whose key the index finally shows
        become active on the way."""
        with self._store.read() as unit:
            issuers = unit.issuers.by_addresses({one.issuer for one in operations})
            waiting = [one for one in issuers.values() if one.state is IssuerState.AWAITING_ADMIN]
            added = {one.address: key_added_at(unit, one) for one in waiting}
            position = unit.events.position()
        for address, block in added.items():
            if block is not None and position is not None and block <= position.final_block:
                with self._store.write() as unit:
                    unit.issuers.set_state(address, IssuerState.ACTIVE)
        return {address for address, block in added.items() if block is None}


def _by_sender(transactions: Iterable[OutboxTransaction]) -> dict[Address, list[OutboxTransaction]]:
    result: dict[Address, list[OutboxTransaction]] = {}
    for transaction in transactions:
        result.setdefault(transaction.sender, []).append(transaction)
    return result
