"""The status of stored entries as the index has it at its newest block, for lists. Not a verdict: no trust,
no dates."""

from __future__ import annotations

from collections.abc import Sequence

from registry.model.batches import Entry
from registry.model.chain import WORD_BITS, BitKind
from registry.ports.store import Unit
from registry.verdict.history import RegistryState


def entry_states(unit: Unit, entries: Sequence[Entry]) -> list[tuple[str | None, int | None]]:
    """For each entry its status and when its batch was anchored (seconds); None and None while it is not
    anchored, "unknown" and None while the index contradicts the chain for its issuer."""
    doubtful = unit.events.mismatches()
    targets = {
        (entry.issuer, entry.root, entry.index // WORD_BITS) for entry in entries if entry.root is not None
    }
    state = RegistryState()
    for event in unit.events.touching(targets):
        state.apply(event)
    return [("unknown", None) if entry.issuer in doubtful else _state(state, entry) for entry in entries]


def _state(state: RegistryState, entry: Entry) -> tuple[str | None, int | None]:
    batch = None if entry.root is None else state.batch(entry.issuer, entry.root)
    if batch is None:
        return None, None
    key = state.key(batch.key)
    if batch.withdrawal is not None or key is None or batch.anchored_at >= key.valid_until:
        return "withdrawn", batch.anchored_at
    for kind, name in ((BitKind.REVOKED, "revoked"), (BitKind.SUSPENDED, "suspended")):
        if state.bit(kind, batch.issuer, batch.root, entry.index) is not None:
            return name, batch.anchored_at
    return "active", batch.anchored_at
