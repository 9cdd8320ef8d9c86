"""Multibase and base64url: one text for each byte string."""

from __future__ import annotations

import base58
import pytest

from registry.encoding import parse_base58btc, parse_base64url, to_base58btc, to_base64url
from registry.errors import ValidationError


@pytest.mark.parametrize(
    "text",
    [
        "",
        "z",
        "6Mk",
        "z6Mk ",
        " z6Mk",
        "z6Mk\n",
        "z0",
        "zO",
        "zI",
        "zl",
        "u6Mk",
        "Z6Mk",
        "zé",
        "z" + "1" * 20,
    ],
)
def test_multibase_is_refused_when_it_is_no_base58btc_within_the_limit(text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse_base58btc(text, max_characters=20, pointer="/proofValue")
    assert [(fault.code, fault.pointer) for fault in caught.value.faults] == [("multibase", "/proofValue")]


@pytest.mark.parametrize("text", ["A", "AB=", "AA==", "A+__", "A/__", "AAAAA", "AB", "A A", "AA\n", "é"])
def test_base64url_is_refused_when_padded_foreign_or_with_bits_left_over(text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse_base64url(text, pointer="/x")
    assert [(fault.code, fault.pointer) for fault in caught.value.faults] == [("base64url", "/x")]


@pytest.mark.parametrize("value", [None, 1, b"z1", ["z1"]])
def test_binary_text_is_refused_when_it_is_no_string(value: object) -> None:
    with pytest.raises(ValidationError):
        parse_base58btc(value, max_characters=20)
    with pytest.raises(ValidationError):
        parse_base64url(value)


@pytest.mark.parametrize("value", [b"\0", b"\0\0\1", b"\xff" * 64, bytes(range(64))])
def test_binary_text_is_read_back(value: bytes) -> None:
    assert parse_base58btc(to_base58btc(value), max_characters=100) == value
    assert parse_base64url(to_base64url(value)) == value


def test_empty_base64url_is_no_bytes() -> None:
    assert parse_base64url("") == b""


@pytest.mark.parametrize("power", [9, 10, 11, 19, 20, 21, 87, 88])
@pytest.mark.parametrize("step", [-1, 0, 1])
def test_base58_is_right_where_a_group_of_digits_begins(power: int, step: int) -> None:
    number = 58**power + step
    value = number.to_bytes((number.bit_length() + 7) // 8, "big")
    assert to_base58btc(value) == "z" + base58.b58encode(value).decode()
