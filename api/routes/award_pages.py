"""The page of an award: the link by which its recipient claims it, and what became of it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import award_shapes
from api.body import read_bytes
from api.context import absolute, app_of, blocking, json_response, no_query, require_caller
from api.idempotency import once
from registry.bootstrap import App
from registry.credentials.holding.pages import Claim
from registry.encoding import format_time
from registry.errors import ValidationError
from registry.model.pages import PAGE_PATH
from registry.services.idempotency import IdempotencyRef

router = APIRouter(prefix="/v1/awards", tags=["awards"])

CLAIM_PATH = "/claim/"


def page_url(app: App, page_id: str) -> str:
    """The address of a page, as others open it."""
    return absolute(app, PAGE_PATH + page_id)


@router.post("/{award_id}/claim", status_code=201, responses=award_shapes.CLAIM)
async def make_claim(request: Request, award_id: str) -> Response:
    """Make a link by which the recipient claims the award's page and decides what it shows. It works once,
    within 90 days; send it to the recipient alone. A new one takes the place of one that was not used."""
    caller = await require_caller(request)
    no_query(request)
    if await read_bytes(request, 0):
        raise ValidationError("this takes no body")
    app = app_of(request)

    async def work(ref: IdempotencyRef | None) -> Response:
        made = await blocking(app.pages.make_claim, caller, award_id)
        if ref is not None:
            await blocking(app.bind, ref, f"claim:{award_id}")
        return _claim(app, made)

    async def replay(_award: str) -> Response:
        return _claim(app, await blocking(app.pages.make_claim, caller, award_id))

    return await once(request, caller, b"", work, replay, keep_answer=False)


def _claim(app: App, made: Claim) -> Response:
    page = page_url(app, made.page.id)
    answer = {
        "page": page,
        "claim": absolute(app, CLAIM_PATH + made.token),
        "expires_at": format_time(made.expires_at),
    }
    return json_response(answer, 201, {"Location": page})


@router.get("/{award_id}/page", responses=award_shapes.PAGE)
async def get_page(request: Request, award_id: str) -> Response:
    """The award's page, whether it was claimed, and what its holder decided."""
    caller = await require_caller(request)
    no_query(request)
    app = app_of(request)
    page = await blocking(app.pages.of_award, caller, award_id)
    return json_response(
        {
            "page": page_url(app, page.id),
            "visibility": page.visibility.value,
            "show_name": page.show_name,
            "claimed": page.holder is not None,
            "created_at": format_time(page.created_at),
        }
    )
