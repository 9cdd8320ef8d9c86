"""By what the server runs: leases, idempotency keys, single values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import case, delete, or_, select, update

from registry.errors import (
    ConflictError,
    IdempotencyInFlightError,
    IdempotencyMismatchError,
    LeaseLostError,
)
from registry.ports.store import StoredAnswer
from registry.store.database import Database
from registry.store.rows import IdempotencyRow, LeaseRow, MetaRow, table
from registry.store.values import micros

LEASES = table(LeaseRow)
ANSWERS = table(IdempotencyRow)
META = table(MetaRow)

_MICROS = 1_000_000


class Leases:
    """`registry.ports.store.LeaseRepository`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def acquire(self, name: str, owner: str, ttl_seconds: float, now: datetime) -> int | None:
        """The token, for a free, expired or own lease (own: same token, renewed); None while another holds
        it.

        One statement, so that of two processes at most one gets it.
        """
        at = micros(now)
        until = at + int(ttl_seconds * _MICROS)
        statement = self._db.insert(LEASES).values(name=name, owner=owner, token=1, expires_at=until)
        mine = LEASES.c.owner == statement.excluded.owner
        token: int | None = self._db.scalar(
            statement.on_conflict_do_update(
                index_elements=[LEASES.c.name],
                set_={
                    "token": case((mine, LEASES.c.token), else_=LEASES.c.token + 1),
                    "owner": statement.excluded.owner,
                    "expires_at": statement.excluded.expires_at,
                },
                where=or_(mine, LEASES.c.owner.is_(None), LEASES.c.expires_at <= at),
            ).returning(LEASES.c.token)
        )
        return token

    def check(self, name: str, token: int) -> None:
        """Hold the lease's row until the unit ends, so that nobody takes it over before.

        Raises:
            LeaseLostError: the token is not the newest, or the lease was released.
        """
        query = select(LEASES.c.owner, LEASES.c.token).where(LEASES.c.name == name)
        row = self._db.first_locked(query)
        if row is None or row.owner is None or row.token != token:
            raise LeaseLostError("another process holds the lease now")

    def release(self, name: str, owner: str) -> None:
        """Free the lease if ``owner`` still holds it."""
        statement = (
            update(LEASES)
            .where(LEASES.c.name == name, LEASES.c.owner == owner)
            .values(owner=None, expires_at=0)
        )
        self._db.run(statement)


class Idempotency:
    """`registry.ports.store.IdempotencyRepository`.

    A key goes through: claimed (until a time), bound (its effect is committed), answered. A claim that ran
    out without being bound had no effect, so the same request may claim the key again; of two that then run,
    one can bind.
    """

    def __init__(self, database: Database) -> None:
        self._db = database

    def begin(
        self, owner: str, key: str, fingerprint: bytes, now: datetime, *, ttl_seconds: float
    ) -> StoredAnswer | None:
        """None: go ahead, the key is claimed until ``ttl_seconds`` pass. An answer: replay it; one that is
        only bound has a resource and no status yet.

        Raises:
            IdempotencyMismatchError: the key was used with another fingerprint.
            IdempotencyInFlightError: the first request is still running.
        """
        at = micros(now)
        claim = {
            "fingerprint": fingerprint,
            "created_at": at,
            "claimed_until": at + int(ttl_seconds * _MICROS),
        }
        statement = self._db.insert(ANSWERS).values(owner=owner, key=key, **claim)
        if self._db.run(statement.on_conflict_do_nothing()) > 0:
            return None
        mine = (ANSWERS.c.owner == owner, ANSWERS.c.key == key)
        row = self._db.first_locked(select(ANSWERS).where(*mine))
        if row is None:  # abandoned between the two statements
            raise IdempotencyInFlightError(
                "the first request with this Idempotency-Key just ended; try again"
            )
        if row.fingerprint != fingerprint:
            raise IdempotencyMismatchError("the Idempotency-Key was used with another body")
        if row.resource is None and row.status is None:
            if row.claimed_until <= at:
                self._db.run(update(ANSWERS).where(*mine).values(claim))
                return None
            raise IdempotencyInFlightError("the first request with this Idempotency-Key is still running")
        return StoredAnswer(
            resource=row.resource,
            status=row.status,
            headers=json.loads(row.answer_headers or "{}"),
            body=row.answer_body,
        )

    def bind(self, owner: str, key: str, resource: str) -> None:
        """Name the effect, in the unit that makes it.

        Raises:
            ConflictError: the claim is gone or already bound; the unit must not commit.
        """
        statement = (
            update(ANSWERS)
            .where(ANSWERS.c.owner == owner, ANSWERS.c.key == key, ANSWERS.c.resource.is_(None))
            .values(resource=resource)
        )
        if self._db.run(statement) == 0:
            raise ConflictError("the Idempotency-Key was taken by another request")

    def finish(self, owner: str, key: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Keep the answer for replays. Nothing happens when the key was purged meanwhile."""
        self._db.run(
            update(ANSWERS)
            .where(ANSWERS.c.owner == owner, ANSWERS.c.key == key)
            .values(status=status, answer_headers=json.dumps(dict(headers)), answer_body=body)
        )

    def abandon(self, owner: str, key: str) -> None:
        """The request failed without effect: the key is free again (unless bound or answered)."""
        self._db.run(
            delete(ANSWERS).where(
                ANSWERS.c.owner == owner,
                ANSWERS.c.key == key,
                ANSWERS.c.resource.is_(None),
                ANSWERS.c.status.is_(None),
            )
        )

    def purge(self, older_than: datetime) -> int:
        """Forget keys first used before that time, and not claimed beyond it. Returns how many."""
        at = micros(older_than)
        statement = delete(ANSWERS).where(ANSWERS.c.created_at < at, ANSWERS.c.claimed_until < at)
        return self._db.run(statement)


class Meta:
    """`registry.ports.store.MetaRepository`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def get(self, name: str) -> str | None:
        """The value, or None."""
        value: str | None = self._db.scalar(select(META.c.value).where(META.c.name == name))
        return value

    def set(self, name: str, value: str) -> None:
        """Set or replace the value."""
        statement = self._db.insert(META).values(name=name, value=value)
        self._db.run(
            statement.on_conflict_do_update(
                index_elements=[META.c.name], set_={"value": statement.excluded.value}
            )
        )
