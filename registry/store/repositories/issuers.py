"""Issuers, API keys and the access log."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row as ResultRow
from sqlalchemy import bindparam, insert, or_, select, update

from registry.encoding import Address
from registry.errors import ConflictError, NotFoundError
from registry.model.issuers import AccessRecord, ApiKey, Issuer, IssuerState, Scope
from registry.store.database import Database
from registry.store.prepared import Prepared
from registry.store.rows import AccessRow, ApiKeyRow, IssuerRow, table
from registry.store.values import instant, maybe_instant, maybe_micros, micros, unique_chunks

ISSUERS = table(IssuerRow)
KEYS = table(ApiKeyRow)
LOG = table(AccessRow)


_BY_ADDRESS = Prepared(select(ISSUERS).where(ISSUERS.c.address == bindparam("address")))
_BY_TOKEN = Prepared(select(KEYS).where(KEYS.c.token_sha256 == bindparam("token")))


def _issuer(row: ResultRow[Any]) -> Issuer:
    return Issuer(
        address=Address(row.address),
        name=row.name,
        url=row.url,
        state=IssuerState(row.state),
        key=Address(row.key),
        hosted_admin=bool(row.hosted_admin),
        created_at=instant(row.created_at),
        email=row.email,
    )


def _key(row: ResultRow[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        issuer=Address(row.issuer),
        label=row.label,
        scopes=frozenset(Scope(name) for name in row.scopes.split()),
        created_at=instant(row.created_at),
        expires_at=maybe_instant(row.expires_at),
        revoked_at=maybe_instant(row.revoked_at),
    )


def _record(row: ResultRow[Any]) -> AccessRecord:
    return AccessRecord(
        id=row.id,
        at=instant(row.at),
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        detail=row.detail,
    )


class Issuers:
    """`registry.ports.store.IssuerRepository`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, issuer: Issuer) -> None:
        """Raises `ConflictError` when the address is taken."""
        statement = (
            self._db.insert(ISSUERS)
            .values(
                address=issuer.address,
                name=issuer.name,
                url=issuer.url,
                state=issuer.state.value,
                key=issuer.key,
                hosted_admin=issuer.hosted_admin,
                created_at=micros(issuer.created_at),
                email=issuer.email,
            )
            .on_conflict_do_nothing()
        )
        if self._db.run(statement) == 0:
            raise ConflictError("there is already an issuer with this address")

    def get(self, address: Address) -> Issuer | None:
        """The issuer, or None."""
        rows = self._db.fetch(_BY_ADDRESS, address=address)
        return _issuer(rows[0]) if rows else None

    def by_addresses(self, addresses: Collection[Address]) -> Mapping[Address, Issuer]:
        """Those that exist."""
        found: dict[Address, Issuer] = {}
        for chunk in unique_chunks(addresses):
            for row in self._db.rows(select(ISSUERS).where(ISSUERS.c.address.in_(chunk))):
                issuer = _issuer(row)
                found[issuer.address] = issuer
        return found

    def page(self, after: Address | None, limit: int) -> Sequence[Issuer]:
        """In order of address."""
        query = select(ISSUERS).order_by(ISSUERS.c.address).limit(limit)
        if after is not None:
            query = query.where(ISSUERS.c.address > after)
        return [_issuer(row) for row in self._db.rows(query)]

    def set_state(self, address: Address, state: IssuerState) -> None:
        """Raises `NotFoundError`."""
        self._db.must(
            update(ISSUERS).where(ISSUERS.c.address == address).values(state=state.value), "the issuer"
        )

    def set_key(self, address: Address, key: Address) -> None:
        """Let another operating key sign for the issuer from now on. Raises `NotFoundError`."""
        self._db.must(update(ISSUERS).where(ISSUERS.c.address == address).values(key=key), "the issuer")

    def lock(self, address: Address) -> None:
        """Hold the issuer's row until the unit ends. On SQLite a writing unit holds the whole database
        anyway.

        Raises `NotFoundError`.
        """
        query = select(ISSUERS.c.address).where(ISSUERS.c.address == address)
        if self._db.first_locked(query) is None:
            raise NotFoundError("the issuer does not exist")


class Access:
    """`registry.ports.store.AccessRepository`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add_key(self, key: ApiKey, token_sha256: bytes) -> None:
        """Raises `ConflictError` when id or token exist."""
        statement = (
            self._db.insert(KEYS)
            .values(
                id=key.id,
                issuer=key.issuer,
                token_sha256=token_sha256,
                label=key.label,
                scopes=" ".join(sorted(key.scopes)),
                created_at=micros(key.created_at),
                expires_at=maybe_micros(key.expires_at),
                revoked_at=maybe_micros(key.revoked_at),
            )
            .on_conflict_do_nothing()
        )
        if self._db.run(statement) == 0:
            raise ConflictError("there is already such an API key")

    def key_by_token(self, token_sha256: bytes) -> ApiKey | None:
        """Expired and revoked keys too; the service decides."""
        rows = self._db.fetch(_BY_TOKEN, token=token_sha256)
        return _key(rows[0]) if rows else None

    def key(self, key_id: str) -> ApiKey | None:
        """Expired and revoked keys too."""
        row = self._db.first(select(KEYS).where(KEYS.c.id == key_id))
        return None if row is None else _key(row)

    def keys_of(self, issuer: Address) -> Sequence[ApiKey]:
        """Oldest first."""
        query = select(KEYS).where(KEYS.c.issuer == issuer).order_by(KEYS.c.created_at, KEYS.c.id)
        return [_key(row) for row in self._db.rows(query)]

    def revoke_key(self, issuer: Address, key_id: str, at: datetime) -> bool:
        """False when the issuer has no such key. A key that was revoked before keeps its first time."""
        mine = (KEYS.c.issuer == issuer) & (KEYS.c.id == key_id)
        statement = update(KEYS).where(mine, KEYS.c.revoked_at.is_(None)).values(revoked_at=micros(at))
        if self._db.run(statement) > 0:
            return True
        return self._db.first(select(KEYS.c.id).where(mine)) is not None

    def log(self, at: datetime, actor: str, action: str, subject: str, detail: str) -> None:
        """Append a line."""
        self._db.run(
            insert(LOG).values(at=micros(at), actor=actor, action=action, subject=subject, detail=detail)
        )

    def records(self, after: int, limit: int) -> Sequence[AccessRecord]:
        """Oldest first, ``id`` greater than ``after``."""
        query = select(LOG).where(LOG.c.id > after).order_by(LOG.c.id).limit(limit)
        return [_record(row) for row in self._db.rows(query)]

    def records_about(self, subject: str, actions: Collection[str], limit: int) -> Sequence[AccessRecord]:
        """Newest first: of these actions, those about ``subject`` or something below it."""
        about = or_(LOG.c.subject == subject, LOG.c.subject.startswith(f"{subject}/", autoescape=True))
        query = select(LOG).where(about, LOG.c.action.in_(actions)).order_by(LOG.c.id.desc()).limit(limit)
        return [_record(row) for row in self._db.rows(query)]
