"""A chain that answers as another does, except where a test makes it lie or fail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from registry.errors import ChainUnavailableError


class Twisted:
    """Every attribute is the real chain's but those given."""

    def __init__(self, chain: Any, **answers: Any) -> None:
        self._chain = chain
        self.__dict__.update(answers)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)


def down(*_arguments: Any, **_options: Any) -> Any:
    """An answer of a node that cannot be reached."""
    raise ChainUnavailableError("connection refused")


def unreachable(chain: Any) -> Twisted:
    """A node that was there when it was opened, and is gone."""
    reads = (
        "latest",
        "finalized",
        "header",
        "headers",
        "block_at_time",
        "events_in_range",
        "head_of",
        "status_of",
    )
    return Twisted(chain, **dict.fromkeys(reads, down))


class IndexerDouble:
    """An indexer whose catching up does what a test says."""

    def __init__(self, catch_up: Callable[[], Any]) -> None:
        self.catch_up = catch_up
        self.calls = 0


class ShiftedClock:
    """A clock that runs ahead of another."""

    def __init__(self, clock: Any, seconds: float) -> None:
        self._clock = clock
        self._shift = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return self._clock.now() + self._shift
