"""The gateway over the embedded chain, and over anvil."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.chains import DrivenChain, anvil_chain, embedded_chain


@pytest.fixture(params=["embedded", pytest.param("anvil", marks=pytest.mark.node)])
def chain(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DrivenChain]:
    """Both kinds of chain: whatever holds for one has to hold for the other."""
    with embedded_chain(tmp_path / "chain") if request.param == "embedded" else anvil_chain() as driven:
        yield driven


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[DrivenChain]:
    """The embedded chain."""
    with embedded_chain(tmp_path / "chain") as driven:
        yield driven


@pytest.fixture
def anvil_node() -> Iterator[DrivenChain]:
    """anvil; tests that use it carry the mark `node`."""
    with anvil_chain() as driven:
        yield driven
