"""What a history says about one credential, at any block. Pure: no I/O.

A view is the contract's `statusOf` with the events behind it: the same state decides both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from registry.encoding import Address, Root
from registry.model.chain import WORD_BITS, BitKind, ContractStatus, EventKind, RegistryEvent
from registry.verdict.state import KeyFacts, RegistryState, StatusFact, fact_of


@dataclass(frozen=True, slots=True)
class Target:
    """One credential's place: leaf ``index`` of a root under an issuer."""

    issuer: Address
    root: Root
    index: int


@dataclass(frozen=True, slots=True)
class EntryView:
    """What the contract says about one leaf at one block. ``key`` is the one that anchored it, as it stands
    at that block; None, like ``anchor``, for a root that is not anchored."""

    anchor: StatusFact | None = None
    key: KeyFacts | None = None
    withdrawal: StatusFact | None = None
    revocation: StatusFact | None = None
    suspension: StatusFact | None = None

    @property
    def distrusted(self) -> bool:
        """Anchored, and not strictly before the key's validUntil."""
        return self.anchor is not None and (self.key is None or self.anchor.at >= self.key.valid_until)

    @property
    def status(self) -> ContractStatus:
        """What `statusOf` returns for this leaf: the first that applies."""
        if self.anchor is None:
            return ContractStatus.NOT_ANCHORED
        if self.distrusted:
            return ContractStatus.DISTRUSTED
        if self.withdrawal is not None:
            return ContractStatus.WITHDRAWN
        if self.revocation is not None:
            return ContractStatus.REVOKED
        if self.suspension is not None:
            return ContractStatus.SUSPENDED
        return ContractStatus.GOOD


NOT_ANCHORED = EntryView()
"""The view of a root that nobody anchored, and of one about which nothing is known."""


def view_of(state: RegistryState, target: Target) -> EntryView:
    """What ``state`` says about ``target``."""
    batch = state.batch(target.issuer, target.root)
    if batch is None:
        return NOT_ANCHORED
    return EntryView(
        anchor=batch.anchor,
        key=state.key(batch.key),
        withdrawal=batch.withdrawal,
        revocation=state.bit(BitKind.REVOKED, target.issuer, target.root, target.index),
        suspension=state.bit(BitKind.SUSPENDED, target.issuer, target.root, target.index),
    )


def views_at(
    events: Iterable[RegistryEvent], wanted: Collection[tuple[int, Target]]
) -> dict[tuple[int, Target], EntryView]:
    """Views of many targets at many blocks, in one pass.

    Args:
        events: in chain order; at least all that touch the targets.
        wanted: (block number, target); events of that block still count.
    """
    by_block: dict[int, list[Target]] = defaultdict(list)
    for block, target in wanted:
        by_block[block].append(target)
    blocks = sorted(by_block)
    views: dict[tuple[int, Target], EntryView] = {}
    state = RegistryState()

    def take_until(number: float) -> None:
        while blocks and blocks[0] < number:
            block = blocks.pop(0)
            views.update(((block, target), view_of(state, target)) for target in by_block[block])

    for event in events:
        take_until(event.block_number)
        state.apply(event)
    take_until(float("inf"))
    return views


@dataclass(frozen=True, slots=True)
class LaterFact:
    """Something that changed a credential's view after the block that was asked about."""

    kind: str
    fact: StatusFact


LATER_KINDS = {
    EventKind.BATCH_ANCHORED: "anchor",
    EventKind.KEY_RETIRED: "key_retirement",
    EventKind.BATCH_WITHDRAWN: "withdrawal",
    EventKind.WITHDRAWAL_ANNULLED: "withdrawal_annulment",
    EventKind.REVOKED: "revocation",
    EventKind.SUSPENDED: "suspension",
    EventKind.REINSTATED: "reinstatement",
    EventKind.REVOCATION_ANNULLED: "annulment",
}


def later_facts(events: Iterable[RegistryEvent], target: Target, after_block: int) -> tuple[LaterFact, ...]:
    """What happened to ``target`` after a block, oldest first: the events that changed its view.

    Args:
        events: in chain order, from the beginning; at least all that touch the target.
    """
    state = RegistryState()
    before = NOT_ANCHORED
    found: list[LaterFact] = []
    for event in events:
        state.apply(event)
        view = view_of(state, target)
        if view != before and event.block_number > after_block and event.kind in LATER_KINDS:
            found.append(LaterFact(LATER_KINDS[event.kind], fact_of(event)))
        before = view
    return tuple(found)


def word_of(index: int) -> int:
    """The word of the bitmaps that leaf ``index`` has its bit in."""
    return index // WORD_BITS


def relevant(events: Sequence[RegistryEvent], target: Target) -> list[RegistryEvent]:
    """The events among ``events`` that can change the view of ``target``."""
    return [event for event in events if event.issuer == target.issuer and event.root in (None, target.root)]
