"""Draws an SVG in the child process of `registry.typesetting.drawings`, and in no other."""

from __future__ import annotations

from typing import Any

import typst

from registry.typesetting.drawings import BROKEN, SIDE
from registry.typesetting.pdf import fonts

_TEMPLATE = f"""\
#set page(width: auto, height: auto, margin: 0pt, fill: none)
#image("drawing.svg", width: {SIDE}pt, height: {SIDE}pt, fit: "contain", alt: "")
"""
_PIXELS_PER_INCH = 72  # one to a point


def answer(svg: bytes) -> bytes:
    """The PNG, after a PDF/A was made of it too; `BROKEN` where either cannot be."""
    files: Any = {"main.typ": _TEMPLATE.encode(), "drawing.svg": svg}  # the library's stubs know single files
    try:
        typst.compile(files, format="pdf", pdf_standards=["a-3b"], font_paths=fonts())
        drawn: bytes = typst.compile(files, format="png", ppi=_PIXELS_PER_INCH, font_paths=fonts())
    except typst.TypstError:
        return BROKEN
    return drawn
