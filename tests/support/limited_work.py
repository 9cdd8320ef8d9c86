"""Work for the child process of `registry.limited`: what its limits are for."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path


def answer(data: bytes) -> bytes:
    """Do what the data says, and say how it went."""
    if data == b"spin":
        while True:
            pass
    if data == b"fill":
        return b"x" * (1 << 31)
    if data.startswith(b"write "):
        return _written(Path(data[6:].decode()))
    if data == b"fail":
        raise ValueError("not as it should be")
    if data == b"environment":
        return json.dumps(dict(os.environ)).encode()
    return data[::-1]


def _written(path: Path) -> bytes:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        path.write_bytes(b"x")
    except OSError as error:
        return str(error).encode()
    return b"written"
