"""What the tests of proofs and tokens have in common: keys, documents by address, tools, a credential."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NoReturn

from registry.credentials.findings import Finding
from registry.credentials.key_pairs import KeyPair
from registry.credentials.keys import KeyType
from registry.credentials.sources import Tools
from registry.credentials.suites.signing import ProofOptions, add_proof
from registry.credentials.verification_methods import did_key, did_key_method
from registry.encoding import canonical_json, to_base58btc
from registry.errors import UnavailableSourceError
from registry.ports.documents import Canonicalizer, RdfHash
from registry.verdict.report import CheckName, CheckResult

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ED = KeyPair.from_private_bytes(KeyType.ED25519, bytes(range(32)))
P256 = KeyPair.from_private_bytes(KeyType.P256, bytes(range(32)))
P384 = KeyPair.from_private_bytes(KeyType.P384, bytes(range(48)))
SECP256K1 = KeyPair.from_private_bytes(KeyType.SECP256K1, bytes(range(32)))
STRANGER = KeyPair.from_private_bytes(KeyType.ED25519, bytes(range(1, 33)))
ISSUER = did_key(ED.public)
V2 = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"


@dataclass
class FakeDocuments:
    """Documents that the caller supplied; ``asked`` lists the addresses in order."""

    documents: Mapping[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def get(self, url: str) -> bytes:
        self.asked.append(url)
        if url not in self.documents:
            raise UnavailableSourceError(f"supply {url}, or allow its host")
        found = self.documents[url]
        return found if isinstance(found, bytes) else json.dumps(found).encode()


class NoCanonicalizer:
    """For suites that must not ask for RDF."""

    def n_quads(self, document: Mapping[str, Any], rdf_hash: RdfHash = RdfHash.SHA256) -> bytes:
        raise AssertionError("nothing here is canonicalised as RDF")

    def n_quads_of_many(
        self, documents: Sequence[Mapping[str, Any]], rdf_hash: RdfHash = RdfHash.SHA256
    ) -> list[bytes]:
        raise AssertionError("nothing here is canonicalised as RDF")


class NoLedgers:
    """Proofs and tokens need no ledger."""

    def transaction(self, chain_id: int, transaction: bytes) -> NoReturn:
        raise AssertionError("no ledger is asked")

    def call(self, chain_id: int, to: bytes, data: bytes) -> NoReturn:
        raise AssertionError("no ledger is asked")


def tools(
    documents: Mapping[str, Any] | FakeDocuments | None = None,
    *,
    canonicalizer: Canonicalizer | None = None,
    **changes: Any,
) -> Tools:
    """Tools that know the given documents only."""
    source = documents if isinstance(documents, FakeDocuments) else FakeDocuments(documents or {})
    return Tools(
        canonicalizer=canonicalizer or NoCanonicalizer(),
        documents=source,
        ledgers=NoLedgers(),
        now=changes.pop("now", NOW),
        supplied={},
        **changes,
    )


def badge(**changes: Any) -> dict[str, Any]:
    """An unsigned Open Badges 3.0 credential of `ISSUER`; a change to None leaves the member out."""
    credential: dict[str, Any] = {
        "@context": [V2, OPEN_BADGES],
        "id": "urn:uuid:7f6d0f5e-0b9e-4d0e-8e3f-5f0f3b6a9c11",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": {"id": ISSUER, "type": ["Profile"], "name": "Example University"},
        "validFrom": "2026-01-01T00:00:00Z",
        "name": "Robotics",
        "credentialSubject": {
            "id": "did:example:holder",
            "type": ["AchievementSubject"],
            "achievement": {
                "id": "urn:uuid:2a1c9f0d-3b0f-4c9a-9d56-0c8a4f1e7b22",
                "type": ["Achievement"],
                "name": "Robotics",
                "description": "Builds a robot.",
                "criteria": {"narrative": "Build one that walks."},
            },
        },
    }
    credential.update(changes)
    return {name: value for name, value in credential.items() if value is not None}


def options_of(pair: KeyPair, cryptosuite: str, **changes: Any) -> ProofOptions:
    """Options of a proof by a key's own did:key."""
    method = changes.pop("verification_method", None) or did_key_method(pair.public)
    return ProofOptions(cryptosuite, pair.public.kind, method, changes.pop("created", NOW), **changes)


def signed(
    credential: Mapping[str, Any] | None = None,
    pair: KeyPair = ED,
    cryptosuite: str = "eddsa-jcs-2022",
    canonicalizer: Canonicalizer | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """A credential with one proof."""
    document = badge() if credential is None else credential
    proof_options = options_of(pair, cryptosuite, **changes)
    return dict(add_proof(document, proof_options, pair.sign, canonicalizer or NoCanonicalizer()).document)


def chained() -> dict[str, Any]:
    """A credential with a proof, and a second one over the document with the first (Data Integrity, 4.5)."""
    first = signed()
    first["proof"] = {**first["proof"], "id": "urn:uuid:first"}
    members = {name: value for name, value in first["proof"].items() if name != "proofValue"}
    unsecured = {name: value for name, value in first.items() if name != "proof"}
    digest = sha256(canonical_json(unsecured)).digest()
    first["proof"]["proofValue"] = to_base58btc(ED.sign(sha256(canonical_json(members)).digest() + digest))
    second = {**members, "previousProof": "urn:uuid:first"}
    del second["id"]
    whole = sha256(canonical_json({**unsecured, "proof": [first["proof"]]})).digest()
    value = to_base58btc(ED.sign(sha256(canonical_json(second)).digest() + whole))
    return {**unsecured, "proof": [first["proof"], {**second, "proofValue": value}]}


def results(findings: Sequence[Finding], name: CheckName = CheckName.SIGNATURE) -> list[CheckResult]:
    """The results of one check, in order."""
    return [finding.result for finding in findings if finding.check is name]


def did_document(did: str, pair: KeyPair, **changes: Any) -> dict[str, Any]:
    """A DID document with one Multikey, ``#key-1``, for assertions."""
    document: dict[str, Any] = {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
        "verificationMethod": [
            {
                "id": f"{did}#key-1",
                "type": "Multikey",
                "controller": did,
                "publicKeyMultibase": pair.public.to_multikey(),
            }
        ],
        "assertionMethod": [f"{did}#key-1"],
    }
    document.update(changes)
    return document
