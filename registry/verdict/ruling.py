"""From the entries of one issuer to an outcome. Pure: no I/O, total: every evidence gives a ruling.

Rules, for one issuer (docs/verdicts.md, "Order"):

- the worse of the latest and the final view counts, over all of the issuer's entries that the chain has:
  withdrawn (or anchored by a key no longer valid then), then revoked, then suspended;
- an anchor counts once it is final; while no entry has a final one the outcome is `pending` at best;
- entries that the chain does not have decide nothing as long as there is one that it has;
- what is contested is no evidence: then the outcome is `indeterminate`, whatever the views say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from registry.encoding import Address
from registry.verdict.evidence import (
    NO_DATES,
    Candidate,
    DocumentCheck,
    Evidence,
    Inclusion,
    Reading,
    Validity,
)
from registry.verdict.report import Outcome, State
from registry.verdict.state import StatusFact
from registry.verdict.views import EntryView


@dataclass(frozen=True, slots=True)
class Ruling:
    """The outcome and what it rests on.

    Attributes:
        issuer: whose entries these are; None when there are none, or several issuers disagree.
        basis: the entry that decided, or the best one; None when there is none.
        state: on chain; ``fact`` is the event behind it and ``view`` the view that it was found in.
        doubts: why it is not `valid`, where the outcome is `indeterminate`; the first one says most.
        dates: the validity dates that were looked at.
        unverifiable: a document was shown that nobody can hold against the digest.
    """

    outcome: Outcome
    issuer: Address | None = None
    basis: Candidate | None = None
    state: State = State.UNKNOWN
    fact: StatusFact | None = None
    view: EntryView | None = None
    doubts: tuple[str, ...] = ()
    dates: Validity = NO_DATES
    unverifiable: bool = False


UNKNOWN_ISSUER = "intact, but by an issuer not known here"
SEVERAL_ISSUERS = "several issuers have entries with this digest and differ; name the issuer"
UNVERIFIABLE = "the issuer gave only an opaque digest, so nobody can tell whether the document has it"
UNREADABLE_DATES = "the credential's validity dates cannot be read"


def is_invalid(evidence: Evidence) -> bool:
    """Whether the claim contradicts itself, whatever the chain says."""
    return evidence.document is DocumentCheck.MISMATCH or evidence.inclusion is Inclusion.FAILED


def rule(evidence: Evidence) -> tuple[Ruling, tuple[Ruling, ...]]:
    """Judge the claim.

    Returns:
        The ruling, and those of each issuer when there are several.
    """
    if is_invalid(evidence):
        return Ruling(Outcome.INVALID), ()
    groups: dict[Address, list[Candidate]] = {}
    for candidate in sorted(evidence.candidates, key=_preference):
        if evidence.named_issuer in (None, candidate.issuer):
            groups.setdefault(candidate.issuer, []).append(candidate)
    if not groups:
        return _absent(evidence.reading, None), ()
    rulings = tuple(_rule_issuer(evidence, members) for members in groups.values())
    if len(rulings) == 1:
        return rulings[0], ()
    return _combine(rulings), rulings


def _preference(candidate: Candidate) -> tuple[bool, bool, bool, int, int, int]:
    """Which of several entries a report shows: the one proved, of a known issuer, final, the oldest."""
    anchor = candidate.final.anchor or candidate.latest.anchor
    return (
        not candidate.proved,
        candidate.known is None,
        candidate.final.anchor is None,
        anchor.block_number if anchor else 2**63,
        candidate.index,
        int.from_bytes(candidate.issuer, "big"),
    )


def _combine(rulings: tuple[Ruling, ...]) -> Ruling:
    """Several issuers, none named: only equal outcomes can stand. Who has nothing on chain has no say."""
    on_chain = [ruling for ruling in rulings if _has_say(ruling)]
    voices = on_chain or [other for other in rulings if other.outcome is not Outcome.NOT_FOUND] or rulings
    if len({ruling.outcome for ruling in voices}) == 1:
        return voices[0]
    return Ruling(Outcome.INDETERMINATE, doubts=(SEVERAL_ISSUERS,))


def _has_say(ruling: Ruling) -> bool:
    return ruling.basis is not None and (ruling.basis.anchored or ruling.basis.contested is not None)


def _absent(reading: Reading, basis: Candidate | None) -> Ruling:
    """Nothing on chain: `not_found`, if that was read freshly."""
    issuer = basis.issuer if basis else None
    if reading.shortcoming is not None:
        return Ruling(Outcome.INDETERMINATE, issuer, basis, doubts=(reading.shortcoming,))
    return Ruling(Outcome.NOT_FOUND, issuer, basis, state=State.NOT_ANCHORED)


def _rule_issuer(evidence: Evidence, members: Sequence[Candidate]) -> Ruling:
    """``members`` are of one issuer, best first."""
    contested = next((member for member in members if member.contested), None)
    if contested is not None:
        assert contested.contested is not None
        return Ruling(Outcome.INDETERMINATE, contested.issuer, contested, doubts=(contested.contested,))
    anchored = [member for member in members if member.anchored]
    if not anchored:
        queued = [member for member in members if member.queued and not evidence.reading.as_of]
        if not queued:
            return _absent(evidence.reading, members[0])
        ruling = _with_doubts(evidence, queued, Ruling(Outcome.PENDING, queued[0].issuer, queued[0]))
        return replace(ruling, state=State.NOT_ANCHORED)
    return _rule_anchored(evidence, anchored)


def _rule_anchored(evidence: Evidence, anchored: Sequence[Candidate]) -> Ruling:
    final = [member for member in anchored if member.final.anchor is not None]
    best = Ruling(Outcome.VALID, anchored[0].issuer, anchored[0], State.ACTIVE, view=anchored[0].latest)
    found = _worst(best, anchored)
    if found.outcome in (Outcome.WITHDRAWN, Outcome.REVOKED):
        return _with_doubts(evidence, final or anchored, found, keep=True)
    if found.outcome is Outcome.VALID:
        found = _with_dates(evidence, final, best) if final else replace(best, outcome=Outcome.PENDING)
    return _with_doubts(evidence, final or anchored, found)


def _worst(best: Ruling, anchored: Sequence[Candidate]) -> Ruling:
    """``best``, or what stands against it in any view of any entry."""
    for outcome, state, fact_in in _GRADES:
        for member in anchored:
            for view in (member.latest, member.final):
                fact = fact_in(view)
                if fact is not None:
                    return replace(best, outcome=outcome, basis=member, state=state, fact=fact, view=view)
    return best


def _distrust(view: EntryView) -> StatusFact | None:
    """The retirement that took the trust from the anchor; the anchor itself where no retirement is known."""
    if not view.distrusted:
        return None
    return view.key.retirement if view.key is not None and view.key.retirement is not None else view.anchor


_GRADES: tuple[tuple[Outcome, State, Callable[[EntryView], StatusFact | None]], ...] = (
    (Outcome.WITHDRAWN, State.WITHDRAWN, _distrust),
    (Outcome.WITHDRAWN, State.WITHDRAWN, lambda view: view.withdrawal),
    (Outcome.REVOKED, State.REVOKED, lambda view: view.revocation),
    (Outcome.SUSPENDED, State.SUSPENDED, lambda view: view.suspension),
)
"""What can stand against an entry, the worst first."""


def _dates(evidence: Evidence, member: Candidate) -> Validity:
    """Dates in a document that has the digest are the issuer's own words; else those that were given beside
    it."""
    bound = evidence.document is DocumentCheck.MATCH and member.method is evidence.method
    return evidence.document_validity if bound and evidence.document_validity.given else member.validity


def _with_dates(evidence: Evidence, final: Sequence[Candidate], best: Ruling) -> Ruling:
    """``best`` unless one of the entries is out of its dates."""
    for outcome in (Outcome.EXPIRED, Outcome.NOT_YET_VALID):
        for member in final:
            dates = _dates(evidence, member)
            expired = dates.valid_until is not None and evidence.instant >= dates.valid_until
            early = dates.valid_from is not None and evidence.instant < dates.valid_from
            if expired if outcome is Outcome.EXPIRED else early:
                return replace(best, outcome=outcome, basis=member, dates=dates)
    return best


def _with_doubts(
    evidence: Evidence, standing: Sequence[Candidate], ruling: Ruling, *, keep: bool = False
) -> Ruling:
    """Record what keeps the ruling from being certain; unless ``keep``, such a thing makes it
    `indeterminate`."""
    unverifiable = evidence.document is DocumentCheck.UNCHECKABLE or (
        evidence.document is DocumentCheck.MATCH
        and not any(member.method is evidence.method for member in standing)
    )
    dates = sorted((_dates(evidence, member) for member in standing), key=lambda date: date.readable)
    doubts = (
        evidence.reading.shortcoming,
        UNVERIFIABLE if unverifiable else None,
        None if dates[0].readable else UNREADABLE_DATES,
        UNKNOWN_ISSUER if all(member.known is None for member in standing) else None,
    )
    known_doubts = tuple(doubt for doubt in doubts if doubt is not None)
    return replace(
        ruling,
        outcome=ruling.outcome if keep or not known_doubts else Outcome.INDETERMINATE,
        doubts=known_doubts,
        unverifiable=unverifiable,
        dates=ruling.dates if ruling.dates.given else dates[0],
    )
