"""Bits from events and from operations that are still on their way."""

from __future__ import annotations

from datetime import UTC, datetime

from registry.encoding import Address, BlockHash, Root, TxHash
from registry.model.chain import BitKind, CallKind, Change, ContractCall, EventKind, RegistryEvent
from registry.model.operations import Operation, OperationState
from registry.services.bits import changes_of, fold_events, fold_operations, is_set

ISSUER, KEY, ROOT = Address(b"\x0a" * 20), Address(b"\x01" * 20), Root(b"\x11" * 32)


def event(kind: EventKind, block: int, mask: int) -> RegistryEvent:
    return RegistryEvent(
        kind,
        ISSUER,
        block,
        bytes(32),
        block,
        BlockHash(bytes(32)),
        TxHash(bytes(32)),
        0,
        root=ROOT,
        changes=(Change(0, mask),),
    )


def operation(number: int, kind: CallKind, mask: int) -> Operation:
    call = ContractCall(kind, ISSUER, root=ROOT, changes=(Change(0, mask),))
    now = datetime(2026, 11, 23, tzinfo=UTC)
    return Operation(number, ISSUER, KEY, call, OperationState.QUEUED, 1, None, now, None, None, None, None)


HISTORY = [
    event(EventKind.REVOKED, 1, 0b11),
    event(EventKind.SUSPENDED, 2, 0b100),
    event(EventKind.REVOCATION_ANNULLED, 3, 0b01),
    event(EventKind.REINSTATED, 4, 0b100),
]


def test_bits_after_all_events() -> None:
    bits = fold_events(HISTORY)
    assert [is_set(bits, BitKind.REVOKED, ROOT, i) for i in range(3)] == [False, True, False]
    assert not is_set(bits, BitKind.SUSPENDED, ROOT, 2)


def test_bits_at_a_height() -> None:
    bits = fold_events(HISTORY, up_to_block=2)
    assert is_set(bits, BitKind.REVOKED, ROOT, 0)
    assert is_set(bits, BitKind.SUSPENDED, ROOT, 2)


def test_operations_are_applied_in_order_to_a_copy() -> None:
    before = fold_events(HISTORY)
    after = fold_operations(
        before, [operation(1, CallKind.SUSPEND, 0b1), operation(2, CallKind.REINSTATE, 0b1)]
    )
    assert not is_set(after, BitKind.SUSPENDED, ROOT, 0)
    after = fold_operations(before, [operation(1, CallKind.REVOKE, 0b100)])
    assert is_set(after, BitKind.REVOKED, ROOT, 2)
    assert not is_set(before, BitKind.REVOKED, ROOT, 2)


def test_indices_become_one_change_a_word_in_order() -> None:
    assert changes_of([257, 0, 255, 256]) == (Change(0, 1 | 1 << 255), Change(1, 0b11))
