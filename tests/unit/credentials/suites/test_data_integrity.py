"""Data Integrity proofs over JCS: what must fail, what stays unknown, and the published examples."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from registry.credentials.controllers import VerificationMethod
from registry.credentials.findings import Finding
from registry.credentials.key_pairs import KeyPair
from registry.credentials.keys import PublicKey
from registry.credentials.suites.data_integrity import check_proofs, verify_proof
from registry.credentials.suites.proofs import MAX_PROOFS, proofs_of, read_proof
from registry.credentials.suites.signing import add_proof
from registry.credentials.verification_methods import did_key, did_key_method
from registry.encoding import parse_json
from registry.errors import BadSignatureError, ValidationError
from registry.verdict.report import CheckName, CheckResult
from tests.unit.credentials.suites.parts import (
    ED,
    ISSUER,
    NOW,
    P256,
    P384,
    SECP256K1,
    STRANGER,
    FakeDocuments,
    NoCanonicalizer,
    badge,
    chained,
    did_document,
    options_of,
    results,
    signed,
    tools,
)

VECTORS = Path(__file__).parents[3] / "vectors" / "data_integrity"
FAIL, PASS, UNKNOWN = CheckResult.FAIL, CheckResult.PASS, CheckResult.UNKNOWN
WEB = "did:web:issuer.example"
WEB_URL = "https://issuer.example/.well-known/did.json"


def _check(document: Any, owner: str | None = ISSUER, **changes: Any) -> tuple[Finding, ...]:
    documents = changes.pop("documents", None)
    return check_proofs(document, tools(documents, **changes), owner=owner)


def _with_proof(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    proof = {**document["proof"], **changes}
    return {**document, "proof": {name: value for name, value in proof.items() if value is not None}}


# --- documents without what counts --------------------------------------------------------------------------


@pytest.mark.parametrize("proof", [[], None, "z", 5, [None], [[]], {}, [{}], {"type": 5}, {"type": ["x"]}])
def test_signature_fails_when_proof_has_no_form(proof: Any) -> None:
    assert results(_check({**badge(), "proof": proof})) == [FAIL]


def test_signature_fails_when_there_is_no_proof() -> None:
    assert results(_check(badge())) == [FAIL]


def test_signature_fails_when_there_are_too_many_proofs() -> None:
    document = signed()
    assert results(_check({**document, "proof": [document["proof"]] * (MAX_PROOFS + 1)})) == [FAIL]


@pytest.mark.parametrize(
    "proof",
    [
        {"type": "RootmarkProof/v1"},
        {"type": "MerkleProof2019"},
        {"type": "DataIntegrityProof", "cryptosuite": "merkle-proof-2019"},
    ],
)
def test_anchor_alone_is_no_signature_and_left_to_others(proof: dict[str, Any]) -> None:
    assert results(_check({**badge(), "proof": [proof]})) == [CheckResult.SKIPPED]


def test_anchor_beside_a_signature_yields_no_finding() -> None:
    document = signed()
    document["proof"] = [
        {"type": "DataIntegrityProof", "cryptosuite": "merkle-proof-2019"},
        document["proof"],
    ]
    findings = _check(document)
    assert [(finding.check, finding.result) for finding in findings] == [
        (CheckName.SIGNATURE, PASS),
        (CheckName.INTEGRITY, PASS),
    ]


@pytest.mark.parametrize(
    ("proof", "named"),
    [
        ({"type": "DataIntegrityProof", "cryptosuite": "bbs-2023"}, "bbs-2023"),
        ({"type": "BbsBlsSignature2020"}, "BbsBlsSignature2020"),
        ({"type": "Ed25519Signature2018"}, "Ed25519Signature2018"),
    ],
)
def test_signature_is_unknown_and_named_when_its_suite_is_not_verified_here(
    proof: dict[str, Any], named: str
) -> None:
    (finding,) = _check({**badge(), "proof": proof})
    assert finding.result is UNKNOWN
    assert named in finding.detail


def test_odd_suite_names_are_not_repeated() -> None:
    (finding,) = _check({**badge(), "proof": {"type": "<script>alert(1)</script>"}})
    assert finding.result is UNKNOWN
    assert "script" not in finding.detail


def test_suite_that_is_no_string_fails() -> None:
    proof = {"type": "DataIntegrityProof", "cryptosuite": ["eddsa-jcs-2022"]}
    assert results(_check({**badge(), "proof": proof})) == [FAIL]


# --- altered documents and proofs ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Astronautics"},
        {"validUntil": "2099-01-01T00:00:00Z"},
        {"issuer": {"id": ISSUER, "name": "Other University"}},
        {"credentialSubject": {"id": "did:example:thief"}},
        {"id": "urn:uuid:00000000-0000-4000-8000-000000000000"},
        {"extra": None},
    ],
)
def test_signature_fails_when_the_document_is_altered(change: dict[str, Any]) -> None:
    assert results(_check({**signed(), **change})) == [FAIL]


def test_signature_fails_when_a_context_is_injected() -> None:
    document = signed()
    document["@context"] = [*document["@context"], "https://evil.example/context"]
    assert results(_check(document)) == [FAIL]
    both = _with_proof(document, **{"@context": document["@context"]})
    assert results(_check(both)) == [FAIL]


@pytest.mark.parametrize(
    "change",
    [
        {"created": "2020-01-01T00:00:00Z"},
        {"created": None},
        {"created": "2026-11-25"},
        {"created": "2026-11-25T12:00:00"},
        {"created": "2026-11-25t12:00:00z"},
        {"created": 5},
        {"expires": "2099-01-01T00:00:00Z"},
        {"expires": "never"},
        {"nonce": "added"},
        {"nonce": 5},
        {"id": ["urn:a"]},
        {"id": "not a url"},
        {"verificationMethod": None},
        {"verificationMethod": {"id": did_key_method(ED.public)}},
        {"verificationMethod": [did_key_method(ED.public)]},
        {"verificationMethod": "not a did"},
        {"verificationMethod": did_key_method(STRANGER.public)},
        {"verificationMethod": did_key_method(P256.public)},
        {"proofPurpose": None},
        {"proofPurpose": "authentication"},
        {"proofValue": None},
        {"proofValue": ""},
        {"proofValue": "z"},
        {"proofValue": "z" * 5000},
        {"proofValue": 5},
        {"domain": 5},
        {"domain": []},
        {"previousProof": "urn:uuid:missing"},
        {"previousProof": 5},
        {"cryptosuite": "eddsa-rdfc-2022x"},
        {"cryptosuite": "ecdsa-jcs-2019"},
        {"type": "Ed25519Signature2020", "cryptosuite": None, "proofValue": "z111"},
    ],
    ids=str,
)
def test_signature_does_not_pass_when_the_proof_is_altered(change: dict[str, Any]) -> None:
    class Unused(NoCanonicalizer):
        def n_quads(self, document: Any, rdf_hash: Any = None) -> bytes:
            return b"some quads"

    found = results(_check(_with_proof(signed(), **change), canonicalizer=Unused()))
    assert found == [UNKNOWN if change.get("cryptosuite") == "eddsa-rdfc-2022x" else FAIL]


@pytest.mark.parametrize(
    "respell",
    [
        lambda value: value[1:],
        lambda value: "Z" + value[1:],
        lambda value: "m" + value[1:],
        lambda value: value + " ",
        lambda value: value + "1",
        lambda value: "z1" + value[1:],
        lambda value: value[:-1],
        lambda value: value[:-1] + "0",
        lambda value: [value],
    ],
)
def test_signature_fails_when_it_is_spelled_otherwise(respell: Callable[[str], Any]) -> None:
    document = signed()
    value = respell(document["proof"]["proofValue"])
    assert results(_check(_with_proof(document, proofValue=value))) == [FAIL]


# --- whose key ----------------------------------------------------------------------------------------------


def test_signature_fails_when_the_key_is_not_the_issuers() -> None:
    assert results(_check(signed(pair=STRANGER))) == [FAIL]
    assert results(_check(signed(), owner="did:web:issuer.example")) == [FAIL]


def test_signature_fails_when_anothers_document_claims_the_issuer_as_controller() -> None:
    evil = "did:web:evil.example"
    document = did_document(evil, STRANGER)
    document["verificationMethod"][0]["controller"] = WEB
    credential = signed(badge(issuer=WEB), STRANGER, verification_method=f"{evil}#key-1")
    found = _check(credential, WEB, documents={"https://evil.example/.well-known/did.json": document})
    assert results(found) == [FAIL]


def test_signature_fails_when_a_key_with_a_document_of_its_own_is_anothers() -> None:
    key, other = "https://issuer.example/keys/1", "https://other.example/issuers/1"
    method = {
        "id": key,
        "type": "Multikey",
        "controller": other,
        "publicKeyMultibase": ED.public.to_multikey(),
    }
    documents = {key: method, other: {"id": other, "assertionMethod": [key]}}
    credential = signed(badge(issuer=other), verification_method=key)
    assert results(_check(credential, other, documents=documents)) == [PASS]
    assert results(_check(credential, WEB, documents=documents)) == [FAIL]


def test_signature_fails_when_the_key_is_listed_for_another_purpose() -> None:
    credential = signed(badge(issuer=WEB), verification_method=f"{WEB}#key-1")
    listed = did_document(WEB, ED)
    assert results(_check(credential, WEB, documents={WEB_URL: listed})) == [PASS]
    elsewhere = {**listed, "authentication": listed["assertionMethod"], "assertionMethod": []}
    assert results(_check(credential, WEB, documents={WEB_URL: elsewhere})) == [FAIL]


@pytest.mark.parametrize("name", ["revoked", "expires"])
def test_signature_fails_when_the_key_has_ended(name: str) -> None:
    credential = signed(badge(issuer=WEB), verification_method=f"{WEB}#key-1")
    document = did_document(WEB, ED)
    document["verificationMethod"][0][name] = "2026-11-25T12:00:00Z"
    assert results(_check(credential, WEB, documents={WEB_URL: document})) == [FAIL]
    earlier = {"now": NOW - timedelta(seconds=1)}
    assert results(_check(credential, WEB, documents={WEB_URL: document}, **earlier)) == [PASS]


def test_signature_is_unknown_and_says_what_to_supply_when_the_did_document_is_not_at_hand() -> None:
    credential = signed(badge(issuer=WEB), verification_method=f"{WEB}#key-1")
    (finding,) = _check(credential, WEB)
    assert finding.result is UNKNOWN
    assert WEB_URL in finding.detail


def test_signature_is_unknown_when_the_did_method_or_key_is_not_known_here() -> None:
    for owner in ("did:ion:abc", "did:key:zQ", "did:key:zUC7"):
        method = f"{owner}#{owner.rpartition(':')[2]}"
        (finding,) = _check(signed(badge(issuer=owner), verification_method=method), owner)
        assert finding.result is UNKNOWN


def test_key_of_another_is_not_even_looked_up() -> None:
    source = FakeDocuments()
    document = signed(pair=STRANGER, verification_method=f"{WEB}#key-1")
    assert results(check_proofs(document, tools(source), owner=ISSUER)) == [FAIL]
    assert source.asked == []


def test_signature_of_nobody_named_is_checked_for_itself() -> None:
    assert results(_check(signed(pair=STRANGER), None)) == [PASS]


@pytest.mark.parametrize(
    ("pair", "suite"), [(P256, "eddsa-jcs-2022"), (ED, "ecdsa-jcs-2019"), (SECP256K1, "ecdsa-jcs-2019")]
)
def test_proof_is_not_made_with_a_key_of_another_kind(pair: KeyPair, suite: str) -> None:
    with pytest.raises(ValidationError):
        signed(pair=pair, cryptosuite=suite)


# --- purpose, challenge, domain, expiry ---------------------------------------------------------------------


def test_signature_fails_when_challenge_or_domain_differ() -> None:
    document = signed(purpose="authentication", challenge="c", domain="https://a.example")
    asked = {"purpose": "authentication", "challenge": "c", "domain": "https://a.example"}
    assert results(_check(document, **asked)) == [PASS]
    for name, value in [("challenge", "d"), ("domain", "https://b.example"), ("purpose", "assertionMethod")]:
        assert results(_check(document, **{**asked, name: value})) == [FAIL]
    assert results(_check(signed(purpose="authentication"), **asked)) == [FAIL]


def test_signature_fails_when_the_proof_has_expired() -> None:
    document = signed(expires=NOW)
    assert results(_check(document)) == [FAIL]
    assert results(_check(document, now=NOW - timedelta(seconds=1))) == [PASS]


# --- sets and chains ----------------------------------------------------------------------------------------


def _proof_set() -> dict[str, Any]:
    return signed(signed(), ED, "eddsa-jcs-2022", created=NOW - timedelta(days=1))


def test_every_proof_of_a_set_is_checked() -> None:
    document = _proof_set()
    assert len(document["proof"]) == 2
    assert results(_check(document)) == [PASS, PASS]


def test_set_fails_when_one_of_its_proofs_does() -> None:
    for place in (0, 1):
        document = _proof_set()
        document["proof"][place] = {**document["proof"][place], "proofValue": "z" + "2" * 87}
        findings = _check(document)
        assert sorted(results(findings)) == [FAIL, PASS]
        assert results(findings, CheckName.INTEGRITY) == []


def test_set_is_unknown_when_one_of_its_proofs_is() -> None:
    document = signed()
    document["proof"] = [document["proof"], {"type": "DataIntegrityProof", "cryptosuite": "bbs-2023"}]
    assert results(_check(document)) == [PASS, UNKNOWN]


def test_set_fails_when_a_stranger_adds_a_proof() -> None:
    document = signed(signed(), STRANGER)
    assert results(_check(document)) == [PASS, FAIL]


def test_chain_passes_and_fails_with_its_first_link() -> None:
    document = chained()
    assert results(_check(document)) == [PASS, PASS]
    altered = {**document, "proof": [{**document["proof"][0], "nonce": "n"}, document["proof"][1]]}
    assert results(_check(altered)) == [FAIL, FAIL]
    assert results(_check({**document, "proof": [document["proof"][1]]})) == [FAIL]
    twice = {**document, "proof": [document["proof"][0], *document["proof"]]}
    assert results(_check(twice)) == [PASS, PASS, FAIL]


# --- made and published -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pair", "suite"), [(ED, "eddsa-jcs-2022"), (P256, "ecdsa-jcs-2019"), (P384, "ecdsa-jcs-2019")]
)
def test_what_is_signed_here_is_accepted_here(pair: KeyPair, suite: str) -> None:
    issuer = did_key(pair.public)
    document = signed(badge(issuer=issuer), pair, suite)
    findings = _check(json.loads(json.dumps(document)), issuer)
    assert [finding.result for finding in findings] == [PASS, PASS]
    assert document["proof"]["@context"] == document["@context"]


def test_older_documents_gain_the_context_of_the_proof() -> None:
    old = badge(**{"@context": ["https://www.w3.org/2018/credentials/v1"]})
    document = signed(old)
    assert document["@context"][-1] == "https://w3id.org/security/data-integrity/v2"
    assert results(_check(document)) == [PASS]
    assert signed({"a": 1})["proof"].get("@context") is None


def test_secured_document_has_no_registry_digest_by_jcs() -> None:
    secured = add_proof(badge(), options_of(ED, "eddsa-jcs-2022"), ED.sign, NoCanonicalizer())
    assert secured.rdfc_sha256 is None


def test_unknown_cryptosuite_is_not_created() -> None:
    with pytest.raises(ValidationError):
        signed(cryptosuite="Ed25519Signature2020")


def published(name: str) -> tuple[dict[str, Any], VerificationMethod]:
    """A worked example and the method it names, whose key is in its fragment."""
    document = parse_json((VECTORS / f"{name}.json").read_bytes())
    assert isinstance(document, dict)
    method_id: str = document["proof"]["verificationMethod"]
    controller, _, multikey = method_id.partition("#")
    key = PublicKey.from_multikey(multikey)
    return document, VerificationMethod(method_id, controller, key, frozenset({"assertionMethod"}))


@pytest.mark.parametrize("name", ["eddsa-jcs-2022", "ecdsa-jcs-2019-p256", "ecdsa-jcs-2019-p384"])
def test_published_example_is_accepted_and_refused_when_altered(name: str) -> None:
    document, method = published(name)
    proof = read_proof(proofs_of(document)[0])
    verify_proof(document, proof, method, tools())
    with pytest.raises(BadSignatureError):
        verify_proof({**document, "name": "Another"}, proof, method, tools())


def test_published_example_passes_with_its_issuers_document() -> None:
    document, method = published("eddsa-jcs-2022")
    issuer = document["issuer"]
    controller = {
        "id": issuer,
        "verificationMethod": [
            {
                "id": method.id,
                "type": "Multikey",
                "controller": issuer,
                "publicKeyMultibase": method.key.to_multikey(),
            }
        ],
        "assertionMethod": [method.id],
    }
    source = FakeDocuments({issuer: controller})
    assert results(check_proofs(document, tools(source), owner=issuer)) == [PASS]
    assert source.asked == [issuer]
