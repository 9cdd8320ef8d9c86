"""Status changes of credentials: revoke, suspend, reinstate, annul, and what became of a request."""

from __future__ import annotations

from hashlib import sha256

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import docs
from api.body import LARGE_BODY_BYTES, read_bytes, read_json, validated
from api.context import app_of, blocking, json_response, no_query, require_caller
from api.idempotency import once
from api.schemas.bodies import Annulment, StatusChange, signatures_of
from api.views import request_json
from api.waiting import request_answer, request_replayed
from registry.model.operations import RequestKind
from registry.model.reasons import Reason
from registry.services.idempotency import IdempotencyRef

router = APIRouter(prefix="/v1", tags=["status"])

_BODY = docs.body(StatusChange, {"digests": ["0x" + "5a" * 32], "reason": "issued_in_error"})
_ANNULMENT = docs.body(Annulment, {"digests": ["0x" + "5a" * 32], "reason": "issued_in_error"})


@router.post("/revocations", status_code=202, openapi_extra=_BODY, responses=docs.REQUEST_ANSWER)
async def revoke(request: Request) -> Response:
    """Revoke credentials, all or nothing."""
    return await _change(request, RequestKind.REVOCATION, Reason.UNSPECIFIED)


@router.post("/suspensions", status_code=202, openapi_extra=_BODY, responses=docs.REQUEST_ANSWER)
async def suspend(request: Request) -> Response:
    """Suspend credentials, all or nothing."""
    return await _change(request, RequestKind.SUSPENSION, Reason.ADMINISTRATIVE_HOLD)


@router.post("/reinstatements", status_code=202, openapi_extra=_BODY, responses=docs.REQUEST_ANSWER)
async def reinstate(request: Request) -> Response:
    """End suspensions, all or nothing."""
    return await _change(request, RequestKind.REINSTATEMENT, Reason.UNSPECIFIED)


@router.post("/annulments", status_code=202, openapi_extra=_ANNULMENT, responses=docs.ADMIN_ANSWER)
async def annul(request: Request) -> Response:
    """Annul revocations: the issuer's admin, scope `admin`. An admin whose key is not here gets what to sign,
    and repeats the request with `signatures` and `deadline`."""
    return await _change(request, RequestKind.ANNULMENT, Reason.UNSPECIFIED)


async def _change(request: Request, kind: RequestKind, default_reason: Reason) -> Response:
    caller = await require_caller(request)
    no_query(request)
    raw, value = await read_json(request, LARGE_BODY_BYTES)
    body = validated(Annulment if kind is RequestKind.ANNULMENT else StatusChange, value)
    reason = default_reason if body.reason is None else body.reason
    signed = signatures_of(body) if isinstance(body, Annulment) else None
    app = app_of(request)

    async def work(ref: IdempotencyRef | None) -> Response:
        made = await blocking(
            lambda: app.status.change(
                caller, kind, body.digests, reason, body.note, signed=signed, idempotency=ref
            )
        )
        return await request_answer(request, caller, made)

    async def replay(request_id: str) -> Response:
        return await request_replayed(request, caller, request_id)

    return await once(request, caller, sha256(raw).digest(), work, replay)


@router.get("/requests/{request_id}", responses=docs.REQUEST)
async def get_request(request: Request, request_id: str) -> Response:
    """A status request, for its issuer and for scope `audit`."""
    caller = await require_caller(request)
    no_query(request)
    return json_response(request_json(await blocking(app_of(request).status.request, caller, request_id)))


@router.post("/requests/{request_id}/approval", status_code=202, responses=docs.REQUEST_ANSWER)
async def approve_request(request: Request, request_id: str) -> Response:
    """Approve with a second API key, where the server asks for it."""
    caller = await require_caller(request)
    no_query(request)
    await read_bytes(request, 1024)
    made = await blocking(app_of(request).status.approve, caller, request_id)
    return await request_answer(request, caller, made)
