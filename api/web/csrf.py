"""Refuses what another site made a browser send.

A form that changes something carries a token made from the session's secret, which no other site can read;
besides, a browser says where a request comes from (Fetch Metadata, `Origin`), and one that says "from
elsewhere" is refused before the token is looked at. Sessions' cookies are `SameSite=Strict` as well.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from urllib.parse import urlsplit

from starlette.requests import Request

from registry.errors import ForbiddenError

FIELD = "csrf"
HEADER = "x-csrf-token"
_PURPOSE = b"rootmark csrf"


def token_of(session_secret: str) -> str:
    """The token that the forms of a session carry; says nothing about the secret."""
    return hmac.new(session_secret.encode(), _PURPOSE, sha256).hexdigest()


def refuse_other_sites(request: Request) -> None:
    """Refuse a request that a browser says another site started.

    Raises:
        ForbiddenError: it does.
    """
    site = request.headers.get("sec-fetch-site")
    if site not in (None, "same-origin", "none"):
        raise ForbiddenError("the request comes from another site; open the page here and send it again")
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise ForbiddenError("the request comes from another site; open the page here and send it again")


def require_token(request: Request, session_secret: str, given: str | None) -> None:
    """Take a change from a session's own forms only. ``given`` is the field's or the header's value.

    Raises:
        ForbiddenError: another site started it, or the token is missing or another session's.
    """
    refuse_other_sites(request)
    if given is None or not hmac.compare_digest(given.encode(), token_of(session_secret).encode()):
        raise ForbiddenError("the form is too old, or was not made for you; reload the page and try again")
