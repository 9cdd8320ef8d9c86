"""HTTP/1.1 on a connection, with an end to how much may come before a request is known.

uvicorn's parser takes a request line and headers of any length, which a stranger could fill the memory with.
"""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 64 * 1024
_MAX_UNFINISHED_BYTES = 1024 * 1024
"""Of data that arrived while a head was unfinished: the end of a body before it may be among them."""


class BoundedHttpProtocol(HttpToolsProtocol):
    """Answers 400 and ends the connection once request line, headers and trailers pass ``MAX_HEAD_BYTES``."""

    _head_bytes = 0
    _unfinished_bytes = 0
    _in_head = False

    def data_received(self, data: bytes) -> None:
        """Bytes from the connection."""
        super().data_received(data)
        if not self._in_head:
            self._unfinished_bytes = 0
            return
        self._unfinished_bytes += len(data)  # of a header that has not ended nothing else is heard
        if self._unfinished_bytes > _MAX_UNFINISHED_BYTES and not self.transport.is_closing():
            self.send_400_response("The request line and headers are too long.")

    def on_message_begin(self) -> None:
        """A request begins."""
        self._head_bytes = 0
        self._in_head = True
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A part of the request line."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header or trailer."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """What follows is the body."""
        self._in_head = False
        super().on_headers_complete()

    def _count(self, length: int) -> None:
        self._head_bytes += length
        if self._head_bytes > MAX_HEAD_BYTES:
            raise ValueError("the head is too long")  # the parser stops, and the request is answered with 400
