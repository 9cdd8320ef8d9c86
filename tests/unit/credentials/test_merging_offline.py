"""What a document's own findings add to, and take from, what the chain says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from registry.credentials.findings import Examination, Finding
from registry.credentials.merging import Circumstances, judge_alone, merge
from registry.credentials.nested import Inside, registry_findings
from registry.encoding import Address, Digest
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

ACCOUNT = Address(bytes.fromhex("ab" * 20))
DID = f"did:web:college.example%3A8443:badges:issuers:0x{ACCOUNT.hex()}"
LIST = "https://college.example:8443/badges/status/1-revocation"
SIGNATURE_OPEN = Finding(CheckName.SIGNATURE, CheckResult.UNKNOWN, "the key is not here")


def base(outcome: Outcome = Outcome.VALID, **results: CheckResult) -> Report:
    checks = tuple(Check(name, results.get(name.value, CheckResult.PASS), "said") for name in CheckName)
    return Report(
        outcome=outcome,
        summary="Said.",
        digest=Digest(bytes(32)),
        issuer=ShownIssuer(ACCOUNT, None, known=True),
        checks=checks,
        anchor=None,
        status=ShownStatus(State.ACTIVE),
        as_of=ShownReading(31337, False, None, None, None, Source.RPC),
    )


def examined(*findings: Finding, issuer: str = DID) -> Examination:
    return Examination("Open Badges 3.0", findings, issuer=issuer)


def status_open(missing: str | None = LIST) -> Finding:
    return Finding(CheckName.STATUS, CheckResult.UNKNOWN, "its list was not had", missing=missing)


@pytest.mark.parametrize("unvouched", ["integrity", "inclusion", "anchor"])
def test_open_signature_is_indeterminate_when_the_anchor_does_not_vouch(unvouched: str) -> None:
    report = merge(base(**{unvouched: CheckResult.SKIPPED}), examined(SIGNATURE_OPEN))
    assert report.outcome is Outcome.INDETERMINATE


def test_failed_signature_is_invalid_whatever_is_anchored() -> None:
    failed = replace(SIGNATURE_OPEN, result=CheckResult.FAIL)
    assert merge(base(), examined(failed)).outcome is Outcome.INVALID


def test_transaction_elsewhere_that_is_not_final_is_pending_whatever_is_anchored_here() -> None:
    waiting = Finding(CheckName.ANCHOR, CheckResult.UNKNOWN, "not final yet", Outcome.PENDING)
    assert merge(base(), examined(waiting)).outcome is Outcome.PENDING


def test_transaction_elsewhere_that_was_not_looked_at_takes_nothing_from_an_anchor_here() -> None:
    unread = Finding(CheckName.ANCHOR, CheckResult.UNKNOWN, "no node of that chain")
    assert merge(base(), examined(unread)).outcome is Outcome.VALID
    without = merge(base(inclusion=CheckResult.SKIPPED), examined(unread))
    assert without.outcome is Outcome.INDETERMINATE


def test_open_signature_is_skipped_when_the_anchor_vouches() -> None:
    report = merge(base(signature=CheckResult.SKIPPED), examined(SIGNATURE_OPEN))
    assert report.outcome is Outcome.VALID
    assert report.check(CheckName.SIGNATURE).result is CheckResult.SKIPPED


@pytest.mark.parametrize(
    ("issuer", "missing"),
    [
        (DID, "https://lists.example/badges/status/1-revocation"),
        (DID, "https://college.example:8443/badges.evil/status/1"),
        (DID, "https://college.example/badges/status/1"),
        (DID, None),
        (DID.replace("ab", "ac"), LIST),
        ("did:web:college.example%3A8443:badges", LIST),
        (f"did:pkh:eip155:1:0x{ACCOUNT.hex()}", LIST),
    ],
)
def test_list_that_was_not_had_leaves_it_open_when_it_need_not_mirror_the_chain(
    issuer: str, missing: str | None
) -> None:
    report = merge(base(), examined(status_open(missing), issuer=issuer))
    assert report.outcome is Outcome.INDETERMINATE
    assert report.check(CheckName.STATUS).result is CheckResult.UNKNOWN


def test_list_of_the_issuers_own_server_is_passed_over_when_the_chain_was_read() -> None:
    report = merge(base(), examined(status_open()))
    assert (report.outcome, report.check(CheckName.STATUS).result) == (Outcome.VALID, CheckResult.PASS)
    suspended = merge(base(Outcome.SUSPENDED, status=CheckResult.FAIL), examined(status_open()))
    assert suspended.outcome is Outcome.SUSPENDED


def test_list_of_the_issuers_own_server_leaves_it_open_when_the_chain_does_not_say() -> None:
    report = merge(base(Outcome.INDETERMINATE, status=CheckResult.UNKNOWN), examined(status_open()))
    assert report.check(CheckName.STATUS).result is CheckResult.UNKNOWN


def test_list_that_was_had_counts_whoever_keeps_it() -> None:
    revoked = Finding(CheckName.STATUS, CheckResult.FAIL, "revoked", Outcome.REVOKED)
    assert merge(base(), examined(revoked)).outcome is Outcome.REVOKED


@pytest.mark.parametrize("hosted", [False, True])
def test_badge_in_a_record_is_open_when_its_place_was_not_found(hosted: bool) -> None:
    passed = Finding(CheckName.SIGNATURE, CheckResult.PASS, "by its issuer")
    one = Inside("credential 1 of 1", examined(passed), hosted, True, ())
    (found,) = registry_findings([one], iter(()))
    assert (found.check, found.outcome) == (CheckName.ANCHOR, Outcome.INDETERMINATE)


def test_badge_of_an_issuer_that_need_not_anchor_is_judged_by_its_signature() -> None:
    passed = Finding(CheckName.SIGNATURE, CheckResult.PASS, "by its issuer")
    one = Inside("credential 1 of 1", examined(passed, issuer="did:web:a.example"), False, True, ())
    assert registry_findings([one], iter(())) == ()


def test_sentence_says_when_no_chain_was_asked() -> None:
    passed = Finding(CheckName.SIGNATURE, CheckResult.PASS, "by its issuer")
    found = Circumstances(
        digest=Digest(bytes(32)),
        instant=datetime(2026, 11, 25, tzinfo=UTC),
        known=True,
        expected="did:key:zX",
        reading=ShownReading(None, False, None, None, None, Source.NONE),
    )
    report = judge_alone(examined(passed, issuer="did:key:zX"), found)
    assert report.outcome is Outcome.VALID
    assert "no chain was asked" in report.summary
