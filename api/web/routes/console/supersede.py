"""Correcting an award: a new one in its place, and the old one revoked as superseded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.body import validated
from api.context import Query, app_of, blocking, no_query
from api.schemas.awards import SupersedeBody, replacement
from api.web.forms import Fields
from api.web.pages import texts_for
from api.web.routes.console.awards import read_award
from api.web.routes.console.common import (
    Visitor,
    console_router,
    form_of,
    go,
    once,
    page,
    problem_values,
)
from api.web.routes.console.words import name_of
from api.web.texts import PARAMETER
from registry.errors import RootmarkError
from registry.services.idempotency import IdempotencyRef

router = console_router()

FIELDS = (
    "kind",
    "recipient",
    "recipient_name",
    "achievement_id",
    "external_id",
    "issued_on",
    "expires_on",
    "result",
    "level",
    "evidence_url",
    "note",
)
_ACHIEVEMENTS = 200
_MAX_FIELD = 2_000
_KINDS = ("email", "did", "url")


@router.get("/console/awards/{award_id}/supersede")
async def supersede_form(request: Request, visitor: Visitor, award_id: str) -> Response:
    """The award's values in a form."""
    Query(request, PARAMETER)
    return await _form(request, visitor, award_id, None)


async def _form(
    request: Request, visitor: Visitor, award_id: str, given: Mapping[str, str] | None, **more: Any
) -> Response:
    app = app_of(request)

    def read() -> dict[str, Any]:
        shown = read_award(app, visitor, award_id, texts_for(request))
        found = app.achievements.page(visitor.issuer.address, None, _ACHIEVEMENTS)
        return shown | {"achievements": [(one.id, name_of(one)) for one in found]}

    shown = await blocking(read)
    return page(
        request,
        visitor,
        "supersede.html",
        given=given if given is not None else _filled(shown["award"]),
        **shown,
        **more,
    )


def _filled(award: Mapping[str, Any]) -> dict[str, str]:
    recipient = award["recipient"] or {}
    kind = next((one for one in _KINDS if one in recipient), "email")
    return dict.fromkeys(FIELDS, "") | {
        "kind": kind,
        "recipient": recipient.get(kind, ""),
        "recipient_name": recipient.get("name", ""),
        "achievement_id": award["achievement_id"],
        "expires_on": (award["expires_on"] or "")[:10],
    }


@router.post("/console/awards/{award_id}/supersede")
async def supersede(request: Request, visitor: Visitor, award_id: str) -> Response:
    """Issue the new award, once."""
    no_query(request)
    fields = await form_of(request, visitor)
    given = {name: fields.text(name, _MAX_FIELD) for name in FIELDS}
    named, plain = fields.checked("named"), fields.checked("plain")
    app = app_of(request)

    async def work(ref: IdempotencyRef | None) -> Response:
        body = validated(SupersedeBody, _body(given, named=named, plain=plain))
        made = await blocking(
            lambda: app.awards.supersede(
                visitor.caller,
                award_id,
                replacement(body),
                body.options.options(),
                body.note,
                idempotency=ref,
            )
        )
        return go(f"/console/awards/{made.award_id}")

    async def replay(batch_id: str) -> Response:
        return go(f"/console/batches/{batch_id}")

    try:
        return await once(request, visitor, _key(fields), work, replay)
    except RootmarkError as error:
        return await _form(request, visitor, award_id, given, **problem_values(request, error))


def _key(fields: Fields) -> str:
    return fields.text("once")


def _body(given: Mapping[str, str], *, named: bool, plain: bool) -> dict[str, Any]:
    """As the API takes it."""
    recipient = {given["kind"] if given["kind"] in _KINDS else "email": given["recipient"]}
    if given["recipient_name"]:
        recipient["name"] = given["recipient_name"]
    award: dict[str, Any] = {"recipient": recipient}
    for name in ("achievement_id", "external_id", "issued_on", "expires_on"):
        if given[name]:
            award[name] = given[name]
    result = {name: given[field] for name, field in (("value", "result"), ("level", "level")) if given[field]}
    if result:
        award["results"] = [result]
    if given["evidence_url"]:
        award["evidence"] = [{"id": given["evidence_url"]}]
    options = {"name": "plain" if named else "omit", "identity": "plain" if plain else "hashed"}
    return {"award": award, "options": options} | ({"note": given["note"]} if given["note"] else {})
