"""Draws a certificate as PDF/A-3b: one template, the issuer's design, the credential and its proof attached.

Deterministic: the same certificate gives the same bytes, since its time is the credential's, fonts are
bundled and none of the system's is looked at. What people wrote goes in as data, never as markup. A character
that no bundled font has is refused by name: a certificate with a gap in a name would be worse than none.

Source: ISO 19005-3 (PDF/A-3); typst's documentation, "PDF" (attachments, standards).
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import segno
import typst

from registry.credentials.carriers.images import Picture, picture_in_svg
from registry.credentials.certificates.words import WORDS, day
from registry.errors import DefectError, Fault, ValidationError

HERE = Path(__file__).parent
MAX_NAMED = 10
_NOT_SHOWN = re.compile(r'the text `?"(.+?)"`? could not be displayed', re.DOTALL)
LOGO = "logo.svg"


@dataclass(frozen=True, slots=True)
class Design:
    """What an issuer decides about its certificates. ``accent`` is `#rrggbb`; ``title`` None is the
    language's word; each of ``signatories`` is a line with a name and an office."""

    accent: str = "#0b5cad"
    title: str | None = None
    footer: str = ""
    signatories: tuple[str, ...] = ()
    language: str = "en"
    logo: Picture | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    """What stands on it. ``credential`` and ``proof`` are attached as they are; ``results`` are pairs of what
    and result; ``address`` is behind the QR code, ``has_page`` whether it is the credential's own page."""

    id: str
    achievement: str
    description: str
    criteria: str
    issuer: str
    holder: str | None
    issued: datetime
    expires: datetime | None
    credits: str
    results: Sequence[tuple[str, str]]
    address: str
    has_page: bool
    test_chain: bool
    chain: str
    anchored: str
    root: str
    credential: bytes
    proof: bytes
    design: Design = field(default_factory=Design)


@lru_cache(maxsize=1)
def fonts() -> typst.Fonts:
    """The bundled fonts, read once."""
    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(HERE / "fonts")]
    )


@lru_cache(maxsize=1)
def _template() -> bytes:
    return (HERE / "certificate.typ").read_bytes()


def draw(certificate: Certificate) -> bytes:
    """The PDF.

    Raises:
        ValidationError: a character that no bundled font has; names it, and where it stands.
    """
    data = _data(certificate)
    files: Any = sources_of(certificate)  # by name; the library's stubs know single files only
    try:
        made: bytes = typst.compile(
            files,
            format="pdf",
            pdf_standards=["a-3b"],
            font_paths=fonts(),
            timestamp=certificate.issued.astimezone(UTC),
        )
    except typst.TypstError as error:
        raise _explained(str(error), data) from error
    return made


def sources_of(certificate: Certificate) -> dict[str, bytes]:
    """The files that a certificate is made of, by name: template, data, pictures, and what is attached."""
    data = _data(certificate)
    code = io.BytesIO()
    segno.make(certificate.address, error="m", micro=False).save(code, kind="svg", xmldecl=False, border=2)
    files = {
        "main.typ": _template(),
        "data.json": json.dumps(data).encode(),
        "qr.svg": code.getvalue(),
        "credential.json": certificate.credential,
        "rootmark-proof.json": certificate.proof,
    }
    logo = certificate.design.logo
    if logo is None:
        return files
    # The library takes texts alone as files; in a drawing, a picture is one.
    return files | {LOGO: picture_in_svg(logo, certificate.issuer).data}


def _data(certificate: Certificate) -> dict[str, Any]:
    design = certificate.design
    words = WORDS[design.language]
    dates = words.issued.format(day(certificate.issued, design.language))
    if certificate.expires is not None:
        dates += ", " + words.valid_until.format(day(certificate.expires, design.language))
    results = [(what or words.result, result) for what, result in certificate.results]
    if certificate.credits:
        results.append((words.credits, certificate.credits))
    return {
        "id": certificate.id,
        "language": design.language,
        "accent": design.accent,
        "title": design.title or words.title,
        "issuer": certificate.issuer,
        "awarded_to": words.awarded_to,
        "holder": certificate.holder,
        "achievement": certificate.achievement,
        "description": certificate.description,
        "criteria_label": words.criteria,
        "criteria": certificate.criteria,
        "results": results,
        "dates": dates,
        "signatories": list(design.signatories),
        "footer": design.footer,
        "logo": None if design.logo is None else LOGO,
        "test_chain": words.test_chain if certificate.test_chain else None,
        "code_caption": words.code_caption if certificate.has_page else words.code_caption_alone,
        "code_alt": words.code_alt,
        "has_proof": True,
        "facts": [
            [words.chain, certificate.chain],
            [words.anchored, certificate.anchored],
            [words.root, certificate.root],
            ["", words.check],
        ],
    }


def _explained(told: str, data: dict[str, Any]) -> Exception:
    """The error for a certificate that cannot be drawn: which characters, in which text."""
    found = _NOT_SHOWN.search(told)
    if found is None:
        return DefectError(f"a certificate cannot be drawn: {told[:500]}")
    named = dict.fromkeys(found[1])
    shown = ", ".join(f"{sign} (U+{ord(sign):04X})" for sign in list(named)[:MAX_NAMED])
    texts = {name: json.dumps(value, ensure_ascii=False) for name, value in data.items()}
    places = [name for name, text in texts.items() if any(sign in text for sign in named)]
    where = ", ".join(places) or "its texts"
    detail = f"no font here has the character {shown}, which stands in: {where}"
    return ValidationError(detail, faults=[Fault("glyph", detail, "")])
