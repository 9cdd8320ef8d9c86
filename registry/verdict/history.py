"""An issuer's whole history, replayed and checked. Pure: no I/O.

Replaying an issuer's events must give the head that the contract holds: that proves the list complete. Which
head the contract holds is the caller's to find out, from another source than the events.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from registry.model.chain import RegistryEvent
from registry.verdict.heads import EMPTY_HEAD, entry_digest, fold, topic0
from registry.verdict.rules import objection
from registry.verdict.state import BatchFacts, KeyFacts, RegistryState, StatusFact, fact_of

__all__ = [
    "EMPTY_HEAD",
    "BatchFacts",
    "IssuerHistory",
    "KeyFacts",
    "Problem",
    "RegistryState",
    "StatusFact",
    "entry_digest",
    "fact_of",
    "fold",
    "replay",
    "topic0",
]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a history, and at which event: position in the replay (from 0), block and log
    index."""

    position: int
    block_number: int
    log_index: int
    detail: str


@dataclass(frozen=True, slots=True)
class IssuerHistory:
    """One issuer's events, replayed. ``head`` is recomputed from the events alone; it proves them complete
    only when the contract holds the same. Without problems, every event's own head fits too."""

    state: RegistryState
    head: bytes
    count: int
    problems: tuple[Problem, ...]


def replay(events: Iterable[RegistryEvent]) -> IssuerHistory:
    """Replay one issuer's whole history, oldest event first, and check every event on the way.

    A problem is an event out of order, of another issuer than the first one, with another head than the
    events up to it give, or one that the contract would not have emitted.
    """
    state = RegistryState()
    head = EMPTY_HEAD
    problems: list[Problem] = []
    before: RegistryEvent | None = None
    count = 0
    for event in events:
        head, claimed = fold(head, event), event.head
        details = [
            "the event is not after the one before it"
            if before and event.position <= before.position
            else None,
            "the event is another issuer's" if before and event.issuer != before.issuer else None,
            "the history head is another than the events up to here give" if head != claimed else None,
            objection(state, event) or (None if state.apply(event) else "the event changes nothing"),
        ]
        problems += [
            Problem(count, event.block_number, event.log_index, detail) for detail in details if detail
        ]
        before = event
        count += 1
    return IssuerHistory(state, head, count, tuple(problems))
