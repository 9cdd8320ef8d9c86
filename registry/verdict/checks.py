"""The named checks of a report: what was looked at, with which result, in a sentence. Pure.

The outcome is decided by `ruling`; the checks say how it came about. They agree with it: `valid` has no
check that failed or is unknown, `invalid` has one that failed.
"""

from __future__ import annotations

from registry.encoding import AccountId, ChainId
from registry.verdict.evidence import DocumentCheck, Evidence, Inclusion, Known
from registry.verdict.report import Check, CheckName, CheckResult, Outcome, State
from registry.verdict.ruling import UNKNOWN_ISSUER, UNREADABLE_DATES, UNVERIFIABLE, Ruling
from registry.verdict.wording import (
    MISMATCH,
    day,
    distrust_text,
    issuer_text,
    key_text,
    reason_text,
    validity_text,
)

_Finding = tuple[CheckResult, str]

PASS, FAIL, UNKNOWN, SKIPPED = (
    CheckResult.PASS,
    CheckResult.FAIL,
    CheckResult.UNKNOWN,
    CheckResult.SKIPPED,
)
_NOTHING = (SKIPPED, "there is nothing on chain to check this on")


def checks_of(evidence: Evidence, ruling: Ruling) -> tuple[Check, ...]:
    """All checks, in their order."""
    findings: dict[CheckName, _Finding] = {
        CheckName.FORMAT: (PASS, "what was shown is well-formed"),
        CheckName.INTEGRITY: _integrity(evidence, ruling),
        CheckName.SIGNATURE: (SKIPPED, "no signature inside the document was looked at"),
        CheckName.INCLUSION: _inclusion(evidence, ruling),
    }
    if ruling.outcome is Outcome.INVALID:
        later = (SKIPPED, "not looked at, since the claim itself does not hold")
        findings |= dict.fromkeys(
            (CheckName.ANCHOR, CheckName.ISSUER, CheckName.STATUS, CheckName.VALIDITY), later
        )
    else:
        findings[CheckName.ANCHOR] = _anchor(evidence, ruling)
        findings[CheckName.ISSUER] = _issuer(evidence, ruling)
        findings[CheckName.STATUS] = _status(evidence, ruling)
        findings[CheckName.VALIDITY] = _validity(ruling)
    return tuple(Check(name, *findings[name]) for name in CheckName)


def _integrity(evidence: Evidence, ruling: Ruling) -> _Finding:
    if evidence.document is DocumentCheck.NOT_SHOWN:
        return SKIPPED, "no document was shown, only a digest"
    if evidence.document is DocumentCheck.MISMATCH:
        return FAIL, MISMATCH
    if ruling.unverifiable or evidence.document is DocumentCheck.UNCHECKABLE:
        return UNKNOWN, UNVERIFIABLE
    method = evidence.method.value if evidence.method else "its method"
    return PASS, f"the document has this digest ({method})"


def _inclusion(evidence: Evidence, ruling: Ruling) -> _Finding:
    match evidence.inclusion:
        case Inclusion.FAILED:
            return FAIL, evidence.inclusion_detail
        case Inclusion.PROVED:
            return PASS, "the proof leads from the digest to the root"
        case Inclusion.RECORDED if ruling.basis is not None and ruling.basis.root is not None:
            place = f"entry {ruling.basis.index} of {ruling.basis.size}"
            return PASS, f"recorded here as {place}, recomputed when the batch was sealed"
        case Inclusion.RECORDED:
            return SKIPPED, "there is no sealed batch to look in"
        case _:
            return SKIPPED, "no proof was shown, and no record of the digest is here"


def _anchor(evidence: Evidence, ruling: Ruling) -> _Finding:
    reading, basis = evidence.reading, ruling.basis
    here = f"eip155:{reading.chain_id}"
    if basis is not None and basis.contested is not None:
        return UNKNOWN, basis.contested
    if basis is None and ruling.doubts:
        return UNKNOWN, ruling.doubts[0]
    if reading.shortcoming is not None:
        return UNKNOWN, reading.shortcoming
    anchor = (basis.latest.anchor or basis.final.anchor) if basis else None
    if basis is None or anchor is None:
        if basis is not None and ruling.outcome is not Outcome.NOT_FOUND:
            return UNKNOWN, "accepted here, and not anchored yet"
        return FAIL, f"not anchored on {here}{_hint(evidence)}"
    where = f"in block {anchor.block_number} of {here}, on {day(anchor.at)}"
    if basis.final.anchor is None:
        return UNKNOWN, f"anchored {where}; not final yet"
    return PASS, f"anchored {where}{_hint(evidence)}"


def _hint(evidence: Evidence) -> str:
    reading = evidence.reading
    own = AccountId(ChainId(reading.chain_id), reading.registry)
    if evidence.hint in (None, own):
        return ""
    return f"; the proof names the registry {evidence.hint}, which was not looked at, only {own}"


def _issuer(evidence: Evidence, ruling: Ruling) -> _Finding:
    basis = ruling.basis
    if basis is None:
        if evidence.named_issuer is not None and evidence.candidates:
            return FAIL, "what was shown is another issuer's than the one asked about"
        return SKIPPED, "no single issuer to check"
    if ruling.view is not None and ruling.view.distrusted:
        return FAIL, distrust_text(ruling)
    if basis.known is None:
        return UNKNOWN, UNKNOWN_ISSUER if basis.anchored else "the issuer is not known here"
    if basis.known is Known.CALLER:
        return PASS, f"{issuer_text(basis)} was named by the caller; {key_text(basis)}"
    return PASS, f"{issuer_text(basis)} is {basis.known.value}; {key_text(basis)}"


_STATUS_WORDS = {
    State.WITHDRAWN: "the batch was withdrawn",
    State.REVOKED: "revoked",
    State.SUSPENDED: "suspended",
}


def _status(evidence: Evidence, ruling: Ruling) -> _Finding:
    if ruling.fact is not None:
        if ruling.view is not None and ruling.view.distrusted:
            return FAIL, "its anchor does not count, since its key was not valid then"
        what = _STATUS_WORDS[ruling.state]
        return FAIL, f"{what} on {day(ruling.fact.at)}, reason: {reason_text(ruling.fact.reason)}"
    if ruling.state is State.NOT_ANCHORED:
        return _NOTHING
    if ruling.state is State.UNKNOWN:
        return UNKNOWN, ruling.doubts[0]
    if evidence.reading.shortcoming is not None:
        return UNKNOWN, evidence.reading.shortcoming
    return PASS, "neither revoked nor suspended nor withdrawn"


def _validity(ruling: Ruling) -> _Finding:
    if not ruling.dates.readable:
        return UNKNOWN, UNREADABLE_DATES
    if not ruling.dates.given:
        return SKIPPED, "the credential's dates are not known here, or it has none"
    failed = ruling.outcome in (Outcome.EXPIRED, Outcome.NOT_YET_VALID)
    return FAIL if failed else PASS, validity_text(ruling)
