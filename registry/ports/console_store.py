"""What a database keeps of the issuers' console: sessions and drafts. The rules of `registry.ports.store`
hold here too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from registry.encoding import Address, Digest
from registry.model.console import ConsoleSession, Draft


class ConsoleRepository(Protocol):
    """Sessions, of whose tokens it knows the SHA-256 alone, and drafts."""

    def add_session(self, session: ConsoleSession, *, keep: int) -> None:
        """Store a session; of its key's others the ``keep`` - 1 newest stay."""
        ...

    def session(self, token_sha256: bytes) -> ConsoleSession | None: ...

    def touch_session(self, token_sha256: bytes, at: datetime) -> None:
        """Say that a session was used; nothing happens when it has ended."""
        ...

    def end_session(self, token_sha256: bytes) -> bool:
        """False when there was none."""
        ...

    def add_draft(self, draft: Draft, data: bytes, *, keep: int) -> None:
        """Store a draft; of its key's others that became nothing the ``keep`` - 1 newest stay."""
        ...

    def draft(self, draft_id: str) -> Draft | None: ...

    def draft_data(self, draft_id: str) -> bytes:
        """What it is made of; empty once it was carried out."""
        ...

    def drafts_of(self, key_id: str, limit: int) -> Sequence[Draft]:
        """Those that became nothing yet, newest first."""
        ...

    def finish_draft(self, draft_id: str, made: str) -> None:
        """Remember what it became, and forget its data, title and summary."""
        ...

    def remove_draft(self, draft_id: str) -> None: ...

    def forget(self, issuer: Address, digest: Digest) -> None:
        """Remove the issuer's drafts whose data hold a digest that is erased."""
        ...

    def purge(self, sessions_before: datetime, unused_since: datetime, drafts_before: datetime) -> None:
        """Remove sessions that began before a time or were not used since another, and older drafts."""
        ...
