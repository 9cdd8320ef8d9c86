"""The body of an issuer's certificate design."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from api.schemas.common import Body
from registry.credentials.certificates.drawing import Design

Line = Annotated[str, Field(max_length=100)]


class DesignBody(Body):
    """What stands on certificates beside the award; members that are left out are the plain ones."""

    accent: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] = Design().accent
    title: Line | None = None
    footer: Annotated[str, Field(max_length=300)] = ""
    signatories: Annotated[list[Line], Field(max_length=3, default_factory=list)]
    language: Literal["en", "de", "es", "fr"] = "en"

    def design(self) -> Design:
        """As the service takes it."""
        return Design(
            accent=self.accent.lower(),
            title=self.title,
            footer=self.footer,
            signatories=tuple(self.signatories),
            language=self.language,
        )
