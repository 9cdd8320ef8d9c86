"""SVGs in pixels: those that would keep the server busy are refused, the others drawn."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from registry.errors import ValidationError
from registry.typesetting import drawer
from registry.typesetting.drawings import BROKEN, SIDE, png_of
from tests.unit.typesetting.samples import DISC, HEAVY, svg


def code_of(data: bytes) -> str:
    with pytest.raises(ValidationError) as caught:
        png_of(data)
    return caught.value.faults[0].code


@pytest.mark.parametrize("name", HEAVY)
def test_drawing_that_takes_too_long_is_refused(name: str) -> None:
    assert code_of(HEAVY[name]) == "svg-heavy"


@pytest.mark.parametrize("data", [b"", b"no drawing", svg("", 'width="0" height="0"')])
def test_what_cannot_be_drawn_is_refused(data: bytes) -> None:
    assert code_of(data) == "svg-broken"
    assert drawer.answer(data) == BROKEN


@pytest.mark.parametrize(
    ("data", "inside", "outside"),
    [
        (DISC, (SIDE // 2, SIDE // 2), (2, 2)),
        (svg('<rect width="20" height="10" fill="#00f"/>', 'viewBox="0 0 20 10"'), (5, SIDE // 2), (5, 5)),
        (svg('<rect width="1" height="2" fill="#00f"/>', 'viewBox="0 0 1 2"'), (SIDE // 2, 5), (5, 5)),
    ],
)
def test_drawing_is_as_large_as_fits_and_transparent_around(
    data: bytes, inside: tuple[int, int], outside: tuple[int, int]
) -> None:
    image = Image.open(BytesIO(png_of(data)))
    assert (image.size, image.mode) == ((SIDE, SIDE), "RGBA")
    assert image.getpixel(inside) == (0, 0, 255, 255)
    assert image.getpixel(outside) == (0, 0, 0, 0)


def test_drawing_in_the_child_is_that_of_this_process() -> None:
    assert png_of(DISC) == drawer.answer(DISC)
