"""Canonical JSON: one byte string for one JSON value, by RFC 8785 (JCS).

`rfc8785` serialises every value. Most values are simple: no number with a fraction, and names of members
that sort alike by code points and by UTF-16 code units (RFC 8785, section 3.2.3). Of those, orjson with
sorted keys makes the same bytes many times faster; a property test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

import orjson
import rfc8785

from registry.errors import Fault, MalformedJsonError

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
"""A value as `parse_json` returns it: lists and dicts, no tuples; keys are strings."""

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
_SIMPLE_TYPES = frozenset((str, int, bool, type(None)))
_FIRST_SURROGATE = "\ud800"
"""Below it, code points and UTF-16 code units sort alike."""


def canonical_json(value: JsonValue) -> bytes:
    """Serialise ``value`` by RFC 8785: UTF-8, no white space, keys sorted by UTF-16 code units.

    Raises:
        MalformedJsonError: code ``not-canonical``: an integer beyond 2^53-1, NaN or infinity, a lone
            surrogate, a key that is not a string, a value that is not JSON, or nesting too deep to serialise.
    """
    try:
        quick = orjson.dumps(value, option=_OPTIONS)
    except orjson.JSONEncodeError:
        quick = None  # rfc8785 decides, and says why
    if quick is not None and _is_simple(value):
        return quick
    try:
        return rfc8785.dumps(cast(Any, value))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        detail = "the value has no canonical form (RFC 8785)"
        raise MalformedJsonError(
            detail, faults=[Fault(code="not-canonical", detail=detail, pointer="")]
        ) from error


def _is_simple(value: Any) -> bool:
    """Whether orjson's bytes are canonical. ``value`` was serialised, so it is a finite tree with string
    keys."""
    waiting = [value]
    for item in waiting:
        kind = type(item)
        if kind is dict:
            names = "".join(item)
            if not names.isascii() and max(names) >= _FIRST_SURROGATE:
                return False
            waiting.extend(item.values())
        elif kind is list:
            waiting.extend(item)
        elif kind not in _SIMPLE_TYPES:
            return False
    return True
