"""Events to and from their rows. A bit event has one further row for each change, in the order of its
changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Row as ResultRow
from sqlalchemy import Select, select

from registry.encoding import Address, BlockHash, Root, TxHash
from registry.model.chain import BIT_EVENTS, KEY_EVENTS, Change, EventKind, RegistryEvent
from registry.ports.store import StoredEvent
from registry.store.database import Database
from registry.store.rows import EventRow, EventWordRow, table
from registry.store.values import chunks, mask_bytes, stranger_bytes, stranger_text, word_bytes

EVENTS = table(EventRow)
WORDS = table(EventWordRow)

_EVENT_COLUMNS = (
    "id",
    "kind",
    "issuer",
    "at",
    "head",
    "block_number",
    "block_hash",
    "transaction_hash",
    "log_index",
    "root",
    "account",
    "reason",
    "roles",
    "valid_until",
    "uri",
    "subject",
)
_WORD_COLUMNS = ("event_id", "position", "target", "mask")
_ABOUT_ISSUER = KEY_EVENTS | {EventKind.ADMIN_PROPOSED, EventKind.ADMIN_CHANGED}
_ABOUT_BATCH = frozenset({EventKind.BATCH_ANCHORED, EventKind.BATCH_WITHDRAWN, EventKind.WITHDRAWAL_ANNULLED})
_BIT_KINDS = frozenset(kind.value for kind in BIT_EVENTS)

Numbered = Sequence[tuple[int, RegistryEvent]]


def batch_subject(issuer: Address, root: Root | None) -> bytes:
    """What the events of a whole batch are about."""
    return issuer + (root or b"")


def word_target(issuer: Address, root: Root | None, word: int) -> bytes:
    """What a change of one word is about."""
    return batch_subject(issuer, root) + word_bytes(word)


def _subject(event: RegistryEvent) -> bytes | None:
    if event.kind in _ABOUT_ISSUER:
        return event.issuer
    return batch_subject(event.issuer, event.root) if event.kind in _ABOUT_BATCH else None


def event_values(numbered: Numbered) -> tuple[Sequence[str], Iterator[Sequence[Any]]]:
    """Columns and rows of events under their ids."""
    rows = (
        (
            number,
            event.kind.value,
            event.issuer,
            event.at,
            event.head,
            event.block_number,
            event.block_hash,
            event.transaction,
            event.log_index,
            event.root,
            event.account,
            event.reason,
            int(event.roles),
            event.valid_until,
            stranger_bytes(event.uri),
            _subject(event),
        )
        for number, event in numbered
    )
    return _EVENT_COLUMNS, rows


def word_values(numbered: Numbered) -> tuple[Sequence[str], Iterator[Sequence[Any]]]:
    """Columns and rows of the changes of bit events."""
    rows = (
        (number, position, word_target(event.issuer, event.root, change.word), mask_bytes(change.mask))
        for number, event in numbered
        for position, change in enumerate(event.changes)
    )
    return _WORD_COLUMNS, rows


def change_of(row: ResultRow[Any]) -> Change:
    """The change in a row with ``target`` and ``mask``."""
    return Change(word=int.from_bytes(row.target[-8:], "big"), mask=int.from_bytes(row.mask, "big"))


def event_of(row: ResultRow[Any], changes: Iterable[Change]) -> RegistryEvent:
    """The domain's form of an event's row."""
    return RegistryEvent(
        kind=EventKind(row.kind),
        issuer=Address(row.issuer),
        at=row.at,
        head=row.head,
        block_number=row.block_number,
        block_hash=BlockHash(row.block_hash),
        transaction=TxHash(row.transaction_hash),
        log_index=row.log_index,
        root=None if row.root is None else Root(row.root),
        account=None if row.account is None else Address(row.account),
        reason=row.reason,
        roles=row.roles,
        valid_until=row.valid_until,
        uri=stranger_text(row.uri),
        changes=tuple(changes),
    )


def read_events(database: Database, query: Select[Any]) -> Sequence[StoredEvent]:
    """Events with all their changes, in the order of ``query`` over all columns of `EVENTS`."""
    rows = database.rows(query)
    changes = _changes(database, [row.id for row in rows if row.kind in _BIT_KINDS])
    return [StoredEvent(id=row.id, event=event_of(row, changes.get(row.id, ()))) for row in rows]


def _changes(database: Database, event_ids: Sequence[int]) -> Mapping[int, list[Change]]:
    found: dict[int, list[Change]] = defaultdict(list)
    for chunk in chunks(event_ids):
        query = (
            select(WORDS.c.event_id, WORDS.c.target, WORDS.c.mask)
            .where(WORDS.c.event_id.in_(chunk))
            .order_by(WORDS.c.event_id, WORDS.c.position)
        )
        for row in database.rows(query):
            found[row.event_id].append(change_of(row))
    return found
