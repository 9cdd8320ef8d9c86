"""A server with its pipeline, over the embedded chain or over anvil."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.chains import embedded_chain
from tests.support.pipeline import World, world_on


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """On the embedded chain; the block that includes a transaction makes it final."""
    with embedded_chain(tmp_path / "chain") as driven, world_on(driven, tmp_path) as world:
        yield world
