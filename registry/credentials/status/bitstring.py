"""Bitstrings of status lists, to and from the text in a credential. Pure.

Bit 0 is the most significant bit of the first byte. A list has at least 131,072 entries, so that an index
says little about whose it is. Invariant: decoding stops at a fixed size, however small the packed text is.

Source: Bitstring Status List 1.0, sections 2.2 and 3.3; StatusList2021 writes the same without the multibase
prefix.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable

from registry.encoding import invalid, parse_base64url, to_base64url
from registry.errors import ValidationError

MIN_ENTRIES = 131_072
MAX_BYTES = 16 * 1024 * 1024
"""Of an unpacked list: 134 million entries."""
MAX_TEXT = 4 * 1024 * 1024
_GZIP = 16 + zlib.MAX_WBITS


def new_bitstring(size: int, indices: Iterable[int]) -> bytes:
    """A bitstring of ``size`` entries, a multiple of 8, with these set. Raises IndexError outside of it."""
    bits = bytearray(size // 8)
    for index in indices:
        if not 0 <= index < size:
            raise IndexError("the index lies outside of the list")
        bits[index >> 3] |= 0x80 >> (index & 7)
    return bytes(bits)


def encode(bits: bytes) -> str:
    """The multibase base64url text (``u``) of the compressed list; the same for the same bits."""
    return "u" + to_base64url(gzip.compress(bits, 9, mtime=0))


def decode(text: object, *, multibase: bool = True, pointer: str = "") -> bytes:
    """The bits of an ``encodedList``.

    Args:
        multibase: whether the text begins with ``u``; StatusList2021's does not, and may be padded.

    Raises:
        ValidationError: no such text, not gzip, more than one member, or larger than 16 MiB.
    """
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        raise invalid("encoded-list", "a list is base64url text, of 4 MiB at most", pointer)
    if multibase and not text.startswith("u"):
        raise invalid("encoded-list", "the list's text does not begin with u", pointer)
    body = text[1:] if multibase else text[: len(text) - _padding(text)]
    try:
        unpacking = zlib.decompressobj(_GZIP)
        bits = unpacking.decompress(parse_base64url(body), MAX_BYTES + 1)
    except (ValidationError, zlib.error) as error:
        raise invalid("encoded-list", "the list is not base64url of gzip data", pointer) from error
    if len(bits) > MAX_BYTES:
        raise invalid("encoded-list", f"the list unpacks to more than {MAX_BYTES} bytes", pointer)
    if not unpacking.eof or unpacking.unused_data:
        raise invalid("encoded-list", "the list is cut off, or something follows it", pointer)
    return bits


def _padding(text: str) -> int:
    return (len(text) - len(text.rstrip("="))) if len(text) % 4 == 0 and not text.endswith("===") else 0


def entry(bits: bytes, index: int, size: int = 1) -> int | None:
    """The value of an entry of ``size`` bits, 1 to 8; None outside of the list."""
    first = index * size
    if index < 0 or first + size > len(bits) * 8:
        return None
    window = int.from_bytes(bits[first >> 3 : (first + size + 7) >> 3], "big")
    width = ((first + size + 7) >> 3) - (first >> 3)
    return window >> (width * 8 - (first & 7) - size) & ((1 << size) - 1)
