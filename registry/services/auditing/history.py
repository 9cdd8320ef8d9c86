"""An issuer's history, from any list of its events, held against the head that the contract has. No store
here, so the same code audits from the chain alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from registry.encoding import Address, Root
from registry.errors import NodeMismatchError
from registry.model.chain import BitKind, Header, RegistryEvent
from registry.ports.chain import ChainReader
from registry.verdict.history import IssuerHistory, KeyFacts, replay


@dataclass(frozen=True, slots=True)
class VoidedAnchor:
    """An anchor that a key's retirement takes the trust from: made at or after the key's ``valid_until``."""

    root: Root
    anchored_at: int
    key: KeyFacts


@dataclass(frozen=True, slots=True)
class IssuerAudit:
    """What an issuer did, and whether the list is complete: ``head_replayed`` from the events,
    ``head_on_chain`` read from the contract at ``block``."""

    issuer: Address
    block: Header
    events: Sequence[RegistryEvent]
    history: IssuerHistory
    head_on_chain: bytes
    voided: tuple[VoidedAnchor, ...]
    totals: dict[str, int] = field(default_factory=dict)

    @property
    def head_replayed(self) -> bytes:
        """The head that the events lead to."""
        return self.history.head

    @property
    def match(self) -> bool:
        """Whether the events are complete and unaltered."""
        return self.head_replayed == self.head_on_chain and not self.history.problems


def audit_events(
    issuer: Address, events: Sequence[RegistryEvent], block: Header, head_on_chain: bytes
) -> IssuerAudit:
    """Replay ``events`` (one issuer's, in order, up to ``block``) and hold them against ``head_on_chain``."""
    history = replay(events)
    state = history.state
    voided = tuple(
        VoidedAnchor(batch.root, batch.anchored_at, key)
        for batch in state.batches()
        if (key := state.key(batch.key)) is not None and batch.anchored_at >= key.valid_until
    )
    batches, keys = state.batches(), state.keys()
    totals = {
        "events": len(events),
        "batches": len(batches),
        "batches_withdrawn": sum(batch.withdrawal is not None for batch in batches),
        "batches_voided": len(voided),
        "keys": len(keys),
        "keys_retired": sum(key.retirement is not None for key in keys),
        "revoked": state.count(BitKind.REVOKED),
        "suspended": state.count(BitKind.SUSPENDED),
    }
    totals |= {
        f"event_{kind}": count for kind, count in Counter(event.kind.value for event in events).items()
    }
    return IssuerAudit(issuer, block, events, history, head_on_chain, voided, totals)


def audit_from_chain(chain: ChainReader, issuer: Address, *, block_number: int | None = None) -> IssuerAudit:
    """Rebuild an issuer's history from a node alone, at its latest block or at ``block_number``.

    Raises:
        UnknownBlockError: no such block.
        NodeMismatchError: the chain changed underway.
    """
    block = chain.latest() if block_number is None else chain.header(block_number)
    events = chain.events_in_range(chain.info.deployed_block, block.number, issuer=issuer)
    head = chain.head_of(issuer, block.hash)
    if chain.header(block.number).hash != block.hash:
        raise NodeMismatchError("the chain changed while it was read; try again")
    return audit_events(issuer, events, block, head)
