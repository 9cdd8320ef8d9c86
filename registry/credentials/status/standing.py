"""What the chain says against an issuer's credentials, read from the index in bulk.

The rules are those of `registry.verdict.ruling`: the worse of the latest and the final view counts; a
withdrawn batch, and one whose anchor its key's end voids, count as revoked. Both views come out of
`registry.verdict.state`, so that a published list and a verdict cannot differ in how they read the chain.

Invariants: what was read at one pair of history heads is true wherever the index has that same pair; an
issuer whose indexed history contradicts the chain has no standing, and neither has one when the index is
older than its limit. The number of queries follows the number of status events, never that of credentials.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from registry.encoding import Address, Root
from registry.errors import IndexStaleError, UnavailableError
from registry.model.chain import (
    BIT_EVENTS,
    STATUS_EVENTS,
    WORD_BITS,
    BitKind,
    EventKind,
    IndexPosition,
    RegistryEvent,
)
from registry.ports.clock import Clock
from registry.ports.store import Unit
from registry.verdict.state import RegistryState
from registry.verdict.views import EntryView, Target, view_of

_EVENTS_AT_ONCE = 1_000

Word = tuple[Address, Root, int]
Masks = dict[Root, dict[int, int]]
"""Bits by root and word."""

Place = tuple[int, int]
"""An entry: its batch's seq, and its index."""


@dataclass(frozen=True, slots=True)
class Heads:
    """An issuer's history heads at the index's newest block and at the final one."""

    latest: bytes
    final: bytes


@dataclass(frozen=True, slots=True)
class Standing:
    """All that stands against an issuer's credentials.

    Attributes:
        void: roots that are withdrawn, or whose anchor is not trusted, with the reason's number.
        revoked, suspended: bits that are set in either view.
    """

    issuer: Address
    heads: Heads
    void: Mapping[Root, int]
    revoked: Masks
    suspended: Masks
    _states: tuple[RegistryState, ...] = field(repr=False, compare=False)

    def reason(self, root: Root, index: int) -> int:
        """The number of the reason for which an entry counts as revoked."""
        if root in self.void:
            return self.void[root]
        facts = (state.bit(BitKind.REVOKED, self.issuer, root, index) for state in self._states)
        return next((fact.reason for fact in facts if fact is not None), 0)

    def void_batches(self, unit: Unit) -> dict[int, Root]:
        """The void batches of this server by seq."""
        return {seq: root for root, (seq, _) in self._batches(unit, self.void).items()}

    def places(self, unit: Unit, masks: Masks) -> dict[Place, Root]:
        """The entries behind bits, as far as they stand in batches of this server."""
        found: dict[Place, Root] = {}
        for root, (seq, size) in self._batches(unit, masks).items():
            for index in _indices(masks[root]):
                if index < size:
                    found[seq, index] = root
        return found

    def _batches(self, unit: Unit, roots: Collection[Root]) -> dict[Root, tuple[int, int]]:
        found = unit.batches.by_roots({(self.issuer, root) for root in roots})
        return {batch.root: (batch.seq, batch.size) for batch in found if batch.root is not None}


def require_index(unit: Unit, issuer: Address, clock: Clock, max_age_seconds: float) -> IndexPosition:
    """The index's position, if the index may speak about the issuer now.

    Raises:
        IndexStaleError: nothing is indexed, or the node was last read too long ago.
        UnavailableError: the issuer's indexed history contradicts the chain.
    """
    position = unit.events.position()
    if position is None:
        raise IndexStaleError("nothing is indexed yet; try again shortly")
    if (clock.now() - position.read_at).total_seconds() > max_age_seconds:
        raise IndexStaleError(f"the index has not been brought up to date for more than {max_age_seconds} s")
    if issuer in unit.events.mismatches():
        raise UnavailableError("the index contradicts the chain for this issuer", part="index")
    return position


def read_heads(unit: Unit, issuer: Address, position: IndexPosition) -> Heads:
    """The heads at ``position``, which is ``unit``'s."""
    return Heads(unit.events.head_of(issuer), unit.events.head_of(issuer, position.final_block))


def read_standing(unit: Unit, issuer: Address, position: IndexPosition) -> Standing:
    """The standing at ``position``, which is ``unit``'s."""
    words = _marked_words(unit, issuer) | _void_words(unit, issuer)
    latest, final = RegistryState(), RegistryState()
    for event in unit.events.touching(words) if words else ():
        latest.apply(event)
        if event.block_number <= position.final_block:
            final.apply(event)
    states = (latest, final)
    void: dict[Root, int] = {}
    for root in {root for _, root, _ in words}:
        views = (view_of(state, Target(issuer, root, 0)) for state in states)
        reason = next((found for view in views if (found := _void_reason(view)) is not None), None)
        if reason is not None:
            void[root] = reason
    return Standing(
        issuer=issuer,
        heads=read_heads(unit, issuer, position),
        void=void,
        revoked=_masks(states, BitKind.REVOKED, words),
        suspended=_masks(states, BitKind.SUSPENDED, words),
        _states=states,
    )


def _marked_words(unit: Unit, issuer: Address) -> set[Word]:
    """Words whose bits an event ever changed, and one word of each batch that was ever withdrawn."""
    words: set[Word] = set()
    for event in _events(unit, issuer, STATUS_EVENTS):
        assert event.root is not None
        if event.kind in BIT_EVENTS:
            words.update((issuer, event.root, change.word) for change in event.changes)
        else:
            words.add((issuer, event.root, 0))
    return words


def _void_words(unit: Unit, issuer: Address) -> set[Word]:
    """One word of each batch that a key anchored after what was ever said to be its end."""
    ends: dict[Address, int] = {}
    for event in _events(unit, issuer, {EventKind.KEY_RETIRED}):
        assert event.account is not None
        ends[event.account] = min(event.valid_until, ends.get(event.account, event.valid_until))
    if not ends:
        return set()
    anchors = _events(unit, issuer, {EventKind.BATCH_ANCHORED}, since=min(ends.values()))
    return {
        (issuer, event.root, 0)
        for event in anchors
        if event.root is not None and event.account in ends and event.at >= ends[event.account]
    }


def _events(
    unit: Unit, issuer: Address, kinds: Collection[EventKind], since: int | None = None
) -> Iterator[RegistryEvent]:
    after = 0
    while True:
        found = unit.events.list(issuer=issuer, kinds=kinds, since=since, after=after, limit=_EVENTS_AT_ONCE)
        for stored in found:
            yield stored.event
            after = stored.id
        if len(found) < _EVENTS_AT_ONCE:
            return


def _void_reason(view: EntryView) -> int | None:
    """Why all of a batch counts as revoked; None where it does not."""
    if view.distrusted:
        retirement = None if view.key is None else view.key.retirement
        return 0 if retirement is None else retirement.reason
    return None if view.withdrawal is None else view.withdrawal.reason


def _indices(words: Mapping[int, int]) -> Iterator[int]:
    for word, mask in words.items():
        rest = mask
        while rest:
            lowest = rest & -rest
            yield word * WORD_BITS + lowest.bit_length() - 1
            rest ^= lowest


def _masks(states: tuple[RegistryState, ...], kind: BitKind, words: Collection[Word]) -> Masks:
    masks: Masks = {}
    for issuer, root, word in words:
        mask = 0
        for state in states:
            if state.batch(issuer, root) is not None:
                mask |= state.word(kind, issuer, root, word)
        if mask:
            masks.setdefault(root, {})[word] = mask
    return masks
