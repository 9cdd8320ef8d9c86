"""The hashes from digest to root: docs/proof-format.md, section 3. Pure.

All are SHA-256; ``||`` is concatenation, integers are big-endian. A verifier computes salted (64 bytes
hashed) and leaf (61) from the digest itself, a node hashes 64 bytes and a root 41, so an inner node is never
a leaf or a root.
"""

from __future__ import annotations

from hashlib import sha256

from registry.encoding import Address, Digest, DigestMethod, Leaf, Node, Root, Salt, Salted

NODE_BYTES = 32
MAX_SIZE = 2**32
"""Leaves that one batch can have."""

ROOT_TAG = b"\xff"


def salted_digest(digest: Digest, salt: Salt) -> Salted:
    """SHA-256(digest || salt), both 32 bytes."""
    return Salted(sha256(digest + salt).digest())


def leaf_prefix(method: DigestMethod, issuer: Address, index: int) -> bytes:
    """The 29 bytes before ``salted`` in a leaf: method (1), issuer (20), index (8)."""
    return method.code.to_bytes(1, "big") + issuer + index.to_bytes(8, "big")


def leaf_hash(method: DigestMethod, issuer: Address, index: int, salted: Salted) -> Leaf:
    """SHA-256(method || issuer || index || salted), 61 bytes."""
    return Leaf(sha256(leaf_prefix(method, issuer, index) + salted).digest())


def node_hash(left: bytes, right: bytes) -> Node:
    """SHA-256(left || right), both 32 bytes."""
    return Node(sha256(left + right).digest())


def root_prefix(size: int) -> bytes:
    """The 9 bytes before ``top`` in a root: 0xff, then size (8)."""
    return ROOT_TAG + size.to_bytes(8, "big")


def root_of(size: int, top: Node) -> Root:
    """SHA-256(0xff || size || top), 41 bytes.

    Raises:
        ValueError: ``size`` is not in 1 to 2^32.
    """
    require_size(size)
    return Root(sha256(root_prefix(size) + top).digest())


def require_size(size: int) -> None:
    """Raise ValueError unless ``size`` is in 1 to 2^32: an empty batch has no root."""
    if not 1 <= size <= MAX_SIZE:
        raise ValueError("a batch has 1 to 2^32 leaves")


def next_row(row: bytes) -> bytes:
    """The level above ``row``, both flat: pairs from the left are hashed, an unpaired last one carried up."""
    paired = len(row) // 64 * 64
    nodes = [sha256(row[start : start + 64]).digest() for start in range(0, paired, 64)]
    return b"".join(nodes) + row[paired:]


def tree_top(leaves: bytes) -> Node:
    """The top over ``leaves``, at least one, flat (32 bytes each): of one leaf, the leaf.

    Raises:
        ValueError: ``leaves`` is empty or not a multiple of 32 bytes long.
    """
    if not leaves or len(leaves) % NODE_BYTES:
        raise ValueError("leaves are given flat, 32 bytes each, at least one")
    row = leaves
    while len(row) > NODE_BYTES:
        row = next_row(row)
    return Node(row)
