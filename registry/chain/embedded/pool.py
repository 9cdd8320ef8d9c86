"""Transactions that wait for a block: what may enter, and in which order they are tried. Pure: no I/O.

Refusals use geth's words (core/error.go and core/txpool/errors.go), because callers compare them. What a node
accepts is accepted: a nonce ahead of the account's waits for the gap to fill, a fee cap below the base fee
waits for a lower base fee; both are no errors.

Invariant: one transaction per (sender, nonce).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from eth.abc import SignedTransactionAPI, StateAPI, TransactionBuilderAPI
from eth.exceptions import UnrecognizedTransactionType
from eth_keys.exceptions import BadSignature
from eth_typing import Address
from eth_utils.exceptions import ValidationError
from rlp.exceptions import RLPException  # type: ignore[import-untyped, unused-ignore]

from registry.chain.embedded.errors import rejected

MAX_POOL_TRANSACTIONS: Final = 4096
MAX_TRANSACTION_BYTES: Final = 128 * 1024
"""geth's txMaxSize."""
MAX_INITCODE_BYTES: Final = 49_152
"""EIP-3860."""
_INITCODE_WORD_GAS: Final = 2
PRICE_BUMP_PERCENT: Final = 10
"""A replacement must raise both fees by this much, as in geth."""
_SECP256K1_HALF_N: Final = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
_BLOB_TYPE: Final = 3


@dataclass(frozen=True, slots=True)
class Waiting:
    """A transaction in the pool. Fees in wei per gas; legacy transactions have both at their gas price."""

    transaction: Any
    raw: bytes
    hash: bytes
    sender: Address
    nonce: int
    fee_cap: int
    tip_cap: int

    @property
    def worst_cost_wei(self) -> int:
        """The most it can take from the sender."""
        return int(self.transaction.gas * self.fee_cap + self.transaction.value)


def decode(raw: bytes, builder: type[TransactionBuilderAPI], chain_id: int) -> Waiting:
    """Read a signed transaction and check what depends on nothing else.

    Raises:
        RpcError: it is no transaction, too large, of an unsupported type, for another chain, or wrongly
        signed.
    """
    if len(raw) > MAX_TRANSACTION_BYTES:
        raise rejected(f"oversized data: transaction size {len(raw)}, limit {MAX_TRANSACTION_BYTES}")
    if raw[:1] == bytes([_BLOB_TYPE]):
        raise rejected("transaction type not supported")
    try:
        transaction: SignedTransactionAPI = builder.decode(raw)
    except UnrecognizedTransactionType:
        raise rejected("transaction type not supported") from None
    except (RLPException, ValidationError, ValueError, TypeError, IndexError) as error:
        raise rejected("invalid raw transaction: not an RLP encoded signed transaction") from error
    found = transaction.chain_id
    if found is None:
        raise rejected("only replay-protected (EIP-155) transactions allowed over RPC")
    if found != chain_id:
        raise rejected(f"invalid chain id for signer: have {found} want {chain_id}")
    return Waiting(
        transaction=transaction,
        raw=raw,
        hash=transaction.hash,
        sender=_sender(transaction),
        nonce=transaction.nonce,
        fee_cap=transaction.max_fee_per_gas,
        tip_cap=transaction.max_priority_fee_per_gas,
    )


def _sender(transaction: SignedTransactionAPI) -> Address:
    if not 0 < transaction.s <= _SECP256K1_HALF_N:
        raise rejected("invalid sender: invalid transaction v, r, s values")
    try:
        transaction.check_signature_validity()
        return transaction.sender
    except (ValidationError, BadSignature, ValueError) as error:
        raise rejected("invalid sender: invalid transaction v, r, s values") from error


def floor_gas(data: bytes) -> int:
    """The least gas a transaction with that call data must offer (EIP-7623)."""
    zeros = data.count(0)
    return 21_000 + 10 * (zeros + 4 * (len(data) - zeros))


class Pool:
    """The waiting transactions, in order of arrival."""

    def __init__(self) -> None:
        self._by_hash: dict[bytes, Waiting] = {}
        self._by_slot: dict[tuple[Address, int], Waiting] = {}
        self.version = 0
        """Changes with every change of content."""

    def __len__(self) -> int:
        return len(self._by_hash)

    def __iter__(self) -> Iterator[Waiting]:
        return iter(self._by_hash.values())

    def get(self, transaction_hash: bytes) -> Waiting | None:
        """The waiting transaction with that hash."""
        return self._by_hash.get(transaction_hash)

    def check(self, item: Waiting, state: StateAPI, gas_limit: int) -> Waiting | None:
        """Decide whether a transaction may enter, given the head's state.

        Returns:
            the transaction that it replaces, if any.

        Raises:
            RpcError: with geth's message.
        """
        _check_form(item, gas_limit)
        next_nonce = state.get_nonce(item.sender)
        if item.nonce < next_nonce:
            raise rejected(f"nonce too low: next nonce {next_nonce}, tx nonce {item.nonce}")
        replaced = self._by_slot.get((item.sender, item.nonce))
        if replaced is not None and not _pays_more(item, replaced):
            raise rejected("replacement transaction underpriced")
        balance = state.get_balance(item.sender)
        cost = item.worst_cost_wei
        if balance < cost:
            raise rejected(
                f"insufficient funds for gas * price + value: balance {balance}, "
                f"tx cost {cost}, overshot {cost - balance}"
            )
        queued = sum(w.worst_cost_wei for w in self if w.sender == item.sender and w is not replaced)
        if balance < queued + cost:
            raise rejected(
                f"insufficient funds for gas * price + value: balance {balance}, queued cost {queued}, "
                f"tx cost {cost}, overshot {queued + cost - balance}"
            )
        if replaced is None and len(self) >= MAX_POOL_TRANSACTIONS:
            raise rejected("txpool is full")
        return replaced

    def add(self, item: Waiting) -> None:
        """Put a checked transaction in, in place of the one with its sender and nonce."""
        replaced = self._by_slot.pop((item.sender, item.nonce), None)
        if replaced is not None:
            del self._by_hash[replaced.hash]
        self._by_hash[item.hash] = item
        self._by_slot[item.sender, item.nonce] = item
        self.version += 1

    def remove(self, item: Waiting) -> None:
        """Take a transaction out."""
        del self._by_hash[item.hash]
        del self._by_slot[item.sender, item.nonce]
        self.version += 1

    def next_nonce(self, sender: Address, state_nonce: int) -> int:
        """The account's nonce after all its waiting transactions that follow on without a gap."""
        nonce = state_nonce
        while (sender, nonce) in self._by_slot:
            nonce += 1
        return nonce

    def executable(self, state: StateAPI, base_fee: int) -> list[SignedTransactionAPI]:
        """The transactions to try in the next block: senders by first arrival, each one's in nonce order up
        to a gap or a fee cap below ``base_fee`` (wei per gas)."""
        chosen: list[SignedTransactionAPI] = []
        for sender in dict.fromkeys(item.sender for item in self):
            nonce = state.get_nonce(sender)
            while (item := self._by_slot.get((sender, nonce))) is not None and item.fee_cap >= base_fee:
                chosen.append(item.transaction)
                nonce += 1
        return chosen

    def stale(self, state: StateAPI) -> list[Waiting]:
        """The transactions whose nonce the state has passed: mined, or replaced by one that was."""
        return [item for item in self if item.nonce < state.get_nonce(item.sender)]


def _check_form(item: Waiting, gas_limit: int) -> None:
    transaction = item.transaction
    if transaction.to == b"" and len(transaction.data) > MAX_INITCODE_BYTES:
        raise rejected(
            f"max initcode size exceeded: code size {len(transaction.data)}, limit {MAX_INITCODE_BYTES}"
        )
    if transaction.gas > gas_limit:
        raise rejected("exceeds block gas limit")
    if item.tip_cap > item.fee_cap:
        raise rejected("max priority fee per gas higher than max fee per gas")
    needed = transaction.intrinsic_gas
    if transaction.to == b"":
        needed += _INITCODE_WORD_GAS * ((len(transaction.data) + 31) // 32)
    if transaction.gas < needed:
        raise rejected(f"intrinsic gas too low: gas {transaction.gas}, minimum needed {needed}")
    floor = floor_gas(transaction.data)
    if transaction.gas < floor:
        raise rejected(
            f"insufficient gas for floor data gas cost: gas {transaction.gas}, minimum needed {floor}"
        )
    try:
        transaction.validate()
    except ValidationError as error:
        raise rejected("invalid transaction: a field is out of range") from error


def _pays_more(new: Waiting, old: Waiting) -> bool:
    def enough(after: int, before: int) -> bool:
        return after > before and after * 100 >= before * (100 + PRICE_BUMP_PERCENT)

    return enough(new.fee_cap, old.fee_cap) and enough(new.tip_cap, old.tip_cap)
