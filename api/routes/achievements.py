"""Achievements: what can be earned. Public to read; an issuer's key with scope `batch` to write."""

from __future__ import annotations

import re
from hashlib import sha256

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import award_shapes, docs
from api.award_views import achievement_json
from api.body import read_json, validated
from api.context import Query, app_of, blocking, json_response, no_query, page_response, require_caller
from api.idempotency import once
from api.schemas.achievements import AchievementBody
from registry.errors import Fault, PreconditionRequiredError, ValidationError
from registry.model.awards import Achievement
from registry.services.idempotency import IdempotencyRef

router = APIRouter(prefix="/v1/achievements", tags=["achievements"])

MAX_VERSION = 2**31 - 1
MAX_TAGS = 20
# RFC 9110, section 8.8.3; ours are numbers in quotation marks.
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_BODY = docs.body(AchievementBody, award_shapes.ACHIEVEMENT_EXAMPLE)


def achievement_response(achievement: Achievement, status: int = 200) -> Response:
    """An achievement, whose ETag is its version."""
    headers = {"ETag": f'"{achievement.version}"'}
    if status == 201:
        headers["Location"] = f"/v1/achievements/{achievement.id}"
    return json_response(achievement_json(achievement), status, headers)


@router.post("", status_code=201, openapi_extra=_BODY, responses=award_shapes.MADE_ACHIEVEMENT)
async def create_achievement(request: Request) -> Response:
    """Describe something that can be earned."""
    caller = await require_caller(request)
    no_query(request)
    raw, value = await read_json(request)
    document = validated(AchievementBody, value).document()
    app = app_of(request)

    async def work(ref: IdempotencyRef | None) -> Response:
        made = await blocking(lambda: app.achievements.create(caller, document, idempotency=ref))
        return achievement_response(made, 201)

    async def replay(achievement_id: str) -> Response:
        return achievement_response(await blocking(app.achievements.get, achievement_id, 1), 201)

    return await once(request, caller, sha256(raw).digest(), work, replay, keep_answer=False)


@router.get(
    "",
    openapi_extra=docs.parameters("issuer", "limit", "cursor"),
    responses=award_shapes.ACHIEVEMENTS,
)
async def list_achievements(request: Request) -> Response:
    """Achievements in their newest versions, in order of id; all issuers', or one's."""
    query = Query(request, "issuer", "limit", "cursor")
    limit = query.limit()
    found = await blocking(
        app_of(request).achievements.page, query.address(), query.text("cursor"), limit + 1
    )
    shown = found[:limit]
    following = shown[-1].id if len(found) > limit else None
    return page_response(request, [achievement_json(one) for one in shown], following)


@router.get("/{achievement_id}", openapi_extra=docs.parameters("version"), responses=award_shapes.ACHIEVEMENT)
async def get_achievement(request: Request, achievement_id: str) -> Response:
    """One achievement: its newest version, or the one named. The ETag is the version."""
    version = Query(request, "version").number("version", 0, MAX_VERSION, minimum=1) or None
    return achievement_response(await blocking(app_of(request).achievements.get, achievement_id, version))


@router.put(
    "/{achievement_id}",
    openapi_extra=award_shapes.IF_MATCH | _BODY,
    responses=award_shapes.ACHIEVEMENT,
)
async def replace_achievement(request: Request, achievement_id: str) -> Response:
    """Replace an achievement as a whole, which makes a new version. `If-Match` says which version the change
    is based on. Credentials that were issued keep theirs."""
    caller = await require_caller(request)
    no_query(request)
    based_on = _based_on(request)
    _, value = await read_json(request)
    document = validated(AchievementBody, value).document()
    made = await blocking(app_of(request).achievements.replace, caller, achievement_id, document, based_on)
    return achievement_response(made)


def _based_on(request: Request) -> frozenset[int] | None:
    """The versions of `If-Match`; None for `*`. A weak tag or somebody else's matches nothing (RFC 9110,
    section 13.1.1)."""
    header = request.headers.get("if-match")
    if header is None:
        fault = Fault("if-match", "the ETag that the change is based on is needed", "/If-Match")
        raise PreconditionRequiredError("send If-Match with the ETag that you read", faults=[fault])
    if header.strip() == "*":
        return None
    tags = [_TAG.fullmatch(part.strip()) for part in header.split(",")]
    if len(tags) > MAX_TAGS or not all(tags):
        fault = Fault("if-match", 'ETags in quotation marks are expected, as in "3", or *', "/If-Match")
        raise ValidationError("If-Match has the wrong form", faults=[fault])
    texts = [tag[2] for tag in tags if tag is not None and tag[1] is None]
    return frozenset(int(text) for text in texts if text.isascii() and text.isdecimal() and len(text) < 11)
