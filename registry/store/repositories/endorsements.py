"""Whom endorsements are about."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from hashlib import sha256

from sqlalchemy import select

from registry.encoding import Address
from registry.model.batches import Batch
from registry.store.database import Database
from registry.store.rows import EndorsementRow, table
from registry.store.values import unique_chunks

ENDORSEMENTS = table(EndorsementRow)


class Endorsements:
    """`registry.ports.award_store.EndorsementRepository`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, batch: Batch, index: int, subject: str) -> None:
        """Note whom an entry's endorsement is about."""
        statement = self._db.insert(ENDORSEMENTS).values(
            batch_seq=batch.seq, entry_index=index, issuer=batch.issuer, subject_sha256=_digest(subject)
        )
        self._db.run(statement)

    def about(
        self, subjects: Collection[str], issuers: Collection[Address], limit: int
    ) -> Sequence[tuple[int, int]]:
        """Places of the newest endorsements of one of the subjects by one of the issuers."""
        named = [_digest(subject) for subject in subjects]
        found: list[tuple[int, int]] = []
        for chunk in unique_chunks(issuers):
            query = (
                select(ENDORSEMENTS.c.batch_seq, ENDORSEMENTS.c.entry_index)
                .where(ENDORSEMENTS.c.subject_sha256.in_(named), ENDORSEMENTS.c.issuer.in_(chunk))
                .order_by(ENDORSEMENTS.c.batch_seq.desc(), ENDORSEMENTS.c.entry_index.desc())
                .limit(limit)
            )
            found += [(seq, index) for seq, index in self._db.rows(query)]
        return sorted(found, reverse=True)[:limit]


def _digest(subject: str) -> bytes:
    return sha256(subject.encode()).digest()
