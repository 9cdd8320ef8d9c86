"""Strict JSON: every vector is refused with its code and place, or accepted unchanged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from registry.encoding import StrictJsonError, parse_json
from registry.errors import MalformedJsonError, TooLargeError

VECTORS = Path(__file__).parents[2] / "vectors" / "json"


def _load(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((VECTORS / name).read_text("utf-8"))
    return rows


def _bytes(row: dict[str, Any]) -> bytes:
    return bytes.fromhex(row["hex"]) if "hex" in row else row["text"].encode()


@pytest.mark.parametrize("row", _load("rejected.json"), ids=lambda row: row["name"])
def test_rejected_text_reports_its_code_and_place(row: dict[str, Any]) -> None:
    with pytest.raises(StrictJsonError) as caught:
        parse_json(_bytes(row))
    error = caught.value
    assert error.code == row["code"]
    assert isinstance(error, MalformedJsonError)
    for place in ("pointer", "line", "column"):
        if place in row:
            assert getattr(error, place) == row[place]
    (fault,) = error.faults
    assert fault.code == row["code"]
    assert fault.pointer == error.pointer
    assert fault.line == error.line
    assert error.pointer is not None or error.line is not None


@pytest.mark.parametrize("row", _load("accepted.json"), ids=lambda row: row["name"])
def test_accepted_text_means_what_the_standard_parser_reads(row: dict[str, Any]) -> None:
    assert parse_json(_bytes(row)) == json.loads(row["text"])


def test_message_does_not_echo_values() -> None:
    for text in (b'["secret', b'{"n": 123456789012345678901}', b'["secret" "more"]', b'{"a": secret}'):
        with pytest.raises(StrictJsonError) as caught:
            parse_json(text)
        assert "secret" not in str(caught.value)
        assert "123456" not in str(caught.value)


def test_message_names_the_place() -> None:
    with pytest.raises(StrictJsonError, match="two members of the same name at /a"):
        parse_json(b'{"a":1,"a":1}')
    with pytest.raises(StrictJsonError, match="line 2, column 2"):
        parse_json(b"[\n ?]")


def test_columns_count_characters_not_bytes() -> None:
    with pytest.raises(StrictJsonError) as caught:
        parse_json('["é", "\\ud800"]'.encode())
    assert caught.value.column == 8


def test_long_names_are_left_out_of_the_pointer() -> None:
    name = "n" * 300
    with pytest.raises(StrictJsonError) as caught:
        parse_json(json.dumps({"short": {name: [1]}}).replace("1", "1e99").encode())
    assert caught.value.pointer == "/short"


def test_body_over_the_limit_is_too_large_before_it_is_parsed() -> None:
    with pytest.raises(TooLargeError):
        parse_json(b"[" * 11, max_bytes=10)
    assert parse_json(b"[1,2,3,45]", max_bytes=10) == [1, 2, 3, 45]


def test_depth_limit_can_be_set() -> None:
    assert parse_json(b"[[]]", max_depth=2) == [[]]
    with pytest.raises(StrictJsonError, match="more than 1 deep"):
        parse_json(b"[[]]", max_depth=1)
    assert parse_json(b"1", max_depth=0) == 1
    deep: Any = parse_json(b"[" * 256 + b"]" * 256, max_depth=256)
    assert len(deep) == 1


def test_depth_limit_that_could_meet_the_recursion_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 256"):
        parse_json(b"1", max_depth=257)


def test_many_shallow_brackets_are_not_deep() -> None:
    assert parse_json(b"[" + b"[]," * 99 + b"{}]") == [[]] * 99 + [{}]


def test_brackets_after_a_syntax_error_never_reach_the_parser_too_deep() -> None:
    for text in (b"]" * 500 + b"[" * 500, b'"' + b"[" * 500, b'["\\"' + b"[" * 500, b'\\"' + b"[" * 5000):
        with pytest.raises(StrictJsonError):
            parse_json(text)


def test_a_long_body_of_digests_is_parsed_whole() -> None:
    digests = [f"0x{number:064x}" for number in range(20_000)]
    assert parse_json(json.dumps(digests).encode()) == digests
