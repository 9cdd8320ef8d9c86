"""Keys that sign credentials: one current key of a kind, the order kept, nothing lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.errors import ConflictError
from registry.model.chain import CallKind, ContractCall
from registry.model.operations import OperationState
from registry.model.signing_keys import SigningKey, SigningKeyKind
from registry.store import SqlStore
from tests.integration.store.makers import T0, address, b32, issuer, later

ED25519, P256 = SigningKeyKind.ED25519, SigningKeyKind.P256


def key(name: object, kind: SigningKeyKind = ED25519, owner: object = "issuer") -> SigningKey:
    return SigningKey(address(owner), b32(name), kind, T0, None)


def test_second_current_key_of_a_kind_is_refused_and_one_of_another_kind_is_not(store: SqlStore) -> None:
    with store.write() as unit:
        unit.signing_keys.add(key("a"))
        with pytest.raises(ConflictError):
            unit.signing_keys.add(key("b"))
        unit.signing_keys.add(key("c", P256))
        unit.signing_keys.add(key("d", owner="other"))
    with store.read() as unit:
        assert [found.public_key for found in unit.signing_keys.of_issuer(address("issuer"))] == [
            b32("a"),
            b32("c"),
        ]


def test_public_key_is_never_taken_twice(store: SqlStore) -> None:
    with store.write() as unit:
        unit.signing_keys.add(key("a"))
        with pytest.raises(ConflictError):
            unit.signing_keys.add(key("a", owner="other"))
        with pytest.raises(ConflictError):
            unit.signing_keys.add(replace(key("a"), kind=P256, retired_at=T0))


def test_retired_key_stays_listed_and_the_next_one_signs(store: SqlStore) -> None:
    with store.write() as unit:
        assert not unit.signing_keys.retire(address("issuer"), ED25519, later(1))
        unit.signing_keys.add(key("a"))
        assert unit.signing_keys.retire(address("issuer"), ED25519, later(1))
        assert unit.signing_keys.current(address("issuer"), ED25519) is None
        unit.signing_keys.add(replace(key("b"), created_at=later(1)))
    with store.read() as unit:
        assert unit.signing_keys.current(address("issuer"), ED25519) == replace(key("b"), created_at=later(1))
        assert unit.signing_keys.current(address("issuer"), P256) is None
        first, second = unit.signing_keys.of_issuer(address("issuer"))
        assert (first, second.retired_at) == (replace(key("a"), retired_at=later(1)), None)


def test_issuers_with_keys_are_listed_once(store: SqlStore) -> None:
    with store.write() as unit:
        for owner in ("a", "b"):
            for kind in SigningKeyKind:
                unit.signing_keys.add(key((owner, kind), kind, owner))
    with store.read() as unit:
        assert unit.signing_keys.issuers() == sorted([address("a"), address("b")])


def test_email_of_an_issuer_is_kept_or_absent(store: SqlStore) -> None:
    with store.write() as unit:
        unit.issuers.add(issuer("plain"))
        unit.issuers.add(replace(issuer("mail"), email="registrar@college.example"))
    with store.read() as unit:
        found = unit.issuers.by_addresses([address("plain"), address("mail")])
    assert found[address("plain")].email is None
    assert found[address("mail")].email == "registrar@college.example"


def test_uri_of_a_profile_comes_back_and_operations_of_a_kind_are_found_in_any_state(store: SqlStore) -> None:
    mine = address("issuer")
    profile = ContractCall(CallKind.SET_PROFILE, mine, uri="did:web:college.example")
    addition = ContractCall(CallKind.ADD_KEY, mine, account=address("k"), roles=1, consent=b"\x01" * 65)
    with store.write() as unit:
        made = unit.outbox.add_operation(mine, mine, profile, OperationState.QUEUED, T0)
        added = unit.outbox.add_operation(mine, mine, addition, OperationState.QUEUED, T0)
        unit.outbox.set_operation(added.id, OperationState.FAILED, error="no")
        unit.outbox.add_operation(
            address("other"), mine, replace(addition, issuer=address("other")), OperationState.QUEUED, T0
        )
    with store.read() as unit:
        found = unit.outbox.operation(made.id)
        assert found is not None
        assert found.call == profile
        assert [one.call for one in unit.outbox.operations_of_kind(mine, CallKind.ADD_KEY)] == [addition]
