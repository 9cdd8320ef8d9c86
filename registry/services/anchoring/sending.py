"""Signed bytes to the nodes: broadcasting, sending again, raising the fee.

A failed send proves nothing: whether the bytes arrived is asked by hash and nonce later, and until then they
are sent again, unchanged. A replacement has the same nonce, receiver and data, so whichever is mined, the
same thing happens.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from registry.encoding import Address, to_hex
from registry.errors import ChainUnavailableError, ConflictError, SignerError, TransactionRejectedError
from registry.model.chain import UnsignedTransaction
from registry.model.operations import Attempt, OutboxTransaction
from registry.ports.chain import Chain
from registry.ports.clock import Clock
from registry.ports.signer import Signer
from registry.services.anchoring.fees import Fees, bumped_fees, first_fees
from registry.services.anchoring.keys import Keys
from registry.services.anchoring.lanes import Lane
from registry.services.policy import Policy
from registry.services.sealing import Checkpoint

log = logging.getLogger(__name__)


def sign(signer: Signer, transaction: UnsignedTransaction, clock: Clock) -> Attempt:
    """Sign; the bytes are worth nothing before they are committed. Raises `SignerError`."""
    signed = signer.sign_transaction(transaction)
    return Attempt(
        hash=signed.hash,
        raw=signed.raw,
        max_fee_per_gas_wei=transaction.max_fee_per_gas_wei,
        max_priority_fee_per_gas_wei=transaction.max_priority_fee_per_gas_wei,
        signed_at=clock.now(),
        sent_at=None,
    )


class Sending:
    """Sends what is committed. Writes through a lane only."""

    def __init__(
        self, chain: Chain, keys: Keys, clock: Clock, policy: Policy, checkpoint: Checkpoint
    ) -> None:
        self._chain = chain
        self._keys = keys
        self._clock = clock
        self._policy = policy
        self._checkpoint = checkpoint

    def broadcast(self, lane: Lane, attempt: Attempt) -> None:
        """Send committed bytes once. What goes wrong is unknown, not an error: `resend` comes back to it."""
        try:
            self._chain.send_raw(attempt.raw)
        except (TransactionRejectedError, ChainUnavailableError) as error:
            log.warning("sending %s: %s", to_hex(attempt.hash), error)
            return
        finally:
            self._checkpoint("after_broadcast")
        with lane.write() as unit:
            unit.outbox.mark_sent(attempt.hash, self._clock.now())

    def resend(self, lane: Lane, transaction: OutboxTransaction) -> bool:
        """Send the newest bytes again where they were never sent, or no node has them any more."""
        attempt = transaction.attempts[-1]
        if attempt.sent_at is not None:
            pause = timedelta(seconds=self._policy.resend_after_seconds)
            if self._clock.now() < attempt.sent_at + pause:
                return False
            if any(self._chain.is_known(one.hash) for one in transaction.attempts):
                return False
        self.broadcast(lane, attempt)
        return True

    def bump(self, lane: Lane, transaction: OutboxTransaction, mined_count: int) -> bool:
        """Raise the fee of the sender's next transaction when it has waited too long; the others wait behind
        it."""
        last = transaction.attempts[-1]
        patience = timedelta(seconds=self._policy.bump_after_seconds)
        if transaction.nonce != mined_count or self._clock.now() < last.signed_at + patience:
            return False
        old = Fees(last.max_fee_per_gas_wei, last.max_priority_fee_per_gas_wei)
        fees = bumped_fees(old, self._chain.fee_quote(), self._policy.max_fee_per_gas_wei)
        if fees is None:
            log.warning("%s waits, and its fee cannot be raised any more", to_hex(last.hash))
            return False
        attempt = self._signed_again(transaction, fees)
        if attempt is None:
            return False
        with lane.write() as unit:
            unit.outbox.add_attempt(transaction.id, attempt)
            self._checkpoint("before_commit")
        self._checkpoint("after_commit")
        self.broadcast(lane, attempt)
        return True

    def fill_gap(self, lane: Lane, transaction: OutboxTransaction, nonce: int) -> bool:
        """Send the oldest waiting transaction a second time, under the nonce that is missing before it.

        A reorg that takes away a foreign transaction of this account leaves such a gap, and all that follow
        wait for ever. Of two calls that say the same the later one changes nothing.
        """
        last = transaction.attempts[-1]
        patience = timedelta(seconds=self._policy.bump_after_seconds)
        if self._clock.now() < last.signed_at + patience:
            return False
        fees = first_fees(self._chain.fee_quote(), self._policy.max_fee_per_gas_wei)
        attempt = None if fees is None else self._signed_again(transaction, fees, nonce)
        if attempt is None:
            return False
        log.warning("nonce %d of %s is missing; it is filled", nonce, to_hex(lane.sender))
        try:
            with lane.write() as unit:
                unit.outbox.add_transaction(
                    transaction.operation_id,
                    transaction.sender,
                    nonce,
                    transaction.mode,
                    transaction.to,
                    transaction.data,
                    transaction.gas_limit,
                    transaction.value_wei,
                    attempt,
                )
        except ConflictError:
            log.error("nonce %d was used before and is missing on chain now", nonce)
            return False
        self.broadcast(lane, attempt)
        return True

    def _signed_again(
        self, transaction: OutboxTransaction, fees: Fees, nonce: int | None = None
    ) -> Attempt | None:
        unsigned = UnsignedTransaction(
            chain_id=self._chain.info.chain_id,
            nonce=transaction.nonce if nonce is None else nonce,
            to=transaction.to,
            data=transaction.data,
            gas_limit=transaction.gas_limit,
            max_fee_per_gas_wei=fees.max_fee_per_gas_wei,
            max_priority_fee_per_gas_wei=fees.max_priority_fee_per_gas_wei,
            value_wei=transaction.value_wei,
        )
        try:
            return sign(self._keys.signer(transaction.sender), unsigned, self._clock)
        except SignerError as error:
            log.warning("the fee of %s cannot be raised: %s", to_hex(transaction.attempts[-1].hash), error)
            return None

    def mined_count(self, sender: Address) -> int:
        """The sender's next nonce by the latest block."""
        return self._chain.transaction_count(sender)
