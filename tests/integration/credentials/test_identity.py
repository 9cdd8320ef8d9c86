"""Signing keys, pinning, and documents: what is refused, what is made once, and what stays."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from registry.chain.keystore import LocalSigner
from registry.credentials.identity import PINNED, IdentityService
from registry.credentials.keys import PublicKey
from registry.credentials.verification_methods import resolve_method
from registry.encoding import Address, to_hex
from registry.errors import ConfigurationError, ForbiddenError, NotFoundError, SignerError
from registry.model.chain import CallKind, ContractCall, Role
from registry.model.issuers import Scope
from registry.model.operations import OperationState
from registry.model.reasons import Reason
from registry.model.signing_keys import SigningKeyKind
from tests.integration.credentials.conftest import BASE, IdentityMaker
from tests.support.pipeline import ADMIN, World

ED25519, P256, _, RSA2048 = SigningKeyKind
OTHER_BASE = "https://elsewhere.example"
NOBODY = Address(b"\x0f" * 20)


def pinned(world: World) -> str | None:
    with world.store.read() as unit:
        return unit.meta.get(PINNED)


def actions(world: World) -> list[str]:
    with world.store.read() as unit:
        return [record.action for record in unit.access.records(0, 500)]


def registered(world: World) -> Address:
    return world.issuers.register(ADMIN, "Example College", "https://college.example/").issuer.address


# --- what is refused ----------------------------------------------------------------------------------------


def test_unknown_issuer_signs_nothing_and_pins_nothing(world: World, identity: IdentityService) -> None:
    with pytest.raises(NotFoundError):
        identity.signer(NOBODY)
    with pytest.raises(NotFoundError):
        identity.rotate(ADMIN, NOBODY, ED25519)
    assert identity.keys(NOBODY) == []
    for look in (identity.document, identity.profile):
        with pytest.raises(NotFoundError):
            look(NOBODY)
    assert pinned(world) is None
    assert not (world.directory / "signing").exists()


def test_address_that_no_did_can_be_made_of_signs_nothing(world: World, identity_of: IdentityMaker) -> None:
    issuer, identity = registered(world), identity_of("http://127.0.0.1:8000")
    with pytest.raises(ConfigurationError, match="IP address"):
        identity.signer(issuer)
    with pytest.raises(NotFoundError, match="no address"):
        identity.document(issuer)
    with pytest.raises(NotFoundError, match="no address"):
        identity.resolve(f"did:web:127.0.0.1%3A8000:issuers:{to_hex(issuer)}")
    assert identity.anchoring_methods(issuer) == {}
    assert identity.method_of(identity.rotate(ADMIN, issuer, ED25519)) is None
    assert pinned(world) is None


def test_another_address_than_the_pinned_one_is_refused_with_both_ways_out(
    world: World, identity: IdentityService, identity_of: IdentityMaker
) -> None:
    issuer = registered(world)
    identity.signer(issuer)
    assert pinned(world) == BASE
    for other in (OTHER_BASE, "http://127.0.0.1:8000"):
        moved = identity_of(other)
        for attempt in (moved.claim_address, lambda moved=moved: moved.signer(issuer)):
            with pytest.raises(ConfigurationError) as caught:
                attempt()
        assert "ROOTMARK_PUBLIC_URL" in str(caught.value)
        assert "--accept-new-public-url" in str(caught.value)
        assert BASE in str(caught.value)
    assert identity_of(OTHER_BASE).document(issuer)["id"] == identity.did(issuer)
    assert pinned(world) == BASE


def test_unusable_address_is_not_accepted_as_the_new_one(
    world: World, identity: IdentityService, identity_of: IdentityMaker
) -> None:
    identity.signer(registered(world))
    with pytest.raises(ConfigurationError, match="IP address"):
        identity_of("http://127.0.0.1:8000").claim_address(accept_new=True)
    assert pinned(world) == BASE


def test_key_without_scope_or_of_another_issuer_rotates_nothing(
    world: World, identity: IdentityService
) -> None:
    first, second = (world.issuers.register(ADMIN, name, "https://x.example/") for name in "ab")
    issuer = first.issuer.address
    _, small = world.access.create_key(ADMIN, issuer, "small", [Scope.BATCH, Scope.READ])
    for token in (small, second.token):
        with pytest.raises(ForbiddenError):
            identity.rotate(world.access.authenticate(token), issuer, ED25519)
    assert identity.keys(issuer) == []


def test_lost_key_file_is_an_error_and_no_new_key(
    world: World, identity: IdentityService, identity_of: IdentityMaker
) -> None:
    issuer = registered(world)
    identity.signer(issuer)
    (file,) = (world.directory / "signing").iterdir()
    file.unlink()
    with pytest.raises(SignerError):
        identity_of().signer(issuer)
    assert len(identity.keys(issuer)) == 1


# --- keys ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SigningKeyKind)
def test_key_is_made_at_the_first_signing_and_found_by_every_process(
    world: World, identity: IdentityService, identity_of: IdentityMaker, kind: SigningKeyKind
) -> None:
    issuer = registered(world)
    assert identity.keys(issuer) == []
    first = identity.signer(issuer, kind)
    again = identity_of(BASE + "/").signer(issuer, kind)
    assert (first.did, first.method, first.key) == (again.did, again.method, again.key)
    assert first.did == f"did:web:registry.example:issuers:{to_hex(issuer)}"
    assert first.signer.sign(b"x") == again.signer.sign(b"x")
    assert [(key.kind, key.retired_at) for key in identity.keys(issuer)] == [(kind, None)]
    assert actions(world)[-2:] == ["public-url.pinned", "signing-key.created"]


def test_method_of_the_document_verifies_what_was_signed(world: World, identity: IdentityService) -> None:
    issuer = registered(world)
    for kind in SigningKeyKind:
        signer = identity.signer(issuer, kind)
        methods: Any = identity.document(issuer)["verificationMethod"]
        (method,) = (one for one in methods if one["id"] == signer.method)
        PublicKey.from_jwk(method["publicKeyJwk"]).verify(signer.signer.sign(b"message"), b"message")


def test_processes_that_sign_first_at_once_agree_on_one_key(world: World, identity_of: IdentityMaker) -> None:
    issuer, together = registered(world), threading.Barrier(4)

    def sign(_: int) -> bytes:
        process = identity_of()
        together.wait(timeout=30)
        return process.signer(issuer).key.public_key

    with ThreadPoolExecutor(4) as pool:
        signed = set(pool.map(sign, range(4)))
    assert signed == {key.public_key for key in identity_of().keys(issuer)}
    assert len(signed) == 1


def test_rotated_key_signs_no_more_and_stays_listed(world: World, identity: IdentityService) -> None:
    issuer = registered(world)
    old = identity.signer(issuer)
    identity.signer(issuer, P256)
    world.clock.advance(60)
    made = identity.rotate(ADMIN, issuer, ED25519)
    new = identity.signer(issuer)
    assert new.key == made != old.key
    first, p256, last = identity.keys(issuer)
    assert first.retired_at == made.created_at == old.key.created_at + timedelta(seconds=60)
    assert (p256.retired_at, last) == (None, made)
    assertions: Any = identity.document(issuer)["assertionMethod"]
    assert {old.method, new.method} < set(assertions)
    assert actions(world).count("signing-key.created") == 3


def test_rotation_before_the_first_signing_makes_the_first_key_and_pins_nothing(
    world: World, identity: IdentityService
) -> None:
    issuer = registered(world)
    made = identity.rotate(ADMIN, issuer, ED25519)
    assert pinned(world) is None
    assert identity.signer(issuer).key == made
    assert pinned(world) == BASE


# --- the address --------------------------------------------------------------------------------------------


def test_accepted_address_is_pinned_and_makes_new_dids(
    world: World, identity: IdentityService, identity_of: IdentityMaker
) -> None:
    issuer = registered(world)
    before = identity.signer(issuer)
    moved = identity_of(OTHER_BASE)
    moved.claim_address(accept_new=True)
    after = moved.signer(issuer)
    assert after.key == before.key
    assert after.did == f"did:web:elsewhere.example:issuers:{to_hex(issuer)}"
    assert actions(world)[-1] == "public-url.changed"
    with pytest.raises(ConfigurationError, match=OTHER_BASE):
        identity.signer(issuer)


def test_address_may_change_until_something_was_signed(world: World, identity_of: IdentityMaker) -> None:
    issuer = registered(world)
    identity_of(OTHER_BASE).claim_address()
    assert identity_of(OTHER_BASE).did(issuer) != identity_of(BASE).did(issuer)
    identity_of(BASE).claim_address(accept_new=True)
    assert pinned(world) is None


# --- documents ----------------------------------------------------------------------------------------------


def test_anchoring_key_is_listed_once_its_addition_is_final(world: World, identity: IdentityService) -> None:
    issuer = registered(world)
    assert identity.document(issuer)["verificationMethod"] == []
    world.settle()
    row = world.issuers.get(issuer)
    (method,) = world_methods(identity, issuer)
    assert method["id"] == f"{identity.did(issuer)}#chain-1"
    assert (
        PublicKey.from_multikey(method["publicKeyMultibase"]).raw == world.operating.get(row.key).public_key
    )
    assert identity.anchoring_methods(issuer) == {row.key: method["id"]}


def world_methods(identity: IdentityService, issuer: Address) -> list[dict[str, Any]]:
    methods: Any = identity.document(issuer)["verificationMethod"]
    return list(methods)


def test_retired_anchoring_key_stays_and_its_end_stands_in_the_profile(
    world: World, identity: IdentityService
) -> None:
    registration, caller = world.hosted()
    issuer, old = registration.issuer.address, registration.issuer.key
    world.issuers.add_key(caller, issuer, None, 7)
    world.settle()
    world.issuers.retire_key(caller, issuer, old, None, Reason.KEY_COMPROMISE)
    world.settle()
    new = world.issuers.get(issuer).key
    did = identity.did(issuer)
    assert identity.anchoring_methods(issuer) == {old: f"{did}#chain-1", new: f"{did}#chain-2"}
    first, second = keys_of_profile(identity, issuer)
    assert (first["id"], second["id"]) == tuple(f"ecdsa-koblitz-pubkey:{to_hex(key)}" for key in (old, new))
    assert first["created"] <= first["revoked"]
    assert "revoked" not in second
    assert len(world_methods(identity, issuer)) == 2


def keys_of_profile(identity: IdentityService, issuer: Address) -> list[dict[str, Any]]:
    keys: Any = identity.profile(issuer)["publicKey"]
    return list(keys)


def test_key_without_the_anchoring_role_is_no_verification_method(
    world: World, identity: IdentityService
) -> None:
    registration, caller = world.hosted()
    issuer = registration.issuer.address
    key = LocalSigner(b"\x53" * 32)
    consent = key.sign_typed_data(
        world.chain.encoder.key_consent(issuer, key.address, int(Role.REVOKE), 2**40)
    )
    world.issuers.add_key(caller, issuer, key.address, int(Role.REVOKE), consent, 2**40)
    world.settle()
    assert key.address in [one.key for one in world.issuers.chain_keys(issuer)]
    assert list(identity.anchoring_methods(issuer)) == [registration.issuer.key]


def test_key_held_elsewhere_is_known_by_its_consent_and_else_left_out(
    world: World, identity: IdentityService
) -> None:
    registration, caller = world.hosted()
    issuer, did = registration.issuer.address, identity.did(registration.issuer.address)
    consenting, silent = LocalSigner(b"\x51" * 32), LocalSigner(b"\x52" * 32)
    consents = {}
    for key in (consenting, silent):
        typed = world.chain.encoder.key_consent(issuer, key.address, 1, 2**40)
        consents[key] = key.sign_typed_data(typed)
    world.issuers.add_key(caller, issuer, consenting.address, 1, consents[consenting], 2**40)
    world.settle()
    admin = world.admins.get(issuer)
    call = ContractCall(
        CallKind.ADD_KEY,
        issuer,
        account=silent.address,
        roles=1,
        consent=consents[silent],
        consent_deadline=2**40,
    )
    typed = world.chain.encoder.typed_data(call, world.chain.call_nonce_of(issuer), 2**40)
    to, data = world.chain.encoder.relayed(call, issuer, 2**40, admin.sign_typed_data(typed))
    world.driven.mined(world.driven.sign(to, data))  # past this server, which never saw the consent
    world.settle()
    methods = identity.anchoring_methods(issuer)
    assert methods == {
        registration.issuer.key: f"{did}#chain-1",
        consenting.address: f"{did}#chain-2",
        silent.address: None,
    }
    assert [method["id"] for method in world_methods(identity, issuer)] == [
        f"{did}#chain-1",
        f"{did}#chain-2",
    ]
    assert len(keys_of_profile(identity, issuer)) == 3


# --- resolving ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "did",
    [
        "",
        "did",
        "did:web:registry.example",
        "did:ethr:0x00",
        "did:key:",
        "did:key:z6Mk",
        "did:key:zQ3",
        "x" * 9_000,
    ],
)
def test_other_dids_are_not_found(identity: IdentityService, did: str) -> None:
    with pytest.raises(NotFoundError):
        identity.resolve(did)


def test_did_of_an_issuer_that_is_not_hosted_here_is_not_found(identity: IdentityService) -> None:
    with pytest.raises(NotFoundError):
        identity.resolve(identity.did(NOBODY))


def test_own_did_and_did_key_are_resolved(world: World, identity: IdentityService) -> None:
    issuer = registered(world)
    assert identity.resolve(identity.did(issuer)) == identity.document(issuer)
    key = "did:key:" + identity.signer(issuer).method.partition("#")[2]
    assert identity.resolve(key)["id"] == key


class OwnDocuments:
    """`registry.credentials.sources.Documents` of this server alone."""

    def __init__(self, identity: IdentityService) -> None:
        self._identity = identity

    def get(self, url: str) -> bytes:
        return self._identity.published(url)


@pytest.mark.parametrize("base", ["http://localhost:8000", "http://registry.example/below"])
def test_methods_of_signer_and_anchoring_key_are_resolved_from_the_document(
    world: World, identity_of: IdentityMaker, base: str
) -> None:
    identity, issuer = identity_of(base), registered(world)
    documents = OwnDocuments(identity)
    world.settle()
    for kind in SigningKeyKind:
        signer = identity.signer(issuer, kind)
        found = resolve_method(signer.method, documents)
        assert (found.id, found.controller) == (signer.method, signer.did)
        assert found.purposes == {"assertionMethod"}
        found.key.verify(signer.signer.sign(b"message"), b"message")
    chain = resolve_method(f"{identity.did(issuer)}#chain-1", documents)
    assert chain.key.raw == world.operating.get(world.issuers.get(issuer).key).public_key


@pytest.mark.parametrize("name", ["revocation-list.json", "other.json", ""])
def test_what_is_no_document_of_this_service_is_not_found(
    world: World, identity: IdentityService, name: str
) -> None:
    with pytest.raises(NotFoundError):
        identity.published(f"{BASE}/issuers/{to_hex(registered(world))}/{name}")


def test_own_documents_are_found_by_their_urls(world: World, identity: IdentityService) -> None:
    issuer = registered(world)
    below = f"{BASE}/issuers/{to_hex(issuer)}"
    assert json.loads(identity.published(f"{below}/did.json")) == identity.document(issuer)
    assert json.loads(identity.published(f"{below}/profile.json")) == identity.profile(issuer)


def test_no_operation_is_queued_by_looking(world: World, identity: IdentityService) -> None:
    issuer = registered(world)
    world.settle()
    identity.document(issuer)
    identity.profile(issuer)
    assert world.operations(OperationState.QUEUED) == []
    assert pinned(world) is None
