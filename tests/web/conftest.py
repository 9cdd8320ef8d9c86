"""A server as the API's tests have it, and the system's Chromium in front of it.

Playwright's synchronous interface keeps an event loop running in the thread for as long as it is started, so
it is started for a module and ended with it: tests of other modules run loops of their own. Every page fails
its test for an error in the console, which is where a browser says that a policy refused something.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.api.conftest import Api, api, new_digest
from tests.support.databases import postgres_server

__all__ = [
    "LOOKS",
    "Api",
    "NewPage",
    "accessible",
    "api",
    "new_digest",
    "postgres_server",
    "reachable",
    "runs_nothing",
    "shoot",
]

ROOT = Path(__file__).parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDTHS = {"narrow": (360, 740), "wide": (1280, 900)}
LOOKS = {
    ("narrow", "light"): "fr",
    ("narrow", "dark"): "de",
    ("wide", "light"): "en",
    ("wide", "dark"): "es",
}
"""The language for each width and scheme, where not all of them are tried with all."""
ARTEFACTS = Path(os.environ.get("ROOTMARK_TEST_ARTEFACTS", ROOT / "build" / "screenshots"))

NewPage = Callable[..., Page]


def chromium() -> str:
    """The system's Chromium; without one, the test is skipped with a way to get it."""
    for name in NAMES:
        found = shutil.which(name)
        if found is not None:
            return found
    # Outside CI only, where a skip is a failure (tests/conftest.py): the pages alone need a browser.
    pytest.skip("needs a Chromium on PATH: on Debian and Ubuntu, apt-get install chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, without a window, with a camera that shows a test picture."""
    path = chromium()
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=list(OPTIONS))
        yield launched
        launched.close()


@pytest.fixture
def new_page(browser: Browser, api: Api) -> Iterator[NewPage]:
    """Makes pages: `new_page(width="narrow", scheme="dark", language="de", scripts=False)`. A page's
    relative addresses lead to the server. ``allowed`` is a pattern of expected console errors."""
    with ExitStack() as stack:
        seen: list[tuple[str, re.Pattern[str] | None]] = []

        def make(
            *,
            width: str = "wide",
            scheme: str = "light",
            language: str = "en",
            scripts: bool = True,
            allowed: str | None = None,
            **more: Any,
        ) -> Page:
            size = WIDTHS[width]
            context: BrowserContext = browser.new_context(
                base_url=api.url,
                viewport={"width": size[0], "height": size[1]},
                color_scheme=scheme,  # type: ignore[arg-type]
                locale=language,
                java_script_enabled=scripts,
                **more,
            )
            stack.callback(context.close)
            context.set_default_timeout(15_000)
            page = context.new_page()
            pattern = re.compile(allowed) if allowed else None

            def note(message: ConsoleMessage) -> None:
                if message.type == "error":
                    seen.append((message.text, pattern))

            page.on("console", note)
            page.on("pageerror", lambda error: seen.append((str(error), pattern)))
            return page

        yield make
        wrong = [text for text, pattern in seen if pattern is None or not pattern.search(text)]
        assert not wrong, wrong


def accessible(page: Page) -> None:
    """Fail for what axe-core finds serious or critical on the page as it stands."""
    source = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    page.evaluate(source)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    wrong = [
        f"{one['id']} ({one['impact']}): {one['help']}: {[node['html'][:200] for node in one['nodes'][:3]]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert not wrong, wrong
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0, f"the page is {overflow} px wider than the screen"


_FOCUSABLE = """() => {
    const all = [...document.querySelectorAll(
        "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")];
    const seen = new Set();
    window.wanted = all.filter((one) => {
        if (one.disabled || !one.checkVisibility({visibilityProperty: true})) return false;
        if (one.type !== "radio") return true;
        const group = document.querySelectorAll(`input[type=radio][name="${one.name}"]`);
        const stop = [...group].find((other) => other.checked) || group[0];
        return one === stop;  // arrows lead to the others
    });
    return window.wanted.length;
}"""


def reachable(page: Page) -> None:
    """Fail for what a pointer can use and the Tab key does not reach, or shows no focus."""
    count = page.evaluate(_FOCUSABLE)
    page.evaluate("() => { window.got = new Set(); document.activeElement?.blur(); }")
    left = count
    for _ in range(4 * count + 4):  # a date's field is several stops
        page.keyboard.press("Tab")
        left = page.evaluate(
            """() => {
                const one = document.activeElement;
                const style = getComputedStyle(one);
                if (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) window.got.add(one);
                return window.wanted.filter((each) => !window.got.has(each)).length;
            }"""
        )
        if not left:
            return
    missed = page.evaluate("window.wanted.filter((one) => !window.got.has(one)).map((one) => one.outerHTML)")
    raise AssertionError(f"{left} not reached by keyboard: {missed[:3]}")


def runs_nothing(text: str) -> bool:
    """Whether a page's source has neither scripts nor styles in its tags; what stands in quotes is text."""
    tags = re.findall(r"<[a-z][^>]*>", re.sub(r'"[^"]*"', '""', text), re.IGNORECASE)
    inline = [tag for tag in tags if re.search(r"\s(on[a-z]+|style)=", tag, re.IGNORECASE)]
    scripts = [tag for tag in tags if re.match(r"<script(?!.*\s(src|type)=)", tag, re.IGNORECASE)]
    return not inline and not scripts


def shoot(page: Page, name: str) -> None:
    """Keep a picture of the whole page."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=True)
