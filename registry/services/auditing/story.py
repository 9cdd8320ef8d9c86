"""What happened to one credential, from the contract's events. Read-only."""

from __future__ import annotations

from registry.ports.store import Unit
from registry.verdict.views import LaterFact, Target, later_facts, word_of

BEFORE_ANY_BLOCK = -1


def story_of(unit: Unit, target: Target, up_to_block: int | None = None) -> tuple[LaterFact, ...]:
    """Every event that changed the credential's status, oldest first: its anchor is the first.

    Args:
        up_to_block: events of later blocks are left out; None for all that is indexed.
    """
    events = unit.events.touching(
        {(target.issuer, target.root, word_of(target.index))}, up_to_block=up_to_block
    )
    return later_facts(events, target, BEFORE_ANY_BLOCK)
