"""QR codes before a real camera's interface: the browser is given a film in place of a camera."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import segno
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from tests.web import samples
from tests.web.conftest import OPTIONS, Api, chromium

WIDTH, HEIGHT = 640, 480
FRAMES = 10

Filming = Callable[[str | None], Page]


def film_of(text: str | None) -> bytes:
    """A film in YUV4MPEG2 of a sheet with a QR code on it; of an empty sheet for None."""
    sheet = Image.new("L", (WIDTH, HEIGHT), 255)
    if text is not None:
        drawn = io.BytesIO()
        segno.make(text, error="m").save(drawn, kind="png", scale=8, border=4)
        code = Image.open(drawn).convert("L")
        side = min(code.width, HEIGHT - 20)
        code = code.resize((side, side), Image.Resampling.NEAREST)
        sheet.paste(code, ((WIDTH - side) // 2, (HEIGHT - side) // 2))
    grey = bytes([128]) * (WIDTH * HEIGHT // 2)
    frame = b"FRAME\n" + sheet.tobytes() + grey
    return b"YUV4MPEG2 W%d H%d F10:1 Ip A1:1 C420jpeg\n" % (WIDTH, HEIGHT) + frame * FRAMES


@pytest.fixture
def filming(api: Api, tmp_path: Path) -> Iterator[Filming]:
    """Opens the verify page in a browser whose camera shows a text; without one for ``None`` as path."""
    with ExitStack() as stack:
        playwright = stack.enter_context(sync_playwright())

        def open_page(text: str | None) -> Page:
            film = tmp_path / "film.y4m"
            film.write_bytes(film_of(text))
            arguments = [
                *OPTIONS,
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-video-capture={film}",
            ]
            browser = playwright.chromium.launch(executable_path=chromium(), args=arguments)
            stack.callback(browser.close)
            context = browser.new_context(base_url=api.url, permissions=["camera"])
            page = context.new_page()
            page.goto("/")
            return page

        yield open_page


@pytest.mark.parametrize("form", ["digest", "link"])
def test_code_of_a_credential_is_checked(filming: Filming, api: Api, form: str) -> None:
    award = samples.award(api, samples.achievement(api))
    page = filming(award.digest if form == "digest" else f"{api.url}/?digest={award.digest}")
    page.get_by_role("button", name="Scan a QR code").click()
    expect(page.locator("#result .verdict")).to_have_attribute("data-outcome", "valid", timeout=20_000)
    expect(page.locator("#scanner")).to_be_hidden()


def test_code_of_something_else_gets_a_clear_sentence(filming: Filming) -> None:
    page = filming("WIFI:T:WPA;S:<img src=x onerror=alert(1)>;P:secret;;")
    page.get_by_role("button", name="Scan a QR code").click()
    expect(page.locator("#told")).to_contain_text("something else than a credential", timeout=20_000)
    assert page.locator("#told img").count() == 0
    expect(page.locator("#scanner")).to_be_hidden()


def test_camera_is_let_go_when_the_reader_stops(filming: Filming) -> None:
    page = filming(None)
    page.get_by_role("button", name="Scan a QR code").click()
    expect(page.locator("#scanner")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#scanner")).to_be_hidden()
    assert page.evaluate("document.getElementById('video').srcObject") is None


def test_refused_camera_gets_a_clear_sentence(filming: Filming) -> None:
    page = filming(None)
    page.evaluate("void (navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error()))")
    page.get_by_role("button", name="Scan a QR code").click()
    expect(page.locator("#told")).to_contain_text("The camera cannot be used")
