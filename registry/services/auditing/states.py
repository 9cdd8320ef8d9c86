"""The status of stored entries as the index has it at its newest block, for lists. Not a verdict: no trust,
no dates."""

from __future__ import annotations

from collections.abc import Sequence

from registry.model.batches import Entry
from registry.model.chain import WORD_BITS, BitKind, CallKind
from registry.ports.store import Unit
from registry.services.lookup import concerns
from registry.verdict.history import RegistryState

_REVOKING = frozenset({CallKind.REVOKE, CallKind.WITHDRAW})


def may_be_revoked(unit: Unit, entries: Sequence[Entry]) -> bool:
    """Whether one of the entries is revoked or its batch withdrawn, by the index or by what was asked for, or
    the index cannot say."""
    if any(state in ("revoked", "withdrawn", "unknown") for state, _ in entry_states(unit, entries)):
        return True
    indices = {entry.root: entry.index for entry in entries if entry.root is not None}
    asked = unit.outbox.pending_for_roots(
        {(entry.issuer, entry.root) for entry in entries if entry.root is not None}
    )
    return any(
        one.call.kind in _REVOKING and one.call.root is not None and concerns(one, indices[one.call.root])
        for one in asked
    )


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
