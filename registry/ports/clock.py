"""Time as the services see it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The wall clock, and a way to wait that a stop can interrupt."""

    def now(self) -> datetime:
        """The present, aware, in UTC."""
        ...
