"""What surrounds every request: an id, a log line, security headers, CORS on public reads, rate limits.

Pure ASGI, since Starlette's BaseHTTPMiddleware costs a task per request. Log lines carry method, route and
status, never bodies, query values, keys or digests.
"""

from __future__ import annotations

import logging
import math
import time
from collections import OrderedDict
from collections.abc import Iterable
from hashlib import sha256
from secrets import token_hex
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import PROBLEM_MEDIA_TYPE, problem_of
from registry.errors import RateLimitedError

log = logging.getLogger("rootmark.access")

_PUBLIC_PREFIXES = (
    "/v1/verify",
    "/v1/issuers",
    "/v1/credentials",
    "/v1/revocations",
    "/v1/audit",
    "/v1/registry",
    "/v1/batches",
)
_PUBLIC_POSTS = ("/v1/verify", "/v1/verify/bulk")
_UNLIMITED = ("/health/live", "/health/ready")
_ALWAYS = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))
_DEFAULTS = (
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
    ),
    (b"cache-control", b"no-store"),
)
_CORS = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"Link, Location, Retry-After, X-Request-Id"),
)
_PREFLIGHT = (
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (b"access-control-allow-headers", b"content-type, authorization"),
    (b"access-control-max-age", b"600"),
)

RawHeaders = Iterable[tuple[bytes, bytes]]


class RateLimiter:
    """Token buckets in memory, for the callers seen last. ``capacity`` tokens refill within a minute."""

    def __init__(self, per_minute: int, per_minute_with_key: int, *, callers: int = 10_000) -> None:
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


class Surround:
    """The outermost layer; one instance per server."""

    def __init__(self, app: ASGIApp, *, limiter: RateLimiter) -> None:
        self._app = app
        self._limiter = limiter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry point."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _with_headers(scope, message.get("headers", ()), request_id)
            await send(message)

        try:
            self._limit(scope)
        except RateLimitedError as error:
            body, headers = problem_of(error, request_id)
            await _send_problem(send_with_headers, body, headers)
        else:
            if _is_preflight(scope):
                await _send_empty(send_with_headers)
            else:
                await self._app(scope, receive, send_with_headers)
        finally:
            route = scope.get("route")
            log.info(
                "request",
                extra={
                    "request_id": request_id,
                    "method": scope["method"],
                    "route": getattr(route, "path", None),
                    "status": status,
                    "milliseconds": round((time.perf_counter() - started) * 1000, 1),
                },
            )

    def _limit(self, scope: Scope) -> None:
        if scope["path"] in _UNLIMITED:
            return
        # A key counts as one only for the limit; whether it is in force is found out later. Unknown keys
        # share the address's bucket size by being counted by address too.
        address = (scope.get("client") or ("unknown", 0))[0].encode()
        key = Headers(scope=scope).get("authorization")
        now = time.monotonic()
        if key is not None:
            self._limiter.take(b"k" + sha256(key.encode()).digest(), with_key=True, now=now)
            self._limiter.take(b"a+" + address, with_key=True, now=now)
        else:
            self._limiter.take(b"a" + address, with_key=False, now=now)


def _is_public(scope: Scope) -> bool:
    path = scope["path"]
    if scope["method"] in ("GET", "HEAD", "OPTIONS"):
        return bool(path.startswith(_PUBLIC_PREFIXES))
    return path in _PUBLIC_POSTS


def _is_preflight(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return (
        scope["method"] == "OPTIONS"
        and "access-control-request-method" in headers
        and bool(scope["path"].startswith(_PUBLIC_PREFIXES))
    )


def _with_headers(scope: Scope, given: RawHeaders, request_id: str) -> list[tuple[bytes, bytes]]:
    """``given`` (names in lower case, as ASGI has them) and what every answer carries."""
    headers = [*given, (b"x-request-id", request_id.encode()), *_ALWAYS]
    names = {name for name, _ in headers}
    headers += [default for default in _DEFAULTS if default[0] not in names]
    if _is_public(scope):
        headers += _CORS
        if scope["method"] == "OPTIONS":
            headers += _PREFLIGHT
    return headers


async def _send_problem(send: Send, body: dict[str, Any], headers: dict[str, str]) -> None:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    raw.append((b"content-type", PROBLEM_MEDIA_TYPE.encode()))
    await send({"type": "http.response.start", "status": body["status"], "headers": raw})
    await send({"type": "http.response.body", "body": orjson.dumps(body)})


async def _send_empty(send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})
