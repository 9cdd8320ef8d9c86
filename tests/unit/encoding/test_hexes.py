"""Hexadecimal and addresses: exact lengths, 0x required, EIP-55 checked when the case is mixed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from registry.encoding import (
    Address,
    parse_address,
    parse_block_hash,
    parse_digest,
    parse_hex,
    parse_root,
    parse_salt,
    parse_tx_hash,
    to_checksum,
    to_hex,
)
from registry.errors import ValidationError

# EIP-55, "Test Cases".
CHECKSUMMED = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, "type"),
        (17, "type"),
        (b"0x0102", "type"),
        ("", "hex-prefix"),
        ("0102", "hex-prefix"),
        ("0X0102", "hex-prefix"),
        ("0x", "hex-length"),
        ("0x01", "hex-length"),
        ("0x010203", "hex-length"),
        ("0x01020", "hex-length"),
        ("0x010g", "hex-digits"),
        ("0x01 2", "hex-digits"),
        ("0x  01", "hex-digits"),
        ("0x\u0661\u0662\u0663\u0664", "hex-digits"),
    ],
)
def test_wrong_hex_is_refused_with_code_and_pointer(text: object, code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse_hex(text, 2, pointer="/digests/3")
    (fault,) = caught.value.faults
    assert (fault.code, fault.pointer) == (code, "/digests/3")


def test_hex_is_read_in_any_case_and_written_in_lower_case() -> None:
    assert parse_hex("0xAbCd", 2) == b"\xab\xcd"
    assert to_hex(b"\xab\xcd") == "0xabcd"
    assert parse_hex("0x", 0) == b""


def test_errors_do_not_echo_the_value() -> None:
    with pytest.raises(ValidationError) as caught:
        parse_hex("0xsecret", 2)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("parse", [parse_digest, parse_salt, parse_root, parse_tx_hash, parse_block_hash])
def test_thirty_two_bytes_are_demanded(parse: Callable[..., bytes]) -> None:
    assert parse("0x" + "1f" * 32) == b"\x1f" * 32
    with pytest.raises(ValidationError, match="at /x"):
        parse("0x" + "1f" * 31, pointer="/x")


@pytest.mark.parametrize("text", CHECKSUMMED)
def test_address_is_read_with_checksum_in_lower_and_in_upper_case(text: str) -> None:
    address = parse_address(text)
    assert to_checksum(address) == text
    assert parse_address(text.lower()) == address
    assert parse_address("0x" + text[2:].upper()) == address


@pytest.mark.parametrize("text", CHECKSUMMED[4:])
def test_address_with_one_letter_of_the_wrong_case_is_refused(text: str) -> None:
    position = next(i for i in range(2, 42) if text[i].isalpha())
    wrong = text[:position] + text[position].swapcase() + text[position + 1 :]
    with pytest.raises(ValidationError) as caught:
        parse_address(wrong, pointer="/issuer")
    assert caught.value.faults[0].code == "address-checksum"


def test_case_of_the_first_digit_counts() -> None:
    right = "0xaB" + "1" * 36 + "06"
    assert to_checksum(Address(bytes.fromhex(right[2:]))) == right
    for wrong in ("0xAb" + right[4:], "0xAB" + right[4:].replace("1", "b", 1)):
        with pytest.raises(ValidationError):
            parse_address(wrong)


def test_address_of_another_length_is_refused() -> None:
    with pytest.raises(ValidationError):
        parse_address("0x" + "00" * 32)
    assert parse_address("0x" + "00" * 20) == Address(bytes(20))
