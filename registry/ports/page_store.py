"""What a database keeps of credentials' pages, of their holders, and of certificates' designs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from registry.encoding import Address
from registry.model.designs import StoredDesign
from registry.model.pages import CredentialPage, TokenKind, Visibility
from registry.model.shares import Share


class PageRepository(Protocol):
    """Pages, claim links and holders. Of tokens it knows their SHA-256 alone. `EntryRepository.erase` removes
    an award's page with its links."""

    def add(self, page: CredentialPage) -> None: ...

    def get(self, page_id: str) -> CredentialPage | None: ...

    def of_award(self, award_id: str) -> CredentialPage | None: ...

    def by_ids(self, page_ids: Collection[str]) -> Sequence[CredentialPage]:
        """Those that exist, in no order."""
        ...

    def of_holder(
        self, holder: str, *, before: tuple[datetime, str] | None = None, limit: int | None = None
    ) -> Sequence[CredentialPage]:
        """Newest first: by (created at, id) downwards, less than ``before``."""
        ...

    def count_of_holder(self, holder: str) -> int: ...

    def change(self, page_id: str, visibility: Visibility, show_name: bool) -> None: ...

    def add_link(self, token_sha256: bytes, page_id: str, created_at: datetime, expires_at: datetime) -> None:
        """A claim link of a page, in the place of those that were not used."""
        ...

    def linked(self, token_sha256: bytes, now: datetime) -> CredentialPage | None:
        """The page of a claim link that is unused and in force."""
        ...

    def claim(self, token_sha256: bytes, now: datetime, holder: str) -> CredentialPage | None:
        """Use a claim link up, and give its page to a holder; None where `linked` is None. Of two at the same
        time one succeeds."""
        ...

    def add_holder(self, holder: str, created_at: datetime) -> None: ...

    def add_token(
        self,
        token_sha256: bytes,
        holder: str,
        kind: TokenKind,
        created_at: datetime,
        expires_at: datetime | None,
    ) -> None:
        """A token of a holder; a return link takes the place of the one before."""
        ...

    def holder_of(self, token_sha256: bytes, kind: TokenKind, now: datetime) -> str | None:
        """The holder of a token of that kind that is in force."""
        ...

    def remove_token(self, token_sha256: bytes) -> None: ...

    def remove_sessions(self, holder: str, *, keep: bytes) -> None:
        """Forget the holder's sessions but one."""
        ...

    def remove_holder(self, holder: str) -> None:
        """Forget a holder with all tokens and shares. Pages that are still there belong to nobody."""
        ...

    def purge(self, now: datetime) -> None:
        """Forget links and tokens that have expired."""
        ...


class ShareRepository(Protocol):
    """Holders' shares. `EntryRepository.erase` takes an erased award's page out of them,
    `PageRepository.remove_holder` removes a holder's."""

    def add(self, share: Share) -> None: ...

    def get(self, share_id: str, now: datetime) -> Share | None:
        """The share, if it is in force."""
        ...

    def of_holder(self, holder: str, now: datetime) -> Sequence[Share]:
        """Those in force, newest first."""
        ...

    def remove(self, holder: str, share_id: str) -> bool:
        """End a share. False when the holder has none of that id."""
        ...

    def purge(self, now: datetime) -> None:
        """Forget those that have expired."""
        ...


class DesignRepository(Protocol):
    """How issuers' certificates look."""

    def get(self, issuer: Address) -> StoredDesign | None: ...

    def put(self, issuer: Address, document: str) -> None:
        """Set all but the logo, which stays."""
        ...

    def put_logo(self, issuer: Address, logo_type: str | None, logo: bytes | None) -> None:
        """Set or remove the logo of a design that is there."""
        ...
