"""Issuers with an admin of their own, further keys, retirement, API keys."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from registry.chain.keystore import LocalSigner
from registry.errors import (
    ConflictError,
    DuplicateDigestError,
    ForbiddenError,
    NotFoundError,
    UnauthorizedError,
    ValidationError,
    WrongStateError,
)
from registry.model.batches import BatchState
from registry.model.chain import CallKind, ContractCall, ContractStatus, Role
from registry.model.issuers import Caller, IssuerState, Scope
from registry.model.operations import OperationState, RequestKind, RequestState, StatusRequest
from registry.model.reasons import Reason
from registry.services.admin_calls import Signatures, ToSign
from registry.services.issuers import Registration
from tests.support.pipeline import ADMIN, World, digests, items

OWN_ADMIN = LocalSigner(b"\x77" * 32)


def signed_by(signer: LocalSigner, to_sign: ToSign | None) -> Signatures:
    assert isinstance(to_sign, ToSign)
    return Signatures(
        tuple(signer.sign_typed_data(typed_data) for typed_data in to_sign.typed_data), to_sign.deadline
    )


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
    request = world.issuers.add_key(
        caller,
        OWN_ADMIN.address,
        registration.issuer.key,
        7,
        signed=signed_by(OWN_ADMIN, registration.to_sign),
    )
    assert isinstance(request, StatusRequest)
    world.settle()
    assert world.status.request(caller, request.id).state is RequestState.FINAL
    assert world.issuers.get(OWN_ADMIN.address).state is IssuerState.ACTIVE
    assert world.batch(batch.id).state is BatchState.FINAL


def test_registration_signed_by_somebody_else_fails_and_spends_no_nonce(world: World) -> None:
    registration = external(world)
    caller = world.access.authenticate(registration.token)
    request = world.issuers.add_key(
        caller,
        OWN_ADMIN.address,
        registration.issuer.key,
        7,
        signed=signed_by(LocalSigner(b"\x78" * 32), registration.to_sign),
    )
    assert isinstance(request, StatusRequest)
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
    assert registration.to_sign is not None
    replace(world.driven, signer=OWN_ADMIN).do(registration.to_sign.call)
    world.settle()
    assert world.issuers.get(OWN_ADMIN.address).state is IssuerState.ACTIVE
    assert world.batch(batch.id).state is BatchState.FINAL


def registered(world: World) -> tuple[Registration, Caller]:
    """An issuer with an admin of its own, active."""
    registration = external(world)
    caller = world.access.authenticate(registration.token)
    world.issuers.add_key(
        caller,
        OWN_ADMIN.address,
        registration.issuer.key,
        7,
        signed=signed_by(OWN_ADMIN, registration.to_sign),
    )
    world.settle()
    return registration, caller


def settled(world: World, caller: Caller, made: StatusRequest | ToSign) -> RequestState:
    assert isinstance(made, StatusRequest)
    world.settle()
    return world.status.request(caller, made.id).state


def test_what_only_the_admin_may_do_is_shown_to_be_signed_and_not_stored(world: World) -> None:
    registration, caller = registered(world)
    address, key = OWN_ADMIN.address, registration.issuer.key
    made = [
        world.issuers.add_key(caller, address, None, 7),
        world.issuers.retire_key(caller, address, key, None, Reason.UNSPECIFIED),
    ]
    assert all(isinstance(one, ToSign) and one.signer == address for one in made)
    assert world.issuers.get(address).key == key
    batch = world.final_batch(caller, digests(1))
    with pytest.raises(WrongStateError):
        world.status.withdraw(caller, batch.id, Reason.UNSPECIFIED)
    assert isinstance(world.status.annul_withdrawal(caller, batch.id, Reason.UNSPECIFIED), ToSign)
    world.settle()
    assert [one.key for one in world.issuers.chain_keys(address)] == [key]


def test_new_operating_key_takes_over_once_the_own_admin_has_signed_for_it(world: World) -> None:
    registration, caller = registered(world)
    address = OWN_ADMIN.address
    shown = world.issuers.add_key(caller, address, None, 7)
    assert isinstance(shown, ToSign)
    made = world.issuers.add_key(caller, address, shown.call.account, 7, signed=signed_by(OWN_ADMIN, shown))
    assert settled(world, caller, made) is RequestState.FINAL
    assert world.issuers.get(address).key == shown.call.account != registration.issuer.key
    after = world.final_batch(caller, digests(1))
    assert after.state is BatchState.FINAL


def test_own_admins_annulments_and_retirement_are_relayed(world: World) -> None:
    registration, caller = registered(world)
    address, key = OWN_ADMIN.address, registration.issuer.key
    wanted = digests(2)
    batch = world.final_batch(caller, wanted)
    other = world.final_batch(caller, digests(1, "other"))
    both = [*wanted, *digests(1, "other")]
    revoked = world.status.change(caller, RequestKind.REVOCATION, both, Reason.MISCONDUCT)
    assert settled(world, caller, revoked) is RequestState.FINAL
    shown = world.status.change(caller, RequestKind.ANNULMENT, both, Reason.ISSUED_IN_ERROR)
    assert isinstance(shown, ToSign)
    assert len(shown.typed_data) == 2
    short = Signatures(signed_by(OWN_ADMIN, shown).signatures[:1], shown.deadline)
    with pytest.raises(WrongStateError):
        world.status.change(caller, RequestKind.ANNULMENT, both, Reason.ISSUED_IN_ERROR, signed=short)
    annulled = world.status.change(
        caller, RequestKind.ANNULMENT, both, Reason.ISSUED_IN_ERROR, signed=signed_by(OWN_ADMIN, shown)
    )
    assert settled(world, caller, annulled) is RequestState.FINAL
    for one in (batch, other):
        assert one.root is not None
        status = world.chain.status_of(address, one.root, 0, world.chain.latest().hash)[1]
        assert status is ContractStatus.GOOD
    end = world.issuers.retire_key(caller, address, key, None, Reason.KEY_COMPROMISE)
    retired = world.issuers.retire_key(
        caller, address, key, None, Reason.KEY_COMPROMISE, signed=signed_by(OWN_ADMIN, end)
    )
    assert settled(world, caller, retired) is RequestState.FINAL
    (known,) = world.issuers.chain_keys(address)
    assert known.retired_at > 0


def test_annulment_of_nothing_needs_no_signature(world: World) -> None:
    _, caller = registered(world)
    wanted = digests(1)
    world.final_batch(caller, wanted)
    made = world.status.change(caller, RequestKind.ANNULMENT, wanted, Reason.UNSPECIFIED)
    assert isinstance(made, StatusRequest)
    assert (made.count, list(made.skipped)) == (0, wanted)


def test_signature_without_the_key_it_is_about_is_refused(world: World) -> None:
    _, caller = registered(world)
    with pytest.raises(ValidationError):
        world.issuers.add_key(caller, OWN_ADMIN.address, None, 7, signed=Signatures((b"\x01" * 65,), 2**33))


def test_registration_can_be_asked_for_again_by_its_issuer_alone(world: World) -> None:
    registration = external(world)
    caller = world.access.authenticate(registration.token)
    world.clock.advance(40 * 86_400)
    again = world.issuers.to_register(caller, registration.issuer)
    assert again is not None
    assert registration.to_sign is not None
    assert again.deadline > registration.to_sign.deadline
    assert world.issuers.to_register(None, registration.issuer) is None
    made = world.issuers.add_key(
        caller, OWN_ADMIN.address, registration.issuer.key, 7, signed=signed_by(OWN_ADMIN, again)
    )
    assert settled(world, caller, made) is RequestState.FINAL
    active = world.issuers.get(OWN_ADMIN.address)
    assert world.issuers.to_register(caller, active) is None


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


def test_retirement_in_the_future_is_refused(world: World) -> None:
    registration, caller = world.hosted()
    address, key = registration.issuer.address, registration.issuer.key
    with pytest.raises(ValidationError) as caught:
        world.issuers.retire_key(
            caller, address, key, world.clock.now() + timedelta(days=1), Reason.UNSPECIFIED
        )
    assert caught.value.faults[0].pointer == "/valid_until"


def test_adding_a_retired_key_again_fails_and_says_why(world: World) -> None:
    registration, caller = world.hosted()
    address, key = registration.issuer.address, registration.issuer.key
    world.issuers.retire_key(caller, address, key, None, Reason.KEY_COMPROMISE)
    world.settle()
    made = world.issuers.add_key(caller, address, key, 7)
    assert settled(world, caller, made) is RequestState.FAILED
    assert isinstance(made, StatusRequest)
    assert "KeyTaken" in (world.status.request(caller, made.id).error or "")


def test_void_batch_is_anchored_anew_by_the_new_key_and_not_issued_again(world: World) -> None:
    registration, caller = world.hosted()
    batch = world.final_batch(caller, digests(1))
    assert batch.root is not None
    assert batch.anchor is not None
    with pytest.raises(WrongStateError):
        world.issuing.retry(caller, batch.id)
    address, key = registration.issuer.address, registration.issuer.key
    before = batch.anchor.anchored_at - timedelta(seconds=1)
    world.issuers.retire_key(caller, address, key, before, Reason.KEY_COMPROMISE)
    world.settle()
    world.issuers.add_key(caller, address, None, 7)
    with pytest.raises(DuplicateDigestError) as caught:
        world.issuing.create_batch(caller, items(digests(1)), allow_duplicate=True)
    assert caught.value.faults[0].code == "void-anchor"
    world.issuing.retry(caller, batch.id)
    world.settle()
    again = world.batch(batch.id)
    assert again.state is BatchState.FINAL
    assert again.anchor is not None
    assert again.anchor.sender == world.issuers.get(address).key
    status = world.chain.status_of(address, batch.root, 0, world.chain.latest().hash)[1]
    assert status is ContractStatus.GOOD


def test_digests_of_a_withdrawn_batch_are_not_issued_again(world: World) -> None:
    _, caller = world.hosted()
    batch = world.final_batch(caller, digests(1))
    world.status.withdraw(caller, batch.id, Reason.ISSUED_IN_ERROR)
    world.settle()
    with pytest.raises(DuplicateDigestError) as caught:
        world.issuing.create_batch(caller, items(digests(1)), allow_duplicate=True)
    assert caught.value.faults[0].code == "withdrawn"


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
