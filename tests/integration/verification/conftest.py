"""A scenario for each module: building one takes some seconds, and the tests only read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.services.policy import Policy
from tests.integration.verification.scenario import CONFIRMATIONS, Scenario, build
from tests.support.chains import embedded_chain
from tests.support.databases import postgres_server, postgres_url
from tests.support.pipeline import World, world_on

__all__ = ["postgres_server", "postgres_url", "scenario", "world"]


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    directory = tmp_path_factory.mktemp("scenario")
    policy = Policy(confirmations=CONFIRMATIONS)
    with (
        embedded_chain(directory / "chain") as driven,
        world_on(driven, directory, policy=policy) as world,
    ):
        yield build(world)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A server that the test may change; blocks are final at once."""
    with embedded_chain(tmp_path / "chain") as driven, world_on(driven, tmp_path) as world:
        yield world
