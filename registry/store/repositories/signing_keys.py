"""The keys that sign credentials."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row as ResultRow
from sqlalchemy import select, update

from registry.encoding import Address
from registry.errors import ConflictError
from registry.model.signing_keys import SigningKey, SigningKeyKind
from registry.store.database import Database
from registry.store.rows import SigningKeyRow, table
from registry.store.values import instant, maybe_instant, maybe_micros, micros

KEYS = table(SigningKeyRow)


def _key(row: ResultRow[Any]) -> SigningKey:
    return SigningKey(
        issuer=Address(row.issuer),
        public_key=row.public_key,
        kind=SigningKeyKind(row.kind),
        created_at=instant(row.created_at),
        retired_at=maybe_instant(row.retired_at),
    )


class SigningKeys:
    """`registry.ports.credential_store.SigningKeyRepository`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, key: SigningKey) -> None:
        """Raises `ConflictError` when the key is known, or the issuer has a current one of its kind."""
        statement = (
            self._db.insert(KEYS)
            .values(
                issuer=key.issuer,
                public_key=key.public_key,
                kind=key.kind.value,
                created_at=micros(key.created_at),
                retired_at=maybe_micros(key.retired_at),
            )
            .on_conflict_do_nothing()
        )
        if self._db.run(statement) == 0:
            raise ConflictError("there is already such a signing key")

    def current(self, issuer: Address, kind: SigningKeyKind) -> SigningKey | None:
        """The one that signs now."""
        row = self._db.first(select(KEYS).where(*_current(issuer, kind)))
        return None if row is None else _key(row)

    def of_issuer(self, issuer: Address) -> Sequence[SigningKey]:
        """Retired ones too, in the order they were added."""
        query = select(KEYS).where(KEYS.c.issuer == issuer).order_by(KEYS.c.id)
        return [_key(row) for row in self._db.rows(query)]

    def retire(self, issuer: Address, kind: SigningKeyKind, at: datetime) -> bool:
        """End the current key's turn; False when there is none."""
        statement = update(KEYS).where(*_current(issuer, kind)).values(retired_at=micros(at))
        return self._db.run(statement) > 0

    def issuers(self) -> Sequence[Address]:
        """Everyone who has a key, in order of address."""
        query = select(KEYS.c.issuer).distinct().order_by(KEYS.c.issuer)
        return [Address(row.issuer) for row in self._db.rows(query)]


def _current(issuer: Address, kind: SigningKeyKind) -> tuple[Any, ...]:
    return (KEYS.c.issuer == issuer, KEYS.c.kind == kind.value, KEYS.c.retired_at.is_(None))
