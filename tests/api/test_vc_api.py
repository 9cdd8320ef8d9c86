"""The VC API, held against the cases of the W3C's test suites for the Data Integrity cryptosuites.

Each case bears the sentence that the suite gives it, shortened where that is long; requests and expectations
are the suites': 201 for an issued credential, 200 for one that verifies, 400 or 422 for one that does not.
The proofs that are wrong in one member carry a signature that covers them so, as the suites' generators make
them, so that the member alone can be what is refused.

Sources: `w3c/vc-di-eddsa-test-suite` (tests/suites/data-model.js at 28da4e5, tests/suites/algorithms.js at
769275c, tests/50-jcs-verify.js at 0d83ebf, tests/assertions.js at 1d7155b); `w3c/vc-di-ecdsa-test-suite`
(tests/suites/conformance.js at 03c5770, tests/suites/algorithms-jcs.js at 1771eba, tests/assertions.js at
0b4b149); both run `w3c-ccg/data-integrity-test-suite-assertion` (suites/create.js at 0456288,
suites/verify.js and vc-generator/generators.js at 001e58a). BSD-3-Clause and W3C software licence; no code of
theirs is here.
"""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from registry.credentials.keys import PublicKey
from registry.credentials.verification_methods import did_key, did_key_method
from registry.encoding import parse_base58btc, to_base58btc
from tests.api.conftest import Api
from tests.api.support import JSON, pointers, problem
from tests.api.vc_parts import (
    ABSENT,
    DATA_INTEGRITY,
    MATRIX,
    PAIRS,
    V1,
    accepted,
    credential,
    forged,
    issue,
    issued,
    refused,
    verify,
)

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
HEADERS = {"Ed25519": "z6Mk", "P-256": "zDna", "P-384": "z82L"}
SIZES = {"Ed25519": 64, "P-256": 64, "P-384": 96}
CHALLENGE = "1235abcd6789"

each_suite = pytest.mark.parametrize(("suite", "kind"), MATRIX)


def _altered(document: dict[str, Any], **members: Any) -> dict[str, Any]:
    """The document with its proof changed after it was signed."""
    proof = {**document["proof"], **members}
    return {**document, "proof": {name: value for name, value in proof.items() if value is not ABSENT}}


# --- verify: what MUST raise an error -----------------------------------------------------------------------

AUTHENTICATED = {"proofPurpose": "authentication", "domain": "domain.example", "challenge": CHALLENGE}

# the case, what the signed proof says, what is asked for
FORGED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("proof.type is not DataIntegrityProof", {"type": "UnknownProofType"}, {}),
    ("proof.verificationMethod is missing", {"verificationMethod": ABSENT}, {}),
    ("proof.verificationMethod is invalid", {"verificationMethod": "did:key:invalidVm"}, {}),
    ("proof.proofPurpose is missing", {"proofPurpose": ABSENT}, {}),
    ("proof.proofPurpose is invalid", {"proofPurpose": "invalidPurpose"}, {}),
    ("created MUST be a dateTimeStamp", {"created": "invalidDate"}, {}),
    ("created without an offset", {"created": "2026-01-02T03:04:05"}, {}),
    ("expires without an offset", {"expires": "2026-01-02T03:04:05"}, {}),
    ("expires in the past", {"expires": "2026-01-03T00:00:00Z"}, {}),
    ("cryptosuite MUST identify the suite", {"cryptosuite": "UnknownCryptosuite"}, {}),
    ("cryptosuite MUST be a string", {"cryptosuite": ["eddsa-rdfc-2022"]}, {}),
    ("cryptosuite is missing", {"cryptosuite": ABSENT}, {}),
    ("purpose is not options.expectedProofPurpose", {}, {"expectedProofPurpose": "authentication"}),
    (
        "options.domain does not match proof.domain",
        AUTHENTICATED | {"domain": "invalid-vc-domain.example.com"},
        {"expectedProofPurpose": "authentication", "domain": "domain.example"},
    ),
    (
        "options.challenge does not match proof.challenge",
        AUTHENTICATED | {"challenge": "invalid-challenge"},
        {"expectedProofPurpose": "authentication", "domain": "domain.example", "challenge": CHALLENGE},
    ),
    ("previousProof names no proof", {"previousProof": "urn:uuid:36245ee9-9074-4b05-a777-febff2e69757"}, {}),
    ("another's key", {"verificationMethod": did_key_method(PAIRS["P-256"].public)}, {}),
]


@pytest.mark.parametrize("suite", ["eddsa-rdfc-2022", "eddsa-jcs-2022"])
@pytest.mark.parametrize(("case", "says", "asked"), FORGED, ids=[case for case, _, _ in FORGED])
def test_proof_that_says_something_wrong_does_not_verify(
    api: Api, suite: str, case: str, says: dict[str, Any], asked: dict[str, Any]
) -> None:
    del case
    refused(verify(api, forged(api, credential(), suite, **says), **asked))


def test_proof_made_for_what_is_asked_verifies(api: Api) -> None:
    asked = {"expectedProofPurpose": "authentication", "domain": "domain.example", "challenge": CHALLENGE}
    accepted(verify(api, forged(api, credential(), **AUTHENTICATED), **asked))


@each_suite
def test_proof_of_the_tests_own_key_verifies(api: Api, suite: str, kind: str) -> None:
    accepted(verify(api, forged(api, credential(), suite, kind)))
    accepted(verify(api, forged(api, credential(), suite, kind, created=ABSENT)))


def _longer(value: str) -> str:
    raw = parse_base58btc(value, max_characters=200)
    return to_base58btc(raw + bytes(32))


LATER = {"created": "2099-01-01T00:00:00Z"}
TAMPERED: list[tuple[str, Any]] = [
    ("proof is missing", lambda made: {name: made[name] for name in made if name != "proof"}),
    ("proof is null", lambda made: made | {"proof": None}),
    ("proof is a string", lambda made: made | {"proof": "z"}),
    ("proof is an empty set", lambda made: made | {"proof": []}),
    ("proof.type is missing", lambda made: _altered(made, type=ABSENT)),
    ("proof.type is another", lambda made: _altered(made, type="UnknownProofType")),
    ("proofValue is missing", lambda made: _altered(made, proofValue=ABSENT)),
    ("proofValue is null", lambda made: _altered(made, proofValue=None)),
    ("proofValue has no header", lambda made: _altered(made, proofValue=made["proof"]["proofValue"][1:])),
    ("proofValue in base64url", lambda made: _altered(made, proofValue="u" + "A" * 86)),
    ("proofValue is too long", lambda made: _altered(made, proofValue=_longer(made["proof"]["proofValue"]))),
    ("proofValue is another's", lambda made: _altered(made, proofValue=to_base58btc(bytes(64)))),
    ("cryptosuite is unknown", lambda made: _altered(made, cryptosuite="invalid-cryptosuite")),
    ("created is another", lambda made: _altered(made, created="2020-01-01T00:00:00Z")),
    ("created is missing", lambda made: _altered(made, created=ABSENT)),
    ("expires was added", lambda made: _altered(made, expires="2999-01-01T00:00:00Z")),
    (
        "verificationMethod is another key",
        lambda made: _altered(made, verificationMethod=did_key_method(PAIRS["Ed25519"].public)),
    ),
    ("verificationMethod is missing", lambda made: _altered(made, verificationMethod=ABSENT)),
    ("proofPurpose is another", lambda made: _altered(made, proofPurpose="authentication")),
    ("proofPurpose is missing", lambda made: _altered(made, proofPurpose=ABSENT)),
    ("issuer is another", lambda made: made | {"issuer": did_key(PAIRS["Ed25519"].public)}),
    ("a claim is another", lambda made: made | {"credentialSubject": {"id": "did:example:other"}}),
    ("a claim that no context defines", lambda made: made | {"unknownTerm": "canonizeUnknown"}),
    ("a date was added", lambda made: made | {"validUntil": "2999-01-01T00:00:00Z"}),
    ("a second proof that fails", lambda made: made | {"proof": [made["proof"], made["proof"] | LATER]}),
]


@pytest.fixture(scope="module")
def intact(api: Api) -> dict[tuple[str, str], dict[str, Any]]:
    return {(suite, kind): issued(api, credential(), suite, kind) for suite, kind in MATRIX}


@each_suite
@pytest.mark.parametrize(("case", "change"), TAMPERED, ids=[case for case, _ in TAMPERED])
def test_credential_changed_after_signing_does_not_verify(
    api: Api, intact: dict[tuple[str, str], dict[str, Any]], suite: str, kind: str, case: str, change: Any
) -> None:
    del case
    refused(verify(api, change(copy.deepcopy(intact[suite, kind]))))


@pytest.mark.parametrize(("suite", "other"), [("eddsa-jcs-2022", "eddsa-rdfc-2022")])
def test_proof_of_one_suite_does_not_pass_for_another(
    api: Api, intact: dict[tuple[str, str], dict[str, Any]], suite: str, other: str
) -> None:
    refused(verify(api, _altered(intact[suite, "Ed25519"], cryptosuite=other)))
    refused(verify(api, _altered(intact[other, "Ed25519"], cryptosuite=suite)))


def test_expired_and_future_credentials_do_not_verify(api: Api) -> None:
    for dates in ({"validUntil": "2020-01-01T00:00:00Z"}, {"validFrom": "2999-01-01T00:00:00Z"}):
        found = refused(verify(api, issued(api, credential(**dates))))
        assert [error["code"] for error in found["errors"]] == ["validity"]


def test_status_that_cannot_be_looked_up_is_an_error_unless_it_was_not_asked_for(api: Api) -> None:
    entry = {
        "id": "https://lists.example/1#7",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "7",
        "statusListCredential": "https://lists.example/1",
    }
    document = issued(api, credential(credentialStatus=entry))
    found = accepted(verify(api, document))
    assert any(text.startswith("credentialStatus: ") for text in found["warnings"])
    asked = refused(verify(api, document, checks=["proof", "credentialStatus"]))
    assert [error["code"] for error in asked["errors"]] == ["credentialStatus"]
    refused(api.public.post("/vc/credentials/verify", json={"verifiableCredential": document}))


# --- issue: what is made ------------------------------------------------------------------------------------


@each_suite
def test_issued_proof_has_the_form_that_the_suite_wants_and_verifies(api: Api, suite: str, kind: str) -> None:
    made = issued(api, credential(), suite, kind)
    proof = made["proof"]
    assert proof["type"] == "DataIntegrityProof"
    assert proof["cryptosuite"] == suite
    assert proof["proofPurpose"] == "assertionMethod"
    assert STAMP.fullmatch(proof["created"])
    assert len(parse_base58btc(proof["proofValue"], max_characters=140)) == SIZES[kind]
    multibase = made["issuer"].removeprefix("did:key:")
    assert multibase.startswith(HEADERS[kind])
    assert PublicKey.from_multikey(multibase).kind.value == kind
    assert proof["verificationMethod"] == f"did:key:{multibase}#{multibase}"
    assert {name: made[name] for name in made if name not in ("proof", "issuer")} == credential(issuer=ABSENT)
    found = accepted(verify(api, made))
    assert found["checks"] == ["format", "integrity", "proof"]


def test_issuer_keeps_what_else_it_says_of_itself(api: Api) -> None:
    made = issued(api, credential(issuer={"id": "did:example:issuer", "name": "College"}))
    assert made["issuer"]["name"] == "College"
    assert made["proof"]["verificationMethod"].startswith(made["issuer"]["id"] + "#")


def test_options_stand_in_the_proof(api: Api) -> None:
    options = {"created": "2026-01-02T03:04:05Z", "expires": "2999-01-01T00:00:00Z"}
    options |= {"domain": "domain.example", "challenge": CHALLENGE}
    response = issue(api, credential(), type="DataIntegrityProof", cryptosuite="eddsa-rdfc-2022", **options)
    proof = response.json()["verifiableCredential"]["proof"]
    assert {name: proof[name] for name in options} == options


@each_suite
def test_data_model_1_1_gains_the_context_of_the_proof(api: Api, suite: str, kind: str) -> None:
    document = credential(**{"@context": [V1]}, issuanceDate="2020-03-16T22:37:26.544Z")
    document["credentialSubject"] = {"id": "urn:uuid:1a0e4ef5-091f-4060-842e-18e519ab9440"}
    made = issued(api, document, suite, kind)
    assert made["@context"] == [V1, DATA_INTEGRITY]
    accepted(verify(api, made))
    refused(verify(api, made | {"issuanceDate": "2020-03-16T22:37:26.545Z"}))
    refused(verify(api, made | {"@context": [V1]}))


BAD_ISSUES: list[tuple[str, Any, str]] = [
    ("no credential", {"verifiableCredential": credential()}, "/credential"),
    ("credential is null", {"credential": None}, "/credential"),
    ("credential is a list", {"credential": [credential()]}, "/credential"),
    ("options is a list", {"credential": credential(), "options": []}, "/options"),
    ("unknown member", {"credential": credential(), "option": {}}, "/option"),
    (
        "created is no date",
        {"credential": credential(), "options": {"created": "invalidDate"}},
        "/options/created",
    ),
    ("expires is no date", {"credential": credential(), "options": {"expires": "2026"}}, "/options/expires"),
    (
        "cryptosuite is not the address's",
        {"credential": credential(), "options": {"cryptosuite": "eddsa-jcs-2022"}},
        "/options/cryptosuite",
    ),
    ("type is another", {"credential": credential(), "options": {"type": "JwtProof"}}, "/options/type"),
    (
        "an option that is not known",
        {"credential": credential(), "options": {"mandatoryPointers": ["/issuer"]}},
        "/options/mandatoryPointers",
    ),
    (
        "a credential with a proof",
        {"credential": credential(proof={"type": "DataIntegrityProof"})},
        "/credential/proof",
    ),
]


@pytest.mark.parametrize(("case", "body", "pointer"), BAD_ISSUES, ids=[case for case, _, _ in BAD_ISSUES])
def test_bad_request_to_issue_is_refused_with_its_place(api: Api, case: str, body: Any, pointer: str) -> None:
    del case
    response = api.public.post("/vc/eddsa-rdfc-2022/Ed25519/credentials/issue", json=body)
    assert pointer in pointers(problem(response, 422, "validation"))


@pytest.mark.parametrize(
    "path",
    ["eddsa-rdfc-2022/P-256", "ecdsa-rdfc-2019/Ed25519", "ecdsa-jcs-2019/RSA-2048", "bbs-2023/P-256",
     "Ed25519Signature2020/Ed25519", "jose/RSA-2048", "eddsa-rdfc-2022/ed25519"],
)  # fmt: skip
def test_suite_and_key_that_do_not_go_together_are_not_found(api: Api, path: str) -> None:
    response = api.public.post(f"/vc/{path}/credentials/issue", json={"credential": credential()})
    problem(response, 404, "not-found")


@pytest.mark.parametrize(
    "path", ["eddsa-jcs-2022/Ed25519/credentials/issue", "credentials/verify", "presentations/verify"]
)
def test_body_that_is_not_strict_json_is_refused(api: Api, path: str) -> None:
    send = api.public.post
    twice = b'{"credential": {"id": "urn:a:1", "id": "urn:a:2"}}'
    problem(send(f"/vc/{path}", content=twice, headers=JSON), 400, "malformed-json")
    problem(send(f"/vc/{path}", content=b'{"a": NaN}', headers=JSON), 400, "malformed-json")
    problem(send(f"/vc/{path}", content=b" " * (1 << 20) + b"{}", headers=JSON), 413, "too-large")
    plain = {"Content-Type": "text/plain"}
    problem(send(f"/vc/{path}", content=b"{}", headers=plain), 415, "unsupported-media-type")
    problem(send(f"/vc/{path}?a=b", json={}), 422, "validation")
