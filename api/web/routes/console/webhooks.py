"""Webhooks: where the issuer's other systems are told of what happens. For API keys with scope `admin`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.context import Query, app_of, blocking, no_query
from api.web.forms import Fields, fault
from api.web.routes.console.common import (
    Visitor,
    console_router,
    form_of,
    go,
    once,
    page,
    problem_values,
)
from api.web.routes.console.words import Word
from api.web.texts import PARAMETER
from api.webhook_views import delivery_json, webhook_json
from registry.errors import ForbiddenError, NotFoundError, RootmarkError
from registry.model.webhooks import EVENT_KINDS, MAX_URL_CHARACTERS, DeliveryState
from registry.services.idempotency import IdempotencyRef
from registry.services.webhooks.management import KEPT, MAX_DESCRIPTION_CHARACTERS, Changes

router = console_router()

_HOME = "/console/webhooks"
_SHOWN = 50


def _(text: str) -> str:
    """Marks a text for the catalogues."""
    return text


KINDS = {
    "batch.sealed": _("a batch is sealed"),
    "batch.final": _("a batch is anchored for good"),
    "batch.failed": _("a batch has failed"),
    "batch.withdrawn": _("a batch is withdrawn"),
    "batch.withdrawal_annulled": _("a withdrawal is annulled"),
    "credential.revoked": _("credentials are revoked"),
    "credential.suspended": _("credentials are suspended"),
    "credential.reinstated": _("credentials are reinstated"),
    "credential.annulled": _("revocations are annulled"),
    "key.added": _("a key is added"),
    "key.retired": _("a key is retired"),
    "admin.proposed": _("another admin is proposed"),
    "admin.changed": _("the admin has changed"),
    "profile.set": _("the profile is set"),
    "webhook.test": _("a test"),
}

STATES = {
    DeliveryState.WAITING: Word(_("waiting"), "unsure", "clock"),
    DeliveryState.DELIVERED: Word(_("delivered"), "good", "check"),
    DeliveryState.FAILED: Word(_("not delivered"), "bad", "ban"),
}


@router.get(_HOME)
async def show_webhooks(request: Request, visitor: Visitor) -> Response:
    """The issuer's webhooks, and the form for another."""
    Query(request, PARAMETER)
    return await _webhooks(request, visitor)


async def _webhooks(request: Request, visitor: Visitor, **values: Any) -> Response:
    found = await blocking(app_of(request).webhooks.list, visitor.caller)
    given = {"url": "", "description": "", "kinds": []}
    return page(
        request,
        visitor,
        "webhooks.html",
        webhooks=[webhook_json(one) for one in found],
        kinds={kind: KINDS[kind] for kind in EVENT_KINDS},
        **{"given": given} | values,
    )


@router.post(_HOME)
async def create_webhook(request: Request, visitor: Visitor) -> Response:
    """Make a webhook, once; its secret is shown in this answer alone."""
    no_query(request)
    fields = await form_of(request, visitor)
    service = app_of(request).webhooks
    url, kinds = fields.text("url", MAX_URL_CHARACTERS), fields.all("kind")
    description = fields.text("description", MAX_DESCRIPTION_CHARACTERS)
    given = {"url": url, "description": description, "kinds": kinds}

    async def work(ref: IdempotencyRef | None) -> Response:
        webhook, secret = await blocking(
            service.create, visitor.caller, url, kinds, description, idempotency=ref
        )
        return page(request, visitor, "webhook_secret.html", webhook_id=webhook.id, secret_text=secret)

    async def replay(webhook_id: str) -> Response:
        return page(request, visitor, "webhook_secret.html", webhook_id=webhook_id, secret_text=None)

    try:
        return await once(request, visitor, fields.text("once"), work, replay, keep_answer=False)
    except ForbiddenError:
        raise
    except RootmarkError as error:
        return await _webhooks(request, visitor, given=given, **problem_values(request, error))


@router.get(_HOME + "/{webhook_id}")
async def show_webhook(request: Request, visitor: Visitor, webhook_id: str) -> Response:
    """One webhook, and what was sent to it."""
    query = Query(request, PARAMETER, "cursor")
    before, service = query.cursor(), app_of(request).webhooks
    view = await blocking(service.get, visitor.caller, webhook_id)
    found = await blocking(
        lambda: service.deliveries(visitor.caller, webhook_id, before=before, limit=_SHOWN + 1)
    )
    shown = found[:_SHOWN]
    return page(
        request,
        visitor,
        "webhook.html",
        webhook=webhook_json(view),
        kinds=KINDS,
        deliveries=[delivery_json(one) | {"word": STATES[one.state]} for one in shown],
        following=shown[-1].seq if len(found) > _SHOWN else None,
        first_day=(app_of(request).clock.now() - KEPT + timedelta(days=1)).date().isoformat(),
    )


@router.post(_HOME + "/{webhook_id}/test")
async def send_test(request: Request, visitor: Visitor, webhook_id: str) -> Response:
    """Send a message for nothing."""
    no_query(request)
    await form_of(request, visitor)
    await blocking(app_of(request).webhooks.test, visitor.caller, webhook_id)
    return go(f"{_HOME}/{webhook_id}")


@router.post(_HOME + "/{webhook_id}/replay")
async def replay(request: Request, visitor: Visitor, webhook_id: str) -> Response:
    """Send one message again, or all that failed or was never sent from a day on."""
    no_query(request)
    fields = await form_of(request, visitor)
    service = app_of(request).webhooks
    name = fields.text("delivery", 20)
    if name:
        if not (name.isascii() and name.isdecimal() and len(name) < 19):
            raise NotFoundError("no such delivery")
        await blocking(service.replay, visitor.caller, webhook_id, int(name))
    else:
        await blocking(service.replay_since, visitor.caller, webhook_id, _day(fields))
    return go(f"{_HOME}/{webhook_id}")


def _day(fields: Fields) -> datetime:
    try:
        return datetime.strptime(fields.text("since", 20), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise fault("since", "day", "a day is written as 2026-11-23") from error


@router.post(_HOME + "/{webhook_id}/switch")
async def switch(request: Request, visitor: Visitor, webhook_id: str) -> Response:
    """Switch a webhook on or off."""
    no_query(request)
    fields = await form_of(request, visitor)
    changes = Changes(enabled=fields.text("to", 5) == "on")
    await blocking(app_of(request).webhooks.change, visitor.caller, webhook_id, changes)
    return go(f"{_HOME}/{webhook_id}")


@router.post(_HOME + "/{webhook_id}/secret")
async def rotate(request: Request, visitor: Visitor, webhook_id: str) -> Response:
    """Make a new secret, shown in this answer alone."""
    no_query(request)
    await form_of(request, visitor)
    _webhook, secret = await blocking(app_of(request).webhooks.rotate, visitor.caller, webhook_id)
    return page(request, visitor, "webhook_secret.html", webhook_id=webhook_id, secret_text=secret)


@router.post(_HOME + "/{webhook_id}/remove")
async def remove(request: Request, visitor: Visitor, webhook_id: str) -> Response:
    """Remove a webhook, with the record of what was sent."""
    no_query(request)
    await form_of(request, visitor)
    await blocking(app_of(request).webhooks.remove, visitor.caller, webhook_id)
    return go(_HOME)
