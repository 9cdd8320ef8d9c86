"""web3's provider for a node behind HTTP, with limits of our own.

What it does not do, on purpose: retry (a repeated request hides the error that the caller has to see),
follow redirects, follow EIP-3668 (CCIP-Read), which would let a contract name a URL for us to fetch, and
read a body without end.
"""

from __future__ import annotations

import ipaddress
import time
from typing import Any, Final, cast
from urllib.parse import urlsplit

import httpx
import orjson
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from registry.errors import ChainUnavailableError, ConfigurationError

TIMEOUT_SECONDS: Final = 10.0
"""For connecting, for each silence, and for the answer as a whole; so no request takes longer than twice
that."""
MAX_BODY_BYTES: Final = 32 * 1024 * 1024


class AnswerTooLargeError(ChainUnavailableError):
    """The answer passes `MAX_BODY_BYTES`, or the node said that it would (HTTP 413). Asking for less may
    help."""


class TimedOutError(ChainUnavailableError):
    """The node took the connection, or not even that, and did not answer in time."""


def node_name(url: str) -> str:
    """How a node is called in errors and logs: host and port, because user, path and query may hold a key.

    Raises:
        ConfigurationError: not an http or https URL with a host.
    """
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError as error:
        raise ConfigurationError("RPC_URL holds something that is not a URL") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError("RPC_URL takes http and https URLs only")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return host + port


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class HttpProvider(JSONBaseProvider):
    """JSON-RPC 2.0 over HTTP. Thread-safe.

    `make_request` returns a response object with ``result`` or ``error``, `make_batch_request` one for each
    request, in their order. Both raise `ChainUnavailableError` for everything else.
    """

    global_ccip_read_enabled = False

    def __init__(
        self, url: str, *, timeout_seconds: float = TIMEOUT_SECONDS, max_body_bytes: int = MAX_BODY_BYTES
    ) -> None:
        super().__init__()
        self.name = node_name(url)
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._max_body_bytes = max_body_bytes
        self._client = httpx.Client(
            timeout=httpx.Timeout(timeout_seconds),
            follow_redirects=False,
            trust_env=not _is_loopback(url),
            verify=urlsplit(url).scheme == "https",  # certificates take 30 ms to load
            headers={"Content-Type": "application/json", "Accept": "application/json"},
        )

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Ask one thing."""
        (answer,) = self.make_batch_request([(method, params)])
        return answer

    def make_batch_request(self, requests: list[tuple[RPCEndpoint, Any]]) -> list[RPCResponse]:
        """Ask several things in one HTTP request."""
        sent = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": params or []}
            for number, (method, params) in enumerate(requests, 1)
        ]
        body = orjson.dumps(sent[0] if len(sent) == 1 else sent)
        status, answer = self._post(body)
        return self._in_order(self._parse(status, answer), len(sent))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _post(self, body: bytes) -> tuple[int, bytes]:
        """Send and read to the end, at most so long and at most so much."""
        deadline = time.monotonic() + self._timeout_seconds
        chunks: list[bytes] = []
        size = 0
        try:
            with self._client.stream("POST", self._url, content=body) as response:
                for chunk in response.iter_bytes():
                    size += len(chunk)
                    if size > self._max_body_bytes:
                        raise AnswerTooLargeError(f"node {self.name} sent more than the limit for an answer")
                    if time.monotonic() > deadline:
                        raise TimedOutError(f"node {self.name} did not finish its answer in time")
                    chunks.append(chunk)
                return response.status_code, b"".join(chunks)
        except httpx.TimeoutException as error:
            raise TimedOutError(f"node {self.name} did not answer in time") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise ChainUnavailableError(f"node {self.name} cannot be reached") from error

    def _parse(self, status: int, body: bytes) -> Any:
        """JSON-RPC errors come with any HTTP status; everything else wants 200."""
        try:
            answer = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            if status == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
                raise AnswerTooLargeError(f"node {self.name} answered HTTP 413") from error
            what = "something that is not JSON" if status == httpx.codes.OK else f"HTTP {status}"
            raise ChainUnavailableError(f"node {self.name} answered {what}") from error
        if status != httpx.codes.OK and not (isinstance(answer, dict) and answer.get("error")):
            raise ChainUnavailableError(f"node {self.name} answered HTTP {status}")
        return answer

    def _in_order(self, answer: Any, count: int) -> list[RPCResponse]:
        """The response objects by their ids 1 to ``count``. A lone error object answers a whole batch."""
        answers = answer if isinstance(answer, list) else [answer]
        if count > 1 and isinstance(answer, dict) and "error" in answer:
            return [cast(RPCResponse, answer)] * count
        by_id: dict[int, RPCResponse] = {}
        for item in answers:
            known = isinstance(item, dict) and ("result" in item or item.get("error") is not None)
            if not known or not isinstance(item.get("id"), int | None):
                raise ChainUnavailableError(f"node {self.name} answered something that is not JSON-RPC")
            number = item.get("id")
            by_id[1 if number is None and count == 1 else number] = cast(RPCResponse, item)
        if len(answers) != count or set(by_id) != set(range(1, count + 1)):
            raise ChainUnavailableError(f"node {self.name} did not answer what it was asked")
        return [by_id[number] for number in range(1, count + 1)]
