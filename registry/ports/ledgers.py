"""What examining credentials of other systems needs of EVM chains: a transaction, and what a contract says.

Unlike `registry.ports.chain` this knows no registry contract, and speaks of whatever chain is asked for by
its id. What cannot be looked at is `registry.errors.UnavailableSourceError`, whose message is a clause that
says what would settle the question; nothing is ever answered in its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from registry.encoding import Address


@dataclass(frozen=True, slots=True)
class LedgerTransaction:
    """A mined transaction that did not revert. ``input`` is its whole call data; ``at`` its block's time,
    UTC; ``to`` is None where it created a contract."""

    sender: Address
    to: Address | None
    input: bytes
    block_number: int
    at: datetime
    final: bool


class Ledgers(Protocol):
    """EVM chains by their chain id (EIP-155)."""

    def transaction(self, chain_id: int, transaction: bytes) -> LedgerTransaction | None:
        """A mined transaction by its hash (32 bytes); None when the chain does not have it, or it reverted.

        Raises:
            UnavailableSourceError: the chain is not configured, does not answer, or its nodes disagree.
        """
        ...

    def call(self, chain_id: int, to: Address, data: bytes) -> bytes:
        """What a contract answers at the newest block; empty when there is no contract, or it reverts.

        Raises:
            UnavailableSourceError: as above.
        """
        ...
