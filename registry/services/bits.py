"""Status bits as the index has them, and as they will be once the outbox has done its work. Pure but for the
unit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TypeAlias

from registry.encoding import Address, Root
from registry.model.chain import BIT_CALLS, BitKind, CallKind, Change, EventKind, RegistryEvent
from registry.model.operations import Operation

Word: TypeAlias = tuple[Root, int]
"""A batch's root and the number of a word of 256 bits."""

Bits: TypeAlias = dict[tuple[BitKind, Root, int], int]
"""Masks by kind, root and word; what is missing is zero. Of one issuer."""

_EVENT_EFFECTS: Mapping[EventKind, tuple[BitKind, bool]] = {
    EventKind.REVOKED: (BitKind.REVOKED, True),
    EventKind.SUSPENDED: (BitKind.SUSPENDED, True),
    EventKind.REINSTATED: (BitKind.SUSPENDED, False),
    EventKind.REVOCATION_ANNULLED: (BitKind.REVOKED, False),
}
CALL_EFFECTS: Mapping[CallKind, tuple[BitKind, bool]] = {
    CallKind.REVOKE: (BitKind.REVOKED, True),
    CallKind.SUSPEND: (BitKind.SUSPENDED, True),
    CallKind.REINSTATE: (BitKind.SUSPENDED, False),
    CallKind.ANNUL: (BitKind.REVOKED, False),
}
"""Which bitmap a call changes, and whether it sets or clears."""


def _apply(bits: Bits, effect: tuple[BitKind, bool], root: Root, changes: Iterable[Change]) -> None:
    kind, sets = effect
    for change in changes:
        place = (kind, root, change.word)
        before = bits.get(place, 0)
        bits[place] = before | change.mask if sets else before & ~change.mask


def fold_events(events: Iterable[RegistryEvent], *, up_to_block: int | None = None) -> Bits:
    """Bits after an issuer's events in chain order, not above a height."""
    bits: Bits = {}
    for event in events:
        effect = _EVENT_EFFECTS.get(event.kind)
        if effect is None or event.root is None:
            continue
        if up_to_block is None or event.block_number <= up_to_block:
            _apply(bits, effect, event.root, event.changes)
    return bits


def fold_operations(bits: Bits, operations: Iterable[Operation]) -> Bits:
    """A copy of ``bits`` with an issuer's operations applied in order, as if each had been mined."""
    result = dict(bits)
    for operation in operations:
        call = operation.call
        if call.kind in BIT_CALLS and call.root is not None:
            _apply(result, CALL_EFFECTS[call.kind], call.root, call.changes)
    return result


def targets(issuer: Address, words: Collection[Word]) -> list[tuple[Address, Root, int]]:
    """What `EventRepository.touching` is asked for."""
    return [(issuer, root, word) for root, word in words]


def is_set(bits: Bits, kind: BitKind, root: Root, index: int) -> bool:
    """Whether the bit of entry ``index`` is set."""
    return bool(bits.get((kind, root, index >> 8), 0) >> (index & 255) & 1)


def changes_of(indices: Iterable[int]) -> tuple[Change, ...]:
    """The bits of ``indices``, one change a word, in order of word."""
    masks: dict[int, int] = {}
    for index in indices:
        masks[index >> 8] = masks.get(index >> 8, 0) | 1 << (index & 255)
    return tuple(Change(word, masks[word]) for word in sorted(masks))
