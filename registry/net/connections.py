"""Connections of one request: to addresses that were checked, and within its time.

No proxy, no environment, no cookies, no credentials; a connection is not kept for another request.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from typing import Any

import httpcore
import httpx

from registry.net.addresses import Deadline


def usual_authorities() -> ssl.SSLContext:
    """TLS that trusts the usual authorities, whatever the environment says."""
    return httpx.create_ssl_context(trust_env=False)


def pool(context: ssl.SSLContext, addresses: Sequence[str], deadline: Deadline) -> httpcore.ConnectionPool:
    """Connections to ``addresses`` alone, whatever host is asked for."""
    return httpcore.ConnectionPool(
        ssl_context=context,
        max_connections=1,
        max_keepalive_connections=0,
        network_backend=Pinned(addresses, deadline),
    )


class Pinned(httpcore.NetworkBackend):
    """Connects to addresses that were checked, whatever host is asked for, and keeps to the deadline."""

    def __init__(self, addresses: Sequence[str], deadline: Deadline) -> None:
        self._addresses = addresses
        self._deadline = deadline
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        """A connection to the first address that takes one."""
        del host, timeout, local_address
        failure: Exception = httpcore.ConnectError("no address")
        for address in self._addresses:
            try:
                made = self._backend.connect_tcp(
                    address, port, timeout=self._deadline.left(), socket_options=socket_options
                )
            except httpcore.NetworkError as error:
                failure = error
            else:
                return _Timed(made, self._deadline)
        raise failure

    def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.NetworkStream:
        """Never."""
        raise httpcore.UnsupportedProtocol("only TCP")

    def sleep(self, seconds: float) -> None:
        """Nothing here retries."""
        raise AssertionError(f"nobody waits {seconds} s")


class _Timed(httpcore.NetworkStream):
    """A connection on which every step ends by the deadline, however little comes at a time."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """As the stream below."""
        del timeout
        return self._stream.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """As the stream below."""
        del timeout
        self._stream.write(buffer, self._deadline.left())

    def close(self) -> None:
        """As the stream below."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """As the stream below."""
        del timeout
        secured = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left())
        return _Timed(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """As the stream below."""
        return self._stream.get_extra_info(info)
