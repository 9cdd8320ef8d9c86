"""Limits where one second, one entry or one flag decides."""

from __future__ import annotations

from datetime import timedelta

import pytest

from registry.encoding import DigestMethod
from registry.verdict.evidence import Candidate, Validity
from registry.verdict.history import replay
from registry.verdict.judge import judge
from registry.verdict.report import Outcome
from registry.verdict.views import NOT_ANCHORED
from tests.unit.verdict.samples import (
    BASE,
    GOOD,
    NOW,
    REVOKED,
    ROOT_2,
    History,
    anchored,
    candidate,
    evidence,
)

NOT_VALID_THEN = "the acting key was not valid then, or lacks the role"


def details(history: History) -> list[str]:
    return [problem.detail for problem in replay(history.events).problems]


def second(**fields: object) -> Candidate:
    return candidate(root=ROOT_2, index=3, batch_id="b2", **fields)


def test_key_may_act_until_the_second_before_its_end() -> None:
    retired_now = anchored().retire_key(valid_until=BASE + 30, block=3)
    assert details(retired_now) == []
    assert details(retired_now.revoke(17, block=3)) == [NOT_VALID_THEN]
    before = anchored().retire_key(valid_until=BASE + 29, block=3).revoke(17, block=3)
    assert details(before) == [NOT_VALID_THEN]


def test_retirement_one_second_after_its_block_is_named() -> None:
    history = anchored().retire_key(valid_until=BASE + 31, block=3)
    assert details(history) == ["the key was retired in the future"]


def test_retirement_to_the_same_time_is_named_as_without_effect() -> None:
    once = anchored().retire_key(valid_until=BASE + 15)
    assert details(once) == []
    (detail,) = details(once.retire_key(valid_until=BASE + 15))
    assert "changes nothing" in detail


@pytest.mark.parametrize(("final", "shown"), [(GOOD, True), (NOT_ANCHORED, False)])
def test_anchor_is_called_final_only_when_it_is(final: object, shown: bool) -> None:
    anchor = judge(evidence(candidate(final=final))).anchor
    assert anchor is not None
    assert anchor.final is shown


@pytest.mark.parametrize("latest", [GOOD, REVOKED])
def test_one_contested_entry_of_an_issuer_makes_all_of_them_uncertain(latest: object) -> None:
    doubtful = second(contested="the index says good and the contract revoked")
    report = judge(evidence(candidate(latest=latest), doubtful))
    assert report.outcome is Outcome.INDETERMINATE
    assert "the contract revoked" in report.summary


def test_dates_in_a_document_say_nothing_about_an_opaque_entry_of_the_same_digest() -> None:
    over = Validity(valid_until=NOW - timedelta(hours=1))
    running = Validity(valid_until=NOW + timedelta(hours=1))
    opaque = second(method=DigestMethod.OPAQUE, validity=over)
    report = judge(evidence(candidate(validity=running), opaque, document_validity=running))
    assert report.outcome is Outcome.EXPIRED
