"""What surrounds every request: an id, a log line, security headers, CORS on public reads, rate limits.

Pure ASGI, since Starlette's BaseHTTPMiddleware costs a task per request. Log lines carry method, route and
status, never bodies, query values, keys or digests.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable
from secrets import token_hex
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.limits import Admission
from api.problems import PROBLEM_MEDIA_TYPE, problem_of, unexpected
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
    "/issuers/",
    "/status/",
    "/1.0/identifiers/",
    "/v1/achievements",
    "/achievements/",
)
_PUBLIC_POSTS = ("/v1/verify", "/v1/verify/bulk", "/vc/credentials/verify", "/vc/presentations/verify")
_PRIVATE = re.compile(r"/v1/(?:batches/[^/]*/proofs|issuers/[^/]*/api-keys|audit/access|credentials)/?")
_CLIENT_CLOSED_REQUEST = 499
_UNLIMITED = ("/health/live", "/health/ready", "/static/")
_ALWAYS = ((b"x-content-type-options", b"nosniff"),)
_DEFAULTS = (
    (b"referrer-policy", b"no-referrer"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
    ),
    (b"cache-control", b"no-store"),
)
EXPORT_HEADERS = (b"X-Row-Count", b"X-Content-SHA256", b"X-Block-Number", b"X-Block-Hash")
"""What exports carry beside their bytes."""
_CORS = (
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"ETag, Link, Location, Retry-After, X-Request-Id, " + b", ".join(EXPORT_HEADERS),
    ),
)
_PREFLIGHT = (
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (b"access-control-allow-headers", b"authorization, content-type, if-none-match, prefer"),
    (b"access-control-max-age", b"600"),
)

RawHeaders = Iterable[tuple[bytes, bytes]]
PageOf = Callable[[Scope, dict[str, Any], dict[str, str]], ASGIApp | None]


class Surround:
    """The outermost layer; one instance per server."""

    def __init__(self, app: ASGIApp, *, admission: Admission, page: PageOf) -> None:
        """``page`` gives a problem as a page, where the request asks for one."""
        self._app = app
        self._admission = admission
        self._page = page

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
            await self._pass_on(scope, receive, send_with_headers)
        except ClientDisconnect:
            status = _CLIENT_CLOSED_REQUEST
        except Exception as error:
            body = unexpected(error, request_id)  # a bug: told to the log, to the caller only as such
            if status:  # the answer has begun: only breaking it off says that it is not whole
                raise
            await self._send_problem(scope, receive, send_with_headers, body, {})
        finally:
            route = scope.get("route")
            milliseconds = round((time.perf_counter() - started) * 1000, 1)
            _log(request_id, scope["method"], getattr(route, "path", None), status, milliseconds)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].startswith(_UNLIMITED):
            try:
                await self._admission.admit(scope)
            except RateLimitedError as error:
                problem, headers = problem_of(error, scope["state"]["request_id"])
                await self._send_problem(scope, receive, send, problem, headers)
                return
        if _is_preflight(scope):
            await _send_empty(send)
        else:
            await self._app(scope, receive, send)

    async def _send_problem(
        self, scope: Scope, receive: Receive, send: Send, body: dict[str, Any], headers: dict[str, str]
    ) -> None:
        page = self._page(scope, body, headers)
        if page is not None:
            await page(scope, receive, send)
            return
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        raw.append((b"content-type", PROBLEM_MEDIA_TYPE.encode()))
        await send({"type": "http.response.start", "status": body["status"], "headers": raw})
        await send({"type": "http.response.body", "body": orjson.dumps(body)})


def _log(request_id: str, method: str, route: str | None, status: int, milliseconds: float) -> None:
    """One line. `Logger.info` would look for its caller on the stack, for each request anew."""
    if log.isEnabledFor(logging.INFO):
        values = {
            "request_id": request_id,
            "method": method,
            "route": route,
            "status": status,
            "milliseconds": milliseconds,
        }
        log.handle(log.makeRecord(log.name, logging.INFO, __file__, 0, "request", (), None, extra=values))


def _is_public(method: str, path: str) -> bool:
    """Whether any web page may read the answer: public reads, and verification."""
    if method in ("GET", "HEAD"):
        return path.startswith(_PUBLIC_PREFIXES) and _PRIVATE.fullmatch(path) is None
    return method == "POST" and path in _PUBLIC_POSTS


def _is_preflight(scope: Scope) -> bool:
    """Whether a browser asks if it may send a public request (Fetch standard, CORS-preflight request)."""
    wanted = Headers(scope=scope).get("access-control-request-method")
    return scope["method"] == "OPTIONS" and wanted is not None and _is_public(wanted, scope["path"])


def _with_headers(scope: Scope, given: RawHeaders, request_id: str) -> list[tuple[bytes, bytes]]:
    """``given`` (names in lower case, as ASGI has them) and what every answer carries."""
    headers = [*given, (b"x-request-id", request_id.encode()), *_ALWAYS]
    names = {name for name, _ in headers}
    headers += [default for default in _DEFAULTS if default[0] not in names]
    if _is_public(scope["method"], scope["path"]):
        headers += _CORS
    elif _is_preflight(scope):
        headers += (*_CORS, *_PREFLIGHT)
    return headers


async def _send_empty(send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})
