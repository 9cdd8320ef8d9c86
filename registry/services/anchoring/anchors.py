"""What is stored of an anchor: read from the receipt of the transaction that caused it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from registry.model.batches import Anchor
from registry.model.chain import EventKind, Receipt, SendMode
from registry.model.operations import OutboxTransaction
from registry.ports.chain import Chain
from registry.services.anchoring.effects import Effect


def read_anchor(chain: Chain, effect: Effect, own: Iterable[OutboxTransaction]) -> Anchor | None:
    """The anchor behind ``effect``; None when the node has no receipt for it in that block (any more).

    Args:
        own: this server's transactions for the operation, which know how they were sent. For others', the
            sender is compared with the anchoring key.

    Raises:
        UnknownBlockError: the block is gone.
    """
    if effect.transaction is None:
        return None
    receipt = chain.receipt(effect.transaction)
    if receipt is None or receipt.block_hash != effect.hash:
        return None
    header = chain.header_by_hash(effect.hash)
    return Anchor(
        transaction=receipt.transaction,
        block_number=receipt.block_number,
        block_hash=receipt.block_hash,
        anchored_at=datetime.fromtimestamp(header.timestamp, UTC),
        gas_used=receipt.gas_used,
        fee_wei=receipt.gas_used * receipt.effective_gas_price_wei,
        sender=receipt.sender,
        mode=_mode(receipt, own),
    )


def _mode(receipt: Receipt, own: Iterable[OutboxTransaction]) -> SendMode:
    for transaction in own:
        if any(attempt.hash == receipt.transaction for attempt in transaction.attempts):
            return transaction.mode
    keys = {event.account for event in receipt.events if event.kind is EventKind.BATCH_ANCHORED}
    return SendMode.DIRECT if receipt.sender in keys else SendMode.RELAYED
