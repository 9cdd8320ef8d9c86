"""Draws a certificate as PDF/A-3b: one template, the issuer's design, the credential and its proof attached.

Deterministic: the same certificate gives the same bytes, since its time is the credential's.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import segno

from registry.credentials.carriers.images import Picture, picture_in_svg
from registry.credentials.certificates.words import WORDS, day
from registry.typesetting.pdf import set_pdf

HERE = Path(__file__).parent
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
def _template() -> bytes:
    return (HERE / "certificate.typ").read_bytes()


def draw(certificate: Certificate) -> bytes:
    """The PDF.

    Raises:
        ValidationError: as `set_pdf`.
    """
    return set_pdf(sources_of(certificate), data_of(certificate), certificate.issued)


def sources_of(certificate: Certificate) -> dict[str, bytes]:
    """The files that a certificate is made of, by name: template, pictures, and what is attached."""
    code = io.BytesIO()
    segno.make(certificate.address, error="m", micro=False).save(code, kind="svg", xmldecl=False, border=2)
    files = {
        "main.typ": _template(),
        "qr.svg": code.getvalue(),
        "credential.json": certificate.credential,
        "rootmark-proof.json": certificate.proof,
    }
    logo = certificate.design.logo
    if logo is None:
        return files
    # The library takes texts alone as files; in a drawing, a picture is one.
    return files | {LOGO: picture_in_svg(logo, certificate.issuer).data}


def data_of(certificate: Certificate) -> dict[str, Any]:
    """What the template sets, in the design's language."""
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
