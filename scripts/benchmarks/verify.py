"""GET and POST /v1/verify on one worker against bare FastAPI routes with the same answer.

The server is `rootmark serve` as it comes (SQLite, embedded chain, logs on), its batch is final, and every
request asks for another digest. Both servers run throughout; their rounds alternate and the median counts,
so that whatever else the machine does meets both. The target's peer is `async def` returning a dict.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from scripts.benchmarks.figures import Figure, Outcome, Target
from scripts.benchmarks.load import Request, Run, send
from scripts.benchmarks.server import Process, Server, digests, ndjson, registry, running

LEAVES = 10_000
REQUESTS = 4_000
ROUNDS = 3
CLIENTS = 16
PEER = "bare_route"
_BARE = re.compile(rb"bare routes on (\d+)")


@dataclass(slots=True)
class Side:
    """One kind of request to one of the servers, and its rounds."""

    process: Process
    make: Callable[[str], Request]
    runs: list[Run] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)

    def round(self, asked: list[str]) -> None:
        """Ask for each digest once."""
        before = self.process.cpu_seconds()
        self.runs.append(send(self.process.port, map(self.make, asked), CLIENTS))
        self.cpu_seconds.append((self.process.cpu_seconds() - before) / len(asked))

    def median(self, name: str) -> float:
        """Of one attribute of the runs."""
        return median(getattr(run, name) for run in self.runs)


def get(prefix: str) -> Callable[[str], Request]:
    """GET requests under a path."""
    return lambda digest: ("GET", f"{prefix}/{digest}", None)


def post(path: str) -> Callable[[str], Request]:
    """POST requests with a digest."""
    return lambda digest: ("POST", path, json.dumps({"digest": digest}))


def run(leaves: int | None, requests: int | None, rounds: int | None) -> Outcome:
    """Measure over a batch of ``leaves``, with ``requests`` of each kind in each of ``rounds``."""
    asked = digests(leaves or LEAVES)
    with tempfile.TemporaryDirectory() as name, registry(Path(name)) as server:
        _issue(server, asked)
        answer = server.client.get(f"/v1/verify/{asked[0]}").raise_for_status().json()
        if answer["outcome"] != "valid":
            raise RuntimeError(f"the batch does not verify: {answer['summary']}")
        path = Path(name) / "answer.json"
        path.write_text(json.dumps(answer), encoding="utf-8")
        command = [sys.executable, "-m", "scripts.benchmarks.bare_route", str(path)]
        with running(command, _BARE) as bare:
            sides = _sides(server, bare, asked)
            _measure(sides, asked, requests or REQUESTS, rounds or ROUNDS)
    return _outcome(sides)


def _issue(server: Server, asked: list[str]) -> None:
    sent = server.client.post(
        "/v1/batches", content=ndjson(asked), headers={"Content-Type": "application/x-ndjson"}
    )
    server.final(sent.raise_for_status().json())


def _sides(server: Server, bare: Process, asked: list[str]) -> dict[str, Side]:
    proofs = _proofs(server, asked)

    def with_proof(digest: str) -> Request:
        return "POST", "/v1/verify", json.dumps({"digest": digest, "proof": proofs[digest]})

    sides = {
        "GET": Side(server.process, get("/v1/verify")),
        "POST": Side(server.process, post("/v1/verify")),
        "POST with proof": Side(server.process, with_proof),
    }
    for kind in ("dict", "sync", "raw"):
        sides[f"GET {kind}"] = Side(bare, get(f"/{kind}"))
        sides[f"POST {kind}"] = Side(bare, post(f"/{kind}"))
    return sides


def _proofs(server: Server, asked: list[str]) -> dict[str, Any]:
    issuer = server.client.get("/v1/issuers").json()["items"][0]["address"]
    batch = server.client.get("/v1/batches", params={"issuer": issuer}).json()["items"][0]["id"]
    lines = server.client.get(f"/v1/batches/{batch}/proofs").raise_for_status().text.splitlines()
    proofs = {proof["digest"]: proof for proof in map(json.loads, lines)}
    if len(proofs) != len(asked):
        raise RuntimeError("there is not a proof for each digest")
    return proofs


def _measure(sides: dict[str, Side], asked: list[str], count: int, rounds: int) -> None:
    for number in range(rounds + 1):
        for side in sides.values():
            portion = [asked[(number * count + k) % len(asked)] for k in range(count)]
            side.round(portion)
    for side in sides.values():  # the first round warmed up
        del side.runs[0], side.cpu_seconds[0]


def _outcome(sides: dict[str, Side]) -> Outcome:
    outcome = Outcome("verify")
    for method, limit in (("GET", 0.5), ("POST", 0.4)):
        ours, peer = sides[method], sides[f"{method} dict"]
        outcome.figures.append(
            _rate(f"{method} /v1/verify", ours, peer, PEER, Target(limit, "ratio", at_least=True))
        )
        outcome.figures += [
            _rate(
                f"{method}, against def returning a dict", ours, sides[f"{method} sync"], "bare_sync_route"
            ),
            _rate(
                f"{method}, against async def returning a Response",
                ours,
                sides[f"{method} raw"],
                "bare_raw_route",
            ),
            _of(f"{method}, p50 at {CLIENTS} clients", "ms", ours, peer, "p50_milliseconds"),
            _of(f"{method}, p99 at {CLIENTS} clients", "ms", ours, peer, "p99_milliseconds"),
            _cpu(f"{method}, processor time", ours, peer),
        ]
    outcome.figures.append(
        _rate("POST /v1/verify with proof", sides["POST with proof"], sides["POST dict"], PEER)
    )
    outcome.notes.append(
        f"answers have {sides['GET'].runs[0].answer_bytes} bytes, the bare route's "
        f"{sides['GET dict'].runs[0].answer_bytes}; {PEER} is async def returning a dict"
    )
    return outcome


def _rate(name: str, ours: Side, peer: Side, peer_name: str, target: Target | None = None) -> Figure:
    return Figure(name, "per second", ours.median("per_second"), peer.median("per_second"), peer_name, target)


def _of(name: str, unit: str, ours: Side, peer: Side, attribute: str) -> Figure:
    return Figure(name, unit, ours.median(attribute), peer.median(attribute), PEER)


def _cpu(name: str, ours: Side, peer: Side) -> Figure:
    return Figure(name, "µs", median(ours.cpu_seconds) * 1e6, median(peer.cpu_seconds) * 1e6, PEER)
