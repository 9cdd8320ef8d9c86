"""What the credentials package needs from a store, as further repositories of a unit of work.

The rules are those of `registry.ports.store`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from registry.encoding import Address
from registry.model.signing_keys import SigningKey, SigningKeyKind
from registry.model.status_lists import StatusList


class SigningKeyRepository(Protocol):
    """Public halves of the keys that sign credentials. An issuer has at most one of a kind that is not
    retired."""

    def add(self, key: SigningKey) -> None:
        """Raises `ConflictError` when the key is known, or the issuer has a current one of its kind."""
        ...

    def current(self, issuer: Address, kind: SigningKeyKind) -> SigningKey | None:
        """The one that signs now."""
        ...

    def of_issuer(self, issuer: Address) -> Sequence[SigningKey]:
        """Retired ones too, in the order they were added."""
        ...

    def retire(self, issuer: Address, kind: SigningKeyKind, at: datetime) -> bool:
        """End the current key's turn; False when there is none."""
        ...

    def issuers(self) -> Sequence[Address]:
        """Everyone who has a key, in order of address."""
        ...


class StatusListRepository(Protocol):
    """Status lists with the places that are given out. Lists are never removed, places never given back."""

    def add(self, made: StatusList) -> None:
        """A new list, all of whose places are free."""
        ...

    def get(self, list_id: str) -> StatusList | None: ...

    def of_issuer(self, issuer: Address) -> Sequence[StatusList]:
        """The fullest first."""
        ...

    def with_room(self, issuer: Address, below: int) -> StatusList | None:
        """The fullest of the issuer's lists with fewer than ``below`` places given out."""
        ...

    def taken(self, list_id: str) -> bytes:
        """A bit for each place that is given out, the first place in the highest bit of the first byte; the
        row stays locked until the unit ends."""
        ...

    def take(self, list_id: str, taken: bytes, used: int) -> None:
        """Replaces what `taken` returned."""
        ...
