"""What the tests of the VC API have in common: requests, a credential, proofs made as a forger would."""

from __future__ import annotations

from typing import Any

import httpx

from registry.credentials.key_pairs import KeyPair
from registry.credentials.keys import KeyType
from registry.credentials.suites.cryptosuites import CREATED, canonical_form, digest_of
from registry.credentials.verification_methods import did_key, did_key_method
from registry.encoding import to_base58btc
from registry.errors import ValidationError
from tests.api.conftest import Api

V1 = "https://www.w3.org/2018/credentials/v1"
V2 = "https://www.w3.org/ns/credentials/v2"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
DATA_INTEGRITY = "https://w3id.org/security/data-integrity/v2"
SUBJECT = "did:key:z6MktKwz7Ge1Yxzr4JHavN33wiwa8y81QdcMRLXQsrH9T53b"

MATRIX = [
    ("eddsa-rdfc-2022", "Ed25519"),
    ("eddsa-jcs-2022", "Ed25519"),
    ("ecdsa-rdfc-2019", "P-256"),
    ("ecdsa-rdfc-2019", "P-384"),
    ("ecdsa-jcs-2019", "P-256"),
    ("ecdsa-jcs-2019", "P-384"),
]
PAIRS = {
    "Ed25519": KeyPair.from_private_bytes(KeyType.ED25519, bytes(range(32))),
    "P-256": KeyPair.from_private_bytes(KeyType.P256, bytes(range(32))),
    "P-384": KeyPair.from_private_bytes(KeyType.P384, bytes(range(48))),
}
ABSENT = object()
"""Instead of a member's value: the member is left out."""


def credential(**changes: Any) -> dict[str, Any]:
    """A credential of data model 2.0, with members changed or left out."""
    made: dict[str, Any] = {
        "@context": [V2],
        "type": ["VerifiableCredential"],
        "issuer": "did:example:issuer",
        "credentialSubject": {"id": SUBJECT, "name": "ExampleClaim"},
    }
    return without(made | changes)


def without(members: dict[str, Any]) -> dict[str, Any]:
    """The members that are there."""
    return {name: value for name, value in members.items() if value is not ABSENT}


def issue(
    api: Api, document: Any, suite: str = "eddsa-rdfc-2022", kind: str = "Ed25519", **options: Any
) -> httpx.Response:
    """Ask for a credential to be signed."""
    body = {"credential": document, "options": options}
    return api.public.post(f"/vc/{suite}/{kind}/credentials/issue", json=body)


def issued(api: Api, document: Any, suite: str = "eddsa-rdfc-2022", kind: str = "Ed25519") -> dict[str, Any]:
    """A credential, signed."""
    response = issue(api, document, suite, kind)
    assert response.status_code == 201, response.text
    (member,) = response.json().items()
    assert member[0] == "verifiableCredential"
    return member[1]  # type: ignore[no-any-return]


def verify(api: Api, document: Any, **options: Any) -> httpx.Response:
    """Ask whether a credential verifies."""
    body = {"verifiableCredential": document, "options": {"checks": ["proof"], **options}}
    return api.public.post("/vc/credentials/verify", json=body)


def verify_presentation(api: Api, document: Any, **options: Any) -> httpx.Response:
    """Ask whether a presentation verifies."""
    body = {"verifiablePresentation": document, "options": {"checks": [], **options}}
    return api.public.post("/vc/presentations/verify", json=body)


def accepted(response: httpx.Response) -> dict[str, Any]:
    """The answer that something verifies."""
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    assert set(found) == {"verified", "checks", "warnings", "errors"}
    assert found["verified"] is True
    assert found["errors"] == []
    return found


def refused(response: httpx.Response) -> dict[str, Any]:
    """The problem that something does not verify, with one of the statuses that the suites take."""
    assert response.status_code in (400, 422), response.text
    assert response.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = response.json()
    assert found["errors"]
    assert found.get("verified", False) is False
    return found


def forged(
    api: Api,
    document: dict[str, Any],
    suite: str = "eddsa-rdfc-2022",
    kind: str = "Ed25519",
    **changes: Any,
) -> dict[str, Any]:
    """A document by the holder of a key of the tests, whose signature covers whatever the proof says.

    Args:
        changes: members of the proof, or `ABSENT`; what was signed has them too.
    """
    pair = PAIRS[kind]
    if "issuer" in document:
        document = {**document, "issuer": did_key(pair.public)}
    members = {
        "type": "DataIntegrityProof",
        "cryptosuite": suite,
        "created": "2026-01-02T03:04:05Z",
        "verificationMethod": did_key_method(pair.public),
        "proofPurpose": "assertionMethod",
    }
    members = without(members | changes)
    how, kind_of_key = CREATED[suite], pair.public.kind
    options = {**members, "@context": document["@context"]}
    try:
        forms = [
            canonical_form(how, part, kind_of_key, api.app.canonicalizer) for part in (options, document)
        ]
    except ValidationError:
        forms = []  # nobody can sign what has no meaning in RDF
    signed = b"".join(digest_of(form, kind_of_key) for form in forms)
    shown = options if how.jcs else members
    return {**document, "proof": {**shown, "proofValue": to_base58btc(pair.sign(signed))}}
