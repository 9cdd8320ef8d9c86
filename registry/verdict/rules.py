"""Which events the contract would not emit. Pure: no I/O.

A history whose heads fit the contract cannot break these rules; one from elsewhere can, and is told apart by
them even where no head is at hand. They are the contract's checks, seen from outside: who may do what, and
when.
"""

from __future__ import annotations

from registry.encoding import Address
from registry.model.chain import BIT_EVENTS, EventKind, RegistryEvent, Role
from registry.verdict.heads import given
from registry.verdict.state import RegistryState

_ROLES = {
    EventKind.BATCH_ANCHORED: Role.ANCHOR,
    EventKind.BATCH_WITHDRAWN: Role.WITHDRAW,
    EventKind.REVOKED: Role.REVOKE,
    EventKind.SUSPENDED: Role.SUSPEND,
    EventKind.REINSTATED: Role.SUSPEND,
}
_BY_ADMIN = frozenset({EventKind.REVOCATION_ANNULLED, EventKind.WITHDRAWAL_ANNULLED})
_OF_BATCHES = BIT_EVENTS | {EventKind.BATCH_WITHDRAWN, EventKind.WITHDRAWAL_ANNULLED}


def objection(state: RegistryState, event: RegistryEvent) -> str | None:
    """Why the contract, in ``state``, would not have emitted ``event``; None when it might have.

    Events without effect are not looked for: `RegistryState.apply` tells.
    """
    kind = event.kind
    if kind in _ROLES and not _may(state, event, _ROLES[kind]):
        return "the acting key was not valid then, or lacks the role"
    if kind in _BY_ADMIN and event.account != state.admin(event.issuer):
        return "the actor was not the issuer's admin"
    if kind in _OF_BATCHES and _batch(state, event) is None:
        return "the batch was never anchored"
    if kind is EventKind.BATCH_ANCHORED and _trusted(state, event):
        return "the root was already anchored by a trusted key"
    if kind is EventKind.KEY_RETIRED and event.valid_until > event.at:
        return "the key was retired in the future"
    if kind is EventKind.ADMIN_CHANGED and event.account != state.pending_admin(event.issuer):
        return "the new admin was not proposed"
    return None


def _may(state: RegistryState, event: RegistryEvent, role: Role) -> bool:
    key = state.key(Address(given(event.account)))
    return (
        key is not None
        and key.issuer == event.issuer
        and event.at < key.valid_until
        and bool(key.roles & role)
    )


def _batch(state: RegistryState, event: RegistryEvent) -> object:
    return None if event.root is None else state.batch(event.issuer, event.root)


def _trusted(state: RegistryState, event: RegistryEvent) -> bool:
    batch = None if event.root is None else state.batch(event.issuer, event.root)
    key = state.key(batch.key) if batch else None
    return batch is not None and key is not None and batch.anchored_at < key.valid_until
