"""What the index says, remembered for as long as it stands still.

Everything in the index (events, mismatches) changes only in transactions that also set the index position,
whose ``read_at`` moves on with each of them. So what was read in one snapshot is true in every other one
with an equal position. Nothing else is remembered here: entries, batches and requested changes have no such
mark.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from registry.encoding import Address, Root
from registry.model.chain import IndexPosition, RegistryEvent
from registry.ports.store import Unit
from registry.verdict.state import RegistryState
from registry.verdict.views import EntryView, Target, view_of, word_of

MAX_WORDS = 20_000
"""Words of status bits remembered at once; then everything is forgotten."""

Word = tuple[Address, Root, int]


@dataclass(frozen=True, slots=True)
class Views:
    """Of one entry, at the index's newest block and at the final one."""

    latest: EntryView
    final: EntryView


@dataclass(frozen=True, slots=True)
class _States:
    latest: RegistryState
    final: RegistryState


@dataclass(slots=True)
class _Generation:
    """What was read at one position. Only ever added to, so threads may share it."""

    position: IndexPosition
    mismatches: Mapping[Address, str]
    words: dict[Word, _States] = field(default_factory=dict)


class IndexMemory:
    """Shared by the threads of a process."""

    def __init__(self) -> None:
        self._generation: _Generation | None = None

    def mismatches(self, unit: Unit, position: IndexPosition) -> Mapping[Address, str]:
        """Issuers whose indexed history contradicts the chain. ``position`` is ``unit``'s."""
        return self._at(unit, position).mismatches

    def views(self, unit: Unit, position: IndexPosition, targets: Collection[Target]) -> dict[Target, Views]:
        """Views of each target; one query for all that are not remembered. ``position`` is ``unit``'s."""
        generation = self._at(unit, position)
        words = {target: (target.issuer, target.root, word_of(target.index)) for target in targets}
        missing = {word for word in words.values() if word not in generation.words}
        if missing:
            generation.words.update(_states(unit.events.touching(missing), missing, position))
        return {
            target: Views(
                view_of(generation.words[word].latest, target), view_of(generation.words[word].final, target)
            )
            for target, word in words.items()
        }

    def _at(self, unit: Unit, position: IndexPosition) -> _Generation:
        generation = self._generation
        if generation is None or generation.position != position or len(generation.words) > MAX_WORDS:
            generation = _Generation(position, unit.events.mismatches())
            self._generation = generation
        return generation


def _states(
    events: Iterable[RegistryEvent], words: Iterable[Word], position: IndexPosition
) -> dict[Word, _States]:
    """Replay what touches each batch; batches of one issuer share its key events."""
    of_issuer: dict[Address, list[RegistryEvent]] = defaultdict(list)
    for event in events:
        of_issuer[event.issuer].append(event)
    places = {(issuer, root) for issuer, root, _ in words}
    states: dict[tuple[Address, Root], _States] = {}
    for issuer, root in places:
        latest, final = RegistryState(), RegistryState()
        for event in of_issuer[issuer]:
            if event.root in (None, root):
                latest.apply(event)
                if event.block_number <= position.final_block:
                    final.apply(event)
        states[issuer, root] = _States(latest, final)
    return {(issuer, root, word): states[issuer, root] for issuer, root, word in words}
