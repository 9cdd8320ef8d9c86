"""Awards as files with the anchor inside, and the same files with something wrong.

An export's `proof` is a set of two: merkle-proof-2019 first, eddsa-rdfc-2022 second. What is changed here is
one thing at a time, so that a judge who refuses does so for that thing alone.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from registry.credentials.key_pairs import KeyPair
from registry.credentials.keys import KeyType
from registry.credentials.merkle_proof_2019 import MerkleProof2019, decode_proof_value, encode_proof_value
from registry.credentials.rdf import RdfCanonicalizer
from registry.credentials.suites.signing import ProofOptions, add_proof
from registry.encoding import parse_hex, to_hex
from scripts.interoperability.stage import Json, Stage, StageError

ANCHOR = "merkle-proof-2019"
SIGNATURE = "eddsa-rdfc-2022"


@dataclass(frozen=True, slots=True)
class Export:
    """An award's file. ``digest`` is the registry's, by which it is revoked."""

    document: Json
    digest: str
    batch: str

    @property
    def anchor(self) -> MerkleProof2019:
        """What the anchor proof says."""
        return decode_proof_value(self.document["proof"][0]["proofValue"])

    @property
    def transaction(self) -> str:
        """The transaction that the anchor proof names."""
        (anchor,) = self.anchor.anchors
        assert anchor.transaction is not None
        return to_hex(anchor.transaction)

    def with_anchor(self, **changes: Any) -> Json:
        """The file with an anchor proof that says something else."""
        changed = copy.deepcopy(self.document)
        changed["proof"][0]["proofValue"] = encode_proof_value(replace(self.anchor, **changes))
        return changed

    def anchored_by(self, transaction: str) -> Json:
        """The file with an anchor proof that names another transaction."""
        (anchor,) = self.anchor.anchors
        return self.with_anchor(anchors=(replace(anchor, transaction=parse_hex(transaction, 32)),))

    def without(self, cryptosuite: str) -> Json:
        """The file without the proof by this cryptosuite."""
        left = [proof for proof in self.document["proof"] if proof["cryptosuite"] != cryptosuite]
        return {**self.document, "proof": left}

    def edited(self, edit: Callable[[Json], None]) -> Json:
        """The file with an edit that nobody signed."""
        changed = copy.deepcopy(self.document)
        edit(changed)
        return changed

    def signed_by_a_stranger(self, canonicalizer: RdfCanonicalizer) -> Json:
        """The claims, in the issuer's name, with the proof of a key that the issuer never named."""
        pair = KeyPair.generate(KeyType.ED25519)
        multikey = pair.public.to_multikey()
        options = ProofOptions(
            SIGNATURE, KeyType.ED25519, f"did:key:{multikey}#{multikey}", datetime.now(UTC)
        )
        claims = {name: value for name, value in self.document.items() if name != "proof"}
        return add_proof(claims, options, pair.sign, canonicalizer).document


def export_of(stage: Stage, award_id: str) -> Export:
    """An award's file, as the issuer downloads it. Raises `StageError`: it has not the two proofs."""
    award = stage.call("GET", f"/v1/awards/{award_id}")
    document = stage.call("GET", f"/v1/awards/{award_id}/credential?format=json")
    suites = [proof["cryptosuite"] for proof in document["proof"]]
    if suites != [ANCHOR, SIGNATURE]:
        raise StageError(f"the exported credential has the proofs {suites}")
    return Export(document, award["digest"], award["batch"])
