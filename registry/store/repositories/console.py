"""The issuers' console: sessions and drafts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row as ResultRow
from sqlalchemy import Table, delete, or_, select, update

from registry.encoding import Address, Digest
from registry.model.console import ConsoleSession, Draft, DraftKind
from registry.store.database import Database
from registry.store.rows import ConsoleDraftRow, ConsoleSessionRow, table
from registry.store.values import instant, micros

SESSIONS = table(ConsoleSessionRow)
DRAFTS = table(ConsoleDraftRow)

_SHOWN = select(*(column for column in DRAFTS.c if column.name != "data"))
_DIGEST_BYTES = 32


def _draft(row: ResultRow[Any]) -> Draft:
    return Draft(
        id=row.id,
        issuer=Address(row.issuer),
        key_id=row.key_id,
        kind=DraftKind(row.kind),
        title=row.title,
        summary=json.loads(row.summary),
        created_at=instant(row.created_at),
        made=row.made,
    )


class Console:
    """`registry.ports.console_store.ConsoleRepository`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # --- sessions -------------------------------------------------------------------------------------------

    def add_session(self, session: ConsoleSession, *, keep: int) -> None:
        """Store a session; of its key's others the ``keep`` - 1 newest stay."""
        self._db.run(
            self._db.insert(SESSIONS).values(
                token_sha256=session.token_sha256,
                key_id=session.key_id,
                created_at=micros(session.created_at),
                seen_at=micros(session.seen_at),
            )
        )
        self._trim(SESSIONS, SESSIONS.c.token_sha256, SESSIONS.c.key_id == session.key_id, keep)

    def _trim(self, rows: Table, name: Any, mine: Any, keep: int) -> None:
        older = select(name).where(mine).order_by(rows.c.created_at.desc(), name).offset(keep)
        names = [row[0] for row in self._db.rows(older)]
        if names:
            self._db.run(delete(rows).where(name.in_(names)))

    def session(self, token_sha256: bytes) -> ConsoleSession | None:
        """The session, or None; the service decides whether it is over."""
        row = self._db.first(select(SESSIONS).where(SESSIONS.c.token_sha256 == token_sha256))
        if row is None:
            return None
        return ConsoleSession(
            bytes(row.token_sha256), row.key_id, instant(row.created_at), instant(row.seen_at)
        )

    def touch_session(self, token_sha256: bytes, at: datetime) -> None:
        """Say that a session was used; nothing happens when it has ended."""
        self._db.run(
            update(SESSIONS).where(SESSIONS.c.token_sha256 == token_sha256).values(seen_at=micros(at))
        )

    def end_session(self, token_sha256: bytes) -> bool:
        """False when there was none."""
        return self._db.run(delete(SESSIONS).where(SESSIONS.c.token_sha256 == token_sha256)) > 0

    # --- drafts ---------------------------------------------------------------------------------------------

    def add_draft(self, draft: Draft, data: bytes, *, keep: int) -> None:
        """Store a draft; of its key's others that became nothing the ``keep`` - 1 newest stay."""
        self._db.run(
            self._db.insert(DRAFTS).values(
                id=draft.id,
                issuer=draft.issuer,
                key_id=draft.key_id,
                kind=draft.kind.value,
                title=draft.title,
                summary=json.dumps(draft.summary, separators=(",", ":")),
                created_at=micros(draft.created_at),
                made=draft.made,
                data=data,
            )
        )
        mine = (DRAFTS.c.key_id == draft.key_id) & DRAFTS.c.made.is_(None)
        self._trim(DRAFTS, DRAFTS.c.id, mine, keep)

    def draft(self, draft_id: str) -> Draft | None:
        """The draft, or None."""
        row = self._db.first(_SHOWN.where(DRAFTS.c.id == draft_id))
        return None if row is None else _draft(row)

    def draft_data(self, draft_id: str) -> bytes:
        """What it is made of; empty once it was carried out, or is gone."""
        return bytes(self._db.scalar(select(DRAFTS.c.data).where(DRAFTS.c.id == draft_id)) or b"")

    def drafts_of(self, key_id: str, limit: int) -> Sequence[Draft]:
        """Those that became nothing yet, newest first."""
        query = (
            _SHOWN.where(DRAFTS.c.key_id == key_id, DRAFTS.c.made.is_(None))
            .order_by(DRAFTS.c.created_at.desc(), DRAFTS.c.id)
            .limit(limit)
        )
        return [_draft(row) for row in self._db.rows(query)]

    def finish_draft(self, draft_id: str, made: str) -> None:
        """Remember what it became, and forget its data, title and summary."""
        self._db.run(
            update(DRAFTS).where(DRAFTS.c.id == draft_id).values(made=made, data=b"", title="", summary="{}")
        )

    def remove_draft(self, draft_id: str) -> None:
        """Nothing happens when there is none."""
        self._db.run(delete(DRAFTS).where(DRAFTS.c.id == draft_id))

    def forget(self, issuer: Address, digest: Digest) -> None:
        """Remove the issuer's drafts whose data hold a digest that is erased; drafts are few."""
        changes = (DRAFTS.c.issuer == issuer, DRAFTS.c.kind != DraftKind.AWARDS.value)
        for row in self._db.rows(select(DRAFTS.c.id, DRAFTS.c.data).where(*changes)):
            data = bytes(row.data)
            starts = range(0, len(data), _DIGEST_BYTES)
            if any(data[at : at + _DIGEST_BYTES] == digest for at in starts):
                self.remove_draft(row.id)

    # --- both -----------------------------------------------------------------------------------------------

    def purge(self, sessions_before: datetime, unused_since: datetime, drafts_before: datetime) -> None:
        """Remove sessions that began before a time or were not used since another, and older drafts."""
        over = or_(SESSIONS.c.created_at < micros(sessions_before), SESSIONS.c.seen_at < micros(unused_since))
        self._db.run(delete(SESSIONS).where(over))
        self._db.run(delete(DRAFTS).where(DRAFTS.c.created_at < micros(drafts_before)))
