"""How much a caller may ask for: token buckets in memory, a wider one for a key that is in force.

An address has one share for all requests without a key and with wrong keys, so inventing keys gains nothing.
Only a key that was found in force has a bucket of its own; that finding is kept for a minute, and serves the
limit alone: what a request may do is decided by its route. One instance per server process.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import Scope

from registry.errors import RateLimitedError, RootmarkError

KNOWN_SECONDS = 60.0
MAX_CALLERS = 10_000
_IPV6_SITE_BITS = 64


def bearer_token(authorization: str) -> str | None:
    """The token of an Authorization header (RFC 6750), or None when it holds none."""
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and token else None


class RateLimiter:
    """Token buckets for the callers seen last. As many tokens as fit refill within a minute."""

    def __init__(self, per_minute: int, per_minute_with_key: int, *, callers: int = MAX_CALLERS) -> None:
        self._rates = {False: per_minute, True: per_minute_with_key}
        self._callers = callers
        self._buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def take(self, caller: bytes, *, with_key: bool, now: float) -> None:
        """Take one token.

        Raises:
            RateLimitedError: none is left; says when there is one again.
        """
        capacity = float(self._rates[with_key])
        tokens, before = self._buckets.pop(caller, (capacity, now))
        tokens = min(capacity, tokens + (now - before) * capacity / 60)
        self._buckets[caller] = (max(tokens - 1, 0.0) if tokens >= 1 else tokens, now)
        if len(self._buckets) > self._callers:
            self._buckets.popitem(last=False)
        if tokens < 1:
            wait = math.ceil((1 - tokens) * 60 / capacity)
            raise RateLimitedError("too many requests from here", retry_after_seconds=max(wait, 1))


class Admission:
    """Decides whether a request is let in."""

    def __init__(self, limiter: RateLimiter, authenticate: Callable[[str], object]) -> None:
        """``authenticate`` takes a token and raises `RootmarkError` when it is not in force."""
        self._limiter = limiter
        self._authenticate = authenticate
        self._known: OrderedDict[bytes, float] = OrderedDict()

    async def admit(self, scope: Scope) -> None:
        """Let the request of ``scope`` pass, or raise `RateLimitedError`."""
        now = time.monotonic()
        authorization = Headers(scope=scope).get("authorization")
        token = None if authorization is None else bearer_token(authorization)
        if token is None:
            self._limiter.take(b"a" + share_of(scope), with_key=False, now=now)
            return
        name = sha256(token.encode("utf-8", "surrogatepass")).digest()
        if self._known.get(name, 0.0) > now:
            self._limiter.take(b"k" + name, with_key=True, now=now)
            return
        self._limiter.take(b"a" + share_of(scope), with_key=False, now=now)
        if await run_in_threadpool(self._in_force, token):
            self._remember(name, now)

    def _in_force(self, token: str) -> bool:
        try:
            self._authenticate(token)
        except RootmarkError:
            return False
        return True

    def _remember(self, name: bytes, now: float) -> None:
        self._known.pop(name, None)
        self._known[name] = now + KNOWN_SECONDS
        if len(self._known) > MAX_CALLERS:
            self._known.popitem(last=False)


def share_of(scope: Scope) -> bytes:
    """Whose share a request without a key takes from: the address, of IPv6 the site's /64."""
    host: str = (scope.get("client") or ("unknown", 0))[0]
    if ":" not in host:
        return host.encode()
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host.encode()
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped).encode()
    return str(ip_network((address, _IPV6_SITE_BITS), strict=False)).encode()
