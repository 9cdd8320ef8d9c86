"""The canonicaliser over the bundled contexts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from registry.credentials.rdf import ContextStore, RdfCanonicalizer


@pytest.fixture(scope="session")
def canonicalizer() -> Iterator[RdfCanonicalizer]:
    """One for all tests: reading the contexts takes a while."""
    made = RdfCanonicalizer(ContextStore())
    yield made
    made.close()
