"""Status requests: what is refused, skipped, grouped, approved, annulled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from registry.encoding import Digest, Root
from registry.errors import (
    ForbiddenError,
    NotFoundError,
    NotSealedError,
    ValidationError,
    WrongStateError,
)
from registry.model.batches import Batch
from registry.model.chain import BitKind, CallKind, Change, ContractStatus, Role
from registry.model.issuers import Caller, Scope
from registry.model.operations import OperationState, RequestKind, RequestState, StatusRequest
from registry.model.reasons import Reason
from registry.services.idempotency import IdempotencyRef
from tests.support.pipeline import ADMIN, World, digests, items

REVOKE, SUSPEND = RequestKind.REVOCATION, RequestKind.SUSPENSION
REINSTATE, ANNUL = RequestKind.REINSTATEMENT, RequestKind.ANNULMENT


@pytest.fixture
def caller(world: World) -> Caller:
    return world.hosted()[1]


def key(world: World, caller: Caller, *scopes: Scope) -> Caller:
    assert caller.issuer is not None
    return world.access.authenticate(world.access.create_key(caller, caller.issuer, "k", scopes)[1])


def done(world: World, caller: Caller, request: StatusRequest) -> StatusRequest:
    world.settle()
    result = world.status.request(caller, request.id)
    assert result.state is RequestState.FINAL, result
    return result


def change(
    world: World, caller: Caller, kind: RequestKind, given: Sequence[Digest], note: str | None = None
) -> StatusRequest:
    return done(world, caller, world.status.change(caller, kind, given, Reason.UNSPECIFIED, note))


def status(world: World, batch: Batch, index: int) -> ContractStatus:
    assert batch.root is not None
    return world.chain.status_of(batch.issuer, batch.root, index, world.chain.latest().hash)[1]


# --- refused ------------------------------------------------------------------------------------------------


def test_unknown_digests_are_pointed_at_and_nothing_is_changed(world: World, caller: Caller) -> None:
    given = digests(3)
    world.final_batch(caller, given)
    wanted = [given[0], *digests(2, "unknown")]
    with pytest.raises(ValidationError) as caught:
        world.status.change(caller, REVOKE, wanted, Reason.UNSPECIFIED)
    assert [fault.pointer for fault in caught.value.faults] == ["/digests/1", "/digests/2"]
    assert not world.operations(OperationState.QUEUED)


def test_another_issuers_digest_is_unknown(world: World, caller: Caller) -> None:
    world.issuing.create_batch(caller, items(digests(1)))
    stranger = world.access.authenticate(
        world.issuers.register(ADMIN, "Another College", "https://another.example/").token
    )
    with pytest.raises(ValidationError):
        world.status.change(stranger, REVOKE, digests(1), Reason.UNSPECIFIED)


def test_credential_of_the_open_batch_has_no_status_yet(world: World, caller: Caller) -> None:
    (item,) = items(digests(1))
    world.issuing.add_credential(caller, item)
    with pytest.raises(NotSealedError):
        world.status.change(caller, REVOKE, digests(1), Reason.UNSPECIFIED)


def test_request_without_digests_is_refused(world: World, caller: Caller) -> None:
    with pytest.raises(ValidationError):
        world.status.change(caller, REVOKE, [], Reason.UNSPECIFIED)


@pytest.mark.parametrize(
    ("kind", "scope"), [(REVOKE, Scope.BATCH), (SUSPEND, Scope.ADMIN), (ANNUL, Scope.STATUS)]
)
def test_each_kind_wants_its_scope(world: World, caller: Caller, kind: RequestKind, scope: Scope) -> None:
    with pytest.raises(ForbiddenError):
        world.status.change(key(world, caller, scope), kind, digests(1), Reason.UNSPECIFIED)


# --- what happens on chain ----------------------------------------------------------------------------------


def test_suspension_reinstatement_revocation_annulment(world: World, caller: Caller) -> None:
    given = digests(2)
    batch = world.final_batch(caller, given)
    seen = []
    for kind in (SUSPEND, REINSTATE, REVOKE, ANNUL):
        change(world, caller, kind, given[:1])
        seen.append(status(world, batch, 0))
    good, revoked, suspended = ContractStatus.GOOD, ContractStatus.REVOKED, ContractStatus.SUSPENDED
    assert seen == [suspended, good, revoked, good]
    assert status(world, batch, 1) is good


def test_digest_that_is_in_that_state_is_skipped(world: World, caller: Caller) -> None:
    given = digests(3)
    world.final_batch(caller, given)
    change(world, caller, REVOKE, given[:1])
    again = world.status.change(caller, REVOKE, given[:2], Reason.UNSPECIFIED)
    assert (again.count, again.skipped) == (1, (given[0],))
    none = world.status.change(caller, REINSTATE, given[1:], Reason.UNSPECIFIED)
    assert (none.count, set(none.skipped), none.state) == (0, set(given[1:]), RequestState.FINAL)


def test_reinstatement_right_after_a_suspension_is_not_skipped(world: World, caller: Caller) -> None:
    given = digests(1)
    batch = world.final_batch(caller, given)
    world.status.change(caller, SUSPEND, given, Reason.ADMINISTRATIVE_HOLD)
    request = world.status.change(caller, REINSTATE, given, Reason.UNSPECIFIED)
    assert request.skipped == ()
    done(world, caller, request)
    assert status(world, batch, 0) is ContractStatus.GOOD


def test_revocation_asked_for_twice_costs_one_transaction(world: World, caller: Caller) -> None:
    given = digests(1)
    world.final_batch(caller, given)
    before = len(world.transactions())
    first = world.status.change(caller, REVOKE, given, Reason.UNSPECIFIED)
    second = world.status.change(caller, REVOKE, given, Reason.UNSPECIFIED)
    done(world, caller, first)
    done(world, caller, second)
    assert len(world.transactions()) == before + 1


def test_revocation_before_the_anchor_is_mined_follows_it(world: World, caller: Caller) -> None:
    given = digests(2)
    batch = world.issuing.create_batch(caller, items(given))
    request = world.status.change(caller, REVOKE, given[1:], Reason.UNSPECIFIED)
    done(world, caller, request)
    assert status(world, world.batch(batch.id), 1) is ContractStatus.REVOKED


def test_every_entry_of_a_digest_is_hit(world: World, caller: Caller) -> None:
    given = digests(2)
    first = world.final_batch(caller, given)
    second = world.issuing.create_batch(caller, items(given), allow_duplicate=True)
    world.settle()
    request = change(world, caller, REVOKE, given[:1])
    assert (request.count, len(request.transactions)) == (1, 2)
    assert status(world, first, 0) is status(world, second, 0) is ContractStatus.REVOKED


def test_many_changes_of_a_batch_share_a_transaction_as_far_as_it_holds_them(
    world: World, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.services.status.MAX_WORDS_PER_TRANSACTION", 2)
    given = digests(256 * 3)
    batch = world.final_batch(caller, given)
    request = change(world, caller, REVOKE, given)
    assert len(request.transactions) == 2
    assert batch.root is not None
    words = world.chain.bits_of(
        BitKind.REVOKED, batch.issuer, Root(batch.root), [0, 1, 2], world.chain.latest().hash
    )
    assert set(words.values()) == {2**256 - 1}


def test_what_somebody_else_did_meanwhile_is_taken_off_the_wish(world: World, caller: Caller) -> None:
    """The same key revokes one of two by itself; the request sends only the other, and is final for both."""
    given = digests(2)
    batch = world.final_batch(caller, given)
    request = world.status.change(caller, REVOKE, given, Reason.UNSPECIFIED)
    (operation,) = world.operations(OperationState.QUEUED)
    signer = world.operating.get(operation.actor)
    own = replace(world.driven, signer=signer)
    own.do(replace(operation.call, changes=(Change(0, 0b01),)))
    done(world, caller, request)
    events = [event for event in world.events(batch.issuer) if event.kind.value == "Revoked"]
    assert [event.changes for event in events] == [(Change(0, 0b01),), (Change(0, 0b10),)]


# --- withdrawal ---------------------------------------------------------------------------------------------


def test_first_withdrawal_gives_the_admin_the_role_and_the_second_does_not(
    world: World, caller: Caller
) -> None:
    first, second = (world.final_batch(caller, digests(1, name)) for name in "ab")
    for batch in (first, second):
        done(world, caller, world.status.withdraw(caller, batch.id, Reason.ISSUED_IN_ERROR))
        assert status(world, batch, 0) is ContractStatus.WITHDRAWN
    additions = [op for op in world.operations() if op.call.kind is CallKind.ADD_KEY]
    assert [int(op.call.roles) for op in additions] == [7, int(Role.WITHDRAW)]
    issuer = world.issuers.get(first.issuer)
    assert not any(
        chain_key.roles & Role.WITHDRAW
        for chain_key in world.issuers.chain_keys(first.issuer)
        if chain_key.key == issuer.key
    )


def test_withdrawal_is_annulled_by_the_admin(world: World, caller: Caller) -> None:
    batch = world.final_batch(caller, digests(1))
    done(world, caller, world.status.withdraw(caller, batch.id, Reason.ISSUED_IN_ERROR))
    with pytest.raises(ForbiddenError):
        world.status.annul_withdrawal(key(world, caller, Scope.STATUS), batch.id, Reason.UNSPECIFIED)
    done(world, caller, world.status.annul_withdrawal(caller, batch.id, Reason.UNSPECIFIED))
    assert status(world, batch, 0) is ContractStatus.GOOD


# --- approval, notes, idempotency ---------------------------------------------------------------------------


def test_large_revocation_waits_for_another_key(world: World, caller: Caller) -> None:
    given = digests(4)
    batch = world.final_batch(caller, given)
    strict = world.with_policy(require_approval=True, approval_threshold=2)
    small = strict.status.change(caller, REVOKE, given[:2], Reason.UNSPECIFIED)
    assert small.state is RequestState.SUBMITTED
    large = strict.status.change(caller, REVOKE, given, Reason.UNSPECIFIED)
    assert large.state is RequestState.AWAITING_APPROVAL
    strict.settle()
    assert status(world, batch, 3) is ContractStatus.GOOD
    with pytest.raises(ForbiddenError):
        strict.status.approve(caller, large.id)
    second = key(world, caller, Scope.STATUS)
    assert strict.status.approve(second, large.id).state is RequestState.SUBMITTED
    with pytest.raises(WrongStateError):
        strict.status.approve(second, large.id)
    done(strict, caller, large)
    assert status(world, batch, 3) is ContractStatus.REVOKED


def test_request_and_its_note_are_for_the_issuer_alone(world: World, caller: Caller) -> None:
    given = digests(1)
    world.final_batch(caller, given)
    request = world.status.change(caller, REVOKE, given, Reason.MISCONDUCT, "  a private note ")
    assert world.status.request(caller, request.id).note == "a private note"
    stranger = world.access.authenticate(
        world.issuers.register(ADMIN, "Another College", "https://another.example/").token
    )
    with pytest.raises(NotFoundError):
        world.status.request(stranger, request.id)


def test_idempotency_key_is_bound_with_the_request(world: World, caller: Caller) -> None:
    given = digests(1)
    world.final_batch(caller, given)
    with world.store.write() as unit:
        unit.idempotency.begin("key", "1", b"f", world.clock.now(), ttl_seconds=60)
    request = world.status.change(
        caller, REVOKE, given, Reason.UNSPECIFIED, idempotency=IdempotencyRef("key", "1")
    )
    with world.store.write() as unit:
        answer = unit.idempotency.begin("key", "1", b"f", world.clock.now(), ttl_seconds=60)
    assert answer is not None
    assert answer.resource == f"request:{request.id}"
