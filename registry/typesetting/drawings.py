"""Draws SVGs, each in a child process with little memory and time.

A few hundred bytes of SVG can ask for hours of work, by filters, masks, markers and patterns that multiply,
which no look at its text tells: it is drawn where it is taken, once, and refused if that takes too much. What
was drawn in time may be set into documents by this process.
"""

from __future__ import annotations

from registry.encoding import invalid
from registry.limited import answer_of

SIDE = 400
"""Pixels, of width and height; the drawing is as large as fits, its surroundings are transparent."""

SECONDS = 2
MEMORY_BYTES = 1 << 30
BROKEN = b"broken"
_DRAWER = "registry.typesetting.drawer"


def png_of(svg: bytes) -> bytes:
    """The drawing as a PNG; it can be set into a PDF too.

    Args:
        svg: cleaned, so that it refers to nothing else.

    Raises:
        ValidationError: code ``svg-heavy``: it takes more than `SECONDS` of the processor, or too much
            memory; ``svg-broken``: it cannot be drawn.
        UnavailableError: the child process does not start.
    """
    drawn = answer_of(_DRAWER, svg, seconds=SECONDS, memory_bytes=MEMORY_BYTES)
    if drawn is None:
        raise invalid("svg-heavy", "the SVG takes too long to draw: use fewer filters and masks", "")
    if drawn == BROKEN:
        raise invalid("svg-broken", "the SVG cannot be drawn: save it anew from a drawing program", "")
    return drawn
