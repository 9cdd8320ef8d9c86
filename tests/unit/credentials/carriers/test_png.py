"""Baked PNG: what is refused, that bytes come back, and images that others baked."""

from __future__ import annotations

import json
import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from registry.credentials.carriers.baked import MAX_CREDENTIAL_BYTES, MAX_FILE_BYTES, Baked, Standard
from registry.credentials.carriers.png import MAX_CHUNKS, SIGNATURE, bake_png, chunk_bytes, unbake_png
from registry.encoding import StrictJsonError
from registry.errors import MalformedInputError, TooLargeError, ValidationError

VECTORS = Path(__file__).parents[3] / "vectors" / "open-badges-images"
CREDENTIAL = b'{"id": "urn:uuid:1", "name": "caf\xc3\xa9"}\r\n'
TOKEN = b"eyJhbGciOiJFZERTQSJ9.eyJpZCI6MX0.c2ln"
PIXEL = zlib.compress(b"\0\0")
HEADER = chunk_bytes(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
PIXELS = chunk_bytes(b"IDAT", PIXEL)
END = chunk_bytes(b"IEND", b"")


def png(*between: bytes) -> bytes:
    return SIGNATURE + HEADER + b"".join(between) + PIXELS + END


def itxt(text: bytes, keyword: bytes = b"openbadgecredential", flags: bytes = b"\0\0") -> bytes:
    return chunk_bytes(b"iTXt", keyword + b"\0" + flags + b"\0\0" + text)


def code_of(image: bytes) -> str:
    with pytest.raises(ValidationError) as caught:
        unbake_png(image)
    return caught.value.faults[0].code


WRONG_CRC = png(itxt(CREDENTIAL))[:-1] + b"\0"
LONG_CHUNK = SIGNATURE + HEADER + struct.pack(">I4s", 2**31, b"IDAT") + PIXEL


@pytest.mark.parametrize(
    ("image", "code"),
    [
        (b"", "png"),
        (SIGNATURE, "png"),
        (b"GIF89a", "png"),
        (png()[:-1], "png"),
        (png()[:-12], "png"),
        (png() + b"\n", "png"),
        (png() + png(), "png"),
        (WRONG_CRC, "png"),
        (LONG_CHUNK, "png"),
        (SIGNATURE + PIXELS + END, "png"),
        (SIGNATURE + chunk_bytes(b"CgBI", b"\0") + HEADER + PIXELS + END, "png"),
        (SIGNATURE + HEADER + END, "png"),
        (png(HEADER), "png"),
        (png(chunk_bytes(b"IEND", b"x")), "png"),
        (png(chunk_bytes(b"\0\0\0\0", b"")), "png"),
        (png(itxt(CREDENTIAL), itxt(CREDENTIAL)), "baked-twice"),
        (png(itxt(CREDENTIAL), itxt(CREDENTIAL, b"openbadges")), "baked-twice"),
        (png(itxt(CREDENTIAL), chunk_bytes(b"tEXt", b"openbadges\0https://example.org/1")), "baked-twice"),
        (png(itxt(zlib.compress(CREDENTIAL), flags=b"\1\0")), "baked-compressed"),
        (png(chunk_bytes(b"zTXt", b"openbadges\0\0" + zlib.compress(CREDENTIAL))), "baked-compressed"),
        (png(itxt(CREDENTIAL, flags=b"\0\1")), "baked-chunk"),
        (png(itxt(CREDENTIAL, flags=b"\7\0")), "baked-chunk"),
        (png(chunk_bytes(b"iTXt", b"openbadgecredential\0\0\0en")), "baked-chunk"),
        (png(chunk_bytes(b"iTXt", b"openbadgecredential")), "baked-chunk"),
        (png(chunk_bytes(b"tEXt", b"openbadges")), "baked-chunk"),
        (png(chunk_bytes(b"tEXt", b"openbadges\0caf\xe9")), "baked-chunk"),
        (png(chunk_bytes(b"tEXt", b"openbadgecredential\0" + CREDENTIAL)), "baked-chunk"),
    ],
)
def test_unbaking_refuses_an_image(image: bytes, code: str) -> None:
    assert code_of(image) == code


def test_unbaking_refuses_a_compressed_bomb_without_inflating_it() -> None:
    bomb = zlib.compress(bytes(20_000_000), 1)
    assert code_of(png(itxt(bomb, flags=b"\1\0"))) == "baked-compressed"


@pytest.mark.parametrize(
    "image",
    [
        png() + bytes(MAX_FILE_BYTES),
        SIGNATURE + HEADER + chunk_bytes(b"IDAT", b"") * MAX_CHUNKS + END,
        png(itxt(bytes(MAX_CREDENTIAL_BYTES + 1))),
    ],
    ids=["file", "chunks", "credential"],
)
def test_unbaking_refuses_what_passes_a_limit(image: bytes) -> None:
    with pytest.raises(TooLargeError):
        unbake_png(image)


@given(st.data())
def test_unbaking_a_damaged_image_raises_or_gives_the_credential(data: Any) -> None:
    image = bytearray(png(itxt(CREDENTIAL)))
    at = data.draw(st.integers(0, len(image) - 1))
    image[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(MalformedInputError):
        unbake_png(bytes(image))


def test_an_unbaked_image_carries_nothing() -> None:
    assert unbake_png(png(itxt(CREDENTIAL, b"Comment"))) is None
    assert unbake_png((VECTORS / "public_domain_heart.png").read_bytes()) is None


def test_a_keyword_that_only_begins_like_ours_carries_nothing() -> None:
    assert unbake_png(png(itxt(CREDENTIAL, b"openbadgecredentials"))) is None
    assert unbake_png(png(itxt(CREDENTIAL, b"OpenBadgeCredential"))) is None


@pytest.mark.parametrize("credential", [CREDENTIAL, TOKEN, b'{"a": "\xef\xbf\xbf ]]>"}'])
def test_baked_bytes_come_back(credential: bytes) -> None:
    baked = bake_png(png(), credential)
    assert unbake_png(baked) == Baked(Standard.OPEN_BADGES_3, credential)


@pytest.mark.parametrize("standard", list(Standard))
def test_each_standard_has_its_keyword(standard: Standard) -> None:
    assert unbake_png(bake_png(png(), TOKEN, standard)) == Baked(standard, TOKEN)


def test_baking_replaces_what_was_baked_before() -> None:
    image = png(itxt(b"{}"), itxt(b"{}", b"openbadges"), chunk_bytes(b"zTXt", b"openbadges\0\0"))
    assert bake_png(image, CREDENTIAL) == bake_png(png(), CREDENTIAL)


def test_baking_keeps_pixels_and_animation() -> None:
    written = BytesIO()
    frames = [Image.new("RGB", (4, 3), colour) for colour in ("red", "green")]
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "kept")
    frames[0].save(written, format="PNG", save_all=True, append_images=frames[1:], pnginfo=text)
    baked = bake_png(written.getvalue(), CREDENTIAL)
    with Image.open(BytesIO(baked)) as image:
        assert isinstance(image, PngImagePlugin.PngImageFile)
        assert image.n_frames == 2
        assert image.text["Comment"] == "kept"
        assert image.text["openbadgecredential"] == CREDENTIAL.decode()
        assert image.convert("RGB").getpixel((0, 0)) == (255, 0, 0)


def test_the_baked_chunk_is_uncompressed_and_there_once() -> None:
    baked = bake_png(png(), CREDENTIAL)
    assert baked.count(b"openbadgecredential\0\0\0\0\0" + CREDENTIAL) == 1
    assert baked.index(b"iTXt") < baked.index(b"IDAT")


@pytest.mark.parametrize(
    ("credential", "error"),
    [
        (b"", StrictJsonError),
        (b"[]", ValidationError),
        (b"{}{}", StrictJsonError),
        (b'{"a": 1, "a": 2}', StrictJsonError),
        (b"https://example.org/1", StrictJsonError),
        (b"{" + bytes(MAX_CREDENTIAL_BYTES), TooLargeError),
    ],
)
def test_baking_refuses_what_is_no_credential(credential: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        bake_png(png(), credential)


def test_a_heart_baked_by_others_gives_its_assertion() -> None:
    """tests/vectors/README.md, open-badges-images."""
    baked = unbake_png((VECTORS / "baked_heart.png").read_bytes())
    assert baked is not None
    assert baked.standard is Standard.OPEN_BADGES_2
    assert json.loads(baked.text)["verify"] == {
        "type": "hosted",
        "url": "http://example.org/badgeinstance1",
    }


def test_a_legacy_text_chunk_gives_the_address() -> None:
    image = png(chunk_bytes(b"tEXt", b"openbadges\0https://example.org/1"))
    assert unbake_png(image) == Baked(Standard.OPEN_BADGES_2, b"https://example.org/1")
