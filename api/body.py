"""Reading request bodies: capped while they arrive, strict JSON before any model sees them.

The order is: media type, size, strict JSON (docs/proof-format.md), model. Faults carry JSON pointers and
never the value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from hashlib import sha256
from itertools import islice
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any, TypeVar

import pydantic
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from registry.encoding import JsonValue, parse_json
from registry.errors import (
    MAX_FAULTS,
    Fault,
    StoreUnavailableError,
    TooLargeError,
    UnsupportedMediaTypeError,
    ValidationError,
)

MIB = 1024 * 1024
SMALL_BODY_BYTES = MIB
LARGE_BODY_BYTES = 32 * MIB
NDJSON_LINE_BYTES = MIB
NDJSON_LINES = 2_000_000
NDJSON_BODY_BYTES = 4096 * MIB
SPOOL_MEMORY_BYTES = MIB
_FLUSH_BYTES = 4 * MIB

JSON_TYPES = frozenset({"application/json"})
NDJSON_TYPES = frozenset({"application/x-ndjson", "application/ndjson"})
CSV_TYPES = frozenset({"text/csv"})

Model = TypeVar("Model", bound=pydantic.BaseModel)


def media_type(request: Request) -> str:
    """The body's media type in lower case, without parameters.

    Raises:
        UnsupportedMediaTypeError: the body is compressed, or declares another charset than UTF-8.
    """
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaTypeError("the body must not have a content encoding")
    kind, *parameters = request.headers.get("content-type", "").split(";")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip().strip('"').lower() != "utf-8":
            raise UnsupportedMediaTypeError("the body must be UTF-8")
    return kind.strip().lower()


def _declared_length(request: Request) -> int | None:
    text = request.headers.get("content-length", "")
    return int(text[:20]) if text.isascii() and text.isdecimal() else None


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"the body is longer than {limit} bytes")


async def read_bytes(request: Request, limit: int) -> bytes:
    """The whole body, refused as soon as it passes ``limit`` bytes."""
    declared = _declared_length(request)
    if declared is not None and declared > limit:
        raise _too_large(limit)
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
    return b"".join(parts)


async def read_json(request: Request, limit: int = SMALL_BODY_BYTES) -> tuple[bytes, JsonValue]:
    """The raw body, and what it says as strict JSON. Large bodies are parsed in a thread."""
    if media_type(request) not in JSON_TYPES:
        raise UnsupportedMediaTypeError("the body must be application/json")
    body = await read_bytes(request, limit)
    if len(body) > SMALL_BODY_BYTES // 4:
        return body, await run_in_threadpool(parse_json, body)
    return body, parse_json(body)


def validated(model: type[Model], value: JsonValue) -> Model:
    """Check a JSON value against a model.

    Raises:
        ValidationError: with a pointer for each fault, at most 20.
    """
    try:
        return model.model_validate(value)
    except pydantic.ValidationError as error:
        faults = _faults(value, error.errors(include_input=False, include_url=False))
        first = faults[0]
        raise ValidationError(f"{first.detail} at {first.pointer or 'the top'}", faults=faults) from error


_NOTHING = object()
_PLAIN = {
    "dict_type": ("type", "an object is expected"),
    "model_type": ("type", "an object is expected"),
    "model_attributes_type": ("type", "an object is expected"),
    "list_type": ("type", "a list is expected"),
    "string_type": ("type", "a string is expected"),
    "int_type": ("type", "a whole number is expected"),
    "bool_type": ("type", "true or false is expected"),
    "missing": ("missing", "this member is needed"),
    "extra_forbidden": ("unknown-member", "there is no such member here"),
}
"""Code and detail for what pydantic words for programmers."""


def _faults(value: JsonValue, details: Iterable[Any]) -> list[Fault]:
    """A fault for each place. Where a value may have one of several forms, pydantic complains about each:
    what is wrong beyond the type is told, else all the types that would do."""
    places: dict[str, list[Fault]] = {}
    for detail in details:
        fault = _fault(value, detail)
        places.setdefault(fault.pointer or "", []).append(fault)
    return [_one_of(faults) for faults in islice(places.values(), MAX_FAULTS)]


def _one_of(faults: list[Fault]) -> Fault:
    telling = [fault for fault in faults if fault.code != "type"] or faults
    detail = ", or ".join(dict.fromkeys(fault.detail for fault in telling))
    return replace(telling[0], detail=detail)


def _fault(value: JsonValue, detail: Any) -> Fault:
    kind = str(detail["type"])
    message = str(detail["msg"]).removeprefix("Value error, ")
    code, message = _PLAIN.get(kind, (kind.replace("_", "-"), message))
    return Fault(code=code, detail=message, pointer=_pointer(value, detail["loc"])[:256])


def _pointer(value: Any, location: Iterable[str | int]) -> str:
    """The JSON pointer to a place of ``value``; pydantic's names of a union's members, which lead nowhere in
    it, are left out. A member that is missing is named."""
    pointer = ""
    for part in location:
        if isinstance(value, dict):
            value = value.get(part, _NOTHING)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            continue
        pointer += "/" + str(part).replace("~", "~0").replace("/", "~1")
    return pointer


class SpooledBody:
    """A large body on disk (small ones stay in memory), with the SHA-256 of its bytes. Close it when done."""

    def __init__(self, file: IO[bytes], sha256: bytes) -> None:
        self._file = file
        self.sha256 = sha256

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """(line number from 1, line without its end); lines of white space alone are passed over.

        Raises:
            TooLargeError: a line or the number of lines passes its limit; the fault names the line.
        """
        self._file.seek(0)
        number = 0
        while line := self._file.readline(NDJSON_LINE_BYTES + 2):
            number += 1
            if len(line.rstrip(b"\r\n")) > NDJSON_LINE_BYTES:
                raise _line_error(number, f"a line is longer than {NDJSON_LINE_BYTES} bytes")
            if number > NDJSON_LINES:
                raise _line_error(number, f"there are more than {NDJSON_LINES} lines")
            if line.strip():
                yield number, line.rstrip(b"\r\n")

    def raw_lines(self, longest: int) -> Iterator[bytes]:
        """Lines with their ends, blank ones too; of one that has more than ``longest`` bytes, pieces of
        ``longest`` + 1."""
        self._file.seek(0)
        while line := self._file.readline(longest + 1):
            yield line

    def close(self) -> None:
        """Give the disk space back."""
        self._file.close()


def _line_error(line: int, detail: str) -> TooLargeError:
    return TooLargeError(detail, faults=[Fault(code="too-large", detail=detail, line=line)])


async def spool(request: Request, directory: Path, limit: int | None = None) -> SpooledBody:
    """Receive a body of up to ``limit`` bytes (``NDJSON_BODY_BYTES``) into a temporary file, so that neither
    memory nor a database transaction waits for a slow sender.

    Raises:
        TooLargeError: the body passes the limit.
        StoreUnavailableError: the disk is full.
    """
    limit = NDJSON_BODY_BYTES if limit is None else limit
    digest = sha256()
    file = SpooledTemporaryFile(max_size=SPOOL_MEMORY_BYTES, dir=str(directory))  # noqa: SIM115 - outlives this function
    try:
        buffer: list[bytes] = []
        pending = size = 0
        async for part in request.stream():
            size += len(part)
            pending += len(part)
            if size > limit:
                raise _too_large(limit)
            digest.update(part)
            buffer.append(part)
            if pending >= _FLUSH_BYTES:
                await run_in_threadpool(file.writelines, buffer)
                buffer, pending = [], 0
        await run_in_threadpool(file.writelines, buffer)
    except OSError as error:
        file.close()
        raise StoreUnavailableError("the server has no room for this body now") from error
    except BaseException:
        file.close()
        raise
    return SpooledBody(file, digest.digest())
