"""What the API's tests share: problems, raw requests, further front ends over the running server's parts."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx

from api.app import create_app
from registry.bootstrap import App

NDJSON = {"Content-Type": "application/x-ndjson"}
JSON = {"Content-Type": "application/json"}


def problem(response: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """The problem of an answer, whose shape is checked too."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = response.json()
    assert set(found) == {"type", "title", "status", "detail", "request_id", "errors"}
    assert found["type"] == f"/problems/{slug}"
    assert found["status"] == status
    assert found["request_id"] == response.headers["x-request-id"]
    assert len(found["errors"]) <= 20
    for error in found["errors"]:
        assert set(error) in ({"pointer", "code", "detail"}, {"line", "code", "detail"}), error
    return found


def pointers(found: dict[str, Any]) -> list[str]:
    """The places that a problem names."""
    return [error["pointer"] for error in found["errors"]]


def raw_request(url: str, text: bytes) -> tuple[int, bytes]:
    """Send bytes as they are; the status and all that came back. The request must ask to close."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30) as connection:
        try:
            connection.sendall(text)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all was sent
        received = b""
        try:
            while part := connection.recv(65536):
                received += part
        except ConnectionResetError:
            pass
    return int(received.split(b" ", 2)[1]) if received else 0, received


class FrontEnd:
    """Another front end over a running server's parts, called without a socket."""

    def __init__(self, app: App, client: str = "127.0.0.1", **parts: Any) -> None:
        settings = app.settings.model_copy(update=parts.pop("settings", {}))
        self.app = replace(app, settings=settings, **parts)
        self.web = create_app(self.app)
        self.address = client

    def send(self, method: str, path: str, token: str | None = None, **options: Any) -> httpx.Response:
        """One request."""
        return self.run(lambda client: client.request(method, path, **options), token)

    def run(
        self,
        talk: Callable[[httpx.AsyncClient], Coroutine[Any, Any, Any]],
        token: str | None = None,
    ) -> Any:
        """Several requests of one client."""

        async def main() -> Any:
            transport = httpx.ASGITransport(self.web, client=(self.address, 40000))
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            async with httpx.AsyncClient(
                transport=transport, base_url="http://localhost", headers=headers
            ) as client:
                return await talk(client)

        # In a thread of its own: the caller's may have a loop that runs, such as that of a browser's test.
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(asyncio.run, main()).result()


@contextmanager
def captured_records(level: int = logging.DEBUG) -> Iterator[list[logging.LogRecord]]:
    """All log records of all threads while the block runs."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler(level)
    handler.emit = records.append  # type: ignore[method-assign]
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(level)
    try:
        yield records
    finally:
        root.setLevel(before)
        root.removeHandler(handler)
