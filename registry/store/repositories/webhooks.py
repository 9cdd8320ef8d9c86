"""Webhooks and what is sent to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row as ResultRow
from sqlalchemy import delete, func, select, update

from registry.encoding import Address
from registry.model.webhooks import Delivery, DeliveryState, Webhook
from registry.store.database import Database
from registry.store.rows import WebhookDeliveryRow, WebhookRow, table
from registry.store.values import chunks, instant, maybe_instant, maybe_micros, micros, unique_chunks

HOOKS = table(WebhookRow)
DELIVERIES = table(WebhookDeliveryRow)
_WAITING = DeliveryState.WAITING.value
_FAILED = DeliveryState.FAILED.value
_AFRESH = {"state": _WAITING, "attempts": 0, "error": None}


def _webhook(row: ResultRow[Any]) -> Webhook:
    return Webhook(
        id=row.id,
        issuer=Address(row.issuer),
        url=row.url,
        description=row.description,
        kinds=frozenset(row.kinds.split()),
        secret=bytes(row.secret),
        since=row.since,
        created_at=instant(row.created_at),
        previous_secret=None if row.previous_secret is None else bytes(row.previous_secret),
        previous_until=maybe_instant(row.previous_until),
        off_at=maybe_instant(row.off_at),
        off_reason=row.off_reason,
        failing_since=maybe_instant(row.failing_since),
    )


def _changeable(webhook: Webhook) -> dict[str, Any]:
    return {
        "url": webhook.url,
        "description": webhook.description,
        "kinds": " ".join(sorted(webhook.kinds)),
        "secret": webhook.secret,
        "previous_secret": webhook.previous_secret,
        "previous_until": maybe_micros(webhook.previous_until),
        "off_at": maybe_micros(webhook.off_at),
        "off_reason": webhook.off_reason,
        "failing_since": maybe_micros(webhook.failing_since),
    }


def _delivery(row: ResultRow[Any]) -> Delivery:
    return Delivery(
        seq=row.seq,
        webhook_id=row.webhook_id,
        feed_id=row.feed_id,
        kind=row.kind,
        state=DeliveryState(row.state),
        created_at=instant(row.created_at),
        attempts=row.attempts,
        next_at=maybe_instant(row.next_at),
        attempted_at=maybe_instant(row.attempted_at),
        status=row.status,
        error=row.error,
    )


class Webhooks:
    """`registry.ports.webhooks.WebhookRepository`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # --- webhooks -------------------------------------------------------------------------------------------

    def add(self, webhook: Webhook) -> None:
        """Store a webhook."""
        fixed = {
            "id": webhook.id,
            "issuer": webhook.issuer,
            "since": webhook.since,
            "created_at": micros(webhook.created_at),
        }
        self._db.run(self._db.insert(HOOKS).values(fixed | _changeable(webhook)))

    def get(self, webhook_id: str) -> Webhook | None:
        """The webhook, locked where the unit writes, or None."""
        row = self._db.first_locked(select(HOOKS).where(HOOKS.c.id == webhook_id))
        return None if row is None else _webhook(row)

    def of_issuer(self, issuer: Address) -> Sequence[Webhook]:
        """Oldest first."""
        query = select(HOOKS).where(HOOKS.c.issuer == issuer).order_by(HOOKS.c.created_at, HOOKS.c.id)
        return [_webhook(row) for row in self._db.rows(query)]

    def of_issuers(self, issuers: Collection[Address]) -> Sequence[Webhook]:
        """Those that are switched on."""
        found: list[Webhook] = []
        for chunk in unique_chunks(issuers):
            query = select(HOOKS).where(HOOKS.c.issuer.in_(chunk), HOOKS.c.off_at.is_(None))
            found += [_webhook(row) for row in self._db.rows(query)]
        return found

    def change(self, webhook: Webhook) -> None:
        """Replace what may change. Raises `NotFoundError`."""
        self._db.must(
            update(HOOKS).where(HOOKS.c.id == webhook.id).values(_changeable(webhook)), "the webhook"
        )

    def remove(self, webhook_id: str) -> None:
        """With its deliveries."""
        self._db.run(delete(DELIVERIES).where(DELIVERIES.c.webhook_id == webhook_id))
        self._db.run(delete(HOOKS).where(HOOKS.c.id == webhook_id))

    # --- deliveries -----------------------------------------------------------------------------------------

    def add_deliveries(self, deliveries: Collection[tuple[str, int | None, str]], at: datetime) -> int:
        """Due at once; how many were new."""
        columns = ("webhook_id", "feed_id", "kind", "state", "created_at", "attempts", "next_at")
        due = micros(at)
        added = 0
        for chunk in chunks(deliveries, 1_000):
            rows = [(hook, item, kind, _WAITING, due, 0, due) for hook, item, kind in chunk]
            added += self._db.insert_new(DELIVERIES, columns, rows)
        return added

    def delivery(self, webhook_id: str, seq: int) -> Delivery | None:
        """The delivery, or None."""
        mine = (DELIVERIES.c.webhook_id == webhook_id, DELIVERIES.c.seq == seq)
        row = self._db.first(select(DELIVERIES).where(*mine))
        return None if row is None else _delivery(row)

    def deliveries(
        self, webhook_id: str, *, state: DeliveryState | None, before: int | None, limit: int
    ) -> Sequence[Delivery]:
        """Newest first, ``seq`` less than ``before``."""
        query = select(DELIVERIES).where(DELIVERIES.c.webhook_id == webhook_id)
        if state is not None:
            query = query.where(DELIVERIES.c.state == state.value)
        if before is not None:
            query = query.where(DELIVERIES.c.seq < before)
        query = query.order_by(DELIVERIES.c.seq.desc()).limit(limit)
        return [_delivery(row) for row in self._db.rows(query)]

    def counts(self, webhook_ids: Collection[str]) -> Mapping[str, Mapping[DeliveryState, int]]:
        """How many deliveries of each state; what there are none of is missing."""
        found: dict[str, dict[DeliveryState, int]] = defaultdict(dict)
        for chunk in unique_chunks(webhook_ids):
            query = (
                select(DELIVERIES.c.webhook_id, DELIVERIES.c.state, func.count())
                .where(DELIVERIES.c.webhook_id.in_(chunk))
                .group_by(DELIVERIES.c.webhook_id, DELIVERIES.c.state)
            )
            for webhook_id, state, count in self._db.rows(query):
                found[webhook_id][DeliveryState(state)] = count
        return found

    def is_due(self, now: datetime, *, without: Collection[str]) -> bool:
        """Whether `claim` would find something."""
        due = (DELIVERIES.c.next_at <= micros(now), DELIVERIES.c.webhook_id.not_in(list(without)))
        return self._db.first(select(DELIVERIES.c.seq).where(*due).limit(1)) is not None

    def claim(
        self, now: datetime, until: datetime, *, each: int, limit: int, without: Collection[str]
    ) -> Sequence[Delivery]:
        """Take what is due: the update decides between two at once."""
        due = (DELIVERIES.c.next_at <= micros(now), DELIVERIES.c.webhook_id.not_in(list(without)))
        place = func.row_number().over(
            partition_by=DELIVERIES.c.webhook_id, order_by=(DELIVERIES.c.next_at, DELIVERIES.c.seq)
        )
        ranked = select(DELIVERIES.c.seq, DELIVERIES.c.next_at, place.label("place")).where(*due).subquery()
        chosen = (
            select(ranked.c.seq)
            .where(ranked.c.place <= each)
            .order_by(ranked.c.place, ranked.c.next_at)
            .limit(limit)
        )
        names = [row[0] for row in self._db.rows(chosen)]
        if not names:
            return []
        taken = (
            update(DELIVERIES)
            .where(DELIVERIES.c.seq.in_(names), *due)
            .values(next_at=micros(until))
            .returning(DELIVERIES)
        )
        return sorted((_delivery(row) for row in self._db.rows(taken)), key=lambda one: one.seq)

    def record(
        self,
        seq: int,
        state: DeliveryState,
        at: datetime,
        *,
        next_at: datetime | None,
        status: int | None,
        error: str | None,
    ) -> bool:
        """What became of an attempt; False when the delivery does not wait any more."""
        statement = (
            update(DELIVERIES)
            .where(DELIVERIES.c.seq == seq, DELIVERIES.c.state == _WAITING)
            .values(
                state=state.value,
                attempts=DELIVERIES.c.attempts + 1,
                attempted_at=micros(at),
                next_at=maybe_micros(next_at),
                status=status,
                error=error,
            )
        )
        return self._db.run(statement) > 0

    def give_up(self, webhook_id: str, error: str) -> None:
        """All that waits has failed."""
        waiting = (DELIVERIES.c.webhook_id == webhook_id, DELIVERIES.c.state == _WAITING)
        self._db.run(update(DELIVERIES).where(*waiting).values(state=_FAILED, next_at=None, error=error))

    def replay(self, webhook_id: str, at: datetime, *, seq: int | None, since: datetime | None) -> int:
        """Let one, or the failed ones made from ``since`` on, wait again."""
        statement = update(DELIVERIES).where(DELIVERIES.c.webhook_id == webhook_id)
        if seq is not None:
            statement = statement.where(DELIVERIES.c.seq == seq)
        if since is not None:
            statement = statement.where(
                DELIVERIES.c.state == _FAILED, DELIVERIES.c.created_at >= micros(since)
            )
        return self._db.run(statement.values(_AFRESH | {"next_at": micros(at)}))

    def purge(self, before: datetime) -> None:
        """Forget old deliveries that wait for nothing."""
        old = (DELIVERIES.c.created_at < micros(before), DELIVERIES.c.state != _WAITING)
        self._db.run(delete(DELIVERIES).where(*old))
