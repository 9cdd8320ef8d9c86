"""An issuer that awards with places in status lists, over the embedded chain and either database."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from registry.credentials.achievements import AchievementService
from registry.credentials.award_values import AwardRequest, Place, Recipient
from registry.credentials.awarding import AwardOptions
from registry.credentials.awards import AwardService
from registry.credentials.digest_only import DigestOnly
from registry.credentials.identity import IdentityService
from registry.credentials.keystore import EncryptedCredentialKeystore
from registry.credentials.publication import Publication, publication
from registry.credentials.rdf.canonicalizer import RdfCanonicalizer
from registry.credentials.rdf.context_store import ContextStore
from registry.credentials.status.bitstring import decode, entry
from registry.credentials.status.lists import Purpose, public_id
from registry.encoding import Address, Digest
from registry.model.awards import Award
from registry.model.batches import BatchState, Entry
from registry.model.issuers import Caller
from registry.model.operations import RequestKind
from registry.model.reasons import Reason
from registry.ports.documents import Canonicalizer
from registry.services.policy import Policy
from tests.support.chains import embedded_chain
from tests.support.databases import database_url, postgres_server, postgres_url, sqlite_url
from tests.support.pipeline import ADMIN, World, world_on
from tests.unit.credentials.awards.samples import PLAIN

__all__ = ["database_url", "postgres_server", "postgres_url", "sqlite_url"]

BASE = "https://registry.example"
MAX_INDEX_AGE_SECONDS = 60.0


class Keys(EncryptedCredentialKeystore):
    """Counts the signatures that are made."""

    signed = 0

    def get(self, public_key: bytes) -> Any:
        Keys.signed += 1
        return super().get(public_key)


@dataclass
class Desk:
    """An issuer, what it awards with, and what is published of it."""

    world: World
    canonicalizer: Canonicalizer
    caller: Caller
    issuer: Address
    achievement: str
    rows: int = field(default=0)

    def identity(self, base: str = BASE) -> IdentityService:
        world = self.world
        keys = Keys(world.directory / "signing", b"c" * 64)
        accounts = [world.operating, world.admins]
        return IdentityService(world.store, world.chain, keys, accounts, world.clock, base)

    def published(self, base: str = BASE) -> Publication:
        """Another process of the server: nothing is remembered."""
        return publication(
            self.world.store,
            self.identity(base),
            self.canonicalizer,
            self.world.clock,
            max_index_age_seconds=MAX_INDEX_AGE_SECONDS,
        )

    @cached_property
    def publication(self) -> Publication:
        return self.published()

    @cached_property
    def awards(self) -> AwardService:
        world = self.world
        return AwardService(
            world.store,
            world.chain,
            world.clock,
            world.policy,
            world.issuing,
            world.status,
            DigestOnly(),
            self.publication.identity.did,
            self.publication.assigner,
        )

    def award(self, count: int = 1, *, settle: bool = True, status: bool = True) -> list[Award]:
        """A batch of new awards."""
        rows = [
            AwardRequest(
                Place(), Recipient(email=f"learner{self.rows + n}@college.example"), self.achievement
            )
            for n in range(count)
        ]
        self.rows += count
        made = self.awards.create(self.caller, rows, AwardOptions(credential_status=status))
        assert made.batch is not None
        if settle:
            self.world.settle()
            assert self.world.batch(made.batch.id).state is BatchState.FINAL
        with self.world.store.read() as unit:
            return list(unit.awards.by_places([(made.batch.seq, index) for index in range(count)]))

    def entries(self, awards: Sequence[Award]) -> list[Entry]:
        with self.world.store.read() as unit:
            return list(unit.entries.by_indices([(award.batch_seq, award.index) for award in awards]))

    def digests(self, awards: Sequence[Award]) -> list[Digest]:
        return [one.digest for one in self.entries(awards)]

    def change(
        self,
        kind: RequestKind,
        awards: Sequence[Award],
        reason: Reason = Reason.MISCONDUCT,
        *,
        settle: bool = True,
    ) -> None:
        """Ask for a change of these awards' status."""
        self.world.status.change(self.caller, kind, self.digests(awards), reason)
        if settle:
            self.world.settle()

    def bit(self, award: Award, purpose: Purpose = Purpose.REVOCATION) -> int | None:
        """The award's bit in the list that is published now."""
        assert award.status_list is not None
        assert award.status_index is not None
        return entry(self.bits(award.status_list, purpose), award.status_index)

    def bits(self, list_id: str, purpose: Purpose) -> bytes:
        """The published bits."""
        return decode(self.list(list_id, purpose)["credentialSubject"]["encodedList"])

    def list(self, list_id: str, purpose: Purpose = Purpose.REVOCATION) -> dict[str, Any]:
        """The published list."""
        body = self.publication.status_lists.published(public_id(list_id, purpose)).body
        found: dict[str, Any] = json.loads(body)
        return found

    def revoked(self) -> dict[str, str]:
        """The list of revoked awards: reasons by credential."""
        lists = self.publication.revocations
        document = json.loads(b"".join(lists.written(lists.current(self.issuer))))
        found = {one["id"]: one["revocationReason"] for one in document["revokedAssertions"]}
        assert len(found) == len(document["revokedAssertions"])
        return found


@pytest.fixture(scope="session")
def canonicalizer() -> Iterator[Canonicalizer]:
    with RdfCanonicalizer(ContextStore(), workers=1) as made:
        yield made


def desk_on(world: World, canonicalizer: Canonicalizer) -> Desk:
    """A desk for a new issuer."""
    registration = world.issuers.register(ADMIN, "Example College", "https://college.example/")
    world.settle()
    caller = world.access.authenticate(registration.token)
    assert caller.issuer is not None
    made = AchievementService(world.store, world.clock).create(caller, PLAIN)
    return Desk(world, canonicalizer, caller, caller.issuer, made.id)


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    """Five blocks make a transaction final, so that the latest and the final view differ for a while."""
    policy = Policy(confirmations=5, store_documents=True)
    with (
        embedded_chain(tmp_path / "chain") as driven,
        world_on(driven, tmp_path, url=database_url, policy=policy) as world,
    ):
        yield world


@pytest.fixture
def desk(world: World, canonicalizer: Canonicalizer) -> Desk:
    return desk_on(world, canonicalizer)
