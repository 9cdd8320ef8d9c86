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

from registry.encoding import Address
from registry.ports.documents import Canonicalizer


class Documents(Protocol):
    """Other documents by their address: DID documents, issuer profiles, status lists, key sets."""

    def get(self, url: str) -> bytes:
        """The document's bytes, at most 1 MiB. Raises `UnavailableSourceError`."""
        ...


@dataclass(frozen=True, slots=True)
class LedgerTransaction:
    """A mined transaction of another chain. ``input`` is its whole call data; ``at`` its block's time."""

    sender: Address
    to: Address | None
    input: bytes
    block_number: int
    at: datetime
    final: bool


class Ledgers(Protocol):
    """EVM chains by their chain id."""

    def transaction(self, chain_id: int, transaction: bytes) -> LedgerTransaction | None:
        """A mined transaction; None when the chain does not have it. Raises `UnavailableSourceError` for a
        chain that is not configured or does not answer."""
        ...

    def call(self, chain_id: int, to: Address, data: bytes) -> bytes:
        """What a contract answers at the newest block; empty when there is no contract, or it reverts. Raises
        `UnavailableSourceError` as above."""
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
