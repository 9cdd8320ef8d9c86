"""Pages of the issuers' console while a large batch is sealed in the same process.

`rootmark serve` as it comes (SQLite, embedded chain, one process for API, pages and worker). A client streams
a batch of digests to POST /v1/batches; meanwhile a session asks for one page after the other, as a browser
does, and every answer counts from the request to its last byte. What the batch takes is told too.
"""

from __future__ import annotations

import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

import httpx

from scripts.benchmarks.awards import ACHIEVEMENT, csv_rows
from scripts.benchmarks.figures import Figure, Outcome, Target
from scripts.benchmarks.server import Server, digests, ndjson, registry

DIGESTS = 1_000_000
AWARDS = 1_000
IDLE_ROUNDS = 10
MAX_MILLISECONDS = 500

Times = dict[str, list[float]]


def run(leaves: int | None) -> Outcome:
    """Time the pages while ``leaves`` digests are sealed, else a million, and with nothing else to do."""
    count = leaves or DIGESTS
    outcome = Outcome("console")
    with (
        tempfile.TemporaryDirectory() as name,
        registry(Path(name)) as server,
        _session(server) as session,
    ):
        pages = _pages(server, session)
        idle = _times(session, pages, rounds(IDLE_ROUNDS))
        with _sealing(server, count) as (goes_on, took):
            busy = _times(session, pages, goes_on)
    label = f"while {count:,} digests are sealed"
    everything = sorted(one for times in busy.values() for one in times)
    target = Target(MAX_MILLISECONDS)
    outcome.figures += [
        Figure(f"every page, worst {label}", "ms", everything[-1], target=target),
        Figure(f"every page, p99 {label}", "ms", _p99(everything)),
        Figure(f"every page, median {label}", "ms", median(everything)),
    ]
    for page in pages:
        outcome.figures.append(Figure(f"{page}, worst {label}", "ms", max(busy[page])))
        outcome.figures.append(Figure(f"{page}, median with nothing else to do", "ms", median(idle[page])))
    outcome.figures.append(Figure(f"{count:,} digests, to sealed, beside the pages", "s", took[0]))
    outcome.notes.append(f"{len(everything)} pages were asked for, one at a time, {label}")
    return outcome


def _p99(times: list[float]) -> float:
    return quantiles(times, n=100)[-1] if len(times) > 1 else times[0]


def rounds(count: int) -> Callable[[], bool]:
    """True so many times, then False."""
    left = iter(range(count))
    return lambda: next(left, None) is not None


def _times(session: httpx.Client, pages: dict[str, str], goes_on: Callable[[], bool]) -> Times:
    """Milliseconds of each page, round after round; at least one round."""
    times: Times = {page: [] for page in pages}
    first = True
    while goes_on() or first:
        first = False
        for page, path in pages.items():
            began = time.perf_counter()
            answer = session.get(path)
            elapsed = (time.perf_counter() - began) * 1000
            if answer.status_code != 200:
                raise RuntimeError(f"{path} answers {answer.status_code}")
            times[page].append(elapsed)
    return times


@contextmanager
def _session(server: Server) -> Iterator[httpx.Client]:
    """A browser's session, with the issuer's key."""
    key = server.client.headers["Authorization"].removeprefix("Bearer ")
    with httpx.Client(base_url=server.client.base_url, timeout=600, trust_env=False) as session:
        answer = session.post("/console/login", data={"key": key})
        if answer.status_code != 303:
            raise RuntimeError(f"the login answers {answer.status_code}")
        yield session


def _pages(server: Server, session: httpx.Client) -> dict[str, str]:
    """The pages that are asked for, with something on them."""
    achievement = server.client.post("/v1/achievements", json=ACHIEVEMENT).raise_for_status().json()["id"]
    body = "".join(csv_rows(achievement, AWARDS, "console")).encode()
    sent = server.client.post("/v1/awards", content=body, headers={"Content-Type": "text/csv"})
    made = sent.raise_for_status().json()
    server.final(made["batch"])
    if re.search(r"data-award=", session.get("/console/awards").text) is None:
        raise RuntimeError("the console shows no award")
    return {
        "overview": "/console",
        "batches": "/console/batches",
        "batch progress": f"/console/batches/{made['batch']['id']}/progress",
        "credentials": "/console/awards",
        "search": "/console/awards?q=console-7",
        "one credential": f"/console/awards/{made['awards'][0]['id']}",
        "issue": "/console/issue",
        "changes": "/console/changes",
        "keys": "/console/keys",
    }


@contextmanager
def _sealing(server: Server, count: int) -> Iterator[tuple[Callable[[], bool], list[float]]]:
    """A batch that is sent in a thread; whether it is still on its way, and how long it took to be sealed."""
    parts = list(ndjson(digests(count, "console")))
    took: list[float] = []
    failed: list[BaseException] = []

    def send() -> None:
        began = time.perf_counter()
        try:
            sent = server.client.post(
                "/v1/batches", content=iter(parts), headers={"Content-Type": "application/x-ndjson"}
            )
            took.append(time.perf_counter() - began)
            server.final(sent.raise_for_status().json(), pause_seconds=0.2)
        except (httpx.HTTPError, RuntimeError) as error:
            failed.append(error)

    thread = threading.Thread(target=send, name="sealing")
    thread.start()
    try:
        yield thread.is_alive, took
    finally:
        thread.join()
    if failed:
        raise RuntimeError("the batch could not be sealed") from failed[0]
