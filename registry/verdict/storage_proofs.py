"""Block headers, accounts and storage words from their proofs (EIP-1186), without a node. Pure: no I/O.

Each function proves its result from the hash that it is given and from nothing else. That a header belongs
to a real chain
is not decided here: anyone can make a header, an account and a storage that agree with each other.

Invariants: a proof that ends early is an error and never reads as absence; absence (0, an empty account) is
    returned only
where the trie itself shows that the key is not in it; every node of a proof is used, in order.
Sources: Ethereum Yellow Paper, section 4.3 and appendices B to D (header, RLP, hex-prefix, trie); EIP-1186;
    EIP-2718.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import rlp
from eth_hash.auto import keccak
from rlp.exceptions import RLPException

from registry.encoding import Address, BlockHash
from registry.errors import MalformedEvidenceError
from registry.model.chain import Header

EMPTY_TRIE_ROOT: Final = keccak(rlp.encode(b""))
EMPTY_CODE_HASH: Final = keccak(b"")

MAX_HEADER_BYTES: Final = 4_096
"""Today's headers have about 650 bytes."""
MAX_PROOF_NODES: Final = 64
"""A path has one nibble for each node at most, and 64 nibbles."""
MAX_NODE_BYTES: Final = 1_024
"""A branch of 16 hashes and a value has at most 566."""

_HASH_BYTES: Final = 32
_MIN_HEADER_FIELDS: Final = 15
_PARENT, _STATE_ROOT, _NUMBER, _TIMESTAMP = 0, 3, 8, 11
_ACCOUNT_FIELDS: Final = 4
_BRANCH_ITEMS: Final = 17
_SHORT_ITEMS: Final = 2
_MAX_INTEGER_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class ProvenHeader:
    """What a header says, and its hash. ``state_root`` is 32 bytes."""

    header: Header
    state_root: bytes


@dataclass(frozen=True, slots=True)
class ProvenAccount:
    """An account's storage trie and code; the empty ones for an account that does not exist."""

    storage_root: bytes
    code_hash: bytes


def verify_header(header_rlp: bytes) -> ProvenHeader:
    """Read an RLP block header and compute its hash.

    Headers of later forks have further fields at the end; they are part of the hash and otherwise not read.

    Raises:
        MalformedEvidenceError: not RLP, too short, or a field of another form.
    """
    if len(header_rlp) > MAX_HEADER_BYTES:
        raise MalformedEvidenceError("the block header is larger than any header")
    fields = _decode(header_rlp, "the block header")
    if len(fields) < _MIN_HEADER_FIELDS or not all(isinstance(field, bytes) for field in fields):
        raise MalformedEvidenceError("the block header does not have the fields of a header")
    if len(fields[_PARENT]) != _HASH_BYTES or len(fields[_STATE_ROOT]) != _HASH_BYTES:
        raise MalformedEvidenceError("a hash in the block header is not 32 bytes")
    return ProvenHeader(
        header=Header(
            number=_integer(fields[_NUMBER], "the block number"),
            hash=BlockHash(keccak(header_rlp)),
            parent_hash=BlockHash(fields[_PARENT]),
            timestamp=_integer(fields[_TIMESTAMP], "the block time"),
        ),
        state_root=fields[_STATE_ROOT],
    )


def verify_account(state_root: bytes, address: Address, proof: Sequence[bytes]) -> ProvenAccount:
    """Prove an account's storage root and code hash.

    Args:
        state_root: of a header, 32 bytes.
        address: of the account.
        proof: RLP trie nodes from the root down, as `eth_getProof` gives them.

    Raises:
        MalformedEvidenceError: the proof does not lead from the root to the account or to its absence.
    """
    leaf = _walk(state_root, keccak(address), proof)
    if leaf is None:
        return ProvenAccount(EMPTY_TRIE_ROOT, EMPTY_CODE_HASH)
    fields = _decode(leaf, "the account")
    if len(fields) != _ACCOUNT_FIELDS or not all(isinstance(field, bytes) for field in fields):
        raise MalformedEvidenceError("the account does not have the fields of an account")
    storage_root, code_hash = fields[2], fields[3]
    if len(storage_root) != _HASH_BYTES or len(code_hash) != _HASH_BYTES:
        raise MalformedEvidenceError("a hash in the account is not 32 bytes")
    return ProvenAccount(storage_root, code_hash)


def verify_slot(storage_root: bytes, slot: int, proof: Sequence[bytes]) -> int:
    """Prove one storage word.

    Args:
        storage_root: of the account, 32 bytes.
        slot: position, 0 to 2^256-1.
        proof: RLP trie nodes from the root down; empty for an empty storage only.

    Returns:
        the word, 0 where the proof shows that nothing is stored there.

    Raises:
        MalformedEvidenceError: the proof does not lead from the root to the slot or to its absence.
    """
    leaf = _walk(storage_root, keccak(slot.to_bytes(32, "big")), proof)
    if leaf is None:
        return 0
    try:
        value = rlp.decode(leaf)
    except RLPException as error:
        raise MalformedEvidenceError("the storage word is not RLP") from error
    # Ethereum keeps no zeros in its tries; some development nodes do, as the empty string.
    if not isinstance(value, bytes) or len(value) > _HASH_BYTES or value[:1] == b"\0":
        raise MalformedEvidenceError("the storage word is not an integer of at most 32 bytes")
    return int.from_bytes(value, "big")


# --- the trie -----------------------------------------------------------------------------------------------


class _Nodes:
    """The proof's nodes, taken in order. Every one must be asked for."""

    def __init__(self, proof: Sequence[bytes]) -> None:
        if len(proof) > MAX_PROOF_NODES or any(len(node) > MAX_NODE_BYTES for node in proof):
            raise MalformedEvidenceError("the proof is larger than any proof")
        self._left = list(proof)

    def take(self, reference: Any) -> list[Any]:
        """The node that a parent refers to by its hash, or holds itself when it is under 32 bytes."""
        if isinstance(reference, list):
            if self._left and self._left[0] == rlp.encode(reference):
                self._left.pop(0)
            return reference
        if not self._left:
            raise MalformedEvidenceError("the proof is truncated")
        node = self._left.pop(0)
        if len(reference) != _HASH_BYTES or keccak(node) != reference:
            raise MalformedEvidenceError("a node of the proof does not have the hash that leads to it")
        return _decode(node, "a node of the proof")

    def finish(self, value: bytes | None) -> bytes | None:
        """The result, once nothing is left over."""
        if self._left:
            raise MalformedEvidenceError("the proof goes on after its end")
        return value


def _walk(root: bytes, hashed_key: bytes, proof: Sequence[bytes]) -> bytes | None:
    """The value under a key, or None where the trie shows that there is none."""
    nodes = _Nodes(proof)
    if root == EMPTY_TRIE_ROOT:
        if list(proof) == [rlp.encode(b"")]:
            return None
        return nodes.finish(None)
    path = _nibbles(hashed_key)
    reference: Any = root
    while True:
        node = nodes.take(reference)
        if len(node) == _BRANCH_ITEMS:
            if not path:
                return nodes.finish(_value(node[16]))
            reference, path = node[path[0]], path[1:]
        elif len(node) == _SHORT_ITEMS:
            prefix, is_leaf = _hex_prefix(node[0])
            if is_leaf:
                return nodes.finish(_value(node[1]) if path == prefix else None)
            if path[: len(prefix)] != prefix:
                return nodes.finish(None)
            reference, path = node[1], path[len(prefix) :]
        else:
            raise MalformedEvidenceError("a node of the proof is neither branch, extension nor leaf")
        if reference == b"":
            return nodes.finish(None)


def _value(item: Any) -> bytes | None:
    if not isinstance(item, bytes):
        raise MalformedEvidenceError("a value in the proof is not bytes")
    return item or None


def _nibbles(key: bytes) -> list[int]:
    return [nibble for byte in key for nibble in (byte >> 4, byte & 15)]


def _hex_prefix(encoded: Any) -> tuple[list[int], bool]:
    """Nibbles of a short node, and whether it is a leaf (Yellow Paper, appendix C)."""
    if not isinstance(encoded, bytes) or not encoded:
        raise MalformedEvidenceError("a node of the proof has no path")
    flag, *rest = _nibbles(encoded)
    odd = flag & 1
    if flag > 3 or (not odd and rest[0] != 0):
        raise MalformedEvidenceError("a node of the proof has a path of another form")
    path = rest if odd else rest[1:]
    is_leaf = flag >= 2
    if not path and not is_leaf:
        raise MalformedEvidenceError("a node of the proof leads nowhere")
    return path, is_leaf


def _decode(raw: bytes, what: str) -> list[Any]:
    """Canonical RLP of a list."""
    try:
        decoded = rlp.decode(raw)
    except (RLPException, RecursionError) as error:
        raise MalformedEvidenceError(f"{what} is not RLP") from error
    if not isinstance(decoded, list):
        raise MalformedEvidenceError(f"{what} is not an RLP list")
    return decoded


def _integer(raw: bytes, what: str) -> int:
    if len(raw) > _MAX_INTEGER_BYTES or raw[:1] == b"\0":
        raise MalformedEvidenceError(f"{what} is not an integer of at most 8 bytes")
    return int.from_bytes(raw, "big")
