"""The cryptosuites: how document and proof options become the bytes that are signed. No keys, no documents.

Each suite signs ``hash(canonical options) || hash(canonical document)``. The JCS suites canonicalise JSON
text (RFC 8785), the RDFC suites the RDF dataset (RDFC-1.0), for which the options borrow the document's
contexts. Hash and inner hash follow the key: SHA-384 for P-384, else SHA-256.

Source: Data Integrity EdDSA Cryptosuites 1.0, sections 3.2, 3.3; Data Integrity ECDSA Cryptosuites 1.0,
sections 3.2, 3.3; Ed25519Signature2020 (its successor's appendix), verified only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256, sha384

from registry.credentials.keys import KeyType
from registry.credentials.suites.proofs import DATA_INTEGRITY, ED25519_2020
from registry.encoding import JsonValue, canonical_json
from registry.ports.documents import Canonicalizer, RdfHash

_EDDSA = frozenset((KeyType.ED25519,))
_ECDSA = frozenset((KeyType.P256, KeyType.P384))


@dataclass(frozen=True, slots=True)
class Cryptosuite:
    """One way to sign.

    Attributes:
        name: as ``cryptosuite`` has it, or ``type`` where that is the suite.
        type: the proof's ``type``.
        kinds: the keys that it takes.
        jcs: whether JSON text is canonicalised; otherwise the RDF dataset.
    """

    name: str
    type: str
    kinds: frozenset[KeyType]
    jcs: bool


EDDSA_RDFC_2022 = Cryptosuite("eddsa-rdfc-2022", DATA_INTEGRITY, _EDDSA, jcs=False)
EDDSA_JCS_2022 = Cryptosuite("eddsa-jcs-2022", DATA_INTEGRITY, _EDDSA, jcs=True)
ECDSA_RDFC_2019 = Cryptosuite("ecdsa-rdfc-2019", DATA_INTEGRITY, _ECDSA, jcs=False)
ECDSA_JCS_2019 = Cryptosuite("ecdsa-jcs-2019", DATA_INTEGRITY, _ECDSA, jcs=True)
ED25519_SIGNATURE_2020 = Cryptosuite(ED25519_2020, ED25519_2020, _EDDSA, jcs=False)

CREATED: Mapping[str, Cryptosuite] = {
    suite.name: suite for suite in (EDDSA_RDFC_2022, EDDSA_JCS_2022, ECDSA_RDFC_2019, ECDSA_JCS_2019)
}
"""The suites that proofs are made with here."""

VERIFIED: Mapping[str, Cryptosuite] = {**CREATED, ED25519_2020: ED25519_SIGNATURE_2020}
"""The suites whose proofs are verified here."""


def rdf_hash_of(kind: KeyType) -> RdfHash:
    """The hash inside RDFC-1.0 for keys of this kind (Data Integrity ECDSA Cryptosuites 1.0, section 3)."""
    return RdfHash.SHA384 if kind is KeyType.P384 else RdfHash.SHA256


def digest_of(canonical: bytes, kind: KeyType) -> bytes:
    """The hash of a canonical form, as long as keys of this kind want it."""
    return sha384(canonical).digest() if kind is KeyType.P384 else sha256(canonical).digest()


def canonical_form(
    suite: Cryptosuite, value: Mapping[str, JsonValue], kind: KeyType, canonicalizer: Canonicalizer
) -> bytes:
    """The bytes of a document or of proof options (with their ``@context``, for RDFC).

    Raises:
        MalformedJsonError: no canonical JSON. Otherwise as `Canonicalizer.n_quads`.
    """
    if suite.jcs:
        return canonical_json(value)
    return canonicalizer.n_quads(value, rdf_hash_of(kind))
