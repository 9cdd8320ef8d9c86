"""A scenario for each module: building one takes some seconds, and the tests only read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.services.policy import Policy
from tests.integration.verification.scenario import CONFIRMATIONS, Scenario, build
from tests.support.chains import embedded_chain
from tests.support.databases import (
    BOTH,
    database_url,
    lent_url,
    postgres_server,
    postgres_url,
    sqlite_url,
)
from tests.support.pipeline import World, world_on

__all__ = [
    "database_url",
    "postgres_server",
    "postgres_url",
    "scenario",
    "scenario_url",
    "sqlite_url",
    "world",
]


@pytest.fixture(scope="module", params=BOTH)
def scenario_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Each database in turn; a module that asks nodes only overrides this with one."""
    with lent_url(request, tmp_path_factory.mktemp("database")) as url:
        yield url


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory, scenario_url: str) -> Iterator[Scenario]:
    directory = tmp_path_factory.mktemp("scenario")
    policy = Policy(confirmations=CONFIRMATIONS)
    with (
        embedded_chain(directory / "chain") as driven,
        world_on(driven, directory, url=scenario_url, policy=policy) as world,
    ):
        yield build(world)


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    """A server that the test may change; blocks are final at once."""
    with embedded_chain(tmp_path / "chain") as driven, world_on(driven, tmp_path, url=database_url) as world:
        yield world
