"""The server's verification: what it looks up, when it cannot know, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from registry.encoding import AccountId, Address, ChainId, Digest, DigestMethod, to_hex
from registry.errors import (
    MalformedProofError,
    NodeMismatchError,
    StoreUnavailableError,
    UnknownBlockError,
    UnsupportedDigestMethodError,
    ValidationError,
)
from registry.merkle import proof_to_json
from registry.model.batches import BatchState
from registry.model.chain import ContractStatus
from registry.model.operations import RequestKind
from registry.model.reasons import Reason
from registry.services.claims import VerifyRequest
from registry.services.verification import VerificationPolicy, VerificationService
from registry.verdict.report import CheckName, CheckResult, Outcome, State
from tests.integration.verification.scenario import (
    CONFIRMATIONS,
    Scenario,
    change,
    credential,
    issue,
    item,
    service_of,
)
from tests.integration.verification.twisted import IndexerDouble, ShiftedClock, Twisted, down, unreachable
from tests.support.pipeline import World

UNKNOWN = Digest(bytes(31) + b"\1")


def shown(scenario: Scenario, name: str) -> VerifyRequest:
    return scenario.cases[name][0]


def document(scenario: Scenario, name: str) -> dict[str, Any]:
    found = shown(scenario, name).credential
    assert found is not None
    return dict(found)


def digest_of(scenario: Scenario, name: str) -> Digest:
    proof = shown(scenario, name).proof
    assert proof is not None
    return proof.digest


def service(
    scenario: Scenario, *, chain: Any = None, indexer: Any = None, clock: Any = None
) -> VerificationService:
    world = scenario.world
    return VerificationService(
        world.store,
        chain or world.chain,
        indexer or world.indexer,
        clock or world.clock,
        VerificationPolicy(max_index_age_seconds=60),
    )


# --- lookup ---


@pytest.mark.parametrize(
    "name", ["valid", "revoked", "suspended", "expired", "withdrawn", "after the theft", "pending"]
)
def test_digest_and_credential_alone_give_what_the_proof_gives(scenario: Scenario, name: str) -> None:
    request, expected = scenario.cases[name]
    verify = service_of(scenario.world).verify
    by_digest = verify(VerifyRequest(digest=digest_of(scenario, name)))
    by_document = verify(VerifyRequest(credential=request.credential))
    assert [by_digest.outcome, by_document.outcome] == [expected, expected]
    assert by_document.anchor == verify(request).anchor
    assert by_digest.check(CheckName.INTEGRITY).result is CheckResult.SKIPPED
    assert by_digest.check(CheckName.INCLUSION).result is CheckResult.PASS


def test_unknown_digest_is_not_found(scenario: Scenario) -> None:
    report = service_of(scenario.world).verify(VerifyRequest(digest=UNKNOWN))
    assert report.outcome is Outcome.NOT_FOUND
    assert report.as_of.block_number == scenario.world.chain.latest().number


def test_tampered_copy_alone_is_not_found(scenario: Scenario) -> None:
    tampered = document(scenario, "valid") | {"name": "better"}
    assert service_of(scenario.world).verify(VerifyRequest(credential=tampered)).outcome is Outcome.NOT_FOUND


def test_document_with_another_digest_is_invalid(scenario: Scenario) -> None:
    request = VerifyRequest(digest=digest_of(scenario, "revoked"), credential=document(scenario, "valid"))
    report = service_of(scenario.world).verify(request)
    assert report.outcome is Outcome.INVALID
    assert report.check(CheckName.INTEGRITY).result is CheckResult.FAIL


def test_document_beside_an_opaque_digest_is_indeterminate(scenario: Scenario, tmp_path: Any) -> None:
    request = VerifyRequest(digest=digest_of(scenario, "opaque"), credential=document(scenario, "valid"))
    report = service_of(scenario.world).verify(request)
    assert report.outcome is Outcome.INDETERMINATE
    assert report.check(CheckName.INTEGRITY).result is CheckResult.UNKNOWN


def test_opaque_digest_posted_as_a_document_is_indeterminate(scenario: Scenario) -> None:
    report = service_of(scenario.world).verify(VerifyRequest(credential=document(scenario, "opaque")))
    assert report.outcome is Outcome.INDETERMINATE


def test_proof_inside_the_credential_is_used(scenario: Scenario) -> None:
    request = shown(scenario, "valid")
    assert request.proof is not None
    embedded = document(scenario, "valid") | {"proof": proof_to_json(request.proof)}
    verify = service_of(scenario.world).verify
    assert (
        verify(VerifyRequest(credential=embedded)).check(CheckName.INCLUSION).detail.startswith("the proof")
    )
    changed = embedded | {"name": "better"}
    assert verify(VerifyRequest(credential=changed)).outcome is Outcome.INVALID
    among_others = embedded | {"proof": [{"type": "DataIntegrityProof"}, embedded["proof"]]}
    assert verify(VerifyRequest(credential=among_others)).outcome is Outcome.VALID


def test_named_issuer_without_such_an_entry_is_not_found(scenario: Scenario) -> None:
    stranger = Address(bytes(20))
    request = VerifyRequest(digest=digest_of(scenario, "valid"), issuer=stranger)
    report = service_of(scenario.world).verify(request)
    assert report.outcome is Outcome.NOT_FOUND
    assert report.check(CheckName.ISSUER).result is CheckResult.FAIL


def test_issuer_on_the_trust_list_can_be_valid(scenario: Scenario) -> None:
    request = shown(scenario, "of a stranger")
    assert request.proof is not None
    trusting = service_of(scenario.world, trusted_issuers=frozenset({request.proof.issuer}))
    assert trusting.verify(request).outcome is Outcome.VALID
    assert service_of(scenario.world).verify(request).outcome is Outcome.INDETERMINATE


def test_registry_that_the_proof_names_is_never_trusted(scenario: Scenario) -> None:
    elsewhere = AccountId(ChainId(1), Address(bytes(20)))
    for name, expected in (("valid", Outcome.VALID), ("never anchored", Outcome.NOT_FOUND)):
        request = shown(scenario, name)
        assert request.proof is not None
        report = service_of(scenario.world).verify(
            replace(request, proof=replace(request.proof, registry=elsewhere))
        )
        assert report.outcome is expected
        assert f"eip155:1:{to_hex(elsewhere.address)}" in report.check(CheckName.ANCHOR).detail


# --- readings that cannot carry a verdict ---


def test_old_index_gives_neither_valid_nor_not_found_and_keeps_revoked(scenario: Scenario) -> None:
    stale = service(scenario, clock=ShiftedClock(scenario.world.clock, 61))
    fresh = service(scenario, clock=ShiftedClock(scenario.world.clock, 59))
    for name, expected in (
        ("valid", Outcome.INDETERMINATE),
        ("never anchored", Outcome.INDETERMINATE),
        ("suspended", Outcome.INDETERMINATE),
        ("pending", Outcome.INDETERMINATE),
        ("revoked", Outcome.REVOKED),
        ("withdrawn", Outcome.WITHDRAWN),
        ("tampered", Outcome.INVALID),
    ):
        assert stale.verify(shown(scenario, name)).outcome is expected, name
        assert fresh.verify(shown(scenario, name)).outcome is scenario.cases[name][1], name


def test_live_with_an_unreachable_node_is_never_valid(scenario: Scenario) -> None:
    gone = service(scenario, chain=unreachable(scenario.world.chain), indexer=IndexerDouble(down))
    report = gone.verify(replace(shown(scenario, "valid"), live=True))
    assert report.outcome is Outcome.INDETERMINATE
    assert "connection refused" in report.summary
    assert report.as_of.source == "index"
    assert gone.verify(shown(scenario, "valid")).outcome is Outcome.VALID
    assert gone.verify(replace(shown(scenario, "revoked"), live=True)).outcome is Outcome.REVOKED


@pytest.mark.parametrize("name", ["head_of", "status_of"])
def test_live_with_a_node_lost_on_the_way_is_never_valid(scenario: Scenario, name: str) -> None:
    lost = service(scenario, chain=Twisted(scenario.world.chain, **{name: down}))
    assert lost.verify(replace(shown(scenario, "valid"), live=True)).outcome is Outcome.INDETERMINATE


def test_live_names_a_head_that_differs_from_the_contracts(scenario: Scenario) -> None:
    lying = service(scenario, chain=Twisted(scenario.world.chain, head_of=lambda *_: bytes(32)))
    report = lying.verify(replace(shown(scenario, "valid"), live=True))
    assert report.outcome is Outcome.INDETERMINATE
    assert "history heads" in report.summary
    assert report.anchor is None


def test_live_names_a_status_that_differs_from_the_contracts(scenario: Scenario) -> None:
    def revoked(*_: Any) -> tuple[int, ContractStatus]:
        return 1, ContractStatus.REVOKED

    lying = service(scenario, chain=Twisted(scenario.world.chain, status_of=revoked))
    report = lying.verify(replace(shown(scenario, "valid"), live=True))
    assert report.outcome is Outcome.INDETERMINATE
    assert "the index says good and the contract revoked" in report.summary


def test_live_for_many_asks_for_each_issuers_head_once(scenario: Scenario) -> None:
    world = scenario.world
    asked: list[Address] = []

    def head_of(issuer: Address, block_hash: Any) -> bytes:
        asked.append(issuer)
        return world.chain.head_of(issuer, block_hash)

    counting = service(scenario, chain=Twisted(world.chain, head_of=head_of))
    names = ("valid", "revoked", "suspended", "after the theft")
    reports = counting.verify_many([replace(shown(scenario, name), live=True) for name in names])
    assert [report.outcome for report in reports] == [scenario.cases[name][1] for name in names]
    assert len(asked) == len(set(asked)) == 2


def test_live_is_indeterminate_when_the_block_was_reorganised_away(scenario: Scenario) -> None:
    def gone(*_: Any) -> bytes:
        raise UnknownBlockError("no such block")

    report = service(scenario, chain=Twisted(scenario.world.chain, head_of=gone)).verify(
        replace(shown(scenario, "valid"), live=True)
    )
    assert report.outcome is Outcome.INDETERMINATE
    assert "ask again" in report.summary


def test_live_is_indeterminate_when_nodes_contradict_each_other(scenario: Scenario) -> None:
    def mismatch() -> None:
        raise NodeMismatchError("nodes differ")

    contradicted = service(scenario, indexer=IndexerDouble(mismatch))
    report = contradicted.verify(replace(shown(scenario, "valid"), live=True))
    assert report.outcome is Outcome.INDETERMINATE


def test_locked_database_is_an_error_and_no_verdict(scenario: Scenario) -> None:
    def locked() -> None:
        raise StoreUnavailableError("the database is locked")

    with pytest.raises(StoreUnavailableError):
        service(scenario, indexer=IndexerDouble(locked)).verify(replace(shown(scenario, "valid"), live=True))


# --- as of ---


def test_as_of_shows_what_was_said_then_and_what_came_later(scenario: Scenario) -> None:
    verify = service_of(scenario.world).verify
    now = verify(shown(scenario, "revoked"))
    assert now.anchor is not None
    then = verify(replace(shown(scenario, "revoked"), as_of=now.anchor.block_number))
    assert then.outcome is Outcome.VALID
    assert [later.kind for later in then.later] == ["revocation"]
    assert then.as_of.block_number == now.anchor.block_number
    assert now.status.at is not None
    by_time = verify(
        replace(shown(scenario, "revoked"), as_of=datetime.fromtimestamp(now.status.at - 1, UTC))
    )
    assert by_time.outcome is Outcome.VALID
    after = verify(replace(shown(scenario, "revoked"), as_of=datetime.fromtimestamp(now.status.at, UTC)))
    assert (after.outcome, after.later) == (Outcome.REVOKED, ())


def test_as_of_before_the_anchor_is_not_found_with_the_anchor_as_later(scenario: Scenario) -> None:
    report = service_of(scenario.world).verify(replace(shown(scenario, "valid"), as_of=1))
    assert report.outcome is Outcome.NOT_FOUND
    assert [later.kind for later in report.later] == ["anchor"]


def test_as_of_uses_that_time_for_validity_dates(scenario: Scenario) -> None:
    verify = service_of(scenario.world).verify
    now = verify(shown(scenario, "not yet valid"))
    assert now.outcome is Outcome.NOT_YET_VALID
    assert (
        verify(replace(shown(scenario, "not yet valid"), as_of=scenario.world.clock.now())).outcome
        is now.outcome
    )


@pytest.mark.parametrize("future", [10**9, 2**62, "time"])
def test_as_of_the_future_is_refused(scenario: Scenario, future: Any) -> None:
    as_of = scenario.world.clock.now() + timedelta(seconds=5) if future == "time" else future
    with pytest.raises(ValidationError) as caught:
        service_of(scenario.world).verify(replace(shown(scenario, "valid"), as_of=as_of))
    assert caught.value.faults[0].pointer == "/as_of"


@pytest.mark.parametrize("past", [-1, datetime(1971, 1, 1, tzinfo=UTC)])
def test_as_of_before_the_chain_is_refused(scenario: Scenario, past: Any) -> None:
    with pytest.raises(ValidationError):
        service_of(scenario.world).verify(replace(shown(scenario, "valid"), as_of=past))


def test_as_of_an_old_block_without_a_node_is_indeterminate(scenario: Scenario) -> None:
    world = scenario.world
    gone = service(scenario, chain=unreachable(world.chain))
    report = gone.verify(
        replace(shown(scenario, "valid"), as_of=datetime.fromtimestamp(1, UTC) + timedelta(days=18000))
    )
    assert report.outcome is Outcome.INDETERMINATE
    assert report.as_of.block_number is None


def test_block_that_the_index_kept_no_header_of_is_asked_from_the_node(scenario: Scenario) -> None:
    world = scenario.world
    verify = service_of(world).verify
    expected = [verify(replace(shown(scenario, "revoked"), as_of=number)) for number in (5, 20)]
    with world.store.write() as unit:
        kept = list(unit.events.recent_headers(1000))
    assert len(kept) > 20

    class Gap:
        """A store whose index has a gap in its headers."""

        def __init__(self, headers: list[Any]) -> None:
            self.headers = headers

        def write(self) -> Any:
            return world.store.write()

        @contextmanager
        def read(self) -> Iterator[Any]:
            with world.store.read() as real:
                events = Twisted(real.events, recent_headers=lambda limit: self.headers)
                yield Twisted(real, events=events)

    for headers in ([], kept[:3], [*kept[:2], *kept[4:]]):
        service_ = VerificationService(
            Gap(headers), world.chain, world.indexer, world.clock, VerificationPolicy()
        )
        again = [service_.verify(replace(shown(scenario, "revoked"), as_of=number)) for number in (5, 20)]
        assert again == expected


def test_block_that_many_ask_about_is_looked_up_once(scenario: Scenario) -> None:
    world, looked = scenario.world, []

    class Counting:
        """A store that notes how often headers are looked through."""

        def write(self) -> Any:
            return world.store.write()

        @contextmanager
        def read(self) -> Iterator[Any]:
            with world.store.read() as real:

                def headers(limit: int) -> Any:
                    looked.append(limit)
                    return real.events.recent_headers(limit)

                yield Twisted(real, events=Twisted(real.events, recent_headers=headers))

    service_ = VerificationService(Counting(), world.chain, world.indexer, world.clock, VerificationPolicy())
    asked = [replace(shown(scenario, name), as_of=5) for name in ("valid", "revoked", "valid")]
    reports = service_.verify_many(asked)
    assert len(looked) == 1
    assert reports == [service_of(world).verify(one) for one in asked]


def test_block_just_mined_is_indexed_before_it_counts_as_future(world: World) -> None:
    _, caller = world.hosted()
    (proof,) = issue(world, caller, [item(credential("one"))])
    world.driven.mine(3)
    newest = world.chain.latest().number
    report = service_of(world).verify(VerifyRequest(digest=proof.digest, as_of=newest))
    assert (report.outcome, report.as_of.block_number) == (Outcome.VALID, newest)


# --- bad requests ---


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (VerifyRequest(), ValidationError),
        (VerifyRequest(credential={"name": "no id"}), ValidationError),
        (VerifyRequest(credential={"id": "course-7"}), ValidationError),
        (VerifyRequest(credential=credential("x", proof={"type": "RootmarkProof/v1"})), MalformedProofError),
        (
            VerifyRequest(credential=credential("x", proof=[{"type": "RootmarkProof/v1"}] * 2)),
            ValidationError,
        ),
    ],
)
def test_bad_request_is_refused(scenario: Scenario, request_: VerifyRequest, error: type[Exception]) -> None:
    with pytest.raises(error):
        service_of(scenario.world).verify(request_)


def test_document_of_a_method_that_cannot_be_computed_is_refused_by_name(scenario: Scenario) -> None:
    request = shown(scenario, "valid")
    assert request.proof is not None
    proof = replace(request.proof, method=DigestMethod.RDFC_SHA256)
    with pytest.raises(UnsupportedDigestMethodError, match="rdfc-sha256"):
        service_of(scenario.world).verify(replace(request, proof=proof))


def test_bad_item_among_many_fails_only_itself(scenario: Scenario) -> None:
    good = shown(scenario, "valid")
    bad = VerifyRequest(credential={"id": "guess"})
    future = replace(good, as_of=10**9)
    results = service_of(scenario.world).verify_many([bad, good, future, VerifyRequest(digest=UNKNOWN)])
    assert isinstance(results[0], ValidationError)
    assert results[1].outcome is Outcome.VALID
    assert isinstance(results[2], ValidationError)
    assert results[3].outcome is Outcome.NOT_FOUND


def test_nothing_to_verify_gives_nothing(scenario: Scenario) -> None:
    assert service_of(scenario.world).verify_many([]) == []


# --- things that change ---


def test_before_the_first_reading_nothing_is_known(world: World) -> None:
    report = service_of(world).verify(VerifyRequest(digest=UNKNOWN))
    assert report.outcome is Outcome.INDETERMINATE
    assert report.as_of.block_number is None


def test_batch_not_yet_on_chain_is_pending_and_a_failed_one_not_found(world: World) -> None:
    _, caller = world.hosted()
    paper = credential("one")
    batch = world.issuing.create_batch(caller, [item(paper)])
    verify = service_of(world).verify
    report = verify(VerifyRequest(credential=paper))
    assert (report.outcome, report.anchor, report.status.state) == (Outcome.PENDING, None, State.NOT_ANCHORED)
    with world.store.write() as unit:
        stored = unit.batches.by_id(batch.id)
        assert stored is not None
        unit.batches.set_state(stored.seq, BatchState.FAILED, anchor=None, error="given up")
    assert verify(VerifyRequest(credential=paper)).outcome is Outcome.NOT_FOUND


def test_credential_in_an_open_batch_is_pending(world: World) -> None:
    _, caller = world.hosted()
    paper = credential("one")
    world.issuing.add_credential(caller, item(paper))
    verify = service_of(world).verify
    for live in (False, True):
        report = verify(VerifyRequest(credential=paper, live=live))
        assert report.outcome is Outcome.PENDING
        assert report.check(CheckName.INCLUSION).result is CheckResult.SKIPPED


def test_requested_change_is_shown_and_not_counted_until_mined(world: World) -> None:
    _, caller = world.hosted()
    papers = [credential(str(number)) for number in range(3)]
    issue(world, caller, [item(paper) for paper in papers])
    change(world, caller, RequestKind.REVOCATION, papers[1])
    verify = service_of(world).verify
    report = verify(VerifyRequest(credential=papers[1]))
    assert report.outcome is Outcome.VALID
    assert [(p.kind, p.reason, p.state) for p in report.status.pending] == [("revocation", 3, "queued")]
    assert verify(VerifyRequest(credential=papers[0])).status.pending == ()
    world.settle()
    report = verify(VerifyRequest(credential=papers[1]))
    assert (report.outcome, report.status.pending) == (Outcome.REVOKED, ())


def test_requested_withdrawal_is_shown_for_every_entry(world: World) -> None:
    _, caller = world.hosted()
    papers = [credential(str(number)) for number in range(2)]
    issue(world, caller, [item(paper) for paper in papers])
    entry = world.issuing.entries_by_digest(item(papers[0]).digest)[0]
    world.status.withdraw(caller, entry.batch_id, Reason.SUPERSEDED)
    for paper in papers:
        report = service_of(world).verify(VerifyRequest(credential=paper))
        assert [change.kind for change in report.status.pending] == ["withdrawal"]


def test_erased_credential_is_found_by_its_proof_alone(world: World) -> None:
    _, caller = world.hosted()
    paper = credential("one")
    (proof,) = issue(world, caller, [item(paper)])
    batch = world.issuing.entries_by_digest(proof.digest)[0].batch_id
    world.issuing.erase(caller, proof.digest)
    verify = service_of(world).verify
    assert verify(VerifyRequest(credential=paper)).outcome is Outcome.NOT_FOUND
    report = verify(VerifyRequest(credential=paper, proof=proof))
    assert report.outcome is Outcome.VALID
    assert report.anchor is not None
    assert report.anchor.batch == batch


def test_worst_of_two_entries_of_one_issuer_wins_and_a_stranger_changes_nothing(world: World) -> None:
    _, own = world.hosted()
    _, another = world.hosted()
    paper = credential("one")
    (first,) = issue(world, own, [item(paper)])
    (other,) = issue(world, another, [item(paper)])
    verify = service_of(world).verify
    both = verify(VerifyRequest(digest=first.digest))
    assert (both.outcome, len(both.candidates)) == (Outcome.VALID, 2)
    issue(world, own, [item(paper)], allow_duplicate=True)
    change(world, own, RequestKind.REVOCATION, paper)
    world.settle()
    differ = verify(VerifyRequest(credential=paper, proof=other))
    assert differ.outcome is Outcome.INDETERMINATE
    assert {candidate.outcome for candidate in differ.candidates} == {Outcome.REVOKED, Outcome.VALID}
    assert verify(VerifyRequest(digest=first.digest, issuer=own.issuer)).outcome is Outcome.REVOKED
    assert verify(VerifyRequest(digest=first.digest, issuer=another.issuer)).outcome is Outcome.VALID


def test_issuer_whose_index_contradicts_the_chain_is_indeterminate(world: World) -> None:
    _, caller = world.hosted()
    (proof,) = issue(world, caller, [item(credential("one"))])
    assert caller.issuer is not None
    with world.store.write() as unit:
        unit.events.set_mismatch(caller.issuer, 5, "the history breaks")
    report = service_of(world).verify(VerifyRequest(digest=proof.digest))
    assert report.outcome is Outcome.INDETERMINATE
    assert "contradicts" in report.summary
    policy = VerificationPolicy()
    idle = IndexerDouble(lambda: None)
    unhealed = VerificationService(world.store, world.chain, idle, world.clock, policy)
    live = VerifyRequest(digest=proof.digest, live=True)
    assert unhealed.verify(live).outcome is Outcome.INDETERMINATE
    assert service_of(world).verify(live).outcome is Outcome.VALID  # the indexer fetched the history anew


def test_confirmations_decide_what_is_final(scenario: Scenario) -> None:
    report = service_of(scenario.world).verify(shown(scenario, "pending"))
    assert report.anchor is not None
    assert not report.anchor.final
    assert report.anchor.confirmations < CONFIRMATIONS


def test_dates_beside_an_opaque_digest_count(world: World) -> None:
    _, caller = world.hosted()
    until = world.clock.now() + timedelta(hours=1)
    paper = item(credential("one"), DigestMethod.OPAQUE, valid_until=until)
    issue(world, caller, [paper])
    verify = service_of(world).verify
    assert verify(VerifyRequest(digest=paper.digest)).outcome is Outcome.VALID
    world.clock.advance(3601)
    world.indexer.catch_up()
    assert verify(VerifyRequest(digest=paper.digest)).outcome is Outcome.EXPIRED
