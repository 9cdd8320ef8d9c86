"""How a document's findings and the chain's report become one: each rule."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from registry.credentials.findings import Finding
from registry.credentials.merging import Circumstances, judge_alone, merge, validity_finding, worst
from registry.verdict.evidence import NO_DATES, Validity
from registry.verdict.report import PRECEDENCE, CheckName, CheckResult, Outcome, State
from tests.unit.credentials.facade import (
    DIGEST,
    FAIL,
    FOREIGN,
    PASS,
    SIGNED,
    SKIPPED,
    UNKNOWN,
    UNREAD,
    UNSETTLED,
    examined,
    finding,
    report,
)
from tests.unit.credentials.suites.parts import NOW

SIGNATURE, STATUS, ANCHOR, ISSUER = CheckName.SIGNATURE, CheckName.STATUS, CheckName.ANCHOR, CheckName.ISSUER


def found(**changes: Any) -> Circumstances:
    given: dict[str, Any] = {"known": True, "expected": None, "reading": UNREAD, "instant": NOW, **changes}
    return Circumstances(digest=DIGEST, **given)


# --- together with the chain --------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("result", list(CheckResult))
def test_outcome_is_the_worst_of_chain_and_findings(outcome: Outcome, result: CheckResult) -> None:
    one = finding(STATUS, result)
    merged = merge(report(outcome), examined([*SIGNED, one]))
    assert merged.outcome is worst([outcome, one.outcome])
    assert PRECEDENCE.index(merged.outcome) <= PRECEDENCE.index(outcome)


def test_finding_that_forces_an_outcome_decides_and_is_the_summary() -> None:
    merged = merge(report(), examined([*SIGNED, Finding(STATUS, FAIL, "taken back", Outcome.REVOKED)]))
    assert (merged.outcome, merged.check(STATUS).result) == (Outcome.REVOKED, FAIL)
    assert merged.summary == "Revoked: taken back. The chain, eip155:31337, is a test chain."


def test_chains_own_summary_stays_when_the_findings_change_nothing() -> None:
    merged = merge(report(Outcome.REVOKED), examined([*SIGNED, finding(STATUS, UNKNOWN)]))
    assert (merged.outcome, merged.summary) == (Outcome.REVOKED, "The chain says revoked.")
    assert (merged.issuer.id, merged.format) == (FOREIGN, "Test 1")


def test_worse_result_of_a_check_shows_with_all_its_details() -> None:
    first, second = Finding(SIGNATURE, FAIL, "one"), Finding(SIGNATURE, FAIL, "two")
    shown = merge(report(signature=PASS), examined([SIGNED[0], first, second, first])).check(SIGNATURE)
    assert (shown.result, shown.detail) == (FAIL, "one; two")


def test_signature_that_could_not_be_looked_at_takes_nothing_from_an_anchor_that_passed() -> None:
    merged = merge(report(), examined(UNSETTLED))
    assert (merged.outcome, merged.check(SIGNATURE).result) == (Outcome.VALID, SKIPPED)
    assert "the anchor vouches" in merged.check(SIGNATURE).detail


@pytest.mark.parametrize("name", ["integrity", "inclusion", "anchor"])
@pytest.mark.parametrize("result", [FAIL, UNKNOWN, SKIPPED])
def test_signature_stays_open_beside_an_anchor_that_did_not_pass(name: str, result: CheckResult) -> None:
    checks: dict[str, Any] = {name: result}
    merged = merge(report(**checks), examined(UNSETTLED))
    assert (merged.outcome, merged.check(SIGNATURE).result) == (Outcome.INDETERMINATE, UNKNOWN)


def test_failed_signature_and_an_open_status_stay_beside_an_anchor_that_passed() -> None:
    assert merge(report(), examined([finding(SIGNATURE, FAIL)])).outcome is Outcome.INVALID
    assert merge(report(), examined([*SIGNED, finding(STATUS, UNKNOWN)])).outcome is Outcome.INDETERMINATE


# --- without the chain --------------------------------------------------------------------------------------


def test_signed_one_by_a_known_issuer_is_valid_and_says_so() -> None:
    alone = judge_alone(examined(), found())
    assert (alone.outcome, alone.issuer.known, alone.issuer.name) == (Outcome.VALID, True, "The College")
    assert alone.summary.startswith("Valid: Test 1 by The College")
    assert {check.name: check.result for check in alone.checks}[ANCHOR] is SKIPPED
    assert (alone.anchor, alone.digest, alone.as_of) == (None, DIGEST, UNREAD)


@pytest.mark.parametrize(
    "findings",
    [(), (SIGNED[0],), (SIGNED[2],), (finding(SIGNATURE, SKIPPED),), (finding(STATUS, PASS),)],
)
def test_nothing_is_valid_without_a_signature_or_an_anchor_that_passed(findings: tuple[Finding, ...]) -> None:
    alone = judge_alone(examined(findings), found())
    assert (alone.outcome, alone.check(SIGNATURE).result) == (Outcome.INDETERMINATE, UNKNOWN)
    assert "vouches" in alone.summary


@pytest.mark.parametrize("check", [SIGNATURE, ANCHOR])
def test_signature_or_the_formats_own_anchor_vouches(check: CheckName) -> None:
    assert judge_alone(examined([finding(check, PASS)]), found()).outcome is Outcome.VALID


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"known": False}, Outcome.INDETERMINATE),
        ({"known": False, "expected": FOREIGN}, Outcome.VALID),
        ({"known": True, "expected": "did:web:other.example"}, Outcome.NOT_FOUND),
    ],
)
def test_issuer_must_be_known_and_the_one_asked_about(changes: dict[str, Any], outcome: Outcome) -> None:
    assert judge_alone(examined(), found(**changes)).outcome is outcome


def test_issuer_that_is_not_known_has_no_name_and_is_in_the_summary() -> None:
    alone = judge_alone(examined(), found(known=False))
    assert (alone.issuer.known, alone.issuer.name, alone.issuer.id) == (False, None, FOREIGN)
    assert alone.summary == f"Intact, but by an issuer not known here: {FOREIGN}."


def test_document_that_names_no_issuer_is_indeterminate() -> None:
    alone = judge_alone(examined(issuer=None), found())
    assert (alone.outcome, alone.issuer.known) == (Outcome.INDETERMINATE, False)
    assert alone.summary.endswith("it names none.")
    asked = judge_alone(examined(issuer=None), found(expected=FOREIGN))
    assert asked.outcome is Outcome.INDETERMINATE


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Outcome.REVOKED, State.REVOKED),
        (Outcome.SUSPENDED, State.SUSPENDED),
        (Outcome.WITHDRAWN, State.WITHDRAWN),
        (Outcome.INVALID, State.UNKNOWN),
    ],
)
def test_state_is_that_of_the_outcome(outcome: Outcome, state: State) -> None:
    alone = judge_alone(examined([*SIGNED, finding(STATUS, FAIL, outcome)]), found())
    assert (alone.outcome, alone.status.state) == (outcome, state)


def test_state_is_active_only_when_every_list_said_so() -> None:
    passed, skipped = finding(STATUS, PASS), finding(STATUS, SKIPPED)
    for findings, state in (
        ([passed], State.ACTIVE),
        ([passed, skipped], State.UNKNOWN),
        ([], State.UNKNOWN),
    ):
        assert judge_alone(examined([*SIGNED, *findings]), found()).status.state is state


@pytest.mark.parametrize(
    ("dates", "result", "outcome"),
    [
        (NO_DATES, SKIPPED, Outcome.VALID),
        (Validity(readable=False), UNKNOWN, Outcome.INDETERMINATE),
        (Validity(NOW, NOW + timedelta(seconds=1)), PASS, Outcome.VALID),
        (Validity(None, NOW), FAIL, Outcome.EXPIRED),
        (Validity(NOW + timedelta(seconds=1), None), FAIL, Outcome.NOT_YET_VALID),
        (Validity(NOW + timedelta(days=2), NOW - timedelta(days=2)), FAIL, Outcome.EXPIRED),
        (Validity(None, NOW + timedelta(seconds=1)), PASS, Outcome.VALID),
        (Validity(NOW, None), PASS, Outcome.VALID),
    ],
)
def test_dates_decide(dates: Validity, result: CheckResult, outcome: Outcome) -> None:
    assert validity_finding(dates, NOW).result is result
    assert judge_alone(examined(validity=dates), found()).outcome is outcome


@pytest.mark.parametrize(
    ("findings", "start"),
    [(SIGNED, "Valid"), ([*SIGNED, finding(STATUS, UNKNOWN)], "Cannot be decided"), ((), "Cannot")],
)
def test_summary_about_another_time_says_so(findings: tuple[Finding, ...], start: str) -> None:
    summary = judge_alone(examined(findings), found(as_of=True)).summary
    assert summary.startswith(f"As of 2026-11-25T12:00:00Z, by its dates: {start}")
