"""Credentials by digest or external id: where they are, their proofs, their erasure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import docs, shapes
from api.context import Query, app_of, blocking, json_response, no_query, page_response, require_caller
from api.views import entry_json
from registry.bootstrap import App
from registry.encoding import Digest, parse_digest
from registry.errors import Fault, NotFoundError, ValidationError
from registry.model.batches import Entry

router = APIRouter(prefix="/v1/credentials", tags=["credentials"])

MAX_EXTERNAL_IDS = 100


@router.get("", openapi_extra=docs.parameters("external_id"), responses=shapes.NAMED_ENTRIES)
async def by_external_id(request: Request) -> Response:
    """The issuer's credentials with an external id; the parameter may stand up to 100 times."""
    caller = await require_caller(request)
    wanted = Query(request, repeated="external_id", most=MAX_EXTERNAL_IDS).texts
    if not wanted:
        fault = Fault("missing", "external_id is needed", "/external_id")
        raise ValidationError("say which external_id", faults=[fault])
    app = app_of(request)
    entries = await blocking(app.issuing.entries_by_external_ids, caller, wanted)
    items = [{"digest": "0x" + entry.digest.hex(), "external_id": entry.external_id} for entry in entries]
    views = await blocking(_views, app, entries)
    return page_response(request, [item | view for item, view in zip(items, views, strict=True)], None)


def _views(app: App, entries: Sequence[Entry]) -> list[dict[str, object]]:
    states = app.audit.entry_states(entries)
    return [
        entry_json(entry, status, None if anchored_at is None else datetime.fromtimestamp(anchored_at, UTC))
        for entry, (status, anchored_at) in zip(entries, states, strict=True)
    ]


@router.get("/{digest}", responses=shapes.ENTRIES)
async def by_digest(request: Request, digest: str) -> Response:
    """Where a digest is, and in what state."""
    no_query(request)
    wanted = parse_digest(digest, pointer="/digest")
    return json_response(await blocking(_found, app_of(request), wanted))


def _found(app: App, digest: Digest) -> dict[str, object]:
    entries = list(app.issuing.entries_by_digest(digest))
    if not entries:
        raise NotFoundError("this digest is not here")
    return {"digest": "0x" + digest.hex(), "entries": _views(app, entries)}


@router.get("/{digest}/proof", openapi_extra=docs.parameters("issuer", "batch"), responses=shapes.PROOF)
async def proof(request: Request, digest: str) -> Response:
    """The RootmarkProof of a digest. Whoever knows the digest may have it."""
    query = Query(request, "issuer", "batch")
    wanted = parse_digest(digest, pointer="/digest")
    issuer, batch = query.address(), query.text("batch")
    return json_response(await blocking(app_of(request).issuing.proof, wanted, issuer, batch))


@router.delete("/{digest}", status_code=204, responses=docs.EMPTY)
async def erase(request: Request, digest: str) -> Response:
    """Remove what could be linked to a person; root and index stay on chain. Cannot be undone."""
    caller = await require_caller(request)
    no_query(request)
    await blocking(app_of(request).issuing.erase, caller, parse_digest(digest, pointer="/digest"))
    return Response(status_code=204)
