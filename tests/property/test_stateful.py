"""A server driven at random against a model of a few lines: whatever happened, in whatever order, the
server's verdict, the offline verifier's and the model's are the same once nothing is on its way any more, and
the first two are the same at every moment.

The clock stands still unless the machine moves it, for the server and for the embedded chain beneath it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from registry.bootstrap import App, build
from registry.chain.embedded import EmbeddedChain
from registry.chain.embedded.testing import EmbeddedTesting, Snapshot
from registry.encoding import Address, Digest, DigestMethod, to_hex
from registry.merkle import InclusionProof, proof_from_json
from registry.model.batches import BatchState
from registry.model.issuers import Caller, Scope
from registry.model.operations import OperationState, RequestKind, TransactionState
from registry.model.reasons import Reason
from registry.services.claims import VerifyRequest
from registry.services.issuing import NewItem
from registry.services.offline import Trust, verify_with_rpc
from registry.settings import load_settings
from registry.verdict.report import Outcome

pytestmark = pytest.mark.slow

CONFIRMATIONS = 3
SIZE = 3
MAX_ROUNDS = 80
RESEND_SECONDS = 16
LEASE_SECONDS = 30
SERVER_ADMIN = Caller("admin", None, None, frozenset({Scope.ADMIN, Scope.AUDIT, Scope.READ}))
NUMBER = st.integers(0, 1000)


class Clock:
    """Time for the server and its chain."""

    def __init__(self) -> None:
        self.seconds = int(datetime(2026, 11, 23, tzinfo=UTC).timestamp())

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def __call__(self) -> float:
        return float(self.seconds)

    def advance(self, seconds: int) -> None:
        self.seconds += seconds


@dataclass
class Batch:
    """What the model knows of a batch."""

    id: str
    digests: list[Digest]
    proofs: list[InclusionProof]
    anchored_at: int | None = None
    withdrawn: bool = False


@dataclass
class Model:
    """An issuer: what must hold once everything that was asked for is done."""

    batches: list[Batch] = field(default_factory=list)
    revoked: set[Digest] = field(default_factory=set)
    suspended: set[Digest] = field(default_factory=set)
    valid_until: int | None = None

    def outcome(self, batch: Batch, digest: Digest) -> Outcome:
        assert batch.anchored_at is not None
        if batch.withdrawn or (self.valid_until is not None and batch.anchored_at >= self.valid_until):
            return Outcome.WITHDRAWN
        if digest in self.revoked:
            return Outcome.REVOKED
        return Outcome.SUSPENDED if digest in self.suspended else Outcome.VALID


def digests_of(number: int) -> list[Digest]:
    return [Digest(sha256(f"{number} {i}".encode()).digest()) for i in range(SIZE)]


def items(digests: list[Digest]) -> Iterator[NewItem]:
    return (NewItem(digest, DigestMethod.OPAQUE) for digest in digests)


def open_app(directory: Path, clock: Clock) -> App:
    return build(load_settings(data_dir=directory, confirmations=CONFIRMATIONS), clock=clock)


class Machine(RuleBasedStateMachine):
    """One hosted issuer. Actions are asked for and left on their way; `settle` lets them arrive."""

    template: Path
    clock_at_template: int
    token: str
    first_batch: str
    clock: Clock

    @initialize()
    def begin(self) -> None:
        self.place = TemporaryDirectory(prefix="rootmark-stateful-")
        self.directory = Path(self.place.name) / "data"
        shutil.copytree(self.template, self.directory)
        self.clock.seconds = self.clock_at_template
        self.app = open_app(self.directory, self.clock)
        self.caller = self.app.access.authenticate(self.token)
        assert self.caller.issuer is not None
        self.issuer = self.caller.issuer
        self.model = Model()
        self.issued = 1
        batch = self.app.issuing.batch(None, self.first_batch)
        self.remember(batch.id, digests_of(1))
        assert batch.anchor is not None
        self.model.batches[0].anchored_at = int(batch.anchor.anchored_at.timestamp())
        self.settled = True

    def teardown(self) -> None:
        if not hasattr(self, "app"):
            return
        try:
            self.settle()
            self.everybody_agrees()
            with self.app.store.read() as unit:
                feed = [item.kind for item in unit.feed.after(0, 10_000, issuer=self.issuer)]
            assert feed.count("batch.final") == len(self.model.batches)
        finally:
            self.app.close()
            self.place.cleanup()

    # --- time and blocks ------------------------------------------------------------------------------------

    @property
    def testing(self) -> EmbeddedTesting:
        return EmbeddedTesting(self.app.chain.chain)  # type: ignore[attr-defined]

    def round(self) -> None:
        """The worker's turn, then a block."""
        self.app.indexer.catch_up()
        self.app.pipeline.step()
        self.mine(1)

    def mine(self, blocks: int) -> None:
        for _ in range(blocks):
            self.clock.advance(1)
            self.testing.mine(1)

    def on_its_way(self) -> bool:
        open_operations = {OperationState.QUEUED, OperationState.SUBMITTED, OperationState.MINED}
        open_transactions = {TransactionState.SIGNED, TransactionState.MINED}
        with self.app.store.read() as unit:
            return bool(
                unit.outbox.operations(states=open_operations)
                or unit.outbox.transactions(states=open_transactions)
            )

    # --- rules ----------------------------------------------------------------------------------------------

    @rule()
    @precondition(lambda self: self.model.valid_until is None and len(self.model.batches) < 4)
    def issue(self) -> None:
        self.issued += 1
        digests = digests_of(self.issued)
        made = self.app.issuing.create_batch(self.caller, items(digests))
        self.remember(made.id, digests)
        self.settled = False

    @rule(which=NUMBER, kind=st.sampled_from([RequestKind.REVOCATION, RequestKind.SUSPENSION]))
    @precondition(lambda self: self.model.batches and self.model.valid_until is None)
    def set_status(self, which: int, kind: RequestKind) -> None:
        digest = self.some_digest(which)
        self.change(kind, digest)
        (self.model.revoked if kind is RequestKind.REVOCATION else self.model.suspended).add(digest)

    @rule(which=NUMBER)
    @precondition(lambda self: self.model.batches and self.model.valid_until is None)
    def reinstate(self, which: int) -> None:
        digest = self.preferably(self.model.suspended, which)
        self.change(RequestKind.REINSTATEMENT, digest)
        self.model.suspended.discard(digest)

    @rule(which=NUMBER)
    @precondition(lambda self: self.model.batches)
    def annul(self, which: int) -> None:
        digest = self.preferably(self.model.revoked, which)
        self.change(RequestKind.ANNULMENT, digest)
        self.model.revoked.discard(digest)

    @rule(which=NUMBER)
    @precondition(lambda self: self.model.batches)
    def withdraw(self, which: int) -> None:
        batch = self.model.batches[which % len(self.model.batches)]
        self.app.status.withdraw(self.caller, batch.id, Reason.ISSUED_IN_ERROR)
        batch.withdrawn = True
        self.settled = False

    @rule(which=NUMBER)
    @precondition(lambda self: any(batch.withdrawn for batch in self.model.batches))
    def annul_withdrawal(self, which: int) -> None:
        withdrawn = [batch for batch in self.model.batches if batch.withdrawn]
        batch = withdrawn[which % len(withdrawn)]
        self.app.status.annul_withdrawal(self.caller, batch.id, Reason.UNSPECIFIED)
        batch.withdrawn = False
        self.settled = False

    @rule(which=NUMBER, past=st.booleans())
    @precondition(lambda self: self.model.batches and self.model.valid_until is None)
    def retire(self, which: int, past: bool) -> None:
        """Disown from now on, or everything from a batch on. What is on its way arrives before, so that it is
        known which anchors the key made when."""
        self.settle()
        self.clock.advance(1)
        at = self.model.batches[which % len(self.model.batches)].anchored_at if past else None
        key = self.app.issuers.get(self.issuer).key
        instant = None if at is None else datetime.fromtimestamp(at, UTC)
        self.app.issuers.retire_key(self.caller, self.issuer, key, instant, Reason.KEY_COMPROMISE)
        self.model.valid_until = self.clock.seconds if at is None else at
        self.settled = False

    @rule()
    def work(self) -> None:
        self.round()

    @rule(depth=st.integers(1, CONFIRMATIONS - 1))
    def reorg(self, depth: int) -> None:
        """The newest blocks, none of them final, are replaced by others; their transactions are forgotten."""
        number = self.app.chain.latest().number - depth
        self.testing.revert(Snapshot(self.app.chain.header(number).hash, number))
        self.mine(depth)
        self.settled = False

    @rule(clean=st.booleans())
    def restart(self, clean: bool) -> None:
        """Stop and start; unclean, the leases are still another's, and run out."""
        self.app.close()
        self.app = open_app(self.directory, self.clock)
        self.caller = self.app.access.authenticate(self.token)
        if not clean:
            self.occupy("indexer", *(f"sender:31337:{to_hex(sender)}" for sender in self.senders()))
            self.clock.advance(LEASE_SECONDS + 1)

    @rule()
    def settle(self) -> None:
        self.clock.advance(RESEND_SECONDS)
        for _ in range(MAX_ROUNDS):
            self.round()
            if not self.on_its_way():
                break
            self.clock.advance(2)
        assert not self.on_its_way()
        self.app.indexer.catch_up()
        for batch in self.model.batches:
            stored = self.app.issuing.batch(None, batch.id)
            assert stored.state is BatchState.FINAL, stored.error
            assert stored.anchor is not None
            batch.anchored_at = int(stored.anchor.anchored_at.timestamp())
        with self.app.store.read() as unit:
            assert not unit.outbox.operations(states={OperationState.FAILED})
        self.settled = True

    # --- what must hold -------------------------------------------------------------------------------------

    @invariant()
    def everybody_agrees(self) -> None:
        if not hasattr(self, "app"):
            return
        self.app.indexer.catch_up()
        assert self.app.audit.issuer(self.issuer).match
        for batch, digest, proof in self.credentials():
            server, offline = self.verdicts(digest, proof)
            if server is Outcome.PENDING and offline is Outcome.NOT_FOUND:
                assert self.app.issuing.batch(None, batch.id).anchor is None
            else:
                assert server is offline
            if self.settled:
                assert server is self.model.outcome(batch, digest)
        if self.settled:
            kinds = {difference.kind for difference in self.app.audit.consistency().differences}
            assert kinds <= {"anchor_voided"}

    # --- helpers --------------------------------------------------------------------------------------------

    def remember(self, batch_id: str, digests: list[Digest]) -> None:
        proofs = [proof_from_json(proof) for proof in self.app.issuing.proofs(self.caller, batch_id)]
        self.model.batches.append(Batch(batch_id, digests, proofs))

    def senders(self) -> list[Address]:
        key = self.app.issuers.get(self.issuer).key
        return [self.issuer, key, self.app.chain.funder.address]  # type: ignore[attr-defined]

    def occupy(self, *leases: str) -> None:
        """Leave them to a process that is gone."""
        with self.app.store.write() as unit:
            for name in leases:
                assert unit.leases.acquire(name, "gone", LEASE_SECONDS, self.clock.now()) is not None

    def change(self, kind: RequestKind, digest: Digest) -> None:
        self.app.status.change(self.caller, kind, [digest], Reason.MISCONDUCT)
        self.settled = False

    def some_digest(self, which: int) -> Digest:
        digests = [digest for batch in self.model.batches for digest in batch.digests]
        return digests[which % len(digests)]

    def preferably(self, these: set[Digest], which: int) -> Digest:
        """One of these if there are any, else any."""
        return sorted(these)[which % len(these)] if these else self.some_digest(which)

    def credentials(self) -> Iterator[tuple[Batch, Digest, InclusionProof]]:
        for batch in self.model.batches:
            for digest, proof in zip(batch.digests, batch.proofs, strict=True):
                yield batch, digest, proof

    def verdicts(self, digest: Digest, proof: InclusionProof) -> tuple[Outcome, Outcome]:
        """The server's, and that from the same chain without the server."""
        request = VerifyRequest(digest=digest, proof=proof)
        trust = Trust(issuers={self.issuer: None}, confirmations=CONFIRMATIONS)
        offline = verify_with_rpc(request, [self.app.chain], trust, now=self.clock.now())
        return self.app.verification.verify(request).outcome, offline.outcome


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The one clock, for every embedded chain that is opened too."""
    made = Clock()
    defaults = EmbeddedChain.__init__.__kwdefaults__
    assert "clock" in defaults
    monkeypatch.setitem(defaults, "clock", made)
    return made


@pytest.fixture
def machine(tmp_path: Path, clock: Clock) -> Callable[[], Machine]:
    """Machines that begin with an active issuer and its first batch."""
    template = tmp_path / "template"
    app = open_app(template, clock)
    registration = app.issuers.register(SERVER_ADMIN, "Example College", "https://college.example/")
    batch = app.issuing.create_batch(app.access.authenticate(registration.token), items(digests_of(1)))
    testing = EmbeddedTesting(app.chain.chain)  # type: ignore[attr-defined]
    for _ in range(12):
        app.indexer.catch_up()
        app.pipeline.step()
        clock.advance(1)
        testing.mine(1)
    app.close()

    class Begun(Machine):
        pass

    Begun.template, Begun.clock_at_template = template, clock.seconds
    Begun.token, Begun.first_batch, Begun.clock = registration.token, batch.id, clock
    return Begun


def test_server_offline_verifier_and_model_agree_whatever_happens(machine: Callable[[], Machine]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=20,
            stateful_step_count=15,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
