"""Who a holder is: the owner of a session's token, or of the return link that makes new ones.

Tokens have 256 bits; only their SHA-256 is kept, and they never reach the log.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from registry.errors import ForbiddenError
from registry.model.pages import TokenKind
from registry.ports.store import Unit
from registry.services.access import token_sha256

SESSION = timedelta(days=30)
NOT_SIGNED_IN = "you are not signed in; open your return link, or a claim link"
_TOKEN_BYTES = 32


def new_token() -> str:
    """256 random bits in base64url."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def holder_of(unit: Unit, session: str | None, now: datetime) -> str | None:
    """The holder of a session in force; None for everybody else."""
    if session is None:
        return None
    return unit.pages.holder_of(token_sha256(session), TokenKind.SESSION, now)


def require_holder(unit: Unit, session: str | None, now: datetime) -> str:
    """The holder of a session. Raises `ForbiddenError`: it is in force no longer, or never was."""
    holder = holder_of(unit, session, now)
    if holder is None:
        raise ForbiddenError(NOT_SIGNED_IN)
    return holder


def new_session(unit: Unit, holder: str, now: datetime) -> str:
    """A session's token, told once."""
    session = new_token()
    unit.pages.add_token(token_sha256(session), holder, TokenKind.SESSION, now, now + SESSION)
    return session


def new_return_link(unit: Unit, holder: str, now: datetime) -> str:
    """A return link's token, told once; the one before works no longer."""
    token = new_token()
    unit.pages.add_token(token_sha256(token), holder, TokenKind.RETURN, now, None)
    return token
