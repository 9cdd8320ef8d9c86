"""Audit: revocations, events, histories with their head check, consistency, the access log, the feed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from api import docs, shapes
from api.context import (
    Query,
    app_of,
    blocking,
    caller_of,
    json_response,
    next_page,
    no_query,
    page_response,
    require_caller,
)
from api.views import access_json, time_of
from registry.bootstrap import App
from registry.encoding import parse_address, to_checksum, to_hex
from registry.errors import UnsupportedMediaTypeError
from registry.model.chain import EventKind
from registry.model.issuers import Caller
from registry.model.reasons import REASON_LABELS, Reason, reason_from_code
from registry.services.auditing.consistency import Difference
from registry.services.auditing.revocations import KINDS, RevocationLine, Selection
from registry.services.auditing.views import audit_json, chain_time, event_json

router = APIRouter(prefix="/v1", tags=["audit"])

EVENT_KINDS = tuple(kind.value for kind in EventKind)
EXPORT_ROWS = 100_000
"""Rows of one CSV export; `Link` leads to the rest."""
_COLUMNS = (
    "kind",
    "issuer",
    "batch",
    "root",
    "index",
    "digest",
    "reason",
    "actor",
    "requested_by",
    "at",
    "block_number",
    "block_hash",
    "transaction",
    "final",
)
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""With the full-width forms, which some spreadsheets read alike."""


def revocation_json(line: RevocationLine) -> dict[str, Any]:
    """One item of `GET /v1/revocations`."""
    return {
        "kind": line.kind,
        "issuer": to_checksum(line.issuer),
        "batch": line.batch_id,
        "root": to_hex(line.root),
        "index": line.index,
        "digest": None if line.digest is None else to_hex(line.digest),
        "reason": reason_from_code(line.reason).label,
        "actor": None if line.actor is None else to_checksum(line.actor),
        "requested_by": line.requested_by,
        "at": chain_time(line.at),
        "block_number": line.block_number,
        "block_hash": to_hex(line.block_hash),
        "transaction": to_hex(line.transaction),
        "final": line.final,
    }


def csv_cell(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return "'" + text if text.startswith(_FORMULA_STARTS) else text


def csv_text(columns: tuple[str, ...], rows: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> bytes:
    """RFC 4180 text with a header line."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([csv_cell(row.get(column)) for column in columns] for row in rows)
    return out.getvalue().encode()


def wants_csv(request: Request) -> bool:
    """Whether a list is asked for as CSV. Raises `UnsupportedMediaTypeError` for other kinds."""
    accepted = request.headers.get("accept", "*/*")
    if "text/csv" in accepted:
        return True
    if not any(kind in accepted for kind in ("json", "*/*", "application/*")):
        raise UnsupportedMediaTypeError("this is served as application/json and text/csv")
    return False


def _seconds(instant: datetime | None, *, up: bool = False) -> int | None:
    if instant is None:
        return None
    whole = int(instant.timestamp())
    return whole + 1 if up and instant.microsecond else whole


@router.get(
    "/revocations",
    openapi_extra=docs.parameters("issuer", "reason", "kind", "since", "until", "as_of", "limit", "cursor"),
    responses=shapes.REVOCATIONS,
)
async def revocations(request: Request) -> Response:
    """Status changes in chain order, as JSON or (`Accept: text/csv`) as CSV."""
    query = Query(request, "issuer", "reason", "kind", "since", "until", "as_of", "limit", "cursor")
    reason = query.choice("reason", REASON_LABELS)
    selection = Selection(
        issuer=query.address(),
        kind=query.choice("kind", tuple(KINDS)),
        reason=Reason[reason.upper()].value if reason else None,
        since=_seconds(query.time("since"), up=True),
        until=_seconds(query.time("until"), up=True),
    )
    as_of = query.as_of()
    caller = await caller_of(request)
    as_csv = wants_csv(request)
    limit = EXPORT_ROWS if as_csv and query.text("limit") is None else query.limit()
    lines, following = await blocking(
        app_of(request).audit.revocations, caller, selection, query.text("cursor"), limit, as_of
    )
    items = [revocation_json(line) for line in lines]
    if not as_csv:
        return page_response(request, items, following)
    return await blocking(_export, request, _COLUMNS, items, following, "revocations.csv")


def _export(
    request: Request,
    columns: tuple[str, ...],
    items: list[dict[str, Any]],
    following: str | None,
    name: str,
) -> Response:
    """A CSV with what an auditor notes down about it: at which block, how many rows, which bytes."""
    text = csv_text(columns, items)
    position = app_of(request).audit.position()
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Row-Count": str(len(items)),
        "X-Content-SHA256": sha256(text).hexdigest(),
    }
    if position is not None:
        headers["X-Block-Number"] = str(position.block.number)
        headers["X-Block-Hash"] = to_hex(position.block.hash)
    headers |= next_page(request, following)
    return Response(text, headers=headers, media_type="text/csv")


@router.get(
    "/audit/events",
    openapi_extra=docs.parameters("issuer", "kind", "since", "until", "limit", "cursor"),
    responses=shapes.EVENTS,
)
async def events(request: Request) -> Response:
    """The contract's events in chain order."""
    query = Query(request, "issuer", "kind", "since", "until", "limit", "cursor")
    kind = query.choice("kind", EVENT_KINDS)
    limit = query.limit()
    issuer, since, until = query.address(), query.time("since"), query.time("until")
    after = query.cursor() or 0
    stored = await blocking(
        lambda: app_of(request).audit.events(
            issuer=issuer,
            kinds=(EventKind(kind),) if kind else None,
            since=_seconds(since, up=True),
            until=_seconds(until, up=True),
            after=after,
            limit=limit + 1,
        )
    )
    shown = stored[:limit]
    following = str(shown[-1].id) if len(stored) > limit else None
    return page_response(request, [event_json(item.event) for item in shown], following)


@router.get("/audit/issuers/{address}", responses=shapes.HISTORY)
async def issuer_history(request: Request, address: str) -> Response:
    """An issuer's whole history, replayed, and whether it leads to the head that the contract holds."""
    no_query(request)
    issuer = parse_address(address, pointer="/address")
    return Response(await blocking(_history, app_of(request), issuer), media_type="application/json")


def _history(app: App, issuer: Any) -> bytes:
    view = audit_json(app.audit.issuer(issuer))
    view["sha256"] = sha256(orjson.dumps(view["events"])).hexdigest()
    return orjson.dumps(view)


@router.get("/audit/consistency", responses=shapes.CONSISTENCY)
async def consistency(request: Request) -> Response:
    """Whether this server's records and the chain agree; each difference by name."""
    no_query(request)
    found = await blocking(app_of(request).audit.consistency)
    return json_response(
        {
            "consistent": found.consistent,
            "block_number": found.block_number,
            "differences": [difference_json(difference) for difference in found.differences],
        }
    )


def difference_json(difference: Difference) -> dict[str, Any]:
    """One difference between server and chain."""
    return {
        "kind": difference.kind,
        "issuer": to_checksum(difference.issuer),
        "detail": difference.detail,
        "batch": difference.batch_id,
        "root": None if difference.root is None else to_hex(difference.root),
        "transaction": None if difference.transaction is None else to_hex(difference.transaction),
    }


@router.get("/audit/access", openapi_extra=docs.parameters("limit", "cursor"), responses=shapes.ACCESS)
async def access_log(request: Request) -> Response:
    """The append-only log of key and admin actions (the server's admin token)."""
    caller = await require_caller(request)
    query = Query(request, "limit", "cursor")
    limit = query.limit()
    records = await blocking(app_of(request).access.records, caller, query.cursor() or 0, limit + 1)
    shown = records[:limit]
    following = str(shown[-1].id) if len(records) > limit else None
    return page_response(request, [access_json(record) for record in shown], following)


@router.get("/events", openapi_extra=docs.parameters("after", "limit", "cursor"), responses=shapes.FEED)
async def feed(request: Request) -> Response:
    """The server's own events in order: an issuer's key sees its own, the admin all."""
    caller: Caller = await require_caller(request)
    query = Query(request, "after", "limit", "cursor")
    limit = query.limit()
    after = query.number("after", query.cursor() or 0, 2**63 - 1)
    items = await blocking(app_of(request).audit.feed, caller, after, limit + 1)
    shown = items[:limit]
    following = str(shown[-1].id) if len(items) > limit else None
    views = [
        {
            "id": item.id,
            "at": time_of(item.at),
            "kind": item.kind,
            "issuer": to_checksum(item.issuer),
            "payload": item.payload,
        }
        for item in shown
    ]
    return page_response(request, views, following)
