"""From evidence to report: one pure function, the same for server, command line and bundles.

`ruling` decides the outcome; this module says it to people. Total: every `Evidence` gives a `Report`.
Invariant: a report is `valid` only if every check that could fail passed, and what was not checked is named
as skipped.
"""

from __future__ import annotations

from registry.verdict.checks import checks_of
from registry.verdict.evidence import Candidate, Evidence
from registry.verdict.report import (
    Report,
    ShownAnchor,
    ShownCandidate,
    ShownIssuer,
    ShownReading,
    ShownStatus,
    State,
)
from registry.verdict.ruling import Ruling, rule
from registry.verdict.wording import summary_of


def judge(evidence: Evidence) -> Report:
    """Turn evidence into a report. Never raises."""
    ruling, rulings = rule(evidence)
    reading = evidence.reading
    block = reading.block
    return Report(
        outcome=ruling.outcome,
        summary=summary_of(evidence, ruling),
        digest=evidence.digest,
        issuer=_issuer(evidence, ruling),
        checks=checks_of(evidence, ruling),
        anchor=_anchor(evidence, ruling.basis),
        status=_status(evidence, ruling),
        as_of=ShownReading(
            chain_id=reading.chain_id,
            test_chain=reading.test_chain,
            block_number=block.number if block else None,
            block_hash=block.hash if block else None,
            block_time=block.timestamp if block else None,
            source=reading.source,
        ),
        candidates=tuple(
            _candidate(other, member)
            for other in rulings
            for member in evidence.candidates
            if member.issuer == other.issuer
        ),
        later=ruling.basis.later if ruling.basis else (),
        final_block=reading.final_block,
    )


def _shown(candidate: Candidate) -> ShownIssuer:
    known = candidate.known is not None
    return ShownIssuer(candidate.issuer, candidate.name if known else None, known)


def _issuer(evidence: Evidence, ruling: Ruling) -> ShownIssuer:
    if ruling.basis is not None:
        return _shown(ruling.basis)
    return ShownIssuer(evidence.named_issuer, None, known=evidence.named_issuer is not None)


def _anchor(evidence: Evidence, basis: Candidate | None) -> ShownAnchor | None:
    if basis is None or basis.root is None or basis.contested is not None:
        return None
    anchor = basis.latest.anchor or basis.final.anchor
    if anchor is None:
        return None
    block = evidence.reading.block
    return ShownAnchor(
        batch=basis.batch_id,
        root=basis.root,
        index=basis.index,
        transaction=anchor.transaction,
        block_number=anchor.block_number,
        block_hash=anchor.block_hash,
        anchored_at=anchor.at,
        confirmations=max(block.number - anchor.block_number + 1, 0) if block else 0,
        final=basis.final.anchor == anchor,
    )


def _status(evidence: Evidence, ruling: Ruling) -> ShownStatus:
    pending = ruling.basis.pending if ruling.basis else ()
    if ruling.fact is not None:
        fact = ruling.fact
        return ShownStatus(ruling.state, fact.at, fact.reason, fact.actor, fact.transaction, pending)
    unsure = ruling.state is State.ACTIVE and evidence.reading.shortcoming is not None
    return ShownStatus(State.UNKNOWN if unsure else ruling.state, pending=pending)


def _candidate(ruling: Ruling, member: Candidate) -> ShownCandidate:
    anchor = None if member.contested else member.latest.anchor or member.final.anchor
    return ShownCandidate(
        issuer=_shown(member),
        outcome=ruling.outcome,
        batch=member.batch_id,
        root=member.root,
        index=member.index,
        anchored_at=anchor.at if anchor else None,
    )
