"""Sets a template as PDF/A-3b, by typst.

Deterministic: the same files and time give the same bytes, since fonts are bundled and none of the system's
is looked at. What people wrote goes in as data, never as markup. A character that no bundled font has is
refused by name: a gap in a name would be worse than no document.

Source: ISO 19005-3 (PDF/A-3); typst's documentation, "PDF" (attachments, standards).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import typst

from registry.errors import DefectError, Fault, ValidationError

HERE = Path(__file__).parent
MAX_NAMED = 10
_TOO_LONG = "a PDF string is longer than"
_NOT_SHOWN = re.compile(r'the text `?"(.+?)"`? could not be displayed', re.DOTALL)


@lru_cache(maxsize=1)
def fonts() -> typst.Fonts:
    """The bundled fonts, read once."""
    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(HERE / "fonts")]
    )


def set_pdf(files: Mapping[str, bytes], data: Mapping[str, Any], moment: datetime) -> bytes:
    """The PDF of a template.

    Args:
        files: by name; the template is `main.typ`, which reads ``data`` from `data.json`.
        moment: the document's time, whole seconds of which count.

    Raises:
        ValidationError: code ``glyph``: a character that no bundled font has; names it, and where in ``data``
            it stands; ``long``: a name or a word is longer than PDF/A allows.
    """
    sources: Any = {**files, "data.json": json.dumps(data).encode()}  # the library's stubs know single files
    try:
        made: bytes = typst.compile(
            sources,
            format="pdf",
            pdf_standards=["a-3b"],
            font_paths=fonts(),
            timestamp=moment.astimezone(UTC).replace(microsecond=0),
        )
    except typst.TypstError as error:
        raise _explained(str(error), data) from error
    return made


def _explained(told: str, data: Mapping[str, Any]) -> Exception:
    """The error for a document that cannot be set: which characters, in which text."""
    if _TOO_LONG in told:
        detail = "a name or a word is longer than the 32,767 bytes that PDF/A allows for a text"
        return ValidationError(detail, faults=[Fault("long", detail, "")])
    found = _NOT_SHOWN.search(told)
    if found is None:
        return DefectError(f"a document cannot be set: {told[:500]}")
    named = dict.fromkeys(found[1])
    shown = ", ".join(f"{sign} (U+{ord(sign):04X})" for sign in list(named)[:MAX_NAMED])
    texts = {name: json.dumps(value, ensure_ascii=False) for name, value in data.items()}
    places = [name for name, text in texts.items() if any(sign in text for sign in named)]
    where = ", ".join(places) or "its texts"
    detail = f"no font here has the character {shown}, which stands in: {where}"
    return ValidationError(detail, faults=[Fault("glyph", detail, "")])
