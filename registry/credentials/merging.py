"""One report from what a document itself told and what the chain says about it. Pure.

Rules:

- the outcome is the worst of all, in the order of `registry.verdict.report.PRECEDENCE`: what the chain's
  report came to, what each finding forces, and, where the chain has no say, issuer and validity;
- the chain has a say when it knows the credential, when the credential claims a place on it, or when its
  issuer is one of this registry; else the document is judged by what it carries, its anchor ``skipped``;
- a check with several findings shows the worst, and the details of all that are as bad;
- where the document's digest, its place and its anchor passed, a signature or a transaction that could not
  be looked at is ``skipped``, and so is a status list that could not be had and only mirrors the chain that
  was read;
- `valid` wants a known issuer, and a signature or an anchor that passed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from registry.credentials.did_web import account_in_did, is_beside
from registry.credentials.findings import Examination, Finding
from registry.encoding import Digest, format_time
from registry.verdict.evidence import Validity
from registry.verdict.report import (
    PRECEDENCE,
    Check,
    CheckName,
    CheckResult,
    Outcome,
    Report,
    ShownIssuer,
    ShownReading,
    ShownStatus,
    State,
)

_BAD_FIRST = (CheckResult.FAIL, CheckResult.UNKNOWN, CheckResult.PASS, CheckResult.SKIPPED)
_NOTHING = {
    CheckName.FORMAT: "its form was not looked at",
    CheckName.INTEGRITY: "nothing vouches for the whole document",
    CheckName.SIGNATURE: "it carries no signature that was looked at",
    CheckName.INCLUSION: "it claims no place in a batch",
    CheckName.ANCHOR: "it names no anchor, and none is known here",
    CheckName.ISSUER: "it names no issuer",
    CheckName.STATUS: "it names no place where its status is kept",
    CheckName.VALIDITY: "it has no dates",
}
_STATES = {
    Outcome.REVOKED: State.REVOKED,
    Outcome.SUSPENDED: State.SUSPENDED,
    Outcome.WITHDRAWN: State.WITHDRAWN,
}


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a document without a place on the chain is judged by.

    Attributes:
        digest: shown in the report.
        instant: when its dates are looked at.
        known: whether its issuer is one that the verifier knows.
        expected: the issuer that the caller named, if it named one.
        reading: which chain this verifier reads; no block, since none was needed.
        as_of: whether the caller asked about ``instant``, and not about the present.
    """

    digest: Digest
    instant: datetime
    known: bool
    expected: str | None
    reading: ShownReading
    as_of: bool = False


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The first of them in the order of precedence; `valid` for none."""
    return min(outcomes, key=PRECEDENCE.index, default=Outcome.VALID)


def word_that_counts(reports: Sequence[Report], *, has_a_say: bool) -> Report | None:
    """Of what a registry says about a document, by each of its digests: the worst that counts; None where
    nothing does.

    Somebody's word whom nobody here knows counts only where the registry has a say anyway: anyone may anchor
    a copy of another's credential, and revoke that.
    """
    found = [report for report in reports if report.outcome is not Outcome.NOT_FOUND]
    if has_a_say:
        found = found or list(reports[:1])
    else:
        found = [report for report in found if _is_about_somebody_known(report)]
    return min(found, key=lambda report: PRECEDENCE.index(report.outcome), default=None)


def _is_about_somebody_known(report: Report) -> bool:
    """So is one that says that the claim contradicts itself, whoever issued it."""
    known = report.issuer.known or any(other.issuer.known for other in report.candidates)
    return known or report.outcome is Outcome.INVALID


def merge(base: Report, examination: Examination) -> Report:
    """The chain's report about a document, together with what the document told."""
    findings = _beside_the_anchor(base, examination)
    outcome = worst([base.outcome, *(finding.outcome for finding in findings)])
    looked_at = [_unanchored_integrity(base) if c.name is CheckName.INTEGRITY else c for c in base.checks]
    checks = tuple(_merged(check, _of(findings, check.name)) for check in looked_at)
    summary = base.summary
    if outcome is not base.outcome:
        summary = _sentence(outcome, _deciding(findings, outcome)) + _test_chain(base.as_of)
    return replace(
        base,
        outcome=outcome,
        summary=summary,
        issuer=replace(base.issuer, id=examination.issuer),
        checks=checks,
        format=examination.format or None,
    )


def _beside_the_anchor(base: Report, examination: Examination) -> Sequence[Finding]:
    """An anchor that passed covers the whole document: a signature that could not be looked at (its key's
    document is not here), or a transaction elsewhere (no node of its chain is), takes nothing from it, while
    one that fails does. A status list that could not be had takes nothing from the chain's word where it is
    made from that chain."""
    vouching = (CheckName.INTEGRITY, CheckName.INCLUSION, CheckName.ANCHOR)
    if any(base.check(name).result is not CheckResult.PASS for name in vouching):
        return examination.findings
    return [_eased(base, examination.issuer, finding) for finding in examination.findings]


def _eased(base: Report, issuer: str | None, finding: Finding) -> Finding:
    if finding.result is not CheckResult.UNKNOWN:
        return finding
    if finding.check in (CheckName.SIGNATURE, CheckName.ANCHOR) and finding.forces is None:
        why = f"not looked at: {finding.detail}; the anchor vouches for the whole document"
    elif finding.check is CheckName.STATUS and _mirrors_the_chain(base, issuer, finding.missing):
        why = f"{finding.detail}; it says what the chain says, which was read"
    else:
        return finding
    return replace(finding, result=CheckResult.SKIPPED, detail=why)


def _mirrors_the_chain(base: Report, issuer: str | None, address: str | None) -> bool:
    """Whether a list at ``address`` is made from the chain: the account in the issuer's DID anchored the
    document, and the list is of the server whose DID that is. No list of anybody else is passed over."""
    if issuer is None or address is None or base.check(CheckName.STATUS).result is CheckResult.UNKNOWN:
        return False
    account = account_in_did(issuer)
    return account is not None and account == base.issuer.address and is_beside(issuer, address)


def missed_anchor(issuer: str | None, what: str = "this") -> tuple[Finding, ...]:
    """For a document whose place was neither shown nor found. Whoever issues under a DID of a server of this
    kind anchors there and revokes there, so the signature alone does not decide; other issuers need not."""
    if issuer is None or account_in_did(issuer) is None:
        return ()
    detail = (
        f"its issuer anchors what it issues, and {what} was not found on a chain that is read here; its "
        "RootmarkProof, with a node of its chain, would settle it"
    )
    return (Finding(CheckName.ANCHOR, CheckResult.UNKNOWN, detail),)


def _merged(check: Check, findings: Sequence[Finding]) -> Check:
    """The chain's check and the document's findings; the worse result shows."""
    others = [Check(finding.check, finding.result, finding.detail) for finding in findings]
    return _worst_of(check.name, [check, *others])


def _unanchored_integrity(base: Report) -> Check:
    """That a document has the digest computed from it says nothing where no such digest is anchored."""
    detail = "its digest is not anchored here, so that only its own proofs can vouch for it"
    found = base.check(CheckName.INTEGRITY)
    if base.outcome is Outcome.NOT_FOUND and found.result is CheckResult.PASS:
        return Check(CheckName.INTEGRITY, CheckResult.SKIPPED, detail)
    return found


def _worst_of(name: CheckName, checks: Sequence[Check]) -> Check:
    for result in _BAD_FIRST:
        details = [check.detail for check in checks if check.result is result]
        if details:
            return Check(name, result, "; ".join(dict.fromkeys(details)))
    return Check(name, CheckResult.SKIPPED, _NOTHING[name])


def judge_alone(examination: Examination, found: Circumstances) -> Report:
    """The report about a document of which this registry knows nothing."""
    issuer = _issuer_finding(examination, found)
    validity = validity_finding(examination.validity, found.instant)
    findings = (*examination.findings, issuer, validity)
    if not _vouched_for(findings):
        detail = "nothing was found that vouches for it"
        findings = (*findings, Finding(CheckName.SIGNATURE, CheckResult.UNKNOWN, detail))
    outcome = worst(finding.outcome for finding in findings)
    known = found.known and issuer.result is CheckResult.PASS
    return Report(
        outcome=outcome,
        summary=_alone_sentence(outcome, examination, _deciding(findings, outcome), found),
        digest=found.digest,
        issuer=ShownIssuer(None, examination.name if known else None, known, examination.issuer),
        checks=tuple(
            _worst_of(name, [Check(f.check, f.result, f.detail) for f in _of(findings, name)])
            for name in CheckName
        ),
        anchor=None,
        status=ShownStatus(_STATES.get(outcome, _state(findings))),
        as_of=found.reading,
        format=examination.format,
    )


def _of(findings: Iterable[Finding], name: CheckName) -> list[Finding]:
    return [finding for finding in findings if finding.check is name]


def _deciding(findings: Iterable[Finding], outcome: Outcome) -> Finding | None:
    return next((finding for finding in findings if finding.outcome is outcome), None)


def _vouched_for(findings: Iterable[Finding]) -> bool:
    """Whether a signature, or the format's own anchor, passed; or something failed or is open anyway."""
    return any(
        finding.outcome is not Outcome.VALID
        or (finding.result is CheckResult.PASS and finding.check in (CheckName.SIGNATURE, CheckName.ANCHOR))
        for finding in findings
    )


def _state(findings: Iterable[Finding]) -> State:
    results = {finding.result for finding in findings if finding.check is CheckName.STATUS}
    return State.ACTIVE if results == {CheckResult.PASS} else State.UNKNOWN


def _issuer_finding(examination: Examination, found: Circumstances) -> Finding:
    named = examination.issuer
    if named is None:
        return Finding(CheckName.ISSUER, CheckResult.UNKNOWN, "it does not say who issued it")
    if found.expected is not None and found.expected != named:
        return other_issuer(named)
    if found.expected == named:
        return Finding(CheckName.ISSUER, CheckResult.PASS, f"{named} was named by the caller")
    if found.known:
        return Finding(CheckName.ISSUER, CheckResult.PASS, f"{named} is on the trust list")
    return Finding(CheckName.ISSUER, CheckResult.UNKNOWN, f"{named} is not known here")


def other_issuer(named: str | None) -> Finding:
    """The finding about a document whose issuer is not the one that the caller asked about."""
    detail = f"it is by {named or 'nobody that it names'}, and not by the issuer asked about"
    return Finding(CheckName.ISSUER, CheckResult.FAIL, detail, Outcome.NOT_FOUND)


def validity_finding(dates: Validity, instant: datetime) -> Finding:
    """Whether ``instant`` lies within the dates."""
    if not dates.readable:
        return Finding(CheckName.VALIDITY, CheckResult.UNKNOWN, "its validity dates cannot be read")
    if not dates.given:
        return Finding(CheckName.VALIDITY, CheckResult.SKIPPED, _NOTHING[CheckName.VALIDITY])
    if dates.valid_until is not None and instant >= dates.valid_until:
        detail = f"expired since {_time(dates.valid_until)}"
        return Finding(CheckName.VALIDITY, CheckResult.FAIL, detail, Outcome.EXPIRED)
    if dates.valid_from is not None and instant < dates.valid_from:
        detail = f"not valid before {_time(dates.valid_from)}"
        return Finding(CheckName.VALIDITY, CheckResult.FAIL, detail, Outcome.NOT_YET_VALID)
    return Finding(CheckName.VALIDITY, CheckResult.PASS, "within its dates")


def _time(instant: datetime) -> str:
    return format_time(instant.astimezone(UTC).replace(microsecond=0))


_UNKNOWN_ISSUER = "Intact, but by an issuer not known here"


def _alone_sentence(
    outcome: Outcome, examination: Examination, deciding: Finding | None, found: Circumstances
) -> str:
    as_of = f"As of {_time(found.instant)}, by its dates: " if found.as_of else ""
    if outcome is Outcome.VALID:
        who = examination.name if found.known and examination.name else examination.issuer
        what = f"{examination.format} by {who}, intact and in force"
        return f"{as_of}Valid: {what}; {_unanchored(found)}."
    if deciding is not None and deciding.check is CheckName.ISSUER and outcome is Outcome.INDETERMINATE:
        return f"{_UNKNOWN_ISSUER}: {examination.issuer or 'it names none'}."
    return as_of + _sentence(outcome, deciding)


def _unanchored(found: Circumstances) -> str:
    return "no chain was asked" if found.reading.chain_id is None else "not anchored in this registry"


def _sentence(outcome: Outcome, deciding: Finding | None) -> str:
    detail = deciding.detail if deciding is not None else "see the checks"
    if outcome is Outcome.INDETERMINATE:
        return f"Cannot be decided: {detail}."
    return f"{outcome.value.replace('_', ' ').capitalize()}: {detail}."


def _test_chain(reading: ShownReading) -> str:
    return f" The chain, eip155:{reading.chain_id}, is a test chain." if reading.test_chain else ""
