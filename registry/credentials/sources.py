"""What an examiner may ask for beyond the document: other documents, keys' owners, other ledgers, the time.

Nothing here is fetched because a document says so: a source answers from what the caller supplied, from this
server's own documents, and from hosts that the operator allowed; everything else is
`registry.errors.UnavailableSourceError`, whose message says what would settle the question, such as "supply
https://… or allow its host".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from registry.ports.documents import Canonicalizer
from registry.ports.ledgers import Ledgers, LedgerTransaction

__all__ = ["Documents", "LedgerTransaction", "Ledgers", "Tools"]


class Documents(Protocol):
    """Other documents by their address: DID documents, issuer profiles, status lists, key sets."""

    def get(self, url: str) -> bytes:
        """The document's bytes, at most 1 MiB. Raises `UnavailableSourceError`."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What an examination may use.

    Attributes:
        supplied: documents that the caller sent along, by address; `documents` answers from them first.
        purpose: what a proof must have been made for.
        challenge, domain: what a proof must carry, for presentations.
    """

    canonicalizer: Canonicalizer
    documents: Documents
    ledgers: Ledgers
    now: datetime
    supplied: Mapping[str, bytes]
    purpose: str = "assertionMethod"
    challenge: str | None = None
    domain: str | None = None
