"""Bitstrings to and from text: what is published decodes, and nothing small becomes large."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.credentials.status.bitstring import (
    MAX_BYTES,
    MAX_TEXT,
    MIN_ENTRIES,
    decode,
    encode,
    entry,
    new_bitstring,
)
from registry.encoding import to_base64url
from registry.errors import ValidationError

VECTORS = Path(__file__).parents[3] / "vectors" / "bitstring_status_list" / "specification.json"
EMPTY = bytes(MIN_ENTRIES // 8)


def text_of(packed: bytes) -> str:
    return "u" + to_base64url(packed)


def bomb(mebibytes: int) -> bytes:
    """So many times 1 MiB of zeros as gzip, whose blocks are all the same; nobody gets to its checksum."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    head = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + block * mebibytes


PACKED = gzip.compress(EMPTY, mtime=0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "base64url text"),
        (7, "base64url text"),
        (["u"], "base64url text"),
        ("u" + "A" * MAX_TEXT, "4 MiB"),
        ("", "begin with u"),
        ("z" + to_base64url(PACKED), "begin with u"),
        (to_base64url(PACKED), "begin with u"),
        ("U" + to_base64url(PACKED), "begin with u"),
        ("u", "cut off"),
        ("u====", "not base64url"),
        (text_of(PACKED) + "=", "not base64url"),
        (text_of(PACKED)[:20] + "\n" + text_of(PACKED)[20:], "not base64url"),
        (text_of(PACKED)[:20] + "+" + text_of(PACKED)[21:], "not base64url"),
        (text_of(EMPTY[:100]), "gzip"),
        (text_of(zlib.compress(EMPTY)), "gzip"),
        (text_of(PACKED[:-1]), "cut off"),
        (text_of(PACKED[: len(PACKED) // 2]), "cut off"),
        (text_of(PACKED + PACKED), "something follows"),
        (text_of(PACKED + b"\0"), "something follows"),
        (text_of(PACKED[:-8] + bytes(8)), "gzip"),
    ],
)
def test_text_is_refused_when_it_is_no_list(text: object, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        decode(text)


def test_list_is_refused_when_it_unpacks_to_gigabytes() -> None:
    packed = bomb(2_048)
    assert len(text_of(packed)) < MAX_TEXT
    assert len(zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(packed, 1 << 25)) == 1 << 25
    with pytest.raises(ValidationError, match="unpacks to more than"):
        decode(text_of(packed))


def test_list_of_the_greatest_size_is_read_and_one_byte_more_is_refused() -> None:
    assert len(decode(text_of(gzip.compress(bytes(MAX_BYTES))))) == MAX_BYTES
    with pytest.raises(ValidationError, match="unpacks to more than"):
        decode(text_of(gzip.compress(bytes(MAX_BYTES + 1))))


@pytest.mark.parametrize("index", [-1, 8 * 16, 10**12])
def test_entry_is_none_outside_of_the_list(index: int) -> None:
    assert entry(bytes(16), index) is None


@pytest.mark.parametrize("index", [-1, 64, 65])
def test_bit_outside_of_a_new_list_is_refused(index: int) -> None:
    with pytest.raises(IndexError):
        new_bitstring(64, [index])


def test_bit_zero_is_the_left_most_bit() -> None:
    assert new_bitstring(16, [0, 9]) == b"\x80\x40"


def test_list_of_2021_has_no_prefix_and_may_be_padded() -> None:
    plain = to_base64url(PACKED)
    assert decode(plain, multibase=False) == EMPTY
    assert decode(plain + "=" * (-len(plain) % 4), multibase=False) == EMPTY
    with pytest.raises(ValidationError):
        decode("u" + plain, multibase=False)


def test_published_example_is_a_list_of_the_smallest_size_without_a_bit() -> None:
    example: dict[str, Any] = json.loads(VECTORS.read_text())["list"]
    assert decode(example["credentialSubject"]["encodedList"]) == EMPTY


@given(st.sets(st.integers(0, MIN_ENTRIES - 1), max_size=200))
def test_decoding_gives_back_what_was_encoded(indices: set[int]) -> None:
    bits = new_bitstring(MIN_ENTRIES, indices)
    text = encode(bits)
    assert decode(text) == bits
    assert encode(bits) == text
    assert all(entry(bits, index) == 1 for index in indices)
    assert sum(byte.bit_count() for byte in bits) == len(indices)


@given(st.integers(1, 8), st.lists(st.integers(0, 255), min_size=1, max_size=64))
def test_entries_of_several_bits_stand_one_after_the_other(size: int, values: list[int]) -> None:
    wanted = [value & ((1 << size) - 1) for value in values]
    digits = "".join(format(value, f"0{size}b") for value in wanted)
    digits += "0" * (-len(digits) % 8)
    bits = int(digits, 2).to_bytes(len(digits) // 8, "big")
    assert [entry(bits, index, size) for index in range(len(wanted))] == wanted
