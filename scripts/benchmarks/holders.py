"""What a holder of a hundred credentials waits for: the collection, a share of all, a record of all, deleting
all; beside them an issuer's signed audit report. `rootmark serve` as it comes, over loopback.

The peer is one credential's share page, which makes every check of one credential: what a hundred looked up
together cost against one looked at whole.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import httpx

from scripts.benchmarks.awards import ACHIEVEMENT
from scripts.benchmarks.figures import Figure, Outcome
from scripts.benchmarks.server import Server, registry

CREDENTIALS = 100
ROUNDS = 20
_TOKEN = re.compile(r'name="csrf" value="([0-9a-f]+)"')
_PAGE = re.compile(r'name="page" value="([^"]+)"')
_SHARE = re.compile(r'href="(/s/[\w-]+)"')


def run(rounds: int | None) -> Outcome:
    """Measure each ``rounds`` times; the median counts."""
    outcome = Outcome("holders")
    with tempfile.TemporaryDirectory() as name, registry(Path(name)) as server:
        base = f"http://127.0.0.1:{server.process.port}"
        with httpx.Client(base_url=base, timeout=60) as holder, httpx.Client(base_url=base) as reader:
            for claim in _claims(server):
                if holder.post(claim).is_error:
                    raise RuntimeError("a claim failed")
            page = _got(holder.get("/me"))
            form: dict[str, str | list[str]] = {"csrf": _first(_TOKEN, page), "page": _PAGE.findall(page)}
            if len(form["page"]) != CREDENTIALS:
                raise RuntimeError(f"the collection has {len(form['page'])} credentials")
            holder.post("/me/share", data=form | {"days": "30"})
            share = _first(_SHARE, _got(holder.get("/me")))
            issuer = str(server.client.get("/v1/issuers").json()["items"][0]["address"])
            steps: dict[str, Callable[[], httpx.Response]] = {
                "collection": lambda: holder.get("/me"),
                "share": lambda: reader.get(share),
                "record": lambda: holder.post("/me/record", data=form),
                "signed audit report": lambda: reader.get(f"/v1/audit/issuers/{issuer}/report"),
            }
            one = _milliseconds(lambda: reader.get(f"{share}/1"), rounds or ROUNDS)
            for label, step in steps.items():
                figure = _milliseconds(step, rounds or ROUNDS)
                outcome.figures.append(
                    Figure(f"{label}, {CREDENTIALS} credentials", "ms", figure, one, "one_credential")
                )
            begin = time.perf_counter()
            holder.post("/me/deletion", data=form)
            outcome.figures.append(
                Figure(f"deleting {CREDENTIALS} credentials", "ms", (time.perf_counter() - begin) * 1000)
            )
            if _PAGE.search(_got(holder.get("/me"))):
                raise RuntimeError("there are credentials left")
    return outcome


def _claims(server: Server) -> list[str]:
    """The paths of the claim links of as many awards."""
    made = server.client.post("/v1/achievements", json=ACHIEVEMENT).raise_for_status().json()
    awards = [
        {"recipient": {"email": f"ada{number}@college.example"}, "achievement_id": made["id"]}
        for number in range(CREDENTIALS)
    ]
    sent = server.client.post("/v1/awards", json={"awards": awards}, headers={"Prefer": "wait=60"})
    found = sent.raise_for_status().json()
    server.final(found["batch"])
    links = [server.client.post(f"/v1/awards/{one['id']}/claim").json() for one in found["awards"]]
    return ["/" + link["claim"].split("/", 3)[3] for link in links]


def _milliseconds(step: Callable[[], httpx.Response], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        _got(step())
        times.append((time.perf_counter() - begin) * 1000)
    return median(times)


def _got(response: httpx.Response) -> str:
    if response.status_code != httpx.codes.OK:
        raise RuntimeError(f"{response.request.url}: {response.status_code}")
    return response.text


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    if found is None:
        raise RuntimeError(f"the page has no {pattern.pattern}")
    return found[1]
