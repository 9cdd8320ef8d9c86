"""The hashes from digest to root, byte by byte."""

from __future__ import annotations

from hashlib import sha256

import pytest

from registry.encoding import Address, Digest, DigestMethod, Node, Salt, Salted
from registry.merkle import leaf_hash, leaf_prefix, node_hash, root_of, salted_digest, tree_top

ISSUER = Address(bytes(range(20)))
A, B, C = (bytes([letter]) * 32 for letter in b"abc")


def test_salted_is_the_hash_of_digest_then_salt() -> None:
    assert salted_digest(Digest(A), Salt(B)) == sha256(A + B).digest()


def test_leaf_is_the_hash_of_61_bytes_that_name_method_issuer_and_index() -> None:
    prefix = b"\x02" + ISSUER + bytes([0, 0, 0, 0, 0, 0, 1, 17])
    assert leaf_prefix(DigestMethod.RDFC_SHA256, ISSUER, 273) == prefix
    assert len(prefix + A) == 61
    assert leaf_hash(DigestMethod.RDFC_SHA256, ISSUER, 273, Salted(A)) == sha256(prefix + A).digest()


def test_root_is_the_hash_of_41_bytes_that_name_the_size() -> None:
    assert root_of(500, Node(A)) == sha256(b"\xff" + bytes([0, 0, 0, 0, 0, 0, 1, 244]) + A).digest()
    assert root_of(2**32, Node(A)) == sha256(b"\xff" + bytes.fromhex("0000000100000000") + A).digest()


@pytest.mark.parametrize("size", [0, -1, 2**32 + 1])
def test_size_outside_the_limits_has_no_root(size: int) -> None:
    with pytest.raises(ValueError, match="1 to 2\\^32"):
        root_of(size, Node(A))


def test_top_of_one_leaf_is_the_leaf_and_an_unpaired_last_node_is_carried_up() -> None:
    assert tree_top(A) == A
    assert tree_top(A + B) == node_hash(A, B) == sha256(A + B).digest()
    assert tree_top(A + B + C) == node_hash(node_hash(A, B), C)
    assert tree_top(A + B + C + A + B) == node_hash(node_hash(node_hash(A, B), node_hash(C, A)), B)


@pytest.mark.parametrize("leaves", [b"", A[:-1], A + b"x"])
def test_leaves_of_another_length_have_no_top(leaves: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes each"):
        tree_top(leaves)
