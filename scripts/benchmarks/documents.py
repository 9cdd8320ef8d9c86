"""Verification of documents for each second of processor time: all that the API does with one, and its proof
alone.

Everything runs in this process, without HTTP, through `CredentialVerification.verify`, which the API calls:
form, proof, status, dates, and whether the registry knows the document (two digests, a query). The
credentials are badges signed by a did:key, each a different one. "Of a known shape": one like it was verified
before, so that its RDF is filled into a template; "the first of its shape" goes through JSON-LD expansion in
a worker process, whose processor time counts too. Parsing JSON is not measured, neither here nor at the peer.

The peer is the JavaScript reference library, installed on demand by the lock file beside
`reference/verify.mjs`, with the same credentials; the rounds alternate. Where Node.js, npm or its registry
are missing it is left out.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from scripts.benchmarks.awards import PER_CPU_SECOND, badges
from scripts.benchmarks.figures import Figure, Outcome, Target
from scripts.benchmarks.repository import ROOT
from scripts.benchmarks.server import tree_cpu_seconds
from scripts.lib.node_packages import node_environ

CREDENTIALS = 300
FIRST_OF_SHAPE = 20
ROUNDS = 3
WARM_UP_ROUNDS = 2
PEER = "javascript_reference_library"
REFERENCE = ROOT / "scripts" / "benchmarks" / "reference"
_INSTALL = "import sys, pathlib, scripts.lib.node_packages as npm; npm.ensure(pathlib.Path(sys.argv[1]))"
RDFC, JCS = "eddsa-rdfc-2022", "eddsa-jcs-2022"

Credentials = Sequence[Mapping[str, Any]]


@dataclass(slots=True)
class Side:
    """Something that verifies ``count`` credentials in a round; processor seconds of each round."""

    count: int
    round: Callable[[], float]
    seconds: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """The median."""
        return self.count / median(self.seconds)


def run(credentials: int | None, rounds: int | None) -> Outcome:
    """Measure ``credentials`` of each suite in each of ``rounds``."""
    count, rounds = credentials or CREDENTIALS, rounds or ROUNDS
    outcome = Outcome("documents")
    outcome.notes.append("processor time of this process, its workers and threads; parsing is not included")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        directory = Path(name)
        bench = stack.enter_context(_bench(directory / "data"))
        rdfc, jcs = bench.signed(RDFC, count), bench.signed(JCS, count)
        sides = _sides(bench, rdfc, jcs)
        try:
            sides["peer"] = Side(count, stack.enter_context(_reference(directory, rdfc)))
        except (OSError, subprocess.CalledProcessError) as error:
            outcome.notes.append(
                f"the peer is left out: Node.js or npm did not work ({type(error).__name__})"
            )
        first = min(FIRST_OF_SHAPE, count)
        new = iter([bench.of_new_shapes(first) for _ in range(WARM_UP_ROUNDS + rounds)])
        news = Side(first, lambda: _cpu(bench.verify, next(new)))
        gc.collect()
        gc.freeze()  # as `rootmark serve` does
        stack.callback(gc.unfreeze)
        for number in range(WARM_UP_ROUNDS + rounds):
            for side in (*sides.values(), news):
                seconds = side.round()
                if number >= WARM_UP_ROUNDS:
                    side.seconds.append(max(seconds, 1e-6))
    return _outcome(outcome, sides, news)


def _outcome(outcome: Outcome, sides: Mapping[str, Side], news: Side) -> Outcome:
    peer = sides["peer"].per_second if "peer" in sides else None
    name = PEER if peer else None

    def figure(title: str, side: Side, target: float | None = None, *, beside_peer: bool = True) -> Figure:
        bound = None if target is None else Target(target, at_least=True)
        with_peer = (peer, name) if beside_peer else (None, None)
        return Figure(title, PER_CPU_SECOND, side.per_second, *with_peer, bound)

    outcome.figures += [
        figure(f"{RDFC}, of a known shape", sides[RDFC], 900),
        figure(f"{RDFC}, proof alone", sides[f"{RDFC} proof"]),
        figure(f"{RDFC}, the first of its shape", news),
        figure(JCS, sides[JCS], 5_000, beside_peer=False),
        figure(f"{JCS}, proof alone", sides[f"{JCS} proof"], beside_peer=False),
    ]
    return outcome


def _sides(bench: _Bench, rdfc: Credentials, jcs: Credentials) -> dict[str, Side]:
    sides = {}
    for suite, signed in ((RDFC, rdfc), (JCS, jcs)):
        sides[suite] = Side(len(signed), partial(_cpu, bench.verify, signed))
        sides[f"{suite} proof"] = Side(len(signed), partial(_cpu, bench.check_proofs, signed))
    return sides


def _cpu(work: Callable[[Credentials], object], credentials: Credentials) -> float:
    """Processor seconds of some work: of this process exactly, of its children as the kernel counts them."""
    children = -_children_cpu_seconds()
    before = time.process_time()
    work(credentials)
    return time.process_time() - before + max(0.0, children + _children_cpu_seconds())


def _children_cpu_seconds() -> float:
    return tree_cpu_seconds(os.getpid()) - sum(os.times()[:2])


# --- the registry -------------------------------------------------------------------------------------------


class _Bench:
    """The registry in this process, and a key that signs for a did:key."""

    def __init__(self, app: Any) -> None:
        from registry.credentials.key_pairs import KeyPair
        from registry.credentials.keys import KeyType
        from registry.credentials.rdf import ContextStore, RdfCanonicalizer
        from registry.credentials.sources import Tools
        from registry.credentials.verification_methods import did_key, did_key_method

        self._app = app
        self._signing = RdfCanonicalizer(ContextStore())  # the measured one meets no document before its time
        self._key = KeyPair.generate(KeyType.ED25519)
        self._did, self._method = did_key(self._key.public), did_key_method(self._key.public)
        self._shapes = 0
        self._tools = Tools(
            app.canonicalizer, app.publication.documents({}), app.chain.ledgers(confirmations=1), _now(), {}
        )

    def close(self) -> None:
        """End what was started."""
        self._signing.close()

    def signed(self, suite: str, count: int) -> Credentials:
        """Badges as awards make them, without status lists, which would be looked for elsewhere."""
        return [self._signed(suite, _without_status(badge)) for badge in badges(count)]

    def of_new_shapes(self, count: int) -> Credentials:
        """Badges of which each has a shape that none had before."""
        made = []
        for badge in badges(count):
            self._shapes += 1
            subject = badge["credentialSubject"]
            tags = [f"tag {number}" for number in range(self._shapes % 32 + 1)]
            subject = {**subject, "achievement": {**subject["achievement"], "tag": tags}}
            evidence = [
                {"id": f"urn:evidence:{number}", "type": ["Evidence"], "name": "Film"}
                for number in range(self._shapes // 32 + 1)
            ]
            changed = {**_without_status(badge), "credentialSubject": subject, "evidence": evidence}
            made.append(self._signed(RDFC, changed))
        return made

    def _signed(self, suite: str, badge: dict[str, Any]) -> Mapping[str, Any]:
        from registry.credentials.keys import KeyType
        from registry.credentials.suites.signing import ProofOptions, add_proof

        issued = {**badge, "issuer": {**badge["issuer"], "id": self._did}}
        options = ProofOptions(suite, KeyType.ED25519, self._method, _now())
        made = add_proof(issued, options, self._key.sign, self._signing).document
        parsed: Mapping[str, Any] = json.loads(json.dumps(made))
        return parsed

    def verify(self, credentials: Credentials) -> None:
        """As the API does."""
        from registry.credentials.findings import Presented
        from registry.credentials.verification import DocumentRequest
        from registry.verdict.report import Outcome as Verdict

        for credential in credentials:
            report = self._app.documents.verify(DocumentRequest(Presented(credential), issuer=self._did))
            if report.outcome is not Verdict.VALID:
                raise RuntimeError(f"a credential does not verify: {report.summary}")

    def check_proofs(self, credentials: Credentials) -> None:
        """The proof alone."""
        from registry.credentials.suites.data_integrity import check_proofs
        from registry.verdict.report import CheckResult

        for credential in credentials:
            findings = check_proofs(credential, self._tools, owner=self._did)
            if any(finding.result is not CheckResult.PASS for finding in findings):
                raise RuntimeError(f"a proof does not verify: {findings}")


def _without_status(badge: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in badge.items() if name != "credentialStatus"}


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def _bench(data_dir: Path) -> Iterator[_Bench]:
    """A registry with an index that is up to date."""
    from registry.bootstrap import build
    from registry.settings import Settings

    app = build(
        Settings(data_dir=data_dir, public_url="https://college.example", max_index_age_seconds=3_600)
    )
    try:
        app.indexer.catch_up()
        bench = _Bench(app)
        try:
            yield bench
        finally:
            bench.close()
    finally:
        app.close()


# --- the peer -----------------------------------------------------------------------------------------------


@contextmanager
def _reference(directory: Path, credentials: Credentials) -> Iterator[Callable[[], float]]:
    """A process that verifies the credentials with the reference library each time it is asked to.

    Raises:
        OSError, subprocess.CalledProcessError: there is no Node.js, or the library cannot be installed.
    """
    command = [sys.executable, "-B", "-c", _INSTALL, str(REFERENCE)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    work = directory / "work.json"
    work.write_text(json.dumps({"contexts": _contexts(credentials[0]), "credentials": credentials}))
    command = ["node", str(REFERENCE / "verify.mjs"), str(work)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=node_environ(), text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        asked, told = process.stdin, process.stdout

        def verify() -> float:
            asked.write("\n")
            asked.flush()
            line = told.readline()
            if not line:
                raise RuntimeError("the reference library refused a credential")
            return float(line)

        yield verify
        asked.close()


def _contexts(credential: Mapping[str, Any]) -> dict[str, Any]:
    """The contexts of a credential, by their addresses."""
    from registry.credentials.rdf import ContextStore

    store = ContextStore()
    return {url: store.document(url) for url in credential["@context"]}
