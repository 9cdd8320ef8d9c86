"""What the VC API answers about a verification, from the verdict that every other way of asking gets too.
Pure.

This API asks whether a credential verifies, not whether its issuer is one to believe. So beside a signature
of the issuer's that passed, an issuer who is not known here is a warning, and so is an anchor that could not
be looked at or is not final yet. Invariants: whatever failed is an error; whatever else could not be looked
at is one too, except a status that the caller did not ask for, which is a warning; what carries no proof does
not verify, since whoever anchored it need not be the issuer that it names.

Source: VC API 0.7 (W3C Credentials Community Group), sections "Verify Credential" and "Verify Presentation".
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import NoReturn

from registry.credentials.findings import Finding
from registry.credentials.vc_api.presenting import PresentationReport
from registry.errors import MAX_FAULTS, Fault, MalformedInputError
from registry.verdict.report import Check, CheckName, CheckResult, Outcome, Report

_NAMES = {CheckName.SIGNATURE: "proof", CheckName.STATUS: "credentialStatus"}
"""Where the VC API calls a check otherwise."""

STATUS_CHECKS = frozenset(("credentialStatus", "status"))
_NO_CHALLENGE = "no challenge was asked for: the presentation may be another one's, replayed"


@dataclass(frozen=True, slots=True)
class VcResult:
    """What was found.

    Attributes:
        checks: what was looked at and is in order.
        warnings: sentences about what did not decide.
        errors: why it does not verify; none: it does. Pointers into the request.
    """

    checks: tuple[str, ...]
    warnings: tuple[str, ...]
    errors: tuple[Fault, ...]

    def __bool__(self) -> NoReturn:
        raise TypeError("a result has no truth value; look at its errors")


def credential_result(
    report: Report, asked: Collection[str] | None, pointer: str = "/verifiableCredential"
) -> VcResult:
    """The result for one credential.

    Args:
        asked: the checks that the caller wants; None, all that there are.
        pointer: the credential's place in the request.
    """
    wants_status = asked is None or not STATUS_CHECKS.isdisjoint(asked)
    signed = report.check(CheckName.SIGNATURE).result is CheckResult.PASS
    errors = [_fault(check, pointer) for check in report.checks if check.result is CheckResult.FAIL]
    if report.format is None and not errors:
        errors.append(Fault("proof", "it carries no proof, whoever may have anchored it", pointer))
    warnings: list[str] = []
    for check in (check for check in report.checks if check.result is CheckResult.UNKNOWN):
        told_already = bool(errors) and check.name is CheckName.ISSUER
        if told_already or _decides_nothing(check, wants_status, signed):
            warnings.append(f"{_name(check.name)}: {check.detail}")
        else:
            errors.append(_fault(check, pointer))
    if report.outcome is Outcome.PENDING and signed:
        warnings.append("anchor: what anchors it is not final yet")
    elif report.outcome not in (Outcome.VALID, Outcome.INDETERMINATE) and not errors:
        errors.append(Fault(report.outcome.value.replace("_", "-"), report.summary.rstrip("."), pointer))
    passed = tuple(_name(check.name) for check in report.checks if check.result is CheckResult.PASS)
    return VcResult(passed, tuple(warnings), tuple(errors[:MAX_FAULTS]))


def refused_result(error: MalformedInputError, pointer: str = "/verifiableCredential") -> VcResult:
    """The result for a credential that carries nothing to look at, and about which no registry can be asked
    either."""
    why = error.faults[0].detail if error.faults else str(error)
    detail = f"nothing in it can be verified, and no registry be asked about it: {why.rstrip('.')}"
    return VcResult((), (), (Fault("proof", detail, pointer),))


def presentation_result(
    report: PresentationReport, asked: Collection[str] | None, *, challenged: bool
) -> VcResult:
    """The result for a presentation and all that is in it.

    Args:
        asked: as in `credential_result`.
        challenged: whether its proof had to answer a challenge.
    """
    place = "/verifiablePresentation"
    results = [_of_finding(finding, place) for finding in report.findings]
    for index, found in enumerate(report.credentials):
        pointer = f"{place}/verifiableCredential/{index}"
        if isinstance(found, MalformedInputError):
            results.append(refused_result(found, pointer))
            continue
        one = credential_result(found, asked, pointer)
        results.append(VcResult((), tuple(f"{pointer}: {text}" for text in one.warnings), one.errors))
    signed = any(
        finding.check is CheckName.SIGNATURE and finding.result is CheckResult.PASS
        for finding in report.findings
    )
    replayable = (_NO_CHALLENGE,) if signed and not challenged else ()
    return VcResult(
        tuple(dict.fromkeys(name for one in results for name in one.checks)),
        (*(text for one in results for text in one.warnings), *replayable),
        tuple(fault for one in results for fault in one.errors)[:MAX_FAULTS],
    )


def _decides_nothing(check: Check, wants_status: bool, signed: bool) -> bool:
    if check.name is CheckName.STATUS:
        return not wants_status
    return signed and check.name in (CheckName.ANCHOR, CheckName.INCLUSION, CheckName.ISSUER)


def _of_finding(finding: Finding, pointer: str) -> VcResult:
    name = _name(finding.check)
    if finding.result is CheckResult.PASS:
        return VcResult((name,), (), ())
    if finding.result is CheckResult.SKIPPED:
        return VcResult((), (f"{name}: {finding.detail}",), ())
    return VcResult((), (), (Fault(name, finding.detail, pointer),))


def _fault(check: Check, pointer: str) -> Fault:
    return Fault(_name(check.name), check.detail, pointer)


def _name(name: CheckName) -> str:
    return _NAMES.get(name, name.value)
