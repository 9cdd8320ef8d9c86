"""Secures awards for real: an `eddsa-rdfc-2022` proof by the issuer's Ed25519 key, and the digest by
``rdfc-sha256``, which the proof has computed anyway. Other suites are added on request, as a proof set.

Invariants: the proofs of a batch by one suite have the same options, so that what is anchored of each
document depends on the document alone; no proof of the set is of another, so that each may be left out; a
further key is made when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from registry.credentials.awarding import Secured
from registry.credentials.did_documents import KEY_TYPES
from registry.credentials.identity import IdentityService
from registry.credentials.suites.signing import ProofOptions, add_proofs
from registry.credentials.suites.signing import Secured as Signed
from registry.encoding import Address, DigestMethod, JsonValue
from registry.model.signing_keys import SigningKeyKind
from registry.ports.clock import Clock
from registry.ports.documents import Canonicalizer

SUITE = "eddsa-rdfc-2022"
_KINDS = {
    SUITE: SigningKeyKind.ED25519,
    "eddsa-jcs-2022": SigningKeyKind.ED25519,
    "ecdsa-rdfc-2019": SigningKeyKind.P256,
    "ecdsa-jcs-2019": SigningKeyKind.P256,
}


class SignedAwards:
    """A `registry.credentials.awarding.Securer`."""

    def __init__(self, identity: IdentityService, canonicalizer: Canonicalizer, clock: Clock) -> None:
        self._identity = identity
        self._canonicalizer = canonicalizer
        self._clock = clock

    def secure_many(
        self, issuer: Address, documents: Sequence[dict[str, Any]], further: Sequence[str] = ()
    ) -> list[Secured]:
        """Signed documents, in order; ``further`` of `registry.credentials.awarding.FURTHER_SUITES`."""
        made = self._signed(issuer, documents, SUITE)
        digests = []
        for one in made:
            assert one.rdfc_sha256 is not None, "the suite hashes with SHA-256"
            digests.append(one.rdfc_sha256)
        signed: Sequence[Mapping[str, JsonValue]] = [one.document for one in made]
        for suite in further:
            signed = [one.document for one in self._signed(issuer, signed, suite)]
        return [
            Secured(orjson.dumps(document), digest, DigestMethod.RDFC_SHA256)
            for document, digest in zip(signed, digests, strict=True)
        ]

    def _signed(
        self, issuer: Address, documents: Sequence[Mapping[str, JsonValue]], suite: str
    ) -> list[Signed]:
        kind = _KINDS[suite]
        key = self._identity.signer(issuer, kind)
        options = ProofOptions(suite, KEY_TYPES[kind], key.method, created=self._clock.now())
        return add_proofs(documents, options, key.signer.sign, self._canonicalizer)
