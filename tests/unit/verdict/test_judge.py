"""Outcomes: each rule, each pair of the order of precedence, and what can never be `valid`."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.encoding import DigestMethod
from registry.verdict.evidence import (
    NO_DATES,
    Candidate,
    DocumentCheck,
    Evidence,
    Inclusion,
    Known,
    Validity,
    validity_of,
)
from registry.verdict.judge import judge
from registry.verdict.report import PRECEDENCE, CheckName, CheckResult, Outcome, State
from registry.verdict.ruling import SEVERAL_ISSUERS, UNVERIFIABLE
from registry.verdict.views import NOT_ANCHORED, EntryView
from tests.unit.verdict.samples import (
    BASE,
    DISTRUSTED,
    GOOD,
    ISSUER,
    KEY_2,
    NOW,
    OTHER,
    REVOKED,
    ROOT_2,
    SUSPENDED,
    WITHDRAWN,
    anchored,
    candidate,
    evidence,
    reading,
    view,
)

HOUR = timedelta(hours=1)
PAST = Validity(valid_until=NOW - HOUR)
FUTURE = Validity(valid_from=NOW + HOUR)
STALE = reading(age_seconds=61.0)
OPAQUE = DigestMethod.OPAQUE


def outcome(*candidates: Candidate, **fields: object) -> Outcome:
    return judge(evidence(*candidates, **fields)).outcome


def check(name: CheckName, *candidates: Candidate, **fields: object) -> CheckResult:
    return judge(evidence(*candidates, **fields)).check(name).result


# --- one rule each ---

RULES: dict[str, tuple[Evidence, Outcome]] = {
    "all is well": (evidence(candidate()), Outcome.VALID),
    "digest alone, recorded here": (
        evidence(candidate(), document=DocumentCheck.NOT_SHOWN, inclusion=Inclusion.RECORDED),
        Outcome.VALID,
    ),
    "document is another": (evidence(candidate(), document=DocumentCheck.MISMATCH), Outcome.INVALID),
    "proof does not hold": (evidence(candidate(), inclusion=Inclusion.FAILED), Outcome.INVALID),
    "nothing known": (evidence(inclusion=Inclusion.NOT_CLAIMED), Outcome.NOT_FOUND),
    "root not anchored": (evidence(candidate(latest=NOT_ANCHORED)), Outcome.NOT_FOUND),
    "root not anchored, unknown issuer": (
        evidence(candidate(latest=NOT_ANCHORED, known=None)),
        Outcome.NOT_FOUND,
    ),
    "nothing known, stale": (evidence(reading=STALE), Outcome.INDETERMINATE),
    "root not anchored, stale": (
        evidence(candidate(latest=NOT_ANCHORED), reading=STALE),
        Outcome.INDETERMINATE,
    ),
    "withdrawn": (evidence(candidate(latest=WITHDRAWN)), Outcome.WITHDRAWN),
    "withdrawn, not final": (evidence(candidate(latest=WITHDRAWN, final=GOOD)), Outcome.WITHDRAWN),
    "withdrawal annulled, not final": (
        evidence(candidate(latest=GOOD, final=WITHDRAWN)),
        Outcome.WITHDRAWN,
    ),
    "key not valid then": (evidence(candidate(latest=DISTRUSTED)), Outcome.WITHDRAWN),
    "key not valid then, not final": (evidence(candidate(latest=DISTRUSTED, final=GOOD)), Outcome.WITHDRAWN),
    "taken over, not final": (evidence(candidate(latest=GOOD, final=DISTRUSTED)), Outcome.WITHDRAWN),
    "revoked": (evidence(candidate(latest=REVOKED)), Outcome.REVOKED),
    "revoked, not final": (evidence(candidate(latest=REVOKED, final=GOOD)), Outcome.REVOKED),
    "revocation annulled, not final": (evidence(candidate(latest=GOOD, final=REVOKED)), Outcome.REVOKED),
    "revoked, anchor not final": (evidence(candidate(latest=REVOKED, final=NOT_ANCHORED)), Outcome.REVOKED),
    "revoked, stale": (evidence(candidate(latest=REVOKED), reading=STALE), Outcome.REVOKED),
    "revoked, unknown issuer": (evidence(candidate(latest=REVOKED, known=None)), Outcome.REVOKED),
    "stale": (evidence(candidate(), reading=STALE), Outcome.INDETERMINATE),
    "as old as the limit": (evidence(candidate(), reading=reading(age_seconds=60.0)), Outcome.VALID),
    "never read": (evidence(candidate(), reading=reading(age_seconds=None)), Outcome.INDETERMINATE),
    "no block": (evidence(candidate(), reading=reading(block=None)), Outcome.INDETERMINATE),
    "unreachable": (
        evidence(candidate(), reading=reading(problem="the node is down")),
        Outcome.INDETERMINATE,
    ),
    "unknown issuer": (evidence(candidate(known=None)), Outcome.INDETERMINATE),
    "contested": (evidence(candidate(contested="heads differ")), Outcome.INDETERMINATE),
    "contested and revoked": (
        evidence(candidate(latest=REVOKED, contested="heads differ")),
        Outcome.INDETERMINATE,
    ),
    "opaque leaf and a document": (evidence(candidate(method=OPAQUE)), Outcome.INDETERMINATE),
    "opaque proof and a document": (
        evidence(candidate(method=OPAQUE), document=DocumentCheck.UNCHECKABLE, method=None),
        Outcome.INDETERMINATE,
    ),
    "opaque leaf, digest alone": (
        evidence(candidate(method=OPAQUE), document=DocumentCheck.NOT_SHOWN),
        Outcome.VALID,
    ),
    "dates unreadable": (
        evidence(candidate(), document_validity=Validity(readable=False)),
        Outcome.INDETERMINATE,
    ),
    "suspended": (evidence(candidate(latest=SUSPENDED)), Outcome.SUSPENDED),
    "suspended, not final": (evidence(candidate(latest=SUSPENDED, final=GOOD)), Outcome.SUSPENDED),
    "reinstated, not final": (evidence(candidate(latest=GOOD, final=SUSPENDED)), Outcome.SUSPENDED),
    "suspended, stale": (evidence(candidate(latest=SUSPENDED), reading=STALE), Outcome.INDETERMINATE),
    "anchor not final": (evidence(candidate(final=NOT_ANCHORED)), Outcome.PENDING),
    "accepted, not anchored": (evidence(candidate(latest=NOT_ANCHORED, queued=True)), Outcome.PENDING),
    "accepted, not anchored, as of a block": (
        evidence(candidate(latest=NOT_ANCHORED, queued=True), reading=reading(as_of=True)),
        Outcome.NOT_FOUND,
    ),
    "accepted, not anchored, stale": (
        evidence(candidate(latest=NOT_ANCHORED, queued=True), reading=STALE),
        Outcome.INDETERMINATE,
    ),
    "expired": (evidence(candidate(validity=PAST)), Outcome.EXPIRED),
    "expired this instant": (evidence(candidate(validity=Validity(valid_until=NOW))), Outcome.EXPIRED),
    "expired by the document": (evidence(candidate(), document_validity=PAST), Outcome.EXPIRED),
    "dates beside a document that nobody can check": (
        evidence(
            candidate(method=OPAQUE, validity=FUTURE),
            document=DocumentCheck.NOT_SHOWN,
            document_validity=PAST,
        ),
        Outcome.NOT_YET_VALID,
    ),
    "not yet valid": (evidence(candidate(validity=FUTURE)), Outcome.NOT_YET_VALID),
    "valid from this instant": (evidence(candidate(validity=Validity(valid_from=NOW))), Outcome.VALID),
    "within its dates": (
        evidence(candidate(validity=Validity(NOW - HOUR, NOW + HOUR))),
        Outcome.VALID,
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_outcome_of_one_rule(name: str) -> None:
    given_evidence, expected = RULES[name]
    assert judge(given_evidence).outcome is expected


# --- precedence ---

Change = Callable[[Evidence], Evidence]


def on_candidate(**fields: object) -> Change:
    return lambda e: replace(e, candidates=tuple(replace(c, **fields) for c in e.candidates))


def on_views(**fields: object) -> Change:
    def change(e: Evidence) -> Evidence:
        candidates = tuple(
            replace(c, latest=replace(c.latest, **fields), final=c.final and replace(c.final, **fields))
            for c in e.candidates
        )
        return replace(e, candidates=candidates)

    return change


CAUSES: dict[Outcome, Change] = {
    Outcome.INVALID: lambda e: replace(e, document=DocumentCheck.MISMATCH),
    Outcome.NOT_FOUND: on_views(anchor=None),
    Outcome.WITHDRAWN: on_views(withdrawal=WITHDRAWN.withdrawal),
    Outcome.REVOKED: on_views(revocation=REVOKED.revocation),
    Outcome.INDETERMINATE: on_candidate(known=None),
    Outcome.SUSPENDED: on_views(suspension=SUSPENDED.suspension),
    Outcome.PENDING: on_candidate(final=NOT_ANCHORED),
    Outcome.EXPIRED: on_candidate(validity=Validity(NOW + HOUR, NOW - HOUR)),
    Outcome.NOT_YET_VALID: lambda e: replace(
        e,
        candidates=tuple(
            replace(c, validity=replace(c.validity, valid_from=NOW + HOUR)) for c in e.candidates
        ),
    ),
    Outcome.VALID: lambda e: e,
}


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(PRECEDENCE, 2)))
def test_of_two_that_apply_the_first_is_the_outcome(first: Outcome, second: Outcome) -> None:
    both = CAUSES[first](CAUSES[second](evidence(candidate())))
    assert judge(both).outcome is first


def test_order_is_the_published_one() -> None:
    assert [item.value for item in PRECEDENCE] == (
        [
            "invalid",
            "not_found",
            "withdrawn",
            "revoked",
            "indeterminate",
            "suspended",
            "pending",
            "expired",
            "not_yet_valid",
            "valid",
        ]
    )


# --- several entries ---


def second(**fields: object) -> Candidate:
    return candidate(root=ROOT_2, index=3, batch_id="b2", **fields)


def test_worst_status_of_one_issuers_entries_wins() -> None:
    assert outcome(candidate(), second(latest=REVOKED)) is Outcome.REVOKED
    assert outcome(candidate(latest=SUSPENDED), second()) is Outcome.SUSPENDED
    assert outcome(candidate(), second(validity=PAST)) is Outcome.EXPIRED


def test_report_shows_the_entry_that_decided() -> None:
    report = judge(evidence(candidate(proved=True), second(latest=REVOKED)))
    assert (report.anchor.index, report.status.state) == (3, State.REVOKED)


def test_report_shows_the_proved_entry_when_all_are_equal() -> None:
    assert judge(evidence(candidate(), second(proved=True))).anchor.index == 3


def test_entry_that_is_not_on_chain_does_not_hide_one_that_is() -> None:
    assert outcome(candidate(), second(latest=NOT_ANCHORED)) is Outcome.VALID
    assert outcome(candidate(), second(latest=NOT_ANCHORED, queued=True)) is Outcome.VALID


def test_second_anchor_that_is_not_final_leaves_the_first_valid() -> None:
    assert outcome(candidate(), second(final=NOT_ANCHORED)) is Outcome.VALID


def test_document_is_checked_against_the_leaf_that_can_be_checked() -> None:
    assert outcome(candidate(method=OPAQUE), second()) is Outcome.VALID
    assert outcome(candidate(method=OPAQUE), second(final=NOT_ANCHORED)) is Outcome.INDETERMINATE


def stranger(**fields: object) -> Candidate:
    return candidate(issuer=OTHER, root=ROOT_2, name="Mill", batch_id="b3", **fields)


def test_strangers_anchor_never_makes_a_revoked_one_valid() -> None:
    report = judge(evidence(candidate(latest=REVOKED), stranger(proved=True)))
    assert report.outcome is Outcome.INDETERMINATE
    assert {c.outcome for c in report.candidates} == {Outcome.REVOKED, Outcome.VALID}
    assert (report.anchor, report.issuer.address, report.status.state) == (None, None, State.UNKNOWN)
    assert SEVERAL_ISSUERS in report.summary
    assert report.check(CheckName.ANCHOR).result is CheckResult.UNKNOWN


def test_several_issuers_with_equal_outcomes_give_that_outcome() -> None:
    report = judge(evidence(candidate(), stranger()))
    assert report.outcome is Outcome.VALID
    assert len(report.candidates) == 2


def test_named_issuer_decides_among_several() -> None:
    both = (candidate(latest=REVOKED), stranger())
    assert outcome(*both, named_issuer=ISSUER) is Outcome.REVOKED
    assert outcome(*both, named_issuer=OTHER) is Outcome.VALID


def test_issuer_without_an_anchor_has_no_say_among_several() -> None:
    assert outcome(candidate(), stranger(latest=NOT_ANCHORED)) is Outcome.VALID
    assert outcome(candidate(), stranger(latest=NOT_ANCHORED, queued=True)) is Outcome.VALID
    queued = candidate(latest=NOT_ANCHORED, queued=True)
    assert outcome(queued, stranger(latest=NOT_ANCHORED)) is Outcome.PENDING
    absent = (candidate(latest=NOT_ANCHORED), stranger(latest=NOT_ANCHORED))
    assert outcome(*absent) is Outcome.NOT_FOUND


def test_contested_issuer_among_several_is_not_passed_over() -> None:
    for latest in (GOOD, NOT_ANCHORED):
        contested = candidate(contested="heads differ", latest=latest)
        assert outcome(contested, stranger()) is Outcome.INDETERMINATE


def test_proof_of_another_issuer_than_the_one_named_is_not_found() -> None:
    report = judge(evidence(stranger(proved=True), named_issuer=ISSUER))
    assert report.outcome is Outcome.NOT_FOUND
    assert report.check(CheckName.ISSUER).result is CheckResult.FAIL
    assert (report.issuer.address, report.issuer.known) == (ISSUER, True)


# --- identity and integrity are separate ---


def test_unknown_issuer_is_called_intact() -> None:
    report = judge(evidence(candidate(known=None)))
    assert "Intact, but by an issuer not known here" in report.summary
    assert report.check(CheckName.INTEGRITY).result is CheckResult.PASS
    assert report.check(CheckName.ISSUER).result is CheckResult.UNKNOWN
    assert (report.issuer.known, report.issuer.name) == (False, None)


@pytest.mark.parametrize("known", Known)
def test_issuer_known_in_any_of_three_ways_can_be_valid(known: Known) -> None:
    assert outcome(candidate(known=known)) is Outcome.VALID


def test_distrusted_anchor_fails_the_issuer_check_with_times_and_reason() -> None:
    report = judge(evidence(candidate(latest=DISTRUSTED)))
    issuer = report.check(CheckName.ISSUER)
    assert issuer.result is CheckResult.FAIL
    assert "validUntil" in issuer.detail
    assert "retiredAt" in issuer.detail
    assert "key compromise" in issuer.detail
    assert report.status.state is State.WITHDRAWN
    assert report.check(CheckName.STATUS).result is CheckResult.FAIL


def test_distrust_without_a_known_retirement_is_still_withdrawn() -> None:
    report = judge(evidence(candidate(latest=replace(GOOD, key=None))))
    assert report.outcome is Outcome.WITHDRAWN
    assert "not valid then" in report.summary


def test_retired_key_whose_anchor_stands_is_named() -> None:
    latest = view(anchored().retire_key(valid_until=BASE + 25))
    report = judge(evidence(candidate(latest=latest)))
    assert report.outcome is Outcome.VALID
    assert "retired as of" in report.check(CheckName.ISSUER).detail


def test_opaque_leaf_and_document_is_an_unknown_integrity() -> None:
    report = judge(evidence(candidate(method=OPAQUE)))
    assert report.check(CheckName.INTEGRITY).result is CheckResult.UNKNOWN
    assert UNVERIFIABLE in report.summary


def test_takeover_by_a_valid_key_is_valid_once_final() -> None:
    history = anchored().add_key(KEY_2).retire_key(valid_until=BASE + 15).anchor(key=KEY_2)
    assert outcome(candidate(latest=view(history))) is Outcome.VALID


# --- never valid ---

VIEWS = st.sampled_from([NOT_ANCHORED, GOOD, REVOKED, SUSPENDED, WITHDRAWN, DISTRUSTED])
DATES = st.sampled_from([NO_DATES, PAST, FUTURE, Validity(readable=False), Validity(NOW - HOUR, NOW + HOUR)])
CANDIDATES = st.builds(
    candidate,
    issuer=st.sampled_from([ISSUER, OTHER]),
    method=st.sampled_from(DigestMethod),
    root=st.sampled_from([None, ROOT_2]),
    index=st.integers(0, 3),
    latest=VIEWS,
    final=VIEWS,
    queued=st.booleans(),
    validity=DATES,
    known=st.sampled_from([None, *Known]),
    contested=st.sampled_from([None, "heads differ"]),
    proved=st.booleans(),
)
READINGS = st.builds(
    reading,
    block=st.sampled_from([None, reading().block]),
    final_block=st.sampled_from([None, 0, 50, 100]),
    age_seconds=st.sampled_from([None, 0.0, 60.0, 60.5]),
    problem=st.sampled_from([None, "unreachable"]),
    as_of=st.booleans(),
    test_chain=st.booleans(),
)
EVIDENCE = st.builds(
    lambda candidates, **fields: evidence(*candidates, **fields),
    st.lists(CANDIDATES, max_size=4),
    document=st.sampled_from(DocumentCheck),
    method=st.sampled_from([None, DigestMethod.JCS_SHA256]),
    inclusion=st.sampled_from(Inclusion),
    named_issuer=st.sampled_from([None, ISSUER, OTHER]),
    reading=READINGS,
    document_validity=DATES,
)


def bad_views(c: Candidate) -> list[EntryView]:
    return [v for v in (c.latest, c.final) if v.anchor is not None and v.status.value != "good"]


@settings(max_examples=600, deadline=None)
@given(EVIDENCE)
def test_nothing_forbidding_ever_gives_valid(given_evidence: Evidence) -> None:
    report = judge(given_evidence)
    if report.outcome is not Outcome.VALID:
        return
    assert report.issuer.known
    shown = report.issuer.address
    mine = [c for c in given_evidence.candidates if c.issuer == shown and c.anchored]
    assert given_evidence.document is not DocumentCheck.MISMATCH
    assert given_evidence.document is not DocumentCheck.UNCHECKABLE
    assert given_evidence.inclusion is not Inclusion.FAILED
    assert given_evidence.reading.shortcoming is None
    assert given_evidence.reading.block is not None
    assert given_evidence.named_issuer in (None, shown)
    assert any(c.final.anchor for c in mine)
    assert not any(bad_views(c) for c in mine)
    assert not any(c.contested for c in mine)
    if given_evidence.document is DocumentCheck.MATCH:
        assert any(c.method is given_evidence.method for c in mine)
    assert {check.result for check in report.checks} <= {CheckResult.PASS, CheckResult.SKIPPED}


@settings(max_examples=600, deadline=None)
@given(EVIDENCE)
def test_checks_agree_with_the_outcome(given_evidence: Evidence) -> None:
    report = judge(given_evidence)
    assert [check.name for check in report.checks] == list(CheckName)
    results = {check.result for check in report.checks}
    if report.outcome in (
        Outcome.INVALID,
        Outcome.NOT_FOUND,
        Outcome.WITHDRAWN,
        Outcome.REVOKED,
        Outcome.EXPIRED,
    ):
        assert CheckResult.FAIL in results
    if report.outcome is Outcome.INDETERMINATE:
        assert CheckResult.UNKNOWN in results
    if report.outcome is Outcome.NOT_FOUND:
        assert given_evidence.reading.shortcoming is None
    assert report.summary.endswith(".")
    assert ("test chain" in report.summary) == given_evidence.reading.test_chain


# --- dates in documents ---


@pytest.mark.parametrize(
    ("credential", "expected"),
    [
        ({}, NO_DATES),
        ({"validUntil": "2027-01-15T08:16:40Z"}, Validity(valid_until=NOW)),
        ({"expirationDate": "2027-01-15T08:16:40Z"}, Validity(valid_until=NOW)),
        ({"issuanceDate": "2027-01-15T08:16:40Z", "validFrom": None}, Validity(valid_from=NOW)),
        ({"validFrom": "soon"}, Validity(readable=False)),
        ({"validUntil": 5}, Validity(readable=False)),
    ],
)
def test_validity_of_a_document(credential: dict, expected: Validity) -> None:
    assert validity_of(credential) == expected
