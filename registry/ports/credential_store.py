"""What the credentials package needs from a store, as further repositories of a unit of work.

The rules are those of `registry.ports.store`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from registry.encoding import Address
from registry.model.signing_keys import SigningKey, SigningKeyKind


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
