"""A server whose index reads the chain through a node that a test can make lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from registry.chain.factory import open_rpc
from registry.chain.gateway import Web3Gateway
from registry.encoding import Digest, Root
from registry.model.chain import CallKind, ContractCall, RegistryEvent, UnsignedTransaction
from registry.model.issuers import Caller
from registry.services.audit import AuditService
from registry.services.claims import VerifyRequest
from registry.services.indexing import RETRY_SECONDS, Indexer
from registry.services.verification import VerificationPolicy, VerificationService
from registry.verdict.report import Outcome, Report
from tests.support.chains import embedded_chain
from tests.support.databases import database_url, postgres_server, postgres_url, sqlite_url
from tests.support.hostile_node import HostileNode, hostile_node
from tests.support.pipeline import World, digests, items, world_on

__all__ = ["Watched", "database_url", "postgres_server", "postgres_url", "sqlite_url", "watched"]


@dataclass
class Watched:
    """A server (``world``) that sends through an honest node and indexes through ``node``."""

    world: World
    node: HostileNode
    gateway: Web3Gateway

    def __post_init__(self) -> None:
        self.world.indexer = self.new_indexer("indexer")
        self.audit = AuditService(self.world.store, self.gateway, self.world.clock)
        self.verification = self._verification()

    def new_indexer(self, owner: str) -> Indexer:
        world = self.world
        return Indexer(
            world.store, self.gateway, world.clock, confirmations=world.policy.confirmations, owner=owner
        )

    def _verification(self) -> VerificationService:
        world = self.world
        return VerificationService(
            world.store, self.gateway, world.indexer, world.clock, VerificationPolicy()
        )

    def verify(self, digest: Digest, *, live: bool = False) -> Report:
        return self.verification.verify(VerifyRequest(digest=digest, live=live))

    def outcome(self, digest: Digest, *, live: bool = False) -> Outcome:
        return self.verify(digest, live=live).outcome

    def issue(self, caller: Caller, name: str, count: int = 3) -> list[Digest]:
        """A batch that is on chain; final as far as the node lets the server see it."""
        given = digests(count, name)
        self.world.issuing.create_batch(caller, items(given))
        self.world.settle()
        return given

    def later(self, seconds: float = RETRY_SECONDS) -> None:
        """Time passes, and the index looks at the node twice."""
        self.world.clock.advance(seconds)
        self.world.indexer.step()
        self.world.indexer.step()

    def mismatches(self) -> dict[bytes, str]:
        with self.world.store.read() as unit:
            return dict(unit.events.mismatches())

    def indexed(self) -> list[RegistryEvent]:
        with self.world.store.read() as unit:
            return [item.event for item in unit.events.list(limit=1_000_000)]

    def differences(self) -> set[str]:
        return {difference.kind for difference in self.audit.consistency().differences}

    def outside(self, caller: Caller, call: ContractCall) -> None:
        """Use the issuer's operating key as its thief would: past the server."""
        world = self.world
        assert caller.issuer is not None
        signer = world.operating.get(world.issuers.get(caller.issuer).key)
        to, data = world.chain.encoder.direct(call)
        fees = world.chain.fee_quote()
        signed = signer.sign_transaction(
            UnsignedTransaction(
                chain_id=world.chain.info.chain_id,
                nonce=world.chain.transaction_count(signer.address),
                to=to,
                data=data,
                gas_limit=300_000,
                max_fee_per_gas_wei=2 * fees.base_fee_wei + fees.priority_fee_wei,
                max_priority_fee_per_gas_wei=fees.priority_fee_wei,
            )
        )
        receipt = world.driven.mined(signed)
        assert receipt.status == 1
        world.indexer.catch_up()

    def anchor_outside(self, caller: Caller, root: Root) -> None:
        assert caller.issuer is not None
        self.outside(caller, ContractCall(CallKind.ANCHOR, caller.issuer, root=root))


@pytest.fixture
def watched(tmp_path: Path, database_url: str) -> Iterator[Watched]:
    """On the embedded chain and each database in turn; a block is final at once."""
    with (
        embedded_chain(tmp_path / "chain") as driven,
        world_on(driven, tmp_path, url=database_url) as world,
        hostile_node(driven.backend()) as node,
    ):
        gateway = open_rpc([node.url], has_finalized_tag=False, timeout_seconds=5.0)
        try:
            yield Watched(world, node, gateway)
        finally:
            gateway.close()
