"""Baked PNG: a credential in a text chunk of the image. Own strict walk over the chunks; no pixel is decoded.

Every chunk's length, name and CRC is checked, IHDR is first and IEND last with nothing behind it, so that two
programs see the same chunks in a file. Exactly one chunk may carry a credential: an image with two could
show one person one credential and the next another. Nothing is ever inflated: the baking specifications
forbid compression, and a compressed credential is refused. The other text chunks are none of our business.

Source: Open Badges 3.0, section 5.3.1 (keyword ``openbadgecredential``); Open Badges 2.0 Baking 1.0
(``openbadges``, before 1.0 in tEXt); the keyword ``clrcredential`` as 1EdTech's validator reads it; PNG
Third Edition, sections 5.2 to 5.6 and 11.3.3.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

from registry.credentials.carriers.baked import (
    MAX_CREDENTIAL_BYTES,
    Baked,
    Standard,
    is_token,
    refused,
    require_file_size,
)
from registry.errors import TooLargeError, ValidationError

SIGNATURE = b"\x89PNG\r\n\x1a\n"

MAX_CHUNKS = 20_000
"""Encoders that cut the pixels into pieces of 1 KiB come to half of it in a file of the largest size."""

_KEYWORDS = {
    b"openbadgecredential": Standard.OPEN_BADGES_3,
    b"openbadges": Standard.OPEN_BADGES_2,
    b"clrcredential": Standard.CLR_2,
}
_KEYWORD_OF = {standard: keyword for keyword, standard in _KEYWORDS.items()}
_TEXT_CHUNKS = (b"iTXt", b"tEXt", b"zTXt")
_NAME = re.compile(rb"[A-Za-z]{4}")
_IHDR_BYTES = 13
_FRAME_BYTES = 12  # length, name and CRC around a chunk's data


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk of a PNG. ``start`` and ``end`` are where it stands in the file, length and CRC included."""

    name: bytes
    data: bytes
    start: int
    end: int


def is_png(data: bytes) -> bool:
    """Whether the file begins as a PNG does."""
    return data.startswith(SIGNATURE)


def chunks_of(image: bytes) -> tuple[Chunk, ...]:
    """All chunks of a PNG, in order, IHDR to IEND.

    Raises:
        ValidationError: code ``png``: not a PNG, cut off, damaged, or going on behind its end.
        TooLargeError: too many bytes or chunks.
    """
    require_file_size(image)
    if not is_png(image):
        raise refused("png", "the file is not a PNG")
    chunks = tuple(_walk(image))
    names = [chunk.name for chunk in chunks]
    if names[0] != b"IHDR" or names.count(b"IHDR") != 1 or len(chunks[0].data) != _IHDR_BYTES:
        raise refused("png", "the PNG does not begin with its header")
    if b"IDAT" not in names:
        raise refused("png", "the PNG has no pixels")
    return chunks


def unbake_png(image: bytes) -> Baked | None:
    """The credential that a PNG carries, or None when it carries none.

    Raises:
        ValidationError: code ``png``: see `chunks_of`; ``baked-twice``: several chunks carry a credential;
            ``baked-compressed``: the credential is compressed; ``baked-chunk``: its chunk does not have its
            form.
        TooLargeError: the file or the credential is over its limit.
    """
    found = [(chunk, standard) for chunk in chunks_of(image) if (standard := _standard_of(chunk))]
    if not found:
        return None
    if len(found) > 1:
        raise refused("baked-twice", "the image carries more than one credential")
    chunk, standard = found[0]
    text = _text_of(chunk, standard)
    if len(text) > MAX_CREDENTIAL_BYTES:
        raise TooLargeError(f"a baked credential has at most {MAX_CREDENTIAL_BYTES} bytes")
    return Baked(standard, text)


def bake_png(image: bytes, credential: bytes, standard: Standard = Standard.OPEN_BADGES_3) -> bytes:
    """The image with the credential in it, instead of those that it may have carried.

    Args:
        image: a PNG; all its other chunks are kept as they are.
        credential: UTF-8 JSON or a compact token; `unbake_png` gives the same bytes back.

    Raises:
        ValidationError: no PNG, or neither JSON nor a token. TooLargeError: over a limit.
    """
    is_token(credential)  # raises for what is neither a token nor JSON
    kept = [chunk for chunk in chunks_of(image) if _standard_of(chunk) is None]
    header, *others = (image[chunk.start : chunk.end] for chunk in kept)
    # Keyword, no compression (flag and method), no language, no translated keyword: PNG, section 11.3.3.4.
    data = _KEYWORD_OF[standard] + b"\0\0\0\0\0" + credential
    baked = b"".join((SIGNATURE, header, chunk_bytes(b"iTXt", data), *others))
    require_file_size(baked)
    return baked


def chunk_bytes(name: bytes, data: bytes) -> bytes:
    """A chunk as it stands in a file: length, name, data, CRC."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", crc32(data, crc32(name)))


def _walk(image: bytes) -> Iterator[Chunk]:
    offset, count = len(SIGNATURE), 0
    while True:
        count += 1
        if count > MAX_CHUNKS:
            raise TooLargeError(f"a PNG has at most {MAX_CHUNKS} chunks")
        if offset + _FRAME_BYTES > len(image):
            raise refused("png", "the PNG is cut off")
        length, name = struct.unpack_from(">I4s", image, offset)
        end = offset + _FRAME_BYTES + length
        if not _NAME.fullmatch(name):
            raise refused("png", "the PNG holds a chunk without a proper name")
        if end > len(image):
            raise refused("png", "the PNG is cut off")
        data = image[offset + 8 : end - 4]
        if crc32(data, crc32(name)) != struct.unpack_from(">I", image, end - 4)[0]:
            raise refused("png", "the PNG is damaged: a check sum does not fit")
        yield Chunk(name, data, offset, end)
        offset = end
        if name == b"IEND":
            break
    if length or offset != len(image):
        raise refused("png", "the file goes on behind the end of the PNG")


def _standard_of(chunk: Chunk) -> Standard | None:
    """What the chunk carries, by its keyword."""
    if chunk.name not in _TEXT_CHUNKS:
        return None
    return _KEYWORDS.get(chunk.data[:80].split(b"\0", 1)[0])


def _text_of(chunk: Chunk, standard: Standard) -> bytes:
    if chunk.name == b"zTXt":
        raise _compressed()
    _, separator, rest = chunk.data.partition(b"\0")
    if chunk.name == b"tEXt":
        if standard is not Standard.OPEN_BADGES_2:
            raise refused("baked-chunk", f"{standard.value} puts the credential into an iTXt chunk")
        if not separator or not rest.isascii():
            raise refused("baked-chunk", "the chunk with the credential does not have its form")
        return rest
    if rest[:1] == b"\1":
        raise _compressed()
    parts = rest[2:].split(b"\0", 2)  # language, translated keyword, text
    if rest[:2] != b"\0\0" or len(parts) != 3:
        raise refused("baked-chunk", "the chunk with the credential does not have its form")
    return parts[2]


def _compressed() -> ValidationError:
    return refused("baked-compressed", "the credential is compressed, which the baking specifications forbid")
