"""Which block a question is about: the newest one, or the one that `as_of` names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from registry.encoding import invalid
from registry.errors import ChainError, ChainUnavailableError, UnknownBlockError
from registry.model.chain import Header, IndexPosition
from registry.ports.chain import ChainReader
from registry.ports.store import Unit

KEPT_HEADERS = 512
"""At most so many headers of the index are looked through before the node is asked."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A block and the time at which validity dates are looked at.

    Attributes:
        block: None when its header cannot be had; ``problem`` then says why.
        number: events up to this height count; -1 when no block is known.
        final_number: events up to this height count as final, at most ``number``.
        instant: aware, UTC.
    """

    block: Header | None
    number: int
    final_number: int
    instant: datetime
    problem: str | None = None


def resolve(
    as_of: int | datetime | None,
    position: IndexPosition | None,
    unit: Unit,
    chain: ChainReader,
    now: datetime,
) -> Moment:
    """Find the block.

    Raises:
        ValidationError: code ``as-of``: the block or time lies in the future, or before the chain began.
    """
    refuse_future(as_of, now)
    if position is None:
        return Moment(None, -1, -1, now)
    if as_of is None:
        return _moment(position.block, position, now)
    try:
        block = block_of(as_of, position, unit, chain, now)
    except (ChainUnavailableError, ChainError) as error:
        problem = f"the block asked about could not be looked up ({error})"
        return Moment(None, -1, -1, as_of if isinstance(as_of, datetime) else now, problem)
    instant = as_of if isinstance(as_of, datetime) else datetime.fromtimestamp(block.timestamp, UTC)
    return _moment(block, position, instant)


def block_of(
    as_of: int | datetime, position: IndexPosition, unit: Unit, chain: ChainReader, now: datetime
) -> Header:
    """The block that ``as_of`` names: itself, or the last one not later than a time; at most the index's
    newest.

    Raises:
        ValidationError: code ``as-of``, as of `resolve`.
        ChainUnavailableError, ChainError: the index has not kept the block, and the node does not tell.
    """
    refuse_future(as_of, now)
    try:
        return _block(as_of, position, unit, chain)
    except UnknownBlockError as error:
        raise invalid("as-of", "there was no such block, or none at that time yet", "/as_of") from error


def number_on_chain(as_of: int | datetime, chain: ChainReader, now: datetime) -> int:
    """The height that ``as_of`` names, by a node alone.

    Raises:
        ValidationError: code ``as-of``, as of `resolve`.
        ChainUnavailableError, ChainError: the node does not tell.
    """
    refuse_future(as_of, now)
    if isinstance(as_of, int):
        if as_of > chain.latest().number:
            raise invalid("as-of", "the block lies after the newest one", "/as_of")
        return as_of
    try:
        return chain.block_at_time(int(as_of.timestamp())).number
    except UnknownBlockError as error:
        raise invalid("as-of", "there was no such block, or none at that time yet", "/as_of") from error


def refuse_future(as_of: int | datetime | None, now: datetime) -> None:
    """Raise ValidationError, code ``as-of``, for a time later than ``now`` and a negative block."""
    if isinstance(as_of, datetime) and as_of > now:
        raise invalid("as-of", "the time lies in the future", "/as_of")
    if isinstance(as_of, int) and as_of < 0:
        raise invalid("as-of", "a block number is not negative", "/as_of")


def _moment(block: Header, position: IndexPosition, instant: datetime) -> Moment:
    return Moment(block, block.number, min(block.number, position.final_block), instant)


def _block(as_of: int | datetime, position: IndexPosition, unit: Unit, chain: ChainReader) -> Header:
    newest = position.block
    if isinstance(as_of, int):
        if as_of > newest.number:
            raise invalid("as-of", "the block lies after the newest one", "/as_of")
        if as_of == newest.number:
            return newest
    elif as_of.timestamp() >= newest.timestamp:
        return newest
    kept = unit.events.recent_headers(KEPT_HEADERS)
    block = _among(as_of, kept)
    if block is None:
        block = chain.header(as_of) if isinstance(as_of, int) else chain.block_at_time(int(as_of.timestamp()))
    return block if block.number < newest.number else newest


def _among(as_of: int | datetime, kept: Sequence[Header]) -> Header | None:
    """Look through the index's own headers, newest first, as far as they follow each other without a gap."""
    before: Header | None = None
    for header in kept:
        if before is not None and header.number != before.number - 1:
            return None
        if header.number == as_of if isinstance(as_of, int) else header.timestamp <= as_of.timestamp():
            return header
        before = header
    return None
