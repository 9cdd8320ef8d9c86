"""What a benchmark found: figures with their unit, the peer's figure, the ratio and the target; as a table or
as JSON.

Nothing here fails when a target is missed: the machine decides, the reader judges.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """A bound. ``of`` says whether it is on the "figure" itself or on the "ratio" to the peer."""

    limit: float
    of: str = "figure"
    at_least: bool = False

    def met(self, value: float) -> bool:
        """Whether ``value`` is within the bound."""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{self.of} at {'least' if self.at_least else 'most'} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of ours, in ``unit``; with it, where there is one, the number of ``peer_name`` from the same
    run."""

    name: str
    unit: str
    figure: float
    peer: float | None = None
    peer_name: str | None = None
    target: Target | None = None

    @property
    def ratio(self) -> float | None:
        """Figure over the peer's figure; None without a peer, or beside a zero."""
        return self.figure / self.peer if self.peer else None

    @property
    def met(self) -> bool | None:
        """Whether the target holds; None where none is set or nothing can be compared."""
        if self.target is None:
            return None
        value = self.ratio if self.target.of == "ratio" else self.figure
        return None if value is None else self.target.met(value)

    def to_json(self) -> dict[str, Any]:
        """The members that apply; the ratio is called after the peer."""
        value: dict[str, Any] = {"name": self.name, "unit": self.unit, "figure": _short(self.figure)}
        if self.peer is not None and self.peer_name is not None:
            value["peer"] = self.peer_name
            value["peer_figure"] = _short(self.peer)
            value[f"ratio_to_{self.peer_name}"] = None if self.ratio is None else round(self.ratio, 3)
        if self.target is not None:
            value["target"] = str(self.target)
            value["met"] = self.met
        return value


@dataclass(slots=True)
class Outcome:
    """All figures of one benchmark, and what a reader must know about how they came about."""

    benchmark: str
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """As `scripts/bench --json` prints it."""
        return {
            "benchmark": self.benchmark,
            "machine": machine(),
            "figures": [figure.to_json() for figure in self.figures],
            "notes": self.notes,
        }

    def to_table(self) -> str:
        """As `scripts/bench` prints it."""
        rows = [("", "figure", "unit", "peer", "ratio", "target", "")]
        rows += [_row(figure) for figure in self.figures]
        return "\n".join([*_aligned(rows), *(f"note: {note}" for note in self.notes)])


def machine() -> dict[str, Any]:
    """The machine in general terms."""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "cores": len(os.sched_getaffinity(0)),
    }


def _short(value: float) -> float:
    """Four significant places are more than any of these numbers is good for; whole numbers stay whole."""
    return round(value) if float(value).is_integer() or abs(value) >= 1000 else float(f"{value:.4g}")


def _shown(value: float) -> str:
    return f"{_short(value):,}"


def _row(figure: Figure) -> tuple[str, ...]:
    peer = "" if figure.peer is None else f"{_shown(figure.peer)} ({figure.peer_name})"
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    verdict = {True: "met", False: "MISSED", None: ""}[figure.met]
    return (
        figure.name,
        _shown(figure.figure),
        figure.unit,
        peer,
        ratio,
        str(figure.target or ""),
        verdict,
    )


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
