"""Achievements (what can be earned) and awards (who earned it, in which entry of which batch)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from registry.encoding import Address, JsonValue
from registry.model.batches import BatchState


@dataclass(frozen=True, slots=True)
class Achievement:
    """One version of an achievement; versions count from 1 and are never changed.

    Attributes:
        id: `urn:uuid:` and a random UUID, the same for all versions.
        document: its members as the API shows them (snake_case), checked and complete.
        created_at: when this version was stored.
    """

    issuer: Address
    id: str
    version: int
    document: Mapping[str, JsonValue]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AchievementImage:
    """The uploaded picture of an achievement. ``media_type`` is `image/png` or `image/svg+xml`; ``sha256`` of
    ``data``; ``pixels`` is an SVG drawn as PNG, None for those uploaded before that was kept."""

    achievement_id: str
    media_type: str
    sha256: bytes
    created_at: datetime
    data: bytes
    pixels: bytes | None = None


class NewAward(NamedTuple):
    """An award on its way in, beside its entry; a tuple because a batch may have 100,000.

    Attributes:
        recipient: what the request said of the recipient.
        fingerprint: SHA-256 of the request's row, by which a repetition is known.
        status_list: id of the status list that holds its bits, when it has any; ``status_index`` too.
        supersedes: id of the award that this one replaces.
        credential_id: id of its credential, by which the list of revoked credentials names it.
    """

    id: str
    achievement_id: str
    achievement_version: int
    recipient: Mapping[str, JsonValue]
    fingerprint: bytes
    created_at: datetime
    status_list: str | None = None
    status_index: int | None = None
    supersedes: str | None = None
    credential_id: str | None = None


@dataclass(frozen=True, slots=True)
class AwardFilter:
    """Which awards; None leaves a question open. ``issued_from`` is inclusive, ``issued_before`` exclusive;
    both are about the credential's issue date."""

    achievement_id: str | None = None
    batch_seq: int | None = None
    batch_states: frozenset[BatchState] | None = None
    issued_from: datetime | None = None
    issued_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Award:
    """A stored award with what identifies its batch. An erased one has neither recipient nor fingerprint."""

    id: str
    issuer: Address
    batch_seq: int
    batch_id: str
    batch_state: BatchState
    index: int
    achievement_id: str
    achievement_version: int
    recipient: Mapping[str, JsonValue] | None
    fingerprint: bytes | None
    status_list: str | None
    status_index: int | None
    supersedes: str | None
    superseded_by: str | None
    created_at: datetime

    @property
    def is_erased(self) -> bool:
        """Whether what it said of its recipient was removed."""
        return self.recipient is None

    @property
    def recipient_name(self) -> str | None:
        """The recipient's name, where the issuer gave one."""
        name = (self.recipient or {}).get("name")
        return name if isinstance(name, str) else None
