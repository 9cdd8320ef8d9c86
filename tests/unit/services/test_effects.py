"""What is left of a wish, and what a receipt shows of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.encoding import Address, BlockHash, Root, TxHash
from registry.model.chain import CallKind, Change, ContractCall, EventKind, Receipt, RegistryEvent
from registry.services.anchoring.effects import remaining, shown_by

ISSUER, KEY = Address(b"\x0a" * 20), Address(b"\x01" * 20)
ROOT, OTHER_ROOT = Root(b"\x11" * 32), Root(b"\x22" * 32)
BLOCK, TX = BlockHash(b"\x33" * 32), TxHash(b"\x44" * 32)
MASKS = st.integers(1, 2**256 - 1)


def event(kind: EventKind, root: Root | None = ROOT, **rest: object) -> RegistryEvent:
    return RegistryEvent(kind, ISSUER, 1, bytes(32), 7, BLOCK, TX, 0, root=root, **rest)  # type: ignore[arg-type]


def receipt(*events: RegistryEvent, status: int = 1) -> Receipt:
    return Receipt(TX, 7, BLOCK, status, 50_000, 1, KEY, events)


@pytest.mark.parametrize(
    ("kind", "on_chain", "left"),
    [
        (CallKind.REVOKE, 0b0110, 0b1001),
        (CallKind.REVOKE, 0b1111, 0),
        (CallKind.SUSPEND, 0b0001, 0b1110),
        (CallKind.REINSTATE, 0b0110, 0b0110),
        (CallKind.ANNUL, 0b10000, 0),
    ],
)
def test_remaining_bits(kind: CallKind, on_chain: int, left: int) -> None:
    call = ContractCall(kind, ISSUER, root=ROOT, changes=(Change(3, 0b1111),))
    assert remaining(call, {3: on_chain}) == ((Change(3, left),) if left else ())


def test_words_that_were_never_written_count_as_zero() -> None:
    call = ContractCall(CallKind.REVOKE, ISSUER, root=ROOT, changes=(Change(9, 1),))
    assert remaining(call, {}) == (Change(9, 1),)


@given(MASKS, MASKS)
def test_setting_what_remains_gives_exactly_what_was_wished_for(wish: int, now: int) -> None:
    call = ContractCall(CallKind.REVOKE, ISSUER, root=ROOT, changes=(Change(0, wish),))
    left = remaining(call, {0: now})
    sent = left[0].mask if left else 0
    assert now | sent == now | wish
    assert now & sent == 0


ANCHOR = ContractCall(CallKind.ANCHOR, ISSUER, root=ROOT)
REVOKE = ContractCall(CallKind.REVOKE, ISSUER, root=ROOT, changes=(Change(0, 0b11), Change(1, 1)))


def test_status_one_without_event_shows_nothing() -> None:
    assert not shown_by(ANCHOR, receipt())


def test_event_of_another_root_shows_nothing() -> None:
    assert not shown_by(ANCHOR, receipt(event(EventKind.BATCH_ANCHORED, OTHER_ROOT)))


def test_the_anchors_event_shows_it() -> None:
    assert shown_by(ANCHOR, receipt(event(EventKind.BATCH_ANCHORED)))


def test_event_with_a_part_of_the_changes_does_not_show_the_whole() -> None:
    part = event(EventKind.REVOKED, changes=(Change(0, 0b11),))
    assert not shown_by(REVOKE, receipt(part))


def test_event_with_more_than_the_changes_shows_the_whole() -> None:
    whole = event(EventKind.REVOKED, changes=(Change(0, 0b111), Change(1, 1)))
    assert shown_by(REVOKE, receipt(whole))


def test_suspension_does_not_show_a_revocation() -> None:
    assert not shown_by(REVOKE, receipt(event(EventKind.SUSPENDED, changes=REVOKE.changes)))


def test_key_added_with_other_roles_does_not_show_the_addition() -> None:
    call = ContractCall(CallKind.ADD_KEY, ISSUER, account=KEY, roles=7)
    assert not shown_by(call, receipt(event(EventKind.KEY_ADDED, None, account=KEY, roles=15)))
    assert shown_by(call, receipt(event(EventKind.KEY_ADDED, None, account=KEY, roles=7)))


def test_another_profile_does_not_show_the_profile() -> None:
    call = ContractCall(CallKind.SET_PROFILE, ISSUER, uri="did:web:a.example")
    assert not shown_by(call, receipt(event(EventKind.PROFILE_SET, None, uri="did:web:b.example")))
    assert shown_by(call, receipt(event(EventKind.PROFILE_SET, None, uri="did:web:a.example")))


@pytest.mark.parametrize("status", [0, 1])
def test_a_transfer_counts_by_its_status(status: int) -> None:
    call = ContractCall(CallKind.FUND, ISSUER, account=KEY, value_wei=1)
    assert shown_by(call, receipt(status=status)) is bool(status)
