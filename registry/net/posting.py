"""Sends messages to addresses that issuers gave.

An address is https at a host whose addresses, looked up for each message, are all public. The operator may
list further hosts, which may be private ones and may be spoken to without TLS. Redirects are not followed
(Standard Webhooks, "Webhook delivery"). Of an answer its status and Retry-After are read and nothing else, so
that nobody reads through a webhook what this server can reach. Bounds: 15 seconds in all, 2,048 characters of
an address.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

import httpcore

from registry.errors import Fault, ValidationError
from registry.model.webhooks import MAX_URL_CHARACTERS
from registry.net.addresses import Deadline, RefusedError, Resolve, is_public, is_single, looked_up
from registry.net.connections import pool, usual_authorities
from registry.ports.webhooks import Posted

SECONDS = 15.0
_MAX_RETRY_AFTER = 10**6
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class _Target:
    host: str
    port: int
    listed: bool


class Posting:
    """`registry.ports.webhooks.Post`. Safe to call from several threads."""

    def __init__(
        self,
        private_hosts: Collection[str],
        *,
        resolve: Resolve | None = None,
        ssl_context: ssl.SSLContext | None = None,
        seconds: float = SECONDS,
    ) -> None:
        """Args:
        private_hosts: names that may have any address, with ``:port`` where it is not the scheme's.
        resolve: else the system's resolver.
        ssl_context: else one that trusts the usual authorities.
        """
        self._listed = frozenset(host.lower() for host in private_hosts)
        self._resolve = resolve
        self._given_context = ssl_context
        self._seconds = seconds

    def check(self, url: str) -> None:
        """Raises `ValidationError` for an address that nothing will ever be sent to."""
        self._target(url)

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Posted:
        """Send once; what went wrong is told, not raised."""
        try:
            target = self._target(url)
            deadline = Deadline(self._seconds)
            allowed = is_single if target.listed else is_public
            found = looked_up(self._resolve, target.host, target.port, deadline, may_connect=allowed)
            with pool(self._context, found, deadline) as connections:
                limits = {"timeout": {"pool": deadline.left()}}
                sent = [*headers.items(), ("Content-Length", str(len(body)))]
                with connections.stream("POST", url, headers=sent, content=body, extensions=limits) as got:
                    return Posted(got.status, _retry_after(got.headers))
        except ValidationError as error:
            return Posted(None, trouble=str(error))
        except RefusedError as error:
            return Posted(None, trouble=f"the address {error}")
        except (httpcore.TimeoutException, TimeoutError):
            return Posted(None, trouble="the address took too long")
        except ssl.SSLError:
            return Posted(None, trouble="the address has no certificate that is trusted")
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            if "CERTIFICATE" in str(error):
                return Posted(None, trouble="the address has no certificate that is trusted")
            return Posted(None, trouble="the address could not be reached, or does not speak HTTP")

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return self._given_context or usual_authorities()

    def _target(self, url: str) -> _Target:
        if len(url) > MAX_URL_CHARACTERS or not url.isascii() or not url.isprintable():
            raise _fault("an address has up to 2,048 printable ASCII characters")
        if any(character in url for character in ' \\"<>^`{|}#'):
            raise _fault("an address has no blanks, fragments or characters that are to be percent-encoded")
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").rstrip("."), parts.port
        except ValueError as error:
            raise _fault("an address is written as https://host/path") from error
        if parts.scheme not in _PORTS or not host:
            raise _fault("an address is written as https://host/path")
        if "@" in parts.netloc:
            raise _fault("an address has no user name; a secret belongs into its path or query")
        usual = port in (None, _PORTS[parts.scheme])
        number = _PORTS[parts.scheme] if port is None else port
        listed = f"{host}:{number}" in self._listed or (usual and host in self._listed)
        if not listed:
            if parts.scheme != "https":
                raise _fault("an address begins with https://")
            if host == "localhost" or host.endswith(".localhost") or not _may_be_public(host):
                raise _fault("the address's host is not a public one")
        return _Target(host, number, listed)


def _may_be_public(host: str) -> bool:
    """False for the address of a machine that is not public; names are looked up later."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return not host.replace(".", "").isdecimal()  # other spellings of an IPv4 address
    return is_public(host)


def _retry_after(headers: Collection[tuple[bytes, bytes]]) -> int | None:
    """Seconds (RFC 9110, section 10.2.3); a date is left out."""
    for name, value in headers:
        if name.lower() == b"retry-after" and value.isdigit() and len(value) < 10:
            return min(int(value), _MAX_RETRY_AFTER)
    return None


def _fault(detail: str) -> ValidationError:
    return ValidationError(detail, faults=[Fault("url", detail, pointer="/url")])
