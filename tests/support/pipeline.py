"""The services of one server over one store and one driven chain, with a clock that tests move."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from registry.chain.keystore import EncryptedKeystore
from registry.encoding import Address, Digest, DigestMethod, Root
from registry.errors import NodeMismatchError
from registry.model.batches import Batch, BatchState
from registry.model.chain import EventKind, RegistryEvent
from registry.model.issuers import Caller, Scope
from registry.model.operations import Operation, OperationState, OutboxTransaction, TransactionState
from registry.ports.store import Store
from registry.services.access import AccessService, new_token, token_sha256
from registry.services.anchoring import Pipeline
from registry.services.indexing import Indexer
from registry.services.issuers import IssuerService, Registration
from registry.services.issuing import IssuingService, NewItem
from registry.services.policy import Policy
from registry.services.sealing import Checkpoint, no_checkpoint
from registry.services.status import StatusService
from registry.store import open_store
from tests.support.chains import DrivenChain

ADMIN = Caller("admin", None, None, frozenset({Scope.ADMIN, Scope.AUDIT, Scope.READ}))
MAX_ROUNDS = 60


class ManualClock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self._now = datetime.now(UTC)

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


@dataclass
class World:
    """One server. ``settle`` mines and works until nothing is left to do."""

    driven: DrivenChain
    store: Store
    policy: Policy
    directory: Path
    clock: ManualClock = field(default_factory=ManualClock)
    admin_token: str = field(default_factory=new_token)

    def __post_init__(self) -> None:
        chain = self.driven.gateway
        self.chain = chain
        self.operating = EncryptedKeystore(self.directory / "operating", b"o" * 32, strong_kdf=False)
        self.admins = EncryptedKeystore(self.directory / "admins", b"a" * 32, strong_kdf=False)
        self.relayer = self.driven.signer
        self.access = AccessService(self.store, self.clock, token_sha256(self.admin_token))
        self.issuers = IssuerService(
            self.store, chain, self.operating, self.admins, self.relayer, self.clock, self.policy
        )
        self.issuing = IssuingService(self.store, chain, self.clock, self.policy)
        self.status = StatusService(self.store, chain, self.clock, self.policy)
        self.indexer = Indexer(
            self.store, chain, self.clock, confirmations=self.policy.confirmations, owner="indexer"
        )
        self.pipeline = self.new_pipeline("one")

    def new_pipeline(self, owner: str, checkpoint: Checkpoint = no_checkpoint) -> Pipeline:
        return Pipeline(
            self.store,
            self.chain,
            self.operating,
            self.admins,
            self.relayer,
            self.clock,
            self.policy,
            owner,
            checkpoint,
        )

    def with_policy(self, **changes: object) -> World:
        """The same server under other limits."""
        changed = World(
            self.driven,
            self.store,
            replace(self.policy, **changes),
            self.directory,
            self.clock,  # type: ignore[arg-type]
        )
        changed.admin_token = self.admin_token
        return changed

    # --- work -----------------------------------------------------------------------------------------------

    def work(self, rounds: int = 1) -> None:
        """Rounds of pipeline and indexer, without mining."""
        for _ in range(rounds):
            self.step()
            self.indexer.step()

    def step(self, pipeline: Pipeline | None = None) -> bool:
        """The chain into the index, then one round of the pipeline, as a worker does it: a node that is
        behind the index stops the one and not the other."""
        with suppress(NodeMismatchError):
            self.indexer.catch_up()
        return (pipeline or self.pipeline).step()

    def settle(self, pipeline: Pipeline | None = None) -> None:
        """Work and mine until no operation is on its way, or nothing moves any more."""
        pipeline = pipeline or self.pipeline
        idle = 0
        for _ in range(MAX_ROUNDS):
            moved = self.step(pipeline)
            self.driven.mine(1)
            self.indexer.catch_up()
            idle = 0 if moved else idle + 1
            if idle > self.policy.confirmations:
                return
        raise AssertionError("the pipeline does not come to rest")

    def hosted(self) -> tuple[Registration, Caller]:
        """A hosted issuer, registered and active, and its first key's bearer."""
        registration = self.issuers.register(ADMIN, "Example College", "https://college.example/")
        self.settle()
        return registration, self.access.authenticate(registration.token)

    def batch(self, batch_id: str) -> Batch:
        return self.issuing.batch(None, batch_id)

    def final_batch(self, caller: Caller, digests: Sequence[Digest]) -> Batch:
        batch = self.issuing.create_batch(caller, items(digests))
        self.settle()
        batch = self.batch(batch.id)
        assert batch.state is BatchState.FINAL, (batch.state, batch.error)
        return batch

    # --- looking --------------------------------------------------------------------------------------------

    def operations(self, *states: OperationState) -> Sequence[Operation]:
        with self.store.read() as unit:
            return unit.outbox.operations(states=states or tuple(OperationState))

    def transactions(self, *states: TransactionState) -> Sequence[OutboxTransaction]:
        with self.store.read() as unit:
            return unit.outbox.transactions(states=states or tuple(TransactionState))

    def events(self, issuer: Address | None = None) -> Sequence[RegistryEvent]:
        """From the chain itself."""
        return self.chain.events_in_range(0, self.chain.latest().number, issuer=issuer)

    def anchors(self, root: Root | None = None) -> Sequence[RegistryEvent]:
        return [
            event
            for event in self.events()
            if event.kind is EventKind.BATCH_ANCHORED and (root is None or event.root == root)
        ]

    def gas_used_total(self) -> int:
        with self.store.read() as unit:
            return unit.outbox.gas_used_total()

    def feed(self) -> list[str]:
        with self.store.read() as unit:
            return [item.kind for item in unit.feed.after(0, 1000)]


def digests(count: int, name: str = "credential") -> list[Digest]:
    """Distinct digests, the same for the same name."""
    return [Digest(hashlib.sha256(f"{name} {i}".encode()).digest()) for i in range(count)]


def items(given: Sequence[Digest]) -> Iterator[NewItem]:
    return (NewItem(digest, DigestMethod.OPAQUE) for digest in given)


@contextmanager
def world_on(
    driven: DrivenChain, directory: Path, *, url: str | None = None, policy: Policy | None = None
) -> Iterator[World]:
    """A server on that chain, with a SQLite file unless ``url`` names another database."""
    store = open_store(url or f"sqlite:///{directory / 'rootmark.db'}", migrate=True)
    try:
        yield World(driven, store, policy or Policy(), directory)
    finally:
        store.close()
