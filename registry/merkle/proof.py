"""Inclusion proofs: what one claims, the root it leads to, and whether it holds. Pure: no I/O, no chain.

digest and salt are 32 bytes; issuer is a 20-byte address; hashes as in docs/proof-format.md, section 3.
Invariants: a path entry is always 32 bytes; the leaf is always computed here from digest, salt, issuer,
method and index, so no inner node can be presented as a credential; length and sides of the path are those
that (index, size) demands, so a proof cannot be moved to another index. A proof that holds says only that the
digest is under ``root``; whether the root is anchored is the chain's to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NoReturn, TypeAlias

from registry.encoding import AccountId, Address, BlockHash, Digest, DigestMethod, Node, Root, Salt, TxHash
from registry.errors import Fault, MalformedProofError
from registry.merkle.hashing import MAX_SIZE, NODE_BYTES, leaf_hash, node_hash, root_of, salted_digest
from registry.merkle.shape import Side, path_sides

MAX_PATH_ENTRIES = 64
"""Longer paths are refused before anything is hashed. No leaf of a batch needs more than 32."""

_ADDRESS_BYTES = 20


@dataclass(frozen=True, slots=True)
class AnchorHint:
    """Where the root is said to be anchored. For people; nothing is concluded from it.

    Attributes:
        transaction: hash of the anchoring transaction.
        block_number: its block.
        block_hash: 32 bytes.
        anchored_at: that block's time, UTC.
    """

    transaction: TxHash
    block_number: int
    block_hash: BlockHash
    anchored_at: datetime


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """The claim that a digest is leaf ``index`` of a batch of ``size`` under ``root``.

    Attributes:
        index: zero-based, below 2^64 (an index outside the batch is a claim that fails).
        size: 1 to 2^32.
        path: entries of 32 bytes from the leaf's sibling upwards, at most 64.
        method, digest, salt, issuer, root: as in docs/proof-format.md.
        sides: the claimed side of each entry. Left out, they are those that (index, size) demands.
        registry: the contract that is said to hold the root; a hint.
        anchor: a hint.

    Raises:
        MalformedProofError: a length or a number is outside its limits.
    """

    index: int
    size: int
    path: tuple[bytes, ...]
    method: DigestMethod
    digest: Digest
    salt: Salt
    issuer: Address
    root: Root
    sides: tuple[Side, ...] | None = None
    registry: AccountId | None = None
    anchor: AnchorHint | None = None

    def __post_init__(self) -> None:
        for pointer, value in (("/digest", self.digest), ("/salt", self.salt), ("/root", self.root)):
            _require(len(value) == NODE_BYTES, "hex-length", pointer, "32 bytes are expected")
        _require(len(self.issuer) == _ADDRESS_BYTES, "hex-length", "/issuer", "20 bytes are expected")
        _require(1 <= self.size <= MAX_SIZE, "range", "/size", "the size is 1 to 2^32")
        _require(0 <= self.index < 2**64, "range", "/index", "the index is 0 to 2^64-1")
        _require(
            len(self.path) <= MAX_PATH_ENTRIES, "path-length", "/path", "the path has more than 64 entries"
        )
        _require(set(map(len, self.path)) <= {NODE_BYTES}, "hex-length", "/path", "each entry has 32 bytes")
        _require(
            self.sides is None or len(self.sides) == len(self.path),
            "path-sides",
            "/path",
            "each entry has one side",
        )


@dataclass(frozen=True, slots=True)
class InclusionPass:
    """The proof holds: it leads from the digest to ``root``, which equals the proof's. Has no truth value."""

    root: Root

    def __bool__(self) -> NoReturn:
        raise TypeError("an inclusion result has no truth value; look at its type")


class InclusionFault(Enum):
    """Why a well-formed proof does not hold."""

    INDEX_OUTSIDE_BATCH = "index-outside-batch"
    PATH_LENGTH = "path-length"
    PATH_SIDES = "path-sides"
    ROOT = "root"


@dataclass(frozen=True, slots=True)
class InclusionFailure:
    """The proof does not hold. Has no truth value.

    Attributes:
        fault: the first thing that is wrong.
        detail: one sentence for a person.
    """

    fault: InclusionFault
    detail: str

    def __bool__(self) -> NoReturn:
        raise TypeError("an inclusion result has no truth value; look at its type")


InclusionResult: TypeAlias = InclusionPass | InclusionFailure


def _require(condition: bool, code: str, pointer: str, detail: str) -> None:
    if not condition:
        raise MalformedProofError(
            f"{detail} at {pointer}", faults=[Fault(code=code, detail=detail, pointer=pointer)]
        )


def leaf_of_proof(proof: InclusionProof) -> Node:
    """The leaf that ``proof`` claims, computed from its digest."""
    return Node(leaf_hash(proof.method, proof.issuer, proof.index, salted_digest(proof.digest, proof.salt)))


def root_from_proof(proof: InclusionProof) -> Root:
    """Recompute the root that ``proof`` leads to; ``proof.root`` is not looked at, nor are the claimed sides.

    Raises:
        MalformedProofError: the index is outside the batch, or the path has another length than (index, size)
            demands.
    """
    _require(proof.index < proof.size, "range", "/index", "the index is outside the batch")
    sides = path_sides(proof.index, proof.size)
    _require(
        len(sides) == len(proof.path), "path-length", "/path", "index and size demand another path length"
    )
    return _root(proof, sides)


def _root(proof: InclusionProof, sides: tuple[Side, ...]) -> Root:
    node = leaf_of_proof(proof)
    for side, entry in zip(sides, proof.path, strict=True):
        node = node_hash(entry, node) if side is Side.LEFT else node_hash(node, entry)
    return root_of(proof.size, node)


def verify_inclusion(proof: InclusionProof) -> InclusionResult:
    """Check that ``proof`` leads from its digest to its root. Never raises."""
    if proof.index >= proof.size:
        return InclusionFailure(InclusionFault.INDEX_OUTSIDE_BATCH, "the index is outside the batch")
    sides = path_sides(proof.index, proof.size)
    if len(sides) != len(proof.path):
        return InclusionFailure(InclusionFault.PATH_LENGTH, "index and size demand another path length")
    if proof.sides is not None and proof.sides != sides:
        return InclusionFailure(InclusionFault.PATH_SIDES, "index and size demand other sides")
    root = _root(proof, sides)
    if root != proof.root:
        return InclusionFailure(InclusionFault.ROOT, "the path leads to another root")
    return InclusionPass(root)
