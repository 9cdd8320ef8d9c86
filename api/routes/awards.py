"""Awards: issue, try without issuing, look at, supersede. For an issuer's keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any

import orjson
from fastapi import APIRouter, Request
from starlette.background import BackgroundTask
from starlette.responses import Response, StreamingResponse

from api import award_shapes, docs
from api.award_views import (
    AWARD_COLUMNS,
    award_json,
    award_row,
    credential_json,
    listed_json,
    preview_json,
    quote_json,
)
from api.body import (
    CSV_TYPES,
    LARGE_BODY_BYTES,
    MIB,
    NDJSON_TYPES,
    SPOOL_MEMORY_BYTES,
    SpooledBody,
    media_type,
    read_json,
    spool,
    validated,
)
from api.context import (
    Query,
    app_of,
    blocking,
    json_response,
    next_page,
    no_query,
    page_response,
    require_caller,
)
from api.exports import ExportForm, csv_text, form_wanted, rows_wanted
from api.idempotency import once
from api.schemas.awards import (
    AwardsBody,
    OptionsBody,
    SupersedeBody,
    replacement,
    rows_of_json,
    rows_of_lines,
)
from api.views import batch_json
from api.waiting import settled_batch
from registry.bootstrap import App
from registry.credentials.award_csv import MAX_ROW_BYTES, awards_of_csv
from registry.credentials.award_values import Row
from registry.credentials.awarding import LISTED_ROWS, AwardOptions, Listed
from registry.encoding import invalid
from registry.errors import StoreUnavailableError
from registry.model.batches import Batch
from registry.model.issuers import Caller
from registry.services.idempotency import IdempotencyRef

router = APIRouter(prefix="/v1/awards", tags=["awards"])

ROWS_BODY_BYTES = 256 * MIB
EXPORT_ROWS = 10_000
_OPTIONS = ("credential_status", "identity", "name", "proofs")
_CURSOR = re.compile(r"([0-9]{1,18})-([0-9]{1,10})")
_PIECE_BYTES = 256 * 1024

Rows = Callable[[], Iterable[Row]]


@router.post("", status_code=202, openapi_extra=award_shapes.AWARDS_BODY, responses=award_shapes.AWARDED)
async def create_awards(request: Request) -> Response:
    """Award achievements: JSON, NDJSON or CSV. All rows become one batch, or none does. With `dry_run`
    nothing is stored, and the answer says row by row what would become of it, and what it would cost."""
    caller = await require_caller(request)
    query = Query(request, "dry_run", *_OPTIONS)
    dry_run = query.flag("dry_run")
    kind = media_type(request)
    if kind in NDJSON_TYPES or kind in CSV_TYPES:
        options = _query_options(query)
        spooled = await spool(request, app_of(request).spool_directory, ROWS_BODY_BYTES)
        try:
            rows = _rows_of_csv(spooled) if kind in CSV_TYPES else _rows_of_lines(spooled)
            return await _process(request, caller, spooled.sha256, rows, options, dry_run)
        finally:
            spooled.close()
    if any(query.text(name) is not None for name in _OPTIONS):
        raise invalid("options", "in a JSON body the options stand beside the awards", "/options")
    raw, value = await read_json(request, LARGE_BODY_BYTES)
    body = await blocking(validated, AwardsBody, value)
    rows = _rows_of_json(body.awards)
    return await _process(request, caller, sha256(raw).digest(), rows, body.options.options(), dry_run)


def _rows_of_csv(spooled: SpooledBody) -> Rows:
    return lambda: awards_of_csv(spooled.raw_lines(MAX_ROW_BYTES))


def _rows_of_lines(spooled: SpooledBody) -> Rows:
    return lambda: rows_of_lines(spooled.lines())


def _rows_of_json(awards: list[Any]) -> Rows:
    return lambda: rows_of_json(awards)


def _query_options(query: Query) -> AwardOptions:
    given: dict[str, Any] = {
        "identity": query.choice("identity", ("hashed", "plain")),
        "name": query.choice("name", ("omit", "plain")),
    }
    if query.text("credential_status") is not None:
        given["credential_status"] = query.flag("credential_status")
    proofs = query.text("proofs")
    if proofs is not None:
        given["proofs"] = proofs.split(",")
    return validated(OptionsBody, {name: one for name, one in given.items() if one is not None}).options()


async def _process(
    request: Request, caller: Caller, body_sha256: bytes, rows: Rows, options: AwardOptions, dry_run: bool
) -> Response:
    app = app_of(request)
    if dry_run:
        return await _report(app, caller, rows, options)

    async def work(ref: IdempotencyRef | None) -> Response:
        made = await blocking(lambda: app.awards.create(caller, rows(), options, idempotency=ref))
        return await _awarded(request, made.batch, made.made, made.replayed, made.listed)

    async def replay(batch_id: str) -> Response:
        if not batch_id:  # every row stood for an award that was there; they still do
            return await work(None)
        batch = await blocking(app.issuing.batch, None, batch_id)
        listed = await blocking(app.awards.of_batch, caller, batch, LISTED_ROWS)
        return await _awarded(request, batch, batch.size, None, listed)

    return await once(request, caller, body_sha256, work, replay)


async def _batch_view(request: Request, batch: Batch) -> tuple[dict[str, Any], int]:
    now, done = await settled_batch(request, batch)
    view = await blocking(lambda: app_of(request).audit.batch_views([now], batch_json)[0])
    return view, 200 if done else 202


async def _awarded(
    request: Request, batch: Batch | None, made: int, replayed: int | None, listed: Iterable[Listed]
) -> Response:
    """The answer names no recipient and no external_id, which erasure must find nowhere: it may be kept."""
    view: dict[str, Any] | None = None
    status = 200
    if batch is not None:
        view, status = await _batch_view(request, batch)
    batch_id = None if batch is None else batch.id
    answer = {
        "batch": view,
        "created": made,
        "replayed": replayed,
        "awards": [listed_json(one, batch_id) for one in listed],
    }
    headers = {} if batch is None else {"Location": f"/v1/batches/{batch.id}"}
    return json_response(answer, status, headers)


# --- trying -------------------------------------------------------------------------------------------------


async def _report(app: App, caller: Caller, rows: Rows, options: AwardOptions) -> Response:
    """The whole report is written to disk before the answer begins: what goes wrong meanwhile is a problem,
    and never half a report."""
    file = await blocking(_write_report, app, caller, rows, options, app.spool_directory)
    return StreamingResponse(
        _pieces(file), media_type="application/json", background=BackgroundTask(file.close)
    )


def _write_report(app: App, caller: Caller, rows: Rows, options: AwardOptions, directory: Path) -> IO[bytes]:
    file = SpooledTemporaryFile(max_size=SPOOL_MEMORY_BYTES, dir=str(directory))  # noqa: SIM115 - outlives this function
    try:
        count = good = replayed = 0
        file.write(b'{"rows":[')
        for preview in app.awards.previews(caller, rows(), options):
            file.write(b"," if count else b"")
            file.write(orjson.dumps(preview_json(preview)))
            count += 1
            good += not preview.problems
            replayed += preview.replays is not None
        if not count:
            raise invalid("empty", "at least one award is expected", "")
        cost = app.awards.quote(caller, good - replayed)
        rest = {"count": count, "ok": good, "replayed": replayed, "cost": quote_json(cost)}
        file.write(b"]," + orjson.dumps(rest)[1:])
        file.seek(0)
    except OSError as error:
        file.close()
        raise StoreUnavailableError("the server has no room for this report now") from error
    except BaseException:
        file.close()
        raise
    return file


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_PIECE_BYTES):
        yield piece


# --- looking ------------------------------------------------------------------------------------------------


@router.get(
    "",
    openapi_extra=docs.parameters("achievement_id", "external_id", "batch", "limit", "cursor"),
    responses=award_shapes.AWARDS,
)
async def list_awards(request: Request) -> Response:
    """The issuer's awards, newest first, as JSON or (`Accept: text/csv`) as CSV."""
    caller = await require_caller(request)
    query = Query(request, "achievement_id", "external_id", "batch", "limit", "cursor")
    form = form_wanted(request, ExportForm.CSV)
    limit = rows_wanted(query, form, EXPORT_ROWS)
    views = await blocking(
        lambda: app_of(request).awards.page(
            caller,
            achievement_id=query.text("achievement_id"),
            batch_id=query.text("batch"),
            external_id=query.text("external_id"),
            before=_cursor(query.text("cursor")),
            limit=limit + 1,
        )
    )
    shown = views[:limit]
    last = shown[-1].award if len(views) > limit else None
    following = None if last is None else f"{last.batch_seq}-{last.index}"
    if form is ExportForm.JSON:
        return page_response(request, [award_json(view) for view in shown], following)
    text = csv_text(AWARD_COLUMNS, [award_row(view) for view in shown])
    headers = {"Content-Disposition": 'attachment; filename="awards.csv"'}
    return Response(text, headers=headers | next_page(request, following), media_type="text/csv")


def _cursor(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise invalid("cursor", "this is no cursor of this list", "/cursor")
    return int(match[1]), int(match[2])


@router.get("/{award_id}", responses=award_shapes.AWARD)
async def get_award(request: Request, award_id: str) -> Response:
    """One award, and its credential as it was secured."""
    caller = await require_caller(request)
    no_query(request)
    view, document = await blocking(app_of(request).awards.get, caller, award_id)
    return json_response(award_json(view) | {"credential": credential_json(document)})


# --- superseding --------------------------------------------------------------------------------------------


@router.post(
    "/{award_id}/supersede",
    status_code=202,
    openapi_extra=docs.body(SupersedeBody, award_shapes.SUPERSEDE_EXAMPLE),
    responses=award_shapes.SUPERSEDED,
)
async def supersede_award(request: Request, award_id: str) -> Response:
    """Issue an award in the place of another, which is revoked with the reason `superseded`. Members that are
    left out, recipient and achievement, are the old award's."""
    caller = await require_caller(request)
    no_query(request)
    raw, value = await read_json(request)
    body = validated(SupersedeBody, value)
    wanted = replacement(body)
    app = app_of(request)

    async def work(ref: IdempotencyRef | None) -> Response:
        made = await blocking(
            lambda: app.awards.supersede(
                caller, award_id, wanted, body.options.options(), body.note, idempotency=ref
            )
        )
        batch = await blocking(app.issuing.batch, None, made.batch_id)
        return await _superseded(request, award_id, made.award_id, made.index, batch, made.revocation)

    async def replay(batch_id: str) -> Response:
        batch = await blocking(app.issuing.batch, None, batch_id)
        (made,) = await blocking(app.awards.of_batch, caller, batch, 1)
        return await _superseded(request, award_id, made.award_id, made.index, batch, None)

    return await once(request, caller, sha256(raw).digest(), work, replay)


async def _superseded(
    request: Request, old: str, new: str, index: int, batch: Batch, revocation: str | None
) -> Response:
    view, status = await _batch_view(request, batch)
    answer = {"id": new, "supersedes": old, "revocation": revocation, "batch": view, "index": index}
    return json_response(answer, status, {"Location": f"/v1/awards/{new}"})
