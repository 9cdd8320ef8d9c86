"""Reading blocks, and state at a block, from one node.

Invariant: what is returned for a block hash belongs to exactly that block, and the block was on the node's
    chain when it
was read. Nodes that take EIP-1898 block objects are asked with ``requireCanonical``; from others the state
is read by number, between two readings of that number's hash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from eth_hash.auto import keccak

from registry.chain.header_rlp import encode_header
from registry.chain.node import Call, Node
from registry.chain.rpc import BadAnswer, data, hexed, mapping, quantity, word
from registry.encoding import Address, BlockHash
from registry.errors import ChainUnavailableError, NodeMismatchError, UnknownBlockError
from registry.model.chain import Header

LATEST: Final = "latest"
FINALIZED: Final = "finalized"


def parse_header(node: Node, block: Any) -> Header:
    """Read a block object. Its hash is recomputed where the node's blocks were found to allow it.

    Raises:
        BadAnswer: a member is missing or malformed. NodeMismatchError: the hash is not that of the members.
    """
    fields = mapping(block, "block")
    header = Header(
        number=quantity(fields.get("number"), "number"),
        hash=BlockHash(data(fields.get("hash"), "hash", 32)),
        parent_hash=BlockHash(data(fields.get("parentHash"), "parentHash", 32)),
        timestamp=quantity(fields.get("timestamp"), "timestamp"),
    )
    if (
        node.block_fields is not None
        and node.block_fields == frozenset(fields)
        and not hashes_to(fields, header)
    ):
        raise NodeMismatchError(
            f"node {node.name} gives block {header.number} a hash that is not its header's"
        )
    return header


def hashes_to(fields: Mapping[str, Any], header: Header) -> bool:
    """Whether the members of a block object hash to the hash it claims."""
    try:
        return keccak(encode_header(fields)) == header.hash
    except BadAnswer:
        return False


def header_at(node: Node, block: int | str) -> Header:
    """The header at a number or tag. Raises UnknownBlockError."""
    found = node.ask("eth_getBlockByNumber", _number(block), False)
    return _header(node, found, block)


def _header(node: Node, found: Any, block: int | str) -> Header:
    if found is None:
        raise UnknownBlockError(f"node {node.name} has no block {block}")
    header = node.reading("a block", lambda: parse_header(node, found))
    if isinstance(block, int) and header.number != block:
        raise NodeMismatchError(f"node {node.name} answers block {block} with block {header.number}")
    return header


def headers_between(node: Node, first: int, last: int) -> tuple[Header, ...]:
    """The headers at ``first`` to ``last``, in batches. Raises UnknownBlockError."""
    numbers = range(first, last + 1)
    calls: list[Call] = [("eth_getBlockByNumber", (hex(number), False)) for number in numbers]
    found = node.ask_all(calls)
    return tuple(_header(node, block, number) for number, block in zip(numbers, found, strict=True))


def block_by_hash(node: Node, block_hash: BlockHash) -> tuple[Header, Mapping[str, Any]]:
    """A block on the node's chain, with the object it came in. Raises UnknownBlockError."""
    block = node.ask("eth_getBlockByHash", hexed(block_hash), False)
    if block is None:
        raise UnknownBlockError(f"node {node.name} does not have that block")
    header = node.reading("a block", lambda: parse_header(node, block))
    if header.hash != block_hash:
        raise NodeMismatchError(f"node {node.name} answers with another block than the one asked for")
    # Nodes keep blocks that left their chain and still give them by hash.
    if header_at(node, header.number).hash != block_hash:
        raise UnknownBlockError(f"node {node.name} no longer has that block on its chain")
    return header, block


def header_by_hash(node: Node, block_hash: BlockHash) -> Header:
    """The header of a block on the node's chain. Raises UnknownBlockError."""
    return block_by_hash(node, block_hash)[0]


def state_at(node: Node, block_hash: BlockHash, calls: Sequence[Call]) -> list[Any]:
    """Results of state-reading calls at a block; each call's last parameter, the block, is added here.

    Raises:
        UnknownBlockError: the block is not on the node's chain.
    """
    if node.reads_by_hash:
        block = {"blockHash": hexed(block_hash), "requireCanonical": True}
        return node.ask_all([(method, (*params, block)) for method, params in calls])
    number = header_by_hash(node, block_hash).number
    here: Call = ("eth_getBlockByNumber", (hex(number), False))
    at_number: list[Call] = [(method, (*params, hex(number))) for method, params in calls]
    before, *results, after = node.ask_all([here, *at_number, here])
    for block in (before, after):
        if _header(node, block, number).hash != block_hash:
            raise UnknownBlockError(f"node {node.name} no longer has that block on its chain")
    return results


def call_at(node: Node, block_hash: BlockHash, to: Address, payload: bytes) -> bytes:
    """`eth_call` at a block: what the contract returns. Raises UnknownBlockError, ContractRevertedError."""
    (found,) = state_at(node, block_hash, [("eth_call", ({"to": hexed(to), "data": hexed(payload)},))])
    return node.reading("eth_call", lambda: data(found, "result"))


def storage_at(node: Node, block_hash: BlockHash, account: Address, slots: Sequence[int]) -> list[int]:
    """Storage words at a block. Raises UnknownBlockError."""
    calls: list[Call] = [("eth_getStorageAt", (hexed(account), word(slot))) for slot in slots]
    found = state_at(node, block_hash, calls)
    return node.reading("eth_getStorageAt", lambda: [quantity(value, "storage word") for value in found])


def code_at(node: Node, account: Address, block: int | str = LATEST) -> bytes:
    """An account's code at a number or tag."""
    found = node.ask("eth_getCode", hexed(account), _number(block))
    return node.reading("eth_getCode", lambda: data(found, "code"))


def takes_block_hashes(node: Node, account: Address) -> bool:
    """Whether the node reads state by EIP-1898 block object. Asks about the latest block; a reorg in
    between is retried."""
    for _ in range(3):
        latest = header_at(node, LATEST)
        try:
            block = {"blockHash": hexed(latest.hash), "requireCanonical": True}
            found = node.ask("eth_getCode", hexed(account), block)
        except UnknownBlockError:
            continue
        except ChainUnavailableError:
            return False
        return isinstance(found, str)
    return False


def _number(block: int | str) -> str:
    return hex(block) if isinstance(block, int) else block
