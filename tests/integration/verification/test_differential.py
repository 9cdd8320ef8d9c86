"""The same verdict from the server's index, by direct reads, and from a node without the server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from registry.errors import ValidationError
from registry.services.offline import Trust, verify_with_rpc
from registry.verdict.report import Outcome, report_to_json
from tests.integration.verification.scenario import CONFIRMATIONS, Scenario, service_of
from tests.integration.verification.twisted import Twisted, down

CASES = [
    "valid",
    "revoked",
    "suspended",
    "reinstated",
    "annulled",
    "expired",
    "not yet valid",
    "revoked, not final",
    "reinstated, not final",
    "opaque",
    "opaque, digest alone",
    "withdrawn",
    "withdrawal annulled",
    "before the theft",
    "after the theft",
    "of a stranger",
    "of a stranger, named",
    "never anchored",
    "pending",
    "tampered",
    "moved proof",
    "another digest",
    "another root",
]


def comparable(report: Any) -> dict[str, Any]:
    """A report without the source, and without what only a server has: its name for the batch, what was
    asked for, and that it hosts the issuer."""
    body = report_to_json(report)
    body["as_of"].pop("source")
    body["status"].pop("pending")
    if body["anchor"] is not None:
        body["anchor"].pop("batch")
    for check in body["checks"]:
        check["detail"] = check["detail"].replace("is hosted here", "is on the trust list")
    return body


@pytest.mark.slow  # for the scenario, which the first test makes
def test_every_case_is_compared_and_every_outcome_occurs(scenario: Scenario) -> None:
    assert set(scenario.cases) == set(CASES)
    assert {outcome for _, outcome in scenario.cases.values()} == set(Outcome)


@pytest.mark.parametrize("name", CASES)
def test_server_and_offline_verifier_give_the_same_verdict(scenario: Scenario, name: str) -> None:
    request, expected = scenario.cases[name]
    world = scenario.world
    service = service_of(world)
    trust = Trust(issuers=scenario.issuers, confirmations=CONFIRMATIONS)
    by_server = service.verify(request)
    by_node = verify_with_rpc(request, [world.chain], trust, now=world.clock.now())
    by_live = service.verify(replace(request, live=True))
    assert by_server.outcome is expected, by_server.summary
    assert comparable(by_node) == comparable(by_server)
    assert comparable(by_live) == comparable(by_server)
    assert (by_server.as_of.source, by_node.as_of.source) == ("index", "rpc")


@pytest.mark.parametrize("name", CASES)
def test_the_past_is_the_same_for_server_and_offline_verifier(scenario: Scenario, name: str) -> None:
    request, _ = scenario.cases[name]
    world = scenario.world
    service = service_of(world)
    trust = Trust(issuers=scenario.issuers, confirmations=CONFIRMATIONS)
    newest = world.chain.latest().number
    for number in range(0, newest + 1, 7):
        asked = replace(request, as_of=number)
        by_server = service.verify(asked)
        by_node = verify_with_rpc(asked, [world.chain], trust, now=world.clock.now())
        assert comparable(by_node) == comparable(by_server), number


def test_a_time_means_the_last_block_not_later(scenario: Scenario) -> None:
    request, _ = scenario.cases["revoked"]
    world = scenario.world
    trust = Trust(issuers=scenario.issuers, confirmations=CONFIRMATIONS)
    revoked_at = service_of(world).verify(request).status.at
    assert revoked_at is not None
    outcomes = []
    for seconds in (-1, 0, 1):
        asked = replace(request, as_of=datetime.fromtimestamp(revoked_at + seconds, UTC))
        by_server = service_of(world).verify(asked)
        by_node = verify_with_rpc(asked, [world.chain], trust, now=world.clock.now())
        assert comparable(by_node) == comparable(by_server)
        outcomes.append(by_node.outcome)
    assert outcomes == [Outcome.VALID, Outcome.REVOKED, Outcome.REVOKED]


def test_time_before_the_chain_is_refused_and_an_unreachable_node_is_not(scenario: Scenario) -> None:
    request, _ = scenario.cases["valid"]
    world = scenario.world
    asked = replace(request, as_of=datetime(1971, 1, 1, tzinfo=UTC))
    with pytest.raises(ValidationError):
        verify_with_rpc(asked, [world.chain], Trust(), now=world.clock.now())
    lost = Twisted(world.chain, block_at_time=down)
    report = verify_with_rpc(asked, [lost], Trust(), now=world.clock.now())
    assert report.outcome is Outcome.INDETERMINATE


def test_many_at_once_give_the_same_as_each_alone(scenario: Scenario) -> None:
    service = service_of(scenario.world)
    requests = [request for request, _ in scenario.cases.values()]
    together = service.verify_many(requests)
    assert together == [service.verify(request) for request in requests]
