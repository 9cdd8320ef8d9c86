"""JSON that every reader reads alike, or an error: RFC 8259 narrowed to I-JSON (RFC 7493) and further.

Refused, each with a code and a place:

- ``encoding``: not UTF-8, or UTF-8 with a byte order mark;
- ``syntax``: not RFC 8259; ``not-a-number``: NaN and infinities;
- ``trailing-data``: something after the value;
- ``depth``: arrays and objects nested deeper than ``max_depth``;
- ``duplicate-key``: two names in one object that are equal after unescaping;
- ``number-range``: magnitude above 2^53-1, compared as exact decimals before rounding, however it is written;
  or not zero and yet so small that a double would be zero;
- ``surrogate``: an escaped surrogate without its other half;
- ``nul-character``: U+0000, raw or escaped.

Everything costs time linear in the input: the checks are a few passes in C over the bytes, then one pass of
the standard parser. The depth is known before that parser starts, so it never meets the recursion limit.
Python code runs once for each object (for duplicates), and once for each number only when some number could
be out of range. Messages hold no part of the input but names in pointers.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NoReturn

from registry.encoding.canonical import JsonValue
from registry.encoding.numbers import NumberRangeError, checked_float, checked_int
from registry.errors import Fault, MalformedJsonError, TooLargeError

MAX_DEPTH = 32
"""Nesting allowed by default: ``[]`` has depth 1, a bare number depth 0."""

_DEEPEST_ALLOWED = 256
_MAX_POINTER_CHARACTERS = 256

_BYTE_ORDER_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
_HIGH = rb"\\u[dD][89abAB][0-9a-fA-F]{2}"
_LOW = rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
# Run over text whose escaped backslashes are blanked out, so that every \u left is an escape.
_BAD_ESCAPE = re.compile(rb"(\\u0000)|" + _HIGH + rb"(?!" + _LOW + rb")|(?<!" + _HIGH + rb")" + _LOW)
_PERHAPS_OUT_OF_RANGE = re.compile(rb"[0-9.]{16}|[0-9][eE]")
_STRING_OR_BRACKET = re.compile(rb'"[^"]*+"|[\[\]{}]')
_NOT_BRACKETS = bytes(sorted(set(range(256)) - set(b"[]{}")))
_DEPTH_CHANGE = [{"[": 1, "{": 1, "]": -1, "}": -1}.get(chr(byte), 0) for byte in range(256)]


class StrictJsonError(MalformedJsonError):
    """The body is not strict JSON.

    Attributes:
        code: one of the codes in the module's table.
        pointer: RFC 6901 pointer to the place, or None when only a position is known.
        line: line from 1, or None when only a pointer is known.
        column: column from 1, in characters (bytes for ``encoding``), or None.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        pointer: str | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        place = f" at line {line}, column {column}" if line is not None else ""
        fault = Fault(code=code, detail=f"{detail}{place}", pointer=pointer, line=line)
        where = f" at {pointer}" if pointer else ""
        super().__init__(f"{detail}{where}{place}", faults=[fault])
        self.code = code
        self.pointer = pointer
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class _Flaw:
    """Stands in the parsed value where something was wrong, until its pointer is known."""

    code: str
    detail: str
    key: str | None = None


class _FlawError(Exception):
    """Raised out of the parser by a hook; the place is looked for afterwards."""


def parse_json(data: bytes, *, max_depth: int = MAX_DEPTH, max_bytes: int | None = None) -> JsonValue:
    """Parse strict JSON.

    Args:
        data: the whole text, UTF-8.
        max_depth: deepest nesting of arrays and objects.
        max_bytes: longest text, or None for any length.

    Raises:
        StrictJsonError: see the module's table.
        TooLargeError: ``data`` is longer than ``max_bytes``.
        ValueError: ``max_depth`` is above 256, where the standard parser's recursion could matter.
    """
    if max_depth > _DEEPEST_ALLOWED:
        raise ValueError(f"max_depth is at most {_DEEPEST_ALLOWED}")
    if max_bytes is not None and len(data) > max_bytes:
        raise TooLargeError(f"the body is longer than {max_bytes} bytes")
    text = _decode(data)
    plain = data
    if b"\\" in data:
        plain = data.replace(b"\\\\", b"__")
        _refuse_bad_escapes(data, plain)
        plain = plain.replace(b'\\"', b"__")
    outside = b"".join(plain.split(b'"')[::2])
    if outside.count(b"[") + outside.count(b"{") > max_depth and _deepest(outside) > max_depth:
        raise _too_deep(data, plain, max_depth)
    careful = _PERHAPS_OUT_OF_RANGE.search(outside) is not None
    try:
        value: JsonValue = (_CAREFUL if careful else _QUICK).decode(text)
    except _FlawError:
        raise _flaw_with_place(text) from None
    except json.JSONDecodeError as error:
        raise _syntax_error(error) from error
    return value


def _decode(data: bytes) -> str:
    if data.startswith(_BYTE_ORDER_MARKS) or b"\0" in data[:4]:
        raise StrictJsonError(
            "encoding", "the text must be UTF-8 without a byte order mark", line=1, column=1
        )
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line, column = _position(data, error.start)
        raise StrictJsonError("encoding", "the text is not UTF-8", line=line, column=column) from error
    nul = data.find(b"\0")
    if nul >= 0:
        line, column = _position(data, nul)
        raise StrictJsonError("nul-character", "U+0000 is not allowed", line=line, column=column)
    return text


def _refuse_bad_escapes(data: bytes, plain: bytes) -> None:
    match = _BAD_ESCAPE.search(plain)
    if match is None:
        return
    line, column = _position(data, match.start())
    if match[1]:
        raise StrictJsonError("nul-character", "U+0000 is not allowed", line=line, column=column)
    raise StrictJsonError("surrogate", "a surrogate stands without its other half", line=line, column=column)


def _deepest(outside: bytes) -> int:
    """Greatest nesting in ``outside``, the text without its strings; right up to the first syntax error."""
    brackets = outside.translate(None, _NOT_BRACKETS)
    return max(accumulate(map(_DEPTH_CHANGE.__getitem__, brackets)))


def _too_deep(data: bytes, plain: bytes, max_depth: int) -> StrictJsonError:
    starts = (match.start() for match in _STRING_OR_BRACKET.finditer(plain))
    depth = 0
    offset = next(start for start in starts if (depth := depth + _DEPTH_CHANGE[plain[start]]) > max_depth)
    line, column = _position(data, offset)
    detail = f"arrays and objects are nested more than {max_depth} deep"
    return StrictJsonError("depth", detail, line=line, column=column)


def _position(data: bytes, offset: int) -> tuple[int, int]:
    """Line and column, both from 1, of a byte offset; columns count characters as far as they decode."""
    line_start = data.rfind(b"\n", 0, offset) + 1
    column = len(data[line_start:offset].decode(errors="replace")) + 1
    return data.count(b"\n", 0, offset) + 1, column


def _syntax_error(error: json.JSONDecodeError) -> StrictJsonError:
    if error.msg == "Extra data":
        return StrictJsonError(
            "trailing-data", "something follows the value", line=error.lineno, column=error.colno
        )
    return StrictJsonError("syntax", f"not JSON: {error.msg}", line=error.lineno, column=error.colno)


# --- the parser's hooks
# --------------------------------------------------------------------------------------------- The first run
# raises at the first flaw. Only then a second run puts a _Flaw where each one is, to find a pointer.

_NOT_A_NUMBER = _Flaw("not-a-number", "NaN and infinities are not JSON")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _FlawError
    return members


def _mark_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Flaw:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            return _Flaw("duplicate-key", "an object has two members of the same name", key)
        seen.add(key)
    return dict(pairs)


def _raise_flaw(_text: str) -> NoReturn:
    raise _FlawError


def _raising(parse: Callable[[str], float]) -> Callable[[str], float]:
    def hook(text: str) -> float:
        try:
            return parse(text)
        except NumberRangeError:
            raise _FlawError from None

    return hook


def _marking(parse: Callable[[str], float]) -> Callable[[str], float | _Flaw]:
    def hook(text: str) -> float | _Flaw:
        try:
            return parse(text)
        except NumberRangeError as error:
            return _Flaw("number-range", str(error))

    return hook


_QUICK = json.JSONDecoder(object_pairs_hook=_no_duplicates, parse_constant=_raise_flaw)
_CAREFUL = json.JSONDecoder(
    object_pairs_hook=_no_duplicates,
    parse_constant=_raise_flaw,
    parse_int=_raising(checked_int),
    parse_float=_raising(checked_float),
)
_LOCATING = json.JSONDecoder(
    object_pairs_hook=_mark_duplicates,
    parse_constant=lambda _text: _NOT_A_NUMBER,
    parse_int=_marking(checked_int),
    parse_float=_marking(checked_float),
)


def _flaw_with_place(text: str) -> StrictJsonError:
    try:
        found = _first_flaw(_LOCATING.decode(text))
    except json.JSONDecodeError as error:
        return _syntax_error(error)
    assert found is not None
    flaw, path = found
    if flaw.key is not None:
        path.append(flaw.key)
    return StrictJsonError(flaw.code, flaw.detail, pointer=_pointer(path))


def _first_flaw(value: Any) -> tuple[_Flaw, list[str]] | None:
    """The first flaw in document order and the path to it; recursion is bounded by the checked depth."""
    if isinstance(value, _Flaw):
        return value, []
    members: Any = ()
    if isinstance(value, dict):
        members = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    for key, member in members:
        found = _first_flaw(member)
        if found is not None:
            found[1].insert(0, str(key))
            return found
    return None


def _pointer(path: list[str]) -> str:
    """RFC 6901 pointer; cut back to a parent when names in it are very long."""
    pointer = ""
    for token in path:
        longer = pointer + "/" + token.replace("~", "~0").replace("/", "~1")
        if len(longer) > _MAX_POINTER_CHARACTERS:
            break
        pointer = longer
    return pointer
