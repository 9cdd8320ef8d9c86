"""What a route needs besides its own work: the application, the caller, common query parameters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from registry.bootstrap import App
from registry.encoding import Address, Digest, parse_address, parse_digest, parse_time
from registry.errors import Fault, UnauthorizedError, ValidationError
from registry.model.issuers import Caller

P = ParamSpec("P")
T = TypeVar("T")

DEFAULT_LIMIT = 50
MAX_LIMIT = 500


def app_of(request: Request) -> App:
    """The application that the server was started with."""
    app: App = request.app.state.rootmark
    return app


async def blocking(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run what touches database or chain in a thread, so that the event loop goes on."""
    return await run_in_threadpool(function, *args, **kwargs)


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
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthorizedError("send the key as Authorization: Bearer <key>")
    caller = await blocking(app_of(request).access.authenticate, token.strip())
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
    headers = {}
    if next_cursor is not None:
        headers["Link"] = f'<{request.url.include_query_params(cursor=next_cursor)}>; rel="next"'
    return json_response({"items": items, "next_cursor": next_cursor}, headers=headers)


class Query:
    """Query parameters, each read once and strictly; an unknown or repeated one is refused."""

    def __init__(self, request: Request, *allowed: str, repeated: str | None = None, most: int = 1) -> None:
        """``repeated`` may stand up to ``most`` times; its values are ``texts``."""
        self._values: dict[str, str] = {}
        self.texts: list[str] = []
        for name, value in request.query_params.multi_items():
            if name not in allowed and name != repeated:
                raise _fault(name, "unknown-parameter", "there is no such query parameter here")
            if name == repeated:
                self.texts.append(value)
            if name in self._values and (name != repeated or len(self.texts) > most):
                raise _fault(name, "repeated-parameter", "the query parameter stands more than once")
            if "\0" in value or any(0xD800 <= ord(character) <= 0xDFFF for character in value):
                raise _fault(name, "characters", "the query parameter has a character that is not text")
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
    pointer = "/" + name[:64].replace("~", "~0").replace("/", "~1")
    return ValidationError(f"query parameter: {detail}", faults=[Fault(code, detail, pointer)])
