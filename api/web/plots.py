"""Bars as SVG, drawn on the server: they need no script and no network. Pure.

Beside each plot stands a table with the same figures, so the drawing is hidden from screen readers but for
its name. Colours and type come from the style sheet.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

WIDTH = 640
_ROW = 26
_TALL = 260
_GAP = 0.25
_LABELS = 8
_ROOM_BELOW = 40
_ROOM_ABOVE = 24
_LABEL_WIDTH = 190
_VALUE_WIDTH = 90
_CHARACTERS = 27
_TEXT = Markup('<text x="{}" y="{}">{}</text>')


def columns(bars: Sequence[tuple[str, float]], name: str, top: str) -> Markup:
    """Standing bars, in the order of time.

    Args:
        bars: a label and a value of at least 0 each; some of the labels are written.
        name: what the plot shows.
        top: the largest value, as it is written.
    """
    most = max((value for _, value in bars), default=0) or 1
    step = WIDTH / max(len(bars), 1)
    base = _TALL - _ROOM_BELOW
    every = -(-len(bars) // _LABELS) or 1
    parts = [
        Markup('<text x="0" y="14">{}</text>').format(top),
        Markup('<line class="axis" x1="0" y1="{0}" x2="{1}" y2="{0}"></line>').format(base, WIDTH),
    ]
    for place, (label, value) in enumerate(bars):
        height = _scaled(value, most, base - _ROOM_ABOVE)
        left = place * step + step * _GAP / 2
        parts.append(_bar(left, base - height, step * (1 - _GAP), height))
        if place % every == 0:
            parts.append(_TEXT.format(round(left, 1), base + 20, label))
    return _drawing(name, _TALL, parts)


def rows(bars: Sequence[tuple[str, float, str]], name: str) -> Markup:
    """Lying bars, each with its label before and its value, as it is written, behind it."""
    most = max((value for _, value, _ in bars), default=0) or 1
    room = WIDTH - _LABEL_WIDTH - _VALUE_WIDTH
    parts = []
    for place, (label, value, written) in enumerate(bars):
        top = place * _ROW
        width = _scaled(value, most, room)
        parts.append(_bar(_LABEL_WIDTH, top + 4, width, _ROW - 8))
        short = label if len(label) <= _CHARACTERS else label[: _CHARACTERS - 1] + "…"
        parts.append(_TEXT.format(0, top + 18, short))
        parts.append(_TEXT.format(round(_LABEL_WIDTH + width + 6, 1), top + 18, written))
    return _drawing(name, max(len(bars), 1) * _ROW, parts)


def _scaled(value: float, most: float, room: float) -> float:
    """A length; what is there at all can be seen."""
    return max(value / most * room, 1.5) if value > 0 else 0.0


def _bar(left: float, top: float, width: float, height: float) -> Markup:
    numbers = (round(number, 1) for number in (left, top, width, height))
    return Markup('<rect class="bar" x="{}" y="{}" width="{}" height="{}"></rect>').format(*numbers)


def _drawing(name: str, height: int, parts: Sequence[Markup]) -> Markup:
    head = Markup('<svg class="plot" role="img" aria-label="{}" viewBox="0 0 {} {}">').format(
        escape(name), WIDTH, height
    )
    return head + Markup("").join(parts) + Markup("</svg>")
