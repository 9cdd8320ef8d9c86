"""Keys: API keys and keys on chain, with their history. For API keys with scope `admin`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.context import Query, app_of, blocking, no_query
from api.views import access_json, api_key_json
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
from api.web.texts import PARAMETER
from registry.bootstrap import App
from registry.encoding import to_checksum
from registry.errors import ForbiddenError, NotFoundError, RootmarkError
from registry.model.chain import EventKind
from registry.model.issuers import ApiKey, Scope
from registry.services.access import MAX_LABEL_CHARACTERS, is_in_force
from registry.services.auditing.views import chain_time, event_json, far_time, role_names
from registry.services.idempotency import IdempotencyRef

router = console_router()

_EVENTS = (
    EventKind.KEY_ADDED,
    EventKind.KEY_RETIRED,
    EventKind.ADMIN_PROPOSED,
    EventKind.ADMIN_CHANGED,
)
_SHOWN = 100


def _(text: str) -> str:
    """Marks a text for the catalogues."""
    return text


SCOPES = {
    "batch": _("make achievements and issue batches"),
    "status": _("revoke, suspend and reinstate"),
    "read": _("read"),
    "audit": _("see what auditors see"),
    "admin": _("manage keys"),
    "vc": _("sign any credential by the VC API"),
}

EVENTS = {
    "KeyAdded": _("Key added"),
    "KeyRetired": _("Key retired"),
    "AdminProposed": _("Admin proposed"),
    "AdminChanged": _("Admin changed"),
}

ACTIONS = {
    "api-key.created": _("API key made"),
    "api-key.revoked": _("API key deleted"),
    "console.login": _("Login to the console"),
    "issuer.registered": _("Issuer registered"),
    "key.added": _("Key on chain added"),
    "key.retired": _("Key on chain retired"),
    "signing-key.created": _("Signing key made"),
}


@router.get("/console/keys")
async def show_keys(request: Request, visitor: Visitor) -> Response:
    """Both kinds of keys, and what happened to them."""
    Query(request, PARAMETER)
    return await _keys(request, visitor)


async def _keys(request: Request, visitor: Visitor, **values: Any) -> Response:
    shown = await blocking(_read, app_of(request), visitor)
    given = {"label": "", "expires_on": "", "scopes": []}
    return page(request, visitor, "keys.html", scopes=SCOPES, **shown, **{"given": given} | values)


def _read(app: App, visitor: Visitor) -> dict[str, Any]:
    issuer, now = visitor.issuer.address, app.clock.now()
    api_keys = app.access.keys(visitor.caller, issuer)
    events = app.audit.events(issuer=issuer, kinds=_EVENTS, since=None, until=None, after=0, limit=_SHOWN)
    return {
        "api_keys": [
            api_key_json(key)
            | {"in_force": is_in_force(key, now), "current": key.id == visitor.caller.key_id}
            for key in api_keys
        ],
        "chain_keys": [
            {
                "key": to_checksum(key.key),
                "roles": role_names(key.roles),
                "added_at": chain_time(key.added_at),
                "valid_until": far_time(key.valid_until),
                "retired_at": chain_time(key.retired_at) if key.retired_at else None,
                "held_here": key.held_here,
            }
            for key in app.issuers.chain_keys(issuer)
        ],
        "events": [event_json(event) | {"title": EVENTS[event.kind.value]} for event in events.items],
        "history": [
            access_json(record) | {"title": ACTIONS[record.action]}
            for record in app.access.history(visitor.caller, issuer, _SHOWN)
        ],
    }


@router.post("/console/keys/api")
async def create_key(request: Request, visitor: Visitor) -> Response:
    """Make an API key, once; its token is shown in this answer alone."""
    no_query(request)
    fields = await form_of(request, visitor)
    app = app_of(request)
    label, last_day = fields.text("label", 2 * MAX_LABEL_CHARACTERS), fields.text("expires_on", 20)
    given = {"label": label, "expires_on": last_day, "scopes": fields.all("scope")}

    async def work(ref: IdempotencyRef | None) -> Response:
        key, token = await blocking(
            app.access.create_key,
            visitor.caller,
            visitor.issuer.address,
            label,
            _scopes(fields),
            _expiry(last_day),
            idempotency=ref,
        )
        return page(request, visitor, "key_made.html", key=api_key_json(key), token=token)

    async def replay(key_id: str) -> Response:
        key = await blocking(_key, app, visitor, key_id)
        return page(request, visitor, "key_made.html", key=api_key_json(key), token=None)

    try:
        return await once(request, visitor, fields.text("once"), work, replay, keep_answer=False)
    except ForbiddenError:
        raise
    except RootmarkError as error:
        return await _keys(request, visitor, given=given, **problem_values(request, error))


def _scopes(fields: Fields) -> list[Scope]:
    given = fields.all("scope")
    if not set(given) <= set(SCOPES):
        raise fault("scope", "choice", f"one of {', '.join(SCOPES)}")
    return [Scope(name) for name in given]


def _expiry(text: str) -> datetime | None:
    """The end of a day."""
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise fault("expires_on", "day", "a day is written as 2026-11-23") from error


def _key(app: App, visitor: Visitor, key_id: str) -> ApiKey:
    for key in app.access.keys(visitor.caller, visitor.issuer.address):
        if key.id == key_id:
            return key
    raise NotFoundError("no such API key")


@router.get("/console/keys/api/{key_id}")
async def show_key(request: Request, visitor: Visitor, key_id: str) -> Response:
    """Ask before a key is deleted."""
    Query(request, PARAMETER)
    key = await blocking(_key, app_of(request), visitor, key_id)
    current = key.id == visitor.caller.key_id
    return page(request, visitor, "key_delete.html", key=api_key_json(key), current=current)


@router.post("/console/keys/api/{key_id}/delete")
async def delete_key(request: Request, visitor: Visitor, key_id: str) -> Response:
    """End an API key at once, and with it the sessions that it opened."""
    no_query(request)
    await form_of(request, visitor)
    await blocking(app_of(request).access.revoke_key, visitor.caller, visitor.issuer.address, key_id)
    return go("/console/keys")
