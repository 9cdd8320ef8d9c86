"""What a database keeps of credentials' pages, of their holders, and of certificates' designs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from registry.encoding import Address
from registry.model.designs import StoredDesign
from registry.model.pages import CredentialPage, TokenKind, Visibility


class PageRepository(Protocol):
    """Pages, claim links and holders. Of tokens it knows their SHA-256 alone. `EntryRepository.erase` removes
    an award's page with its links."""

    def add(self, page: CredentialPage) -> None: ...

    def get(self, page_id: str) -> CredentialPage | None: ...

    def of_award(self, award_id: str) -> CredentialPage | None: ...

    def of_holder(self, holder: str) -> Sequence[CredentialPage]:
        """Oldest first."""
        ...

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

    def purge(self, now: datetime) -> None:
        """Forget links and tokens that have expired."""
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
