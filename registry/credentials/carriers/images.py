"""Pictures that people upload for achievements: decoded and encoded anew, or refused.

PNG and JPEG become a PNG of the pixels alone: no metadata, no text, no trailing data, upright, at most
`MAX_SIDE` pixels wide and high. An SVG is taken as `clean_svg` leaves it, if it can be drawn in little time.
Nothing else is taken. Size and pixels are limited before anything is decoded.

`default_badge` draws the picture of an achievement that has none; it is the same for the same name.
"""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from io import BytesIO

from PIL import Image, ImageDraw, ImageOps

from registry.credentials.carriers.baked import refused, require_file_size
from registry.credentials.carriers.clean_svg import SVG_NAMESPACE
from registry.credentials.carriers.png import SIGNATURE, chunk_bytes, chunks_of, is_png
from registry.credentials.carriers.svg import clean_svg
from registry.errors import TooLargeError, UnsupportedMediaTypeError
from registry.typesetting.drawings import png_of

MAX_SIDE = 1200
"""Pixels of the longer side of what comes out."""

MAX_PIXELS = 25_000_000
"""Of what comes in: a photograph of a good camera, 100 MB once decoded."""

MAX_SVG_BYTES = 1024 * 1024

PNG_TYPE = "image/png"
SVG_TYPE = "image/svg+xml"

_JPEG_START = b"\xff\xd8\xff"
_PIXEL_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_BADGE_SIDE = 400


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that may be shown to anybody. ``media_type`` is `PNG_TYPE` or `SVG_TYPE`; ``pixels`` is an
    SVG drawn as PNG, where that is at hand."""

    media_type: str
    data: bytes
    pixels: bytes | None = None


def clean_picture(data: bytes) -> Picture:
    """What is kept of an uploaded picture.

    Args:
        data: the file; its kind is told by its content.

    Raises:
        UnsupportedMediaTypeError: neither PNG nor JPEG nor SVG.
        TooLargeError: too many bytes, pixels, chunks or elements.
        ValidationError: code ``image``: cut off or damaged; or as `chunks_of`, `clean_svg` and `png_of` say.
        UnavailableError: as `png_of` says.
    """
    require_file_size(data)
    if is_png(data):
        return Picture(PNG_TYPE, _encoded_anew(_pixels_alone(data), "PNG"))
    if data.startswith(_JPEG_START):
        return Picture(PNG_TYPE, _encoded_anew(data, "JPEG"))
    if data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        if len(data) > MAX_SVG_BYTES:
            raise TooLargeError(f"an SVG has at most {MAX_SVG_BYTES} bytes")
        svg = clean_svg(data)
        return Picture(SVG_TYPE, svg, png_of(svg))
    raise UnsupportedMediaTypeError("a picture is a PNG, a JPEG or an SVG")


def default_badge(name: str) -> Picture:
    """A plain rosette in colours that depend on ``name``."""
    hue, other, *_ = sha256(name.encode()).digest()
    ribbon = _colour(hue, 55)
    image = Image.new("RGBA", (2 * _BADGE_SIDE, 2 * _BADGE_SIDE), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.polygon([(250, 480), (160, 790), (270, 730), (340, 800), (400, 480)], fill=ribbon)
    draw.polygon([(550, 480), (640, 790), (530, 730), (460, 800), (400, 480)], fill=ribbon)
    draw.regular_polygon((400, 320, 310), n_sides=24, rotation=7, fill=_colour(hue, 75))
    draw.ellipse((140, 60, 660, 580), fill=_colour(hue, 95))
    draw.ellipse((180, 100, 620, 540), fill=(255, 255, 255, 255))
    draw.regular_polygon((400, 320, 150), n_sides=3 + other % 6, rotation=other, fill=_colour(other, 90))
    small = image.resize((_BADGE_SIDE, _BADGE_SIDE), Image.Resampling.LANCZOS)  # smooths the edges
    return Picture(PNG_TYPE, _png_of(small))


def picture_in_png(picture: Picture, name: str) -> Picture:
    """The pixels of an SVG, else the plain badge of the ``name``; a PNG as it is."""
    if picture.media_type == PNG_TYPE:
        return picture
    return default_badge(name) if picture.pixels is None else Picture(PNG_TYPE, picture.pixels)


def picture_in_svg(picture: Picture, name: str) -> Picture:
    """A PNG as the one image of an SVG that is called ``name``; an SVG as it is."""
    if picture.media_type == SVG_TYPE:
        return picture
    width, height = struct.unpack(">II", chunks_of(picture.data)[0].data[:8])
    size = f'width="{width}" height="{height}"'
    svg = (
        f'<svg xmlns="{SVG_NAMESPACE}" viewBox="0 0 {width} {height}" {size}><title>{escape(name)}</title>'
        f'<image {size} href="data:{PNG_TYPE};base64,{b64encode(picture.data).decode()}"/></svg>'
    )
    return Picture(SVG_TYPE, svg.encode())


def _pixels_alone(png: bytes) -> bytes:
    """The PNG without the chunks that no picture needs. Pillow would inflate some of them (iCCP, zTXt), and
    reads the frames of an animation; what is left is the still picture."""
    chunks = chunks_of(png)
    width, height = struct.unpack(">II", chunks[0].data[:8])
    _limit_pixels(width, height)
    kept = (chunk_bytes(chunk.name, chunk.data) for chunk in chunks if chunk.name in _PIXEL_CHUNKS)
    return SIGNATURE + b"".join(kept)


def _limit_pixels(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise TooLargeError(f"a picture has at most {MAX_PIXELS} pixels")


def _encoded_anew(data: bytes, kind: str) -> bytes:
    try:
        with Image.open(BytesIO(data), formats=(kind,)) as image:
            _limit_pixels(*image.size)
            plain = _eight_bits(ImageOps.exif_transpose(image))
            plain.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
            return _png_of(plain)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooLargeError(f"a picture has at most {MAX_PIXELS} pixels") from error
    except (OSError, SyntaxError, ValueError, EOFError, KeyError, struct.error, zlib.error) as error:
        # What Pillow raises for damaged files; it has no error of its own for them.
        raise refused("image", f"the {kind} is damaged or of a kind that is not read here") from error


def _eight_bits(image: Image.Image) -> Image.Image:
    """The pixels in 8 bits a channel; without transparency where there is none."""
    if image.mode.startswith("I"):  # grey in 16 bits, which Pillow would cut off at 255
        return image.convert("I").point(lambda value: value / 256).convert("RGB")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _png_of(image: Image.Image) -> bytes:
    image.info.clear()  # colour profile, resolution and texts would be written again
    written = BytesIO()
    image.save(written, format="PNG")
    return written.getvalue()


def _colour(position: int, lightness: int) -> tuple[int, int, int, int]:
    """A colour of the wheel: ``position`` 0 to 255, ``lightness`` 0 to 100."""
    level = 255 * lightness // 100
    third, within = divmod(position * 3, 256)
    ramp = [level * (255 - within) // 255, level * within // 255, level // 4]
    red, green, blue = ramp[-third:] + ramp[:-third]
    return red, green, blue, 255
