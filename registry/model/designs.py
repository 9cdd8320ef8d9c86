"""What is kept of an issuer's certificate design."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoredDesign:
    """``document`` is JSON of the members but the logo, which is a picture that was decoded and cleaned."""

    document: str
    logo_type: str | None
    logo: bytes | None
