"""Every typed error: which call meets it, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from registry.chain import typed_data
from registry.chain.abi import error_selectors
from tests.contract.support import NO_DEADLINE, NOW, Bench, Person

OTHER = b"\x22" * 32
NOBODY = "0x" + "00" * 20
ONE = [(0, 1)]


class Case:
    """A bench with an issuer, its key (anchor role only: ``weak``), a root, and a stranger."""

    def __init__(self, bench: Bench, issuer: Person, key: Person, root: bytes, stranger: Person) -> None:
        self.bench, self.issuer, self.key, self.root, self.stranger = bench, issuer, key, root, stranger
        self.f = bench.functions
        self.newcomer = bench.people[5]
        self.weak = bench.people[6]

    def consent(self, signer: Person, issuer: Person, roles: int, deadline: int = NO_DEADLINE) -> bytes:
        return signer.sign(
            typed_data.key_consent(
                self.bench.domain, issuer=issuer.raw, key=self.newcomer.raw, roles=roles, deadline=deadline
            )
        )

    def add(self, roles: int, consent: bytes, deadline: int = NO_DEADLINE) -> Any:
        return self.f.addKey(self.issuer.address, self.newcomer.address, roles, deadline, consent)

    def with_weak_key(self) -> Case:
        self.bench.add_key(self.issuer, self.weak, 1)
        return self

    def with_retired_key(self, valid_until: int = NOW) -> Case:
        call = self.f.retireKey(self.issuer.address, self.key.address, valid_until, 6)
        self.bench.send(call, self.issuer)
        return self

    def anchor_by_sig(
        self, signer: Person, issuer: Person, signature: bytes, deadline: int = NO_DEADLINE
    ) -> Any:
        return self.f.anchorBySig(signer.address, issuer.address, OTHER, deadline, signature)


@pytest.fixture
def case(bench: Bench, issuer: Person, key: Person, root: bytes, stranger: Person) -> Case:
    return Case(bench, issuer, key, root, stranger)


Refusal = tuple[str, Callable[[Case], Any], Callable[[Case], Person], Callable[[Case], list[Any]]]


def _by_stranger(c: Case) -> Person:
    return c.stranger


def _by_issuer(c: Case) -> Person:
    return c.issuer


def _by_key(c: Case) -> Person:
    return c.key


def _by_weak(c: Case) -> Person:
    return c.weak


def _stranger_is_not_admin(c: Case) -> list[Any]:
    return [c.issuer.address, c.stranger.address]


def _nobodys_key(c: Case) -> list[Any]:
    return [NOBODY, c.stranger.address]


def _not_anchored(c: Case) -> list[Any]:
    return [c.issuer.address, OTHER]


REFUSALS: dict[str, Refusal] = {
    "adding a key": (
        "NotAdmin",
        lambda c: c.add(1, c.consent(c.newcomer, c.issuer, 1)),
        _by_stranger,
        _stranger_is_not_admin,
    ),
    "retiring a key": (
        "NotAdmin",
        lambda c: c.f.retireKey(c.issuer.address, c.key.address, NOW, 0),
        _by_stranger,
        _stranger_is_not_admin,
    ),
    "a key retires itself": (
        "NotAdmin",
        lambda c: c.f.retireKey(c.issuer.address, c.key.address, NOW, 0),
        _by_key,
        lambda c: [c.issuer.address, c.key.address],
    ),
    "setting a profile": (
        "NotAdmin",
        lambda c: c.f.setProfile(c.issuer.address, "x"),
        _by_stranger,
        _stranger_is_not_admin,
    ),
    "proposing an admin": (
        "NotAdmin",
        lambda c: c.f.proposeAdmin(c.issuer.address, c.stranger.address),
        _by_stranger,
        _stranger_is_not_admin,
    ),
    "accepting what was not proposed": (
        "NotPendingAdmin",
        lambda c: c.f.acceptAdmin(c.issuer.address),
        _by_stranger,
        _stranger_is_not_admin,
    ),
    "the issuer accepting itself": (
        "NotPendingAdmin",
        lambda c: c.f.acceptAdmin(c.issuer.address),
        _by_issuer,
        lambda c: [c.issuer.address, c.issuer.address],
    ),
    "a key annulling a revocation": (
        "NotAdmin",
        lambda c: c.f.annul(c.issuer.address, c.root, ONE, 0),
        _by_key,
        lambda c: [c.issuer.address, c.key.address],
    ),
    "a key annulling a withdrawal": (
        "NotAdmin",
        lambda c: c.f.annulWithdrawal(c.issuer.address, c.root, 0),
        _by_key,
        lambda c: [c.issuer.address, c.key.address],
    ),
    "the zero key": (
        "InvalidConsent",
        lambda c: c.f.addKey(c.issuer.address, NOBODY, 1, NO_DEADLINE, b"\x00" * 65),
        _by_issuer,
        lambda c: [NOBODY],
    ),
    "no role": (
        "InvalidRoles",
        lambda c: c.add(0, c.consent(c.newcomer, c.issuer, 0)),
        _by_issuer,
        lambda c: [0],
    ),
    "an unknown role": (
        "InvalidRoles",
        lambda c: c.add(16, c.consent(c.newcomer, c.issuer, 16)),
        _by_issuer,
        lambda c: [16],
    ),
    "an own key again": (
        "KeyTaken",
        lambda c: c.f.addKey(c.key.address, c.key.address, 1, 0, b""),
        _by_key,
        lambda c: [c.key.address, c.issuer.address],
    ),
    "a consent for other roles": (
        "InvalidConsent",
        lambda c: c.add(3, c.consent(c.newcomer, c.issuer, 1)),
        _by_issuer,
        lambda c: [c.newcomer.address],
    ),
    "a consent for another issuer": (
        "InvalidConsent",
        lambda c: c.add(3, c.consent(c.newcomer, c.stranger, 3)),
        _by_issuer,
        lambda c: [c.newcomer.address],
    ),
    "another's consent": (
        "InvalidConsent",
        lambda c: c.add(3, c.consent(c.stranger, c.issuer, 3)),
        _by_issuer,
        lambda c: [c.newcomer.address],
    ),
    "no consent": ("InvalidConsent", lambda c: c.add(3, b""), _by_issuer, lambda c: [c.newcomer.address]),
    "an old consent": (
        "SignatureExpired",
        lambda c: c.add(3, c.consent(c.newcomer, c.issuer, 3, 7), 7),
        _by_issuer,
        lambda _: [7],
    ),
    "retiring nobody's key": (
        "NotKeyOf",
        lambda c: c.f.retireKey(c.issuer.address, c.stranger.address, NOW, 0),
        _by_issuer,
        lambda c: [c.issuer.address, c.stranger.address],
    ),
    "retiring another issuer's key": (
        "NotKeyOf",
        lambda c: c.f.retireKey(c.stranger.address, c.key.address, NOW, 0),
        _by_stranger,
        lambda c: [c.stranger.address, c.key.address],
    ),
    "moving a retirement forward": (
        "RetirementMovedForward",
        lambda c: c.with_retired_key(1_000).f.retireKey(c.issuer.address, c.key.address, 1_001, 0),
        _by_issuer,
        lambda c: [c.key.address, 1_001, 1_000],
    ),
    "the zero root": ("ZeroRoot", lambda c: c.f.anchor(bytes(32)), _by_key, lambda _: []),
    "anchoring without a key": ("NotKeyOf", lambda c: c.f.anchor(OTHER), _by_stranger, _nobodys_key),
    "anchoring as the admin": (
        "NotKeyOf",
        lambda c: c.f.anchor(OTHER),
        _by_issuer,
        lambda c: [NOBODY, c.issuer.address],
    ),
    "revoking without a key": ("NotKeyOf", lambda c: c.f.revoke(c.root, ONE, 0), _by_stranger, _nobodys_key),
    "anchoring with a retired key": (
        "KeyNotValid",
        lambda c: c.with_retired_key(1_000).f.anchor(c.root),
        _by_key,
        lambda c: [c.key.address, 1_000],
    ),
    "withdrawing with a retired key": (
        "KeyNotValid",
        lambda c: c.with_retired_key(0).f.withdraw(c.root, 0),
        _by_key,
        lambda c: [c.key.address, 0],
    ),
    "revoking without the role": (
        "RoleMissing",
        lambda c: c.with_weak_key().f.revoke(c.root, ONE, 0),
        _by_weak,
        lambda c: [c.weak.address, 4],
    ),
    "suspending without the role": (
        "RoleMissing",
        lambda c: c.with_weak_key().f.suspend(c.root, ONE, 0),
        _by_weak,
        lambda c: [c.weak.address, 2],
    ),
    "reinstating without the role": (
        "RoleMissing",
        lambda c: c.with_weak_key().f.reinstate(c.root, ONE, 0),
        _by_weak,
        lambda c: [c.weak.address, 2],
    ),
    "withdrawing without the role": (
        "RoleMissing",
        lambda c: c.with_weak_key().f.withdraw(c.root, 0),
        _by_weak,
        lambda c: [c.weak.address, 8],
    ),
    "revoking in an unknown batch": (
        "NotAnchored",
        lambda c: c.f.revoke(OTHER, ONE, 0),
        _by_key,
        _not_anchored,
    ),
    "suspending in an unknown batch": (
        "NotAnchored",
        lambda c: c.f.suspend(OTHER, ONE, 0),
        _by_key,
        _not_anchored,
    ),
    "reinstating in an unknown batch": (
        "NotAnchored",
        lambda c: c.f.reinstate(OTHER, ONE, 0),
        _by_key,
        _not_anchored,
    ),
    "withdrawing an unknown batch": (
        "NotAnchored",
        lambda c: c.f.withdraw(OTHER, 0),
        _by_key,
        _not_anchored,
    ),
    "annulling in an unknown batch": (
        "NotAnchored",
        lambda c: c.f.annul(c.issuer.address, OTHER, ONE, 0),
        _by_issuer,
        _not_anchored,
    ),
    "annulling the withdrawal of an unknown batch": (
        "NotAnchored",
        lambda c: c.f.annulWithdrawal(c.issuer.address, OTHER, 0),
        _by_issuer,
        _not_anchored,
    ),
    "a late signature": (
        "SignatureExpired",
        lambda c: c.anchor_by_sig(
            c.key, c.issuer, c.bench.sign_anchor(c.key, c.issuer, OTHER, deadline=7), deadline=7
        ),
        _by_stranger,
        lambda _: [7],
    ),
    "a signature with a later nonce": (
        "InvalidSignature",
        lambda c: c.anchor_by_sig(c.key, c.issuer, c.bench.sign_anchor(c.key, c.issuer, OTHER, nonce=1)),
        _by_stranger,
        lambda c: [c.key.address, 0],
    ),
    "a signature over another root": (
        "InvalidSignature",
        lambda c: c.anchor_by_sig(c.key, c.issuer, c.bench.sign_anchor(c.key, c.issuer, c.root)),
        _by_stranger,
        lambda c: [c.key.address, 0],
    ),
    "a signature for another issuer": (
        "NotKeyOf",
        lambda c: c.anchor_by_sig(c.key, c.stranger, c.bench.sign_anchor(c.key, c.stranger, OTHER)),
        _by_stranger,
        lambda c: [c.stranger.address, c.key.address],
    ),
    "a retired key's signature": (
        "KeyNotValid",
        lambda c: c.with_retired_key(5).anchor_by_sig(
            c.key, c.issuer, c.bench.sign_anchor(c.key, c.issuer, OTHER)
        ),
        _by_stranger,
        lambda c: [c.key.address, 5],
    ),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_refused_by_name_and_with_reasons(what: str, case: Case) -> None:
    name, build, sender, expected = REFUSALS[what]
    call = build(case)
    error = case.bench.refusal(call, sender(case))
    assert error is not None
    assert error.name == name
    found = list(error.arguments.values())
    assert [v.lower() if isinstance(v, str) else v for v in found] == [
        v.lower() if isinstance(v, str) else v for v in expected(case)
    ]


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x11" * 4, b"\x11" * 31, b"\x11" * 33, b"\x11" * 64])
def test_call_data_that_is_neither_function_nor_root_is_refused(
    data: bytes, bench: Bench, key: Person
) -> None:
    error = bench.refusal_of_data(data, key)
    assert error is not None
    assert error.name == "UnknownCall"


def test_every_typed_error_is_met_by_a_test() -> None:
    met = {name for name, _, _, _ in REFUSALS.values()} | {"UnknownCall"}
    assert met == set(error_selectors().values())
