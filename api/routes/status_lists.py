"""What is published about the status of issuers' credentials: status lists, and lists of revoked awards."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from api import docs, shapes
from api.conditional import is_known
from api.context import Query, app_of, blocking, no_query
from registry.credentials.did_web import REVOCATION_LIST_PATH
from registry.credentials.status.lists import STATUS_LIST_PATH
from registry.credentials.status.publishing import TTL_SECONDS
from registry.encoding import parse_address

router = APIRouter(tags=["status"])

MEDIA_TYPES = tuple(shapes.STATUS_LIST_MEDIA_TYPES)
"""What a list can be served as, the same bytes each; the first unless another is asked for."""


def _wanted_type(accept: str) -> str:
    """The media type of `MEDIA_TYPES` that an Accept header likes best (RFC 9110, section 12.5.1); the first
    one where it likes none, since the answer says what it is."""
    liked: dict[str, float] = {}
    for part in accept.lower().split(","):
        name, *parameters = (text.strip() for text in part.split(";"))
        weight = next((text[2:] for text in parameters if text.startswith("q=")), "1")
        try:
            liked[name] = float(weight)
        except ValueError:
            liked[name] = 0.0
    best = max(MEDIA_TYPES, key=lambda name: liked.get(name, 0.0))
    return best if liked.get(best, 0.0) > 0 else MEDIA_TYPES[0]


def _headers(etag: str) -> dict[str, str]:
    return {"ETag": etag, "Cache-Control": f"public, max-age={TTL_SECONDS}", "Vary": "Accept"}


@router.get(STATUS_LIST_PATH, responses=shapes.STATUS_LIST)
async def status_list(request: Request, list_id: str) -> Response:
    """A status list, as a credential signed by its issuer: what verdicts say of the credentials in it."""
    no_query(request)
    found = await blocking(app_of(request).publication.status_lists.published, list_id)
    media_type = _wanted_type(request.headers.get("accept", ""))
    # The bytes are the same, and yet these are several representations, each with a tag of its own.
    etag = f'"{found.etag}-{MEDIA_TYPES.index(media_type)}"'
    if is_known(request, etag):
        return Response(status_code=304, headers=_headers(etag))
    return Response(found.body, headers=_headers(etag), media_type=media_type)


@router.get(
    REVOCATION_LIST_PATH,
    openapi_extra=docs.parameters("assertionId"),
    responses=shapes.REVOCATION_LIST,
)
async def revocation_list(request: Request, address: str) -> Response:
    """The issuer's revoked awards, as verifiers of Blockcerts and Open Badges 2.0 read them. Whichever award
    a caller asks about with `assertionId`, the answer is the whole list."""
    Query(request, "assertionId")  # Blockcerts' verifier adds it, and takes an error for "nothing is revoked"
    lists = app_of(request).publication.revocations
    found = await blocking(lists.current, parse_address(address, pointer="/address"))
    etag = f'"{found.etag}"'
    if is_known(request, etag):
        return Response(status_code=304, headers=_headers(etag))
    pieces = lists.written(found)
    # What can fail does so before the first piece, while a problem can still be said.
    first = await blocking(next, pieces)
    return StreamingResponse(
        (piece for part in ((first,), pieces) for piece in part),
        headers=_headers(etag),
        media_type="application/json",
    )
