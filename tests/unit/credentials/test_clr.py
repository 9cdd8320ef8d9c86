"""Comprehensive Learner Records: what is built, and what is found in the credentials inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from registry.credentials.clr import (
    CLR_CONTEXT,
    MAX_CREDENTIALS,
    OPEN_BADGES_CONTEXT,
    VC_CONTEXT,
    Association,
    Record,
    build_clr,
    examine_nested,
    is_clr,
)
from registry.credentials.findings import Examination, Finding, Presented
from registry.credentials.recipients import parse_recipient, subject_members
from registry.encoding import JsonValue
from registry.errors import UnknownContextError, ValidationError
from registry.ports.documents import RdfHash
from registry.verdict.evidence import Validity
from registry.verdict.report import CheckName, CheckResult, Outcome

NOW = datetime(2026, 11, 25, tzinfo=UTC)
TOKEN = "eyJhbGciOiJFZERTQSJ9.eyJpZCI6MX0.c2ln"
PASSED = Finding(CheckName.SIGNATURE, CheckResult.PASS, "the signature is the issuer's")
FAILED = Finding(CheckName.SIGNATURE, CheckResult.FAIL, "the signature is not the issuer's")
OPEN = Finding(CheckName.STATUS, CheckResult.UNKNOWN, "supply the list")
REVOKED = Finding(CheckName.STATUS, CheckResult.FAIL, "it was revoked", forces=Outcome.REVOKED)
SKIPPED = Finding(CheckName.ANCHOR, CheckResult.SKIPPED, "there is no anchor")


class Contexts:
    """Stands in for a canonicaliser: knows contexts by name alone."""

    def __init__(self, *known: str) -> None:
        self.known = known

    def n_quads(self, document: Mapping[str, JsonValue], rdf_hash: RdfHash = RdfHash.SHA256) -> bytes:
        contexts = document["@context"]
        assert isinstance(contexts, list)
        for context in contexts:
            if context not in self.known:
                raise UnknownContextError(f"the context {context} is not known")
        return b""

    def n_quads_of_many(
        self, documents: Sequence[Mapping[str, JsonValue]], rdf_hash: RdfHash = RdfHash.SHA256
    ) -> list[bytes]:
        return [self.n_quads(document, rdf_hash) for document in documents]


ALL = Contexts(VC_CONTEXT, CLR_CONTEXT, OPEN_BADGES_CONTEXT)


def badge(number: int = 1, **changes: Any) -> dict[str, JsonValue]:
    achievement = {"id": f"urn:uuid:a{number}", "type": ["Achievement"], "name": "Teamwork"}
    return {
        "@context": [VC_CONTEXT, OPEN_BADGES_CONTEXT],
        "id": f"urn:uuid:{number}",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": "did:web:issuer.example",
        "credentialSubject": {"type": ["AchievementSubject"], "achievement": achievement},
        "proof": [{"type": "DataIntegrityProof"}],
        **changes,
    }


RECORD = Record(
    id="urn:uuid:7d2d3a5e-1d0f-4c43-9f6e-0f3a6b9d2c11",
    issuer={"id": "did:web:publisher.example", "type": ["Profile"], "name": "A publisher"},
    subject=subject_members(parse_recipient("ada@example.org"), salt="s"),
    name="Ada's record",
    valid_from=NOW,
    credentials=[Presented(document=badge(1)), Presented(document=badge(2))],
)


# --- building -----------------------------------------------------------------------------------------------


def test_building_fails_without_the_context_and_names_it() -> None:
    with pytest.raises(UnknownContextError, match=CLR_CONTEXT):
        build_clr(RECORD, Contexts(VC_CONTEXT, OPEN_BADGES_CONTEXT))


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"credentials": []}, "/credentials"),
        ({"credentials": [Presented(document=badge())] * (MAX_CREDENTIALS + 1)}, "/credentials"),
        ({"credentials": [Presented(document=badge()), Presented()]}, "/credentials/1"),
        ({"credentials": [Presented(document={"type": "Assertion"})]}, "/credentials/0"),
        ({"credentials": [Presented(document=badge(type=["OpenBadgeCredential"]))]}, "/credentials/0"),
        ({"credentials": [Presented(document=badge(type="VerifiableCredential"))]}, "/credentials/0"),
        ({"credentials": [Presented(token="a,b.c.d")]}, "/credentials/0"),
        ({"subject": {}}, "/subject"),
        ({"associations": [Association("isCousinOf", "urn:uuid:a1", "urn:uuid:a2")]}, "/associations/0"),
        ({"associations": [Association("isPartOf", "urn:uuid:a1", "urn:uuid:a3")]}, "/associations/0"),
        ({"associations": [Association("isPartOf", "urn:uuid:1", "urn:uuid:a1")]}, "/associations/0"),
    ],
)
def test_building_refuses_a_record(changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(ValidationError) as caught:
        build_clr(replace(RECORD, **changes), ALL)
    assert caught.value.faults[0].pointer == pointer


def test_a_record_has_the_form_of_the_standard() -> None:
    assert build_clr(RECORD, ALL) == {
        "@context": [VC_CONTEXT, CLR_CONTEXT, OPEN_BADGES_CONTEXT],
        "id": RECORD.id,
        "type": ["VerifiableCredential", "ClrCredential"],
        "issuer": RECORD.issuer,
        "name": "Ada's record",
        "validFrom": "2026-11-25T00:00:00Z",
        "credentialSubject": {
            **RECORD.subject,
            "type": ["ClrSubject"],
            "verifiableCredential": [badge(1), badge(2)],
        },
    }


def test_a_record_holds_what_is_optional_only_when_it_is_given() -> None:
    own: dict[str, JsonValue] = {"id": "urn:uuid:p", "type": ["Achievement"], "name": "Programme"}
    record = replace(
        RECORD,
        achievements=[own],
        associations=[Association("isParentOf", "urn:uuid:p", "urn:uuid:a2")],
        valid_until=NOW.replace(year=2027),
        description="All of it",
        partial=False,
    )
    built = build_clr(record, ALL)
    subject = built["credentialSubject"]
    assert isinstance(subject, dict)
    assert (built["partial"], built["description"]) == (False, "All of it")
    assert built["validUntil"] == "2027-11-25T00:00:00Z"
    assert subject["achievement"] == [own]
    assert subject["association"] == [
        {
            "type": "Association",
            "associationType": "isParentOf",
            "sourceId": "urn:uuid:p",
            "targetId": "urn:uuid:a2",
        }
    ]


@pytest.mark.parametrize(("token", "media_type"), [(TOKEN, "vc+jwt"), (TOKEN + "~WyJz~", "vc+sd-jwt")])
def test_a_token_is_enveloped_and_comes_out_as_it_was(token: str, media_type: str) -> None:
    built = build_clr(replace(RECORD, credentials=[Presented(token=token)]), ALL)
    subject = built["credentialSubject"]
    assert isinstance(subject, dict)
    assert subject["verifiableCredential"] == [
        {
            "@context": VC_CONTEXT,
            "id": f"data:application/{media_type},{token}",
            "type": "EnvelopedVerifiableCredential",
        }
    ]
    assert shown(built) == [Presented(token=token)]


# --- examining ----------------------------------------------------------------------------------------------


def clr(*entries: Any) -> dict[str, Any]:
    return {"type": ["ClrCredential"], "credentialSubject": {"verifiableCredential": list(entries)}}


def shown(document: Mapping[str, JsonValue]) -> list[Presented]:
    seen: list[Presented] = []

    def examine(presented: Presented) -> Examination:
        seen.append(presented)
        return Examination("a format", (PASSED,))

    examine_nested(document, examine, NOW)
    return seen


def found(examinations: Sequence[Examination]) -> list[tuple[CheckName, Outcome, str]]:
    """What is found in a record whose credentials give these examinations, in order."""
    left = list(examinations)
    document = clr(*(badge(number) for number in range(len(left))))
    nested = examine_nested(document, lambda presented: left.pop(0), NOW)
    assert nested.examinations == tuple(examinations)
    return [(finding.check, finding.outcome, finding.detail) for finding in nested.findings]


def test_each_failure_names_its_credential() -> None:
    assert found(
        [
            Examination("a", (PASSED, FAILED)),
            Examination("b", (PASSED, SKIPPED)),
            Examination("c", (OPEN, REVOKED)),
        ]
    ) == [
        (CheckName.SIGNATURE, Outcome.INVALID, "credential 1 of 3: the signature is not the issuer's"),
        (CheckName.STATUS, Outcome.INDETERMINATE, "credential 3 of 3: supply the list"),
        (CheckName.STATUS, Outcome.REVOKED, "credential 3 of 3: it was revoked"),
    ]


@pytest.mark.parametrize(
    ("validity", "outcome"),
    [
        (Validity(valid_until=NOW), Outcome.EXPIRED),
        (Validity(valid_from=NOW.replace(year=2027)), Outcome.NOT_YET_VALID),
        (Validity(readable=False), Outcome.INDETERMINATE),
    ],
)
def test_the_dates_of_each_credential_count(validity: Validity, outcome: Outcome) -> None:
    findings = found([Examination("a", (PASSED,), validity=validity)])
    assert [(check, result) for check, result, _ in findings] == [(CheckName.VALIDITY, outcome)]


def test_a_record_of_good_credentials_passes_once() -> None:
    good = Examination("a", (PASSED, SKIPPED), validity=Validity(NOW, NOW.replace(year=2027)))
    assert [(check, outcome) for check, outcome, _ in found([good, good])] == [
        (CheckName.FORMAT, Outcome.VALID)
    ]


@pytest.mark.parametrize(
    "entry",
    [
        5,
        None,
        [],
        True,
        {"type": "EnvelopedVerifiableCredential"},
        {"type": ["EnvelopedVerifiableCredential"], "id": "https://example.org/1"},
        {"type": "EnvelopedVerifiableCredential", "id": f"data:text/html,{TOKEN}"},
        {"type": "EnvelopedVerifiableCredential", "id": {}},
    ],
)
def test_an_entry_that_is_no_credential_fails(entry: object) -> None:
    nested = examine_nested(clr(badge(), entry), lambda presented: Examination("a", (PASSED,)), NOW)
    assert [(finding.result, finding.detail) for finding in nested.findings] == [
        (CheckResult.FAIL, "credential 2 of 2 is none")
    ]


def test_too_many_credentials_leave_the_record_open_and_are_not_examined() -> None:
    document = clr(*(badge(number) for number in range(MAX_CREDENTIALS + 1)))
    assert shown(document) == []
    nested = examine_nested(document, lambda presented: Examination("a", (PASSED,)), NOW)
    assert nested.findings[0].outcome is Outcome.INDETERMINATE


@pytest.mark.parametrize("document", [{}, {"credentialSubject": 5}, {"credentialSubject": [{}, "x"]}, clr()])
def test_a_record_without_credentials_says_so(document: dict[str, Any]) -> None:
    nested = examine_nested(document, lambda presented: Examination("a", (FAILED,)), NOW)
    assert [finding.result for finding in nested.findings] == [CheckResult.SKIPPED]
    with pytest.raises(TypeError):
        bool(nested)


def test_entries_are_taken_from_every_subject_and_in_every_form() -> None:
    document: dict[str, Any] = {
        "credentialSubject": [
            {"verifiableCredential": badge(1)},
            {
                "verifiableCredential": [
                    TOKEN,
                    {"type": ["EnvelopedVerifiableCredential"], "id": f"data:application/vc+jwt,{TOKEN}"},
                ]
            },
        ]
    }
    token = Presented(token=TOKEN)
    assert shown(document) == [Presented(document=badge(1)), token, token]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("ClrCredential", True),
        (["VerifiableCredential", "ClrCredential"], True),
        (["Clr"], False),
        (None, False),
    ],
)
def test_a_record_is_told_by_its_type(kind: JsonValue, expected: bool) -> None:
    assert is_clr({"type": kind}) is expected
