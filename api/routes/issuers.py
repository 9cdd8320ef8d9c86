"""Issuers, their keys on chain, and their API keys."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import docs, shapes
from api.body import read_json, validated
from api.context import (
    Query,
    app_of,
    blocking,
    caller_of,
    json_response,
    no_query,
    page_response,
    require_caller,
)
from api.idempotency import once
from api.schemas.bodies import NewApiKey, NewChainKey, NewIssuer, Retirement, signatures_of
from api.views import api_key_json, issuer_json, registration_json
from api.waiting import request_answer, request_replayed
from registry.bootstrap import App
from registry.encoding import Address, parse_address, to_checksum
from registry.model.chain import Role
from registry.model.issuers import Caller, Scope
from registry.services.auditing.views import chain_time, far_time, role_names
from registry.services.idempotency import IdempotencyRef

router = APIRouter(prefix="/v1/issuers", tags=["issuers"])

_CHAIN_KEY = {
    "key": "0x" + "11" * 20,
    "roles": ["anchor", "revoke"],
    "consent": "0x" + "22" * 65,
    "consent_deadline": 1_800_000_000,
}


@router.post(
    "",
    status_code=201,
    openapi_extra=docs.body(NewIssuer, {"name": "Example College", "url": "https://college.example"}),
    responses=shapes.REGISTERED_ISSUER,
)
async def register(request: Request) -> Response:
    """Register an issuer (the server's admin token). The API key is shown once."""
    caller = await require_caller(request)
    no_query(request)
    raw, value = await read_json(request)
    body = validated(NewIssuer, value)
    app = app_of(request)

    async def work(ref: IdempotencyRef | None) -> Response:
        made = await blocking(
            lambda: app.issuers.register(
                caller, body.name, body.url, body.admin, email=body.email, idempotency=ref
            )
        )
        view = issuer_json(made.issuer) | {"api_key": made.token, "api_key_id": made.api_key.id}
        if made.to_sign is not None:
            view |= registration_json(made.to_sign)
        return json_response(view, 201, {"Location": f"/v1/issuers/{view['address']}"})

    async def replay(address: str) -> Response:
        view = await blocking(_issuer_view, app, caller, parse_address(address))
        return json_response(view, 201, {"Location": f"/v1/issuers/{view['address']}"})

    return await once(request, caller, sha256(raw).digest(), work, replay, keep_answer=False)


@router.get("", openapi_extra=docs.parameters("limit", "cursor"), responses=shapes.ISSUERS)
async def list_issuers(request: Request) -> Response:
    """Issuers hosted here, in order of address."""
    query = Query(request, "limit", "cursor")
    limit = query.limit()
    issuers = await blocking(app_of(request).issuers.page, query.address("cursor"), limit + 1)
    shown = issuers[:limit]
    following = to_checksum(shown[-1].address) if len(issuers) > limit else None
    return page_response(request, [issuer_json(issuer) for issuer in shown], following)


@router.get("/{address}", responses=shapes.ISSUER)
async def get_issuer(request: Request, address: str) -> Response:
    """One issuer. While it awaits its admin, its own key and the server's admin see what the admin signs."""
    no_query(request)
    wanted = parse_address(address, pointer="/address")
    caller = await caller_of(request)
    return json_response(await blocking(_issuer_view, app_of(request), caller, wanted))


def _issuer_view(app: App, caller: Caller | None, address: Address) -> dict[str, Any]:
    issuer = app.issuers.get(address)
    to_sign = app.issuers.to_register(caller, issuer)
    return issuer_json(issuer) | ({} if to_sign is None else registration_json(to_sign))


@router.get("/{address}/keys", responses=shapes.CHAIN_KEYS)
async def chain_keys(request: Request, address: str) -> Response:
    """The issuer's keys on chain, as indexed."""
    no_query(request)
    wanted = parse_address(address, pointer="/address")
    app = app_of(request)
    keys = await blocking(app.issuers.chain_keys, wanted)
    methods = await blocking(app.identity.anchoring_methods, wanted)
    items: list[dict[str, Any]] = [
        {
            "key": to_checksum(key.key),
            "roles": role_names(key.roles),
            "valid_until": far_time(key.valid_until),
            "retired_at": chain_time(key.retired_at) if key.retired_at else None,
            "added_at": chain_time(key.added_at),
            "held_here": key.held_here,
            "verification_method": methods.get(key.key),
        }
        for key in keys
    ]
    return page_response(request, items, None)


@router.post(
    "/{address}/keys",
    status_code=202,
    openapi_extra=docs.body(NewChainKey, _CHAIN_KEY),
    responses=docs.ADMIN_ANSWER,
)
async def add_chain_key(request: Request, address: str) -> Response:
    """Add a key on chain; without `key`, a new operating key of this server's. An admin whose key is not here
    gets what to sign, and repeats the request with that `key`, `signature` and `deadline`."""
    caller = await require_caller(request)
    no_query(request)
    raw, value = await read_json(request)
    body = validated(NewChainKey, value)
    issuer = parse_address(address, pointer="/address")
    roles = Role(sum({Role[name.upper()] for name in body.roles}))
    app = app_of(request)

    async def work(ref: IdempotencyRef | None) -> Response:
        made = await blocking(
            lambda: app.issuers.add_key(
                caller,
                issuer,
                body.key,
                roles,
                body.consent or b"",
                body.consent_deadline or 0,
                signed=body.signed(),
                idempotency=ref,
            )
        )
        return await request_answer(request, caller, made)

    async def replay(request_id: str) -> Response:
        return await request_replayed(request, caller, request_id)

    return await once(request, caller, sha256(raw).digest(), work, replay)


@router.post(
    "/{address}/keys/{key}/retirement",
    status_code=202,
    openapi_extra=docs.body(Retirement, {"valid_until": "2026-11-23T04:00:00Z", "reason": "key_compromise"}),
    responses=docs.ADMIN_ANSWER,
)
async def retire_chain_key(request: Request, address: str, key: str) -> Response:
    """Retire a key from a moment on, perhaps in the past; what it anchored later is no longer trusted. An
    admin whose key is not here gets what to sign, and repeats with `signatures` and `deadline`."""
    caller = await require_caller(request)
    no_query(request)
    raw, value = await read_json(request)
    body = validated(Retirement, value)
    issuer, retired = parse_address(address, pointer="/address"), parse_address(key, pointer="/key")
    app = app_of(request)

    async def work(ref: IdempotencyRef | None) -> Response:
        made = await blocking(
            lambda: app.issuers.retire_key(
                caller,
                issuer,
                retired,
                body.valid_until,
                body.reason,
                signed=signatures_of(body),
                idempotency=ref,
            )
        )
        return await request_answer(request, caller, made)

    async def replay(request_id: str) -> Response:
        return await request_replayed(request, caller, request_id)

    return await once(request, caller, sha256(raw).digest(), work, replay)


@router.get("/{address}/api-keys", responses=shapes.API_KEYS)
async def api_keys(request: Request, address: str) -> Response:
    """The issuer's API keys, without their tokens."""
    caller = await require_caller(request)
    no_query(request)
    issuer = parse_address(address, pointer="/address")
    keys = await blocking(app_of(request).access.keys, caller, issuer)
    return page_response(request, [api_key_json(key) for key in keys], None)


@router.post(
    "/{address}/api-keys",
    status_code=201,
    openapi_extra=docs.body(NewApiKey, {"label": "LMS", "scopes": ["batch", "status"]}),
    responses=shapes.MADE_API_KEY,
)
async def create_api_key(request: Request, address: str) -> Response:
    """Make an API key; its token is shown once. The old key stays in force until it is deleted or expires."""
    caller = await require_caller(request)
    no_query(request)
    raw, value = await read_json(request)
    body = validated(NewApiKey, value)
    issuer = parse_address(address, pointer="/address")
    app = app_of(request)

    async def work(ref: IdempotencyRef | None) -> Response:
        key, token = await blocking(
            app.access.create_key,
            caller,
            issuer,
            body.label,
            [Scope(name) for name in body.scopes],
            body.expires_at,
            idempotency=ref,
        )
        return json_response(api_key_json(key) | {"api_key": token}, 201)

    async def replay(key_id: str) -> Response:
        keys = await blocking(app.access.keys, caller, issuer)
        return json_response(next(api_key_json(key) for key in keys if key.id == key_id), 201)

    return await once(request, caller, sha256(raw).digest(), work, replay, keep_answer=False)


@router.delete("/{address}/api-keys/{key_id}", status_code=204, responses=docs.EMPTY)
async def delete_api_key(request: Request, address: str, key_id: str) -> Response:
    """End an API key at once."""
    caller = await require_caller(request)
    no_query(request)
    issuer = parse_address(address, pointer="/address")
    await blocking(app_of(request).access.revoke_key, caller, issuer, key_id)
    return Response(status_code=204)
