"""The profile on chain that names the DID: once, after crashes too, and never where the admin cannot pay."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from registry.chain.keystore import LocalSigner
from registry.credentials.agreement import AgreementState, agreement
from registry.credentials.chain_profiles import BETWEEN_ROUNDS, PAUSE, ChainProfiles
from registry.credentials.identity import IdentityService
from registry.encoding import AccountId, Address, ChainId
from registry.model.chain import CallKind, EventKind
from registry.model.operations import Operation, OperationState
from registry.model.signing_keys import SigningKeyKind
from tests.integration.credentials.conftest import IdentityMaker
from tests.support.pipeline import ADMIN, World

OTHER_BASE = "https://elsewhere.example"


def profile_uris(world: World, issuer: Address) -> list[str]:
    return [event.uri for event in world.events(issuer) if event.kind is EventKind.PROFILE_SET]


def queued(world: World) -> list[Operation]:
    return [one for one in world.operations() if one.call.kind is CallKind.SET_PROFILE]


def rounds(world: World, profiles: ChainProfiles, number: int = 4) -> None:
    for _ in range(number):
        profiles.step()
        world.settle()
        world.clock.advance(world.policy.resend_after_seconds + 1)


class PublicChain:
    """The driven chain, as if its ether were worth something."""

    def __init__(self, chain: Any) -> None:
        self._chain = chain
        self.info = replace(chain.info, test_chain=False)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)


# --- when nothing is sent -----------------------------------------------------------------------------------


def test_nothing_is_sent_before_the_first_signing(
    world: World, identity: IdentityService, profiles: ChainProfiles
) -> None:
    registration, _ = world.hosted()
    identity.rotate(ADMIN, registration.issuer.address, SigningKeyKind.ED25519)
    assert not profiles.step()
    assert queued(world) == []


def test_nothing_is_sent_for_an_issuer_with_an_admin_of_its_own(
    world: World, identity: IdentityService, profiles: ChainProfiles
) -> None:
    own = world.issuers.register(ADMIN, "Own", "https://own.example/", LocalSigner(b"\x77" * 32).address)
    identity.signer(own.issuer.address)
    assert not profiles.step()
    assert queued(world) == []


def test_admin_without_ether_on_a_public_chain_is_left_alone_until_it_has_some(
    world: World, identity: IdentityService
) -> None:
    registration, _ = world.hosted()
    issuer = registration.issuer.address
    identity.signer(issuer)
    chain: Any = PublicChain(world.chain)
    profiles = ChainProfiles(world.store, chain, world.relayer, world.clock, world.policy)
    assert not profiles.step()
    world.clock.advance(BETWEEN_ROUNDS.total_seconds())
    world.driven.mined(world.driven.sign(issuer, b"", value_wei=10**17))
    assert not profiles.step()
    world.clock.advance(PAUSE.total_seconds())
    assert profiles.step()
    world.settle()
    assert profile_uris(world, issuer) == [identity.did(issuer)]


def test_refused_profile_is_not_tried_again(
    world: World, identity: IdentityService, profiles: ChainProfiles
) -> None:
    registration, _ = world.hosted()
    identity.signer(registration.issuer.address)
    profiles.step()
    (operation,) = queued(world)
    with world.store.write() as unit:
        unit.outbox.set_operation(operation.id, OperationState.FAILED, error="refused")
    rounds(world, profiles)
    assert len(queued(world)) == 1
    assert profile_uris(world, registration.issuer.address) == []


# --- when it is ---------------------------------------------------------------------------------------------


def test_profile_is_set_once_by_the_admin_itself(
    world: World, identity: IdentityService, profiles: ChainProfiles
) -> None:
    registration, _ = world.hosted()
    issuer = registration.issuer.address
    identity.signer(issuer)
    assert profiles.step()
    assert not profiles.step()
    rounds(world, profiles)
    assert profile_uris(world, issuer) == [identity.did(issuer)]
    (operation,) = queued(world)
    assert (operation.actor, operation.state) == (issuer, OperationState.FINAL)


def test_another_process_does_not_set_it_again(
    world: World, identity: IdentityService, profiles: ChainProfiles
) -> None:
    registration, _ = world.hosted()
    issuer = registration.issuer.address
    identity.signer(issuer)
    other = ChainProfiles(world.store, world.chain, world.relayer, world.clock, world.policy)
    assert profiles.step()
    assert not other.step()
    rounds(world, other)
    rounds(world, ChainProfiles(world.store, world.chain, world.relayer, world.clock, world.policy))
    assert profile_uris(world, issuer) == [identity.did(issuer)]


def test_profile_of_an_issuer_that_signs_before_it_is_registered_follows_the_registration(
    world: World, identity: IdentityService, profiles: ChainProfiles
) -> None:
    issuer = world.issuers.register(ADMIN, "Quick", "https://quick.example/").issuer.address
    identity.signer(issuer)
    rounds(world, profiles)
    assert profile_uris(world, issuer) == [identity.did(issuer)]


def test_accepted_address_is_told_to_the_chain_too(
    world: World, identity: IdentityService, identity_of: IdentityMaker, profiles: ChainProfiles
) -> None:
    registration, _ = world.hosted()
    issuer = registration.issuer.address
    before = identity.signer(issuer).did
    rounds(world, profiles)
    moved = identity_of(OTHER_BASE)
    moved.claim_address(accept_new=True)
    rounds(world, profiles)
    assert profile_uris(world, issuer) == [before, moved.did(issuer)]


@pytest.mark.parametrize("depth", [1, 2])
def test_profile_that_a_reorg_drops_is_set_again(world: World, identity: IdentityService, depth: int) -> None:
    world = world.with_policy(confirmations=4)
    profiles = ChainProfiles(world.store, world.chain, world.relayer, world.clock, world.policy)
    registration, _ = world.hosted()
    issuer = registration.issuer.address
    identity.signer(issuer)
    profiles.step()
    while not profile_uris(world, issuer):
        world.step()
        world.driven.mine(1)
        world.indexer.catch_up()
    world.driven.replace(depth + 1)
    world.indexer.catch_up()
    rounds(world, profiles)
    assert set(profile_uris(world, issuer)) == {identity.did(issuer)}


def test_both_directions_agree_once_the_profile_is_set(
    world: World, identity: IdentityService, profiles: ChainProfiles
) -> None:
    registration, _ = world.hosted()
    issuer = registration.issuer.address
    account = AccountId(ChainId(world.chain.info.chain_id), issuer)
    document = identity.resolve(identity.signer(issuer).did)
    assert agreement(account, None, document).state is AgreementState.CHAIN_SILENT
    rounds(world, profiles)
    assert agreement(account, profile_uris(world, issuer)[-1], document).state is AgreementState.BOTH
    del document["alsoKnownAs"]
    keys = [key.key for key in world.issuers.chain_keys(issuer)]
    assert agreement(account, identity.did(issuer), document, keys).state is AgreementState.BOTH
