"""Certificates a second and core: drawn as PDF/A-3b with credential, proof and QR code, each with its words;
and read again, which takes a process each.

Drawing uses processor time of this process alone, so that its figure is per second and core.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from statistics import median
from uuid import uuid4

from registry.credentials.carriers.pdf import attached_to
from registry.credentials.certificates.drawing import Certificate, draw
from scripts.benchmarks.figures import Figure, Outcome, Target
from tests.unit.credentials.certificates import certificate

COUNT = 1_000
ROUNDS = 3
READ = 10
MIN_PER_SECOND = 30


def run(count: int | None, rounds: int | None) -> Outcome:
    """Draw ``count`` certificates in each of ``rounds``, of which the median counts."""
    count, rounds = count or COUNT, rounds or ROUNDS
    outcome = Outcome("pdf")
    drawn = [_drawn(_certificates(count)) for _ in range(rounds)]
    outcome.figures.append(
        Figure(
            f"{count} certificates drawn",
            "per CPU second",
            count / median(seconds for seconds, _ in drawn),
            target=Target(MIN_PER_SECOND, at_least=True),
        )
    )
    last = drawn[-1][1]
    times = []
    for _ in range(min(READ, count)):
        start = time.perf_counter()
        attached_to(last)
        times.append(time.perf_counter() - start)
    outcome.figures.append(Figure("a certificate read", "ms", median(times) * 1000))
    outcome.notes.append(f"a certificate has {len(last)} bytes")
    return outcome


def _certificates(count: int) -> list[Certificate]:
    made = []
    for number in range(count):
        identifier = f"urn:uuid:{uuid4()}"
        made.append(
            replace(
                certificate(),
                id=identifier,
                holder=f"Learner {number}",
                address=f"https://registry.example/c/{uuid4().hex[:22]}",
                credential=json.dumps({"id": identifier, "text": "x" * 2_000}).encode(),
            )
        )
    return made


def _drawn(certificates: list[Certificate]) -> tuple[float, bytes]:
    """Processor seconds, and the last file."""
    draw(certificates[0])  # fonts are read once
    start = time.process_time()
    made = b""
    for one in certificates:
        made = draw(one)
    return time.process_time() - start, made
