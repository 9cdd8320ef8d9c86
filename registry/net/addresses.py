"""From a host's name to addresses that may be connected to.

A name is looked up once for a request and all its addresses have to pass; the connection then goes to one of
those (`registry.net.connections`), so that a second answer of the name server cannot lead elsewhere.

Source: the IANA special-purpose address registries, as `ipaddress` has them.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence

Resolve = Callable[[str, int], Iterable[str]]
"""A host's addresses, as texts. Raises OSError."""


class RefusedError(Exception):
    """Nothing was sent there, or nothing came back. The text is a clause that goes on from the address."""


class Deadline:
    """A moment after which nothing is waited for."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds. Raises `RefusedError` when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise RefusedError("took too long")
        return left


def looked_up(
    resolve: Resolve | None,
    host: str,
    port: int,
    deadline: Deadline,
    *,
    may_connect: Callable[[str], bool],
) -> Sequence[str]:
    """A host's addresses, each of which ``may_connect`` allows.

    Args:
        resolve: else the system's resolver.

    Raises:
        RefusedError: there is none, one is not allowed, or it takes too long.
    """
    found = _resolved(resolve or _system_resolver, host, port, deadline)
    if not found:
        raise RefusedError("is at a host that has no address")
    if not all(may_connect(address) for address in found):
        raise RefusedError("is at a host with an address that is not public")
    return found


def is_public(text: str) -> bool:
    """Whether an address is one of the public internet's."""
    address = _parsed(text)
    return address is not None and address.is_global and not address.is_multicast


def is_loopback(text: str) -> bool:
    """Whether an address is this machine's own."""
    address = _parsed(text)
    return address is not None and address.is_loopback


def is_single(text: str) -> bool:
    """Whether an address is one machine's, public or not."""
    address = _parsed(text)
    return address is not None and not address.is_multicast and not address.is_unspecified


_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """None for what leads on to an IPv4 address that may be anything, and for what is no address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.scope_id is not None:
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None or address.teredo is not None or address in _TRANSLATED:
        return None
    return address


def _system_resolver(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _resolved(resolve: Resolve, host: str, port: int, deadline: Deadline) -> list[str]:
    """In a thread, since a look-up cannot be broken off."""
    answers: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(list(resolve(host, port)))
        except (OSError, UnicodeError) as error:
            answers.put(OSError(str(error)))

    threading.Thread(target=look_up, name="look-up", daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.left())
    except queue.Empty as error:
        raise RefusedError("took too long") from error
    if isinstance(answer, OSError):
        raise RefusedError("is at a host that cannot be looked up") from answer
    return answer
