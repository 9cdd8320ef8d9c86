"""The reading half of the gateway: `ChainReader` of registry.ports.chain over a `NodeSet`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from registry.chain import decode
from registry.chain.blocks import call_at, header_at, header_by_hash, headers_between, storage_at
from registry.chain.calls import Argument, encode_call
from registry.chain.logs import events_of_block, events_of_range
from registry.chain.node import Node
from registry.chain.nodes import NodeSet
from registry.chain.proofs import read_proof
from registry.encoding import Address, BlockHash, Root
from registry.errors import UnknownBlockError
from registry.model.chain import (
    AccountProof,
    BatchOnChain,
    BitKind,
    ContractStatus,
    Header,
    KeyOnChain,
    RegistryEvent,
    RegistryInfo,
)
from registry.verdict.storage_layout import slot_of_bits

T = TypeVar("T")

MAX_HEADERS: Final = 2_000
"""More headers than this are fetched in several rounds, so that nodes are compared in portions."""


class RegistryReader:
    """Every method reads from all nodes and wants them to agree; errors as the port says."""

    def __init__(self, nodes: NodeSet, info: RegistryInfo) -> None:
        self._nodes = nodes
        self._info = info

    @property
    def info(self) -> RegistryInfo:
        """The deployment, checked when the gateway was opened."""
        return self._info

    @property
    def unavailable(self) -> Mapping[str, str]:
        """Nodes that did not answer when they were last asked, by name, and why."""
        return self._nodes.unavailable

    # --- blocks ---------------------------------------------------------------------------------------------

    def latest(self) -> Header:
        """The newest block, once every node has it."""
        return self._nodes.latest()

    def finalized(self) -> Header | None:
        """The newest block that all nodes call final; None where the chain has no such tag worth its name."""
        return self._nodes.finalized() if self._info.has_finalized_tag else None

    def header(self, number: int) -> Header:
        """The block at that height now."""
        return self._nodes.agreed(f"block {number}", lambda node: header_at(node, number))

    def header_by_hash(self, block_hash: BlockHash) -> Header:
        """The block with that hash, if it is on the chain now."""
        return self._nodes.agreed("a block", lambda node: header_by_hash(node, block_hash))

    def headers(self, first: int, last: int) -> Sequence[Header]:
        """Headers ``first`` to ``last`` inclusive; empty when ``last`` is before ``first``."""
        found: list[Header] = []
        for start in range(first, last + 1, MAX_HEADERS):
            found.extend(self._headers(start, min(last, start + MAX_HEADERS - 1)))
        return found

    def _headers(self, first: int, last: int) -> tuple[Header, ...]:
        what = f"the blocks {first} to {last}"
        return self._nodes.agreed(what, lambda node: headers_between(node, first, last))

    def block_at_time(self, timestamp: int) -> Header:
        """The last block not later than ``timestamp``, by halving: block times never decrease."""
        after = self.latest()
        if after.timestamp <= timestamp:
            return after
        before = self.header(0)
        if before.timestamp > timestamp:
            raise UnknownBlockError("the chain began later")
        while after.number - before.number > 1:
            middle = self.header((before.number + after.number) // 2)
            before, after = (middle, after) if middle.timestamp <= timestamp else (before, middle)
        return before

    # --- events ---------------------------------------------------------------------------------------------

    def events(self, header: Header) -> Sequence[RegistryEvent]:
        """The registry's events of exactly that block."""
        registry = self._info.address
        what = f"the events of block {header.number}"
        return self._nodes.agreed(what, lambda node: events_of_block(node, registry, header))

    def events_in_range(
        self, first: int, last: int, *, issuer: Address | None = None
    ) -> Sequence[RegistryEvent]:
        """Events of a range of old blocks, in order."""
        registry = self._info.address
        what = f"the events of the blocks {first} to {last}"
        return self._nodes.agreed(what, lambda node: events_of_range(node, registry, first, last, issuer))

    # --- state ----------------------------------------------------------------------------------------------

    def head_of(self, issuer: Address, block_hash: BlockHash) -> bytes:
        """`headOf` at that block."""
        return self._call(decode.decode_bytes32, block_hash, "headOf", ("address", issuer))

    def batch_of(self, issuer: Address, root: Root, block_hash: BlockHash) -> BatchOnChain:
        """`batchOf` at that block."""
        arguments: list[Argument] = [("address", issuer), ("bytes32", root)]
        return self._call(decode.decode_batch, block_hash, "batchOf", *arguments)

    def key_of(self, key: Address, block_hash: BlockHash) -> KeyOnChain:
        """`keyOf` at that block."""
        return self._call(decode.decode_key, block_hash, "keyOf", ("address", key))

    def admin_of(self, issuer: Address, block_hash: BlockHash) -> Address:
        """`adminOf` at that block."""
        return self._call(decode.decode_address, block_hash, "adminOf", ("address", issuer))

    def status_of(
        self, issuer: Address, root: Root, index: int, block_hash: BlockHash
    ) -> tuple[int, ContractStatus]:
        """`statusOf` at that block: anchoredAt in seconds, and the contract's own status."""
        arguments: list[Argument] = [("address", issuer), ("bytes32", root), ("uint64", index)]
        return self._call(decode.decode_status, block_hash, "statusOf", *arguments)

    def call_nonce_of(self, signer: Address) -> int:
        """`nonceOf` at the latest block."""
        return self._call(decode.decode_uint, self.latest().hash, "nonceOf", ("address", signer))

    def bits_of(
        self, kind: BitKind, issuer: Address, root: Root, words: Sequence[int], block_hash: BlockHash
    ) -> Mapping[int, int]:
        """Words of a bitmap, read from the pinned storage slots."""
        slots = [slot_of_bits(kind, issuer, root, word) for word in words]
        registry = self._info.address
        values = self._nodes.agreed("status bits", lambda node: storage_at(node, block_hash, registry, slots))
        return dict(zip(words, values, strict=True))

    def proof(self, slots: Sequence[int], block_hash: BlockHash) -> AccountProof:
        """`eth_getProof` of the registry at that block, checked before it is returned: one node's is
        enough."""
        info = self._info
        return self._nodes.first(
            lambda node: read_proof(node, info.address, info.code_hash, slots, block_hash)
        )

    def _call(
        self, read: Callable[[bytes], T], block_hash: BlockHash, function: str, *arguments: Argument
    ) -> T:
        """Call a function of the registry at a block and read what it returns."""
        registry = self._info.address
        payload = encode_call(function, *arguments)

        def of_node(node: Node) -> T:
            answer = call_at(node, block_hash, registry, payload)
            return node.reading(function, lambda: read(answer))

        return self._nodes.agreed(function, of_node)
