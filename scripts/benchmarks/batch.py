"""Batches over HTTP, from the request to final on anvil, and the server's peak memory.

Each measurement has a server of its own (`rootmark serve` on SQLite). "To sealed" is the time until the
answer to the request: by then all is checked, stored, built into a tree and durable. Building the request's
body is not measured; sending it is.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.benchmarks.figures import Figure, Outcome, Target
from scripts.benchmarks.local_anvil import anvil_settings
from scripts.benchmarks.server import Server, digests, ndjson, registry

SIZE = 100_000
LARGE = 1_000_000
JSON_LIMIT = 400_000
"""A JSON body has at most 32 MiB; larger batches come as NDJSON."""

MIB = 1024 * 1024

Body = tuple[str, Iterable[bytes]]


def as_ndjson(items: list[str]) -> Body:
    """One digest a line, streamed."""
    return "application/x-ndjson", list(ndjson(items))


def as_json(items: list[str]) -> Body:
    """One object."""
    return "application/json", [json.dumps({"digests": items}).encode()]


def run(leaves: int | None) -> Outcome:
    """Measure one batch of ``leaves`` in each form, else 100,000 in each and a million as NDJSON."""
    outcome = Outcome("batch")
    size = leaves or SIZE
    forms: list[tuple[str, Callable[[list[str]], Body], int]] = [("NDJSON", as_ndjson, size)]
    if size <= JSON_LIMIT:
        forms.append(("JSON", as_json, size))
    if leaves is None:
        forms.append(("NDJSON", as_ndjson, LARGE))
    for form, make, count in forms:
        with tempfile.TemporaryDirectory() as name, fresh_server(Path(name)) as server:
            outcome.figures += measure(server, form, make, count)
    outcome.notes.append("one process is server, API and worker; anvil mines each transaction at once")
    return outcome


@contextmanager
def fresh_server(directory: Path) -> Iterator[Server]:
    """A registry on an anvil of its own."""
    with anvil_settings(directory) as settings, registry(directory, **settings) as server:
        yield server


def measure(server: Server, form: str, make: Callable[[list[str]], Body], count: int) -> list[Figure]:
    """Issue one batch and wait until it is final."""
    before = server.process.peak_bytes()
    kind, parts = make(digests(count))
    began = time.perf_counter()
    sent = server.client.post("/v1/batches", content=iter(parts), headers={"Content-Type": kind})
    sealed = time.perf_counter() - began
    batch = sent.raise_for_status().json()
    if batch["size"] != count or batch["root"] is None:
        raise RuntimeError(f"the batch is not what was sent: {batch}")
    server.final(batch)
    final = time.perf_counter() - began
    peak = server.process.peak_bytes()
    label = f"{count:,} digests as {form}"
    return [
        Figure(f"{label}, to sealed", "s", sealed, target=Target(60) if count >= LARGE else None),
        Figure(f"{label}, to final", "s", final),
        Figure(f"{label}, server's peak memory", "MiB", peak / MIB, target=Target(1024)),
        Figure(f"{label}, of which before the request", "MiB", before / MIB),
    ]
