"""Awards and their entries are stored together or not at all, whatever breaks on the way."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from registry.credentials.achievements import AchievementService
from registry.credentials.award_values import AwardRequest, BadRow, Place, Recipient, Row
from registry.credentials.awarding import (
    SECURED_AT_ONCE,
    AwardOptions,
    Secured,
    Securer,
    StatusAssigner,
)
from registry.credentials.awards import STORED_AT_ONCE, AwardService
from registry.credentials.digest_only import DigestOnly
from registry.credentials.status.lists import StatusPlace
from registry.encoding import Address
from registry.errors import (
    ExternalIdConflictError,
    Fault,
    ForbiddenError,
    PreconditionFailedError,
    RootmarkError,
    SignerError,
    UndefinedTermError,
    ValidationError,
    WrongStateError,
)
from registry.model.batches import BatchState
from registry.model.issuers import Caller, Scope
from registry.model.operations import OperationState, RequestState
from registry.ports.store import Unit
from registry.services.issuing import IssuingService
from registry.services.receiving import Receiver
from registry.services.sealing import Checkpoint, find_damage, no_checkpoint
from tests.support.pipeline import ADMIN, World
from tests.unit.credentials.awards.samples import PLAIN

OPTIONS = AwardOptions()


class Died(BaseException):
    """The process is gone at this point."""


@dataclass
class Watched:
    """Secures as `DigestOnly` does, notes how much at once, and fails when it is told to."""

    error: Exception | None = None
    fails_after: int = 0
    sizes: list[int] = field(default_factory=list)

    def secure_many(
        self, issuer: Address, documents: Sequence[dict[str, Any]], further: Sequence[str] = ()
    ) -> list[Secured]:
        if self.error is not None and len(self.sizes) >= self.fails_after:
            raise self.error
        self.sizes.append(len(documents))
        return DigestOnly().secure_many(issuer, documents, further)


class Lists:
    """Gives out the places of one list for each purpose, in the transaction that it is given."""

    def assign(self, unit: Unit, issuer: Address, count: int) -> list[StatusPlace]:
        first = int(unit.meta.get("places") or 0)
        unit.meta.set("places", str(first + count))
        return [
            StatusPlace("list", index, (entry("revocation", index), entry("suspension", index)))
            for index in range(first, first + count)
        ]


def entry(purpose: str, index: int) -> dict[str, Any]:
    address = f"https://college.example/status/{purpose}"
    return {
        "id": f"{address}#{index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": str(index),
        "statusListCredential": address,
    }


@dataclass
class Desk:
    """An issuer with an achievement, and the services that it awards by."""

    world: World
    caller: Caller
    achievement: str

    def service(
        self,
        securer: Securer | None = None,
        assigner: StatusAssigner | None = None,
        checkpoint: Checkpoint = no_checkpoint,
    ) -> AwardService:
        world = self.world
        issuing = IssuingService(world.store, world.chain, world.clock, world.policy, checkpoint)
        return AwardService(
            world.store,
            world.chain,
            world.clock,
            world.policy,
            issuing,
            world.status,
            securer or DigestOnly(),
            lambda issuer: f"did:example:{issuer.hex()}",
            assigner,
        )

    def row(self, number: int = 0, **more: Any) -> AwardRequest:
        recipient = Recipient(email=f"learner{number}@college.example")
        return AwardRequest(Place(line=number + 2), recipient, self.achievement, **more)

    def rows(self, count: int) -> Iterator[Row]:
        return (self.row(number) for number in range(count))

    def nothing_left(self) -> bool:
        with self.world.store.read() as unit:
            return not any(unit.batches.count_by_state().values()) and not unit.awards.page(None)


@pytest.fixture
def desk(world: World) -> Desk:
    registration = world.issuers.register(ADMIN, "Example College", "https://college.example/")
    caller = world.access.authenticate(registration.token)
    made = AchievementService(world.store, world.clock).create(caller, PLAIN)
    return Desk(world, caller, made.id)


# --- what breaks --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("boundary", ["after_chunk", "within"])
def test_crash_leaves_no_award_without_its_entry_and_the_worker_removes_both(
    desk: Desk, boundary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(name: str) -> None:
        if name == "after_chunk":
            raise Died

    world = desk.world
    with monkeypatch.context() as patch:
        patch.setattr(Receiver, "_discard", lambda *_: None)
        if boundary == "within":
            patch.setattr("registry.credentials.awards._Recorder.store", lambda *_: die("after_chunk"))
        with pytest.raises(Died):
            desk.service(checkpoint=die).create(desk.caller, desk.rows(3), OPTIONS)
    with world.store.read() as unit:
        assert unit.batches.count_by_state()[BatchState.RECEIVING] == 1
        assert len(list(unit.entries.leaf_inputs(1))) == (3 if boundary == "after_chunk" else 0)
        assert unit.awards.page(None) == []
    world.clock.advance(world.policy.abandoned_after_seconds + 1)
    world.issuing.seal_due()
    assert desk.nothing_left()
    with world.store.read() as unit:
        assert list(unit.entries.leaf_inputs(1)) == []


def test_crash_while_sealing_leaves_an_unsealed_batch_and_no_link(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = desk.service()
    old = service.create(desk.caller, desk.rows(1), OPTIONS).listed[0].award_id

    def die(*_: object) -> None:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(Receiver, "_discard", lambda *_: None)
        patch.setattr(AwardService, "_revoke", die)
        with pytest.raises(Died):
            service.supersede(desk.caller, old, desk.row(credits_earned=1), OPTIONS)
    view, _ = service.get(desk.caller, old)
    assert view.award.superseded_by is None
    with desk.world.store.read() as unit:
        assert unit.batches.count_by_state()[BatchState.RECEIVING] == 1
        assert len(unit.awards.page(None)) == 1


def test_signing_that_fails_midway_leaves_nothing(desk: Desk) -> None:
    securer = Watched(SignerError("the key is gone"), fails_after=2)
    with pytest.raises(SignerError):
        desk.service(securer).create(desk.caller, desk.rows(STORED_AT_ONCE + 1), OPTIONS)
    assert securer.sizes == [SECURED_AT_ONCE] * 2
    assert desk.nothing_left()


def test_credential_that_cannot_be_secured_is_named_by_its_row(desk: Desk) -> None:
    error = UndefinedTermError(
        "a term is not defined", faults=[Fault("undefined-term", "nickname", "/1/credentialSubject")]
    )
    with pytest.raises(UndefinedTermError) as raised:
        desk.service(Watched(error)).create(desk.caller, desk.rows(3), OPTIONS)
    (fault,) = raised.value.faults
    assert (fault.line, fault.code) == (3, "undefined-term")
    assert "/credentialSubject" in fault.detail
    assert desk.nothing_left()


def test_securer_that_loses_a_credential_is_not_trusted(desk: Desk) -> None:
    class Loses(DigestOnly):
        def secure_many(
            self, issuer: Address, documents: Sequence[dict[str, Any]], further: Sequence[str] = ()
        ) -> list[Secured]:
            return super().secure_many(issuer, documents, further)[1:]

    with pytest.raises(RootmarkError, match="not every"):
        desk.service(Loses()).create(desk.caller, desk.rows(2), OPTIONS)
    assert desk.nothing_left()


def test_nothing_is_secured_once_a_row_is_wrong(desk: Desk) -> None:
    def rows() -> Iterator[Row]:
        yield from desk.rows(SECURED_AT_ONCE)
        yield BadRow(Place(line=502), (Fault("email", "wrong", None, 502),))
        yield from desk.rows(3 * SECURED_AT_ONCE)

    securer = Watched()
    with pytest.raises(ValidationError) as raised:
        desk.service(securer).create(desk.caller, rows(), OPTIONS)
    assert [fault.line for fault in raised.value.faults] == [502]
    assert securer.sizes == [SECURED_AT_ONCE]
    assert desk.nothing_left()


def test_key_without_the_scope_awards_nothing(desk: Desk) -> None:
    caller = replace(desk.caller, scopes=frozenset({Scope.STATUS, Scope.READ}))
    with pytest.raises(ForbiddenError):
        desk.service().create(caller, desk.rows(1), OPTIONS)


# --- what is made -------------------------------------------------------------------------------------------


def test_many_awards_are_secured_and_stored_in_pieces_and_sealed_as_one_batch(desk: Desk) -> None:
    securer, count = Watched(), STORED_AT_ONCE + SECURED_AT_ONCE + 1
    made = desk.service(securer).create(desk.caller, desk.rows(count), OPTIONS)
    assert made.batch is not None
    assert (made.made, made.batch.size, made.batch.state) == (count, count, BatchState.SEALED)
    assert max(securer.sizes) == SECURED_AT_ONCE
    assert len(made.listed) == 500
    with desk.world.store.read() as unit:
        assert find_damage(unit, made.batch, 20) is None
        for index in (0, STORED_AT_ONCE - 1, STORED_AT_ONCE, count - 1):
            (award,) = unit.awards.by_places([(made.batch.seq, index)])
            (found,) = unit.entries.by_indices([(made.batch.seq, index)])
            document = unit.entries.document(made.batch.seq, index)
            assert document is not None
            assert award.recipient == {"email": f"learner{index}@college.example"}
            (again,) = DigestOnly().secure_many(found.issuer, [json.loads(document)])
            assert again.digest == found.digest


def test_places_in_status_lists_go_into_credential_and_award(desk: Desk) -> None:
    service = desk.service(assigner=Lists())
    made = service.create(desk.caller, desk.rows(3), OPTIONS)
    view, document = service.get(desk.caller, made.listed[2].award_id)
    assert document is not None
    assert json.loads(document)["credentialStatus"] == [entry("revocation", 2), entry("suspension", 2)]
    assert (view.award.status_list, view.award.status_index) == ("list", 2)


def test_batch_without_status_takes_no_place(desk: Desk) -> None:
    service = desk.service(assigner=Lists())
    made = service.create(desk.caller, desk.rows(1), replace(OPTIONS, credential_status=False))
    view, document = service.get(desk.caller, made.listed[0].award_id)
    assert document is not None
    assert "credentialStatus" not in json.loads(document)
    assert view.award.status_list is None
    assert next(iter(service.previews(desk.caller, desk.rows(1), OPTIONS))).problems == ()
    with desk.world.store.read() as unit:
        assert unit.meta.get("places") is None


def test_document_is_kept_where_documents_are_not(desk: Desk) -> None:
    assert not desk.world.policy.store_documents
    service = desk.service()
    _, document = service.get(
        desk.caller, service.create(desk.caller, desk.rows(1), OPTIONS).listed[0].award_id
    )
    assert document is not None


def test_same_rows_sent_at_once_are_awarded_once(desk: Desk) -> None:
    service = desk.service()
    outcomes: list[str] = []

    def send() -> None:
        rows = [desk.row(number, external_id=f"e{number}") for number in range(20)]
        try:
            service.create(desk.caller, rows, OPTIONS)
            outcomes.append("made")
        except (ExternalIdConflictError, ValidationError):
            outcomes.append("refused")

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "made" in outcomes
    with desk.world.store.read() as unit:
        assert len(unit.awards.page(desk.caller.issuer, limit=100)) == 20
    again = service.create(desk.caller, [desk.row(3, external_id="e3")], OPTIONS)
    assert (again.batch, again.replayed) == (None, 1)


# --- superseding --------------------------------------------------------------------------------------------


def test_old_award_is_revoked_on_chain_only_by_an_accepted_new_one(desk: Desk) -> None:
    service, world = desk.service(), desk.world
    old = service.create(desk.caller, desk.rows(1), OPTIONS).listed[0].award_id
    world.settle()
    failing = desk.service(Watched(SignerError("the key is gone")))
    with pytest.raises(SignerError):
        failing.supersede(desk.caller, old, desk.row(credits_earned=1), OPTIONS)
    world.settle()
    assert service.get(desk.caller, old)[0].status == "active"
    made = service.supersede(desk.caller, old, desk.row(credits_earned=1), OPTIONS)
    world.settle()
    assert service.get(desk.caller, old)[0].status == "revoked"
    assert service.get(desk.caller, made.award_id)[0].status == "active"


def test_award_superseded_from_two_sides_has_one_successor(desk: Desk) -> None:
    service = desk.service()
    old = service.create(desk.caller, desk.rows(1), OPTIONS).listed[0].award_id
    other: list[str] = []

    class Slow(DigestOnly):
        def secure_many(
            self, issuer: Address, documents: Sequence[dict[str, Any]], further: Sequence[str] = ()
        ) -> list[Secured]:
            if not other:
                other.append("")
                other[0] = service.supersede(desk.caller, old, desk.row(credits_earned=2), OPTIONS).award_id
            return super().secure_many(issuer, documents, further)

    with pytest.raises(WrongStateError):
        desk.service(Slow()).supersede(desk.caller, old, desk.row(credits_earned=1), OPTIONS)
    assert service.get(desk.caller, old)[0].award.superseded_by == other[0]
    with desk.world.store.read() as unit:
        assert len(unit.awards.page(None)) == 2
        assert unit.batches.count_by_state()[BatchState.RECEIVING] == 0


def test_where_approval_is_asked_for_the_revocation_waits_for_it_too(desk: Desk) -> None:
    world = desk.world.with_policy(require_approval=True)
    service = Desk(world, desk.caller, desk.achievement).service()
    old = service.create(desk.caller, desk.rows(1), OPTIONS).listed[0].award_id
    made = service.supersede(desk.caller, old, desk.row(credits_earned=1), OPTIONS)
    assert made.revocation is not None
    request = world.status.request(desk.caller, made.revocation)
    assert request.state is RequestState.AWAITING_APPROVAL
    with world.store.read() as unit:
        assert len(unit.outbox.operations(states={OperationState.HELD})) == 3


def test_award_of_a_failed_batch_is_not_superseded(desk: Desk) -> None:
    service = desk.service()
    made = service.create(desk.caller, desk.rows(1), OPTIONS)
    assert made.batch is not None
    with desk.world.store.write() as unit:
        unit.batches.set_state(made.batch.seq, BatchState.FAILED, anchor=None, error="no funds")
    with pytest.raises(WrongStateError, match="failed"):
        service.supersede(desk.caller, made.listed[0].award_id, desk.row(credits_earned=1), OPTIONS)


# --- the cost -----------------------------------------------------------------------------------------------


def test_quote_falls_back_to_the_budget_while_the_key_may_not_anchor(desk: Desk) -> None:
    quote = desk.service().quote(desk.caller, 3)
    assert quote is not None
    assert (quote.estimated, quote.gas) == (False, 55_500)
    desk.world.settle()
    quote = desk.service().quote(desk.caller, 3)
    assert quote is not None
    assert quote.estimated
    assert quote.fee_per_credential_wei * 3 >= quote.fee_wei > 0
    assert desk.service().quote(desk.caller, 0) is None


# --- achievements -------------------------------------------------------------------------------------------


def test_changes_made_at_once_on_one_version_lose_none(desk: Desk) -> None:
    service = AchievementService(desk.world.store, desk.world.clock)
    outcomes: list[int | str] = []

    def change(number: int) -> None:
        try:
            made = service.replace(desk.caller, desk.achievement, PLAIN | {"name": f"Welding {number}"}, {1})
            outcomes.append(made.version)
        except PreconditionFailedError:
            outcomes.append("refused")

    threads = [threading.Thread(target=change, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes, key=str) == [2, *["refused"] * 4]
    assert service.get(desk.achievement).version == 2
