"""Securing by the anchor alone: no proof is added, and the digest of the canonical JSON is anchored.

Whoever has the credential and its RootmarkProof can verify it (docs/proof-format.md, method ``jcs-sha256``);
verifiers of embedded proofs cannot.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from registry.credentials.awarding import Secured
from registry.encoding import Address, Digest, DigestMethod, canonical_json, invalid


class DigestOnly:
    """A `registry.credentials.awarding.Securer` that needs no key."""

    def secure_many(
        self, issuer: Address, documents: Sequence[dict[str, Any]], further: Sequence[str] = ()
    ) -> list[Secured]:
        """The documents as canonical JSON, with their digests. Raises `ValidationError` when proofs are asked
        for."""
        del issuer
        if further:
            raise invalid("proofs", "no proofs are added here", "")
        texts = [canonical_json(document) for document in documents]
        return [Secured(text, Digest(sha256(text).digest()), DigestMethod.JCS_SHA256) for text in texts]
