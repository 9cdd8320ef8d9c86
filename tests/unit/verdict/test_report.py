"""The report's public shape and its sentences."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from registry.encoding import AccountId, Address, ChainId
from registry.verdict.evidence import DocumentCheck, Inclusion, Known, Validity
from registry.verdict.judge import judge
from registry.verdict.report import Check, CheckName, CheckResult, PendingChange, report_to_json, time_text
from registry.verdict.views import NOT_ANCHORED, LaterFact
from tests.unit.verdict.samples import (
    GOOD,
    ISSUER,
    NOW,
    OTHER,
    REGISTRY,
    REVOKED,
    SUSPENDED,
    WITHDRAWN,
    candidate,
    evidence,
    fact,
    reading,
)


def shown(*candidates, **fields) -> dict:
    return report_to_json(judge(evidence(*candidates, **fields)))


def test_report_has_no_truth_value() -> None:
    report = judge(evidence(candidate()))
    with pytest.raises(TypeError, match="truth value"):
        bool(report)
    with pytest.raises(TypeError, match="truth value"):
        bool(report.checks[0])
    with pytest.raises(TypeError):
        assert report


def test_valid_report_has_the_published_shape() -> None:
    body = shown(candidate())
    assert list(body) == [
        "outcome",
        "summary",
        "digest",
        "issuer",
        "checks",
        "anchor",
        "status",
        "as_of",
        "candidates",
        "later",
    ]
    assert body["outcome"] == "valid"
    assert body["issuer"] == {"address": "0x" + ISSUER.hex(), "name": "University", "known": True}
    assert body["anchor"] == {
        "batch": "b1",
        "root": "0x" + candidate().root.hex(),
        "index": 17,
        "transaction": "0x" + GOOD.anchor.transaction.hex(),
        "block_number": 2,
        "block_hash": "0x" + GOOD.anchor.block_hash.hex(),
        "anchored_at": "2027-01-15T08:00:20Z",
        "confirmations": 99,
        "final": True,
    }
    assert body["status"] == {
        "state": "active",
        "at": None,
        "reason": None,
        "actor": None,
        "transaction": None,
        "pending": [],
    }
    assert body["as_of"] == {
        "chain": "eip155:31337",
        "test_chain": True,
        "block_number": 100,
        "block_hash": "0x" + reading().block.hash.hex(),
        "block_time": "2027-01-15T08:16:40Z",
        "source": "index",
    }
    assert [check["name"] for check in body["checks"]] == (
        ["format", "integrity", "signature", "inclusion", "anchor", "issuer", "status", "validity"]
    )
    assert (body["candidates"], body["later"]) == ([], [])


def test_revoked_report_names_date_and_reason() -> None:
    body = shown(candidate(latest=REVOKED))
    assert body["status"] == {
        "state": "revoked",
        "at": "2027-01-15T08:00:30Z",
        "reason": "misconduct",
        "actor": "0x" + REVOKED.revocation.actor.hex(),
        "transaction": "0x" + REVOKED.revocation.transaction.hex(),
        "pending": [],
    }
    assert body["summary"].startswith("Revoked on 2027-01-15, reason: misconduct.")


def test_unread_chain_leaves_the_block_empty() -> None:
    body = shown(reading=reading(block=None, age_seconds=None, final_block=None))
    assert body["as_of"]["block_number"] is None
    assert body["anchor"] is None
    assert body["issuer"] == {"address": None, "name": None, "known": False}
    assert "never read" in body["summary"]


def test_anchor_seen_without_a_block_has_no_confirmations() -> None:
    body = shown(candidate(), reading=reading(block=None))
    assert body["anchor"]["confirmations"] == 0


def test_pending_changes_are_shown_and_leave_the_outcome() -> None:
    change = PendingChange("revocation", 3, datetime(2026, 11, 23, 4, tzinfo=UTC), "submitted")
    body = shown(candidate(pending=(change,)))
    assert body["outcome"] == "valid"
    assert body["status"]["pending"] == [
        {
            "kind": "revocation",
            "reason": "misconduct",
            "requested_at": "2026-11-23T04:00:00Z",
            "state": "submitted",
        }
    ]
    revoked = shown(candidate(latest=REVOKED, pending=(change,)))
    assert len(revoked["status"]["pending"]) == 1


def test_later_facts_are_shown_with_their_finality() -> None:
    later = (LaterFact("revocation", fact(block=40)), LaterFact("annulment", fact(block=60)))
    body = shown(candidate(later=later), reading=reading(as_of=True, final_block=50))
    assert [(item["kind"], item["final"]) for item in body["later"]] == [
        ("revocation", True),
        ("annulment", False),
    ]
    assert body["summary"].startswith("As of block 100 (2027-01-15T08:16:40Z): Valid")
    unread = shown(candidate(later=later), reading=reading(final_block=None))
    assert [item["final"] for item in unread["later"]] == [False, False]


def test_candidates_are_listed_with_their_own_outcomes() -> None:
    body = shown(candidate(latest=REVOKED), candidate(issuer=OTHER, contested="heads differ"))
    assert [(item["outcome"], item["anchored_at"] is None) for item in body["candidates"]] == [
        ("revoked", False),
        ("indeterminate", True),
    ]


def test_status_is_unknown_when_the_reading_is_old() -> None:
    assert shown(candidate(), reading=reading(age_seconds=99.0))["status"]["state"] == "unknown"
    assert "99 seconds ago" in shown(candidate(), reading=reading(age_seconds=99.0))["summary"]


@pytest.mark.parametrize(
    ("candidates", "fields", "start"),
    [
        ([candidate()], {}, "Valid: anchored by University (0x"),
        ([candidate(name=None)], {}, "Valid: anchored by issuer 0x"),
        (
            [candidate(latest=WITHDRAWN)],
            {},
            "The whole batch was withdrawn on 2027-01-15, reason: issued in error.",
        ),
        ([candidate(latest=SUSPENDED)], {}, "Suspended on 2027-01-15"),
        ([candidate(final=NOT_ANCHORED)], {}, "Pending: anchored by University"),
        ([candidate(latest=NOT_ANCHORED, queued=True, root=None)], {}, "Pending: accepted for University"),
        ([candidate(validity=Validity(valid_until=NOW))], {}, "Expired since 2027-01-15T08:16:40Z;"),
        (
            [candidate(validity=Validity(valid_from=NOW + timedelta(days=1)))],
            {},
            "Not valid before 2027-01-16T08:16:40Z;",
        ),
        ([], {}, "Not found: nothing with this digest is anchored by any issuer."),
        (
            [],
            {"named_issuer": ISSUER},
            "Not found: nothing with this digest is anchored by the issuer asked about.",
        ),
        ([], {"document": DocumentCheck.MISMATCH}, "Invalid: the document"),
        (
            [],
            {"inclusion": Inclusion.FAILED, "inclusion_detail": "the path leads to another root"},
            "Invalid: the proof does not hold; the path leads to another root.",
        ),
        ([candidate(known=None)], {}, "Intact, but by an issuer not known here."),
        (
            [candidate()],
            {"reading": reading(problem="the node is down")},
            "Cannot be decided: the node is down.",
        ),
    ],
)
def test_summary_is_a_sentence_for_people(candidates: list, fields: dict, start: str) -> None:
    assert shown(*candidates, **fields)["summary"].startswith(start)


def test_summary_names_a_test_chain_and_only_a_test_chain() -> None:
    assert shown(candidate())["summary"].endswith("The chain, eip155:31337, is a test chain.")
    assert "test chain" not in shown(candidate(), reading=reading(test_chain=False))["summary"]


def result_of(name: CheckName, *candidates, **fields) -> tuple[CheckResult, str]:
    check: Check = judge(evidence(*candidates, **fields)).check(name)
    return check.result, check.detail


def test_proof_that_names_another_registry_is_told_so() -> None:
    elsewhere = AccountId(ChainId(1), Address(bytes(20)))
    result, detail = result_of(CheckName.ANCHOR, candidate(latest=NOT_ANCHORED), hint=elsewhere)
    assert result is CheckResult.FAIL
    assert "eip155:1:0x0000" in detail
    own = AccountId(ChainId(31337), REGISTRY)
    assert "names" not in result_of(CheckName.ANCHOR, candidate(), hint=own)[1]


def test_inclusion_check_says_where_it_comes_from() -> None:
    recorded = {"inclusion": Inclusion.RECORDED}
    assert result_of(CheckName.INCLUSION, candidate())[0] is CheckResult.PASS
    assert "entry 17 of 500" in result_of(CheckName.INCLUSION, candidate(), **recorded)[1]
    unsealed = candidate(root=None, latest=NOT_ANCHORED, queued=True)
    assert result_of(CheckName.INCLUSION, unsealed, **recorded)[0] is CheckResult.SKIPPED
    assert result_of(CheckName.INCLUSION, inclusion=Inclusion.NOT_CLAIMED)[0] is CheckResult.SKIPPED


def test_validity_check_names_the_dates() -> None:
    dates = Validity(NOW - timedelta(days=1), NOW + timedelta(days=1))
    assert result_of(CheckName.VALIDITY, candidate(validity=dates)) == (
        CheckResult.PASS,
        "valid from 2027-01-14T08:16:40Z until 2027-01-16T08:16:40Z",
    )
    assert result_of(CheckName.VALIDITY, candidate())[0] is CheckResult.SKIPPED
    unreadable = candidate(validity=Validity(readable=False))
    assert result_of(CheckName.VALIDITY, unreadable)[0] is CheckResult.UNKNOWN


def test_issuer_named_by_the_caller_is_said_to_be() -> None:
    assert "named by the caller" in result_of(CheckName.ISSUER, candidate(known=Known.CALLER))[1]
    assert "hosted here" in result_of(CheckName.ISSUER, candidate())[1]


def test_integrity_names_the_method() -> None:
    assert "jcs-sha256" in result_of(CheckName.INTEGRITY, candidate())[1]


def test_time_beyond_the_calendar_is_shown_as_its_end() -> None:
    assert time_text(2**40 - 1) == "9999-12-31T23:59:59Z"


def test_revoked_report_of_an_older_reading_says_of_which_age() -> None:
    report = judge(evidence(candidate(latest=REVOKED), reading=reading(age_seconds=99.0)))
    assert report.check(CheckName.ANCHOR).result is CheckResult.UNKNOWN
    assert replace(report, summary="").status == report.status
