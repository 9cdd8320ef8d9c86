"""Secures awards for real: an `eddsa-rdfc-2022` proof by the issuer's Ed25519 key, and the digest by
``rdfc-sha256``, which the proof has computed anyway. Other suites are added on request, as a proof set.

Invariant: the proofs of a batch have the same options, so that what is anchored of each document depends on
the document alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from registry.credentials.awarding import Secured
from registry.credentials.identity import IdentityService
from registry.credentials.keys import KeyType
from registry.credentials.suites.signing import ProofOptions, add_proofs
from registry.encoding import Address, DigestMethod
from registry.ports.clock import Clock
from registry.ports.documents import Canonicalizer

SUITE = "eddsa-rdfc-2022"


class SignedAwards:
    """A `registry.credentials.awarding.Securer`."""

    def __init__(self, identity: IdentityService, canonicalizer: Canonicalizer, clock: Clock) -> None:
        self._identity = identity
        self._canonicalizer = canonicalizer
        self._clock = clock

    def secure_many(self, issuer: Address, documents: Sequence[dict[str, Any]]) -> list[Secured]:
        """Signed documents, in order."""
        key = self._identity.signer(issuer)
        options = ProofOptions(SUITE, KeyType.ED25519, key.method, created=self._clock.now())
        made = add_proofs(documents, options, key.signer.sign, self._canonicalizer)
        secured = []
        for one in made:
            assert one.rdfc_sha256 is not None, "the suite hashes with SHA-256"
            secured.append(Secured(orjson.dumps(one.document), one.rdfc_sha256, DigestMethod.RDFC_SHA256))
        return secured
