"""What commands read: files and standard input, whole where small, line by line where not."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from registry.errors import TooLargeError, ValidationError

if TYPE_CHECKING:
    from datetime import datetime

    from registry.encoding import JsonValue

MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_BLOCK_DIGITS = 18
STANDARD_INPUT = "-"


@contextmanager
def opened(path: str) -> Iterator[BinaryIO]:
    """A file, or standard input for `-`, to read bytes from.

    Raises:
        ValidationError: it cannot be opened or read.
    """
    try:
        if path == STANDARD_INPUT:
            yield sys.stdin.buffer
        else:
            with Path(path).open("rb") as file:
                yield file
    except (OSError, io.UnsupportedOperation) as error:
        raise ValidationError(f"{path} cannot be read: {_why(error)}") from error
    except ValueError as error:
        if "null byte" not in str(error):
            raise
        raise ValidationError("a file's name holds no zero byte") from error


def _why(error: BaseException) -> str:
    return getattr(error, "strerror", None) or type(error).__name__


def size_of(file: BinaryIO) -> int | None:
    """Bytes in a file; None for a pipe or a terminal."""
    try:
        position = file.tell()
        end = file.seek(0, io.SEEK_END)
        file.seek(position)
    except OSError:
        return None
    return end


def read_input(path: str) -> bytes:
    """The bytes of a file, or of standard input for `-`.

    Raises:
        ValidationError: it cannot be read.
        TooLargeError: it is longer than 64 MiB.
    """
    with opened(path) as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise TooLargeError(f"{path} is longer than {MAX_FILE_BYTES} bytes")
    return data


def read_json_input(path: str) -> JsonValue:
    """A file, or standard input, as strict JSON.

    Raises:
        ValidationError: it cannot be read.
        MalformedJsonError: it is no strict JSON; the message names the file.
    """
    from registry.encoding import parse_json
    from registry.errors import MalformedJsonError

    data = read_input(path)
    try:
        return parse_json(data)
    except MalformedJsonError as error:
        raise MalformedJsonError(f"{path}: {error}", faults=error.faults) from error


def parse_as_of(text: str) -> int | datetime:
    """A block number, or an RFC 3339 time.

    Raises:
        ValidationError: neither.
    """
    from registry.encoding import invalid, parse_time

    if not (text.isascii() and text.isdecimal()):
        return parse_time(text, pointer="/as_of")
    if len(text) > MAX_BLOCK_DIGITS:
        raise invalid("as-of", "a block number or an RFC 3339 time is expected", "/as_of")
    return int(text)


def write_output(path: Path, content: str | bytes) -> None:
    """Write a file; `-` is standard output.

    Raises:
        ValidationError: it cannot be written.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    if str(path) == STANDARD_INPUT:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        path.write_bytes(data)
    except OSError as error:
        raise ValidationError(f"{path} cannot be written: {_why(error)}") from error
