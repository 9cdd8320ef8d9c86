"""How an issuer's certificates look: for its keys with scope `batch`."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import award_shapes, docs
from api.body import media_type, read_bytes, read_json, validated
from api.context import app_of, blocking, json_response, no_query, require_caller
from api.routes.achievement_images import IMAGE_BYTES, UPLOADED
from api.schemas.certificates import DesignBody
from registry.credentials.certificates.drawing import Design
from registry.encoding import parse_address
from registry.errors import UnsupportedMediaTypeError

router = APIRouter(prefix="/v1/issuers", tags=["awards"])


def _shown(design: Design) -> dict[str, Any]:
    return {
        "accent": design.accent,
        "title": design.title,
        "footer": design.footer,
        "signatories": list(design.signatories),
        "language": design.language,
        "logo": design.logo is not None,
    }


@router.get("/{address}/certificate", responses=award_shapes.DESIGN)
async def get_design(request: Request, address: str) -> Response:
    """How the issuer's certificates look; `logo` says whether there is one."""
    caller = await require_caller(request)
    no_query(request)
    issuer = parse_address(address, pointer="/address")
    return json_response(_shown(await blocking(app_of(request).designs.get, caller, issuer)))


@router.put(
    "/{address}/certificate",
    openapi_extra=docs.body(DesignBody, award_shapes.DESIGN_EXAMPLE),
    responses=award_shapes.DESIGN,
)
async def put_design(request: Request, address: str) -> Response:
    """Set colour, title, footer, up to three signatories, and the language (`en`, `de`) of certificates. The
    logo stays."""
    caller = await require_caller(request)
    no_query(request)
    issuer = parse_address(address, pointer="/address")
    _, value = await read_json(request)
    body = validated(DesignBody, value)
    designs = app_of(request).designs
    await blocking(designs.put, caller, issuer, body.design())
    return json_response(_shown(await blocking(designs.get, caller, issuer)))


@router.put(
    "/{address}/certificate/logo", openapi_extra=award_shapes.IMAGE_BODY, responses=award_shapes.DESIGN
)
async def put_logo(request: Request, address: str) -> Response:
    """Upload the logo, as the raw PNG, JPEG or SVG. It is decoded and written anew."""
    caller = await require_caller(request)
    no_query(request)
    issuer = parse_address(address, pointer="/address")
    if media_type(request) not in UPLOADED:
        raise UnsupportedMediaTypeError(f"send {', '.join(UPLOADED)}")
    data = await read_bytes(request, IMAGE_BYTES)
    designs = app_of(request).designs
    await blocking(designs.put_logo, caller, issuer, data)
    return json_response(_shown(await blocking(designs.get, caller, issuer)))


@router.delete("/{address}/certificate/logo", status_code=204, responses=docs.EMPTY)
async def delete_logo(request: Request, address: str) -> Response:
    """Take the logo off."""
    caller = await require_caller(request)
    no_query(request)
    issuer = parse_address(address, pointer="/address")
    await blocking(app_of(request).designs.put_logo, caller, issuer, None)
    return Response(status_code=204)
