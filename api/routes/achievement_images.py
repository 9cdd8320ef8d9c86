"""Pictures of achievements: an issuer's key with scope `batch` uploads, anybody may look."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import award_shapes
from api.body import MIB, media_type, read_bytes
from api.conditional import is_known
from api.context import app_of, blocking, no_query, require_caller
from api.routes.achievements import achievement_response
from registry.credentials.achievement_images import IMAGE_PATH
from registry.errors import UnsupportedMediaTypeError

router = APIRouter(tags=["achievements"])

IMAGE_BYTES = 10 * MIB
MAX_AGE_SECONDS = 3_600
UPLOADED = ("image/png", "image/jpeg", "image/svg+xml")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'none'"


@router.put(
    "/v1/achievements/{achievement_id}/image",
    openapi_extra=award_shapes.IMAGE_BODY,
    responses=award_shapes.ACHIEVEMENT,
)
async def upload_image(request: Request, achievement_id: str) -> Response:
    """Upload the achievement's picture, as the raw PNG, JPEG or SVG. It is decoded and written anew; an SVG
    that could do more than be looked at is refused. The achievement's newest version then names it."""
    caller = await require_caller(request)
    no_query(request)
    if media_type(request) not in UPLOADED:
        raise UnsupportedMediaTypeError(f"send {', '.join(UPLOADED)}")
    data = await read_bytes(request, IMAGE_BYTES)
    made = await blocking(app_of(request).achievement_images.put, caller, achievement_id, data)
    return achievement_response(made)


@router.get(IMAGE_PATH, responses=award_shapes.IMAGE)
async def image(request: Request, achievement_id: str, ending: str) -> Response:
    """The achievement's picture."""
    no_query(request)
    found = await blocking(app_of(request).achievement_images.get, achievement_id, ending)
    etag = f'"{found.sha256.hex()[:32]}"'
    headers = {
        "ETag": etag,
        "Cache-Control": f"public, max-age={MAX_AGE_SECONDS}",
        "Content-Security-Policy": _POLICY,
    }
    if is_known(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(found.data, headers=headers, media_type=found.media_type)
