"""Achievements: the list, making one, changing one, its picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.body import validated
from api.context import Query, app_of, blocking, examining, no_query
from api.schemas.achievements import AchievementBody
from api.web.forms import Fields, fault
from api.web.routes.console.achievement_form import FIELDS, document_of, filled, given_in
from api.web.routes.console.common import (
    Visitor,
    console_router,
    form_of,
    go,
    once,
    page,
    problem_values,
    upload_of,
)
from api.web.texts import PARAMETER
from registry.bootstrap import App
from registry.credentials.achievement_images import ENDINGS, image_path
from registry.credentials.badge_terms import ACHIEVEMENT_TYPES
from registry.errors import NotFoundError, PreconditionFailedError, RootmarkError
from registry.model.awards import Achievement
from registry.services.idempotency import IdempotencyRef

router = console_router()

_SHOWN = 50
_IMAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'none'"
)


@router.get("/console/achievements")
async def list_achievements(request: Request, visitor: Visitor) -> Response:
    """The issuer's achievements."""
    query = Query(request, "cursor", PARAMETER)
    found = await blocking(
        app_of(request).achievements.page, visitor.issuer.address, query.text("cursor"), _SHOWN + 1
    )
    shown = found[:_SHOWN]
    following = shown[-1].id if len(found) > _SHOWN else None
    return page(request, visitor, "achievements.html", achievements=shown, following=following)


@router.get("/console/achievements/new")
async def new_achievement(request: Request, visitor: Visitor) -> Response:
    """An empty form."""
    Query(request, PARAMETER)
    return _form(request, visitor, dict.fromkeys(FIELDS, ""), None)


def _form(
    request: Request, visitor: Visitor, given: Mapping[str, str], achievement: Achievement | None, **more: Any
) -> Response:
    """The form with what was given; ``achievement`` is the newest version, None for a new one."""
    return page(
        request,
        visitor,
        "achievement.html",
        given=given,
        achievement=achievement,
        types=ACHIEVEMENT_TYPES,
        has_picture=achievement is not None and _ending(achievement) is not None,
        **{"status": 200} | more,
    )


def _ending(achievement: Achievement) -> str | None:
    """The ending of its uploaded picture; None where it names another, or none."""
    named = str(achievement.document.get("image", ""))
    for ending, media_type in ENDINGS.items():
        if named.endswith(image_path(achievement.id, media_type)):
            return ending
    return None


@router.post("/console/achievements/new")
async def create_achievement(request: Request, visitor: Visitor) -> Response:
    """Make an achievement, once."""
    no_query(request)
    fields = await form_of(request, visitor)
    given = given_in(fields)
    app = app_of(request)

    async def work(ref: IdempotencyRef | None) -> Response:
        document = validated(AchievementBody, document_of(given, {})).document()
        made = await blocking(lambda: app.achievements.create(visitor.caller, document, idempotency=ref))
        return go(f"/console/achievements/{made.id}")

    async def replay(achievement_id: str) -> Response:
        return go(f"/console/achievements/{achievement_id}")

    try:
        return await once(request, visitor, fields.text("once"), work, replay)
    except RootmarkError as error:
        return _form(request, visitor, given, None, **problem_values(request, error))


def _own(app: App, visitor: Visitor, achievement_id: str) -> Achievement:
    found = app.achievements.get(achievement_id)
    if found.issuer != visitor.issuer.address:
        raise NotFoundError("no such achievement of this issuer")
    return found


@router.get("/console/achievements/{achievement_id}")
async def show_achievement(request: Request, visitor: Visitor, achievement_id: str) -> Response:
    """The form with the newest version in it."""
    Query(request, PARAMETER)
    found = await blocking(_own, app_of(request), visitor, achievement_id)
    return _form(request, visitor, filled(found.document), found)


@router.post("/console/achievements/{achievement_id}")
async def change_achievement(request: Request, visitor: Visitor, achievement_id: str) -> Response:
    """Store a new version, if nobody else did since the form was made; else show both."""
    no_query(request)
    fields = await form_of(request, visitor)
    given = given_in(fields)
    app = app_of(request)
    found = await blocking(_own, app, visitor, achievement_id)
    version = _version(fields)
    try:
        if version is None:
            raise fault("version", "number", "the form is not whole; reload the page and try again")
        document = validated(AchievementBody, document_of(given, found.document)).document()
        await blocking(app.achievements.replace, visitor.caller, achievement_id, document, [version])
    except PreconditionFailedError as error:
        newest = await blocking(_own, app, visitor, achievement_id)
        stored = filled(newest.document)
        differing = [name for name in FIELDS if stored[name] != given[name]]
        shown = {"stored": stored, "differing": differing, **problem_values(request, error)}
        return _form(request, visitor, given, newest, **shown)
    except RootmarkError as error:
        # The version that the form is based on stays in it, whatever became of the achievement.
        based_on = found if version is None else replace(found, version=version)
        return _form(request, visitor, given, based_on, **problem_values(request, error))
    return go(f"/console/achievements/{achievement_id}")


def _version(fields: Fields) -> int | None:
    """The version that the form was made of; None where it does not say."""
    text = fields.text("version", 10)
    return int(text) if text.isascii() and text.isdecimal() else None


@router.post("/console/achievements/{achievement_id}/image")
async def upload_image(request: Request, visitor: Visitor, achievement_id: str) -> Response:
    """Give the achievement a picture."""
    no_query(request)
    app = app_of(request)
    _, file = await upload_of(request, visitor)
    found = await blocking(_own, app, visitor, achievement_id)
    try:
        if file is None or not file.data:
            raise fault("file", "missing", "choose a picture first: PNG, JPEG or SVG")
        await examining(request, app.achievement_images.put, visitor.caller, achievement_id, file.data)
    except RootmarkError as error:
        return _form(request, visitor, filled(found.document), found, **problem_values(request, error))
    return go(f"/console/achievements/{achievement_id}")


@router.get("/console/achievements/{achievement_id}/image")
async def image(request: Request, visitor: Visitor, achievement_id: str) -> Response:
    """Its uploaded picture as it is now; the public address lets browsers keep an older one."""
    no_query(request)
    app = app_of(request)
    found = await blocking(_own, app, visitor, achievement_id)
    ending = _ending(found)
    if ending is None:
        raise NotFoundError("no picture was uploaded")
    picture = await blocking(app.achievement_images.get, achievement_id, ending)
    headers = {"Content-Security-Policy": _IMAGE_POLICY, "Cache-Control": "no-store"}
    return Response(picture.data, media_type=picture.media_type, headers=headers)
