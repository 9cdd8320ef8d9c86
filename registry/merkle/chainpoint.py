"""The way from digest to root as one ordinary Chainpoint / MerkleProof2019 path, for foreign verifiers.

Every step from digest to root is SHA-256(left || right), so salt, leaf prefix and root prefix are just
further entries: docs/proof-format.md, section 6. Such a verifier checks the arithmetic only: it neither knows
that the lengths of the entries are fixed nor that they follow from (index, size), so it accepts more than
`verify_inclusion` does.
"""

from __future__ import annotations

from registry.merkle.hashing import leaf_prefix, root_prefix
from registry.merkle.proof import InclusionProof, root_from_proof
from registry.merkle.shape import path_sides


def chainpoint_path(proof: InclusionProof) -> list[dict[str, str]]:
    """Entries ``{"left" | "right": hex}`` (no ``0x``) from the digest to the root.

    In order: the salt on the right, the leaf's prefix (29 bytes) on the left, the tree's path, the root's
    prefix (9 bytes) on the left.

    Raises:
        MalformedProofError: like `root_from_proof`.
    """
    root_from_proof(proof)
    tree = [
        {side.value: entry.hex()}
        for side, entry in zip(path_sides(proof.index, proof.size), proof.path, strict=True)
    ]
    prefix = leaf_prefix(proof.method, proof.issuer, proof.index)
    return [
        {"right": proof.salt.hex()},
        {"left": prefix.hex()},
        *tree,
        {"left": root_prefix(proof.size).hex()},
    ]
