"""The sending half of the gateway: `ChainWriter` of registry.ports.chain over a `NodeSet`.

What a node says to a transaction is never taken for what became of it: a refused one may have been accepted
a moment before, from us or through another node. So a refusal is followed by asking for the transaction by
its hash.
"""

from __future__ import annotations

import re
from typing import Any, Final

from eth_hash.auto import keccak

from registry.chain.blocks import LATEST, header_at, header_by_hash
from registry.chain.logs import read_logs
from registry.chain.node import Node
from registry.chain.nodes import NodeSet
from registry.chain.rpc import Refusal, array, data, hexed, mapping, quantity
from registry.encoding import Address, BlockHash, TxHash
from registry.errors import (
    ChainError,
    ChainUnavailableError,
    ContractRevertedError,
    NodeMismatchError,
    TransactionRejectedError,
    UnknownBlockError,
    UnsupportedByNodeError,
)
from registry.model.chain import FeeQuote, Receipt, RegistryInfo

MIN_TIP_WEI: Final = 1_000_000
"""0.001 gwei: some nodes suggest 0, and take nothing below a small tip. 55 gwei for a whole anchor."""
TEST_CHAIN_TIP_WEI: Final = 1_000_000_000

_KNOWN_WORDS: Final = re.compile(
    r"\balready ?known\b"  # geth, erigon, reth; nethermind without the space
    r"|\balready imported\b"  # anvil, parity
    r"|\bknown transaction\b"  # besu, and geth before 1.9.10; not "unknown transaction type"
    r"|\balready in mempool\b"
)


class TransactionSender:
    """Every method asks all nodes."""

    def __init__(self, nodes: NodeSet, info: RegistryInfo) -> None:
        self._nodes = nodes
        self._info = info

    def balance_wei(self, account: Address) -> int:
        """Balance at the latest block: the lowest that a node gives."""
        return min(self._nodes.every(lambda node: _number(node, "eth_getBalance", account, LATEST)))

    def transaction_count(
        self, account: Address, *, pending: bool = False, at_block: int | None = None
    ) -> int:
        """Transactions mined by the latest block (the lowest count given), or by the block at height
        ``at_block`` (all must agree), or mined and waiting (the highest). Raises UnknownBlockError beyond
        the head."""
        if at_block is not None:
            height = at_block
            what = f"the transaction count at block {height}"
            return self._nodes.agreed(what, lambda node: _count_at(node, account, height))
        tag = "pending" if pending else LATEST
        counts = self._nodes.every(lambda node: _number(node, "eth_getTransactionCount", account, tag))
        return max(counts) if pending else min(counts)

    def receipt(self, transaction: TxHash) -> Receipt | None:
        """The receipt, if the transaction is mined on the chain of every node that answers.

        A node that lacks the block is behind, and there is no receipt yet. A node that has the block and no
        receipt contradicts the others.
        """
        answers = self._nodes.ask(lambda node: self._receipt_of(node, transaction))
        receipts = [receipt for answer in answers if (receipt := answer.get()) is not None]
        if not receipts:
            return None
        first = receipts[0]
        if any(receipt != first for receipt in receipts):
            raise NodeMismatchError("nodes disagree about a receipt")
        for answer in answers:
            if answer.get() is None and self._has_block(answer.node, first.block_hash):
                raise NodeMismatchError(f"node {answer.node.name} denies a receipt of a block that it has")
        return first if len(receipts) == len(answers) else None

    def is_known(self, transaction: TxHash) -> bool:
        """Whether any node has the transaction, waiting or mined."""
        return any(self._nodes.every(lambda node: _is_known(node, transaction)))

    def fee_quote(self) -> FeeQuote:
        """Fees for the next block: the highest base fee and the highest tip that a node suggests."""
        quotes = self._nodes.every(fees_of)
        floor = TEST_CHAIN_TIP_WEI if self._info.test_chain else MIN_TIP_WEI
        return FeeQuote(
            base_fee_wei=max(base for base, _ in quotes),
            priority_fee_wei=max(floor, *(tip for _, tip in quotes)),
        )

    def estimate_gas(self, sender: Address, to: Address, data: bytes, value_wei: int = 0) -> int:
        """Gas at the latest block: the highest estimate. Raises ContractRevertedError when it would
        revert."""
        call = {"from": hexed(sender), "to": hexed(to), "data": hexed(data), "value": hex(value_wei)}
        return max(self._nodes.every(lambda node: _estimate(node, call)))

    def send_raw(self, raw: bytes) -> None:
        """Hand the bytes to every node; one that takes it, or has it, is enough.

        Raises:
            TransactionRejectedError: every node that was asked said no.
            ChainUnavailableError: none took it, and some did not answer, so it is unknown whether it arrived.
        """
        transaction = TxHash(keccak(raw))
        answers = self._nodes.ask(lambda node: _send(node, raw, transaction), quorum=0)
        if any(answer.error is None for answer in answers):
            return
        if len(answers) < len(self._nodes.nodes):
            names = ", ".join(self._nodes.unavailable) or "a node"
            raise ChainUnavailableError(f"unknown whether the transaction arrived: {names} did not answer")
        answers[0].get()

    def _receipt_of(self, node: Node, transaction: TxHash) -> Receipt | None:
        found = node.ask("eth_getTransactionReceipt", hexed(transaction))
        if found is None:
            return None
        receipt = node.reading("a receipt", lambda: self._parse_receipt(node, found))
        if receipt is None:
            return None
        if receipt.transaction != transaction:
            raise NodeMismatchError(f"node {node.name} answers with another transaction's receipt")
        return receipt if self._has_block(node, receipt.block_hash, receipt.block_number) else None

    def _parse_receipt(self, node: Node, found: Any) -> Receipt | None:
        """Read a receipt object; None for one without a block, which some nodes give for a waiting
        transaction."""
        fields = mapping(found, "receipt")
        if "blockHash" in fields and fields["blockHash"] is None:
            return None
        block_hash = BlockHash(data(fields.get("blockHash"), "blockHash", 32))
        own = [
            log
            for log in array(fields.get("logs"), "logs")
            if data(mapping(log, "log").get("address"), "log address", 20) == self._info.address
        ]
        events = read_logs(node, own, self._info.address)
        transaction = TxHash(data(fields.get("transactionHash"), "transactionHash", 32))
        if any(event.transaction != transaction or event.block_hash != block_hash for event in events):
            raise NodeMismatchError(f"node {node.name} gives a receipt with another transaction's log")
        gas_price = fields.get("effectiveGasPrice")
        return Receipt(
            transaction=transaction,
            block_number=quantity(fields.get("blockNumber"), "blockNumber"),
            block_hash=block_hash,
            status=quantity(fields.get("status"), "status"),
            gas_used=quantity(fields.get("gasUsed"), "gasUsed"),
            effective_gas_price_wei=quantity(gas_price, "effectiveGasPrice") if gas_price is not None else 0,
            sender=Address(data(fields.get("from"), "from", 20)),
            events=events,
        )

    @staticmethod
    def _has_block(node: Node, block_hash: BlockHash, number: int | None = None) -> bool:
        """Whether the block is on the node's chain, at that height if one is given."""
        try:
            if number is not None:
                return header_at(node, number).hash == block_hash
            return header_by_hash(node, block_hash).hash == block_hash
        except UnknownBlockError:
            return False


def _number(node: Node, method: str, account: Address, block: str) -> int:
    found = node.ask(method, hexed(account), block)
    return node.reading(method, lambda: quantity(found, "number"))


def _count_at(node: Node, account: Address, height: int) -> int:
    header_at(node, height)  # a node that lacks the block must not answer for another one
    return _number(node, "eth_getTransactionCount", account, hex(height))


def _is_known(node: Node, transaction: TxHash) -> bool:
    return node.ask("eth_getTransactionByHash", hexed(transaction)) is not None


def _send(node: Node, raw: bytes, transaction: TxHash) -> None:
    """Hand the bytes to one node. Raises TransactionRejectedError, ChainUnavailableError."""
    try:
        found = node.raw("eth_sendRawTransaction", hexed(raw))
    except Refusal as refusal:
        if _KNOWN_WORDS.search(refusal.words) or _is_known(node, transaction):
            return
        raise TransactionRejectedError(
            f"node {node.name} refused the transaction: {refusal.message}"
        ) from refusal
    if node.reading("eth_sendRawTransaction", lambda: data(found, "hash", 32)) != transaction:
        raise ChainUnavailableError(f"node {node.name} took the transaction under another hash")


def fees_of(node: Node) -> tuple[int, int]:
    """Base fee of the next block and suggested tip, in wei."""
    return _base_fee(node), _tip(node)


def _base_fee(node: Node) -> int:
    """The next block's base fee (EIP-1559): from `eth_feeHistory`, else the latest block's with one step's
    rise."""
    try:
        history = node.ask("eth_feeHistory", "0x1", LATEST, [])
        fees = node.reading(
            "eth_feeHistory", lambda: array(mapping(history, "history").get("baseFeePerGas"), "base fees")
        )
        if fees:
            return node.reading("eth_feeHistory", lambda: quantity(fees[-1], "base fee"))
    except (ChainError, ChainUnavailableError):
        pass  # asked for in another way below, which raises if the node is gone
    block = node.ask("eth_getBlockByNumber", LATEST, False)
    fee = node.reading("a block", lambda: mapping(block, "block").get("baseFeePerGas") or "0x0")
    return node.reading("a block", lambda: quantity(fee, "base fee")) * 9 // 8


def _tip(node: Node) -> int:
    try:
        return node.reading("a tip", lambda: quantity(node.ask("eth_maxPriorityFeePerGas"), "tip"))
    except UnsupportedByNodeError:
        return 0


def _estimate(node: Node, call: dict[str, str]) -> int:
    try:
        found = node.raw("eth_estimateGas", call)
    except Refusal as refusal:
        error = node.error_of("eth_estimateGas", refusal)
        if isinstance(error, ContractRevertedError):
            raise error from refusal
        raise ChainUnavailableError(
            f"node {node.name} refused to estimate the gas: {refusal.message}"
        ) from refusal
    return node.reading("eth_estimateGas", lambda: quantity(found, "gas"))
