"""Any transaction and any contract of the configured chain: `Ledgers` of registry.ports.ledgers.

Only the configured chain is read. A transaction counts once every node that answers has it in the same block
of its chain, with status 1; what a reverted one carried was never accepted by anybody. CCIP-Read (EIP-3668)
is off, as it is for every `Node`: a contract that answers with an offchain lookup has reverted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn, TypeVar

from registry.chain.blocks import call_at, header_at
from registry.chain.node import Node
from registry.chain.nodes import NodeSet
from registry.chain.rpc import data, hexed, mapping, quantity
from registry.encoding import Address, BlockHash, TxHash
from registry.errors import (
    ChainError,
    ChainUnavailableError,
    ContractRevertedError,
    NodeMismatchError,
    UnavailableSourceError,
    UnknownBlockError,
)
from registry.model.chain import Header, RegistryInfo
from registry.ports.ledgers import LedgerTransaction

T = TypeVar("T")

_LAST_SECOND = 253_402_300_799  # of the year 9999, the last that datetime knows


@dataclass(frozen=True, slots=True)
class _Mined:
    """A mined transaction as one node gives it; nodes must agree on all of it."""

    sender: Address
    to: Address | None
    input: bytes
    succeeded: bool
    block: Header


class ChainLedgers:
    """The configured chain as the one ledger that can be read. Thread-safe."""

    def __init__(self, nodes: NodeSet, info: RegistryInfo, *, confirmations: int) -> None:
        """Read through these nodes.

        Args:
            info: the chain's id, and whether its `finalized` tag means something.
            confirmations: blocks until final, the including block counted, where it does not.
        """
        self._nodes = nodes
        self._info = info
        self._confirmations = confirmations

    def transaction(self, chain_id: int, transaction: bytes) -> LedgerTransaction | None:
        """A mined transaction with status 1; None when no node has it, or it reverted."""
        self._require(chain_id)
        wanted = TxHash(transaction)
        found = self._reading(lambda: self._agreed_transaction(wanted))
        if found is None or not found.succeeded:
            return None
        final_number = self._reading(self._final_number)
        return LedgerTransaction(
            sender=found.sender,
            to=found.to,
            input=found.input,
            block_number=found.block.number,
            at=datetime.fromtimestamp(min(found.block.timestamp, _LAST_SECOND), UTC),
            final=found.block.number <= final_number,
        )

    def call(self, chain_id: int, to: Address, data: bytes) -> bytes:
        """What the contract answers at the newest block that all nodes have."""
        self._require(chain_id)
        return self._reading(lambda: self._agreed_call(to, data))

    # --- the nodes' answers ---------------------------------------------------------------------------------

    def _require(self, chain_id: int) -> None:
        if chain_id != self._info.chain_id:
            raise UnavailableSourceError(f"no node of the chain eip155:{chain_id} is configured")

    def _reading(self, read: Callable[[], T]) -> T:
        try:
            return read()
        except (ChainError, ChainUnavailableError) as error:
            chain = f"eip155:{self._info.chain_id}"
            raise UnavailableSourceError(f"the chain {chain} could not be read: {error}") from error

    def _agreed_call(self, to: Address, payload: bytes) -> bytes:
        block = self._nodes.latest()
        try:
            return self._nodes.agreed("a call", lambda node: call_at(node, block.hash, to, payload))
        except ContractRevertedError:
            return b""

    def _agreed_transaction(self, transaction: TxHash) -> _Mined | None:
        answers = self._nodes.ask(lambda node: _mined_at(node, transaction))
        found = [mined for answer in answers if (mined := answer.get()) is not None]
        if not found:
            return None
        if any(mined != found[0] for mined in found):
            raise NodeMismatchError("nodes disagree about a transaction")
        if len(found) < len(answers):
            names = ", ".join(answer.node.name for answer in answers if answer.get() is None)
            raise NodeMismatchError(f"nodes disagree about a transaction, which {names} does not have")
        return found[0]

    def _final_number(self) -> int:
        if self._info.has_finalized_tag:
            return self._nodes.finalized().number
        return self._nodes.latest().number - self._confirmations + 1


def _mined_at(node: Node, transaction: TxHash) -> _Mined | None:
    """The transaction, if it is mined on the node's chain."""
    parameter = hexed(transaction)
    fields, receipt = node.ask_all(
        [("eth_getTransactionByHash", (parameter,)), ("eth_getTransactionReceipt", (parameter,))]
    )
    if fields is None or receipt is None:
        return None
    return node.reading("a transaction", lambda: _parse(node, transaction, fields, receipt))


def _parse(node: Node, transaction: TxHash, fields: Any, receipt: Any) -> _Mined | None:
    fields, receipt = mapping(fields, "transaction"), mapping(receipt, "receipt")
    if fields.get("blockHash") is None or receipt.get("blockHash") is None:
        return None  # some nodes give a receipt for a transaction that waits
    named = data(fields.get("hash"), "hash", 32), data(receipt.get("transactionHash"), "transactionHash", 32)
    if set(named) != {transaction}:
        _contradiction(node, "another transaction")
    block_hash = BlockHash(data(fields["blockHash"], "blockHash", 32))
    if block_hash != data(receipt["blockHash"], "blockHash", 32):
        _contradiction(node, "two blocks")
    sender = Address(data(fields.get("from"), "from", 20))
    if sender != data(receipt.get("from"), "from", 20):
        _contradiction(node, "two senders")
    block = _block(node, quantity(fields.get("blockNumber"), "blockNumber"), block_hash)
    if block is None:
        return None
    to = fields.get("to")
    return _Mined(
        sender=sender,
        to=None if to is None else Address(data(to, "to", 20)),
        input=data(fields.get("input"), "input"),
        succeeded=quantity(receipt.get("status"), "status") == 1,
        block=block,
    )


def _block(node: Node, number: int, block_hash: BlockHash) -> Header | None:
    """The block at that height, if it is the one; None for one that left the node's chain."""
    try:
        block = header_at(node, number)
    except UnknownBlockError:
        return None
    return block if block.hash == block_hash else None


def _contradiction(node: Node, what: str) -> NoReturn:
    raise NodeMismatchError(f"node {node.name} answers for a transaction with {what}")
