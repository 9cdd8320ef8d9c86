"""Inclusion proofs: what holds, what fails and why, and what is no proof."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from merkletools import MerkleTools

from registry.encoding import Address, Digest, DigestMethod, Root, Salt
from registry.errors import MalformedProofError
from registry.merkle import (
    InclusionFailure,
    InclusionFault,
    InclusionPass,
    InclusionProof,
    Side,
    build_tiles,
    chainpoint_path,
    leaf_hash,
    leaf_of_proof,
    node_hash,
    path_from_tiles,
    path_sides,
    proof_to_json,
    root_from_proof,
    root_of,
    salted_digest,
    verify_inclusion,
)

ISSUER = Address(b"\x11" * 20)


def _hash(label: str, number: int) -> bytes:
    return sha256(f"{label} {number}".encode()).digest()


def _proofs(size: int) -> list[InclusionProof]:
    pairs = [(Digest(_hash("digest", i)), Salt(_hash("salt", i))) for i in range(size)]
    leaves = [
        leaf_hash(DigestMethod.OPAQUE, ISSUER, i, salted_digest(d, s)) for i, (d, s) in enumerate(pairs)
    ]
    build = build_tiles(leaves)
    return [
        InclusionProof(
            index=index,
            size=size,
            path=tuple(path_from_tiles(index, size, build.read_tile)),
            method=DigestMethod.OPAQUE,
            digest=digest,
            salt=salt,
            issuer=ISSUER,
            root=build.root,
        )
        for index, (digest, salt) in enumerate(pairs)
    ]


def _fault(proof: InclusionProof) -> InclusionFault:
    result = verify_inclusion(proof)
    assert isinstance(result, InclusionFailure)
    assert result.detail
    return result.fault


PROOF = _proofs(11)[6]


def test_honest_proof_leads_to_its_root() -> None:
    assert verify_inclusion(PROOF) == InclusionPass(PROOF.root)
    assert root_from_proof(PROOF) == PROOF.root
    sided = replace(PROOF, sides=path_sides(PROOF.index, PROOF.size))
    assert verify_inclusion(sided) == InclusionPass(PROOF.root)


def test_results_have_no_truth_value() -> None:
    for result in (verify_inclusion(PROOF), verify_inclusion(replace(PROOF, index=7))):
        with pytest.raises(TypeError, match="no truth value"):
            bool(result)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"index": 11}, InclusionFault.INDEX_OUTSIDE_BATCH),
        ({"index": 2**64 - 1}, InclusionFault.INDEX_OUTSIDE_BATCH),
        ({"path": PROOF.path[:-1]}, InclusionFault.PATH_LENGTH),
        ({"path": (*PROOF.path, PROOF.path[0])}, InclusionFault.PATH_LENGTH),
        ({"path": ()}, InclusionFault.PATH_LENGTH),
        ({"path": (b"x" * 32,) * 64}, InclusionFault.PATH_LENGTH),
        ({"size": 2**32}, InclusionFault.PATH_LENGTH),
        ({"sides": (Side.LEFT,) * 4}, InclusionFault.PATH_SIDES),
        ({"index": 5}, InclusionFault.ROOT),
        ({"size": 12}, InclusionFault.ROOT),
        ({"method": DigestMethod.JCS_SHA256}, InclusionFault.ROOT),
        ({"issuer": Address(b"\x12" * 20)}, InclusionFault.ROOT),
        ({"digest": Digest(bytes(32))}, InclusionFault.ROOT),
        ({"salt": Salt(bytes(32))}, InclusionFault.ROOT),
        ({"root": Root(bytes(32))}, InclusionFault.ROOT),
        ({"path": PROOF.path[::-1]}, InclusionFault.ROOT),
    ],
)
def test_changed_proof_fails_with_its_fault(changes: dict[str, Any], fault: InclusionFault) -> None:
    assert _fault(replace(PROOF, **changes)) is fault


def test_root_is_recomputed_without_looking_at_the_claimed_one() -> None:
    assert root_from_proof(replace(PROOF, root=Root(bytes(32)))) == PROOF.root


@pytest.mark.parametrize(("changes", "pointer"), [({"index": 11}, "/index"), ({"path": ()}, "/path")])
def test_path_that_does_not_fit_leads_to_no_root(changes: dict[str, Any], pointer: str) -> None:
    proof = replace(PROOF, **changes)
    for compute in (root_from_proof, chainpoint_path):
        with pytest.raises(MalformedProofError) as caught:
            compute(proof)
        assert caught.value.faults[0].pointer == pointer


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"digest": b"x" * 31}, "/digest"),
        ({"salt": b"x" * 33}, "/salt"),
        ({"root": b""}, "/root"),
        ({"issuer": b"x" * 32}, "/issuer"),
        ({"size": 0}, "/size"),
        ({"size": 2**32 + 1}, "/size"),
        ({"index": -1}, "/index"),
        ({"index": 2**64}, "/index"),
        ({"path": (b"x" * 32,) * 65}, "/path"),
        ({"path": (b"x" * 32, b"x" * 31)}, "/path"),
        ({"path": (b"x" * 64,)}, "/path"),
        ({"sides": (Side.LEFT,)}, "/path"),
    ],
)
def test_wrong_lengths_and_ranges_are_no_proof(changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(MalformedProofError) as caught:
        replace(PROOF, **changes)
    assert caught.value.faults[0].pointer == pointer


# --- merkletools: what it accepts of ours, and what it accepts and we do not -----------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 5, 11, 256, 300])
def test_whole_path_is_accepted_by_merkletools(size: int) -> None:
    for proof in _proofs(size)[:: max(1, size // 7)]:
        path = chainpoint_path(proof)
        assert MerkleTools().validate_proof(path, proof.digest.hex(), proof.root.hex())
        changed = bytes([proof.digest[0] ^ 1]) + proof.digest[1:]
        assert not MerkleTools().validate_proof(path, changed.hex(), proof.root.hex())


def test_whole_path_names_salt_leaf_prefix_tree_and_size() -> None:
    path = chainpoint_path(PROOF)
    assert path[0] == {"right": PROOF.salt.hex()}
    assert path[1] == {"left": "00" + "11" * 20 + "0000000000000006"}
    assert path[2:-1] == [
        {side: text[2:]} for step in proof_to_json(PROOF)["path"] for side, text in step.items()
    ]
    assert path[-1] == {"left": "ff" + "000000000000000b"}


def test_inner_node_that_merkletools_accepts_as_a_credential_is_refused_here() -> None:
    """In a bare merkletools tree anybody who saw two leaves can "prove" their parent, which nobody issued."""
    leaves = [_hash("credential", number) for number in range(4)]
    tools = MerkleTools()
    tools.add_leaf([leaf.hex() for leaf in leaves])
    tools.make_tree()
    parent = node_hash(leaves[0], leaves[1])
    assert tools.validate_proof(tools.get_proof(0)[1:], parent.hex(), tools.get_merkle_root())
    assert tools.validate_proof([], tools.get_merkle_root(), tools.get_merkle_root())

    first, second, *_ = proofs = _proofs(4)
    left, right = leaf_of_proof(first), leaf_of_proof(second)
    forgeries = [
        replace(first, digest=Digest(node_hash(left, right)), path=first.path[1:], size=2),
        replace(first, digest=Digest(node_hash(left, right)), path=first.path[1:]),
        replace(first, digest=Digest(left), salt=Salt(right), path=first.path[1:], size=2),
        replace(first, digest=Digest(left), salt=Salt(right)),
        replace(first, digest=Digest(left), salt=Salt(right), path=(), size=1),
        replace(first, digest=Digest(first.root), path=(), size=1),
    ]
    for forged in forgeries:
        assert isinstance(verify_inclusion(forged), InclusionFailure)
    assert all(isinstance(verify_inclusion(proof), InclusionPass) for proof in proofs)


def test_batch_of_one_is_not_its_own_root() -> None:
    (proof,) = _proofs(1)
    leaf = leaf_of_proof(proof)
    assert proof.root == root_of(1, leaf) != leaf
