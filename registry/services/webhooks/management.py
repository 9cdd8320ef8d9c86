"""An issuer's webhooks: made, changed, tried out, switched on again, and what was sent to them.

For API keys with scope `admin`, since a webhook is told of everything that the issuer does. Invariants: a
secret is told when it is made and never again; what a webhook is told begins where the feed was when it was
made, unless somebody replays what came before.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from registry.encoding import Address, invalid, to_hex
from registry.errors import ConflictError, NotFoundError, WrongStateError
from registry.model.issuers import Caller, Scope
from registry.model.webhooks import EVENT_KINDS, TEST_KIND, Delivery, DeliveryState, Webhook
from registry.ports.clock import Clock
from registry.ports.store import Store, Unit
from registry.ports.webhooks import Post, SecretBox
from registry.services.access import require_issuer
from registry.services.idempotency import IdempotencyRef, bind

MAX_WEBHOOKS = 20
MAX_DESCRIPTION_CHARACTERS = 200
OLD_SECRET = timedelta(hours=24)
"""So long messages are signed with the secret before too, so that a receiver can change over."""

KEPT = timedelta(days=30)
"""So long what was sent can be looked at and replayed."""

_SECRET_BYTES = 32
_FEED_PAGE = 500


@dataclass(frozen=True, slots=True)
class WebhookView:
    """A webhook, and how many of its deliveries are in each state."""

    webhook: Webhook
    counts: Mapping[DeliveryState, int]


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to change; None: stays."""

    url: str | None = None
    description: str | None = None
    kinds: Collection[str] | None = None
    enabled: bool | None = None


class WebhookService:
    """Webhooks of the issuers hosted here."""

    def __init__(self, store: Store, clock: Clock, post: Post, box: SecretBox) -> None:
        self._store = store
        self._clock = clock
        self._post = post
        self._box = box

    # --- webhooks -------------------------------------------------------------------------------------------

    def create(
        self,
        caller: Caller,
        url: str,
        kinds: Collection[str] = (),
        description: str = "",
        *,
        idempotency: IdempotencyRef | None = None,
    ) -> tuple[Webhook, str]:
        """Make a webhook; with its secret, which is told this once.

        Raises:
            ForbiddenError: not an issuer's key with scope `admin`.
            ValidationError: an address that nothing is sent to, an unknown kind, a long description.
            ConflictError: the issuer has `MAX_WEBHOOKS` already.
        """
        issuer = require_issuer(caller, Scope.ADMIN)
        now = self._clock.now()
        secret, sealed = self._new_secret(identifier := secrets.token_hex(8))
        self._post.check(url)
        with self._store.write() as unit:
            unit.issuers.lock(issuer)
            if len(unit.webhooks.of_issuer(issuer)) >= MAX_WEBHOOKS:
                raise ConflictError(f"an issuer has at most {MAX_WEBHOOKS} webhooks; remove one first")
            webhook = Webhook(
                id=identifier,
                issuer=issuer,
                url=url,
                description=_description(description),
                kinds=_kinds(kinds),
                secret=sealed,
                since=unit.feed.newest(),
                created_at=now,
            )
            unit.webhooks.add(webhook)
            _log(unit, now, caller, "webhook.created", webhook)
            bind(unit, idempotency, f"webhook:{webhook.id}")
        return webhook, secret

    def list(self, caller: Caller) -> Sequence[WebhookView]:
        """The issuer's webhooks, oldest first. Raises `ForbiddenError`."""
        issuer = require_issuer(caller, Scope.ADMIN)
        with self._store.read() as unit:
            found = unit.webhooks.of_issuer(issuer)
            counts = unit.webhooks.counts([one.id for one in found])
        return [WebhookView(one, counts.get(one.id, {})) for one in found]

    def get(self, caller: Caller, webhook_id: str) -> WebhookView:
        """One webhook. Raises `ForbiddenError`, `NotFoundError`."""
        issuer = require_issuer(caller, Scope.ADMIN)
        with self._store.read() as unit:
            webhook = _mine(unit, issuer, webhook_id)
            return WebhookView(webhook, unit.webhooks.counts([webhook_id]).get(webhook_id, {}))

    def change(self, caller: Caller, webhook_id: str, changes: Changes) -> WebhookView:
        """Change a webhook. Switched off, it gets nothing, and what waits for it has failed; switched on
        again, it is told of what comes then, and of the rest by `replay_since`.

        Raises:
            ForbiddenError, NotFoundError: not one of the caller's issuer.
            ValidationError: as in `create`.
        """
        issuer = require_issuer(caller, Scope.ADMIN)
        now = self._clock.now()
        if changes.url is not None:
            self._post.check(changes.url)
        with self._store.write() as unit:
            before = _mine(unit, issuer, webhook_id)
            after = before
            if changes.url is not None:
                after = replace(after, url=changes.url)
            if changes.description is not None:
                after = replace(after, description=_description(changes.description))
            if changes.kinds is not None:
                after = replace(after, kinds=_kinds(changes.kinds))
            if changes.enabled is True and before.off_at is not None:
                after = replace(after, off_at=None, off_reason=None, failing_since=None)
            if changes.enabled is False and before.off_at is None:
                after = switched_off(unit, after, now, "switched off by its issuer")
            if after != before:
                unit.webhooks.change(after)
                _log(unit, now, caller, "webhook.changed", after)
        return self.get(caller, webhook_id)

    def remove(self, caller: Caller, webhook_id: str) -> None:
        """Remove a webhook with its deliveries. Raises `ForbiddenError`, `NotFoundError`."""
        issuer = require_issuer(caller, Scope.ADMIN)
        with self._store.write() as unit:
            webhook = _mine(unit, issuer, webhook_id)
            unit.webhooks.remove(webhook_id)
            _log(unit, self._clock.now(), caller, "webhook.removed", webhook)

    def rotate(self, caller: Caller, webhook_id: str) -> tuple[Webhook, str]:
        """A new secret, told this once; messages are signed with both for `OLD_SECRET`. Raises
        `ForbiddenError`, `NotFoundError`."""
        issuer = require_issuer(caller, Scope.ADMIN)
        now = self._clock.now()
        secret, sealed = self._new_secret(webhook_id)
        with self._store.write() as unit:
            before = _mine(unit, issuer, webhook_id)
            after = replace(
                before, secret=sealed, previous_secret=before.secret, previous_until=now + OLD_SECRET
            )
            unit.webhooks.change(after)
            _log(unit, now, caller, "webhook.secret-rotated", after)
        return after, secret

    # --- deliveries -----------------------------------------------------------------------------------------

    def deliveries(
        self,
        caller: Caller,
        webhook_id: str,
        *,
        state: DeliveryState | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> Sequence[Delivery]:
        """What was sent to a webhook, newest first. Raises `ForbiddenError`, `NotFoundError`."""
        issuer = require_issuer(caller, Scope.ADMIN)
        with self._store.read() as unit:
            _mine(unit, issuer, webhook_id)
            return unit.webhooks.deliveries(webhook_id, state=state, before=before, limit=limit)

    def test(self, caller: Caller, webhook_id: str) -> None:
        """Send a message for nothing. Raises `ForbiddenError`, `NotFoundError`; `WrongStateError` when the
        webhook is switched off."""
        issuer = require_issuer(caller, Scope.ADMIN)
        with self._store.write() as unit:
            _require_on(_mine(unit, issuer, webhook_id))
            unit.webhooks.add_deliveries([(webhook_id, None, TEST_KIND)], self._clock.now())

    def replay(self, caller: Caller, webhook_id: str, seq: int) -> None:
        """Send one message again, under its id, whatever became of it.

        Raises:
            ForbiddenError, NotFoundError: no such message to one of the caller's issuer.
            WrongStateError: the webhook is switched off.
        """
        issuer = require_issuer(caller, Scope.ADMIN)
        with self._store.write() as unit:
            _require_on(_mine(unit, issuer, webhook_id))
            if not unit.webhooks.replay(webhook_id, self._clock.now(), seq=seq, since=None):
                raise NotFoundError("no such delivery")

    def replay_since(self, caller: Caller, webhook_id: str, since: datetime) -> int:
        """Send again what failed from a time on, and what the webhook was never sent because it was switched
        off or not yet there; how many messages.

        Raises:
            ForbiddenError, NotFoundError: not one of the caller's issuer.
            WrongStateError: the webhook is switched off.
            ValidationError: longer ago than deliveries are kept.
        """
        issuer = require_issuer(caller, Scope.ADMIN)
        now = self._clock.now()
        if since < now - KEPT:
            raise invalid("since", f"at most {KEPT.days} days ago", "/since")
        with self._store.write() as unit:
            webhook = _mine(unit, issuer, webhook_id)
            _require_on(webhook)
            count = unit.webhooks.replay(webhook_id, now, seq=None, since=since)
            after = 0
            while items := unit.feed.after(after, _FEED_PAGE, issuer=issuer, since=since):
                wanted = [(webhook_id, one.id, one.kind) for one in items if webhook.wants(one.kind)]
                count += unit.webhooks.add_deliveries(wanted, now)
                after = items[-1].id
        return count

    def _new_secret(self, webhook_id: str) -> tuple[str, bytes]:
        secret = secrets.token_bytes(_SECRET_BYTES)
        return "whsec_" + b64encode(secret).decode(), self._box.seal(secret, secret_name(webhook_id))


def secret_name(webhook_id: str) -> str:
    """What a webhook's secrets are sealed under."""
    return f"webhook:{webhook_id}"


def switched_off(unit: Unit, webhook: Webhook, now: datetime, reason: str) -> Webhook:
    """The webhook as it is then, which the caller stores; what waits for it has failed."""
    unit.webhooks.give_up(webhook.id, reason)
    return replace(webhook, off_at=now, off_reason=reason)


def _mine(unit: Unit, issuer: Address, webhook_id: str) -> Webhook:
    webhook = unit.webhooks.get(webhook_id)
    if webhook is None or webhook.issuer != issuer:
        raise NotFoundError("no such webhook")
    return webhook


def _require_on(webhook: Webhook) -> None:
    if webhook.off_at is not None:
        raise WrongStateError("the webhook is switched off; switch it on first")


def _kinds(kinds: Collection[str]) -> frozenset[str]:
    for place, kind in enumerate(kinds):
        if kind not in EVENT_KINDS:
            raise invalid("kind", f"one of {', '.join(EVENT_KINDS)}", f"/kinds/{place}")
    return frozenset(kinds)


def _description(text: str) -> str:
    text = text.strip()
    if len(text) > MAX_DESCRIPTION_CHARACTERS:
        raise invalid("length", f"at most {MAX_DESCRIPTION_CHARACTERS} characters", "/description")
    return text


def _log(unit: Unit, now: datetime, caller: Caller, action: str, webhook: Webhook) -> None:
    unit.access.log(now, caller.label, action, f"{to_hex(webhook.issuer)}/{webhook.id}", "")
