"""Batches: the list, one with its progress, and what can be done about one that does not go on by itself."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.context import Query, app_of, blocking, no_query
from api.web.pages import render
from api.web.routes.console.common import Visitor, console_router, form_of, go, once, page, untouched
from api.web.routes.console.words import BATCH_STATES, BATCH_STEPS, award_lines, batch_lines, batch_version
from api.web.texts import PARAMETER
from registry.bootstrap import App
from registry.errors import NotFoundError
from registry.model.awards import AwardFilter
from registry.model.batches import Batch, BatchState
from registry.services.idempotency import IdempotencyRef

router = console_router()

_SHOWN = 50
_AWARDS = 10
_STATES = tuple(state.value for state in BatchState if state is not BatchState.RECEIVING)
_ACTIONS = ("retry", "approve", "seal")


@router.get("/console/batches")
async def list_batches(request: Request, visitor: Visitor) -> Response:
    """The issuer's batches, newest first."""
    query = Query(request, "state", "cursor", PARAMETER)
    state = query.choice("state", ("", *_STATES)) or None
    app = app_of(request)

    def read() -> tuple[list[dict[str, Any]], str | None]:
        wanted = BatchState(state) if state else None
        found = app.issuing.batches(visitor.issuer.address, wanted, query.cursor(), _SHOWN + 1)
        shown = found[:_SHOWN]
        return batch_lines(app, shown), str(shown[-1].seq) if len(found) > _SHOWN else None

    lines, following = await blocking(read)
    return page(
        request,
        visitor,
        "batches.html",
        batches=lines,
        following=following,
        state=state or "",
        states=[(one, BATCH_STATES[BatchState(one)].text) for one in _STATES],
    )


def _own(app: App, visitor: Visitor, batch_id: str) -> Batch:
    """The issuer's batch; another issuer's is as unknown as none."""
    batch = app.issuing.batch(visitor.caller, batch_id)
    if batch.issuer != visitor.issuer.address:
        raise NotFoundError("no such batch of this issuer")
    return batch


def _progress(app: App, visitor: Visitor, batch_id: str) -> dict[str, Any]:
    (line,) = batch_lines(app, [_own(app, visitor, batch_id)])
    return {
        "batch": line,
        "seen": batch_version(line),
        "steps": BATCH_STEPS,
        "confirmations_wanted": app.settings.effective_confirmations,
        "can_approve": visitor.caller.key_id not in line["awaits_approval_of"],
    }


@router.get("/console/batches/{batch_id}")
async def show_batch(request: Request, visitor: Visitor, batch_id: str) -> Response:
    """One batch, its progress and its first awards."""
    Query(request, PARAMETER)
    app = app_of(request)

    def read() -> dict[str, Any]:
        shown = _progress(app, visitor, batch_id)
        found = app.console.search.matching(visitor.caller, AwardFilter(), batch_id=batch_id, limit=_AWARDS)
        names = app.console.overview.names({view.award.achievement_id for view in found.views})
        return shown | {"awards": award_lines(found.views, names)}

    return page(request, visitor, "batch.html", **await blocking(read))


@router.get("/console/batches/{batch_id}/progress")
async def batch_progress(request: Request, visitor: Visitor, batch_id: str) -> Response:
    """The progress alone, for a page that shows an older one."""
    Query(request, "seen")
    shown = await blocking(_progress, app_of(request), visitor, batch_id)
    if (nothing := untouched(request, shown["seen"])) is not None:
        return nothing
    return render(request, "console/parts/batch_progress.html", **shown)


@router.post("/console/batches/{batch_id}/{action}")
async def act_on_batch(request: Request, visitor: Visitor, batch_id: str, action: str) -> Response:
    """Try a failed batch again, approve one, or seal the open one."""
    no_query(request)
    if action not in _ACTIONS:
        raise NotFoundError("there is no such page")
    fields = await form_of(request, visitor)
    app = app_of(request)
    place = f"/console/batches/{batch_id}"

    async def work(ref: IdempotencyRef | None) -> Response:
        await blocking(getattr(app.issuing, action), visitor.caller, batch_id)
        if ref is not None:
            await blocking(app.bind, ref, f"batch:{batch_id}")
        return go(place)

    async def replay(_resource: str) -> Response:
        return go(place)

    return await once(request, visitor, fields.text("once"), work, replay)
