"""What the issuers' console keeps: sessions, and drafts of what an issuer is about to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from registry.encoding import Address, JsonValue

DRAFTS_KEPT = timedelta(days=1)
"""A draft holds what was uploaded, names and addresses too; so long it waits for its confirmation."""

DRAFTS_OF_A_KEY = 10
"""An older one goes when another is made."""


@dataclass(frozen=True, slots=True)
class ConsoleSession:
    """A browser that logged in with an API key. ``seen_at`` lags behind its last use by some minutes at
    most."""

    token_sha256: bytes
    key_id: str
    created_at: datetime
    seen_at: datetime


class DraftKind(StrEnum):
    """What a draft will become: a batch of awards, or a status request of that kind."""

    AWARDS = "awards"
    REVOCATION = "revocation"
    SUSPENSION = "suspension"
    REINSTATEMENT = "reinstatement"


@dataclass(frozen=True, slots=True)
class Draft:
    """Something that was looked at and waits for its confirmation, without its data.

    Attributes:
        id: 128 random bits; it names the draft, and as its Idempotency-Key what it becomes.
        key_id: the API key that made it; only its sessions see it.
        title: what it was made from, such as a file's name.
        summary: what was found when it was looked at; empty once it was carried out.
        made: what it became (`batch:<id>`, `request:<id>`), or None.
    """

    id: str
    issuer: Address
    key_id: str
    kind: DraftKind
    title: str
    summary: Mapping[str, JsonValue]
    created_at: datetime
    made: str | None = None
