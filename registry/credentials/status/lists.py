"""Places in the status lists that this server publishes: names, sizes, and how places are given out.

A list has as many places as the specification asks for at least, and is used up to the half, so that a place
says nothing about when it was given out or how many were. A place is drawn at random among the free ones and
never given out twice. A list is published under one address for each purpose; a credential has the same place
in all of them. What is not done here: publishing (`registry.credentials.status.publishing`).

Source: Bitstring Status List 1.0, sections 2.1 (``BitstringStatusListEntry``) and 6.1 (length).
"""

from __future__ import annotations

import re
import secrets
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from registry.credentials.status.bitstring import MIN_ENTRIES
from registry.encoding import Address
from registry.model.status_lists import StatusList
from registry.ports.clock import Clock
from registry.ports.store import Unit

STATUS_LIST_PATH = "/status/{list_id}"
"""Below the server's address."""

LIST_ENTRIES = MIN_ENTRIES
USED_AT_MOST = LIST_ENTRIES // 2
"""Places of one list; the issuer's next credential begins another list."""

_DRAW_BYTES = 4


class Purpose(StrEnum):
    """What a published list says."""

    REVOCATION = "revocation"
    SUSPENSION = "suspension"


_PUBLIC_ID = re.compile(rf"([0-9a-f]{{32}})-({'|'.join(Purpose)})")


@dataclass(frozen=True, slots=True)
class StatusPlace:
    """A place that a credential was given.

    Attributes:
        list_id: the list's own id, as the store knows it.
        entries: for ``credentialStatus``, one for each purpose, each with an id.
    """

    list_id: str
    index: int
    entries: tuple[Mapping[str, Any], ...]


def public_id(list_id: str, purpose: Purpose) -> str:
    """The last segment of a published list's address."""
    return f"{list_id}-{purpose.value}"


def read_public_id(text: str) -> tuple[str, Purpose] | None:
    """Undo `public_id`; None for any other text."""
    match = _PUBLIC_ID.fullmatch(text)
    return None if match is None else (match[1], Purpose(match[2]))


def list_url(base: str, list_id: str, purpose: Purpose) -> str:
    """The address of a published list. ``base`` is the server's, without a slash at its end."""
    return base + STATUS_LIST_PATH.format(list_id=public_id(list_id, purpose))


def draw(taken: bytearray, count: int) -> list[int]:
    """Draw free places at random, uniformly, and mark them.

    Args:
        taken: a bit for each place; the number of places is a power of two and at most 2^32.

    Raises:
        ValueError: fewer than ``count`` places are free.
    """
    size = len(taken) * 8
    free = size - int.from_bytes(taken).bit_count()
    if count > free:
        raise ValueError("the list has not so many free places")
    drawn: list[int] = []
    while len(drawn) < count:
        wanted = count - len(drawn)
        # Twice as many, since up to half of them hit places that are taken.
        numbers = array("I", secrets.token_bytes(2 * wanted * _DRAW_BYTES))
        for number in numbers:
            place = number & (size - 1)
            mark = 0x80 >> (place & 7)
            if not taken[place >> 3] & mark:
                taken[place >> 3] |= mark
                drawn.append(place)
                if len(drawn) == count:
                    break
    return drawn


class StatusLists:
    """A `registry.credentials.awarding.StatusAssigner`."""

    def __init__(self, base_in: Callable[[Unit], str], clock: Clock) -> None:
        """``base_in`` gives the server's address, and raises `ConfigurationError` where it has none that
        lasts."""
        self._base_in = base_in
        self._clock = clock

    def assign(self, unit: Unit, issuer: Address, count: int) -> list[StatusPlace]:
        """Take ``count`` places of the issuer's lists for good, opening lists as they are needed. The queries
        are as many as lists.

        Raises:
            NotFoundError: no such issuer here.
            ConfigurationError: the server has no address of which a list's can be made.
        """
        base = self._base_in(unit)
        unit.issuers.lock(issuer)
        places: list[StatusPlace] = []
        while len(places) < count:
            chosen = unit.status_lists.with_room(issuer, USED_AT_MOST) or self._opened(unit, issuer)
            wanted = min(count - len(places), USED_AT_MOST - chosen.used)
            taken = bytearray(unit.status_lists.taken(chosen.id))
            indices = draw(taken, wanted)
            unit.status_lists.take(chosen.id, bytes(taken), chosen.used + wanted)
            urls = [(purpose, list_url(base, chosen.id, purpose)) for purpose in Purpose]
            places += [StatusPlace(chosen.id, index, _entries(urls, index)) for index in indices]
        return places

    def _opened(self, unit: Unit, issuer: Address) -> StatusList:
        made = StatusList(secrets.token_hex(16), issuer, LIST_ENTRIES, 0, self._clock.now())
        unit.status_lists.add(made)
        return made


def _entries(urls: list[tuple[Purpose, str]], index: int) -> tuple[Mapping[str, Any], ...]:
    return tuple(
        {
            "id": f"{url}#{index}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": purpose.value,
            "statusListIndex": str(index),
            "statusListCredential": url,
        }
        for purpose, url in urls
    )
