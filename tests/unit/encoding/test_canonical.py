"""Canonical JSON against the RFC's own examples, and what has no canonical form."""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path
from typing import Any

import pytest

from registry.encoding import canonical_json
from registry.errors import MalformedJsonError

VECTORS = Path(__file__).parents[2] / "vectors" / "json"
VALUES: list[dict[str, str]] = json.loads((VECTORS / "rfc8785-values.json").read_text("utf-8"))
NUMBERS: list[tuple[str, str | None]] = json.loads((VECTORS / "rfc8785-numbers.json").read_text("utf-8"))


@pytest.mark.parametrize("row", VALUES, ids=lambda row: row["section"])
def test_value_is_serialised_as_in_the_rfc(row: dict[str, str]) -> None:
    assert canonical_json(json.loads(row["input"])) == row["canonical"].encode()


@pytest.mark.parametrize(("bits", "text"), NUMBERS)
def test_number_is_serialised_as_in_the_rfc(bits: str, text: str | None) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    if text is None:
        with pytest.raises(MalformedJsonError):
            canonical_json(number)
    else:
        assert canonical_json(number) == text.encode()


def _nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        2**53,
        -(2**53),
        float("nan"),
        float("-inf"),
        "\ud800",
        {"\udfff": 1},
        {1: 2},
        b"bytes",
        {"a": {2}},
    ],
    ids=lambda value: type(value).__name__,
)
def test_value_without_canonical_form_is_refused_with_its_cause(value: Any) -> None:
    with pytest.raises(MalformedJsonError) as caught:
        canonical_json(value)
    assert caught.value.faults[0].code == "not-canonical"
    assert caught.value.__cause__ is not None


def test_value_nested_deeper_than_the_interpreter_goes_is_refused() -> None:
    with pytest.raises(MalformedJsonError) as caught:
        canonical_json(_nested(sys.getrecursionlimit() + 100))
    assert isinstance(caught.value.__cause__, RecursionError)


def test_value_that_only_another_serialiser_takes_is_refused() -> None:
    from datetime import UTC, datetime

    with pytest.raises(MalformedJsonError):
        canonical_json({"at": datetime(2026, 1, 1, tzinfo=UTC)})  # type: ignore[dict-item]


def test_names_are_sorted_by_utf_16_code_units() -> None:
    assert (
        canonical_json({"\ue000": 1, "\U00010000": 2, "a": 3}) == '{"a":3,"\U00010000":2,"\ue000":1}'.encode()
    )
    assert canonical_json({"\ud7ff": 1, "\xe9": 2, "a": 3}) == '{"a":3,"\xe9":2,"\ud7ff":1}'.encode()
