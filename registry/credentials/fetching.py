"""Fetches documents from the hosts that the operator allowed, and from no other.

What a document may name is input, so an address is taken apart and checked before anything is looked up:
https at an allowed host and port alone, without user name; http for a loopback host that the operator listed.
A host's addresses are looked up once for each request, all of them have to be public (those of a listed
loopback host: loopback), and the connection goes to one of those that were checked, so that a second answer
of the name server cannot lead elsewhere. Redirects are followed to the same origin only. No proxy, no
environment, no cookies, no credentials, no content codings. Bounds: 5 seconds in all, 1 MiB, 3 redirects,
8 requests at once; what was fetched, or could not be, is remembered for a short while.

Source: RFC 9110, sections 9.3.1 and 15.4; the IANA special-purpose address registries (as `ipaddress` has
them).
"""

from __future__ import annotations

import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urljoin, urlsplit

import httpcore

from registry.credentials.own_documents import MAX_DOCUMENT_BYTES, shown_url
from registry.errors import UnavailableSourceError
from registry.net.addresses import Deadline, RefusedError, Resolve, is_loopback, is_public, looked_up
from registry.net.connections import pool, usual_authorities

SECONDS = 5.0
MAX_REDIRECTS = 3
MAX_URL_CHARACTERS = 2_048
AT_ONCE = 8
KEPT_SECONDS = 5.0
"""Shorter than what issuers allow for their status lists, since a list's own word is not looked at here."""

KEPT_FAILURES_SECONDS = 10.0
KEPT_DOCUMENTS = 64
_LOOPBACK = frozenset(("localhost", "127.0.0.1"))
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_PORTS = {"https": 443, "http": 80}
_ACCEPT = "application/vc+ld+json, application/did+json, application/ld+json, application/json, */*;q=0.5"


@dataclass(frozen=True, slots=True)
class _Origin:
    scheme: str
    host: str
    port: int

    @property
    def loopback(self) -> bool:
        return self.host in _LOOPBACK


@dataclass(frozen=True, slots=True)
class _Kept:
    """What came of a request, until when it is remembered."""

    until: float
    body: bytes
    refusal: str | None


class AllowedHosts:
    """`registry.credentials.sources.Documents` over HTTPS. Safe to call from several threads."""

    def __init__(
        self,
        hosts: Collection[str],
        *,
        resolve: Resolve | None = None,
        ssl_context: ssl.SSLContext | None = None,
        seconds: float = SECONDS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args:
        hosts: names, with ``:port`` where it is not 443; ``localhost`` and ``127.0.0.1`` may be listed too.
        resolve: else the system's resolver.
        ssl_context: else one that trusts the usual authorities, whatever the environment says.
        seconds: how long a request may take in all.
        """
        self._allowed = frozenset(host.lower() for host in hosts)
        self._resolve = resolve
        self._given_context = ssl_context
        self._seconds = seconds
        self._now = now
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(AT_ONCE)

    def get(self, url: str) -> bytes:
        """The document, at most 1 MiB. Raises `UnavailableSourceError`."""
        origin = self._origin(url)
        if origin is None:
            raise UnavailableSourceError(f"supply {shown_url(url)}, or allow its host")
        kept = self._remembered(url)
        if kept is None:
            kept = self._fetched(url, origin)
        if kept.refusal is not None:
            raise UnavailableSourceError(f"{shown_url(url)} {kept.refusal}; supply it, or try again later")
        return kept.body

    def _origin(self, url: str) -> _Origin | None:
        """Where an address leads, if that is allowed."""
        if len(url) > MAX_URL_CHARACTERS or not url.isascii() or not url.isprintable():
            return None
        if any(character in url for character in ' \\"<>^`{|}#'):
            return None
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return None
        if parts.scheme not in _PORTS or "@" in parts.netloc:
            return None
        origin = _Origin(parts.scheme, host, _PORTS[parts.scheme] if port is None else port)
        if origin.scheme == "http" and not origin.loopback:
            return None
        usual = origin.port == _PORTS[origin.scheme]
        listed = {f"{host}:{origin.port}"} | ({host} if usual else set())
        return origin if listed & self._allowed else None

    # --- remembering ----------------------------------------------------------------------------------------

    def _remembered(self, url: str) -> _Kept | None:
        with self._lock:
            kept = self._kept.get(url)
            if kept is not None and kept.until <= self._now():
                del self._kept[url]
                return None
            return kept

    def _fetched(self, url: str, origin: _Origin) -> _Kept:
        if not self._free.acquire(timeout=self._seconds):
            raise UnavailableSourceError(f"{shown_url(url)} was not fetched, since too many others are")
        try:
            body, refusal, seconds = self._fetch(url, origin), None, KEPT_SECONDS
        except RefusedError as error:
            body, refusal, seconds = b"", str(error), KEPT_FAILURES_SECONDS
        finally:
            self._free.release()
        kept = _Kept(self._now() + seconds, body, refusal)
        with self._lock:
            self._kept[url] = kept
            self._kept.move_to_end(url)
            if len(self._kept) > KEPT_DOCUMENTS:
                self._kept.popitem(last=False)
        return kept

    # --- fetching -------------------------------------------------------------------------------------------

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return self._given_context or usual_authorities()

    def _fetch(self, url: str, origin: _Origin) -> bytes:
        deadline = Deadline(self._seconds)
        addresses = self._addresses(origin, deadline)
        with pool(self._context, addresses, deadline) as connections:
            for _ in range(MAX_REDIRECTS + 1):
                body, location = _one(connections, url, deadline)
                if location is None:
                    return body
                url = urljoin(url, location)
                if self._origin(url) != origin:
                    raise RefusedError("redirects to another host, which is not followed")
        raise RefusedError("redirects too often")

    def _addresses(self, origin: _Origin, deadline: Deadline) -> Sequence[str]:
        allowed = is_loopback if origin.loopback else is_public
        return looked_up(self._resolve, origin.host, origin.port, deadline, may_connect=allowed)


def _one(pool: httpcore.ConnectionPool, url: str, deadline: Deadline) -> tuple[bytes, str | None]:
    """A document, or where it is redirected to."""
    headers = [("Accept", _ACCEPT), ("Accept-Encoding", "identity"), ("User-Agent", "rootmark")]
    limits = {"timeout": {"pool": deadline.left()}}
    try:
        with pool.stream("GET", url, headers=headers, extensions=limits) as got:
            fields = {name.lower(): value for name, value in got.headers}
            if got.status in _REDIRECTS:
                return b"", fields.get(b"location", b"").decode("latin-1")
            if got.status != 200:
                raise RefusedError(f"answers with status {got.status}")
            if fields.get(b"content-encoding", b"identity") != b"identity":
                raise RefusedError("comes in a content coding that was not asked for")
            return _read(got.iter_stream(), deadline), None
    except (httpcore.TimeoutException, TimeoutError) as error:
        raise RefusedError("took too long") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, OSError) as error:
        raise RefusedError("could not be fetched") from error


def _read(pieces: Iterable[bytes], deadline: Deadline) -> bytes:
    body = bytearray()
    for piece in pieces:
        deadline.left()
        body += piece
        if len(body) > MAX_DOCUMENT_BYTES:
            raise RefusedError(f"is larger than {MAX_DOCUMENT_BYTES} bytes")
    return bytes(body)
