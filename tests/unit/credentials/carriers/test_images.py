"""Uploaded pictures: decoded and encoded anew, without metadata, under limits."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from registry.credentials.carriers.baked import MAX_FILE_BYTES
from registry.credentials.carriers.images import (
    MAX_PIXELS,
    MAX_SIDE,
    MAX_SVG_BYTES,
    PNG_TYPE,
    SVG_TYPE,
    Picture,
    clean_picture,
    default_badge,
    picture_in_png,
    picture_in_svg,
)
from registry.credentials.carriers.png import SIGNATURE, chunk_bytes, chunks_of, unbake_png
from registry.credentials.carriers.svg import bake_svg, unbake_svg
from registry.errors import MalformedInputError, TooLargeError, UnsupportedMediaTypeError, ValidationError
from tests.unit.typesetting.samples import DISC


def written(image: Image.Image, kind: str, **options: object) -> bytes:
    out = BytesIO()
    image.save(out, format=kind, **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data), formats=("PNG",))


def claiming(width: int, height: int) -> bytes:
    """A small PNG whose header claims a size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return SIGNATURE + chunk_bytes(b"IHDR", header) + chunk_bytes(b"IDAT", pixels) + chunk_bytes(b"IEND", b"")


JPEG = written(Image.new("RGB", (40, 20), "red"), "JPEG")
PNG = written(Image.new("RGB", (40, 20), "red"), "PNG")


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"RIFF1234WEBP", b"%PDF-1.7", b"{}", b"BM"])
def test_other_kinds_are_not_taken(data: bytes) -> None:
    with pytest.raises(UnsupportedMediaTypeError):
        clean_picture(data)


@pytest.mark.parametrize(
    "data",
    [
        JPEG[:-40],
        JPEG[:20],
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff" + PNG,
        PNG[:-20],
        PNG + b"trailing",
        claiming(100, 100),
        claiming(0, 0),
    ],
)
def test_a_damaged_picture_is_refused(data: bytes) -> None:
    with pytest.raises(ValidationError):
        clean_picture(data)


def jpeg_claiming(width: int, height: int) -> bytes:
    """The header of the frame (SOF0) says the size: marker, length, precision, height, width."""
    at = JPEG.index(b"\xff\xc0")
    return JPEG[: at + 5] + struct.pack(">HH", height, width) + JPEG[at + 9 :]


@pytest.mark.parametrize(
    "data",
    [
        bytes(MAX_FILE_BYTES + 1),
        claiming(MAX_PIXELS + 1, 1),
        claiming(2**31 - 1, 2**31 - 1),
        jpeg_claiming(6000, 6000),
        jpeg_claiming(10_000, 10_000),
        jpeg_claiming(65_000, 65_000),
        b"<svg>" + bytes(MAX_SVG_BYTES),
    ],
)
def test_a_picture_over_a_limit_is_refused(data: bytes) -> None:
    with pytest.raises(TooLargeError):
        clean_picture(data)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([JPEG, PNG]), st.data())
def test_a_damaged_file_never_raises_anything_else(data: bytes, draw: st.DataObject) -> None:
    damaged = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 4))):
        damaged[draw.draw(st.integers(3, len(damaged) - 1))] = draw.draw(st.integers(0, 255))
    try:
        clean_picture(bytes(damaged))
    except MalformedInputError:
        return


def test_metadata_is_dropped() -> None:
    image = Image.new("RGB", (4, 4), "red")
    exif = Image.Exif()
    exif[0x010E] = "secret"
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "secret")
    texts.add_itxt("openbadges", "https://example.org/secret")
    for data in (
        written(image, "JPEG", exif=exif, comment=b"secret", icc_profile=b"secret", dpi=(72, 72)),
        written(image, "PNG", pnginfo=texts, exif=exif, icc_profile=b"secret", dpi=(72, 72)),
    ):
        assert b"secret" in data or b"iCCP" in data
        picture = clean_picture(data)
        assert picture.media_type == PNG_TYPE
        assert {chunk.name for chunk in chunks_of(picture.data)} == {b"IHDR", b"IDAT", b"IEND"}
        assert opened(picture.data).convert("RGB").getpixel((1, 1))[0] > 200


def test_a_compressed_text_bomb_is_dropped_without_inflating_it() -> None:
    bomb = chunk_bytes(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(20_000_000), 1))
    data = PNG[: len(SIGNATURE) + 25] + bomb + PNG[len(SIGNATURE) + 25 :]
    assert clean_picture(data) == clean_picture(PNG)


def test_an_animation_becomes_its_still_picture() -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "green")]
    data = written(frames[0], "PNG", save_all=True, append_images=frames[1:])
    assert clean_picture(data) == clean_picture(written(frames[0], "PNG"))


def test_a_baked_credential_is_dropped() -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("openbadgecredential", "{}")
    data = written(Image.new("RGB", (4, 4)), "PNG", pnginfo=texts)
    assert unbake_png(data) is not None
    assert unbake_png(clean_picture(data).data) is None


def test_a_large_picture_is_made_smaller_in_proportion() -> None:
    data = written(Image.new("RGB", (3000, 1500), "red"), "JPEG")
    assert opened(clean_picture(data).data).size == (MAX_SIDE, MAX_SIDE // 2)


def test_a_small_picture_keeps_its_size() -> None:
    assert opened(clean_picture(PNG).data).size == (40, 20)


def test_a_photograph_is_set_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turned by 90 degrees
    data = written(Image.new("RGB", (40, 20), "red"), "JPEG", exif=exif)
    assert opened(clean_picture(data).data).size == (20, 40)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_of_png_is_taken(mode: str) -> None:
    grey = {"1": 1, "I;16": 0x8080}.get(mode)
    image = Image.new(mode, (8, 8), grey) if grey else Image.new("RGBA", (8, 8), (128,) * 4).convert(mode)
    result = opened(clean_picture(written(image, "PNG")).data)
    assert result.mode in ("RGB", "RGBA")
    assert result.getpixel((3, 3))[0] == (255 if mode == "1" else 128)


def test_transparency_is_kept() -> None:
    image = Image.new("P", (4, 4), 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    data = written(image, "PNG", transparency=0)
    assert opened(clean_picture(data).data).getpixel((0, 0))[3] == 0


def test_a_cmyk_photograph_is_taken() -> None:
    data = written(Image.new("CMYK", (4, 4), (0, 255, 255, 0)), "JPEG")
    assert opened(clean_picture(data).data).mode == "RGB"


def test_an_svg_is_cleaned() -> None:
    data = b'\n<svg xmlns="http://www.w3.org/2000/svg"><rect/><!-- x --></svg>'
    picture = clean_picture(data)
    assert picture.media_type == SVG_TYPE
    assert b"<rect></rect></svg>" in picture.data
    with pytest.raises(ValidationError):
        clean_picture(data.replace(b"rect", b"script"))


def test_a_drawing_comes_with_its_pixels_and_one_without_them_is_shown_as_the_plain_badge() -> None:
    drawn = clean_picture(DISC)
    assert drawn.pixels is not None
    assert picture_in_png(drawn, "Welding").data == drawn.pixels
    assert picture_in_png(Picture(SVG_TYPE, drawn.data), "Welding") == default_badge("Welding")
    assert picture_in_png(default_badge("Welding"), "Other") == default_badge("Welding")


def test_the_default_badge_depends_on_the_name_alone() -> None:
    assert default_badge("Teamwork") == default_badge("Teamwork")
    assert default_badge("Teamwork") != default_badge("Programming")
    assert opened(default_badge("").data).size == (400, 400)
    assert len(default_badge("Teamwork").data) < 50_000


def test_picture_in_an_svg_is_taken_as_an_upload_and_carries_a_credential() -> None:
    made = picture_in_svg(default_badge("Welding"), 'A "name" with <tags> & more')
    assert made.media_type == SVG_TYPE
    assert clean_picture(made.data).media_type == SVG_TYPE
    baked = unbake_svg(bake_svg(made.data, b"{}"))
    assert baked is not None
    assert baked.text == b"{}"
    assert picture_in_svg(made, "another name") is made
