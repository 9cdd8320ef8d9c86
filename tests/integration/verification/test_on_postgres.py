"""The same verdicts from PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from registry.services.offline import Trust, verify_with_rpc
from registry.services.policy import Policy
from tests.integration.verification.scenario import CONFIRMATIONS, build, service_of
from tests.integration.verification.test_differential import CASES, comparable
from tests.support.chains import embedded_chain
from tests.support.pipeline import world_on


@pytest.mark.postgres
@pytest.mark.slow
def test_every_state_has_its_verdict_on_postgresql_too(tmp_path: Path, postgres_url: str) -> None:
    policy = Policy(confirmations=CONFIRMATIONS)
    with (
        embedded_chain(tmp_path / "chain") as driven,
        world_on(driven, tmp_path, url=postgres_url, policy=policy) as world,
    ):
        scenario = build(world)
        service = service_of(world)
        trust = Trust(issuers=scenario.issuers, confirmations=CONFIRMATIONS)
        assert set(scenario.cases) == set(CASES)
        for name, (request, expected) in scenario.cases.items():
            report = service.verify(request)
            assert report.outcome is expected, name
            by_node = verify_with_rpc(request, [world.chain], trust, now=world.clock.now())
            assert comparable(by_node) == comparable(report), name
            past = replace(request, as_of=20)
            by_node = verify_with_rpc(past, [world.chain], trust, now=world.clock.now())
            assert comparable(by_node) == comparable(service.verify(past)), name
