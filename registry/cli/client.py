"""A server as the command line sees it: JSON in, JSON out, problems as errors."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from registry.errors import RootmarkError

TIMEOUT_SECONDS = 90.0


class ServerUnreachableError(RootmarkError):
    """No connection, or no answer in time."""


class ServerProblemError(RootmarkError):
    """The server answered with a problem; ``problem`` is its JSON."""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        places = [
            f"  {error.get('pointer') or 'line ' + str(error.get('line', '?'))}: {error.get('detail', '')}"
            for error in problem.get("errors", [])
        ]
        text = f"{problem.get('title', 'refused')}: {problem.get('detail', '')}"
        super().__init__("\n".join([text, *places]))
        self.problem = dict(problem)


class Server:
    """One server, with one key."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=TIMEOUT_SECONDS)

    def get(self, path: str, **query: str | int | list[str] | None) -> Any:
        """GET, decoded."""
        params = {name: value for name, value in query.items() if value is not None}
        return self._decode(self._send("GET", path, params=params))

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
        params = {name: value for name, value in query.items() if value is not None}
        return self._decode(self._send("POST", path, json=body, headers=headers, params=params))

    def post_lines(
        self, path: str, lines: Iterator[bytes], *, key: str | None = None, **query: str | None
    ) -> Any:
        """POST NDJSON, streamed."""
        headers = {"Content-Type": "application/x-ndjson"} | ({"Idempotency-Key": key} if key else {})
        params = {name: value for name, value in query.items() if value is not None}
        return self._decode(self._send("POST", path, content=lines, headers=headers, params=params))

    def delete(self, path: str) -> None:
        """DELETE."""
        self._decode(self._send("DELETE", path))

    def text(self, path: str, accept: str, **query: str | None) -> str:
        """GET as text."""
        params = {name: value for name, value in query.items() if value is not None}
        response = self._send("GET", path, params=params, headers={"Accept": accept})
        if response.is_error:
            self._decode(response)
        return response.text

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
        """GET until ``state`` is one of ``done``."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            value = self.get(path)
            if value["state"] in done or time.monotonic() > deadline:
                return value
            time.sleep(0.2)

    def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, **more)
        except httpx.HTTPError as error:
            raise ServerUnreachableError(
                f"the server at {self.url} does not answer ({type(error).__name__}); is `rootmark serve` "
                "running, or does --server name another?"
            ) from error

    @staticmethod
    def _decode(response: httpx.Response) -> Any:
        if response.status_code == 204:
            return None
        try:
            value = response.json()
        except json.JSONDecodeError as error:
            raise ServerUnreachableError("the server's answer is not JSON; is it Rootmark's?") from error
        if response.is_error:
            raise ServerProblemError(value)
        return value
