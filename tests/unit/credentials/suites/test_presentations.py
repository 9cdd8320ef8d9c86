"""Presentations: whose proof, which challenge, and every credential on its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from registry.credentials.formats.data_model import V2
from registry.credentials.formats.jwt_credentials import VcJoseCredentials, issue_vc_jose
from registry.credentials.formats.presentations import (
    MAX_CREDENTIALS,
    PresentationExamination,
    examine_presentation,
)
from registry.credentials.formats.verifiable_credentials import VerifiableCredentials
from registry.credentials.rdf import ContextStore, RdfCanonicalizer
from registry.credentials.verification_methods import did_key, did_key_method
from registry.verdict.report import CheckName, CheckResult
from tests.unit.credentials.suites.parts import ED, STRANGER, badge, results, signed, tools

FAIL, PASS, SKIPPED = CheckResult.FAIL, CheckResult.PASS, CheckResult.SKIPPED
HOLDER = did_key(STRANGER.public)
ASKED = {"purpose": "authentication", "challenge": "c", "domain": "https://a.example"}


@pytest.fixture(scope="module")
def canonicalizer() -> Iterator[RdfCanonicalizer]:
    with RdfCanonicalizer(ContextStore()) as opened:
        yield opened


def _presentation(**changes: Any) -> dict[str, Any]:
    presentation: dict[str, Any] = {
        "@context": [V2],
        "type": ["VerifiablePresentation"],
        "holder": HOLDER,
        "verifiableCredential": [signed()],
    }
    return presentation | changes


def _examine(presentation: Any, **asked: Any) -> PresentationExamination:
    examiners = [VcJoseCredentials(), VerifiableCredentials()]
    return examine_presentation(presentation, tools(**asked), examiners)


def _signed(presentation: Any, pair: Any = STRANGER, **changes: Any) -> dict[str, Any]:
    options: dict[str, Any] = dict(ASKED) | changes
    return signed(presentation, pair, options.pop("cryptosuite", "eddsa-jcs-2022"), **options)


def test_signature_fails_when_a_challenge_is_asked_for_and_there_is_no_proof() -> None:
    assert results(_examine(_presentation(), **ASKED).findings) == [FAIL]
    assert results(_examine(_presentation()).findings) == [SKIPPED]


@pytest.mark.parametrize(
    "presentation",
    [
        _signed(_presentation(), challenge="d"),
        _signed(_presentation(), domain="https://b.example"),
        _signed(_presentation(), purpose="assertionMethod"),
        _signed(_presentation(), ED),
        _signed(_presentation()) | {"verifiableCredential": []},
        _signed(_presentation()) | {"holder": did_key(ED.public)},
        _signed(_presentation()) | {"proof": []},
    ],
)
def test_signature_fails_when_it_is_not_the_holders_answer(presentation: dict[str, Any]) -> None:
    assert results(_examine(presentation, **ASKED).findings) == [FAIL]


def test_signed_presentation_passes_with_its_credentials() -> None:
    examination = _examine(_signed(_presentation()), **ASKED)
    assert {finding.result for finding in examination.findings} == {PASS}
    assert examination.holder == HOLDER
    assert [item.format for item in examination.credentials] == ["Open Badges 3.0"]
    assert {finding.result for finding in examination.credentials[0].findings} == {PASS}
    named = _signed(_presentation(holder={"id": HOLDER}))
    assert results(_examine(named, **ASKED).findings) == [PASS]


def test_presentation_is_signed_over_rdf_too(canonicalizer: RdfCanonicalizer) -> None:
    presentation = _presentation(
        verifiableCredential=[signed(cryptosuite="eddsa-rdfc-2022", canonicalizer=canonicalizer)]
    )
    document = _signed(presentation, cryptosuite="eddsa-rdfc-2022", canonicalizer=canonicalizer)
    examination = _examine(document, canonicalizer=canonicalizer, **ASKED)
    assert results(examination.findings) == [PASS]
    assert results(examination.credentials[0].findings) == [PASS]
    document["verifiableCredential"][0] = {**document["verifiableCredential"][0], "name": "Astronautics"}
    altered = _examine(document, canonicalizer=canonicalizer, **ASKED)
    assert results(altered.findings) == [FAIL]
    assert results(altered.credentials[0].findings) == [FAIL]


def test_each_credential_is_examined_by_itself() -> None:
    token = issue_vc_jose(badge(), ED.public, did_key_method(ED.public), ED.sign)
    enveloped = {
        "@context": V2,
        "type": "EnvelopedVerifiableCredential",
        "id": f"data:application/vc+jwt,{token}",
    }
    altered = {**signed(), "name": "Astronautics"}
    unreadable = {**enveloped, "id": "data:text/plain,x"}
    entries = [signed(), altered, enveloped, unreadable, {**enveloped, "id": 5}, {}, "text"]
    examination = _examine(_presentation(verifiableCredential=entries))
    signatures = [results(item.findings) for item in examination.credentials]
    assert signatures == [[PASS], [FAIL], [PASS], [], [], [], []]
    for item in examination.credentials[3:]:
        assert results(item.findings, CheckName.FORMAT) == [FAIL]


def test_form_fails_when_there_are_too_many_credentials_or_the_form_is_wrong() -> None:
    many = _examine(_presentation(verifiableCredential=[{}] * (MAX_CREDENTIALS + 1)))
    assert results(many.findings, CheckName.FORMAT) == [FAIL]
    assert many.credentials == ()
    wrong = _examine(_presentation(holder="someone", type="Other"))
    assert results(wrong.findings, CheckName.FORMAT) == [FAIL, FAIL]
    alone = _examine(_presentation(verifiableCredential=signed()))
    assert len(alone.credentials) == 1


def test_examination_is_no_yes_or_no() -> None:
    with pytest.raises(TypeError):
        bool(_examine(_presentation()))
