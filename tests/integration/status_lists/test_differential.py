"""Published lists against verdicts: after every random change on the chain both say the same."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from registry.credentials.status.bitstring import entry
from registry.credentials.status.lists import Purpose
from registry.model.awards import Award
from registry.model.operations import RequestKind
from registry.model.reasons import Reason
from registry.ports.documents import Canonicalizer
from registry.services.claims import VerifyRequest
from registry.services.policy import Policy
from registry.services.verification import VerificationPolicy, VerificationService
from registry.verdict.report import Outcome, Report
from tests.integration.status_lists.conftest import Desk, desk_on
from tests.support.chains import embedded_chain
from tests.support.pipeline import ADMIN, world_on

AGAINST = frozenset({Outcome.REVOKED, Outcome.WITHDRAWN})
REVOCATION, SUSPENSION = Purpose


@dataclass
class Comparison:
    """The awards so far, and both ways to learn their status."""

    desk: Desk
    verification: VerificationService
    awards: list[Award] = field(default_factory=list)
    seen: set[Outcome] = field(default_factory=set)

    def verdicts(self) -> list[Report]:
        requests = [VerifyRequest(digest) for digest in self.desk.digests(self.awards)]
        reports = self.verification.verify_many(requests)
        assert all(isinstance(report, Report) for report in reports)
        return reports  # type: ignore[return-value]

    def compare(self) -> None:
        reports = self.verdicts()
        revoked: set[str] = set()
        bits = {
            (list_id, purpose): self.desk.bits(list_id, purpose)
            for list_id in {str(award.status_list) for award in self.awards if award.status_list}
            for purpose in Purpose
        }
        set_bits = {place: sum(byte.bit_count() for byte in found) for place, found in bits.items()}
        for award, report in zip(self.awards, reports, strict=True):
            self.seen.add(report.outcome)
            against = report.outcome in AGAINST
            if against:
                revoked.add(self.credential_id(award))
            if award.status_list is None or award.status_index is None:
                continue
            of_purpose = {
                purpose: entry(bits[award.status_list, purpose], award.status_index) for purpose in Purpose
            }
            assert of_purpose[REVOCATION] == int(against), report
            if not against:
                assert of_purpose[SUSPENSION] == int(report.outcome is Outcome.SUSPENDED), report
            for purpose in Purpose:
                set_bits[award.status_list, purpose] -= of_purpose[purpose] or 0
        assert not any(set_bits.values()), "a bit is set that is nobody's"
        assert set(self.desk.revoked()) == revoked

    def credential_id(self, award: Award) -> str:
        with self.desk.world.store.read() as unit:
            (mark,) = unit.awards.marked(award.issuer, [(award.batch_seq, award.index)], ())
        assert mark.credential_id is not None
        return UUID(mark.credential_id.removeprefix("urn:uuid:")).urn

    # --- changes --------------------------------------------------------------------------------------------

    def some(self, chance: random.Random) -> list[Award]:
        return chance.sample(self.awards, chance.randint(1, min(5, len(self.awards))))

    def issue(self, chance: random.Random) -> None:
        self.awards += self.desk.award(chance.randint(1, 4), status=chance.random() < 0.7)

    def change(self, chance: random.Random) -> None:
        kinds = (
            RequestKind.REVOCATION,
            RequestKind.SUSPENSION,
            RequestKind.SUSPENSION,
            RequestKind.REINSTATEMENT,
            RequestKind.ANNULMENT,
        )
        kind = chance.choice(kinds)
        self.desk.change(kind, self.some(chance), chance.choice(tuple(Reason)), settle=False)

    def withdraw(self, chance: random.Random) -> None:
        world, award = self.desk.world, chance.choice(self.awards)
        world.status.withdraw(self.desk.caller, award.batch_id, Reason.ISSUED_IN_ERROR)

    def annul_withdrawal(self, chance: random.Random) -> None:
        world, award = self.desk.world, chance.choice(self.awards)
        world.status.annul_withdrawal(self.desk.caller, award.batch_id, Reason.UNSPECIFIED)

    def step(self, chance: random.Random) -> None:
        """A change, looked at while it is mined and not final, and once it is."""
        changes = (self.change, self.change, self.change, self.withdraw, self.annul_withdrawal, self.issue)
        chance.choice(changes)(chance)
        world = self.desk.world
        for _ in range(2):
            world.step()
            world.driven.mine(1)
            world.indexer.catch_up()
            self.compare()
        world.settle()
        self.compare()


@pytest.fixture
def comparison(tmp_path: Path, canonicalizer: Canonicalizer) -> Iterator[Comparison]:
    with (
        embedded_chain(tmp_path / "chain") as driven,
        world_on(driven, tmp_path, policy=Policy(confirmations=2)) as world,
    ):
        desk = desk_on(world, canonicalizer)
        verification = VerificationService(
            world.store, world.chain, world.indexer, world.clock, VerificationPolicy()
        )
        comparison = Comparison(desk, verification)
        comparison.awards += desk.award(3)
        comparison.awards += desk.award(3)
        yield comparison


@pytest.mark.parametrize("seed", range(3))
def test_bits_equal_verdicts_after_every_change(comparison: Comparison, seed: int) -> None:
    chance = random.Random(seed)
    comparison.compare()
    for _ in range(10):
        comparison.step(chance)
    assert comparison.seen & AGAINST
    assert Outcome.VALID in comparison.seen


def test_bits_equal_verdicts_when_a_keys_end_voids_anchors(comparison: Comparison) -> None:
    desk, world = comparison.desk, comparison.desk.world
    world.clock.advance(10)
    world.driven.mine(1)
    early = list(comparison.awards)
    late = desk.award(2)
    comparison.awards += late
    with world.store.read() as unit:
        row = unit.issuers.get(desk.issuer)
        batch = unit.batches.by_seq(late[0].batch_seq)
    assert row is not None
    assert batch is not None
    assert batch.anchor is not None
    end = batch.anchor.anchored_at - timedelta(seconds=1)
    anchors_before = world.batch(early[0].batch_id).anchor
    assert anchors_before is not None
    world.issuers.retire_key(ADMIN, desk.issuer, row.key, end, Reason.KEY_COMPROMISE)
    for _ in range(2):
        world.step()
        world.driven.mine(1)
        world.indexer.catch_up()
        comparison.compare()
    world.settle()
    comparison.compare()
    assert [desk.bit(award) for award in late] == [1, 1]
    expected = int(anchors_before.anchored_at >= end)
    assert desk.bit(early[0]) == expected
    reasons = desk.revoked()
    assert {reasons[comparison.credential_id(award)] for award in late} == {"key compromise"}
