"""Batches and single credentials of an issuer: POST, seal, retry, withdraw, read, proofs."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from api import docs
from api.body import (
    LARGE_BODY_BYTES,
    NDJSON_TYPES,
    SpooledBody,
    media_type,
    read_bytes,
    read_json,
    spool,
    validated,
)
from api.context import Query, app_of, blocking, json_response, no_query, page_response, require_caller
from api.idempotency import once
from api.schemas.batches import items_of_json, items_of_lines, usable_method
from api.schemas.bodies import BatchAnnulment, BatchChange, NewCredential, signatures_of
from api.views import batch_json
from api.waiting import batch_answer, request_answer, request_replayed, settled_batch
from registry.bootstrap import App
from registry.errors import Fault, ValidationError
from registry.model.batches import BatchState
from registry.model.issuers import Caller
from registry.model.operations import RequestKind
from registry.services.idempotency import IdempotencyRef
from registry.services.items import NewItem

router = APIRouter(prefix="/v1", tags=["batches"])

STATES = tuple(state.value for state in BatchState if state is not BatchState.RECEIVING)


@router.post("/batches", status_code=202, openapi_extra=docs.BATCH_BODY, responses=docs.BATCH_ANSWER)
async def create_batch(request: Request) -> Response:
    """Issue a batch of digests or credentials; the index is the position in the request."""
    caller = await require_caller(request)
    query = Query(request, "allow_duplicate", "digest_method")
    allow_duplicate = query.flag("allow_duplicate")
    app = app_of(request)
    if media_type(request) in NDJSON_TYPES:
        method = usable_method(query.text("digest_method"))
        spooled = await spool(request, app.spool_directory)
        try:
            return await _once(
                request,
                caller,
                spooled.sha256,
                lambda: items_of_lines(spooled.lines(), method, app.issuing.item_from_credential),
                _line_position(spooled),
                allow_duplicate,
            )
        finally:
            spooled.close()
    if query.text("digest_method") is not None:
        fault = Fault("digest-method", "in a JSON body digest_method stands beside digests", "/digest_method")
        raise ValidationError("digest_method is a query parameter of NDJSON bodies only", faults=[fault])
    raw, value = await read_json(request, LARGE_BODY_BYTES)
    name = "credentials" if isinstance(value, dict) and "credentials" in value else "digests"
    return await _once(
        request,
        caller,
        sha256(raw).digest(),
        lambda: items_of_json(value, app.issuing.item_from_credential),
        lambda index: {"pointer": f"/{name}/{index}"},
        allow_duplicate,
    )


def _line_position(spooled: SpooledBody) -> Any:
    """Line of the item at an index; looked up in the file only when there is something to say about it."""

    def position(index: int) -> dict[str, Any]:
        for position, (number, _) in enumerate(spooled.lines()):
            if position == index:
                return {"line": number}
        return {"line": index + 1}

    return position


async def _once(
    request: Request, caller: Caller, body_sha256: bytes, items: Any, position: Any, allow_duplicate: bool
) -> Response:
    app = app_of(request)

    async def work(ref: IdempotencyRef | None) -> Response:
        batch = await blocking(
            lambda: app.issuing.create_batch(
                caller, items(), allow_duplicate=allow_duplicate, position=position, idempotency=ref
            )
        )
        return await batch_answer(request, batch)

    async def replay(batch_id: str) -> Response:
        return await batch_answer(request, await blocking(app.issuing.batch, None, batch_id))

    return await once(request, caller, body_sha256, work, replay)


@router.get(
    "/batches", responses=docs.BATCH_LIST, openapi_extra=docs.parameters("issuer", "state", "limit", "cursor")
)
async def list_batches(request: Request) -> Response:
    """Batches, newest first."""
    query = Query(request, "issuer", "state", "limit", "cursor")
    state = query.choice("state", STATES)
    limit = query.limit()
    app = app_of(request)
    batches = await blocking(
        app.issuing.batches, query.address(), BatchState(state) if state else None, query.cursor(), limit + 1
    )
    shown = batches[:limit]
    items = await blocking(app.audit.batch_views, shown, batch_json)
    return page_response(request, items, str(shown[-1].seq) if len(batches) > limit else None)


@router.get("/batches/{batch_id}", responses=docs.BATCH)
async def get_batch(request: Request, batch_id: str) -> Response:
    """One batch."""
    no_query(request)
    app = app_of(request)
    batch = await blocking(app.issuing.batch, None, batch_id)
    return json_response((await blocking(app.audit.batch_views, [batch], batch_json))[0])


@router.get("/batches/{batch_id}/proofs", responses=docs.PROOFS)
async def get_proofs(request: Request, batch_id: str) -> Response:
    """All proofs of a batch as NDJSON in index order. For the issuer's keys and for scope `audit`."""
    caller = await require_caller(request)
    no_query(request)
    proofs = await blocking(app_of(request).issuing.proofs, caller, batch_id)
    return StreamingResponse(_ndjson(proofs), media_type="application/x-ndjson")


def _ndjson(proofs: Iterator[dict[str, Any]], lines_per_part: int = 500) -> Iterator[bytes]:
    part: list[bytes] = []
    for proof in proofs:
        part.append(orjson.dumps(proof))
        if len(part) == lines_per_part:
            yield b"\n".join(part) + b"\n"
            part = []
    if part:
        yield b"\n".join(part) + b"\n"


@router.post("/batches/{batch_id}/seal", status_code=202, responses=docs.BATCH_ANSWER)
async def seal_batch(request: Request, batch_id: str) -> Response:
    """Seal the issuer's open batch now."""
    return await _step(request, batch_id, "seal")


@router.post("/batches/{batch_id}/retry", status_code=202, responses=docs.BATCH_ANSWER)
async def retry_batch(request: Request, batch_id: str) -> Response:
    """Try to anchor a failed batch again."""
    return await _step(request, batch_id, "retry")


@router.post("/batches/{batch_id}/approval", status_code=202, responses=docs.BATCH_ANSWER)
async def approve_batch(request: Request, batch_id: str) -> Response:
    """Approve publishing with a second API key, where the server asks for it."""
    return await _step(request, batch_id, "approve")


async def _step(request: Request, batch_id: str, action: str) -> Response:
    caller = await require_caller(request)
    no_query(request)
    app = app_of(request)
    raw = await read_bytes(request, 1024)

    async def work(ref: IdempotencyRef | None) -> Response:
        step = getattr(app.issuing, action)
        batch = await blocking(lambda: step(caller, batch_id))
        if ref is not None:
            await blocking(app.bind, ref, f"batch:{batch.id}")
        return await batch_answer(request, batch)

    async def replay(resource: str) -> Response:
        return await batch_answer(request, await blocking(app.issuing.batch, None, resource))

    return await once(request, caller, sha256(raw).digest(), work, replay)


@router.post(
    "/batches/{batch_id}/withdrawal",
    status_code=202,
    openapi_extra=docs.body(BatchChange, {"reason": "issued_in_error", "note": "see file 17"}),
    responses=docs.REQUEST_ANSWER,
)
async def withdraw_batch(request: Request, batch_id: str) -> Response:
    """Withdraw a whole batch."""
    return await _change_batch(request, batch_id, RequestKind.WITHDRAWAL)


@router.post(
    "/batches/{batch_id}/withdrawal-annulment",
    status_code=202,
    openapi_extra=docs.body(BatchAnnulment, {"reason": "issued_in_error", "note": "see file 17"}),
    responses=docs.ADMIN_ANSWER,
)
async def annul_withdrawal(request: Request, batch_id: str) -> Response:
    """Annul a withdrawal: the issuer's admin, scope `admin`. An admin whose key is not here gets what to
    sign, and repeats the request with `signatures` and `deadline`."""
    return await _change_batch(request, batch_id, RequestKind.WITHDRAWAL_ANNULMENT)


async def _change_batch(request: Request, batch_id: str, kind: RequestKind) -> Response:
    caller = await require_caller(request)
    no_query(request)
    raw, value = await read_json(request)
    annulling = kind is RequestKind.WITHDRAWAL_ANNULMENT
    body = validated(BatchAnnulment if annulling else BatchChange, value)
    status = app_of(request).status

    async def work(ref: IdempotencyRef | None) -> Response:
        made = await blocking(
            lambda: (
                status.annul_withdrawal(
                    caller, batch_id, body.reason, body.note, signed=signatures_of(body), idempotency=ref
                )
                if isinstance(body, BatchAnnulment)
                else status.withdraw(caller, batch_id, body.reason, body.note, idempotency=ref)
            )
        )
        return await request_answer(request, caller, made)

    async def replay(request_id: str) -> Response:
        return await request_replayed(request, caller, request_id)

    return await once(request, caller, sha256(raw).digest(), work, replay)


@router.post(
    "/credentials",
    status_code=202,
    openapi_extra=docs.body(NewCredential, {"digest": "0x" + "5a" * 32, "external_id": "award-2026-0417"}),
    responses=docs.ENTRY_ANSWER,
)
async def add_credential(request: Request) -> Response:
    """Add one credential to the issuer's open batch."""
    caller = await require_caller(request)
    no_query(request)
    raw, value = await read_json(request)
    body = validated(NewCredential, value)
    app = app_of(request)
    item = _item(app, body)

    async def work(ref: IdempotencyRef | None) -> Response:
        entry = await blocking(lambda: app.issuing.add_credential(caller, item, idempotency=ref))
        return await _entry_answer(request, entry.batch_id, entry.index, item)

    async def replay(resource: str) -> Response:
        batch_id, _, index = resource.rpartition(":")
        return await _entry_answer(request, batch_id, int(index), item)

    # The answer names the external_id, which erasure must find nowhere: it is made again from the request.
    return await once(request, caller, sha256(raw).digest(), work, replay, keep_answer=False)


def _item(app: App, body: NewCredential) -> NewItem:
    if (body.credential is None) == (body.digest is None):
        fault = Fault("members", "either credential or digest is expected", "")
        raise ValidationError("either credential or digest is expected", faults=[fault])
    if body.credential is not None:
        _refuse_beside_credential(body)
        return app.issuing.item_from_credential(
            body.credential, external_id=body.external_id, pointer="/credential"
        )
    assert body.digest is not None
    return NewItem(
        body.digest, usable_method(body.digest_method), body.external_id, body.valid_from, body.valid_until
    )


def _refuse_beside_credential(body: NewCredential) -> None:
    """A credential says itself when it is valid, and how its digest is made."""
    extra = [name for name in ("digest_method", "valid_from", "valid_until") if name in body.model_fields_set]
    if extra:
        detail = "this belongs to a digest, not to a credential"
        faults = [Fault("members", detail, f"/{name}") for name in extra]
        raise ValidationError(f"{detail} at /{extra[0]}", faults=faults)


async def _entry_answer(request: Request, batch_id: str, index: int, item: NewItem) -> Response:
    batch = await blocking(app_of(request).issuing.batch, None, batch_id)
    batch, done = await settled_batch(request, batch)
    view = {
        "digest": "0x" + item.digest.hex(),
        "external_id": item.external_id,
        "batch": batch.id,
        "index": index,
        "state": batch.state.value,
    }
    return json_response(view, 200 if done else 202, {"Location": f"/v1/batches/{batch.id}"})
