"""Audit: revocations, events, histories with their head check, consistency, the access log, the feed."""

from __future__ import annotations

from datetime import datetime
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
    examining,
    json_response,
    no_query,
    page_response,
    require_caller,
)
from api.exports import FILES, ExportForm, file_export, form_wanted, json_export, rows_wanted
from api.parquet import Kind, Table
from api.views import access_json, time_of
from registry.encoding import parse_address, to_checksum, to_hex
from registry.model.chain import EventKind, RegistryEvent
from registry.model.issuers import Caller
from registry.model.reasons import REASON_LABELS, Reason, reason_from_code
from registry.services.auditing.revocations import KINDS, RevocationLine, Selection
from registry.services.auditing.views import (
    WITH_REASON,
    audit_json,
    chain_time,
    difference_json,
    event_json,
)

router = APIRouter(prefix="/v1", tags=["audit"])

EVENT_KINDS = tuple(kind.value for kind in EventKind)
REVOCATION_ROWS = 100_000
EVENT_PARAMETERS = ("issuer", "kind", "reason", "since", "until", "as_of", "limit", "cursor")
EVENT_ROWS = 5_000
"""Rows of one page as a file; `Link` leads to the rest. An event may name some 170,000 credentials."""
_REVOCATIONS = Table(
    "revocations",
    {
        "kind": Kind.TEXT,
        "issuer": Kind.TEXT,
        "batch": Kind.TEXT,
        "root": Kind.TEXT,
        "index": Kind.NUMBER,
        "digest": Kind.TEXT,
        "reason": Kind.TEXT,
        "actor": Kind.TEXT,
        "requested_by": Kind.TEXT,
        "at": Kind.TIME,
        "block_number": Kind.NUMBER,
        "block_hash": Kind.TEXT,
        "transaction": Kind.TEXT,
        "final": Kind.FLAG,
    },
)
_EVENTS = Table(
    "events",
    {
        "kind": Kind.TEXT,
        "issuer": Kind.TEXT,
        "at": Kind.TIME,
        "block_number": Kind.NUMBER,
        "block_hash": Kind.TEXT,
        "transaction": Kind.TEXT,
        "log_index": Kind.NUMBER,
        "root": Kind.TEXT,
        "key": Kind.TEXT,
        "actor": Kind.TEXT,
        "admin": Kind.TEXT,
        "roles": Kind.TEXT,
        "valid_until": Kind.TIME,
        "reason": Kind.TEXT,
        "uri": Kind.TEXT,
        "changes": Kind.TEXT,
        "head": Kind.TEXT,
    },
)


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


def _event_row(event: RegistryEvent) -> dict[str, Any]:
    """An event as a row: roles by spaces, changes as `word:mask` by spaces."""
    row = event_json(event)
    if "roles" in row:
        row["roles"] = " ".join(row["roles"])
    row["changes"] = " ".join(f"{change['word']}:{change['mask']}" for change in row.get("changes", ()))
    return row


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
    """Status changes in chain order, as JSON, or by `Accept` as CSV (`text/csv`) or Parquet
    (`application/vnd.apache.parquet`)."""
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
    form = form_wanted(request, *FILES)
    limit = rows_wanted(query, form, REVOCATION_ROWS)
    cursor = query.text("cursor")
    return await blocking(_revocations, request, caller, selection, cursor, limit, as_of, form)


def _revocations(
    request: Request,
    caller: Caller | None,
    selection: Selection,
    cursor: str | None,
    limit: int,
    as_of: int | datetime | None,
    form: ExportForm,
) -> Response:
    found = app_of(request).audit.revocations(caller, selection, cursor, limit, as_of)
    items = [revocation_json(line) for line in found.items]
    if form is not ExportForm.JSON:
        return file_export(request, form, _REVOCATIONS, items, found.next_cursor, found.position)
    return json_export(request, items, found.next_cursor, found.position)


@router.get(
    "/audit/events",
    openapi_extra=docs.parameters(*EVENT_PARAMETERS),
    responses=shapes.EVENTS,
)
async def events(request: Request) -> Response:
    """The contract's events in chain order, as JSON, or by `Accept` as CSV (`text/csv`) or Parquet
    (`application/vnd.apache.parquet`)."""
    form = form_wanted(request, *FILES)
    return await blocking(export_events, request, Query(request, *EVENT_PARAMETERS), form)


def events_wanted(query: Query, limit: int) -> dict[str, Any]:
    """What a query says of events, for `AuditService.events`."""
    kind, reason = query.choice("kind", EVENT_KINDS), query.choice("reason", REASON_LABELS)
    return {
        "issuer": query.address(),
        "kinds": (EventKind(kind),) if kind else WITH_REASON if reason else None,
        "reason": Reason[reason.upper()].value if reason else None,
        "since": _seconds(query.time("since"), up=True),
        "until": _seconds(query.time("until"), up=True),
        "as_of": query.as_of(),
        "after": query.cursor() or 0,
        "limit": limit,
    }


def export_events(request: Request, query: Query, form: ExportForm) -> Response:
    """Events as a file, or as JSON."""
    wanted = events_wanted(query, rows_wanted(query, form, EVENT_ROWS))
    found = app_of(request).audit.events(**wanted)
    if form is not ExportForm.JSON:
        rows = [_event_row(event) for event in found.items]
        return file_export(request, form, _EVENTS, rows, found.next_cursor, found.position)
    items = [event_json(event) for event in found.items]
    return json_export(request, items, found.next_cursor, found.position)


@router.get("/audit/issuers/{address}", openapi_extra=docs.parameters("as_of"), responses=shapes.HISTORY)
async def issuer_history(request: Request, address: str) -> Response:
    """An issuer's whole history, replayed, and whether it leads to the head that the contract holds."""
    query = Query(request, "as_of")
    issuer = parse_address(address, pointer="/address")
    as_of = query.as_of()
    body = await blocking(lambda: orjson.dumps(audit_json(app_of(request).audit.issuer(issuer, as_of))))
    return Response(body, media_type="application/json")


@router.get(
    "/audit/issuers/{address}/report", openapi_extra=docs.parameters("as_of"), responses=shapes.REPORT
)
async def issuer_report(request: Request, address: str) -> Response:
    """The same as a PDF for the files, signed by this server (PAdES), with the whole history attached as
    `audit.json`. Compare its certificate with that of `/v1/audit/report-certificate`."""
    query = Query(request, "as_of")
    issuer = parse_address(address, pointer="/address")
    made = await examining(request, app_of(request).reports.issuer, issuer, query.as_of())
    headers = {"Content-Disposition": f'attachment; filename="audit-{to_hex(issuer)}.pdf"'}
    return Response(made, headers=headers, media_type="application/pdf")


@router.get("/audit/report-certificate", responses=shapes.CERTIFICATE)
async def report_certificate(request: Request) -> Response:
    """The certificate that reports are signed with, and those behind it, as PEM."""
    no_query(request)
    return Response(app_of(request).reports.certificate, media_type="application/x-pem-file")


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
