"""Whether what an operation wished for is so on chain: from a receipt's events, or from the state at one
block.

A receipt's status alone proves nothing: a relayed call may have reverted because somebody else landed the
same signature first, and a status of 1 may be a call that changed nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from registry.encoding import Address, BlockHash, Root, TxHash
from registry.model.chain import (
    BIT_CALLS,
    UNBOUNDED_VALID_UNTIL,
    CallKind,
    Change,
    ContractCall,
    EventKind,
    Header,
    Receipt,
    RegistryEvent,
)
from registry.ports.chain import Chain
from registry.services.bits import CALL_EFFECTS

_EVENT_OF: Mapping[CallKind, EventKind] = {
    CallKind.ANCHOR: EventKind.BATCH_ANCHORED,
    CallKind.REVOKE: EventKind.REVOKED,
    CallKind.SUSPEND: EventKind.SUSPENDED,
    CallKind.REINSTATE: EventKind.REINSTATED,
    CallKind.ANNUL: EventKind.REVOCATION_ANNULLED,
    CallKind.WITHDRAW: EventKind.BATCH_WITHDRAWN,
    CallKind.ANNUL_WITHDRAWAL: EventKind.WITHDRAWAL_ANNULLED,
    CallKind.ADD_KEY: EventKind.KEY_ADDED,
    CallKind.RETIRE_KEY: EventKind.KEY_RETIRED,
    CallKind.SET_PROFILE: EventKind.PROFILE_SET,
}


@dataclass(frozen=True, slots=True)
class Effect:
    """Where an effect was seen. ``transaction`` is None when it was seen in the state alone."""

    block: int
    hash: BlockHash
    transaction: TxHash | None

    def stored(self) -> tuple[int, BlockHash, TxHash | None]:
        """As `OutboxRepository.set_operation` takes it."""
        return (self.block, self.hash, self.transaction)


def remaining(call: ContractCall, words: Mapping[int, int]) -> tuple[Change, ...]:
    """What is left of a bit call's changes where the bitmap holds ``words``: bits not yet set, or not yet
    cleared."""
    _, sets = CALL_EFFECTS[call.kind]
    left = []
    for change in call.changes:
        now = words.get(change.word, 0)
        mask = change.mask & ~now if sets else change.mask & now
        if mask:
            left.append(Change(change.word, mask))
    return tuple(left)


def shown_by(call: ContractCall, receipt: Receipt) -> bool:
    """Whether the receipt's events show the whole of what ``call`` wished for."""
    if call.kind is CallKind.FUND:
        return receipt.status == 1
    events = [event for event in receipt.events if _is_of(call, event)]
    if call.kind not in BIT_CALLS:
        return bool(events)
    masks: dict[int, int] = {}
    for event in events:
        for change in event.changes:
            masks[change.word] = masks.get(change.word, 0) | change.mask
    return all(change.mask & ~masks.get(change.word, 0) == 0 for change in call.changes)


def _is_of(call: ContractCall, event: RegistryEvent) -> bool:
    if event.kind is not _EVENT_OF[call.kind] or event.issuer != call.issuer:
        return False
    if call.kind is CallKind.ADD_KEY:
        return event.account == call.account and event.roles == call.roles
    if call.kind is CallKind.RETIRE_KEY:
        return event.account == call.account
    if call.kind is CallKind.SET_PROFILE:
        return event.uri == call.uri
    return event.root == call.root


def unmet(chain: Chain, call: ContractCall, header: Header, *, sent: bool = False) -> ContractCall | None:
    """What of ``call`` is not so at that block: the call itself, cut down to the changes that are left; or
    None.

    Args:
        sent: the call was sent before, so that a retirement may have been stored with the block's earlier
            time, and a key that was added may have been retired since.

    Raises:
        UnknownBlockError: the node does not have the block (any more).
    """
    if call.kind in BIT_CALLS:
        kind, _ = CALL_EFFECTS[call.kind]
        words = chain.bits_of(kind, call.issuer, _root(call), [c.word for c in call.changes], header.hash)
        left = remaining(call, words)
        return replace(call, changes=left) if left else None
    return None if _is_met(chain, call, header, sent=sent) else call


def _is_met(chain: Chain, call: ContractCall, header: Header, *, sent: bool) -> bool:
    if call.kind is CallKind.FUND:
        return chain.balance_wei(_account(call)) >= call.value_wei
    if call.kind is CallKind.SET_PROFILE:
        return False  # the contract keeps no URI: the event alone shows it
    if call.kind in (CallKind.ADD_KEY, CallKind.RETIRE_KEY):
        key = chain.key_of(_account(call), header.hash)
        if key.issuer != call.issuer:
            return False
        retired = key.valid_until != UNBOUNDED_VALID_UNTIL
        if call.kind is CallKind.ADD_KEY:
            return key.roles == call.roles and (sent or not retired)
        if call.valid_until == UNBOUNDED_VALID_UNTIL or (sent and key.valid_until <= call.valid_until):
            return retired
        return key.valid_until == call.valid_until
    batch = chain.batch_of(call.issuer, _root(call), header.hash)
    if call.kind is CallKind.ANCHOR:
        return (
            bool(batch.anchored_at) and batch.anchored_at < chain.key_of(batch.key, header.hash).valid_until
        )
    if call.kind is CallKind.WITHDRAW:
        return batch.withdrawn_at != 0
    return batch.anchored_at != 0 and batch.withdrawn_at == 0


def find_anchor(chain: Chain, issuer: Address, root: Root, header: Header) -> Effect | None:
    """The transaction behind an anchor that the state at ``header`` shows; None when the node cannot say
    (yet)."""
    at = chain.batch_of(issuer, root, header.hash).anchored_at
    if not at:
        return None
    block = chain.block_at_time(at)
    while block.timestamp == at:
        for event in _anchors(chain.events(block), issuer, root):
            return Effect(block.number, block.hash, event.transaction)
        if block.number == 0:
            break
        block = chain.header(block.number - 1)  # blocks of some chains share a second
    return None


def _anchors(events: Iterable[RegistryEvent], issuer: Address, root: Root) -> Iterable[RegistryEvent]:
    return (e for e in events if (e.kind, e.issuer, e.root) == (EventKind.BATCH_ANCHORED, issuer, root))


def _root(call: ContractCall) -> Root:
    if call.root is None:
        raise ValueError(f"a call to {call.kind} needs a root")
    return call.root


def _account(call: ContractCall) -> Address:
    if call.account is None:
        raise ValueError(f"a call to {call.kind} needs an account")
    return call.account
