"""Status lists that this server publishes, and who stands where in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from registry.encoding import Address


@dataclass(frozen=True, slots=True)
class StatusList:
    """A row of places, each for one credential. It is published once for each purpose, so a credential has
    the same index in all of them.

    Attributes:
        id: 128 random bits in hexadecimal digits.
        size: how many places there are, a multiple of 8.
        used: how many are given out.
    """

    id: str
    issuer: Address
    size: int
    used: int
    created_at: datetime


class AwardMark(NamedTuple):
    """An award that something on chain concerns; a tuple because a withdrawal may concern 100,000.

    Attributes:
        batch_seq, entry_index: the entry by which it was found: its own, or one with the same digest.
        credential_id: None where none was noted.
        status_index: its place in its status list; None when it has none.
    """

    batch_seq: int
    entry_index: int
    credential_id: str | None
    status_index: int | None
