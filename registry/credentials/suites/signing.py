"""Makes Data Integrity proofs, for one document or a batch. Pure: whoever signs is handed in.

A batch is canonicalised at once and its proof options once for each list of contexts, since all its
proofs have the same options. For the RDFC suites with SHA-256 the digest of the document is also the
registry's digest by ``rdfc-sha256``, so it is handed back instead of being computed twice.

Source: Verifiable Credential Data Integrity 1.0, sections 4.2, 4.3; the cryptosuites' specifications.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from registry.credentials.keys import KeyType
from registry.credentials.suites.cryptosuites import (
    CREATED,
    Cryptosuite,
    canonical_form,
    digest_of,
    rdf_hash_of,
)
from registry.credentials.suites.proofs import DATA_INTEGRITY
from registry.encoding import Digest, JsonValue, canonical_json, format_time, invalid, to_base58btc
from registry.ports.documents import Canonicalizer, RdfHash

DATA_INTEGRITY_CONTEXT = "https://w3id.org/security/data-integrity/v2"
CREDENTIALS_V2_CONTEXT = "https://www.w3.org/ns/credentials/v2"

Sign = Callable[[bytes], bytes]
"""Signs a whole message, as `registry.credentials.key_pairs.KeyPair.sign` does."""


@dataclass(frozen=True, slots=True)
class ProofOptions:
    """What a proof says.

    Attributes:
        cryptosuite: one of `CREATED`.
        kind: what the signing key is a key of.
        verification_method: its absolute id.
        created, expires: aware times.
    """

    cryptosuite: str
    kind: KeyType
    verification_method: str
    created: datetime | None = None
    expires: datetime | None = None
    purpose: str = "assertionMethod"
    challenge: str | None = None
    domain: str | None = None

    def suite(self) -> Cryptosuite:
        """The suite. Raises `ValidationError`: unknown, or not one for this kind of key."""
        suite = CREATED.get(self.cryptosuite)
        if suite is None:
            raise invalid("cryptosuite", "proofs are not made with this cryptosuite here", "")
        if self.kind not in suite.kinds:
            raise invalid("cryptosuite", "the cryptosuite takes keys of another kind", "")
        return suite

    def members(self) -> dict[str, JsonValue]:
        """The proof's members, but for the signature and the context."""
        members: dict[str, JsonValue] = {"type": DATA_INTEGRITY, "cryptosuite": self.cryptosuite}
        if self.created is not None:
            members["created"] = format_time(self.created.replace(microsecond=0))
        if self.expires is not None:
            members["expires"] = format_time(self.expires.replace(microsecond=0))
        members["verificationMethod"] = self.verification_method
        members["proofPurpose"] = self.purpose
        asked = {"challenge": self.challenge, "domain": self.domain}
        members |= {name: value for name, value in asked.items() if value is not None}
        return members


@dataclass(frozen=True, slots=True)
class Secured:
    """A document with its proof.

    Attributes:
        document: the document with the proof after those that it had.
        rdfc_sha256: the registry's digest of it by that method; None for other suites and hashes.
    """

    document: dict[str, JsonValue]
    rdfc_sha256: Digest | None


def add_proof(
    document: Mapping[str, JsonValue], options: ProofOptions, sign: Sign, canonicalizer: Canonicalizer
) -> Secured:
    """Add a proof to one document. Raises as `add_proofs`, without positions in pointers."""
    suite = options.suite()
    prepared = with_proof_terms(document)
    canonical = canonical_form(suite, _unsecured(prepared), options.kind, canonicalizer)
    return _Batch(options, suite, sign, canonicalizer).secure(prepared, canonical)


def add_proofs(
    documents: Sequence[Mapping[str, JsonValue]],
    options: ProofOptions,
    sign: Sign,
    canonicalizer: Canonicalizer,
) -> list[Secured]:
    """Add a proof with the same options to each document, in order.

    Args:
        documents: unsecured ones, or with proofs to which a further one is added (a proof set). One whose
            contexts do not define Data Integrity proofs (VC Data Model 1.1) gains that context at the end.

    Raises:
        ValidationError: the options contradict each other. MalformedJsonError: a document has no canonical
        JSON. Otherwise as `Canonicalizer.n_quads_of_many`, and whatever ``sign`` raises.
    """
    suite = options.suite()
    prepared = [with_proof_terms(document) for document in documents]
    unsecured = [_unsecured(document) for document in prepared]
    if suite.jcs:
        canonical = [canonical_json(document) for document in unsecured]
    else:
        canonical = canonicalizer.n_quads_of_many(unsecured, rdf_hash_of(options.kind))
    batch = _Batch(options, suite, sign, canonicalizer)
    return [batch.secure(document, form) for document, form in zip(prepared, canonical, strict=True)]


def with_proof_terms(document: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """The document, with the Data Integrity context where its own ones do not define such proofs."""
    contexts = document.get("@context")
    listed = contexts if isinstance(contexts, list) else [contexts]
    if contexts is None or CREDENTIALS_V2_CONTEXT in listed or DATA_INTEGRITY_CONTEXT in listed:
        return document
    return {**document, "@context": [*listed, DATA_INTEGRITY_CONTEXT]}


def _unsecured(document: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {name: value for name, value in document.items() if name != "proof"}


class _Batch:
    """Proofs with the same options. Keeps the digest of the options for each list of contexts."""

    def __init__(
        self, options: ProofOptions, suite: Cryptosuite, sign: Sign, canonicalizer: Canonicalizer
    ) -> None:
        self._members = options.members()
        self._kind = options.kind
        self._suite = suite
        self._sign = sign
        self._canonicalizer = canonicalizer
        self._configurations: dict[bytes, bytes] = {}
        hashed_alike = not suite.jcs and rdf_hash_of(options.kind) is RdfHash.SHA256
        self._is_registry_digest = hashed_alike

    def secure(self, document: Mapping[str, JsonValue], canonical: bytes) -> Secured:
        """The document with its proof, from its canonical form without any."""
        digest = digest_of(canonical, self._kind)
        proof = dict(self._members)
        if self._suite.jcs and "@context" in document:
            proof["@context"] = document["@context"]
        signature = self._sign(self._configuration(document) + digest)
        proof["proofValue"] = to_base58btc(signature)
        present = document.get("proof", [])
        earlier = present if isinstance(present, list) else [present]
        secured = {**document, "proof": [*earlier, proof] if earlier else proof}
        return Secured(secured, Digest(digest) if self._is_registry_digest else None)

    def _configuration(self, document: Mapping[str, JsonValue]) -> bytes:
        contexts = document.get("@context")
        key = canonical_json(contexts)
        found = self._configurations.get(key)
        if found is None:
            options = self._members if contexts is None else {**self._members, "@context": contexts}
            form = canonical_form(self._suite, options, self._kind, self._canonicalizer)
            found = self._configurations[key] = digest_of(form, self._kind)
        return found
