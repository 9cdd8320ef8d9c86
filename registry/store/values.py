"""Values between the domain's types and columns. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TypeVar

from registry.encoding import DigestMethod
from registry.model.chain import Change

T = TypeVar("T")

CHUNK = 300
"""Values in one IN list: far below both databases' limits of parameters, even as triples."""

METHODS = {method.code: method for method in DigestMethod}
"""Digest methods by the byte that stands for them."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_CHANGE_BYTES = 40


def micros(instant: datetime) -> int:
    """Microseconds since the epoch, exactly. Raises TypeError for an instant without time zone."""
    return (instant - _EPOCH) // _MICROSECOND


def maybe_micros(instant: datetime | None) -> int | None:
    """As `micros`; None stays None."""
    return None if instant is None else micros(instant)


def instant(value: int) -> datetime:
    """The aware UTC datetime of microseconds since the epoch."""
    return _EPOCH + timedelta(microseconds=value)


def maybe_instant(value: int | None) -> datetime | None:
    """As `instant`; None stays None."""
    return None if value is None else instant(value)


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """Cut into lists of at most ``size``."""
    iterator = iter(values)
    while chunk := list(islice(iterator, size)):
        yield chunk


def unique_chunks(values: Collection[T], size: int = CHUNK) -> Iterator[list[T]]:
    """As `chunks`, each value once, in order of first appearance."""
    return chunks(dict.fromkeys(values), size)


def word_bytes(word: int) -> bytes:
    """A uint64 so that bytes sort as numbers."""
    return word.to_bytes(8, "big")


def mask_bytes(mask: int) -> bytes:
    """A uint256."""
    return mask.to_bytes(32, "big")


def pack_changes(changes: Iterable[Change]) -> bytes:
    """40 bytes for each change: word, mask."""
    return b"".join(word_bytes(change.word) + mask_bytes(change.mask) for change in changes)


def unpack_changes(packed: bytes) -> tuple[Change, ...]:
    """Undo `pack_changes`."""
    return tuple(
        Change(
            word=int.from_bytes(packed[at : at + 8], "big"),
            mask=int.from_bytes(packed[at + 8 : at + _CHANGE_BYTES], "big"),
        )
        for at in range(0, len(packed), _CHANGE_BYTES)
    )


def stranger_bytes(text: str) -> bytes:
    """Any Python string as bytes, losslessly, with U+0000 and lone surrogates."""
    return text.encode("utf-8", "surrogatepass")


def stranger_text(stored: bytes) -> str:
    """Undo `stranger_bytes`."""
    return stored.decode("utf-8", "surrogatepass")
