"""A server as the command line sees it: JSON in, JSON out, problems as errors."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx

from registry.cli import exits
from registry.cli.output import CommandError

TIMEOUT_SECONDS = 90.0
UPLOAD_TIMEOUT_SECONDS = 600.0
"""A batch of a million is read, checked and sealed before the server answers."""

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
"""No proxy stands before these, whatever the environment says."""

_NEXT_STEPS = {
    401: "give an API key with --key or ROOTMARK_API_KEY; the server's administrator needs its admin token "
    "(ROOTMARK_ADMIN_TOKEN, or run this where DATA_DIR is)",
    403: "use a key with that scope; `rootmark keys create` makes one",
    429: "wait a little, or use an API key, which may ask more often",
    503: "try again in a moment; `rootmark doctor` on the server says what is wrong",
}


class ServerUnreachableError(CommandError):
    """No connection, no answer in time, or an answer that is not Rootmark's."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exits.UNREACHABLE)


class ServerProblemError(CommandError):
    """The server answered with a problem; ``problem`` is its JSON."""

    def __init__(self, problem: Mapping[str, Any], status: int) -> None:
        detail = problem.get("detail") or ""
        lines = [f"{problem.get('title', 'refused')}: {detail}"]
        faults = problem.get("errors")
        for fault in faults if isinstance(faults, list) else []:
            place = f"line {fault['line']}" if "line" in fault else fault.get("pointer") or "the whole body"
            lines.append(f"  {place}: {fault.get('detail', '')}")
        if status in _NEXT_STEPS:
            lines.append(_NEXT_STEPS[status])
        super().__init__("\n".join(lines), exits.exit_code_of_status(status))
        self.problem = dict(problem)


@dataclass(frozen=True, slots=True)
class Export:
    """A page as it arrived, and what the server says of it; None where it does not say."""

    content: bytes
    rows: int | None
    block_number: str | None
    block_hash: str | None


def _export(response: httpx.Response) -> Export:
    told = response.headers.get("x-content-sha256")
    if told is not None and told != sha256(response.content).hexdigest():
        raise CommandError("what arrived is not what the server says it sent", exits.INVALID)
    rows = response.headers.get("x-row-count", "")
    return Export(
        response.content,
        int(rows) if rows.isascii() and rows.isdecimal() and len(rows) < 19 else None,
        response.headers.get("x-block-number"),
        response.headers.get("x-block-hash"),
    )


def _cursor(response: httpx.Response) -> str | None:
    """The cursor of the next page (RFC 8288, relation `next`), or None on the last one."""
    target = response.links.get("next", {}).get("url")
    if target is None:
        return None
    found = parse_qs(urlsplit(target).query).get("cursor")
    if not found:
        raise ServerUnreachableError("the link to the next page has no cursor; is this Rootmark?")
    return found[0]


class Server:
    """One server, with one key. A context manager, as connections are kept open."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            address = httpx.URL(self.url)
            near = address.host in _LOOPBACK
            self._http = httpx.Client(
                base_url=address, headers=headers, timeout=TIMEOUT_SECONDS, trust_env=not near
            )
        except (httpx.InvalidURL, UnicodeEncodeError) as error:
            raise CommandError(f"{self.url} or the API key is not well-formed", exits.USAGE) from error
        if address.scheme not in ("http", "https") or not address.host or "%" in address.host:
            raise CommandError(f"{url} is not the address of a server: http://host:port", exits.USAGE)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, path: str, **query: str | int | list[str] | None) -> Any:
        """GET, decoded."""
        return self._decode(self._send("GET", path, params=_given(query)))

    def post(
        self,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        wait_seconds: int = 0,
        **query: str | None,
    ) -> Any:
        """POST JSON, decoded; ``key`` is the Idempotency-Key."""
        headers = {"Idempotency-Key": key} if key else {}
        if wait_seconds:
            headers["Prefer"] = f"wait={min(wait_seconds, 60)}"
        return self._decode(self._send("POST", path, json=body, headers=headers, params=_given(query)))

    def patch(self, path: str, body: Any) -> Any:
        """PATCH JSON, decoded."""
        return self._decode(self._send("PATCH", path, json=body))

    def post_lines(
        self, path: str, parts: Iterable[bytes], *, key: str | None = None, **query: str | None
    ) -> Any:
        """POST NDJSON, streamed."""
        return self.post_stream(path, parts, "application/x-ndjson", key=key, **query)

    def post_stream(
        self, path: str, parts: Iterable[bytes], media: str, *, key: str | None = None, **query: str | None
    ) -> Any:
        """POST a body of the media type, streamed: ``parts`` are sent as they come."""
        headers = {"Content-Type": media} | ({"Idempotency-Key": key} if key else {})
        timeout = httpx.Timeout(TIMEOUT_SECONDS, read=UPLOAD_TIMEOUT_SECONDS)
        sent = self._send(
            "POST", path, content=iter(parts), headers=headers, params=_given(query), timeout=timeout
        )
        return self._decode(sent)

    def post_file(self, path: str, data: bytes, media: str, name: str, fields: Mapping[str, str]) -> Any:
        """POST a file: as the body where it comes alone, else in a form beside its fields."""
        if not fields:
            return self._decode(self._send("POST", path, content=data, headers={"Content-Type": media}))
        return self._decode(self._send("POST", path, files={"file": (name, data, media)}, data=dict(fields)))

    def delete(self, path: str) -> None:
        """DELETE."""
        self._decode(self._send("DELETE", path))

    def file(self, path: str, **query: str | None) -> bytes:
        """GET a file, as its bytes."""
        response = self._send("GET", path, params=_given(query))
        if response.is_error:
            self._decode(response)
        return response.content

    def exported(self, path: str, accept: str, **query: str | None) -> Iterator[Export]:
        """GET a list's pages in another form than JSON, to its last. Only the cursor is taken from a page's
        link, so that no answer leads to another server.

        Raises:
            CommandError: a page is not what its own digest says.
        """
        asked: dict[str, str | None] = dict(query)
        while True:
            response = self._send("GET", path, params=_given(asked), headers={"Accept": accept})
            if response.is_error:
                self._decode(response)
            yield _export(response)
            following = _cursor(response)
            if following is None:
                return
            if following == asked.get("cursor"):
                raise CommandError("the server's list does not come to an end", exits.INVALID)
            asked["cursor"] = following

    def lines(self, path: str) -> Iterator[str]:
        """GET an NDJSON stream, line by line, without keeping it."""
        try:
            with self._http.stream("GET", path) as response:
                if response.is_error:
                    response.read()
                    self._decode(response)
                yield from response.iter_lines()
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    def items(self, path: str, **query: str | int | None) -> Iterator[dict[str, Any]]:
        """All items of a list, page by page."""
        cursor: str | None = None
        while True:
            page = self.get(path, cursor=cursor, **query)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def wait(self, path: str, done: frozenset[str], timeout_seconds: float = 600) -> Any:
        """GET until ``state`` is one of ``done``, or the time is over."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            value = self.get(path)
            if value["state"] in done or time.monotonic() > deadline:
                return value
            time.sleep(0.1)

    def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, **more)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeEncodeError) as error:
            raise CommandError(f"{self.url} is not the address of a server", exits.USAGE) from error
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> ServerUnreachableError:
        return ServerUnreachableError(
            f"the server at {self.url} does not answer ({type(error).__name__}); is `rootmark serve` "
            "running, or does --server name another?"
        )

    def _decode(self, response: httpx.Response) -> Any:
        if response.status_code == 204:
            return None
        try:
            value = response.json()
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ServerUnreachableError(
                f"what answers at {self.url} is not Rootmark; does --server name the right one?"
            ) from error
        if response.is_error:
            problem = value if isinstance(value, dict) else {}
            raise ServerProblemError(problem, response.status_code)
        return value


def path_of(*segments: str) -> str:
    """A path under /v1 from its segments, quoted.

    Raises:
        CommandError: one is empty.
    """
    if not all(segments):
        raise CommandError("an address, digest or id is empty", exits.USAGE)
    return "/v1/" + "/".join(quote(segment, safe="") for segment in segments)


def _given(query: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}
