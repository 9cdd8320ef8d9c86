"""Delivers what the feed tells to the webhooks that want it.

The feed becomes deliveries behind a cursor, in one transaction. A delivery that is due is claimed until a
time, sent outside of any transaction, and what came of it is recorded: a process that dies in between leaves
a claim that runs out, so a message may come twice, under the same id, and is never lost. Several processes
may deliver at once. A receiver that is slow holds up no other: it has two messages under way at most.

Invariants: a webhook that is switched off is sent nothing; neither secrets nor addresses reach the log.
"""

from __future__ import annotations

import logging
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import SystemRandom

from registry.errors import SignerError
from registry.model.webhooks import Delivery, DeliveryState, Webhook
from registry.ports.clock import Clock
from registry.ports.store import Store, Unit
from registry.ports.webhooks import Post, Posted, SecretBox
from registry.services.webhooks.management import secret_name, switched_off
from registry.services.webhooks.messages import bodies, headers
from registry.services.webhooks.schedule import LONGEST_FAILING, pause_after

log = logging.getLogger(__name__)

CURSOR = "webhooks"
AT_ONCE = 16
AT_ONCE_EACH = 2
_FEED_PAGE = 500
_CLAIM = timedelta(minutes=2)
"""Longer than a message may take."""

_WAIT_SECONDS = 0.5
_GONE = 410
_LUCK = SystemRandom()
"""Not the shared generator, whose sequence others may have seeded and rely on."""


@dataclass(frozen=True, slots=True)
class _Sent:
    delivery: Delivery
    posted: Posted
    at: datetime


class Courier:
    """A step of the background work, in a thread of its own: it waits for receivers."""

    def __init__(self, store: Store, clock: Clock, post: Post, box: SecretBox) -> None:
        self._store = store
        self._clock = clock
        self._post = post
        self._box = box
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook")
        self._under_way: dict[Future[_Sent], str] = {}
        """Messages being sent, with their webhooks."""

    def step(self) -> bool:
        """Spread, send, and record what has been answered; True when there is more to do at once.

        Raises:
            StoreUnavailableError: try again later.
        """
        spread = self._spread()
        self._send_due()
        if not self._under_way:
            return spread
        done, _ = wait(self._under_way, timeout=_WAIT_SECONDS, return_when=FIRST_COMPLETED)
        self._record([future.result() for future in done])
        for future in done:
            del self._under_way[future]
        return True

    def close(self) -> None:
        """Begin nothing more; what is under way is claimed, and sent again later."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    # --- from the feed to deliveries ------------------------------------------------------------------------

    def _spread(self) -> bool:
        with self._store.read() as unit:
            done = unit.feed.cursor(CURSOR)
            if unit.feed.newest() <= done:
                return False
        with self._store.write() as unit:
            done = unit.feed.cursor(CURSOR)
            items = unit.feed.after(done, _FEED_PAGE)
            if not items:
                return False
            webhooks = unit.webhooks.of_issuers({item.issuer for item in items})
            wanted = [
                (webhook.id, item.id, item.kind)
                for item in items
                for webhook in webhooks
                if webhook.issuer == item.issuer and item.id > webhook.since and webhook.wants(item.kind)
            ]
            unit.webhooks.add_deliveries(wanted, self._clock.now())
            unit.feed.set_cursor(CURSOR, items[-1].id)
        return len(items) == _FEED_PAGE

    # --- sending --------------------------------------------------------------------------------------------

    def _send_due(self) -> None:
        free = AT_ONCE - len(self._under_way)
        busy = Counter(self._under_way.values())
        full = [webhook for webhook, count in busy.items() if count >= AT_ONCE_EACH]
        if free <= 0:
            return
        now = self._clock.now()
        with self._store.read() as unit:
            if not unit.webhooks.is_due(now, without=full):
                return
        with self._store.write() as unit:
            claimed = unit.webhooks.claim(now, now + _CLAIM, each=AT_ONCE_EACH, limit=free, without=full)
            found = {name: unit.webhooks.get(name) for name in {one.webhook_id for one in claimed}}
            webhooks = {name: one for name, one in found.items() if one is not None}
            texts = bodies(unit, [one for one in claimed if one.webhook_id in webhooks], webhooks)
        for one in claimed:
            webhook = webhooks.get(one.webhook_id)
            if webhook is not None:
                future = self._threads.submit(self._send, webhook, one, texts.get(one.seq))
                self._under_way[future] = one.webhook_id

    def _send(self, webhook: Webhook, delivery: Delivery, body: bytes | None) -> _Sent:
        now = self._clock.now()
        if body is None:
            return _Sent(delivery, Posted(None, trouble="the event is not there any more"), now)
        try:
            signed = headers(delivery.message_id, now, body, self._secrets(webhook, now))
        except SignerError as error:
            return _Sent(delivery, Posted(None, trouble=str(error)), now)
        try:
            posted = self._post.post(webhook.url, signed, body)
        except Exception as error:  # noqa: BLE001 - one message must not stop the others, whatever is wrong
            log.error("a message could not be sent", extra={"error": type(error).__name__})
            posted = Posted(None, trouble="the message could not be sent")
        return _Sent(delivery, posted, self._clock.now())

    def _secrets(self, webhook: Webhook, now: datetime) -> list[bytes]:
        sealed = [webhook.secret]
        if webhook.previous_secret is not None and (webhook.previous_until or now) > now:
            sealed.append(webhook.previous_secret)
        return [self._box.open(one, secret_name(webhook.id)) for one in sealed]

    # --- recording ------------------------------------------------------------------------------------------

    def _record(self, sent: list[_Sent]) -> None:
        if not sent:
            return
        with self._store.write() as unit:
            for one in sent:
                self._record_one(unit, one)

    def _record_one(self, unit: Unit, sent: _Sent) -> None:
        one, posted, at = sent.delivery, sent.posted, sent.at
        webhook = unit.webhooks.get(one.webhook_id)
        if webhook is None:
            return
        status = posted.status
        if status is not None and 200 <= status < 300:
            unit.webhooks.record(
                one.seq, DeliveryState.DELIVERED, at, next_at=None, status=status, error=None
            )
            if webhook.failing_since is not None:
                unit.webhooks.change(replace(webhook, failing_since=None))
            return
        error = posted.trouble or f"answered with status {status}"
        pause = pause_after(one.attempts + 1, posted.retry_after_seconds, _LUCK.random())
        state = DeliveryState.FAILED if pause is None else DeliveryState.WAITING
        next_at = None if pause is None else at + pause
        unit.webhooks.record(one.seq, state, at, next_at=next_at, status=status, error=error)
        if webhook.off_at is not None:
            unit.webhooks.give_up(webhook.id, webhook.off_reason or error)
            return
        failing = replace(webhook, failing_since=webhook.failing_since or at)
        reason = _reason_to_switch_off(failing, status, at)
        if reason is not None:
            failing = switched_off(unit, failing, at, reason)
            log.warning("a webhook was switched off: %s", reason, extra={"webhook": webhook.id})
        if failing != webhook:
            unit.webhooks.change(failing)


def _reason_to_switch_off(webhook: Webhook, status: int | None, at: datetime) -> str | None:
    if status == _GONE:
        return "the receiver answered 410 Gone"
    if webhook.failing_since is not None and at - webhook.failing_since >= LONGEST_FAILING:
        return f"nothing could be delivered for {LONGEST_FAILING.days} days"
    return None
