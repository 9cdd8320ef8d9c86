"""Issuers with an admin of their own, further keys, retirement, API keys."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from registry.chain.keystore import LocalSigner
from registry.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    UnauthorizedError,
    ValidationError,
    WrongStateError,
)
from registry.model.batches import BatchState
from registry.model.chain import CallKind, ContractCall, ContractStatus, Role
from registry.model.issuers import IssuerState, Scope
from registry.model.operations import OperationState, RequestState
from registry.model.reasons import Reason
from registry.services.issuers import Registration
from tests.support.pipeline import ADMIN, World, digests, items

OWN_ADMIN = LocalSigner(b"\x77" * 32)


def external(world: World) -> Registration:
    return world.issuers.register(ADMIN, "Own College", "https://own.example/", OWN_ADMIN.address)


# --- an admin of its own ------------------------------------------------------------------------------------


def test_issuer_with_its_own_admin_waits_and_its_batches_with_it(world: World) -> None:
    registration = external(world)
    assert registration.issuer.state is IssuerState.AWAITING_ADMIN
    assert registration.issuer.address == OWN_ADMIN.address
    caller = world.access.authenticate(registration.token)
    batch = world.issuing.create_batch(caller, items(digests(2)))
    world.settle()
    assert world.batch(batch.id).state is BatchState.SEALED
    assert world.issuers.get(OWN_ADMIN.address).state is IssuerState.AWAITING_ADMIN


def test_signed_registration_is_relayed_and_what_waited_is_anchored(world: World) -> None:
    registration = external(world)
    caller = world.access.authenticate(registration.token)
    batch = world.issuing.create_batch(caller, items(digests(2)))
    assert registration.typed_data is not None
    request = world.issuers.add_key(
        caller,
        OWN_ADMIN.address,
        registration.issuer.key,
        7,
        registration.consent,
        registration.consent_deadline,
        signature=OWN_ADMIN.sign_typed_data(registration.typed_data),
        deadline=registration.deadline,
    )
    world.settle()
    assert world.status.request(caller, request.id).state is RequestState.FINAL
    assert world.issuers.get(OWN_ADMIN.address).state is IssuerState.ACTIVE
    assert world.batch(batch.id).state is BatchState.FINAL


def test_registration_signed_by_somebody_else_fails_and_spends_no_nonce(world: World) -> None:
    registration = external(world)
    caller = world.access.authenticate(registration.token)
    assert registration.typed_data is not None
    request = world.issuers.add_key(
        caller,
        OWN_ADMIN.address,
        registration.issuer.key,
        7,
        registration.consent,
        registration.consent_deadline,
        signature=LocalSigner(b"\x78" * 32).sign_typed_data(registration.typed_data),
        deadline=registration.deadline,
    )
    world.settle()
    failed = world.status.request(caller, request.id)
    assert failed.state is RequestState.FAILED
    assert "InvalidSignature" in (failed.error or "")


def test_registration_that_the_admin_sends_itself_is_noticed(world: World) -> None:
    registration = external(world)
    caller = world.access.authenticate(registration.token)
    batch = world.issuing.create_batch(caller, items(digests(2)))
    fund = ContractCall(CallKind.FUND, OWN_ADMIN.address, account=OWN_ADMIN.address, value_wei=10**18)
    with world.store.write() as unit:
        unit.outbox.add_operation(
            fund.issuer, world.relayer.address, fund, OperationState.QUEUED, world.clock.now()
        )
    world.settle()
    replace(world.driven, signer=OWN_ADMIN).do(
        ContractCall(
            CallKind.ADD_KEY,
            OWN_ADMIN.address,
            account=registration.issuer.key,
            roles=7,
            consent=registration.consent,
            consent_deadline=registration.consent_deadline,
        )
    )
    world.settle()
    assert world.issuers.get(OWN_ADMIN.address).state is IssuerState.ACTIVE
    assert world.batch(batch.id).state is BatchState.FINAL


def test_what_only_the_admin_may_do_is_refused_without_its_key(world: World) -> None:
    registration = external(world)
    caller = world.access.authenticate(registration.token)
    with pytest.raises(WrongStateError):
        world.issuers.add_key(caller, OWN_ADMIN.address, None, 7)
    with pytest.raises(WrongStateError):
        world.issuers.add_key(caller, OWN_ADMIN.address, None, 7, signature=b"\x01" * 65, deadline=2**33)
    assert world.issuers.get(OWN_ADMIN.address).key == registration.issuer.key
    with pytest.raises(WrongStateError):
        world.issuers.retire_key(caller, OWN_ADMIN.address, registration.issuer.key, None, Reason.UNSPECIFIED)
    batch = world.issuing.create_batch(caller, items(digests(1)))
    with pytest.raises(WrongStateError):
        world.status.withdraw(caller, batch.id, Reason.UNSPECIFIED)
    with pytest.raises(WrongStateError):
        world.status.annul_withdrawal(caller, batch.id, Reason.UNSPECIFIED)


def test_same_admin_twice_is_refused(world: World) -> None:
    external(world)
    with pytest.raises(ConflictError):
        external(world)


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("", "https://x.example/"),
        ("x" * 201, "https://x.example/"),
        ("X", "x.example"),
        ("X", "javascript:alert(1)"),
        ("X", "https://user:secret@x.example/"),
        ("X", "https://x.example/ y"),
        ("X", "https://[x"),
    ],
)
def test_bad_name_or_url_is_refused(world: World, name: str, url: str) -> None:
    with pytest.raises(ValidationError):
        world.issuers.register(ADMIN, name, url)


def test_only_the_servers_administrator_registers(world: World) -> None:
    caller = world.access.authenticate(external(world).token)
    with pytest.raises(ForbiddenError):
        world.issuers.register(caller, "X", "https://x.example/")


# --- keys ---------------------------------------------------------------------------------------------------


def test_retired_key_signs_nothing_more_and_a_new_one_takes_over(world: World) -> None:
    registration, caller = world.hosted()
    address, old = registration.issuer.address, registration.issuer.key
    before = world.final_batch(caller, digests(1, "before"))
    request = world.issuers.retire_key(caller, address, old, None, Reason.KEY_COMPROMISE)
    world.settle()
    assert world.status.request(caller, request.id).state is RequestState.FINAL
    world.issuers.add_key(caller, address, None, 7)
    after = world.final_batch(caller, digests(1, "after"))
    assert after.anchor is not None
    assert after.anchor.sender == world.issuers.get(address).key != old
    assert before.root is not None
    status = world.chain.status_of(address, before.root, 0, world.chain.latest().hash)[1]
    assert status is ContractStatus.GOOD


def test_retirement_with_a_past_date_voids_what_came_after_it(world: World) -> None:
    registration, caller = world.hosted()
    batch = world.final_batch(caller, digests(1))
    assert batch.root is not None
    assert batch.anchor is not None
    address, key = registration.issuer.address, registration.issuer.key
    before = batch.anchor.anchored_at - timedelta(seconds=1)
    world.issuers.retire_key(caller, address, key, before, Reason.KEY_COMPROMISE)
    world.settle()
    status = world.chain.status_of(address, batch.root, 0, world.chain.latest().hash)[1]
    assert status is ContractStatus.DISTRUSTED
    (known,) = world.issuers.chain_keys(address)
    assert known.valid_until == int(before.timestamp())
    assert (known.retired_at > known.valid_until, known.reason) == (True, Reason.KEY_COMPROMISE)


def test_retirement_moved_forward_fails_with_the_contracts_reason(world: World) -> None:
    registration, caller = world.hosted()
    address, key = registration.issuer.address, registration.issuer.key
    long_ago = world.clock.now() - timedelta(days=10)
    world.issuers.retire_key(caller, address, key, long_ago, Reason.UNSPECIFIED)
    world.settle()
    later = long_ago + timedelta(days=1)
    request = world.issuers.retire_key(caller, address, key, later, Reason.UNSPECIFIED)
    world.settle()
    failed = world.status.request(caller, request.id)
    assert failed.state is RequestState.FAILED
    assert "RetirementMovedForward" in (failed.error or "")


def test_foreign_key_joins_with_its_consent(world: World) -> None:
    registration, caller = world.hosted()
    address, key = registration.issuer.address, LocalSigner(b"\x66" * 32)
    deadline = int(world.clock.now().timestamp()) + 1000
    consent = key.sign_typed_data(world.chain.encoder.key_consent(address, key.address, 2, deadline))
    with pytest.raises(ValidationError):
        world.issuers.add_key(caller, address, key.address, 2)
    world.issuers.add_key(caller, address, key.address, int(Role.SUSPEND), consent, deadline)
    world.settle()
    added = {one.key: (one.roles, one.held_here) for one in world.issuers.chain_keys(address)}
    assert added[key.address] == (2, False)
    assert world.issuers.get(address).key == registration.issuer.key


def test_unknown_key_is_not_retired(world: World) -> None:
    registration, caller = world.hosted()
    with pytest.raises(NotFoundError):
        world.issuers.retire_key(
            caller, registration.issuer.address, OWN_ADMIN.address, None, Reason.UNSPECIFIED
        )


@pytest.mark.parametrize("roles", [0, 16])
def test_roles_outside_the_contracts_are_refused(world: World, roles: int) -> None:
    registration, caller = world.hosted()
    with pytest.raises(ValidationError):
        world.issuers.add_key(caller, registration.issuer.address, None, roles)


# --- API keys -----------------------------------------------------------------------------------------------


def test_key_ends_by_revocation_and_by_expiry_and_the_answer_is_the_same(world: World) -> None:
    registration = external(world)
    caller = world.access.authenticate(registration.token)
    address = registration.issuer.address
    soon = world.clock.now() + timedelta(hours=1)
    key, token = world.access.create_key(caller, address, "LMS", [Scope.BATCH], soon)
    assert world.access.authenticate(token).scopes == {Scope.BATCH}
    answers = set()
    world.clock.advance(3600)
    for bad in (token, "rmk_" + "A" * 43, "nonsense", ""):
        with pytest.raises(UnauthorizedError) as caught:
            world.access.authenticate(bad)
        answers.add(str(caught.value))
    other, other_token = world.access.create_key(caller, address, "LMS 2", [Scope.BATCH])
    world.access.revoke_key(caller, address, other.id)
    with pytest.raises(UnauthorizedError) as caught:
        world.access.authenticate(other_token)
    assert {*answers, str(caught.value)} == {"the API key is not valid"}
    assert {one.id for one in world.access.keys(caller, address)} >= {key.id, other.id}


def test_admin_token_is_the_administrators(world: World) -> None:
    assert world.access.authenticate(world.admin_token).is_server_admin


def test_access_log_has_no_token_and_is_the_administrators(world: World) -> None:
    registration = external(world)
    caller = world.access.authenticate(registration.token)
    _, token = world.access.create_key(caller, registration.issuer.address, "LMS", [Scope.READ])
    records = world.access.records(ADMIN)
    assert [record.action for record in records] == [
        "api-key.created",
        "issuer.registered",
        "api-key.created",
    ]
    assert not any(secret in str(record) for record in records for secret in (token, registration.token))
    with pytest.raises(ForbiddenError):
        world.access.records(caller)


def test_bad_key_requests_are_refused(world: World) -> None:
    registration = external(world)
    caller = world.access.authenticate(registration.token)
    address = registration.issuer.address
    with pytest.raises(ValidationError):
        world.access.create_key(caller, address, "x", [])
    with pytest.raises(ValidationError):
        world.access.create_key(caller, address, "x", [Scope.READ], world.clock.now())
    with pytest.raises(NotFoundError):
        world.access.revoke_key(caller, address, "nothing")
    other = world.issuers.register(ADMIN, "Another College", "https://another.example/")
    with pytest.raises(ForbiddenError):
        world.access.create_key(caller, other.issuer.address, "x", [Scope.READ])
