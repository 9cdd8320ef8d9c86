"""Canonical JSON: one byte string for one JSON value, by RFC 8785 (JCS)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

import rfc8785

from registry.errors import Fault, MalformedJsonError

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
"""A value as `parse_json` returns it: lists and dicts, no tuples; keys are strings."""


def canonical_json(value: JsonValue) -> bytes:
    """Serialise ``value`` by RFC 8785: UTF-8, no white space, keys sorted by UTF-16 code units.

    Raises:
        MalformedJsonError: code ``not-canonical``: an integer beyond 2^53-1, NaN or infinity, a lone
            surrogate, a key that is not a string, a value that is not JSON, or nesting too deep to serialise.
    """
    try:
        return rfc8785.dumps(cast(Any, value))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        detail = "the value has no canonical form (RFC 8785)"
        raise MalformedJsonError(
            detail, faults=[Fault(code="not-canonical", detail=detail, pointer="")]
        ) from error
