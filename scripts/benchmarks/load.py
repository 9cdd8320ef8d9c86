"""A load generator: some clients on kept connections, each sending the next request when it has its answer.

    python -m scripts.benchmarks.load PORT CLIENTS FILE

FILE holds the requests, JSON lines `[method, target, body or null]`, each sent once. Standard output gets the
seconds in all, the latencies in milliseconds, and how many answers had which status and were how long. It
runs apart from the server, and parses no more of an answer than it must.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from scripts.benchmarks.repository import ROOT

Request = tuple[str, str, str | None]


@dataclass(frozen=True, slots=True)
class Run:
    """What came of some requests."""

    per_second: float
    p50_milliseconds: float
    p99_milliseconds: float
    answer_bytes: int


def send(port: int, requests: Iterable[Request], clients: int) -> Run:
    """Send ``requests`` from a process of its own.

    Raises:
        RuntimeError: an answer had another status than 200, or a connection broke.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(json.dumps(request) + "\n" for request in requests)
        file.flush()
        command = [sys.executable, "-m", "scripts.benchmarks.load", str(port), str(clients), file.name]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the load generator failed: {done.stderr.decode(errors='replace')[-2000:]}")
    found = json.loads(done.stdout)
    if set(found["statuses"]) != {"200"}:
        raise RuntimeError(f"some answers were no reports: {found['statuses']}")
    return Run(found["per_second"], found["p50"], found["p99"], found["answer_bytes"])


class Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, work: _Work) -> None:
        self._work = work
        self._received = bytearray()
        self._expected = -1
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def _next(self) -> None:
        request = next(self._work.requests, None)
        if request is None:
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._expected < 0:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._received[:end]).lower()
            self._length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
            self._expected = end + 4 + self._length
        if len(self._received) >= self._expected:
            self._work.latencies.append(time.perf_counter() - self._sent_at)
            self._work.statuses[self._received[9:12].decode()] += 1
            self._work.lengths[self._length] += 1
            self._received.clear()
            self._expected = -1
            self._next()

    def connection_lost(self, _error: Exception | None) -> None:
        self._work.closed(broken=bool(self._received) or self._expected >= 0)


class _Work:
    """What the clients share."""

    def __init__(self, requests: list[bytes], clients: int) -> None:
        self.requests = iter(requests)
        self.latencies: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.lengths: Counter[int] = Counter()
        self._open = clients
        self.done = asyncio.get_running_loop().create_future()

    def closed(self, *, broken: bool) -> None:
        self._open -= 1
        if broken:
            self.statuses["broken"] += 1
        if not self._open and not self.done.done():
            self.done.set_result(None)


async def _run(port: int, clients: int, requests: list[bytes]) -> dict[str, object]:
    work = _Work(requests, clients)
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    for _ in range(clients):
        await loop.create_connection(lambda: Client(work), "127.0.0.1", port)
    await work.done
    seconds = time.perf_counter() - began
    if len(work.latencies) != len(requests):
        work.statuses["unanswered"] += len(requests) - len(work.latencies)
    cuts = quantiles(work.latencies, n=100) if len(work.latencies) > 1 else [0.0] * 99
    return {
        "per_second": len(work.latencies) / seconds,
        "p50": cuts[49] * 1000,
        "p99": cuts[98] * 1000,
        "statuses": work.statuses,
        "answer_bytes": work.lengths.most_common(1)[0][0] if work.lengths else 0,
    }


def _encoded(method: str, target: str, body: str | None) -> bytes:
    head = f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n"
    if body is None:
        return f"{head}\r\n".encode()
    return (
        f"{head}Content-Type: application/json\r\nContent-Length: {len(body.encode())}\r\n\r\n{body}".encode()
    )


def main(port: int, clients: int, path: str) -> None:
    """Send all requests of a file and print what came of it."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    requests = [_encoded(*json.loads(line)) for line in lines]
    print(json.dumps(asyncio.run(_run(port, clients, requests))))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
