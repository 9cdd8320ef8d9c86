"""From a CSV file to a batch: upload, look at it, quote, publish. And drafts of changes, which are shown and
confirmed at the same addresses (`api.web.routes.console.changes`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.context import Query, app_of, blocking, examining, no_query
from api.exports import csv_text
from api.web.forms import Fields, fault
from api.web.reasons import REASONS
from api.web.routes.console.common import (
    Visitor,
    console_router,
    form_of,
    go,
    once,
    page,
    problem_values,
    upload_of,
)
from api.web.routes.console.words import name_of, quote_values
from api.web.texts import PARAMETER
from registry.bootstrap import App
from registry.credentials.award_csv import COLUMNS, REQUIRED
from registry.credentials.awarding import MAX_ROWS, AwardOptions
from registry.errors import RootmarkError
from registry.model.console import Draft, DraftKind
from registry.services.idempotency import IdempotencyRef

router = console_router()

PUBLISHING_SECONDS = 180.0
"""So long nobody else may try to publish the same draft: 100,000 awards take about a minute."""

_ACHIEVEMENTS = 200
_COLUMN = re.compile(r"column ([a-z_0-9]+): (.*)", re.DOTALL)
_EXAMPLE = {
    "external_id": "2026-0001",
    "recipient_name": "Ada Example",
    "recipient_email": "ada@college.example",
    "issued_on": "2026-11-23",
}


@router.get("/console/issue")
async def issue_form(request: Request, visitor: Visitor) -> Response:
    """Choose a file; drafts that wait for their confirmation stand below."""
    Query(request, PARAMETER)
    return await _form(request, visitor)


async def _form(request: Request, visitor: Visitor, **values: Any) -> Response:
    app = app_of(request)

    def read() -> dict[str, Any]:
        found = app.achievements.page(visitor.issuer.address, None, _ACHIEVEMENTS)
        return {
            "achievements": [(one.id, name_of(one)) for one in found],
            "drafts": [
                one for one in app.console.shelf.waiting(visitor.caller) if one.kind is DraftKind.AWARDS
            ],
        }

    shown = await blocking(read)
    return page(
        request,
        visitor,
        "issue.html",
        columns=COLUMNS,
        required=REQUIRED,
        most_rows=MAX_ROWS,
        **shown,
        **values,
    )


@router.get("/console/issue/example.csv")
async def example(request: Request, visitor: Visitor) -> Response:
    """A file to begin with; it names an achievement of the issuer's, where there is one."""
    no_query(request)
    found = await blocking(app_of(request).achievements.page, visitor.issuer.address, None, 1)
    row = _EXAMPLE | {"achievement_id": found[0].id if found else ""}
    headers = {"Content-Disposition": 'attachment; filename="awards.csv"'}
    return Response(csv_text(COLUMNS, [row]), media_type="text/csv", headers=headers)


@router.post("/console/issue")
async def upload(request: Request, visitor: Visitor) -> Response:
    """Look at a file and keep it as a draft."""
    no_query(request)
    app = app_of(request)
    try:
        fields, file = await upload_of(request, visitor)
        if file is None or not file.data:
            raise fault("file", "missing", "choose a CSV file first; it must not be empty")
        draft = await examining(
            request, app.console.awards.prepare, visitor.caller, file.name or "", file.data, _options(fields)
        )
    except RootmarkError as error:
        return await _form(request, visitor, **problem_values(request, error))
    return go(f"/console/drafts/{draft.id}")


def _options(fields: Fields) -> AwardOptions:
    return AwardOptions(
        credential_status=True, hashed=not fields.checked("plain"), named=fields.checked("named")
    )


# --- drafts -------------------------------------------------------------------------------------------------


@router.get("/console/drafts/{draft_id}")
async def show_draft(request: Request, visitor: Visitor, draft_id: str) -> Response:
    """What a draft holds, or where what it became is."""
    Query(request, PARAMETER)
    app = app_of(request)
    draft = await blocking(app.console.shelf.get, visitor.caller, draft_id)
    if draft.made is not None:
        return go(place_of(draft.made))
    if draft.kind is DraftKind.AWARDS:
        return await _show_awards(request, visitor, draft)
    return await show_change(request, visitor, draft)


def place_of(made: str) -> str:
    """Where that is what a draft became."""
    kind, _, name = made.partition(":")
    if not name:
        return "/console/awards"
    return f"/console/batches/{name}" if kind == "batch" else f"/console/requests/{name}"


async def _show_awards(request: Request, visitor: Visitor, draft: Draft, **values: Any) -> Response:
    quote = await blocking(app_of(request).console.awards.quote, visitor.caller, draft)
    return page(
        request,
        visitor,
        "draft_awards.html",
        draft=draft,
        summary=draft.summary,
        problems=placed(draft.summary),
        lines_with_problems={one["line"] for one in placed(draft.summary)},
        quote=quote_values(quote),
        chain=app_of(request).chain.info,
        **values,
    )


def placed(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A file's faults with line, column and what is wrong."""
    shown = []
    for one in summary["problems"]:
        found = _COLUMN.fullmatch(one["detail"])
        column, detail = (found[1], found[2]) if found else ("", one["detail"])
        shown.append({"line": one["line"], "column": column, "detail": detail})
    return shown


async def show_change(request: Request, visitor: Visitor, draft: Draft, **values: Any) -> Response:
    """A change of statuses that waits for its confirmation."""
    app = app_of(request)
    examples: list[Any] = list(draft.summary["examples"])  # type: ignore[arg-type]
    names = await blocking(app.console.overview.names, {one["achievement_id"] for one in examples})
    hold = draft.kind is DraftKind.SUSPENSION
    return page(
        request,
        visitor,
        "draft_change.html",
        draft=draft,
        summary=draft.summary,
        source=draft.summary["source"],
        problems=placed(draft.summary),
        examples=[one | {"achievement": name_of(names.get(one["achievement_id"]))} for one in examples],
        reasons=REASONS,
        chosen="administrative_hold" if hold else "unspecified",
        **values,
    )


@router.post("/console/drafts/{draft_id}/publish")
async def publish(request: Request, visitor: Visitor, draft_id: str) -> Response:
    """Issue the awards of a draft, once."""
    no_query(request)
    await form_of(request, visitor)
    app = app_of(request)

    async def work(ref: IdempotencyRef | None) -> Response:
        made = await blocking(lambda: app.console.awards.publish(visitor.caller, draft_id, idempotency=ref))
        return go("/console/awards" if made.batch is None else f"/console/batches/{made.batch.id}")

    async def replay(batch_id: str) -> Response:
        return go(f"/console/batches/{batch_id}" if batch_id else "/console/awards")

    try:
        return await once(request, visitor, draft_id, work, replay, claim_seconds=PUBLISHING_SECONDS)
    except RootmarkError as error:
        draft = await _still_there(app, visitor, draft_id, error)
        return await _show_awards(request, visitor, draft, **problem_values(request, error))


async def _still_there(app: App, visitor: Visitor, draft_id: str, error: RootmarkError) -> Draft:
    """The draft, to be shown with what went wrong; the error itself where it cannot be shown."""
    try:
        draft = await blocking(app.console.shelf.get, visitor.caller, draft_id)
    except RootmarkError:
        raise error from None
    if draft.made is not None or draft.kind is not DraftKind.AWARDS:
        raise error
    return draft


@router.post("/console/drafts/{draft_id}/discard")
async def discard(request: Request, visitor: Visitor, draft_id: str) -> Response:
    """Throw a draft away."""
    no_query(request)
    await form_of(request, visitor)
    await blocking(app_of(request).console.shelf.discard, visitor.caller, draft_id)
    return go("/console")
