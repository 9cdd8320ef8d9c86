"""The facade over a fake registry: whom it asks, and whose word counts."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from registry.credentials.findings import Presented
from registry.credentials.verification import ASSERTION, MAX_SUPPLIED
from registry.encoding import Digest, DigestMethod, Root, Salt, credential_digest
from registry.errors import (
    StoreUnavailableError,
    TooComplexError,
    UndefinedTermError,
    UnknownContextError,
    ValidationError,
)
from registry.merkle import InclusionProof
from registry.services.claims import VerifyRequest
from registry.verdict.evidence import Validity
from registry.verdict.report import CheckName, Outcome
from tests.unit.credentials.facade import (
    ACCOUNT,
    DID,
    FAIL,
    FOREIGN,
    LONG_AGO,
    NOT_FOUND,
    OTHER,
    OTHER_DID,
    PASS,
    READING,
    SIGNED,
    SKIPPED,
    STRANGER,
    TOKEN,
    UNKNOWN,
    UNSETTLED,
    YESTERDAY,
    Canonicalizer,
    Hosts,
    Registry,
    ask,
    examined,
    finding,
    report,
    verifier,
)
from tests.unit.credentials.suites.parts import NOW

INTEGRITY, ISSUER, SIGNATURE = CheckName.INTEGRITY, CheckName.ISSUER, CheckName.SIGNATURE
RDFC, JCS = DigestMethod.RDFC_SHA256, DigestMethod.JCS_SHA256
CONTEXT = {"@context": ["https://www.w3.org/ns/credentials/v2"]}


def proof(method: DigestMethod = JCS) -> InclusionProof:
    zero = bytes(32)
    return InclusionProof(
        index=0,
        size=1,
        path=(),
        method=method,
        digest=Digest(zero),
        salt=Salt(zero),
        issuer=ACCOUNT,
        root=Root(zero),
    )


def by_method(**answers: Any) -> Registry:
    return Registry(lambda request: answers[request.method.name.partition("_")[0].lower()])


# --- whose word counts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", [Outcome.REVOKED, Outcome.WITHDRAWN, Outcome.INDETERMINATE])
def test_stranger_who_anchors_a_copy_has_no_say(outcome: Outcome) -> None:
    registry = Registry(report(outcome, STRANGER, known=False))
    made = verifier(registry).verify(ask(issuer=FOREIGN))
    assert (made.outcome, made.anchor) == (Outcome.VALID, None)


def test_issuer_known_here_that_anchored_it_has_a_say() -> None:
    registry = Registry(report(Outcome.REVOKED))
    assert verifier(registry).verify(ask(issuer=FOREIGN)).outcome is Outcome.REVOKED


def test_strangers_copy_does_not_hide_what_a_known_issuer_says() -> None:
    several = report(
        Outcome.INDETERMINATE,
        None,
        known=False,
        anchored=False,
        candidates=[(STRANGER, False), (OTHER, True)],
    )
    assert verifier(Registry(several)).verify(ask(issuer=FOREIGN)).outcome is Outcome.INDETERMINATE


def test_several_strangers_have_no_say() -> None:
    several = report(
        Outcome.INDETERMINATE, None, known=False, anchored=False, candidates=[(STRANGER, False)] * 2
    )
    assert verifier(Registry(several)).verify(ask(issuer=FOREIGN)).outcome is Outcome.VALID


@pytest.mark.parametrize(
    ("rdfc", "jcs"), [(Outcome.VALID, Outcome.REVOKED), (Outcome.REVOKED, Outcome.VALID)]
)
def test_worse_of_two_digests_counts(rdfc: Outcome, jcs: Outcome) -> None:
    registry = by_method(rdfc=report(rdfc), jcs=report(jcs))
    assert verifier(registry, examined(**CONTEXT)).verify(ask()).outcome is Outcome.REVOKED


def test_digest_that_is_not_found_gives_way_to_one_that_is() -> None:
    registry = by_method(rdfc=NOT_FOUND, jcs=report())
    made = verifier(registry, examined(**CONTEXT)).verify(ask())
    assert (made.outcome, made.anchor is None) == (Outcome.VALID, False)


def test_document_of_a_hosted_issuer_that_is_not_anchored_is_not_found() -> None:
    registry = Registry(NOT_FOUND)
    made = verifier(registry, examined(issuer=DID), trusted=frozenset([DID])).verify(ask())
    assert made.outcome is Outcome.NOT_FOUND
    assert {one.issuer for one in registry.asked} == {ACCOUNT}


def test_document_of_a_hosted_issuer_that_cannot_be_asked_about_is_indeterminate() -> None:
    registry = Registry(report())
    guessable = examined(issuer=DID, id="urn:x:1")
    made = verifier(registry, guessable, trusted=frozenset([DID])).verify(ask())
    assert (made.outcome, made.check(CheckName.ANCHOR).result, registry.asked) == (
        Outcome.INDETERMINATE,
        UNKNOWN,
        [],
    )


def test_claim_of_a_place_that_is_not_found_is_not_found_whoever_signed() -> None:
    made = verifier(Registry(NOT_FOUND)).verify(ask(issuer=FOREIGN, proof=proof()))
    assert made.outcome is Outcome.NOT_FOUND


def test_claim_of_a_place_lets_a_strangers_word_count() -> None:
    registry = Registry(report(Outcome.INDETERMINATE, STRANGER, known=False))
    assert verifier(registry).verify(ask(issuer=FOREIGN, proof=proof())).outcome is Outcome.INDETERMINATE


# --- the issuer ---------------------------------------------------------------------------------------------


def test_hosted_issuer_that_anchors_under_a_foreign_did_without_a_signature_is_indeterminate() -> None:
    made = verifier(Registry(report()), examined(UNSETTLED)).verify(ask())
    assert (made.outcome, made.check(ISSUER).result) == (Outcome.INDETERMINATE, UNKNOWN)


def test_foreign_did_whose_key_signed_needs_no_tie_to_the_account() -> None:
    made = verifier(Registry(report()), examined()).verify(ask())
    assert (made.outcome, made.check(ISSUER).result) == (Outcome.VALID, SKIPPED)


def test_tie_between_did_and_account_is_a_finding() -> None:
    hosts = Hosts(finding(ISSUER, PASS))
    assert (
        verifier(Registry(report()), examined(UNSETTLED), hosts=hosts).verify(ask()).outcome is Outcome.VALID
    )


def test_issuer_that_anchors_under_the_did_of_another_hosted_one_is_invalid() -> None:
    made = verifier(Registry(report()), examined(UNSETTLED, issuer=OTHER_DID)).verify(ask(issuer=ACCOUNT))
    assert (made.outcome, made.check(ISSUER).result) == (Outcome.INVALID, FAIL)


@pytest.mark.parametrize("expected", ["did:web:other.example", OTHER_DID])
def test_issuer_asked_about_must_be_the_documents_even_when_the_chain_knows_it(expected: str) -> None:
    made = verifier(Registry(report())).verify(ask(issuer=expected))
    assert (made.outcome, made.check(ISSUER).result) == (Outcome.NOT_FOUND, FAIL)


def test_account_asked_about_is_whose_entries_count() -> None:
    registry = Registry(NOT_FOUND)
    made = verifier(registry, examined(issuer=DID)).verify(ask(issuer=OTHER))
    assert ({one.issuer for one in registry.asked}, made.outcome) == ({OTHER}, Outcome.NOT_FOUND)


def test_account_asked_about_and_a_document_nobody_anchored_is_not_found() -> None:
    made = verifier(Registry(NOT_FOUND), trusted=frozenset([FOREIGN])).verify(ask(issuer=OTHER))
    assert (made.outcome, made.check(ISSUER).result) == (Outcome.NOT_FOUND, FAIL)


def test_trusted_did_counts_only_with_a_signature() -> None:
    trusted = frozenset([FOREIGN])
    for findings, outcome in (
        (SIGNED, Outcome.VALID),
        (UNSETTLED, Outcome.INDETERMINATE),
        ((), Outcome.INDETERMINATE),
    ):
        assert verifier(Registry(), examined(findings), trusted=trusted).verify(ask()).outcome is outcome


def test_report_without_an_account_or_an_issuer_gets_no_finding_about_the_tie() -> None:
    registry = Registry(report(Outcome.INDETERMINATE, None, candidates=[(OTHER, True)]))
    assert verifier(registry).verify(ask()).check(ISSUER).result is SKIPPED
    nameless = verifier(Registry(report()), examined(issuer=None)).verify(ask())
    assert (nameless.outcome, nameless.check(ISSUER).result) == (Outcome.VALID, SKIPPED)


# --- plain JSON ---------------------------------------------------------------------------------------------


def plain(**members: Any) -> Presented:
    return Presented(document={"id": "urn:uuid:9f3b2c61-7a4d-4e8f-b1c5-d2e6f7a8091b", **members})


def test_plain_json_is_left_to_the_registry() -> None:
    registry = Registry(report())
    made = verifier(registry).verify(ask(plain(issuer=FOREIGN), issuer=ACCOUNT))
    assert (made, len(registry.asked)) == (report(), 1)


@pytest.mark.parametrize(
    ("issuer", "outcome"), [(FOREIGN, Outcome.INDETERMINATE), (OTHER_DID, Outcome.INVALID)]
)
def test_unsigned_credential_by_somebody_else_than_its_anchor_is_not_valid(
    issuer: str, outcome: Outcome
) -> None:
    made = verifier(Registry(report())).verify(ask(plain(**CONTEXT, issuer=issuer)))
    assert (made.outcome, made.issuer.id, made.format) == (outcome, issuer, None)


def test_unsigned_credential_by_its_anchor_is_valid() -> None:
    assert verifier(Registry(report())).verify(ask(plain(**CONTEXT, issuer=DID))).outcome is Outcome.VALID


@pytest.mark.parametrize("issuer", [None, ["did:web:a.example", "did:web:b.example"], {"name": "x"}])
def test_unsigned_credential_without_an_issuers_name_is_the_registrys_business(issuer: Any) -> None:
    assert verifier(Registry(report())).verify(ask(plain(**CONTEXT, issuer=issuer))) == report()


def test_unsigned_credential_that_is_not_found_stays_so() -> None:
    assert verifier(Registry(NOT_FOUND)).verify(ask(plain(**CONTEXT, issuer=FOREIGN))) == NOT_FOUND


def test_plain_json_with_a_proof_over_rdf_gets_its_digest() -> None:
    registry = Registry(report())
    verifier(registry).verify(ask(plain(**CONTEXT, issuer=DID), proof=proof(RDFC)))
    assert set(registry.asked[0].computed) == {RDFC}


def test_plain_json_and_the_name_of_a_did_cannot_be_brought_together() -> None:
    with pytest.raises(ValidationError, match="address"):
        verifier(Registry()).verify(ask(plain(), issuer=FOREIGN))


def test_plain_json_of_an_issuer_that_was_named_by_its_did_is_asked_about_by_the_account() -> None:
    registry = Registry(report())
    made = verifier(registry)
    assert made.verify(ask(plain(**CONTEXT, issuer=DID), issuer=DID)).outcome is Outcome.VALID
    assert made.verify(ask(plain(**CONTEXT, issuer=FOREIGN), issuer=DID)).outcome is Outcome.NOT_FOUND
    assert {one.issuer for one in registry.asked} == {ACCOUNT}


def test_token_of_no_known_format_is_refused() -> None:
    made = verifier(Registry())
    made._examining.examiners[0].recognises = lambda presented: False  # type: ignore[method-assign]
    with pytest.raises(ValidationError, match="no format"):
        made.verify(ask(TOKEN))


# --- the digest that the caller names -----------------------------------------------------------------------


def digest_of(method: DigestMethod, **members: Any) -> Digest:
    credential = examined(**CONTEXT, **members).credential
    assert credential is not None
    if method is JCS:
        return credential_digest(credential, JCS)
    return Digest(sha256(str(credential["id"]).encode()).digest())


@pytest.mark.parametrize("method", [RDFC, JCS])
def test_named_digest_says_which_method_is_meant(method: DigestMethod) -> None:
    registry = Registry(report())
    made = verifier(registry, examined(**CONTEXT)).verify(ask(digest=digest_of(method)))
    assert ([one.method for one in registry.asked], made.outcome) == ([method], Outcome.VALID)


def test_named_digest_that_does_not_fit_is_left_to_the_registry_and_never_forgotten() -> None:
    other = Digest(b"\x5a" * 32)
    for answer, outcome in (
        (report(Outcome.INVALID, None, known=False, anchored=False), Outcome.INVALID),
        (report(Outcome.INDETERMINATE, STRANGER, known=False), Outcome.INDETERMINATE),
        (NOT_FOUND, Outcome.INDETERMINATE),
    ):
        made = verifier(Registry(answer), examined(**CONTEXT)).verify(ask(digest=other, issuer=FOREIGN))
        assert made.outcome is outcome


@pytest.mark.parametrize("finds", [True, False])
def test_named_digest_counts_when_the_registry_is_not_asked(finds: bool) -> None:
    guessable = {"id": "urn:x:1"} if finds else {}
    registry = Registry(report(), finds_by_digest=finds)
    made = verifier(registry, examined(**CONTEXT, **guessable))
    assert made.verify(ask(digest=Digest(b"\x5a" * 32), issuer=FOREIGN)).outcome is Outcome.INVALID
    fitting = digest_of(JCS, **guessable)
    assert made.verify(ask(digest=fitting, issuer=FOREIGN)).outcome is Outcome.VALID
    assert registry.asked == []


def test_named_digest_that_cannot_be_computed_leaves_it_open() -> None:
    made = verifier(
        Registry(), examined(**CONTEXT), canonicalizer=Canonicalizer(UnknownContextError("no context"))
    ).verify(ask(digest=digest_of(RDFC), issuer=FOREIGN))
    assert (made.outcome, made.check(INTEGRITY).result) == (Outcome.INDETERMINATE, UNKNOWN)


def test_document_without_canonical_json_is_asked_about_by_its_other_digest() -> None:
    registry = Registry(NOT_FOUND)
    verifier(registry, examined(**CONTEXT, name="\ud800")).verify(ask())
    assert [one.method for one in registry.asked] == [RDFC]


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (TooComplexError("poison"), UNKNOWN),
        (UnknownContextError("no context"), UNKNOWN),
        (UndefinedTermError("no term"), FAIL),
    ],
)
def test_proof_over_rdf_that_cannot_be_computed_is_a_finding(error: ValidationError, result: Any) -> None:
    registry = Registry(report())
    made = verifier(registry, examined(**CONTEXT), canonicalizer=Canonicalizer(error))
    found = made.verify(ask(issuer=FOREIGN, proof=proof(RDFC)))
    assert (found.check(INTEGRITY).result, registry.asked) == (result, [])
    assert found.outcome in (Outcome.INVALID, Outcome.INDETERMINATE)


# --- status, dates, times -----------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [NOT_FOUND, report()])
def test_status_counts_with_and_without_the_chain(answer: Any) -> None:
    status = [finding(CheckName.STATUS, FAIL, Outcome.SUSPENDED)]
    made = verifier(Registry(answer), status=status).verify(ask(issuer=FOREIGN))
    assert made.outcome is Outcome.SUSPENDED


@pytest.mark.parametrize(
    ("validity", "outcome"),
    [
        (Validity(None, YESTERDAY), Outcome.EXPIRED),
        (Validity(NOW + timedelta(days=1), None), Outcome.NOT_YET_VALID),
        (Validity(readable=False), Outcome.INDETERMINATE),
        (Validity(YESTERDAY, None), Outcome.VALID),
    ],
)
def test_dates_of_a_token_count_beside_what_the_chain_knows(validity: Validity, outcome: Outcome) -> None:
    made = verifier(Registry(report()), examined(validity=validity)).verify(ask(TOKEN))
    assert made.outcome is outcome


def test_dates_are_looked_at_when_the_caller_says() -> None:
    made = verifier(Registry(), examined(validity=Validity(None, YESTERDAY)))
    assert made.verify(ask(issuer=FOREIGN)).outcome is Outcome.EXPIRED
    then = made.verify(ask(issuer=FOREIGN, as_of=LONG_AGO))
    assert (then.outcome, then.summary.startswith("As of 2020-01-01")) == (Outcome.VALID, True)


def test_block_asked_about_gives_its_time() -> None:
    ended = Validity(None, NOW)
    assert READING.block_time is not None
    assert READING.block_time < NOW.timestamp()
    made = verifier(Registry(), examined(validity=ended)).verify(ask(issuer=FOREIGN, as_of=5))
    assert made.outcome is Outcome.VALID


def test_block_asked_about_whose_time_nobody_tells_is_refused() -> None:
    with pytest.raises(ValidationError, match="time"):
        verifier(Registry(), examined(id="urn:x:1")).verify(ask(issuer=FOREIGN, as_of=5))


@pytest.mark.parametrize("as_of", [NOW + timedelta(seconds=1), -1])
def test_question_about_the_future_is_refused_whatever_the_document(as_of: Any) -> None:
    with pytest.raises(ValidationError):
        verifier(Registry(), examined(id="urn:x:1")).verify(ask(issuer=FOREIGN, as_of=as_of))


# --- errors and the rest ------------------------------------------------------------------------------------


def test_error_of_the_registry_is_the_answer() -> None:
    registry = Registry(StoreUnavailableError("gone"))
    with pytest.raises(StoreUnavailableError):
        verifier(registry).verify(ask())


def test_bad_request_among_many_fails_only_itself() -> None:
    crowd = {f"https://x.example/{number}": b"" for number in range(MAX_SUPPLIED + 1)}
    made = verifier(Registry()).verify_many([ask(supplied=crowd), ask(issuer=FOREIGN)])
    assert isinstance(made[0], ValidationError)
    assert not isinstance(made[1], Exception)
    assert made[1].outcome is Outcome.VALID


def test_hosted_assertion_that_cannot_be_had_is_indeterminate() -> None:
    made = verifier(Registry()).verify(ask(Presented(), hosted_at="https://x.example/1"))
    assert (made.outcome, made.format) == (Outcome.INDETERMINATE, "Open Badges")
    assert "https://x.example/1" in made.summary


def test_hosted_assertion_is_examined_like_one_that_was_shown() -> None:
    documents = {"https://x.example/1": {"proof": {}}}
    made = verifier(Registry(), documents=documents)
    found = made.verify(ask(Presented(), hosted_at="https://x.example/1", issuer=FOREIGN))
    assert found.outcome is Outcome.VALID


def test_document_that_cannot_be_read_is_judged_by_its_findings() -> None:
    unread = examined([finding(CheckName.FORMAT, FAIL)])
    registry = Registry(report())
    made = verifier(registry, type(unread)("Test 1", unread.findings))
    assert made.verify(ask(TOKEN)).outcome is Outcome.INVALID
    assert (made.verify(ask(TOKEN)).digest, registry.asked) == (sha256(b"a.b.c").digest(), [])


def test_another_document_is_examined_by_the_same_formats() -> None:
    made = verifier(Registry())
    tools = made._examining.tools(NOW, {}, ASSERTION)
    assert made._examine_other(Presented(document={"proof": {}}), tools) == examined()
    assert made._examine_other(Presented(document={}), tools).findings[0].result is FAIL


def test_status_check_gets_a_way_to_examine_lists() -> None:
    seen: list[Any] = []
    made = verifier(Registry())
    object.__setattr__(
        made._examining,
        "check_status",
        lambda credential, tools, examine: seen.append(examine(Presented(document={"proof": {}}))) or (),
    )
    made.verify(ask(issuer=FOREIGN))
    assert seen == [examined()]


def test_question_carries_what_was_asked() -> None:
    registry = Registry(report())
    verifier(registry).verify(ask(live=True, as_of=LONG_AGO))
    asked: VerifyRequest = registry.asked[0]
    assert (asked.live, asked.as_of, asked.credential) == (True, LONG_AGO, examined().credential)


def test_anchor_proof_that_was_taken_out_is_said_and_decides_nothing() -> None:
    for hosts, said in ((Hosts(travels=True), True), (Hosts(), False)):
        made = verifier(Registry(report()), hosts=hosts).verify(ask())
        assert made.outcome is Outcome.VALID
        assert ("no anchor proof of its own" in made.check(CheckName.ANCHOR).detail) is said
    token = verifier(Registry(report()), hosts=Hosts(travels=True)).verify(ask(TOKEN))
    assert "no anchor proof" not in token.check(CheckName.ANCHOR).detail
    unanchored = verifier(Registry(NOT_FOUND), examined(issuer=DID), hosts=Hosts(travels=True)).verify(ask())
    assert "no anchor proof" not in unanchored.check(CheckName.ANCHOR).detail


# --- records of several credentials -------------------------------------------------------------------------

CLR = {"type": ["VerifiableCredential", "ClrCredential"]}


def record(*inside: Any) -> Any:
    subject = {"id": "did:example:ada", "type": ["ClrSubject"], "verifiableCredential": list(inside)}
    return examined(**CLR, credentialSubject=subject)


@pytest.mark.parametrize(
    ("answer", "issuer", "outcome"),
    [
        (report(), FOREIGN, Outcome.VALID),
        (report(Outcome.REVOKED), FOREIGN, Outcome.REVOKED),
        (report(Outcome.REVOKED, STRANGER, known=False), FOREIGN, Outcome.VALID),
        (NOT_FOUND, FOREIGN, Outcome.VALID),
        (report(), DID, Outcome.VALID),
        (NOT_FOUND, DID, Outcome.NOT_FOUND),
        (StoreUnavailableError("gone"), FOREIGN, Outcome.INDETERMINATE),
    ],
)
def test_credential_inside_a_record_is_asked_about_too(answer: Any, issuer: str, outcome: Outcome) -> None:
    inner = {"id": "urn:uuid:0b1e5f6a-4c3d-4e2f-9a8b-7c6d5e4f3a2b", "proof": {}, "issuer": issuer}
    made = verifier(Registry(NOT_FOUND), record(inner))
    examiner = made._examining.examiners[0]
    outer = examiner.examination  # type: ignore[attr-defined]
    examiner.examine = (  # type: ignore[method-assign]
        lambda presented, tools: examined(**inner) if presented.document == inner else outer
    )
    registry = made._registry
    registry.answer = (  # type: ignore[attr-defined]
        lambda request: answer if request.credential["id"] == inner["id"] else NOT_FOUND
    )
    assert made.verify(ask(issuer=FOREIGN)).outcome is outcome
