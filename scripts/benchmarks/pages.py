"""The verify page in Chromium: from a chosen file to the verdict on the screen, and what a page weighs.

`rootmark serve` as it comes, over loopback; the file is a badge as JSON. Time runs in the page, from when the
file is there until the verdict is in the document. Weight is what crosses the connection, compressed, when
nothing is kept from before; modules that a reader has to ask for (the camera, checking alone) come on
top, and are shown apart.
"""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Page, sync_playwright

from scripts.benchmarks.awards import ACHIEVEMENT
from scripts.benchmarks.figures import Figure, Outcome, Target
from scripts.benchmarks.server import Server, registry
from tests.web.conftest import OPTIONS, chromium

ROUNDS = 30
WARM_UP = 5
MAX_MILLISECONDS = 300
MAX_KILOBYTES = 150
_UNTIL_VERDICT = """async (name) => {
    const input = document.getElementById("file");
    const bytes = Uint8Array.from(atob(name), (c) => c.charCodeAt(0));
    const files = new DataTransfer();
    files.items.add(new File([bytes], "badge.json", {type: "application/json"}));
    const result = document.getElementById("result");
    result.replaceChildren();
    const arrived = new Promise((done) => {
        new MutationObserver((_, watch) => {
            const found = result.querySelector(".verdict");
            if (found) { watch.disconnect(); done(found.dataset.outcome); }
        }).observe(result, {childList: true, subtree: true});
    });
    const start = performance.now();
    input.files = files.files;
    input.dispatchEvent(new Event("change", {bubbles: true}));
    const outcome = await arrived;
    return [outcome, performance.now() - start];
}"""


def run(rounds: int | None) -> Outcome:
    """Measure ``rounds`` verdicts, of which median and worst count, and each page's weight."""
    outcome = Outcome("pages")
    with tempfile.TemporaryDirectory() as name, registry(Path(name)) as server:
        badge = _badge(server)
        url = f"http://127.0.0.1:{server.process.port}"
        with _browser(url) as page:
            page.goto("/")
            page.wait_for_function("window.htmx !== undefined")
            encoded = base64.b64encode(badge).decode()
            times = []
            for number in range(WARM_UP + (rounds or ROUNDS)):
                verdict, milliseconds = page.evaluate(_UNTIL_VERDICT, encoded)
                if verdict != "valid":
                    raise RuntimeError(f"the badge is {verdict}")
                if number >= WARM_UP:
                    times.append(milliseconds)
        target = Target(MAX_MILLISECONDS)
        outcome.figures.append(
            Figure("verify page, file to verdict, median", "ms", median(times), target=target)
        )
        outcome.figures.append(Figure("verify page, file to verdict, worst", "ms", max(times), target=target))
        for label, path, switch in (("verify page", "/", False), ("verify page, checking alone", "/", True)):
            with _browser(url) as page:
                weight = _weight(page, path, badge if switch else None)
            limit = None if switch else Target(MAX_KILOBYTES)
            outcome.figures.append(Figure(f"{label}, weight", "kB", weight / 1000, target=limit))
    outcome.notes.append(f"the badge has {len(badge)} bytes, of which every check is made")
    return outcome


def _badge(server: Server) -> bytes:
    made = server.client.post("/v1/achievements", json=ACHIEVEMENT).raise_for_status().json()
    award = {"recipient": {"email": "ada@college.example"}, "achievement_id": made["id"]}
    sent = server.client.post("/v1/awards", json={"awards": [award]}, headers={"Prefer": "wait=60"})
    found = sent.raise_for_status().json()
    if found["batch"]["state"] != "final":
        raise RuntimeError(f"the batch is {found['batch']['state']}")
    path = f"/v1/awards/{found['awards'][0]['id']}/credential"
    return server.client.get(path).raise_for_status().content


@contextmanager
def _browser(url: str) -> Iterator[Page]:
    """A page in a browser that has kept nothing."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(OPTIONS))
        try:
            yield browser.new_context(base_url=url).new_page()
        finally:
            browser.close()


def _weight(page: Page, path: str, badge: bytes | None) -> int:
    """Bytes that crossed the connection, headers included, until the page is at rest."""
    total = 0

    def note(event: dict[str, Any]) -> None:
        nonlocal total
        total += int(event["encodedDataLength"])

    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", note)
    page.goto(path, wait_until="networkidle")
    if badge is not None:
        page.locator("#alone").check()
        file: Any = {"name": "badge.json", "mimeType": "application/json", "buffer": badge}
        page.locator("#file").set_input_files([file])
        page.locator("#result [data-compared]").wait_for()
    return total
