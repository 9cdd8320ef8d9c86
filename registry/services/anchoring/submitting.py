"""From a queued operation to committed, signed bytes.

Order: recompute the batch from its rows; take away what the chain already says; simulate (a revert ends the
operation before a nonce is spent); decide who sends; sign; commit nonce, call data and signed bytes in one
transaction under the sender's lease; broadcast. Invariant: bytes leave this process only after they were
committed.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import Enum

from registry.encoding import Address, to_hex
from registry.errors import (
    ConflictError,
    ContractRevertedError,
    SignerError,
)
from registry.model.chain import (
    UNRELAYABLE_CALLS,
    CallKind,
    ContractCall,
    SendMode,
    UnsignedTransaction,
)
from registry.model.operations import Attempt, Operation, OperationState, TransactionState
from registry.ports.chain import Chain
from registry.ports.clock import Clock
from registry.ports.store import Store
from registry.services.anchoring import ledger
from registry.services.anchoring.anchors import read_anchor
from registry.services.anchoring.effects import Effect, find_anchor, unmet
from registry.services.anchoring.fees import Fees, first_fees, gas_limit
from registry.services.anchoring.keys import Keys
from registry.services.anchoring.lanes import Lanes, View
from registry.services.anchoring.sending import Sending, sign
from registry.services.policy import Policy
from registry.services.sealing import Checkpoint, find_damage

log = logging.getLogger(__name__)

_MAY_HEAL = frozenset({"NotKeyOf", "NotAnchored", "RoleMissing", "KeyNotValid"})
"""Reverts that a reorg, or a node behind the others, can cause while what they miss is mined but not
final."""
_STALE_SIGNATURE = frozenset({"InvalidSignature", "SignatureExpired"})
"""Reverts of a relayed call that a newer signature heals."""
_IN_FLIGHT = frozenset({TransactionState.SIGNED})


@dataclass(frozen=True, slots=True)
class _Plan:
    """A transaction as it will be, but for its nonce."""

    sender: Address
    mode: SendMode
    to: Address
    data: bytes
    gas: int
    value_wei: int


class Submission(Enum):
    """What `Submitting.submit` did."""

    WAITS = "waits"
    SETTLED = "settled"
    SENT = "sent"
    RELAYED = "relayed"


class Submitting:
    """Submits one operation at a time."""

    def __init__(
        self,
        store: Store,
        chain: Chain,
        keys: Keys,
        lanes: Lanes,
        sending: Sending,
        clock: Clock,
        policy: Policy,
        checkpoint: Checkpoint,
    ) -> None:
        self._store = store
        self._chain = chain
        self._keys = keys
        self._lanes = lanes
        self._sending = sending
        self._clock = clock
        self._policy = policy
        self._checkpoint = checkpoint
        self._intact: set[int] = set()
        self._waiting: dict[int, str] = {}

    def submit(self, operation: Operation, view: View) -> Submission:
        """Bring one ready operation on its way, or find that nothing is to do, or that it cannot be done.

        Raises:
            ChainUnavailableError, NodeMismatchError, StoreUnavailableError: try again later.
            UnknownBlockError: a reorg in the middle of it; try again.
            LeaseLostError: another process has taken the sender over; nothing was stored.
        """
        if (damage := self._damage(operation)) is not None:
            return self._fail(operation, damage)
        call = unmet(self._chain, operation.call, view.latest)
        if call is None:
            return self._already_done(operation, view)
        fees = first_fees(self._chain.fee_quote(), self._policy.max_fee_per_gas_wei)
        if fees is None:
            return self._wait(operation, "the base fee is above the limit")
        try:
            plan = self._plan(operation, call, fees, view)
            if plan is None or not self._commit(operation, plan, fees):
                return Submission.WAITS
        except ContractRevertedError as error:
            return self._reverted(operation, error)
        except SignerError as error:
            return self._wait(operation, str(error))
        return Submission.RELAYED if plan.mode is SendMode.RELAYED else Submission.SENT

    # --- before anything is signed --------------------------------------------------------------------------

    def _damage(self, operation: Operation) -> str | None:
        seq = operation.batch_seq
        if operation.call.kind is not CallKind.ANCHOR or seq is None or seq in self._intact:
            return None
        with self._store.read() as unit:
            batch = unit.batches.by_seq(seq)
            if batch is None or batch.root != operation.call.root:
                return "the batch does not have the root that was to be anchored"
            damage = find_damage(unit, batch, self._policy.sample_size)
        if damage is None:
            self._intact.add(seq)
        return damage

    def _already_done(self, operation: Operation, view: View) -> Submission:
        """The chain says so already, whoever caused it; it is tracked like an own transaction's effect."""
        call = operation.call
        effect: Effect | None = Effect(view.latest.number, view.latest.hash, None)
        if call.kind is CallKind.ANCHOR and call.root is not None:
            effect = find_anchor(self._chain, call.issuer, call.root, view.latest)
        if effect is None or not view.is_indexed(effect.block):
            return Submission.WAITS
        anchor = read_anchor(self._chain, effect, []) if call.kind is CallKind.ANCHOR else None
        if call.kind is CallKind.ANCHOR and anchor is None:
            return Submission.WAITS
        self._forget(operation)
        with self._store.write() as unit:
            if ledger.current(unit, operation, {OperationState.QUEUED}) is not None:
                ledger.mined(unit, operation, effect, anchor)
        return Submission.SETTLED

    def _wait(self, operation: Operation, reason: str) -> Submission:
        """Try again in the next round; said once, however many rounds it takes."""
        if self._waiting.get(operation.id) != reason:
            self._waiting[operation.id] = reason
            log.warning("operation %d waits: %s", operation.id, reason)
        return Submission.WAITS

    def _forget(self, operation: Operation) -> None:
        """What was remembered between rounds, once the operation waits no longer."""
        self._waiting.pop(operation.id, None)
        self._intact.discard(operation.batch_seq or 0)

    def _fail(self, operation: Operation, reason: str) -> Submission:
        log.error("operation %d failed: %s", operation.id, reason)
        self._forget(operation)
        with self._store.write() as unit:
            if ledger.current(unit, operation, {OperationState.QUEUED}) is not None:
                ledger.failed(unit, operation, reason, self._clock.now())
        return Submission.SETTLED

    def _reverted(self, operation: Operation, error: ContractRevertedError) -> Submission:
        name = error.name
        if name in _STALE_SIGNATURE and not operation.call.signature:
            return self._wait(operation, f"its signature came too late: {name}")
        if name in _MAY_HEAL and self._rests_on_unfinal(operation):
            return self._wait(operation, f"what it rests on is not final: {name}")
        return self._fail(operation, f"the contract refuses it: {name}" if name else str(error))

    def _rests_on_unfinal(self, operation: Operation) -> bool:
        """Whether an earlier operation is not final yet that gave the key, or anchored the batch."""
        states = {OperationState.QUEUED, OperationState.SUBMITTED, OperationState.MINED}
        with self._store.read() as unit:
            earlier = unit.outbox.operations(states=states, issuer=operation.issuer, limit=100_000)
        return any(
            other.id < operation.id
            and (
                (other.call.kind is CallKind.ADD_KEY and other.call.account == operation.actor)
                or (other.call.kind is CallKind.ANCHOR and other.batch_seq == operation.batch_seq)
            )
            for other in earlier
        )

    # --- who sends ------------------------------------------------------------------------------------------

    def _plan(self, operation: Operation, call: ContractCall, fees: Fees, view: View) -> _Plan | None:
        """Direct where the acting key has the ether, else relayed; None when nobody can pay, or must wait.

        Raises:
            ContractRevertedError: the simulation reverted.
            SignerError: the acting key is not here and gave no signature.
        """
        actor = operation.actor
        if not call.signature and self._keys.holds(actor):
            available = self._available_wei(actor)
            if available > 0:
                plan = self._direct(actor, call)
                if plan is not None and plan.gas * fees.max_fee_per_gas_wei + plan.value_wei <= available:
                    return plan
        relayer = self._keys.relayer
        if call.kind in UNRELAYABLE_CALLS or relayer is None or relayer.address == actor:
            self._wait(operation, f"{to_hex(actor)} has no ether to send it")
            return None
        plan = self._relayed(relayer.address, actor, call, view)
        if plan is None or plan.gas * fees.max_fee_per_gas_wei > self._available_wei(relayer.address):
            self._wait(operation, "the relayer has no ether to send it")
            return None
        return plan

    def _available_wei(self, account: Address) -> int:
        """Balance less what transactions on their way may cost at most."""
        with self._store.read() as unit:
            waiting = unit.outbox.transactions(states=_IN_FLIGHT, sender=account)
        reserved = sum(
            one.gas_limit * max(attempt.max_fee_per_gas_wei for attempt in one.attempts) + one.value_wei
            for one in waiting
        )
        return self._chain.balance_wei(account) - reserved

    def _direct(self, actor: Address, call: ContractCall) -> _Plan | None:
        if call.kind is CallKind.FUND:
            if call.account is None:
                raise SignerError("funding needs a receiver")
            to, data = call.account, b""
        else:
            to, data = self._chain.encoder.direct(call)
        gas = gas_limit(self._chain.estimate_gas(actor, to, data, call.value_wei))
        return None if gas is None else _Plan(actor, SendMode.DIRECT, to, data, gas, call.value_wei)

    def _relayed(self, relayer: Address, actor: Address, call: ContractCall, view: View) -> _Plan | None:
        encoder = self._chain.encoder
        deadline, signature = call.deadline, call.signature
        if not signature:
            now = max(int(self._clock.now().timestamp()), view.latest.timestamp)
            deadline = now + self._policy.relay_deadline_seconds
            typed_data = encoder.typed_data(call, self._chain.call_nonce_of(actor), deadline)
            signature = self._keys.signer(actor).sign_typed_data(typed_data)
        to, data = encoder.relayed(call, actor, deadline, signature)
        gas = gas_limit(self._chain.estimate_gas(relayer, to, data))
        return None if gas is None else _Plan(relayer, SendMode.RELAYED, to, data, gas, 0)

    # --- signed bytes ---------------------------------------------------------------------------------------

    def _commit(self, operation: Operation, plan: _Plan, fees: Fees) -> bool:
        lane = self._lanes.acquire(plan.sender)
        if lane is None:
            return False
        floor = self._chain.transaction_count(plan.sender)
        with self._store.read() as unit:
            nonce = unit.outbox.next_nonce(plan.sender, floor)
        attempt = self._signed(plan, fees, nonce)
        try:
            with lane.write() as unit:
                if ledger.current(unit, operation, {OperationState.QUEUED}) is None:
                    return False
                unit.outbox.add_transaction(
                    operation.id,
                    plan.sender,
                    nonce,
                    plan.mode,
                    plan.to,
                    plan.data,
                    plan.gas,
                    plan.value_wei,
                    attempt,
                )
                ledger.submitted(unit, operation)
                self._checkpoint("before_commit")
        except ConflictError:
            log.info("nonce %d of %s was taken meanwhile", nonce, to_hex(plan.sender))
            return False
        self._forget(operation)
        self._checkpoint("after_commit")
        self._sending.broadcast(lane, attempt)
        return True

    def _signed(self, plan: _Plan, fees: Fees, nonce: int) -> Attempt:
        unsigned = UnsignedTransaction(
            chain_id=self._chain.info.chain_id,
            nonce=nonce,
            to=plan.to,
            data=plan.data,
            gas_limit=plan.gas,
            max_fee_per_gas_wei=fees.max_fee_per_gas_wei,
            max_priority_fee_per_gas_wei=fees.max_priority_fee_per_gas_wei,
            value_wei=plan.value_wei,
        )
        return sign(self._keys.signer(plan.sender), unsigned, self._clock)
