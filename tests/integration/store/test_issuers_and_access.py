"""Issuers, API keys and the access log."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.errors import ConflictError, NotFoundError
from registry.model.issuers import IssuerState, Scope
from registry.store import SqlStore
from tests.integration.store.makers import T0, address, api_key, b32, issuer, later


def test_second_issuer_with_the_same_address_is_a_conflict_and_changes_nothing(store: SqlStore) -> None:
    with store.write() as unit:
        unit.issuers.add(issuer())
    with pytest.raises(ConflictError), store.write() as unit:
        unit.issuers.add(replace(issuer(), name="Another"))
    with store.read() as unit:
        assert unit.issuers.get(address("issuer")) == issuer()


def test_unknown_issuer_is_none_and_cannot_be_changed_or_locked(store: SqlStore) -> None:
    with store.read() as unit:
        assert unit.issuers.get(address("nobody")) is None
        assert unit.issuers.by_addresses([address("nobody")]) == {}
        assert unit.issuers.by_addresses([]) == {}
    with pytest.raises(NotFoundError), store.write() as unit:
        unit.issuers.set_state(address("nobody"), IssuerState.ACTIVE)
    with pytest.raises(NotFoundError), store.write() as unit:
        unit.issuers.set_key(address("nobody"), address("key"))
    with pytest.raises(NotFoundError), store.write() as unit:
        unit.issuers.lock(address("nobody"))


def test_issuer_state_and_key_change_alone(store: SqlStore) -> None:
    with store.write() as unit:
        unit.issuers.add(issuer(state=IssuerState.REGISTERING))
        unit.issuers.lock(address("issuer"))
        unit.issuers.set_state(address("issuer"), IssuerState.ACTIVE)
        unit.issuers.set_key(address("issuer"), address("new key"))
    with store.read() as unit:
        expected = replace(issuer(), key=address("new key"))
        assert unit.issuers.get(address("issuer")) == expected


def test_issuers_page_in_order_of_address(store: SqlStore) -> None:
    with store.write() as unit:
        for number in range(7):
            unit.issuers.add(issuer(number))
    everyone = sorted(address(number) for number in range(7))
    with store.read() as unit:
        first = unit.issuers.page(None, 4)
        rest = unit.issuers.page(first[-1].address, 4)
        many = unit.issuers.by_addresses([*everyone, *everyone, address("nobody")])
    assert [found.address for found in [*first, *rest]] == everyone
    assert sorted(many) == everyone


def test_api_key_is_found_by_token_with_its_scopes_and_times(store: SqlStore) -> None:
    key = api_key("k1", scopes=frozenset({Scope.ADMIN, Scope.AUDIT}), expires_at=later(60))
    with store.write() as unit:
        unit.access.add_key(key, b32("token"))
        unit.access.add_key(api_key("k0", created_at=later(-5)), b32("other"))
        unit.access.add_key(api_key("k2", owner="somebody"), b32("third"))
    with store.read() as unit:
        assert unit.access.key_by_token(b32("token")) == key
        assert unit.access.key_by_token(b32("wrong")) is None
        assert [found.id for found in unit.access.keys_of(address("issuer"))] == ["k0", "k1"]


def test_second_key_with_the_same_token_is_a_conflict(store: SqlStore) -> None:
    with store.write() as unit:
        unit.access.add_key(api_key("k1"), b32("token"))
    with pytest.raises(ConflictError), store.write() as unit:
        unit.access.add_key(api_key("k2"), b32("token"))


def test_revoking_a_key_keeps_the_first_time_and_only_its_issuer_can(store: SqlStore) -> None:
    with store.write() as unit:
        unit.access.add_key(api_key("k1"), b32("token"))
        assert not unit.access.revoke_key(address("somebody"), "k1", T0)
        assert not unit.access.revoke_key(address("issuer"), "k9", T0)
        assert unit.access.revoke_key(address("issuer"), "k1", later(1))
        assert unit.access.revoke_key(address("issuer"), "k1", later(2))
        found = unit.access.key_by_token(b32("token"))
    assert found is not None
    assert found.revoked_at == later(1)


def test_access_log_reads_on_from_an_id(store: SqlStore) -> None:
    with store.write() as unit:
        for number in range(5):
            unit.access.log(later(number), "admin", "key.created", f"key {number}", "detail")
    with store.read() as unit:
        first = unit.access.records(0, 3)
        rest = unit.access.records(first[-1].id, 3)
    assert [record.subject for record in [*first, *rest]] == [f"key {number}" for number in range(5)]
    assert rest[-1].at == later(4)
