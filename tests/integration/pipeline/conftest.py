"""A server with its pipeline, over the embedded chain or over anvil, on each database in turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.chains import embedded_chain
from tests.support.databases import database_url, postgres_server, postgres_url, sqlite_url
from tests.support.pipeline import World, world_on

__all__ = ["database_url", "postgres_server", "postgres_url", "sqlite_url", "world"]


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    """On the embedded chain; the block that includes a transaction makes it final."""
    with embedded_chain(tmp_path / "chain") as driven, world_on(driven, tmp_path, url=database_url) as world:
        yield world
