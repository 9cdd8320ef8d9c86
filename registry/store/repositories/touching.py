"""What decides a credential's status, found by index however long the histories are.

Three searches: the issuers' key and admin events (few) and the batches' own events, both by (issuer, kind,
root); and the bit events by (issuer, root, word), through the rows of their changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row as ResultRow
from sqlalchemy import select, tuple_

from registry.encoding import Address, Root
from registry.model.chain import Change, EventKind, RegistryEvent
from registry.store.database import Database
from registry.store.repositories.event_rows import EVENTS, WORDS, change_of, event_of
from registry.store.values import unique_chunks, word_bytes

_ISSUER_KINDS = tuple(
    kind.value
    for kind in (
        EventKind.KEY_ADDED,
        EventKind.KEY_RETIRED,
        EventKind.ADMIN_PROPOSED,
        EventKind.ADMIN_CHANGED,
    )
)
_BATCH_KINDS = tuple(
    kind.value
    for kind in (EventKind.BATCH_ANCHORED, EventKind.BATCH_WITHDRAWN, EventKind.WITHDRAWAL_ANNULLED)
)


def events_touching(
    database: Database, targets: Collection[tuple[Address, Root, int]], up_to_block: int | None
) -> Sequence[RegistryEvent]:
    """See `registry.ports.store.EventRepository.touching`. A batch without any target word can be asked for
    by any word."""
    rows: dict[int, ResultRow[Any]] = {}
    for issuers in unique_chunks([issuer for issuer, _, _ in targets]):
        query = select(EVENTS).where(EVENTS.c.issuer.in_(issuers), EVENTS.c.kind.in_(_ISSUER_KINDS))
        rows.update((row.id, row) for row in database.rows(query))
    batches = [(issuer, kind, root) for issuer, root, _ in targets for kind in _BATCH_KINDS]
    for wanted in unique_chunks(batches):
        key = tuple_(EVENTS.c.issuer, EVENTS.c.kind, EVENTS.c.root)
        rows.update((row.id, row) for row in database.rows(select(EVENTS).where(key.in_(wanted))))
    changes = _bit_events(database, targets, rows)
    return [
        event_of(rows[number], (change for _, change in sorted(changes[number], key=_position)))
        for number in sorted(rows)
        if up_to_block is None or rows[number].block_number <= up_to_block
    ]


def _position(placed: tuple[int, Change]) -> int:
    return placed[0]


def _bit_events(
    database: Database,
    targets: Collection[tuple[Address, Root, int]],
    rows: dict[int, ResultRow[Any]],
) -> dict[int, list[tuple[int, Change]]]:
    """Add the bit events on the targets to ``rows``; returns their changes of those words, with their
    positions."""
    changes: dict[int, list[tuple[int, Change]]] = defaultdict(list)
    key = tuple_(WORDS.c.issuer, WORDS.c.root, WORDS.c.word)
    wanted = [(issuer, root, word_bytes(word)) for issuer, root, word in targets]
    for chunk in unique_chunks(wanted):
        query = (
            select(EVENTS, WORDS.c.position, WORDS.c.word, WORDS.c.mask)
            .join_from(WORDS, EVENTS, EVENTS.c.id == WORDS.c.event_id)
            .where(key.in_(chunk))
        )
        for row in database.rows(query):
            rows[row.id] = row
            changes[row.id].append((row.position, change_of(row)))
    return changes
