"""Revoking, suspending, reinstating: what is meant, how many that are, and what became of it."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.context import Query, app_of, blocking, examining, no_query
from api.web.forms import Fields, fault
from api.web.pages import render
from api.web.reasons import REASONS
from api.web.routes.console.common import (
    Visitor,
    console_router,
    form_of,
    go,
    once,
    page,
    problem_values,
    untouched,
    upload_of,
)
from api.web.routes.console.filters import FILTERS, Chosen, chosen_of
from api.web.routes.console.words import name_of, request_line
from api.web.texts import PARAMETER
from registry.errors import RootmarkError
from registry.model.console import Draft
from registry.model.operations import RequestKind
from registry.model.reasons import REASON_LABELS, Reason
from registry.services.idempotency import IdempotencyRef
from registry.services.requests import MAX_NOTE_CHARACTERS

router = console_router()

_SHOWN = 50
_ACHIEVEMENTS = 200
_KINDS = {
    kind.value: kind for kind in (RequestKind.REVOCATION, RequestKind.SUSPENSION, RequestKind.REINSTATEMENT)
}


@router.get("/console/changes")
async def list_changes(request: Request, visitor: Visitor) -> Response:
    """What was asked for, newest first, and the ways to ask for more."""
    Query(request, PARAMETER)
    return await _list(request, visitor)


async def _list(request: Request, visitor: Visitor, **values: Any) -> Response:
    app = app_of(request)

    def read() -> dict[str, Any]:
        found = app.achievements.page(visitor.issuer.address, None, _ACHIEVEMENTS)
        requests = app.console.overview.requests(visitor.caller, _SHOWN)
        return {
            "achievements": [(one.id, name_of(one)) for one in found],
            "requests": [request_line(one) for one in requests],
        }

    shown: dict[str, Any] = {"asked": Chosen(), "reasons": REASONS} | await blocking(read) | values
    return page(request, visitor, "changes.html", **shown)


@router.post("/console/changes")
async def choose(request: Request, visitor: Visitor) -> Response:
    """Choose what to change: ticked awards, a file, or all that a filter lets through. Nothing is changed
    before the next page is confirmed."""
    no_query(request)
    chosen = Chosen()
    try:
        fields, file = await upload_of(request, visitor)
        kind = _KINDS.get(fields.text("kind") or RequestKind.REVOCATION.value)
        if kind is None:
            raise fault("kind", "choice", f"one of {', '.join(_KINDS)}")
        app, by = app_of(request), fields.text("by")
        changes, caller = app.console.changes, visitor.caller
        if by == "selected":
            draft = await blocking(changes.of_awards, caller, kind, fields.all("award"))
        elif by == "csv":
            if file is None or not file.data:
                raise fault("file", "missing", "choose a CSV file first; it must not be empty")
            draft = await examining(request, changes.of_csv, caller, kind, file.name or "", file.data)
        else:
            chosen = chosen_of({name: fields.text(name) for name in FILTERS})
            draft = await _of_filter(request, visitor, kind, chosen)
    except RootmarkError as error:
        return await _list(request, visitor, asked=chosen, **problem_values(request, error))
    return go(f"/console/drafts/{draft.id}")


async def _of_filter(request: Request, visitor: Visitor, kind: RequestKind, chosen: Chosen) -> Draft:
    if chosen.is_open:
        raise fault("filter", "missing", "say at least one of achievement, batch and date")
    app = app_of(request)
    names = await blocking(app.console.overview.names, {chosen.achievement} - {""})
    source = {
        "achievement": name_of(names.get(chosen.achievement)) or chosen.achievement,
        "batch": chosen.batch,
        "since": chosen.since,
        "until": chosen.until,
    }
    return await examining(
        request,
        app.console.changes.of_filter,
        visitor.caller,
        kind,
        chosen.filter(),
        chosen.batch or None,
        source,
    )


@router.post("/console/drafts/{draft_id}/carry-out")
async def carry_out(request: Request, visitor: Visitor, draft_id: str) -> Response:
    """Ask for the change of a draft, once."""
    no_query(request)
    fields = await form_of(request, visitor)
    reason, note = _reason(fields), fields.text("note", MAX_NOTE_CHARACTERS) or None
    app = app_of(request)

    async def work(ref: IdempotencyRef | None) -> Response:
        made = await blocking(
            lambda: app.console.changes.carry_out(visitor.caller, draft_id, reason, note, idempotency=ref)
        )
        return go(f"/console/requests/{made.id}")

    async def replay(request_id: str) -> Response:
        return go(f"/console/requests/{request_id}")

    return await once(request, visitor, draft_id, work, replay)


def _reason(fields: Fields) -> Reason:
    given = fields.text("reason")
    if given not in REASON_LABELS:
        raise fault("reason", "reason", f"one of {', '.join(REASON_LABELS)}")
    return Reason[given.upper()]


@router.get("/console/requests/{request_id}")
async def show_request(request: Request, visitor: Visitor, request_id: str) -> Response:
    """What became of a request."""
    Query(request, PARAMETER)
    return page(request, visitor, "request.html", **await _progress(request, visitor, request_id))


async def _progress(request: Request, visitor: Visitor, request_id: str) -> dict[str, Any]:
    app = app_of(request)
    found = await blocking(app.status.request, visitor.caller, request_id)
    return {
        "asked": request_line(found),
        "reasons": REASONS,
        "can_approve": visitor.caller.key_id != found.requested_by_key,
    }


@router.get("/console/requests/{request_id}/progress")
async def request_progress(request: Request, visitor: Visitor, request_id: str) -> Response:
    """The progress alone, for a page that shows an older one."""
    Query(request, "seen")
    shown = await _progress(request, visitor, request_id)
    if (nothing := untouched(request, shown["asked"]["version"])) is not None:
        return nothing
    return render(request, "console/parts/request_progress.html", **shown)


@router.post("/console/requests/{request_id}/approve")
async def approve(request: Request, visitor: Visitor, request_id: str) -> Response:
    """Let a request go ahead that another key has made."""
    no_query(request)
    await form_of(request, visitor)
    await blocking(app_of(request).status.approve, visitor.caller, request_id)
    return go(f"/console/requests/{request_id}")
