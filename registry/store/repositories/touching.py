"""What decides a credential's status, found by index however long the histories are.

Two searches: by subject for the issuers' key and admin events (few) and the batches' own events, and by
target for the bit events, through the rows of their changes. Subject and target are one column each, since
SQLite does not search its indexes for a list of tuples.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row as ResultRow
from sqlalchemy import bindparam, select

from registry.encoding import Address, Root
from registry.model.chain import Change, RegistryEvent
from registry.store.database import Database
from registry.store.prepared import Prepared
from registry.store.repositories.event_rows import (
    EVENTS,
    WORDS,
    batch_subject,
    change_of,
    event_of,
    word_target,
)

_BY_SUBJECT = Prepared(select(EVENTS).where(EVENTS.c.subject.in_(bindparam("subjects", expanding=True))))
_BY_TARGET = Prepared(
    select(EVENTS, WORDS.c.position, WORDS.c.target, WORDS.c.mask)
    .join_from(WORDS, EVENTS, EVENTS.c.id == WORDS.c.event_id)
    .where(WORDS.c.target.in_(bindparam("targets", expanding=True)))
)

Changes = dict[int, list[tuple[int, Change]]]


def events_touching(
    database: Database, targets: Collection[tuple[Address, Root, int]], up_to_block: int | None
) -> Sequence[RegistryEvent]:
    """See `registry.ports.store.EventRepository.touching`. Who wants to know about a batch as such may name
    any word."""
    rows: dict[int, ResultRow[Any]] = {}
    issuers = [issuer for issuer, _, _ in targets]
    batches = [batch_subject(issuer, root) for issuer, root, _ in targets]
    for row in database.fetch_all(_BY_SUBJECT, "subjects", {*issuers, *batches}):
        rows[row.id] = row
    changes: Changes = defaultdict(list)
    for row in database.fetch_all(_BY_TARGET, "targets", {word_target(*target) for target in targets}):
        rows[row.id] = row
        changes[row.id].append((row.position, change_of(row)))
    return [
        event_of(rows[number], (change for _, change in sorted(changes[number], key=_position)))
        for number in sorted(rows)
        if up_to_block is None or rows[number].block_number <= up_to_block
    ]


def _position(placed: tuple[int, Change]) -> int:
    return placed[0]
