"""The page of a credential: readable, verified for each reader, with its files and its holder's choices.

`/claim/…` and `/return/…` change nothing until their button is pressed: programs that follow links in mails
use none of them up.
"""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import urlencode

import segno
from fastapi import Request
from starlette.responses import RedirectResponse, Response

from api.context import absolute, app_of, blocking
from api.routes.award_pages import CLAIM_PATH, page_url
from api.web import csrf, holders
from api.web.credentials import UNLISTED, file_of, format_named, picture_of, shown
from api.web.forms import read_fields
from api.web.pages import Policy, render, web_router
from registry.bootstrap import App
from registry.credentials.holding.pages import PageView
from registry.encoding import parse_time
from registry.errors import ValidationError
from registry.model.pages import Visibility

router = web_router()

RETURN_PATH = "/return/"
_EMBEDDED = Policy(framed=True)


@router.get("/c/{page_id}")
async def credential_page(request: Request, page_id: str) -> Response:
    """The page, for its holder with the choices."""
    app, session = app_of(request), holders.session_of(request)
    view = await blocking(app.pages.view, page_id, session)
    values = await _shown(request, view)
    is_public = view.page.visibility is Visibility.PUBLIC
    return render(
        request,
        "credential/page.html",
        policy=Policy(indexed=is_public),
        **values,
        csrf_field=csrf.FIELD,
        csrf_token=csrf.token_of(session) if session and view.is_holder else "",
        visibilities=[one.value for one in Visibility],
    )


async def _shown(request: Request, view: PageView) -> dict[str, Any]:
    """What the templates of a page are given."""
    app = app_of(request)
    address = page_url(app, view.page.id)
    found = await shown(request, view)
    return found | {
        "address": address,
        "linkedin": _linkedin(found["badge"], address),
        "oembed": absolute(app, f"/oembed?{urlencode({'url': address})}"),
    }


def _linkedin(badge: Any, address: str) -> str:
    """LinkedIn's form with this credential filled in ("Add to Profile", certification parameters)."""
    wanted = {
        "startTask": "CERTIFICATION_NAME",
        "name": badge.name,
        "organizationName": badge.issuer,
        "certUrl": address,
        "certId": badge.id,
    }
    if badge.issued is not None:
        issued = parse_time(badge.issued)
        wanted |= {"issueYear": str(issued.year), "issueMonth": str(issued.month)}
    if badge.expires is not None:
        expires = parse_time(badge.expires)
        wanted |= {"expirationYear": str(expires.year), "expirationMonth": str(expires.month)}
    return f"https://www.linkedin.com/profile/add?{urlencode(wanted)}"


@router.get("/c/{page_id}/embed")
async def embedded_page(request: Request, page_id: str) -> Response:
    """A small page that other pages may frame."""
    view = await blocking(app_of(request).pages.view, page_id, None)
    return render(request, "credential/embed.html", policy=_EMBEDDED, **await _shown(request, view))


@router.get("/c/{page_id}/file/{wanted}")
async def download(request: Request, page_id: str, wanted: str) -> Response:
    """A file of the credential."""
    app, session = app_of(request), holders.session_of(request)
    return file_of(await blocking(app.pages.export, page_id, session, format_named(app, wanted)))


@router.get("/c/{page_id}/image")
async def image(request: Request, page_id: str) -> Response:
    """The badge's picture."""
    app, session = app_of(request), holders.session_of(request)
    return picture_of(await blocking(app.pages.picture, page_id, session))


@router.get("/c/{page_id}/image.png")
async def card_image(request: Request, page_id: str) -> Response:
    """The same in pixels, which cards of other sites show."""
    app, session = app_of(request), holders.session_of(request)
    return picture_of(await blocking(app.pages.card_picture, page_id, session))


@router.get("/c/{page_id}/qr.svg")
async def qr_code(request: Request, page_id: str) -> Response:
    """The page's address as a QR code."""
    app = app_of(request)
    view = await blocking(app.pages.view, page_id, holders.session_of(request))
    drawn = io.BytesIO()
    segno.make(page_url(app, view.page.id), error="m", micro=False).save(
        drawn, kind="svg", scale=4, border=4, dark="#000", light="#fff", xmldecl=False
    )
    return Response(drawn.getvalue(), media_type="image/svg+xml", headers=UNLISTED)


@router.post("/c/{page_id}/settings")
async def change_page(request: Request, page_id: str) -> Response:
    """What the holder decided."""
    fields = await read_fields(request)
    session = holders.require_form(request, fields)
    try:
        visibility = Visibility(fields.text("visibility"))
    except ValueError as error:
        raise ValidationError("choose who may see the page") from error
    show_name = fields.checked("show_name")
    await blocking(app_of(request).pages.change, session, page_id, visibility, show_name)
    return RedirectResponse(f"/c/{page_id}", status_code=303)


# --- claiming -----------------------------------------------------------------------------------------------


@router.get(CLAIM_PATH + "{token}")
async def claim_page(request: Request, token: str) -> Response:
    """What a claim link is for; the button claims."""
    await blocking(app_of(request).pages.claimable, token)
    return render(request, "credential/claim.html", action=CLAIM_PATH + token)


@router.post(CLAIM_PATH + "{token}")
async def claim(request: Request, token: str) -> Response:
    """Claim the page; a new holder is told how to come back, once."""
    csrf.refuse_other_sites(request)
    app = app_of(request)
    made = await blocking(app.pages.claim, token, holders.session_of(request))
    path = f"/c/{made.page.id}"
    if made.return_token is None:
        response: Response = RedirectResponse(path, status_code=303)
    else:
        response = render(
            request, "credential/claimed.html", link=return_url(app, made.return_token), page=path
        )
    holders.keep(request, response, made.session)
    return response


def return_url(app: App, token: str) -> str:
    """A return link, as its holder keeps it."""
    return absolute(app, RETURN_PATH + token)


@router.get(RETURN_PATH + "{token}")
async def return_page(request: Request, token: str) -> Response:
    """Where a return link leads; the button signs in."""
    return render(request, "credential/return.html", action=RETURN_PATH + token)


@router.post(RETURN_PATH + "{token}")
async def come_back(request: Request, token: str) -> Response:
    """Sign the holder of a return link in."""
    csrf.refuse_other_sites(request)
    app = app_of(request)
    session = await blocking(app.pages.come_back, token)
    response = RedirectResponse("/me", status_code=303)
    holders.keep(request, response, session)
    return response


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """End the holder's session."""
    session = holders.require_form(request, await read_fields(request))
    await blocking(app_of(request).pages.sign_out, session)
    response = RedirectResponse("/", status_code=303)
    holders.forget(request, response)
    return response
