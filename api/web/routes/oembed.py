"""oEmbed: other sites ask how to show a credential's page, and are given the small page in a frame.

Source: oEmbed (https://oembed.com), sections 2.2 (request), 2.3.4.4 (rich), 4 (discovery).
"""

from __future__ import annotations

from html import escape
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.context import PlainRoute, Query, absolute, app_of, blocking, json_response
from api.routes.award_pages import page_url
from api.web.transport import own_hosts
from registry.credentials.readable import readable
from registry.errors import NotFoundError
from registry.model.pages import PAGE_PATH

router = APIRouter(route_class=PlainRoute, include_in_schema=False)

WIDTH, HEIGHT = 420, 220
NARROW, NARROW_HEIGHT = 360, 300
"""Below that many pixels of width the text needs more lines."""
_CACHE_SECONDS = 3600
_MAX_URL = 2000
_MAX_DIGITS = 6


@router.get("/oembed")
async def oembed(request: Request) -> Response:
    """How a credential's page is embedded. Who asks is nobody here: what its holder hides is not there."""
    query = Query(request, "url", "maxwidth", "maxheight", "format")
    app = app_of(request)
    if query.text("format") not in (None, "json"):
        return Response("this answers as JSON alone\n", 501, media_type="text/plain")
    page_id = _page_of(query.text("url", _MAX_URL) or "", own_hosts(request))
    view = await blocking(app.pages.view, page_id, None)
    badge = readable(view.document)
    width = _within(query.text("maxwidth"), WIDTH)
    height = _within(query.text("maxheight"), HEIGHT if width >= NARROW else NARROW_HEIGHT)
    address = page_url(app, view.page.id)
    html = (
        f'<iframe src="{escape(address)}/embed" title="{escape(badge.name)}" width="{width}" '
        f'height="{height}" loading="lazy"></iframe>'
    )
    answer: dict[str, Any] = {
        "version": "1.0",
        "type": "rich",
        "title": badge.name,
        "author_name": badge.issuer,
        "provider_name": "Rootmark",
        "provider_url": absolute(app, ""),
        "cache_age": _CACHE_SECONDS,
        "html": html,
        "width": width,
        "height": height,
    }
    if badge.issuer_address is not None:
        answer["author_url"] = badge.issuer_address
    return json_response(answer, headers={"X-Robots-Tag": "noindex"})


def _page_of(url: str, hosts: frozenset[str]) -> str:
    """The id of the page at an address of this server. Raises `NotFoundError` for any other address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    identifier = parts.path.removeprefix(PAGE_PATH).rstrip("/")
    is_page = parts.path.startswith(PAGE_PATH) and identifier and "/" not in identifier
    if parts.scheme not in ("http", "https") or parts.netloc.lower() not in hosts or not is_page:
        raise NotFoundError("that is no address of a credential's page here")
    return identifier


def _within(most: str | None, wanted: int) -> int:
    """``wanted``, or the greatest that the caller has room for; what is no number asks for nothing."""
    if most is None or not (most.isascii() and most.isdecimal() and 0 < len(most) <= _MAX_DIGITS):
        return wanted
    return max(min(int(most), wanted), 1)
