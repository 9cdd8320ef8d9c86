"""Contract events as lines that an auditor reads: one for each credential whose status an event named.

An event may name up to 166,400 credentials, so lines are made lazily and a page's cursor is the event's
number in the index and the position inside it. A bit from 2^32 on belongs to no credential, since no batch is
larger (docs/proof-format.md): it makes no line, and stands in the list of events only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from registry.encoding import Address, BlockHash, Digest, Root, TxHash
from registry.errors import Fault, ValidationError
from registry.model.batches import Batch, Entry
from registry.model.chain import WORD_BITS, Change, EventKind, RegistryEvent
from registry.model.operations import StatusRequest
from registry.ports.store import StoredEvent, Unit

KINDS: Mapping[str, tuple[EventKind, ...]] = {
    "revocation": (EventKind.REVOKED,),
    "suspension": (EventKind.SUSPENDED,),
    "reinstatement": (EventKind.REINSTATED,),
    "withdrawal": (EventKind.BATCH_WITHDRAWN,),
    "annulment": (EventKind.REVOCATION_ANNULLED, EventKind.WITHDRAWAL_ANNULLED),
}
_KIND_OF = {event: kind for kind, events in KINDS.items() for event in events}
_EVENTS_AT_ONCE = 200
_WORDS = 2**32 // WORD_BITS
"""Words of the largest batch."""


@dataclass(frozen=True, slots=True)
class RevocationLine:
    """A status change of one credential, or of a whole batch (``index`` None). ``digest`` is None where this
    server does not have it: another server's batch, an erased credential, a bit beyond the batch."""

    kind: str
    issuer: Address
    batch_id: str | None
    root: Root
    index: int | None
    digest: Digest | None
    reason: int
    actor: Address | None
    requested_by: str | None
    at: int
    block_number: int
    block_hash: BlockHash
    transaction: TxHash
    final: bool


@dataclass(frozen=True, slots=True)
class Cursor:
    """The next line: ``skip`` lines into the first event after number ``after``."""

    after: int = 0
    skip: int = 0

    @classmethod
    def parse(cls, text: str | None) -> Cursor:
        """Read `after.skip`. Raises `ValidationError`."""
        if text is None:
            return cls()
        parts = text.split(".")
        if len(parts) != 2 or not all(p.isascii() and p.isdecimal() and len(p) < 19 for p in parts):
            raise ValidationError(
                "the cursor is not one of ours", faults=[Fault("cursor", "use next_cursor", "/cursor")]
            )
        return cls(int(parts[0]), int(parts[1]))

    def __str__(self) -> str:
        return f"{self.after}.{self.skip}"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which lines; times in seconds, since inclusive, until exclusive, ``up_to_block`` inclusive."""

    issuer: Address | None = None
    kind: str | None = None
    reason: int | None = None
    since: int | None = None
    until: int | None = None
    up_to_block: int | None = None


def positions(event: RegistryEvent) -> Iterator[int]:
    """Leaf indices that a bit event names, in order of its changes."""
    for change in _changes(event):
        mask = change.mask
        while mask:
            lowest = mask & -mask
            yield change.word * WORD_BITS + lowest.bit_length() - 1
            mask ^= lowest


def _changes(event: RegistryEvent) -> Iterator[Change]:
    return (change for change in event.changes if change.word < _WORDS)


def _length(event: RegistryEvent) -> int:
    return sum(change.mask.bit_count() for change in _changes(event)) if event.changes else 1


def page(
    unit: Unit, selection: Selection, cursor: Cursor, limit: int, final_block: int
) -> tuple[list[RevocationLine], Cursor | None]:
    """Up to ``limit`` lines from ``cursor`` on, and where the next ones start."""
    chosen: list[tuple[StoredEvent, list[int | None]]] = []
    missing = limit
    after, skip = cursor.after, cursor.skip
    following: Cursor | None = None
    while missing and following is None:
        stored = _events(unit, selection, after)
        for item in stored:
            indices = _slice(item.event, skip, missing + 1)
            if len(indices) > missing:
                chosen.append((item, indices[:missing]))
                following = Cursor(item.id - 1, skip + missing)
                missing = 0
                break
            chosen.append((item, indices))
            missing -= len(indices)
            after, skip = item.id, 0
            if not missing:
                following = Cursor(after, 0)
                break
        if len(stored) < _EVENTS_AT_ONCE:
            break
    if following is not None and not _events(unit, selection, following.after):
        following = None
    return _lines(unit, chosen, final_block), following


def _events(unit: Unit, selection: Selection, after: int) -> Sequence[StoredEvent]:
    kinds = KINDS[selection.kind] if selection.kind else tuple(_KIND_OF)
    return unit.events.list(
        issuer=selection.issuer,
        kinds=kinds,
        reason=selection.reason,
        since=selection.since,
        until=selection.until,
        up_to_block=selection.up_to_block,
        after=after,
        limit=_EVENTS_AT_ONCE,
    )


def _slice(event: RegistryEvent, skip: int, count: int) -> list[int | None]:
    if not event.changes:
        whole_batch: list[int | None] = [None]
        return whole_batch[skip : skip + count]
    if skip >= _length(event):
        return []
    found: list[int | None] = []
    for position, index in enumerate(positions(event)):
        if position >= skip:
            found.append(index)
            if len(found) == count:
                break
    return found


def _lines(
    unit: Unit, chosen: Iterable[tuple[StoredEvent, list[int | None]]], final_block: int
) -> list[RevocationLine]:
    events = [item.event for item, _ in chosen]
    batches = batches_of(unit, events)
    requests = unit.outbox.requests_by_transactions({event.transaction for event in events})
    wanted = {
        (batch.seq, index)
        for item, indices in chosen
        for index in indices
        if index is not None and (batch := batches.get((item.event.issuer, item.event.root))) is not None
    }
    entries = {(entry.batch_seq, entry.index): entry for entry in unit.entries.by_indices(wanted)}
    return [
        _line(item.event, index, batches, entries, requests, final_block)
        for item, indices in chosen
        for index in indices
    ]


def batches_of(unit: Unit, events: Iterable[RegistryEvent]) -> dict[tuple[Address, Root | None], Batch]:
    """The batches of this server that the events are about."""
    roots = {(event.issuer, event.root) for event in events if event.root is not None}
    return {(batch.issuer, batch.root): batch for batch in unit.batches.by_roots(roots)}


def _line(
    event: RegistryEvent,
    index: int | None,
    batches: Mapping[tuple[Address, Root | None], Batch],
    entries: Mapping[tuple[int, int], Entry],
    requests: Mapping[TxHash, StatusRequest],
    final_block: int,
) -> RevocationLine:
    assert event.root is not None
    batch = batches.get((event.issuer, event.root))
    entry = None if batch is None or index is None else entries.get((batch.seq, index))
    request = requests.get(event.transaction)
    return RevocationLine(
        kind=_KIND_OF[event.kind],
        issuer=event.issuer,
        batch_id=batch.id if batch else None,
        root=event.root,
        index=index,
        digest=entry.digest if entry else None,
        reason=event.reason,
        actor=event.account,
        requested_by=request.requested_by if request else None,
        at=event.at,
        block_number=event.block_number,
        block_hash=event.block_hash,
        transaction=event.transaction,
        final=event.block_number <= final_block,
    )
