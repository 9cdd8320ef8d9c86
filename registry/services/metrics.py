"""The five figures an operator watches. Counted or read when asked for; nothing here runs by itself."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from registry.errors import ChainError, ChainUnavailableError
from registry.model.batches import BatchState
from registry.ports.chain import ChainReader
from registry.ports.clock import Clock
from registry.ports.store import Store
from registry.verdict.report import Outcome


@dataclass(frozen=True, slots=True)
class Figures:
    """A reading. ``index_lag_blocks`` is None when the node cannot be read."""

    anchor_lag_seconds: float
    batches: Mapping[BatchState, int]
    gas_used_total: int
    verdicts: Mapping[Outcome, int]
    index_lag_blocks: int | None


class Metrics:
    """Counts this process's verdicts, and reads the rest from store and node."""

    def __init__(self, store: Store, chain: ChainReader, clock: Clock) -> None:
        self._store = store
        self._chain = chain
        self._clock = clock
        self._verdicts: Counter[Outcome] = Counter()
        self._lock = threading.Lock()

    def count_verdict(self, outcome: Outcome) -> None:
        """A verification was finished."""
        with self._lock:
            self._verdicts[outcome] += 1

    def read(self) -> Figures:
        """The present figures. Raises `StoreUnavailableError`."""
        with self._store.read() as unit:
            oldest = unit.batches.oldest_unanchored()
            batches = unit.batches.count_by_state()
            gas = unit.outbox.gas_used_total()
            position = unit.events.position()
        lag = 0.0 if oldest is None else max((self._clock.now() - oldest).total_seconds(), 0.0)
        with self._lock:
            verdicts = dict(self._verdicts)
        return Figures(
            lag, batches, gas, verdicts, self._index_lag(position.block.number if position else -1)
        )

    def _index_lag(self, indexed: int) -> int | None:
        try:
            return max(self._chain.latest().number - indexed, 0)
        except (ChainUnavailableError, ChainError):
            return None
