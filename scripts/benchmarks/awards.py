"""Awards of one achievement, signed and anchored, for each second of processor time; and the parts of that.

The whole is `rootmark serve` as it comes (SQLite, embedded chain, logs on): a CSV file of awards goes to POST
/v1/awards, and what counts is the processor time of the server and of all that it started, until the answer
(by then all awards are signed, stored, sealed into a tree and durable) and until the batch is final. It
includes the background work meanwhile. The parts run in a process of their own, without HTTP.

    python -m scripts.benchmarks.awards COUNT ROUNDS    the parts, as JSON
"""

from __future__ import annotations

import gc
import json
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

from scripts.benchmarks.figures import Figure, Outcome, Target
from scripts.benchmarks.repository import ROOT
from scripts.benchmarks.server import Server, registry

AWARDS = 10_000
ROUNDS = 3
WARM_UP = 600
PART_AWARDS = 2_000
PER_CPU_SECOND = "per CPU second"
ACHIEVEMENT: dict[str, Any] = {
    "name": "Statistics with R",
    "description": "Analyses a data set, and says what the result means and what it does not.",
    "criteria": {"narrative": "A project of four weeks, defended in front of two examiners."},
    "achievement_type": "MicroCredential",
    "tags": ["statistics", "R"],
    "credits_available": 3,
    "alignment": [{"target_name": "statistics", "target_url": "https://skills.example/statistics"}],
}
_HEADER = "external_id,recipient_name,recipient_email,achievement_id,issued_on\n"


def run(awards: int | None, rounds: int | None) -> Outcome:
    """Measure ``rounds`` batches of ``awards``, of which the median counts, and the parts."""
    count, rounds = awards or AWARDS, rounds or ROUNDS
    outcome = Outcome("awards")
    with tempfile.TemporaryDirectory() as name, registry(Path(name)) as server:
        outcome.figures += _whole(server, count, rounds)
    outcome.figures += [
        Figure(f"{name}, alone", PER_CPU_SECOND, figure)
        for name, figure in _measured_parts(min(count, PART_AWARDS), rounds).items()
    ]
    outcome.notes.append("processor time of the server and its children; one process is API and worker")
    return outcome


def csv_rows(achievement: str, count: int, name: str) -> Iterator[str]:
    """The lines of a file of awards; ``name`` tells its external ids from those of other files."""
    yield _HEADER
    for number in range(count):
        yield f"{name}-{number},Learner {number},learner{number}@college.example,{achievement},2026-11-23\n"


def _whole(server: Server, count: int, rounds: int) -> list[Figure]:
    made = server.client.post("/v1/achievements", json=ACHIEVEMENT).raise_for_status()
    achievement = made.json()["id"]
    _award(server, achievement, min(WARM_UP, count), "warm-up")
    runs = [_award(server, achievement, count, f"round-{number}") for number in range(rounds)]
    sealed, final, seconds = (median(values) for values in zip(*runs, strict=True))
    label = f"{count:,} awards as CSV"
    return [
        Figure(f"{label}, to sealed", PER_CPU_SECOND, count / sealed),
        Figure(f"{label}, to final", PER_CPU_SECOND, count / final, target=Target(3_000, at_least=True)),
        Figure(f"{label}, to sealed, by the clock", "s", seconds),
    ]


def _award(server: Server, achievement: str, count: int, name: str) -> tuple[float, float, float]:
    """One batch: processor seconds to sealed and to final, and seconds to sealed."""
    body = "".join(csv_rows(achievement, count, name)).encode()
    before, began = server.process.cpu_seconds_of_all(), time.perf_counter()
    sent = server.client.post("/v1/awards", content=body, headers={"Content-Type": "text/csv"})
    elapsed = time.perf_counter() - began
    answer = sent.raise_for_status().json()
    sealed = server.process.cpu_seconds_of_all() - before
    if answer["created"] != count or answer["batch"]["root"] is None:
        raise RuntimeError(f"the awards are not what was sent: {answer['created']} were made")
    server.final(answer["batch"], pause_seconds=0.2)
    return max(sealed, 0.001), max(server.process.cpu_seconds_of_all() - before, 0.001), elapsed


# --- the parts, in the measured process ---------------------------------------------------------------------


def _measured_parts(count: int, rounds: int) -> dict[str, float]:
    command = [sys.executable, "-m", "scripts.benchmarks.awards", str(count), str(rounds)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the parts failed: {done.stderr.decode(errors='replace')[-2000:]}")
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def badges(count: int) -> list[dict[str, Any]]:
    """Credentials of one achievement, unsecured, as awards make them."""
    from registry.credentials.badges import (
        EMAIL,
        Badge,
        Identity,
        Profile,
        Subject,
        achievement_object,
        open_badge_credential,
    )
    from registry.encoding import Address
    from registry.model.awards import Achievement

    now = datetime(2026, 11, 23, tzinfo=UTC)
    achievement = Achievement(Address(bytes(20)), uuid4().urn, 1, ACHIEVEMENT, now)
    shared = achievement_object(achievement)
    profile = Profile("did:web:college.example", "Benchmark College", "https://college.example")
    made = []
    for number in range(count):
        identity = Identity(EMAIL, f"learner{number}@college.example", secrets.token_hex(16))
        badge = Badge(uuid4(), profile, Subject(None, (identity,)), now)
        made.append(open_badge_credential(badge, shared, _status(number)))
    return made


def _status(number: int) -> list[dict[str, Any]]:
    url = "https://college.example/status/0123456789abcdef0123456789abcdef"
    return [
        {
            "id": f"{url}-{purpose}#{number}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": purpose,
            "statusListIndex": str(number),
            "statusListCredential": f"{url}-{purpose}",
        }
        for purpose in ("revocation", "suspension")
    ]


def _parts(count: int, directory: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """What is measured, each with its name."""
    from registry.bootstrap import build
    from registry.credentials.award_csv import awards_of_csv
    from registry.credentials.awarding import AwardOptions
    from registry.credentials.key_pairs import KeyPair
    from registry.credentials.keys import KeyType
    from registry.credentials.suites.signing import ProofOptions, add_proofs
    from registry.encoding import to_base58btc
    from registry.settings import Settings

    app = build(Settings(data_dir=directory / "data", public_url="https://college.example"))
    try:
        key = KeyPair.generate(KeyType.ED25519)
        documents = badges(count)
        options = ProofOptions(
            "eddsa-rdfc-2022", KeyType.ED25519, "did:web:college.example#key", datetime.now(UTC)
        )
        yield "signatures", lambda: [to_base58btc(key.sign(bytes(64))) for _ in range(count)]
        yield "canonicalising", lambda: app.canonicalizer.n_quads_of_many(documents)
        yield "proofs", lambda: add_proofs(documents, options, key.sign, app.canonicalizer)
        caller, service, achievement = _desk(app)
        numbers = iter(range(10**9))

        def store() -> None:
            rows = [line.encode() for line in csv_rows(achievement, count, str(next(numbers)))]
            service.create(caller, awards_of_csv(rows), AwardOptions())

        yield "reading, storing, sealing", store
    finally:
        app.close()


def _desk(app: Any) -> tuple[Any, Any, str]:
    """An issuer's key, a service that awards without signing, and an achievement."""
    from registry.bootstrap import ADMIN_TOKEN_FILE
    from registry.credentials.awards import AwardService
    from registry.credentials.digest_only import DigestOnly
    from registry.services.policy import Policy

    admin = app.access.authenticate((app.settings.data_dir / ADMIN_TOKEN_FILE).read_text().strip())
    registered = app.issuers.register(admin, "Benchmark College", "https://college.example")
    caller = app.access.authenticate(registered.token)
    service = AwardService(
        app.store,
        app.chain,
        app.clock,
        Policy(),
        app.issuing,
        app.status,
        DigestOnly(),
        app.identity.did,
        app.publication.assigner,
    )
    return caller, service, app.achievements.create(caller, ACHIEVEMENT).id


def main(count: int, rounds: int) -> None:
    """Measure the parts, one after the other, and print them as JSON."""
    found = {}
    with tempfile.TemporaryDirectory() as name:
        for part, work in _parts(count, Path(name)):
            work()
            gc.collect()
            gc.freeze()  # as `rootmark serve` does
            times = []
            for _ in range(rounds):
                before = time.process_time()
                work()
                times.append(time.process_time() - before)
            found[part] = count / median(times)
    print(json.dumps(found))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
