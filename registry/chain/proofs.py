"""Account and storage proofs from a node (EIP-1186), with the block's header, checked before they are
handed on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from registry.chain.blocks import block_by_hash, state_at
from registry.chain.header_rlp import encode_header
from registry.chain.node import Node
from registry.chain.rpc import BadAnswer, array, data, hexed, mapping, quantity, word
from registry.encoding import Address, BlockHash
from registry.errors import (
    ChainUnavailableError,
    MalformedEvidenceError,
    NodeMismatchError,
    UnknownBlockError,
    UnsupportedByNodeError,
)
from registry.model.chain import AccountProof
from registry.verdict.storage_proofs import verify_account, verify_header, verify_slot


def read_proof(
    node: Node, account: Address, code_hash: bytes, slots: Sequence[int], block_hash: BlockHash
) -> AccountProof:
    """The proof of an account with that code and of its slots, at a block.

    Raises:
        UnsupportedByNodeError: the node has no `eth_getProof`, or no way to the block's raw header.
        UnknownBlockError: the block is not on the node's chain.
        NodeMismatchError: the proof does not prove what it should.
    """
    _, block = block_by_hash(node, block_hash)
    header_rlp = raw_header(node, block_hash, block)
    call = ("eth_getProof", (hexed(account), [word(slot) for slot in slots]))
    (found,) = state_at(node, block_hash, [call])
    proof = node.reading("eth_getProof", lambda: _parse(found, header_rlp, slots))
    try:
        header = verify_header(proof.header_rlp)
        proven = verify_account(header.state_root, account, proof.account_proof)
        for slot, nodes in proof.storage_proofs:
            verify_slot(proven.storage_root, slot, nodes)
    except MalformedEvidenceError as error:
        raise NodeMismatchError(f"node {node.name} gives a proof that proves nothing: {error}") from error
    if proven.code_hash != code_hash:
        raise NodeMismatchError(f"node {node.name} proves other code at the registry's address")
    return proof


def _parse(found: Any, header_rlp: bytes, slots: Sequence[int]) -> AccountProof:
    fields = mapping(found, "proof")
    entries = [
        mapping(entry, "storage proof") for entry in array(fields.get("storageProof"), "storage proofs")
    ]
    by_slot = {quantity(entry.get("key"), "storage key"): _nodes(entry.get("proof")) for entry in entries}
    if set(by_slot) != set(slots):
        raise BadAnswer("the storage proofs are for other slots")
    return AccountProof(
        header_rlp=header_rlp,
        account_proof=_nodes(fields.get("accountProof")),
        storage_proofs=tuple((slot, by_slot[slot]) for slot in slots),
    )


def _nodes(value: Any) -> tuple[bytes, ...]:
    return tuple(data(node, "proof node") for node in array(value, "proof"))


def raw_header(node: Node, block_hash: BlockHash, block: Mapping[str, Any]) -> bytes:
    """The block's RLP header: put together from the block object, or else from `debug_getRawHeader`.

    Raises:
        UnsupportedByNodeError: neither has the block's hash.
    """
    try:
        built = encode_header(block)
        if verify_header(built).header.hash == block_hash:
            return built
    except (BadAnswer, MalformedEvidenceError):
        pass  # a chain with other header fields: only the node can give them
    try:
        answer = node.ask("debug_getRawHeader", hexed(block_hash))
    except (UnsupportedByNodeError, UnknownBlockError, ChainUnavailableError) as error:
        raise UnsupportedByNodeError(f"node {node.name} does not give raw block headers") from error
    given = node.reading("debug_getRawHeader", lambda: data(answer, "header"))
    try:
        if verify_header(given).header.hash == block_hash:
            return given
    except MalformedEvidenceError as error:
        raise NodeMismatchError(f"node {node.name} gives a raw header that is none") from error
    raise NodeMismatchError(f"node {node.name} gives a raw header with another hash than its block")
