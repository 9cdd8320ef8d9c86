"""Endorsements, and records of all that a learner has from an issuer. For keys with scope `batch`."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import award_shapes, docs
from api.award_views import credential_json
from api.body import read_json, validated
from api.context import app_of, blocking, json_response, no_query, require_caller
from api.idempotency import once
from api.schemas.records import EndorsementBody, RecordBody
from api.waiting import settled_batch
from registry.credentials.signed_documents import Issued
from registry.encoding import to_hex
from registry.model.issuers import Caller
from registry.services.idempotency import IdempotencyRef

router = APIRouter(prefix="/v1", tags=["awards"])

Make = Callable[[IdempotencyRef | None], Issued]


@router.post(
    "/endorsements",
    status_code=202,
    openapi_extra=docs.body(EndorsementBody, award_shapes.ENDORSEMENT_EXAMPLE),
    responses=award_shapes.SIGNED,
)
async def endorse(request: Request) -> Response:
    """Endorse a profile, an achievement or a credential, by its id: a signed EndorsementCredential, which
    goes into the issuer's open batch."""
    caller = await require_caller(request)
    no_query(request)
    raw, value = await read_json(request)
    wanted = validated(EndorsementBody, value).endorsement()
    signed = app_of(request).signed
    return await _once(request, caller, raw, lambda ref: signed.endorse(caller, wanted, idempotency=ref))


@router.post(
    "/clr",
    status_code=202,
    openapi_extra=docs.body(RecordBody, award_shapes.RECORD_EXAMPLE),
    responses=award_shapes.SIGNED,
)
async def record(request: Request) -> Response:
    """Put all credentials in force that a recipient has from the issuer into one signed ClrCredential (CLR
    2.0), which goes into the issuer's open batch. Where the operator supplied the context of CLR 2.0."""
    caller = await require_caller(request)
    no_query(request)
    raw, value = await read_json(request)
    wanted = validated(RecordBody, value).record()
    signed = app_of(request).signed
    return await _once(request, caller, raw, lambda ref: signed.record(caller, wanted, idempotency=ref))


async def _once(request: Request, caller: Caller, raw: bytes, make: Make) -> Response:
    async def work(ref: IdempotencyRef | None) -> Response:
        return await _answer(request, await blocking(make, ref))

    async def replay(resource: str) -> Response:
        batch_id, _, index = resource.rpartition(":")
        found = await blocking(app_of(request).signed.again, caller, batch_id, int(index))
        return await _answer(request, found)

    # The answer says what erasure must find nowhere: it is made again from the stored document.
    return await once(request, caller, sha256(raw).digest(), work, replay, keep_answer=False)


async def _answer(request: Request, issued: Issued) -> Response:
    batch = await blocking(app_of(request).issuing.batch, None, issued.entry.batch_id)
    batch, done = await settled_batch(request, batch)
    view = {
        "digest": to_hex(issued.entry.digest),
        "batch": batch.id,
        "index": issued.entry.index,
        "state": batch.state.value,
        "credential": credential_json(issued.document),
    }
    return json_response(view, 200 if done else 202, {"Location": f"/v1/batches/{batch.id}"})
