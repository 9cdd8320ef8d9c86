"""A holder's session in a browser: one cookie that no script reads and no other site's form can use."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from api.web import csrf
from api.web.forms import Fields
from api.web.transport import is_encrypted
from registry.credentials.holding.sessions import NOT_SIGNED_IN, SESSION
from registry.errors import ForbiddenError

_NAME = "rootmark-holder"


def _name(request: Request) -> str:
    # A cookie of this prefix cannot be set by a neighbouring host or over plain HTTP (RFC 6265bis, 4.1.3.2).
    return f"__Host-{_NAME}" if is_encrypted(request) else _NAME


def session_of(request: Request) -> str | None:
    """The session's token, or None; whether it is in force, the service decides."""
    return request.cookies.get(_name(request))


def require_form(request: Request, fields: Fields) -> str:
    """The session that a form was made for.

    Raises:
        ForbiddenError: there is none, or another site sent the form.
    """
    session = session_of(request)
    if session is None:
        raise ForbiddenError(NOT_SIGNED_IN)
    csrf.require_token(request, session, fields.raw(csrf.FIELD))
    return session


def keep(request: Request, response: Response, session: str) -> None:
    """Have the browser keep a session."""
    response.set_cookie(
        _name(request),
        session,
        max_age=int(SESSION.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",  # a holder comes by links, and forms are held against a token too
        secure=is_encrypted(request),
    )


def forget(request: Request, response: Response) -> None:
    """Have the browser forget it."""
    response.delete_cookie(_name(request), path="/", secure=is_encrypted(request), httponly=True)
