"""Webhooks and their deliveries as JSON, and the forms of these in the OpenAPI text."""

from __future__ import annotations

from typing import Any

from api.docs import TEXT, TIME, answers, array_of, listing, object_of, or_null
from api.views import time_of
from registry.encoding import format_time
from registry.model.webhooks import EVENT_KINDS, TEST_KIND, Delivery, DeliveryState
from registry.services.webhooks.management import WebhookView

_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
_MEMBERS: dict[str, Any] = {
    "id": TEXT,
    "url": TEXT,
    "description": TEXT,
    "kinds": array_of({"type": "string", "enum": list(EVENT_KINDS)}),
    "enabled": {"type": "boolean"},
    "off_at": or_null(TIME),
    "off_reason": or_null(TEXT),
    "failing_since": or_null(TIME),
    "created_at": TIME,
    "deliveries": object_of({state.value: _COUNT for state in DeliveryState}),
}
_DELIVERY = object_of(
    {
        "id": _COUNT,
        "message_id": TEXT,
        "event": or_null(_COUNT),
        "kind": {"type": "string", "enum": [*EVENT_KINDS, TEST_KIND]},
        "state": {"type": "string", "enum": [state.value for state in DeliveryState]},
        "created_at": TIME,
        "attempts": _COUNT,
        "attempted_at": or_null(TIME),
        "next_attempt_at": or_null(TIME),
        "status": or_null(_COUNT),
        "error": or_null(TEXT),
    }
)
WEBHOOK = answers("The webhook", object_of(_MEMBERS))
WEBHOOKS = answers("The issuer's webhooks", listing(object_of(_MEMBERS)))
MADE_WEBHOOK = answers(
    "The webhook; `secret`, with which messages are signed, is shown this once",
    object_of(_MEMBERS) | {"properties": _MEMBERS | {"secret": TEXT}},
    201,
)
NEW_SECRET = answers(
    "The webhook with a new secret, shown this once",
    object_of(_MEMBERS) | {"properties": _MEMBERS | {"secret": TEXT}},
)
DELIVERIES = answers("What was sent, newest first", listing(_DELIVERY))
ACCEPTED = answers("It will be sent", object_of({"count": _COUNT}), 202)


def webhook_json(view: WebhookView) -> dict[str, Any]:
    """A webhook without its secret."""
    webhook = view.webhook
    return {
        "id": webhook.id,
        "url": webhook.url,
        "description": webhook.description,
        "kinds": [kind for kind in EVENT_KINDS if kind in webhook.kinds],
        "enabled": webhook.off_at is None,
        "off_at": time_of(webhook.off_at),
        "off_reason": webhook.off_reason,
        "failing_since": time_of(webhook.failing_since),
        "created_at": format_time(webhook.created_at),
        "deliveries": {state.value: view.counts.get(state, 0) for state in DeliveryState},
    }


def delivery_json(delivery: Delivery) -> dict[str, Any]:
    """A message and what became of it."""
    return {
        "id": delivery.seq,
        "message_id": delivery.message_id,
        "event": delivery.feed_id,
        "kind": delivery.kind,
        "state": delivery.state.value,
        "created_at": format_time(delivery.created_at),
        "attempts": delivery.attempts,
        "attempted_at": time_of(delivery.attempted_at),
        "next_attempt_at": time_of(delivery.next_at),
        "status": delivery.status,
        "error": delivery.error,
    }
