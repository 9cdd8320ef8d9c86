"""`rootmark serve` in a process of its own, with an issuer, for the length of a block; and what it costs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from scripts.benchmarks.repository import ROOT

START_SECONDS = 60
_SERVES = re.compile(rb"Rootmark serves http://127\.0\.0\.1:(\d+)")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Process:
    """A running server; figures come from /proc."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """Processor time that it used so far, all threads."""
        return sum(_times(self.pid)[:2])

    def cpu_seconds_of_all(self) -> float:
        """The same with its children's, those that have ended included."""
        return tree_cpu_seconds(self.pid)

    def peak_bytes(self) -> int:
        """The most memory that it has held so far."""
        return peak_bytes(self.pid)


@dataclass(frozen=True, slots=True)
class Server:
    """A registry with one issuer, whose key ``client`` carries."""

    process: Process
    client: httpx.Client
    data_dir: Path

    def final(
        self, batch: Mapping[str, Any], seconds: float = 120, pause_seconds: float = 0.02
    ) -> dict[str, Any]:
        """The batch, once it is final; it is asked for again and again. Raises RuntimeError when it fails or
        takes longer."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            now: dict[str, Any] = self.client.get(f"/v1/batches/{batch['id']}").json()
            if now["state"] == "final":
                return now
            if now["state"] == "failed":
                raise RuntimeError(f"the batch failed: {now['error']}")
            time.sleep(pause_seconds)
        raise RuntimeError("the batch is not final yet")


def peak_bytes(pid: int | str = "self") -> int:
    """VmHWM of a process; unlike ``ru_maxrss`` it has nothing of the process that started it."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this system does not tell a process's peak memory")


def tree_cpu_seconds(pid: int) -> float:
    """Processor time of a process and of all that it started, whether they have ended or not."""
    children = [
        int(child)
        for path in Path(f"/proc/{pid}/task").glob("*/children")
        for child in path.read_text().split()
    ]
    return sum(_times(pid)) + sum(map(tree_cpu_seconds, children))


def _times(pid: int) -> list[float]:
    """utime, stime, cutime, cstime of proc(5), in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return [int(field) / _TICKS for field in fields[11:15]]


def digests(count: int, name: str = "") -> list[str]:
    """Distinct digests, the same for the same name."""
    return ["0x" + sha256(name.encode() + index.to_bytes(8, "big")).hexdigest() for index in range(count)]


@contextmanager
def running(
    command: list[str], wanted: re.Pattern[bytes], env: Mapping[str, str] | None = None
) -> Iterator[Process]:
    """Run a server until the block ends; ``wanted`` finds its port in what it prints.

    Raises:
        RuntimeError: it ended, or did not print that within 60 s.
    """
    with tempfile.TemporaryFile() as output:  # a pipe would fill up and stop it
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **(env or {})}, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            yield Process(_port(process, output.fileno(), wanted), process.pid)
        finally:
            process.terminate()
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _port(process: subprocess.Popen[bytes], output: int, wanted: re.Pattern[bytes]) -> int:
    deadline = time.monotonic() + START_SECONDS
    while True:
        printed = os.pread(output, 65_536, 0)
        if found := wanted.search(printed):
            port = int(found[1])
            if _answers(port):
                return port
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the server did not start: {printed[-2000:].decode(errors='replace')}")
        time.sleep(0.05)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/live", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def registry(directory: Path, **settings: str) -> Iterator[Server]:
    """`rootmark serve` over ``directory`` with a new issuer; SQLite and the embedded chain unless
    ``settings`` say otherwise. No rate limits: they would be all that is measured."""
    data_dir = directory / "data"
    limits = {"RATE_LIMIT_PER_MINUTE": "1000000000", "RATE_LIMIT_PER_MINUTE_KEY": "1000000000"}
    env = {f"ROOTMARK_{name}": value for name, value in (limits | settings).items()}
    command = [str(Path(sys.executable).parent / "rootmark"), "serve", "--host", "127.0.0.1", "--port", "0"]
    with running([*command, "--data-dir", str(data_dir)], _SERVES, env) as process:
        url = f"http://127.0.0.1:{process.port}"
        token = (data_dir / "admin-token").read_text().strip()
        with httpx.Client(base_url=url, timeout=600, trust_env=False) as client:
            made = client.post(
                "/v1/issuers",
                json={"name": "Benchmark College", "url": "https://college.example"},
                headers={"Authorization": f"Bearer {token}"},
            ).raise_for_status()
            client.headers["Authorization"] = f"Bearer {made.json()['api_key']}"
            yield Server(process, client, data_dir)


def ndjson(items: list[str]) -> Iterator[bytes]:
    """A body of one digest a line, in portions, as a client sends it that streams a file."""
    for start in range(0, len(items), 10_000):
        yield "".join(json.dumps(item) + "\n" for item in items[start : start + 10_000]).encode()
