"""Presentations through the VC API, held against the cases of the W3C's test suite for the data model 2.0.

Cases bear the names of the suite's input files, as in `test_vc_data_model`, and are signed as its generator
signs them. `presentation-context-combo2-ok` is refused here: its context is written out in it.

Source: `w3c/vc-data-model-2.0-test-suite` (tests/4.13-verifiable-presentations.js and data-generator.js at
1b02509, 4.03-contexts.js at 3e85854, 4.05-types.js at bb60768), and, for challenge and domain,
`w3c-ccg/data-integrity-test-suite-assertion` (suites/verify.js at 001e58a). W3C 3-clause BSD or test suite
licence, and BSD-3-Clause; no code of theirs is here.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from registry.credentials.verification_methods import did_key
from tests.api.conftest import Api
from tests.api.vc_parts import (
    ABSENT,
    DATA_INTEGRITY,
    EXAMPLES,
    PAIRS,
    V1,
    V2,
    accepted,
    credential,
    forged,
    issued,
    refused,
    verify_presentation,
    without,
)

SUBJECT = "did:example:subject"
HOLDER = did_key(PAIRS["Ed25519"].public)
CHALLENGE, DOMAIN = "u6YHuVtZDTNCmrhUi8g6gcw", "github.com/w3c/vc-data-model-2.0-test-suite"
ANSWERING = {"proofPurpose": "authentication", "challenge": CHALLENGE, "domain": DOMAIN}


def _presentation(**changes: Any) -> dict[str, Any]:
    made = {"@context": [V2], "type": ["VerifiablePresentation"], "holder": HOLDER}
    return without(made | changes)


def _signed(api: Api, document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return forged(api, document, **(ANSWERING | changes))


@pytest.fixture(scope="module")
def contents(api: Api) -> list[dict[str, Any]]:
    """A credential of each way of securing."""
    return [
        issued(api, credential()),
        issued(api, credential(), "eddsa-jcs-2022"),
        issued(api, credential(), "jose", "P-256"),
    ]


PRESENTATIONS: list[tuple[str, dict[str, Any]]] = [
    ("presentation-ok", {}),
    ("presentation-id-ok", {"id": "urn:uuid:313801ba-24b7-11ee-be02-ff560265cf9b"}),
    (
        "presentation-optional-type-ok",
        {"@context": [V2, EXAMPLES], "type": ["VerifiablePresentation", "ExamplePresentation"]},
    ),
    ("presentation-context-combo1-ok", {"@context": [V2, EXAMPLES]}),
    ("presentation-holder-ok", {"holder": HOLDER}),
    ("presentation-holder-object-ok", {"holder": {"id": HOLDER}}),
    ("presentation without a holder-ok", {"holder": ABSENT}),
    ("presentation-holder-object-fail", {"holder": {"name": "Ada"}}),
    ("presentation-id-not-url-fail", {"id": "not a url"}),
    ("presentation-no-type-fail", {"type": ABSENT}),
    ("presentation-missing-required-type-fail", {"type": ["ExamplePresentation"]}),
    ("presentation-context-order-fail", {"@context": [EXAMPLES, V2]}),
    ("presentation-missing-base-context-fail", {"@context": [EXAMPLES]}),
    ("presentation-vc-as-string-fail", {"verifiableCredential": ["https://a.example/credentials/1"]}),
    ("presentation-vc-missing-required-type-fail", {"verifiableCredential": [credential(type=ABSENT)]}),
    ("holder is another's DID fail", {"holder": "did:example:acme"}),
]


@pytest.mark.parametrize(("case", "changes"), PRESENTATIONS, ids=[case for case, _ in PRESENTATIONS])
def test_verifier_of_presentations_refuses_and_accepts_as_the_suite_wants(
    api: Api, case: str, changes: dict[str, Any]
) -> None:
    response = verify_presentation(api, _signed(api, _presentation(**changes)))
    if case.endswith("-ok"):
        found = accepted(response)
        assert found["checks"] == ["proof", "integrity"]
        assert any("no challenge was asked for" in text for text in found["warnings"])
    else:
        refused(response)


@pytest.mark.parametrize(
    "context", ["https://example.com", "https ://not-a-url/contexts/example/v1", 123192875]
)
def test_context_put_into_a_signed_presentation_is_refused(api: Api, context: Any) -> None:
    presentation = _signed(api, _presentation(**{"@context": [V2, EXAMPLES]}))
    presentation["@context"][1] = context
    refused(verify_presentation(api, presentation))


def test_presentation_verifies_for_its_challenge_and_domain(api: Api, contents: list[Any]) -> None:
    presentation = _signed(api, _presentation(verifiableCredential=contents))
    found = accepted(verify_presentation(api, presentation, challenge=CHALLENGE, domain=DOMAIN))
    assert len(found["warnings"]) == len(contents)  # their issuers are not known here
    accepted(verify_presentation(api, presentation, challenge=CHALLENGE))


@pytest.mark.parametrize(
    ("says", "asked"),
    [
        ({"challenge": "another"}, {"challenge": CHALLENGE}),
        ({"challenge": ABSENT}, {"challenge": CHALLENGE}),
        ({"domain": "another.example"}, {"domain": DOMAIN}),
        ({"domain": ABSENT}, {"challenge": CHALLENGE, "domain": DOMAIN}),
        ({"proofPurpose": "assertionMethod"}, {"challenge": CHALLENGE, "domain": DOMAIN}),
        ({}, {"expectedProofPurpose": "assertionMethod"}),
        ({"created": "invalidDate"}, {}),
        ({"expires": "2026-01-03T00:00:00Z"}, {}),
    ],
)
def test_presentation_for_another_challenge_domain_or_purpose_is_refused(
    api: Api, says: dict[str, Any], asked: dict[str, Any]
) -> None:
    refused(verify_presentation(api, _signed(api, _presentation(), **says), **asked))


def test_unsigned_presentation_verifies_only_while_no_challenge_is_asked_for(
    api: Api, contents: list[Any]
) -> None:
    presentation = _presentation(verifiableCredential=contents)
    found = accepted(verify_presentation(api, presentation))
    assert "proof: the presentation is not signed" in found["warnings"]
    for asked in ({"challenge": CHALLENGE}, {"domain": DOMAIN}):
        refused(verify_presentation(api, presentation, **asked))


def test_presentation_with_a_credential_that_does_not_verify_is_refused(
    api: Api, contents: list[Any]
) -> None:
    changed = copy.deepcopy(contents)
    changed[1]["credentialSubject"]["name"] = "Another"
    found = refused(verify_presentation(api, _signed(api, _presentation(verifiableCredential=changed))))
    assert [error["pointer"] for error in found["errors"]] == [
        "/verifiablePresentation/verifiableCredential/1"
    ]
    unsecured = _signed(api, _presentation(verifiableCredential=[credential(issuer=HOLDER)]))
    refused(verify_presentation(api, unsecured))


def test_presentation_changed_after_signing_is_refused(api: Api, contents: list[Any]) -> None:
    presentation = _signed(api, _presentation(verifiableCredential=contents[:1]))
    for change in ({"verifiableCredential": contents[1:2]}, {"holder": ABSENT}, {"id": "urn:uuid:1"}):
        refused(verify_presentation(api, without(presentation | change)))


def test_presentation_of_data_model_1_1_verifies(api: Api) -> None:
    document = credential(**{"@context": [V1]}, issuanceDate="2020-03-16T22:37:26.544Z")
    document["credentialSubject"] = {"id": SUBJECT}
    presentation = _presentation(
        **{"@context": [V1, DATA_INTEGRITY]}, verifiableCredential=[issued(api, document)]
    )
    accepted(verify_presentation(api, _signed(api, presentation), challenge=CHALLENGE, domain=DOMAIN))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"verifiablePresentation": "eyJ"},
        {"verifiablePresentation": {}, "options": {"challenge": 7}},
        {"verifiablePresentation": {}, "options": {"unknown": True}},
        {"verifiablePresentation": {}},
        {"verifiableCredential": {}},
    ],
)
def test_bad_request_to_verify_is_refused(api: Api, body: dict[str, Any]) -> None:
    refused(api.public.post("/vc/presentations/verify", json=body))
    refused(api.public.post("/vc/credentials/verify", json=body))


def test_presentation_of_too_many_credentials_is_refused(api: Api) -> None:
    found = refused(verify_presentation(api, _presentation(verifiableCredential=[credential()] * 101)))
    assert "at most 100" in found["detail"]
