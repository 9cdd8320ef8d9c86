"""The background work of a process: index, seal, sign, send, confirm, in turns, until told to stop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from registry.errors import RootmarkError

log = logging.getLogger(__name__)

MAX_PAUSE_SECONDS = 30.0


class Worker:
    """Runs its steps round by round. A failing step is logged and tried again, less and less often, and never
    stops the others."""

    def __init__(self, steps: Sequence[tuple[str, Callable[[], bool]]], *, poll_seconds: float) -> None:
        self._steps = steps
        self._poll_seconds = poll_seconds
        self._failures: dict[str, int] = {}

    def step(self) -> bool:
        """One round of everything; errors come out. True when some step has more to do at once."""
        busy = [step() for _, step in self._steps]
        return any(busy)

    def run(self, stop: threading.Event) -> None:
        """Rounds until ``stop`` is set."""
        while not stop.is_set():
            busy = [self._guarded(name, step) for name, step in self._steps]
            if not any(busy):
                stop.wait(self._pause_seconds())

    def _pause_seconds(self) -> float:
        worst = max(self._failures.values(), default=0)
        return float(min(self._poll_seconds * 2 ** min(worst, 10), MAX_PAUSE_SECONDS))

    def _guarded(self, name: str, step: Callable[[], bool]) -> bool:
        try:
            busy = step()
        except RootmarkError as error:
            self._failures[name] = self._failures.get(name, 0) + 1
            if self._failures[name] in (1, 10, 100):
                log.warning("%s cannot go on: %s", name, error, extra={"failures": self._failures[name]})
            return False
        except Exception:
            self._failures[name] = self._failures.get(name, 0) + 1
            log.exception("%s failed unexpectedly", name)
            return False
        if self._failures.pop(name, 0):
            log.info("%s goes on", name)
        return busy
