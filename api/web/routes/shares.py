"""What a holder shows under one address: the set, and each credential of it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from api.context import app_of, blocking
from api.web.credentials import file_of, format_named, picture_of, shown
from api.web.pages import render, texts_for, web_router
from api.web.routes.holder import counts_of, held_line
from registry.encoding import format_time
from registry.errors import NotFoundError
from registry.model.shares import SHARE_PATH

router = web_router()

_DIGITS = 4


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS):
        raise NotFoundError("a share numbers its credentials from 1")
    return int(text)


@router.get(SHARE_PATH + "{share_id}")
async def shared_set(request: Request, share_id: str) -> Response:
    """All that is shown."""
    found = await blocking(app_of(request).shares.view, share_id)
    texts = texts_for(request)
    held = [held_line(one, texts) | {"number": number} for number, one in found.held]
    names = {one["name"] for one in held}
    return render(
        request,
        "share/set.html",
        share=found.share,
        held=held,
        name=next(iter(names)) if len(names) == 1 else None,
        counts=counts_of(one["verdict"] for one in held),
        test_chain=any(one["verdict"].test_chain for one in held),
        expires_at=format_time(found.share.expires_at),
    )


@router.get(SHARE_PATH + "{share_id}/{number}")
async def shared_credential(request: Request, share_id: str, number: str) -> Response:
    """One credential of it, with all checks."""
    share, view = await blocking(app_of(request).shares.credential, share_id, _number(number))
    return render(
        request,
        "share/credential.html",
        share=share,
        root=f"{SHARE_PATH}{share_id}/{number}",
        expires_at=format_time(share.expires_at),
        **await shown(request, view),
    )


@router.get(SHARE_PATH + "{share_id}/{number}/image")
async def shared_image(request: Request, share_id: str, number: str) -> Response:
    """The badge's picture."""
    return picture_of(await blocking(app_of(request).shares.picture, share_id, _number(number)))


@router.get(SHARE_PATH + "{share_id}/{number}/file/{wanted}")
async def shared_file(request: Request, share_id: str, number: str, wanted: str) -> Response:
    """A file of the credential."""
    app = app_of(request)
    kind = format_named(app, wanted)
    return file_of(await blocking(app.shares.export, share_id, _number(number), kind))
