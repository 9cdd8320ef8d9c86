"""Scopes: who may do what, and for whom."""

from __future__ import annotations

import pytest

from registry.encoding import Address
from registry.errors import ForbiddenError, ValidationError
from registry.model.issuers import Caller, Scope
from registry.services.access import (
    TOKEN_PREFIX,
    check_label,
    may_see_private,
    new_token,
    require,
    require_issuer,
    token_sha256,
)

A, B = Address(b"\x0a" * 20), Address(b"\x0b" * 20)
SERVER_ADMIN = Caller("admin", None, None, frozenset({Scope.ADMIN, Scope.AUDIT, Scope.READ}))


def key(*scopes: Scope, issuer: Address = A) -> Caller:
    return Caller("key", "1", issuer, frozenset(scopes))


@pytest.mark.parametrize("scope", list(Scope))
def test_a_scope_opens_itself_and_nothing_else(scope: Scope) -> None:
    require(key(scope), scope, A)
    for other in set(Scope) - {scope}:
        with pytest.raises(ForbiddenError):
            require(key(scope), other, A)


def test_a_key_is_refused_for_another_issuer() -> None:
    with pytest.raises(ForbiddenError):
        require(key(*Scope), Scope.ADMIN, B)


def test_the_servers_administrator_administers_any_issuer_and_issues_for_none() -> None:
    require(SERVER_ADMIN, Scope.ADMIN, B)
    for scope in (Scope.BATCH, Scope.STATUS):
        with pytest.raises(ForbiddenError):
            require_issuer(SERVER_ADMIN, scope)


def test_an_issuers_admin_scope_is_not_the_servers() -> None:
    assert not key(*Scope).is_server_admin


@pytest.mark.parametrize(
    ("caller", "allowed"),
    [(None, False), (key(Scope.READ), True), (key(*Scope, issuer=B), False), (SERVER_ADMIN, True)],
)
def test_private_things_are_for_the_issuers_keys_and_the_administrator(
    caller: Caller | None, allowed: bool
) -> None:
    assert may_see_private(caller, A) is allowed


def test_tokens_are_long_random_and_stored_as_a_digest() -> None:
    first, second = new_token(), new_token()
    assert first != second
    assert len(first) == len(TOKEN_PREFIX) + 43
    assert len(token_sha256(first)) == 32
    assert first.encode() not in token_sha256(first)


@pytest.mark.parametrize("label", ["", "  ", "x" * 101])
def test_a_bad_label_is_refused(label: str) -> None:
    with pytest.raises(ValidationError):
        check_label(label)
