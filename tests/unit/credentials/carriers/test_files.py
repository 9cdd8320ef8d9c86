"""Files that somebody shows: told by their content, with sentences for people where they cannot be read."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from registry.credentials.carriers.baked import MAX_CREDENTIAL_BYTES, MAX_FILE_BYTES
from registry.credentials.carriers.files import Carrier, Contents, read_file
from registry.credentials.carriers.png import bake_png
from registry.credentials.carriers.svg import bake_svg
from registry.credentials.findings import Presented
from registry.encoding import StrictJsonError
from registry.errors import TooLargeError, UnsupportedMediaTypeError, ValidationError

VECTORS = Path(__file__).parents[3] / "vectors"
TOKEN = "eyJhbGciOiJFZERTQSJ9.eyJpZCI6MX0.c2ln"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


def png() -> bytes:
    written = BytesIO()
    Image.new("L", (1, 1)).save(written, format="PNG")
    return written.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "media_type", "words"),
    [
        (b"\xff\xd8\xff\xe0", "badge.png", None, "a JPEG cannot carry a credential"),
        (b"GIF89a", None, None, "a GIF cannot carry"),
        (b"PK\x03\x04", "all.zip", None, "an archive"),
        (b"\x1f\x8b", "all.gz", None, "an archive"),
        (b"", None, None, "of a kind that is not read"),
        (b"hello", "x.json", None, "is called JSON and is not"),
        (b"hello", "x.opencert", None, "is called JSON and is not"),
        (b"hello", None, "application/vc+ld+json; charset=utf-8", "is called JSON and is not"),
        (b"hello", "x.PNG", None, "is called an image and is none"),
        (b"hello", None, "image/svg+xml", "is called an image and is none"),
        (b"hello", "x.pdf", None, "is called a PDF and is none"),
        (b"http://exa mple.org", None, None, "of a kind"),
        (b"ftp://example.org/1", None, None, "of a kind"),
        (b"https://example.org/" + b"a" * 3000, None, None, "of a kind"),
        (b"a.b", None, None, "of a kind"),
        (b"a.b.c.d", None, None, "of a kind"),
        (b"a b.c.d", None, None, "of a kind"),
        (b"\xfe\xff\0{\0}", None, None, "of a kind"),
    ],
)
def test_a_file_that_is_not_read_says_what_to_send(
    data: bytes, name: str | None, media_type: str | None, words: str
) -> None:
    with pytest.raises(UnsupportedMediaTypeError, match=words):
        read_file(data, name, media_type)


@pytest.mark.parametrize(
    "data",
    [bytes(MAX_FILE_BYTES + 1), b"{" + b" " * MAX_CREDENTIAL_BYTES, b"a" * MAX_CREDENTIAL_BYTES + b".b.c"],
    ids=["file", "json", "token"],
)
def test_a_file_over_a_limit_is_refused(data: bytes) -> None:
    with pytest.raises(TooLargeError):
        read_file(data)


@pytest.mark.parametrize(
    "data", [b'{"a": 1, "a": 2}', b"{}{}", b'{"a": NaN}', b"{", b'{"a": "\xff"}', b"[" * 40 + b"]" * 40]
)
def test_json_that_is_not_strict_is_refused(data: bytes) -> None:
    with pytest.raises(StrictJsonError):
        read_file(data)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"[{}]", "type"),
        (png(), "not-baked"),
        (png()[:-1], "png"),
        (SVG, "not-baked"),
        (b"<html/>", "svg"),
        (b"<!DOCTYPE html><html></html>", "xml-dtd"),
        (
            SVG.replace(b"/>", b'><a:assertion xmlns:a="http://openbadges.org">x</a:assertion></svg>'),
            "baked-text",
        ),
    ],
)
def test_a_file_without_a_credential_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        read_file(data)
    assert caught.value.faults[0].code == code


@pytest.mark.parametrize("name", ["a.json", "a.opencert", "a.png", "a.pdf", None])
def test_json_is_json_whatever_its_name(name: str | None) -> None:
    expected = Contents(Carrier.JSON, presented=Presented(document={"a": 1}))
    assert read_file(b' {"a": 1}\n', name) == expected
    assert read_file(b'\xef\xbb\xbf{"a": 1}', name, "text/plain") == expected


@pytest.mark.parametrize("tail", ["", "~", "~WyJzYWx0Il0~", "~WyJzYWx0Il0~eyJ0.eyJ9.c2ln"])
def test_a_token_comes_out_as_it_was(tail: str) -> None:
    expected = Contents(Carrier.TOKEN, presented=Presented(token=TOKEN + tail))
    assert read_file(f"{TOKEN}{tail}\r\n".encode()) == expected


def test_a_token_without_a_signature_is_still_a_token() -> None:
    assert read_file(b"eyJhbGciOiJub25lIn0.e30.").presented == Presented(token="eyJhbGciOiJub25lIn0.e30.")


@pytest.mark.parametrize(
    ("carrier", "bake", "image"), [(Carrier.PNG, bake_png, png()), (Carrier.SVG, bake_svg, SVG)]
)
def test_an_image_gives_what_was_baked(carrier: Carrier, bake: object, image: bytes) -> None:
    assert callable(bake)
    document, token = {"id": "urn:uuid:1"}, TOKEN
    assert read_file(bake(image, json.dumps(document).encode())) == Contents(
        carrier, presented=Presented(document=document)
    )
    assert read_file(bake(image, token.encode())) == Contents(carrier, presented=Presented(token=token))


def test_an_address_is_told_and_not_followed() -> None:
    assert read_file(b"https://example.org/1\n") == Contents(
        Carrier.ADDRESS, hosted_at="https://example.org/1"
    )
    image = SVG.replace(
        b"/>", b'><a:assertion xmlns:a="http://openbadges.org" verify="https://a.example/1"/></svg>'
    )
    assert read_file(image) == Contents(Carrier.SVG, hosted_at="https://a.example/1")


def test_images_baked_by_others_are_read() -> None:
    """tests/vectors/README.md, open-badges-images."""
    for name, carrier in (("baked_heart.png", Carrier.PNG), ("baked_example.svg", Carrier.SVG)):
        contents = read_file((VECTORS / "open-badges-images" / name).read_bytes())
        assert contents.carrier is carrier
        assert contents.presented is not None
        assert contents.presented.document is not None
