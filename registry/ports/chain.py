"""What the services need from an EVM chain that carries the registry contract.

Every method may raise `ChainUnavailableError` (the node cannot be reached or does not speak JSON-RPC) and
`NodeMismatchError` (nodes disagree, or a node contradicts itself). Further errors stand at the method.
Reads take a block hash, so that an answer never comes from another block than the caller reasons about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from registry.encoding import Address, BlockHash, Root, TxHash
from registry.model.chain import (
    AccountProof,
    BatchOnChain,
    BitKind,
    ContractCall,
    ContractStatus,
    FeeQuote,
    Header,
    KeyOnChain,
    Receipt,
    RegistryEvent,
    RegistryInfo,
)
from registry.ports.ledgers import Ledgers


class ChainReader(Protocol):
    """Read access."""

    @property
    def info(self) -> RegistryInfo:
        """The deployment, checked when the gateway was opened."""
        ...

    def latest(self) -> Header:
        """The newest block."""
        ...

    def finalized(self) -> Header | None:
        """The block behind the `finalized` tag, or None where the chain has no such tag worth its name."""
        ...

    def header(self, number: int) -> Header:
        """The block at that height now. Raises `UnknownBlockError` beyond the head."""
        ...

    def header_by_hash(self, block_hash: BlockHash) -> Header:
        """Raises `UnknownBlockError` when the node does not have it on its chain."""
        ...

    def headers(self, first: int, last: int) -> Sequence[Header]:
        """Headers ``first`` to ``last`` inclusive, in one round trip where the node allows; parents not
        checked."""
        ...

    def block_at_time(self, timestamp: int) -> Header:
        """The last block not later than ``timestamp`` (seconds). Raises `UnknownBlockError` before
        genesis."""
        ...

    def events(self, header: Header) -> Sequence[RegistryEvent]:
        """The registry's events of exactly that block, by block hash. Raises `UnknownBlockError`."""
        ...

    def events_in_range(
        self, first: int, last: int, *, issuer: Address | None = None
    ) -> Sequence[RegistryEvent]:
        """Events of a range of old blocks, in order; splits what a node refuses as too large. A
        load-balanced node may answer too little: compare heads afterwards."""
        ...

    def head_of(self, issuer: Address, block_hash: BlockHash) -> bytes:
        """`headOf` at that block. Raises `UnknownBlockError`."""
        ...

    def batch_of(self, issuer: Address, root: Root, block_hash: BlockHash) -> BatchOnChain:
        """`batchOf` at that block. Raises `UnknownBlockError`."""
        ...

    def key_of(self, key: Address, block_hash: BlockHash) -> KeyOnChain:
        """`keyOf` at that block. Raises `UnknownBlockError`."""
        ...

    def admin_of(self, issuer: Address, block_hash: BlockHash) -> Address:
        """`adminOf` at that block. Raises `UnknownBlockError`."""
        ...

    def status_of(
        self, issuer: Address, root: Root, index: int, block_hash: BlockHash
    ) -> tuple[int, ContractStatus]:
        """`statusOf`: anchoredAt in seconds, and the contract's own status. Raises `UnknownBlockError`."""
        ...

    def bits_of(
        self, kind: BitKind, issuer: Address, root: Root, words: Sequence[int], block_hash: BlockHash
    ) -> Mapping[int, int]:
        """Words of a bitmap, read from the pinned storage slots. Raises `UnknownBlockError`."""
        ...

    def call_nonce_of(self, signer: Address) -> int:
        """The contract's `nonceOf` at the latest block: the next nonce of a relayed call."""
        ...

    def proof(self, slots: Sequence[int], block_hash: BlockHash) -> AccountProof:
        """`eth_getProof` of the registry at that block. Raises `UnsupportedByNodeError`,
        `UnknownBlockError`."""
        ...


class ChainWriter(Protocol):
    """What sending transactions needs."""

    def balance_wei(self, account: Address) -> int:
        """Balance at the latest block."""
        ...

    def transaction_count(
        self, account: Address, *, pending: bool = False, at_block: int | None = None
    ) -> int:
        """Number of transactions the account has had mined by the latest block, or by the block at height
        ``at_block``, or mined and waiting. Raises `UnknownBlockError` beyond the head."""
        ...

    def receipt(self, transaction: TxHash) -> Receipt | None:
        """The receipt if the transaction is mined on the node's chain; the block hash is checked against the
        header at that height."""
        ...

    def is_known(self, transaction: TxHash) -> bool:
        """Whether the node has the transaction, waiting or mined."""
        ...

    def fee_quote(self) -> FeeQuote:
        """Fees for the next block."""
        ...

    def estimate_gas(self, sender: Address, to: Address, data: bytes, value_wei: int = 0) -> int:
        """Gas at the latest block. Raises `ContractRevertedError` when it would revert."""
        ...

    def send_raw(self, raw: bytes) -> None:
        """Hand the bytes to every configured node. "Already known" or "already imported" is success.

        Raises:
            TransactionRejectedError: the node said no. It proves nothing: ask `receipt`, `is_known` and
                `transaction_count`.
            ChainUnavailableError: unknown whether it arrived.
        """
        ...


class CallEncoder(Protocol):
    """The contract's calling conventions. Pure; raises nothing but `ValueError` for a call that lacks a
    field."""

    def direct(self, call: ContractCall) -> tuple[Address, bytes]:
        """Receiver and call data for the acting account itself. An anchor is its 32 bare bytes (the
        fallback)."""
        ...

    def typed_data(self, call: ContractCall, nonce: int, deadline: int) -> Mapping[str, Any]:
        """EIP-712 typed data that the acting account signs for a relayed call."""
        ...

    def relayed(
        self, call: ContractCall, signer: Address, deadline: int, signature: bytes
    ) -> tuple[Address, bytes]:
        """Receiver and call data of the `…BySig` form."""
        ...

    def key_consent(self, issuer: Address, key: Address, roles: int, deadline: int) -> Mapping[str, Any]:
        """EIP-712 typed data by which a key agrees to act for an issuer."""
        ...

    def consenting_key(self, call: ContractCall) -> bytes | None:
        """The compressed public key (33 bytes) behind the consent of an ADD_KEY; None when it shows none."""
        ...

    def is_selector(self, first_four: bytes) -> bool:
        """Whether a root that starts so would be taken for a function call instead of the fallback."""
        ...


class Chain(ChainReader, ChainWriter, Protocol):
    """Everything."""

    @property
    def encoder(self) -> CallEncoder:
        """The contract's calling conventions."""
        ...

    def ledgers(self, *, confirmations: int) -> Ledgers:
        """Any transaction and contract of the same chain; valid until `close`."""
        ...

    def close(self) -> None:
        """Release connections; the embedded chain's lock too."""
        ...
