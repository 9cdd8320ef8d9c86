"""Who an issuer is: DID documents, profiles for Blockcerts, resolving, and the keys that sign credentials."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from api import docs, shapes
from api.body import read_json, validated
from api.conditional import is_known
from api.context import app_of, blocking, json_response, no_query, page_response, require_caller
from api.idempotency import once
from api.schemas.bodies import NewSigningKey
from api.views import signing_key_json
from registry.bootstrap import App
from registry.credentials.did_web import DID_DOCUMENT_PATH, PROFILE_PATH
from registry.encoding import parse_address, to_base64url
from registry.model.signing_keys import SigningKey, SigningKeyKind
from registry.services.idempotency import IdempotencyRef

router = APIRouter(tags=["identity"])

MAX_AGE_SECONDS = 60
"""How long a copy of a document may be used: the longest until a new key is known everywhere."""

DID_MEDIA_TYPE = "application/did+json"


def document_response(request: Request, value: Any, media_type: str = "application/json") -> Response:
    """A document that others may keep for a moment; 304 where the caller has it (RFC 9110, 13.1.2)."""
    body = orjson.dumps(value)
    etag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": f"public, max-age={MAX_AGE_SECONDS}"}
    if is_known(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)


@router.get(DID_DOCUMENT_PATH, responses=shapes.DID_DOCUMENT)
async def did_document(request: Request, address: str) -> Response:
    """The issuer's DID document (did:web)."""
    no_query(request)
    issuer = parse_address(address, pointer="/address")
    found = await blocking(app_of(request).identity.document, issuer)
    return document_response(request, found, DID_MEDIA_TYPE)


@router.get(PROFILE_PATH, responses=shapes.ISSUER_PROFILE)
async def profile(request: Request, address: str) -> Response:
    """The issuer's profile as Blockcerts' verifiers read it: anchoring keys, and until when they count."""
    no_query(request)
    issuer = parse_address(address, pointer="/address")
    return document_response(request, await blocking(app_of(request).identity.profile, issuer))


@router.get("/1.0/identifiers/{did}", responses=shapes.RESOLVED_DID)
async def resolve(request: Request, did: str) -> Response:
    """Resolve a did:web of this server, or any did:key, as a universal resolver does."""
    no_query(request)
    found = await blocking(app_of(request).identity.resolve, did)
    return document_response(request, {"didDocument": found})


@router.get("/v1/issuers/{address}/signing-keys", responses=shapes.SIGNING_KEYS)
async def signing_keys(request: Request, address: str) -> Response:
    """The keys that sign the issuer's credentials, in the order they were added; retired ones too."""
    no_query(request)
    issuer = parse_address(address, pointer="/address")
    return page_response(request, await blocking(_listed, app_of(request), issuer), None)


def _listed(app: App, issuer: Any) -> list[dict[str, Any]]:
    return [_shown(app, key) for key in app.identity.keys(issuer)]


def _shown(app: App, key: SigningKey) -> dict[str, Any]:
    return signing_key_json(key, app.identity.method_of(key))


@router.post(
    "/v1/issuers/{address}/signing-keys",
    status_code=201,
    openapi_extra=docs.body(NewSigningKey, {"kind": "Ed25519"}),
    responses=shapes.MADE_SIGNING_KEY,
)
async def rotate_signing_key(request: Request, address: str) -> Response:
    """Let a new key of a kind sign from now on. The one before stays in the DID document, so that what it
    signed still verifies."""
    caller = await require_caller(request)
    no_query(request)
    raw, value = await read_json(request)
    kind = SigningKeyKind(validated(NewSigningKey, value).kind)
    issuer = parse_address(address, pointer="/address")
    app = app_of(request)

    async def work(ref: IdempotencyRef | None) -> Response:
        made = await blocking(app.identity.rotate, caller, issuer, kind, idempotency=ref)
        return json_response(await blocking(_shown, app, made), 201)

    async def replay(public_key: str) -> Response:
        keys = await blocking(app.identity.keys, issuer)
        made = next(key for key in keys if to_base64url(key.public_key) == public_key)
        return json_response(await blocking(_shown, app, made), 201)

    return await once(request, caller, sha256(raw).digest(), work, replay)
