"""What the VC API makes of a verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.credentials.findings import Finding
from registry.credentials.vc_api.presenting import PresentationReport
from registry.credentials.vc_api.results import credential_result, presentation_result, refused_result
from registry.encoding import Digest
from registry.errors import Fault, ValidationError
from registry.verdict.report import (
    Check,
    CheckName,
    CheckResult,
    Outcome,
    Report,
    ShownIssuer,
    ShownReading,
    ShownStatus,
    Source,
    State,
)

PASS, FAIL, UNKNOWN, SKIPPED = CheckResult.PASS, CheckResult.FAIL, CheckResult.UNKNOWN, CheckResult.SKIPPED


def _report(outcome: Outcome = Outcome.VALID, **results: CheckResult) -> Report:
    """A report about a signed credential, with checks that came out otherwise."""
    usual = {"format": PASS, "integrity": PASS, "signature": PASS}
    return Report(
        outcome=outcome,
        summary="What it came to.",
        digest=Digest(bytes(32)),
        issuer=ShownIssuer(None, None, False, "did:example:issuer"),
        checks=tuple(
            Check(name, (usual | results).get(name.value, SKIPPED), f"about the {name.value}")
            for name in CheckName
        ),
        anchor=None,
        status=ShownStatus(State.UNKNOWN),
        as_of=ShownReading(31337, True, None, None, None, Source.INDEX),
        format="Verifiable Credential 2.0",
    )


def _codes(report: Report, asked: list[str] | None = None) -> list[str]:
    return [fault.code for fault in credential_result(report, asked).errors]


@pytest.mark.parametrize("name", [name for name in CheckName if name is not CheckName.ISSUER])
def test_whatever_failed_is_an_error(name: CheckName) -> None:
    codes = _codes(_report(Outcome.INVALID, **{name.value: FAIL}))
    assert codes == [{"signature": "proof", "status": "credentialStatus"}.get(name.value, name.value)]


@pytest.mark.parametrize("name", ["format", "integrity", "signature", "status", "validity"])
def test_whatever_could_not_be_looked_at_is_an_error(name: str) -> None:
    assert len(_codes(_report(Outcome.INDETERMINATE, **{name: UNKNOWN}))) == 1


@pytest.mark.parametrize("name", ["issuer", "anchor", "inclusion"])
def test_beside_a_signature_that_passed_doubts_about_issuer_and_anchor_are_warnings(name: str) -> None:
    report = _report(Outcome.INDETERMINATE, **{name: UNKNOWN})
    assert credential_result(report, None).warnings == (f"{name}: about the {name}",)
    assert _codes(report) == []
    assert _codes(_report(Outcome.INDETERMINATE, signature=SKIPPED, **{name: UNKNOWN})) == [name]


def test_status_is_a_warning_only_where_it_was_not_asked_for() -> None:
    report = _report(Outcome.INDETERMINATE, status=UNKNOWN)
    assert [_codes(report, asked) for asked in (["proof"], [])] == [[], []]
    for asked in (None, ["status"], ["proof", "credentialStatus"]):
        assert _codes(report, asked) == ["credentialStatus"]
    assert _codes(_report(Outcome.REVOKED, status=FAIL), ["proof"]) == ["credentialStatus"]


def test_anchor_that_is_not_final_is_a_warning_beside_a_signature_alone() -> None:
    assert credential_result(_report(Outcome.PENDING), None).warnings == (
        "anchor: what anchors it is not final yet",
    )
    assert _codes(_report(Outcome.PENDING, signature=SKIPPED)) == ["pending"]


@pytest.mark.parametrize("outcome", [Outcome.NOT_FOUND, Outcome.WITHDRAWN, Outcome.NOT_YET_VALID])
def test_outcome_without_a_failed_check_is_an_error_too(outcome: Outcome) -> None:
    assert _codes(_report(outcome)) == [outcome.value.replace("_", "-")]


def test_what_carries_no_proof_does_not_verify_whatever_the_registry_says() -> None:
    assert _codes(replace(_report(signature=SKIPPED), format=None)) == ["proof"]


def test_nothing_to_look_at_is_an_error_that_says_why() -> None:
    found = refused_result(ValidationError("no", faults=[Fault("id-missing", "it has no id.", "/id")]))
    assert [fault.code for fault in found.errors] == ["proof"]
    assert found.errors[0].detail.endswith(": it has no id")
    assert refused_result(ValidationError("nothing known.")).errors[0].detail.endswith(": nothing known")


def test_presentation_has_the_errors_of_what_is_in_it_and_a_result_has_no_truth_value() -> None:
    signed = (Finding(CheckName.SIGNATURE, PASS, "signed"),)
    report = PresentationReport(None, signed, (_report(), _report(Outcome.INVALID, signature=FAIL)))
    result = presentation_result(report, None, challenged=True)
    assert [fault.pointer for fault in result.errors] == ["/verifiablePresentation/verifiableCredential/1"]
    assert result.warnings == ()
    assert len(presentation_result(report, None, challenged=False).warnings) == 1
    doubtful = replace(report, findings=(Finding(CheckName.SIGNATURE, UNKNOWN, "no key"),), credentials=())
    assert [fault.code for fault in presentation_result(doubtful, None, challenged=True).errors] == ["proof"]
    for thing in (result, report):
        with pytest.raises(TypeError):
            bool(thing)
