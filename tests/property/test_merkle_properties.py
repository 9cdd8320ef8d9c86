"""Properties of tree and proofs: what is in a batch proves and verifies, and nothing else does."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cache
from hashlib import sha256
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from merkletools import MerkleTools

from registry.encoding import (
    AccountId,
    Address,
    ChainId,
    Digest,
    DigestMethod,
    Leaf,
    Node,
    Root,
    Salt,
    parse_json,
)
from registry.encoding import canonical_json as canonical
from registry.merkle import (
    InclusionFailure,
    InclusionPass,
    InclusionProof,
    TreeBuild,
    build_tiles,
    chainpoint_path,
    iter_paths,
    leaf_hash,
    node_hash,
    path_from_tiles,
    path_length,
    proof_from_json,
    proof_to_json,
    root_from_proof,
    salted_digest,
    verify_inclusion,
)

ISSUER = Address(b"\x42" * 20)
METHODS = list(DigestMethod)
MAX_SIZE = 2000

sizes = st.one_of(
    st.integers(1, 20), st.sampled_from([255, 256, 257, 511, 512, 513]), st.integers(1, MAX_SIZE)
)


@cache
def _pair(index: int) -> tuple[Digest, Salt]:
    return Digest(sha256(b"d%d" % index).digest()), Salt(sha256(b"s%d" % index).digest())


@cache
def _leaf(index: int) -> Leaf:
    return leaf_hash(METHODS[index % 3], ISSUER, index, salted_digest(*_pair(index)))


@cache
def _build(size: int) -> TreeBuild:
    return build_tiles([_leaf(index) for index in range(size)])


def _proof(index: int, size: int, path: list[Node] | None = None) -> InclusionProof:
    build = _build(size)
    digest, salt = _pair(index)
    return InclusionProof(
        index=index,
        size=size,
        path=tuple(path_from_tiles(index, size, build.read_tile) if path is None else path),
        method=METHODS[index % 3],
        digest=digest,
        salt=salt,
        issuer=ISSUER,
        root=build.root,
    )


@st.composite
def proofs(draw: st.DrawFn) -> InclusionProof:
    size = draw(sizes)
    return _proof(draw(st.integers(0, size - 1)), size)


def _naive_top(leaves: list[Leaf]) -> bytes:
    """RFC 9162, section 2.1.1: split at the largest power of two below the size."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(_naive_top(leaves[:split]) + _naive_top(leaves[split:])).digest()


def _holds(proof: InclusionProof) -> bool:
    return isinstance(verify_inclusion(proof), InclusionPass)


def _flip(value: bytes, bit: int) -> bytes:
    number = int.from_bytes(value, "big") ^ 1 << bit % (8 * len(value))
    return number.to_bytes(len(value), "big")


@settings(max_examples=25, deadline=None)
@given(size=sizes)
def test_every_leaf_proves_and_verifies(size: int) -> None:
    for index, path in enumerate(iter_paths(size, _build(size).read_tile)):
        assert len(path) == path_length(index, size)
        assert _holds(_proof(index, size, path))


def test_every_leaf_of_the_largest_trees_proves_and_verifies() -> None:
    for size in (1999, 2000):
        for index, path in enumerate(iter_paths(size, _build(size).read_tile)):
            assert _holds(_proof(index, size, path))


@settings(deadline=None)
@given(size=sizes)
def test_top_is_that_of_the_recursive_definition_and_of_merkletools(size: int) -> None:
    leaves = [_leaf(index) for index in range(size)]
    tools = MerkleTools()
    tools.leaves = [bytearray(leaf) for leaf in leaves]
    tools.make_tree()
    assert _build(size).top == _naive_top(leaves) == bytes.fromhex(tools.get_merkle_root())


@settings(deadline=None)
@given(proof=proofs())
def test_whole_path_is_accepted_by_merkletools(proof: InclusionProof) -> None:
    assert MerkleTools().validate_proof(chainpoint_path(proof), proof.digest.hex(), proof.root.hex())


@settings(deadline=None)
@given(proof=proofs(), name=st.sampled_from(["digest", "salt", "issuer", "root"]), bit=st.integers(0, 255))
def test_any_changed_bit_fails(proof: InclusionProof, name: str, bit: int) -> None:
    changes: Any = {name: _flip(getattr(proof, name), bit)}
    assert isinstance(verify_inclusion(replace(proof, **changes)), InclusionFailure)


@settings(deadline=None)
@given(proof=proofs(), data=st.data())
def test_any_changed_bit_of_the_path_fails(proof: InclusionProof, data: st.DataObject) -> None:
    entries = list(proof.path)
    if entries:
        position = data.draw(st.integers(0, len(entries) - 1))
        entries[position] = _flip(entries[position], data.draw(st.integers(0, 255)))
        assert not _holds(replace(proof, path=tuple(entries)))


@settings(deadline=None)
@given(proof=proofs(), index=st.one_of(st.integers(0, MAX_SIZE + 10), st.integers(0, 2**64 - 1)))
def test_any_other_index_fails(proof: InclusionProof, index: int) -> None:
    assert _holds(replace(proof, index=index)) == (index == proof.index)


@settings(deadline=None)
@given(proof=proofs(), size=st.one_of(st.integers(1, MAX_SIZE + 10), st.integers(1, 2**32)))
def test_any_other_size_fails(proof: InclusionProof, size: int) -> None:
    assert _holds(replace(proof, size=size)) == (size == proof.size)


@settings(deadline=None)
@given(proof=proofs(), method=st.sampled_from(METHODS))
def test_any_other_method_fails(proof: InclusionProof, method: DigestMethod) -> None:
    assert _holds(replace(proof, method=method)) == (method is proof.method)


@settings(deadline=None)
@given(proof=proofs(), data=st.data())
def test_path_with_an_entry_added_removed_or_moved_fails(proof: InclusionProof, data: st.DataObject) -> None:
    path = list(proof.path)
    longer = [*path, data.draw(st.binary(min_size=32, max_size=32))]
    assert not _holds(replace(proof, path=tuple(longer)))
    if path:
        del path[data.draw(st.integers(0, len(path) - 1))]
        assert not _holds(replace(proof, path=tuple(path)))
        moved = data.draw(st.permutations(proof.path))
        assert _holds(replace(proof, path=tuple(moved))) == (tuple(moved) == proof.path)


@settings(deadline=None)
@given(proof=proofs(), height=st.integers(0, 11), index=st.integers(0, 2**12), shrunk=st.booleans())
def test_inner_node_never_verifies(proof: InclusionProof, height: int, index: int, shrunk: bool) -> None:
    """The node at ``height`` on the way up, given as a digest, or its halves as digest and salt."""
    node: bytes = leaf_hash(proof.method, proof.issuer, proof.index, salted_digest(proof.digest, proof.salt))
    sides = [next(iter(step)) for step in proof_to_json(proof)["path"]]
    halves = (proof.digest, proof.salt)
    height = min(height, len(sides))
    for side, entry in list(zip(sides, proof.path, strict=True))[:height]:
        halves = (Digest(entry), Salt(node)) if side == "left" else (Digest(node), Salt(entry))
        node = node_hash(entry, node) if side == "left" else node_hash(node, entry)
    rest = proof.path[height:]
    size = max(1, -(-proof.size >> height)) if shrunk else proof.size
    for position in {index % size, proof.index >> height, proof.index}:
        as_digest = replace(proof, digest=Digest(node), path=rest, index=position, size=size)
        assert not _holds(as_digest)
        as_halves = replace(proof, digest=halves[0], salt=halves[1], path=rest, index=position, size=size)
        assert _holds(as_halves) == (as_halves == proof)


@settings(deadline=None)
@given(
    proof=proofs(),
    chain=st.one_of(st.none(), st.integers(1, 10**31)),
    registry=st.binary(min_size=20, max_size=20),
)
def test_proof_survives_canonical_json(proof: InclusionProof, chain: int | None, registry: bytes) -> None:
    account = None if chain is None else AccountId(ChainId(chain), Address(registry))
    named = replace(proof, registry=account)
    read = proof_from_json(parse_json(canonical(proof_to_json(named))))
    for field in fields(InclusionProof):
        if field.name != "sides":
            assert getattr(read, field.name) == getattr(named, field.name)
    assert verify_inclusion(read) == InclusionPass(Root(proof.root))
    assert root_from_proof(read) == proof.root
