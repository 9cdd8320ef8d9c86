"""The form of credentials: what the W3C's test suite for the data model 2.0 refuses and accepts, and more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from registry.credentials.findings import Presented
from registry.credentials.formats.data_model import (
    MAX_ENTRIES,
    V1,
    V2,
    credential_faults,
    presentation_faults,
    require_credential,
    require_presentation,
)
from registry.credentials.formats.verifiable_credentials import VerifiableCredentials
from registry.credentials.syntax import is_url
from registry.errors import MAX_FAULTS, ValidationError
from registry.verdict.report import CheckName, CheckResult
from tests.unit.credentials.suites.parts import ISSUER, badge, results, signed, tools

EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"


def _credential(**changes: Any) -> dict[str, Any]:
    credential = badge(type=["VerifiableCredential"], credentialSubject={"id": "did:example:holder"})
    credential.update(changes)
    return credential


def _without(name: str) -> dict[str, Any]:
    return {key: value for key, value in _credential().items() if key != name}


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("no context", _without("@context"), "/@context"),
    ("context null", _credential(**{"@context": None}), "/@context"),
    ("context empty", _credential(**{"@context": []}), "/@context"),
    ("first context another", _credential(**{"@context": [EXAMPLES, V2]}), "/@context"),
    ("first context an object", _credential(**{"@context": [{"@vocab": "https://a/"}, V2]}), "/@context"),
    ("context a number", _credential(**{"@context": [V2, 5]}), "/@context"),
    ("context no url", _credential(**{"@context": [V2, "not a url"]}), "/@context"),
    ("contexts of both models", _credential(**{"@context": [V2, V1]}), "/@context"),
    ("id null", _credential(id=None), "/id"),
    ("id a list", _credential(id=["urn:uuid:1", "urn:uuid:2"]), "/id"),
    ("id no url", _credential(id="not a url"), "/id"),
    ("id relative", _credential(id="credentials/1"), "/id"),
    ("id an object", _credential(id={"@id": "urn:uuid:1"}), "/id"),
    ("no type", _without("type"), "/type"),
    ("type empty", _credential(type=[]), "/type"),
    ("type without the base one", _credential(type=["OpenBadge"]), "/type"),
    ("type a presentation's", _credential(type=["VerifiablePresentation"]), "/type"),
    ("type a number", _credential(type=["VerifiableCredential", 5]), "/type"),
    ("type the empty string", _credential(type=["VerifiableCredential", ""]), "/type"),
    ("no issuer", _without("issuer"), "/issuer"),
    ("issuer null", _credential(issuer=None), "/issuer"),
    ("issuer no url", _credential(issuer="Example University"), "/issuer"),
    ("issuer a list", _credential(issuer=[ISSUER]), "/issuer"),
    ("issuer a number", _credential(issuer=5), "/issuer"),
    ("issuer without id", _credential(issuer={"name": "Example University"}), "/issuer/id"),
    ("issuer's id null", _credential(issuer={"id": None}), "/issuer/id"),
    ("issuer's id no url", _credential(issuer={"id": "not url"}), "/issuer/id"),
    ("issuer's id a list", _credential(issuer={"id": [ISSUER]}), "/issuer/id"),
    ("issuer's name a number", _credential(issuer={"id": ISSUER, "name": 5}), "/issuer/name"),
    ("name with more members", _credential(name={"@value": "a", "extra": 1}), "/name"),
    ("name without value", _credential(name={"@language": "en"}), "/name"),
    ("name with a language of another type", _credential(name={"@value": "a", "@language": 5}), "/name"),
    ("description a number", _credential(description=5), "/description"),
    ("no subject", _without("credentialSubject"), "/credentialSubject"),
    ("subject null", _credential(credentialSubject=None), "/credentialSubject"),
    ("subject a string", _credential(credentialSubject="did:example:holder"), "/credentialSubject"),
    ("subject without claims", _credential(credentialSubject={}), "/credentialSubject"),
    ("no subjects", _credential(credentialSubject=[]), "/credentialSubject"),
    (
        "a subject without claims",
        _credential(credentialSubject=[{"id": "urn:a:1"}, {}]),
        "/credentialSubject/1",
    ),
    ("subject's id a list", _credential(credentialSubject={"id": ["urn:a:1"]}), "/credentialSubject/id"),
    ("subject's id no url", _credential(credentialSubject={"id": "no url"}), "/credentialSubject/id"),
    (
        "too many subjects",
        _credential(credentialSubject=[{"a": 1}] * (MAX_ENTRIES + 1)),
        "/credentialSubject",
    ),
    ("validFrom a date", _credential(validFrom="2026-01-01"), "/validFrom"),
    ("validFrom without offset", _credential(validFrom="2026-01-01T00:00:00"), "/validFrom"),
    ("validFrom in lower case", _credential(validFrom="2026-01-01t00:00:00z"), "/validFrom"),
    ("validFrom impossible", _credential(validFrom="2026-02-30T00:00:00Z"), "/validFrom"),
    ("validFrom a number", _credential(validFrom=5), "/validFrom"),
    ("validFrom null", _credential(validFrom=None), "/validFrom"),
    ("validUntil with a space", _credential(validUntil="2026-01-01 00:00:00Z"), "/validUntil"),
    ("ends before it begins", _credential(validUntil="2025-01-01T00:00:00Z"), "/validUntil"),
    ("status without type", _credential(credentialStatus={"id": "urn:a:1"}), "/credentialStatus/type"),
    ("status null", _credential(credentialStatus=None), "/credentialStatus"),
    ("status a string", _credential(credentialStatus="urn:a:1"), "/credentialStatus"),
    ("status's id no url", _credential(credentialStatus={"type": "A", "id": "x"}), "/credentialStatus/id"),
    (
        "status's id a list",
        _credential(credentialStatus=[{"type": "A"}, {"type": "A", "id": ["urn:a:1"]}]),
        "/credentialStatus/1/id",
    ),
    ("schema without id", _credential(credentialSchema={"type": "JsonSchema"}), "/credentialSchema/id"),
    ("schema without type", _credential(credentialSchema={"id": "urn:a:1"}), "/credentialSchema/type"),
    (
        "schema's type empty",
        _credential(credentialSchema={"id": "urn:a:1", "type": []}),
        "/credentialSchema/type",
    ),
    ("refresh service without type", _credential(refreshService={"id": "urn:a:1"}), "/refreshService/type"),
    ("terms of use without type", _credential(termsOfUse=[{"id": "urn:a:1"}]), "/termsOfUse/0/type"),
    ("evidence without type", _credential(evidence=[{"id": "urn:a:1"}]), "/evidence/0/type"),
    ("evidence a string", _credential(evidence=["urn:a:1"]), "/evidence/0"),
    (
        "related resource without id",
        _credential(relatedResource=[{"digestSRI": "sha256-"}]),
        "/relatedResource/0",
    ),
    ("related resource a string", _credential(relatedResource=["urn:a:1"]), "/relatedResource/0"),
    (
        "related resource without digest",
        _credential(relatedResource=[{"id": "urn:a:1"}]),
        "/relatedResource/0",
    ),
    (
        "related resource twice",
        _credential(relatedResource=[{"id": "urn:a:1", "digestSRI": "sha256-"}] * 2),
        "/relatedResource/1",
    ),
    ("1.1 without issuanceDate", _credential(**{"@context": [V1]}), "/issuanceDate"),
    (
        "1.1 status without id",
        _credential(
            **{"@context": [V1]}, issuanceDate="2026-01-01T00:00:00Z", credentialStatus={"type": "A"}
        ),
        "/credentialStatus/id",
    ),
    (
        "badge without achievement",
        badge(credentialSubject={"id": "did:example:holder"}),
        "/credentialSubject/achievement",
    ),
    ("badge whose subject is a string", badge(credentialSubject="x"), "/credentialSubject"),
    (
        "badge with an achievement by name",
        badge(credentialSubject={"achievement": "Robotics"}),
        "/credentialSubject/achievement",
    ),
    (
        "achievement without id",
        badge(credentialSubject={"achievement": {"name": "Robotics"}}),
        "/credentialSubject/achievement/id",
    ),
]


@pytest.mark.parametrize(("name", "credential", "pointer"), REFUSED, ids=[row[0] for row in REFUSED])
def test_form_fails_and_names_the_place(name: str, credential: dict[str, Any], pointer: str) -> None:
    assert pointer in [fault.pointer for fault in credential_faults(credential)]
    with pytest.raises(ValidationError):
        require_credential(credential)
    findings = VerifiableCredentials().examine(Presented(credential), tools()).findings
    assert set(results(findings, CheckName.FORMAT)) == {CheckResult.FAIL}


ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    ("badge", badge()),
    ("context a string", _credential(**{"@context": V2})),
    ("contexts and an object", _credential(**{"@context": [V2, EXAMPLES, {"a": "https://a.example/#a"}]})),
    ("without id", _without("id")),
    ("id of another scheme", _credential(id="did:example:1")),
    ("type a string", _credential(type="VerifiableCredential")),
    ("issuer a url", _credential(issuer="https://issuer.example/1")),
    ("issuer a data url", _credential(issuer={"id": ISSUER, "image": "data:image/png;base64,AAAA"})),
    ("name in a language", _credential(name={"@value": "Test", "@language": "en", "@direction": "ltr"})),
    ("name in languages", _credential(name=[{"@value": "Test", "@language": "en"}, {"@value": "X"}])),
    ("subjects", _credential(credentialSubject=[{"id": "did:example:1"}, {"name": "someone"}])),
    ("milliseconds", _credential(validFrom="2026-01-01T00:00:00.123Z")),
    ("offset", _credential(validFrom="2026-01-01T00:00:00-05:00")),
    ("no dates", _without("validFrom")),
    ("ends when it begins", _credential(validUntil="2026-01-01T00:00:00Z")),
    ("status without id", _credential(credentialStatus={"type": "BitstringStatusListEntry"})),
    ("statuses", _credential(credentialStatus=[{"type": "A", "id": "urn:a:1"}, {"type": ["B"]}])),
    ("schemas", _credential(credentialSchema=[{"type": "JsonSchema", "id": "https://a.example/s"}])),
    ("evidence", _credential(evidence={"type": ["Evidence"], "id": "https://a.example/e"})),
    ("terms of use", _credential(termsOfUse={"type": "Policy"})),
    ("related", _credential(relatedResource=[{"id": "urn:a:1", "digestMultibase": "uEi"}])),
    ("1.1", _credential(**{"@context": [V1, EXAMPLES]}, issuanceDate="2026-01-01T00:00:00Z")),
]


@pytest.mark.parametrize(("name", "credential"), ACCEPTED, ids=[row[0] for row in ACCEPTED])
def test_form_passes(name: str, credential: dict[str, Any]) -> None:
    assert credential_faults(credential) == ()
    require_credential(credential)


def test_faults_are_few_and_carry_the_given_pointer() -> None:
    credential = _credential(evidence=[{}] * 500, name=5)
    faults = credential_faults(credential, pointer="/credential")
    assert len(faults) == MAX_FAULTS
    assert all((fault.pointer or "").startswith("/credential/") for fault in faults)


@pytest.mark.parametrize(
    "text", ["", "a", "a b:c", "://x", "1a:b", "https://a/ b", 'urn:"', "urn:<a>", "urn:a\n"]
)
def test_text_is_no_url(text: str) -> None:
    assert is_url(text) is False


# --- presentations ------------------------------------------------------------------------------------------


def _presentation(**changes: Any) -> dict[str, Any]:
    presentation: dict[str, Any] = {
        "@context": [V2],
        "type": ["VerifiablePresentation"],
        "holder": "did:example:holder",
        "verifiableCredential": [_credential()],
    }
    presentation.update(changes)
    return presentation


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"@context": [EXAMPLES]}, "/@context"),
        ({"type": "VerifiableCredential"}, "/type"),
        ({"id": "no url"}, "/id"),
        ({"holder": "no url"}, "/holder"),
        ({"holder": {"name": "someone"}}, "/holder"),
        ({"holder": None}, "/holder"),
        ({"verifiableCredential": ["token"]}, "/verifiableCredential/0"),
        ({"verifiableCredential": None}, "/verifiableCredential"),
        ({"termsOfUse": {}}, "/termsOfUse/type"),
    ],
)
def test_presentation_fails_and_names_the_place(change: dict[str, Any], pointer: str) -> None:
    assert pointer in [fault.pointer for fault in presentation_faults(_presentation(**change))]
    with pytest.raises(ValidationError):
        require_presentation(_presentation(**change))


@pytest.mark.parametrize(
    "change", [{}, {"holder": {"id": "did:example:holder"}}, {"verifiableCredential": []}]
)
def test_presentation_passes(change: dict[str, Any]) -> None:
    require_presentation(_presentation(**change))


# --- the examiner -------------------------------------------------------------------------------------------


def test_examiner_recognises_credentials_and_nothing_else() -> None:
    recognises: Callable[[Presented], bool] = VerifiableCredentials().recognises
    proof = {"proof": {"type": "DataIntegrityProof"}}
    assert recognises(Presented({**badge(), **proof}))
    assert recognises(Presented({"@context": V2, "proof": [5]}))
    assert recognises(Presented({"type": "VerifiableCredential", **proof}))
    assert not recognises(Presented(badge()))
    assert not recognises(Presented({**badge(), "proof": {"type": "RootmarkProof/v1"}}))
    for other in (None, {}, {"@context": 5}, {"type": {}}, {"@context": [{}]}, {"type": "Assertion"}):
        assert not recognises(Presented(other))
    assert not recognises(Presented(token="a.b.c"))


@pytest.mark.parametrize(
    ("types", "name"),
    [
        (["VerifiableCredential"], "Verifiable Credential 2.0"),
        (["VerifiableCredential", "OpenBadgeCredential"], "Open Badges 3.0"),
        (["VerifiableCredential", "AchievementCredential"], "Open Badges 3.0"),
        (["VerifiableCredential", "EndorsementCredential"], "Open Badges 3.0 endorsement"),
        (["VerifiableCredential", "ClrCredential"], "Comprehensive Learner Record 2.0"),
    ],
)
def test_examination_tells_format_issuer_and_dates(types: list[str], name: str) -> None:
    examination = VerifiableCredentials().examine(Presented(signed(badge(type=types))), tools())
    assert examination.format == name
    assert examination.issuer == ISSUER
    assert examination.name == "Example University"
    assert examination.validity.valid_from is not None
    assert {finding.result for finding in examination.findings} == {CheckResult.PASS}


def test_examination_of_an_older_credential_says_so() -> None:
    document = {
        "@context": [V1],
        "type": "VerifiableCredential",
        "issuer": {"id": ISSUER, "name": {"@value": "U"}},
    }
    examination = VerifiableCredentials().examine(Presented(document), tools())
    assert examination.format == "Verifiable Credential 1.1"
    assert examination.name == "U"


def test_signature_fails_when_the_credential_has_no_issuer() -> None:
    document = signed(badge(issuer=None))
    findings = VerifiableCredentials().examine(Presented(document), tools()).findings
    assert results(findings) == [CheckResult.FAIL]
