"""Webhooks of the caller's issuer: an API key with scope `admin`."""

from __future__ import annotations

from hashlib import sha256

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import docs, webhook_views
from api.body import read_json, validated
from api.context import (
    Query,
    app_of,
    blocking,
    json_response,
    no_query,
    page_response,
    require_caller,
)
from api.idempotency import once
from api.schemas.webhooks import NewWebhook, Replay, WebhookChanges
from api.webhook_views import delivery_json, webhook_json
from registry.errors import NotFoundError
from registry.model.webhooks import DeliveryState
from registry.services.idempotency import IdempotencyRef

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])

_STATES = tuple(state.value for state in DeliveryState)
_EXAMPLE = {"url": "https://lms.example/rootmark", "kinds": ["batch.final", "credential.revoked"]}
_STATE = {
    "parameters": [
        {
            "name": "state",
            "in": "query",
            "required": False,
            "schema": {"type": "string", "enum": list(_STATES)},
        },
        *docs.parameters("limit", "cursor")["parameters"],
    ]
}


@router.post(
    "",
    status_code=201,
    openapi_extra=docs.body(NewWebhook, _EXAMPLE),
    responses=webhook_views.MADE_WEBHOOK,
)
async def create_webhook(request: Request) -> Response:
    """Make a webhook, which is told of what happens from now on. Its secret is shown once."""
    caller = await require_caller(request)
    no_query(request)
    raw, value = await read_json(request)
    body = validated(NewWebhook, value)
    service = app_of(request).webhooks

    async def work(ref: IdempotencyRef | None) -> Response:
        made, secret = await blocking(
            service.create, caller, body.url, body.kinds, body.description, idempotency=ref
        )
        view = await blocking(service.get, caller, made.id)
        headers = {"Location": f"/v1/webhooks/{made.id}"}
        return json_response(webhook_json(view) | {"secret": secret}, 201, headers)

    async def replay(webhook_id: str) -> Response:
        view = await blocking(service.get, caller, webhook_id)
        return json_response(webhook_json(view), 201, {"Location": f"/v1/webhooks/{webhook_id}"})

    return await once(request, caller, sha256(raw).digest(), work, replay, keep_answer=False)


@router.get("", responses=webhook_views.WEBHOOKS)
async def list_webhooks(request: Request) -> Response:
    """The issuer's webhooks, oldest first; twenty at most."""
    caller = await require_caller(request)
    no_query(request)
    found = await blocking(app_of(request).webhooks.list, caller)
    return page_response(request, [webhook_json(one) for one in found], None)


@router.get("/{webhook_id}", responses=webhook_views.WEBHOOK)
async def get_webhook(request: Request, webhook_id: str) -> Response:
    """One webhook."""
    caller = await require_caller(request)
    no_query(request)
    return json_response(webhook_json(await blocking(app_of(request).webhooks.get, caller, webhook_id)))


@router.patch(
    "/{webhook_id}",
    openapi_extra=docs.body(WebhookChanges, {"enabled": True}),
    responses=webhook_views.WEBHOOK,
)
async def change_webhook(request: Request, webhook_id: str) -> Response:
    """Change a webhook, or switch it off or on. What is not there stays."""
    caller = await require_caller(request)
    no_query(request)
    _, value = await read_json(request)
    changes = validated(WebhookChanges, value).changes()
    view = await blocking(app_of(request).webhooks.change, caller, webhook_id, changes)
    return json_response(webhook_json(view))


@router.delete("/{webhook_id}", status_code=204, responses=docs.EMPTY)
async def remove_webhook(request: Request, webhook_id: str) -> Response:
    """Remove a webhook, with the record of what was sent to it."""
    caller = await require_caller(request)
    no_query(request)
    await blocking(app_of(request).webhooks.remove, caller, webhook_id)
    return Response(status_code=204)


@router.post("/{webhook_id}/secret", responses=webhook_views.NEW_SECRET)
async def rotate_secret(request: Request, webhook_id: str) -> Response:
    """Make a new secret, shown once. For 24 hours messages are signed with the old one too."""
    caller = await require_caller(request)
    no_query(request)
    service = app_of(request).webhooks
    _, secret = await blocking(service.rotate, caller, webhook_id)
    view = await blocking(service.get, caller, webhook_id)
    return json_response(webhook_json(view) | {"secret": secret})


@router.post("/{webhook_id}/test", status_code=202, responses=webhook_views.ACCEPTED)
async def test_webhook(request: Request, webhook_id: str) -> Response:
    """Send a `webhook.test` message."""
    caller = await require_caller(request)
    no_query(request)
    await blocking(app_of(request).webhooks.test, caller, webhook_id)
    return json_response({"count": 1}, 202)


@router.post(
    "/{webhook_id}/replay",
    status_code=202,
    openapi_extra=docs.body(Replay, {"since": "2026-11-23T00:00:00Z"}),
    responses=webhook_views.ACCEPTED,
)
async def replay_since(request: Request, webhook_id: str) -> Response:
    """Send what failed, or was never sent, from a time on, up to 30 days ago."""
    caller = await require_caller(request)
    no_query(request)
    _, value = await read_json(request)
    since = validated(Replay, value).since
    count = await blocking(app_of(request).webhooks.replay_since, caller, webhook_id, since)
    return json_response({"count": count}, 202)


@router.get("/{webhook_id}/deliveries", openapi_extra=_STATE, responses=webhook_views.DELIVERIES)
async def list_deliveries(request: Request, webhook_id: str) -> Response:
    """What was sent to the webhook in the last 30 days, newest first, and what became of it."""
    caller = await require_caller(request)
    query = Query(request, "state", "limit", "cursor")
    state, limit, before = query.choice("state", _STATES), query.limit(), query.cursor()
    found = await blocking(
        lambda: app_of(request).webhooks.deliveries(
            caller,
            webhook_id,
            state=None if state is None else DeliveryState(state),
            before=before,
            limit=limit + 1,
        )
    )
    shown = found[:limit]
    following = str(shown[-1].seq) if len(found) > limit else None
    return page_response(request, [delivery_json(one) for one in shown], following)


@router.post("/{webhook_id}/deliveries/{delivery}/replay", status_code=202, responses=webhook_views.ACCEPTED)
async def replay_delivery(request: Request, webhook_id: str, delivery: str) -> Response:
    """Send one message again, under the same id."""
    caller = await require_caller(request)
    no_query(request)
    if not (delivery.isascii() and delivery.isdecimal() and len(delivery) < 19):
        raise NotFoundError("no such delivery")
    await blocking(app_of(request).webhooks.replay, caller, webhook_id, int(delivery))
    return json_response({"count": 1}, 202)
