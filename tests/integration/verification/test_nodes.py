"""Nodes that hide, invent, move, lag or contradict: caught, named, and never `valid`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from registry.encoding import Address, BlockHash
from registry.errors import ConfigurationError, NodeMismatchError, UnknownBlockError, ValidationError
from registry.model.chain import ContractStatus, EventKind
from registry.services.claims import VerifyRequest
from registry.services.offline import Trust, verify_with_rpc
from registry.verdict.report import Outcome, Report
from tests.integration.verification.scenario import CONFIRMATIONS, Scenario
from tests.integration.verification.twisted import Twisted, unreachable


@pytest.fixture(scope="module")
def scenario_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One database is enough: what is tested here reads nodes alone."""
    return f"sqlite:///{tmp_path_factory.mktemp('database') / 'rootmark.db'}"


def verify(scenario: Scenario, name: str, *chains: Any, **changes: Any) -> Report:
    trust = Trust(issuers=scenario.issuers, confirmations=CONFIRMATIONS)
    request = replace(scenario.cases[name][0], **changes)
    return verify_with_rpc(request, chains, trust, now=scenario.world.clock.now())


def with_events(chain: Any, edit: Any) -> Twisted:
    """A node whose list of events goes through ``edit``."""

    def events_in_range(first: int, last: int, *, issuer: Address | None = None) -> Any:
        return edit(list(chain.events_in_range(first, last, issuer=issuer)))

    return Twisted(chain, events_in_range=events_in_range)


def without(kind: EventKind) -> Any:
    return lambda events: [event for event in events if event.kind is not kind]


HIDDEN = [EventKind.REVOKED, EventKind.SUSPENDED, EventKind.BATCH_WITHDRAWN, EventKind.KEY_ADDED]


@pytest.mark.parametrize("kind", HIDDEN)
def test_hidden_events_are_caught(scenario: Scenario, kind: EventKind) -> None:
    lying = with_events(scenario.world.chain, without(kind))
    report = verify(scenario, "revoked", lying)
    assert report.outcome is Outcome.INDETERMINATE
    assert "history head" in report.summary
    assert report.as_of.block_number == scenario.world.chain.latest().number


def test_hidden_newest_event_is_caught(scenario: Scenario) -> None:
    lying = with_events(scenario.world.chain, lambda events: events[:-1])
    assert verify(scenario, "valid", lying).outcome is Outcome.INDETERMINATE


def test_invented_event_is_caught(scenario: Scenario) -> None:
    def invent(events: list[Any]) -> list[Any]:
        revoked = next(event for event in events if event.kind is EventKind.REVOKED)
        annulled = replace(revoked, kind=EventKind.REVOCATION_ANNULLED, account=revoked.issuer)
        newest = events[-1]
        return [*events, replace(annulled, block_number=newest.block_number, log_index=newest.log_index + 1)]

    report = verify(scenario, "revoked", with_events(scenario.world.chain, invent))
    assert report.outcome is Outcome.INDETERMINATE


def test_event_without_its_parameters_is_caught(scenario: Scenario) -> None:
    broken = with_events(scenario.world.chain, lambda events: [replace(events[0], account=None), *events[1:]])
    assert verify(scenario, "valid", broken).outcome is Outcome.INDETERMINATE


def test_event_moved_to_another_block_is_caught(scenario: Scenario) -> None:
    """Heads do not commit to block numbers, only to times."""
    anchored = verify(scenario, "revoked", scenario.world.chain).anchor
    assert anchored is not None
    newest = scenario.world.chain.latest().number

    def later(events: list[Any]) -> list[Any]:
        first = next(i for i, event in enumerate(events) if event.kind is EventKind.REVOKED)
        return [*events[:first], *(replace(event, block_number=newest) for event in events[first:])]

    revoked_at = verify(scenario, "revoked", scenario.world.chain).status.at
    assert revoked_at is not None
    block = scenario.world.chain.block_at_time(revoked_at + 1)
    honest = verify(scenario, "revoked", scenario.world.chain, as_of=block.number)
    moved = verify(scenario, "revoked", with_events(scenario.world.chain, later), as_of=block.number)
    assert (honest.outcome, moved.outcome) == (Outcome.REVOKED, Outcome.INDETERMINATE)


def test_second_node_gives_the_events_that_the_first_hides(scenario: Scenario) -> None:
    honest = scenario.world.chain
    report = verify(scenario, "revoked", with_events(honest, without(EventKind.REVOKED)), honest)
    assert report.outcome is Outcome.REVOKED


def test_node_with_an_old_head_hides_nothing_that_another_knows(scenario: Scenario) -> None:
    """The old node ends before the revocation; the newest block of the other one still has it."""
    honest = scenario.world.chain
    anchor = verify(scenario, "revoked", honest).anchor
    assert anchor is not None
    old = honest.header(anchor.block_number + CONFIRMATIONS - 1)
    lagging = Twisted(honest, latest=lambda: old)
    alone = verify(scenario, "revoked", lagging)
    assert alone.outcome is Outcome.VALID
    for nodes in ((lagging, honest), (honest, lagging)):
        report = verify(scenario, "revoked", *nodes)
        assert report.outcome is Outcome.INDETERMINATE
        assert "says revoked" in report.summary


def test_nodes_on_different_blocks_are_named(scenario: Scenario) -> None:
    honest = scenario.world.chain

    def header(number: int) -> Any:
        return replace(honest.header(number), hash=BlockHash(b"\1" * 32))

    report = verify(scenario, "valid", honest, Twisted(honest, header=header))
    assert report.outcome is Outcome.INDETERMINATE
    assert "disagree about block" in report.summary
    assert "node 2 says 0x0101" in report.summary


def test_nodes_with_different_heads_are_named(scenario: Scenario) -> None:
    honest = scenario.world.chain
    report = verify(scenario, "valid", honest, Twisted(honest, head_of=lambda *_: bytes(32)))
    assert report.outcome is Outcome.INDETERMINATE
    assert "history head" in report.summary


def test_node_whose_contract_says_another_status_is_named(scenario: Scenario) -> None:
    honest = scenario.world.chain
    suspended = Twisted(honest, status_of=lambda *_: (1, ContractStatus.SUSPENDED))
    report = verify(scenario, "valid", honest, suspended)
    assert report.outcome is Outcome.INDETERMINATE
    assert "node 2 says suspended" in report.summary


def test_node_on_another_chain_with_the_same_id_is_named(scenario: Scenario) -> None:
    honest = scenario.world.chain
    twin = Twisted(honest, info=replace(honest.info, genesis_hash=BlockHash(b"\2" * 32)))
    report = verify(scenario, "valid", honest, twin)
    assert report.outcome is Outcome.INDETERMINATE
    assert "another chain" in report.summary


def test_unreachable_node_is_never_valid(scenario: Scenario) -> None:
    honest = scenario.world.chain
    for nodes in ((unreachable(honest),), (honest, unreachable(honest))):
        report = verify(scenario, "valid", *nodes)
        assert report.outcome is Outcome.INDETERMINATE
        assert "could not be read" in report.summary
        assert report.status.state == "unknown"


@pytest.mark.parametrize("error", [UnknownBlockError("gone"), NodeMismatchError("nonsense")])
def test_node_that_loses_the_block_or_talks_nonsense_is_never_valid(
    scenario: Scenario, error: Exception
) -> None:
    def fail(*_: Any) -> Any:
        raise error

    report = verify(scenario, "valid", Twisted(scenario.world.chain, head_of=fail))
    assert report.outcome is Outcome.INDETERMINATE


def test_finality_is_what_every_node_calls_final(scenario: Scenario) -> None:
    honest = scenario.world.chain
    early = honest.header(1)
    strict = Twisted(honest, finalized=lambda: early)
    assert verify(scenario, "valid", honest).outcome is Outcome.VALID
    assert verify(scenario, "valid", strict, honest).outcome is Outcome.PENDING


def other_registry(chain: Any, **answers: Any) -> Twisted:
    return Twisted(chain, info=replace(chain.info, address=Address(b"\7" * 20)), **answers)


def test_worst_status_wins_among_several_registries(scenario: Scenario) -> None:
    honest = scenario.world.chain
    empty = other_registry(
        honest,
        events_in_range=lambda *_, **__: (),
        head_of=lambda *_: bytes(32),
        status_of=lambda *_: (0, ContractStatus.NOT_ANCHORED),
    )
    assert verify(scenario, "valid", honest, empty).outcome is Outcome.VALID
    assert verify(scenario, "revoked", empty, honest).outcome is Outcome.REVOKED
    assert verify(scenario, "never anchored", honest, empty).outcome is Outcome.NOT_FOUND
    down = unreachable(other_registry(honest))
    assert verify(scenario, "valid", honest, down).outcome is Outcome.INDETERMINATE


def test_without_a_proof_nothing_can_be_found(scenario: Scenario) -> None:
    with pytest.raises(ValidationError, match="proof"):
        verify(scenario, "valid", scenario.world.chain, proof=None)


def test_without_a_node_there_is_no_verdict(scenario: Scenario) -> None:
    with pytest.raises(ConfigurationError):
        verify(scenario, "valid")


def test_future_is_refused(scenario: Scenario) -> None:
    with pytest.raises(ValidationError):
        verify(scenario, "valid", scenario.world.chain, as_of=10**9)


def test_proof_without_a_document_is_enough(scenario: Scenario) -> None:
    report = verify(scenario, "valid", scenario.world.chain, credential=None)
    assert report.outcome is Outcome.VALID


def test_request_of_an_unknown_issuer_is_intact_and_no_more(scenario: Scenario) -> None:
    request = scenario.cases["valid"][0]
    trust = Trust(confirmations=CONFIRMATIONS)
    now = scenario.world.clock.now()
    unknown = verify_with_rpc(request, [scenario.world.chain], trust, now=now)
    assert "Intact, but by an issuer not known here" in unknown.summary
    assert request.proof is not None
    named = VerifyRequest(credential=request.credential, proof=request.proof, issuer=request.proof.issuer)
    assert verify_with_rpc(named, [scenario.world.chain], trust, now=now).outcome is Outcome.VALID
