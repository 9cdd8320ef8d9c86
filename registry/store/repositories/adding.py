"""Adding entries in bulk.

The common entry is digest, method and salt; what only some have goes into a table beside it. An external id
is unique per issuer, and the unique index decides, also for whoever commits the same one meanwhile; only when
it refused a row is it asked which names are taken, so that the error can name them all.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, not_, select, update

from registry.errors import ExternalIdConflictError, Fault, ValidationError, WrongStateError
from registry.model.batches import Batch, BatchState, NewEntry
from registry.store.database import Database
from registry.store.repositories.batches import BATCHES, DETAILS, ENTRIES
from registry.store.values import chunks, maybe_micros

MAX_EXTERNAL_ID_BYTES = 1_024
"""In UTF-8. PostgreSQL's indexes end at 2,704 bytes a row; a stated limit is the same on both databases."""

_ENTRY_COLUMNS = ("batch_seq", "entry_index", "method", "digest", "salt")
_DETAIL_COLUMNS = (
    "batch_seq",
    "entry_index",
    "issuer",
    "external_id",
    "valid_from",
    "valid_until",
    "document",
)
_FILLING = (BatchState.OPEN.value, BatchState.RECEIVING.value)
_DETAILS_AT_ONCE = 1_000


def add_entries(database: Database, batch: Batch, first_index: int, entries: Sequence[NewEntry]) -> None:
    """See `registry.store.repositories.entries.Entries.add`."""
    named = _named(entries)
    _grow(database, batch.seq, first_index, len(entries))
    database.insert_many(
        ENTRIES,
        _ENTRY_COLUMNS,
        (
            (batch.seq, index, entry.method.code, entry.digest, entry.salt)
            for index, entry in enumerate(entries, first_index)
        ),
    )
    details = (
        (
            batch.seq,
            index,
            batch.issuer,
            entry.external_id,
            maybe_micros(entry.valid_from),
            maybe_micros(entry.valid_until),
            entry.document,
        )
        for index, entry in enumerate(entries, first_index)
        if any(value is not None for value in entry[3:])
    )
    for chunk in chunks(details, _DETAILS_AT_ONCE):
        if database.insert_new(DETAILS, _DETAIL_COLUMNS, chunk) < len(chunk):
            raise _conflict(_taken(database, batch, first_index, named), "the external_id is taken")


def _named(entries: Sequence[NewEntry]) -> dict[str, int]:
    """Position of each external id. Raises for those that cannot be stored or stand twice."""
    positions: dict[str, int] = {}
    unfit: list[Fault] = []
    repeated: list[int] = []
    for position, entry in enumerate(entries):
        name = entry.external_id
        if name is None:
            continue
        problem = _unfit(name)
        if problem is not None:
            unfit.append(Fault("external-id", problem, pointer=f"/{position}"))
        elif positions.setdefault(name, position) != position:
            repeated.append(position)
    if unfit:
        raise ValidationError("an external_id cannot be stored", faults=unfit)
    if repeated:
        raise _conflict(repeated, "the external_id stands twice in this request")
    return positions


def _unfit(name: str) -> str | None:
    if "\0" in name:
        return "an external_id may not contain U+0000"
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        return "an external_id may not contain lone surrogates"
    if length > MAX_EXTERNAL_ID_BYTES:
        return f"an external_id has at most {MAX_EXTERNAL_ID_BYTES} bytes in UTF-8"
    return None


def _conflict(positions: Sequence[int], detail: str) -> ExternalIdConflictError:
    faults = [Fault("external-id-taken", detail, pointer=f"/{position}") for position in sorted(positions)]
    return ExternalIdConflictError("an external_id is taken", faults=faults)


def _taken(database: Database, batch: Batch, first_index: int, named: dict[str, int]) -> list[int]:
    """Positions of the names that stood there before this call."""
    taken: list[int] = []
    ours = and_(DETAILS.c.batch_seq == batch.seq, DETAILS.c.entry_index >= first_index)
    for chunk in chunks(named):
        query = select(DETAILS.c.external_id).where(
            DETAILS.c.issuer == batch.issuer, DETAILS.c.external_id.in_(chunk), not_(ours)
        )
        taken += [named[row.external_id] for row in database.rows(query)]
    return taken


def _grow(database: Database, seq: int, first_index: int, count: int) -> None:
    """Set the new size, and hold the batch's row so that nobody else appends or seals meanwhile."""
    statement = (
        update(BATCHES)
        .where(BATCHES.c.seq == seq, BATCHES.c.state.in_(_FILLING), BATCHES.c.size == first_index)
        .values(size=first_index + count)
    )
    if database.run(statement) == 0:
        raise WrongStateError("the batch is not being filled, or somebody else added to it")
