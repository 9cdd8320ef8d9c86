"""What a route needs besides its own work: the application, the caller, common query parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from datetime import datetime
from functools import partial
from typing import Any, ParamSpec, TypeVar
from urllib.parse import parse_qsl, urlencode

import orjson
from anyio import CapacityLimiter, to_thread
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.limits import bearer_token
from registry.bootstrap import App
from registry.encoding import Address, Digest, parse_address, parse_digest, parse_time
from registry.errors import Fault, UnauthorizedError, ValidationError
from registry.model.issuers import Caller

P = ParamSpec("P")
T = TypeVar("T")

DEFAULT_LIMIT = 50
MAX_LIMIT = 500
MAX_PARAMETERS = 200
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


def app_of(request: Request) -> App:
    """The application that the server was started with."""
    app: App = request.app.state.rootmark
    return app


def absolute(app: App, path: str) -> str:
    """The address of a path of this server, as others open it."""
    return app.settings.effective_public_url.rstrip("/") + path


async def blocking(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run what touches database or chain in a thread, so that the event loop goes on."""
    return await run_in_threadpool(function, *args, **kwargs)


async def examining(request: Request, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run what looks at somebody's documents, which can take seconds, in one of a few threads set apart for
    that, so that nothing else has to wait for them."""
    limiter: CapacityLimiter = request.app.state.examining
    return await to_thread.run_sync(partial(function, *args, **kwargs), limiter=limiter)


async def caller_of(request: Request) -> Caller | None:
    """Who asks, or None when no Authorization header was sent.

    Raises:
        UnauthorizedError: a header was sent and is not a key in force.
    """
    known = request.scope["state"].get("caller")
    if known is not None:
        return known  # type: ignore[no-any-return]
    header = request.headers.get("authorization")
    if header is None:
        return None
    token = bearer_token(header)
    if token is None:
        raise UnauthorizedError("send the key as Authorization: Bearer <key>")
    caller = await blocking(app_of(request).access.authenticate, token)
    request.scope["state"]["caller"] = caller
    return caller


async def require_caller(request: Request) -> Caller:
    """Who asks.

    Raises:
        UnauthorizedError: nobody, or a key that is not in force.
    """
    caller = await caller_of(request)
    if caller is None:
        raise UnauthorizedError("this needs a key: Authorization: Bearer <key>")
    return caller


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(value), status_code=status, headers=headers, media_type="application/json")


def page_response(request: Request, items: list[Any], next_cursor: str | None) -> Response:
    """A list answer, with a Link header to the next page."""
    return json_response(
        {"items": items, "next_cursor": next_cursor}, headers=next_page(request, next_cursor)
    )


def next_page(request: Request, cursor: str | None) -> dict[str, str]:
    """The Link header (RFC 8288) to the page after ``cursor``; nothing after the last one."""
    if cursor is None:
        return {}
    # Both positions of a list's parameters: `after` is what the feed calls its cursor.
    kept = [(name, value) for name, value in query_pairs(request) if name not in ("cursor", "after")]
    target = f"{_base(request)}{request.scope['path']}?{urlencode([*kept, ('cursor', cursor)])}"
    return {"Link": f'<{target}>; rel="next"'}


def _base(request: Request) -> str:
    """Scheme and authority of this server's addresses: the operator's word, else the Host header if it is
    one, else nothing, which makes a relative reference."""
    public = app_of(request).settings.public_url
    if public is not None:
        return public.rstrip("/")
    host = request.headers.get("host", "")
    return f"{request.scope['scheme']}://{host}" if _HOST.fullmatch(host) else ""


def query_pairs(request: Request) -> list[tuple[str, str]]:
    """The query's names and values, decoded strictly: nothing is replaced or left out.

    Raises:
        ValidationError: not percent-encoded UTF-8, U+0000, or too many parameters.
    """
    if not request.scope["query_string"]:
        return []
    try:
        query = request.scope["query_string"].decode("ascii")
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except UnicodeError as error:
        raise _fault("", "characters", "a query is percent-encoded UTF-8") from error
    except ValueError as error:
        raise _fault("", "too-many", f"at most {MAX_PARAMETERS} query parameters") from error
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise _fault("", "characters", "a query has no U+0000")
    return pairs


def no_query(request: Request) -> None:
    """Refuse a query where there is nothing to say in one: to pass over it could change what was meant."""
    if request.scope["query_string"]:
        Query(request)


class PlainRoute(APIRoute):
    """A route whose endpoint takes the request and the texts in its path, and returns a Response: nothing is
    to be solved, validated or serialised around it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint = self.endpoint

        async def handle(request: Request) -> Response:
            response: Response = await endpoint(request, **request.path_params)
            return response

        return handle


class Query:
    """Query parameters, each read once and strictly; an unknown or repeated one is refused."""

    def __init__(self, request: Request, *allowed: str, repeated: str | None = None, most: int = 1) -> None:
        """``repeated`` may stand up to ``most`` times; its values are ``texts``."""
        self._values: dict[str, str] = {}
        self.texts: list[str] = []
        for name, value in query_pairs(request):
            if name not in allowed and name != repeated:
                raise _fault(name, "unknown-parameter", "there is no such query parameter here")
            if name == repeated:
                self.texts.append(value)
            if name in self._values and (name != repeated or len(self.texts) > most):
                raise _fault(name, "repeated-parameter", "the query parameter stands too often")
            self._values[name] = value

    def text(self, name: str, max_length: int = 512) -> str | None:
        """The text, at most ``max_length`` characters, or None when absent."""
        value = self._values.get(name)
        if value is not None and len(value) > max_length:
            raise _fault(name, "length", f"at most {max_length} characters")
        return value

    def choice(self, name: str, choices: tuple[str, ...]) -> str | None:
        """One of ``choices``, or None when absent."""
        value = self._values.get(name)
        if value is not None and value not in choices:
            raise _fault(name, "choice", f"one of {', '.join(choices)}")
        return value

    def flag(self, name: str) -> bool:
        """`true` or `false`; absent is false."""
        return self.choice(name, ("true", "false")) == "true"

    def address(self, name: str = "issuer") -> Address | None:
        """An address, or None when absent."""
        value = self._values.get(name)
        return None if value is None else parse_address(value, pointer=f"/{name}")

    def digest(self, name: str) -> Digest | None:
        """A digest, or None when absent."""
        value = self._values.get(name)
        return None if value is None else parse_digest(value, pointer=f"/{name}")

    def time(self, name: str) -> datetime | None:
        """A time, or None when absent."""
        value = self._values.get(name)
        return None if value is None else parse_time(value.replace(" ", "+"), pointer=f"/{name}")

    def as_of(self, name: str = "as_of") -> int | datetime | None:
        """A block number or a time, or None when absent."""
        value = self._values.get(name)
        return None if value is None else parse_as_of(value, f"/{name}")

    def number(self, name: str, default: int, maximum: int, minimum: int = 0) -> int:
        """A whole number within bounds, or ``default`` when absent."""
        value = self._values.get(name)
        if value is None:
            return default
        if not (
            value.isascii() and value.isdecimal() and len(value) < 19 and minimum <= int(value) <= maximum
        ):
            raise _fault(name, "number", f"a whole number from {minimum} to {maximum}")
        return int(value)

    def limit(self) -> int:
        """How many items to answer."""
        return self.number("limit", DEFAULT_LIMIT, MAX_LIMIT, minimum=1)

    def cursor(self) -> int | None:
        """A cursor that is one number."""
        return None if self._values.get("cursor") is None else self.number("cursor", 0, 2**63 - 1)


def parse_as_of(value: object, pointer: str) -> int | datetime:
    """A block number (JSON number, or decimal text) or an RFC 3339 time."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
        return value
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 19:
        return int(value)
    if isinstance(value, str):
        return parse_time(value.replace(" ", "+"), pointer=pointer)
    raise ValidationError(
        "as_of is a block number or a time",
        faults=[Fault("as-of", "a block number or an RFC 3339 time is expected", pointer)],
    )


def _fault(name: str, code: str, detail: str) -> ValidationError:
    # The name of an unknown parameter is input, so it is not echoed beyond what a pointer needs.
    pointer = "/" + name[:64].replace("~", "~0").replace("/", "~1") if name else ""
    return ValidationError(f"query parameter: {detail}", faults=[Fault(code, detail, pointer)])
