"""A credential's page: the address under which it is shown to people, and whose word counts about that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

PAGE_PATH = "/c/"
"""Where pages lie below the server's address, each by its id."""


class Visibility(StrEnum):
    """Who may see a page. ``off``: its holder alone; ``unlisted``: who has the address, and no search engine;
    ``public``: everybody."""

    OFF = "off"
    UNLISTED = "unlisted"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class CredentialPage:
    """The page of an award.

    Attributes:
        id: 128 random bits in base64url; says nothing about the credential.
        show_name: whether the recipient's name stands on it.
        holder: id of the holder who claimed it; None before that.
    """

    id: str
    award_id: str
    visibility: Visibility
    show_name: bool
    holder: str | None
    created_at: datetime


class TokenKind(StrEnum):
    """What a holder's token is: a session of a browser, or the link by which the holder comes back."""

    SESSION = "session"
    RETURN = "return"
