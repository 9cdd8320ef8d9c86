"""The switch "check it yourself": both verdicts, side by side, and what leaves the machine."""

from __future__ import annotations

import json
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from registry.encoding import DigestMethod, credential_digest, to_hex
from registry.model.chain import CallKind, Change
from tests.support.anvil import anvil
from tests.support.chains import driven_anvil
from tests.verifier_js.test_differential import Ground
from tests.web import samples
from tests.web.conftest import ROOT, Api, NewPage, accessible, shoot
from tests.web.samples import Award


@pytest.fixture(scope="module")
def good(api: Api) -> Award:
    return samples.award(api, samples.achievement(api))


@pytest.fixture(scope="module")
def revoked(api: Api) -> Award:
    found = samples.award(api, samples.achievement(api))
    samples.change_status(api, "revocations", found.digest, "misconduct")
    return found


def switched(new_page: NewPage, **more: str) -> Page:
    page = new_page(**more)
    page.goto("/")
    page.locator("#alone").check()
    return page


def requests_of(page: Page) -> list[Request]:
    """All that the page sends from now on."""
    sent: list[Request] = []

    def note(request: Request) -> None:
        sent.append(request)

    page.on("request", note)
    return sent


def outcomes(page: Page) -> list[str | None]:
    expect(page.locator("#result [data-compared]")).to_be_visible(timeout=20_000)
    found = page.locator("#result .verdict")
    return [found.nth(k).get_attribute("data-outcome") for k in range(found.count())]


@pytest.mark.parametrize("kind", ["json", "jwt", "png", "svg", "pdf"])
def test_both_verdicts_agree_and_the_file_stays_here(new_page: NewPage, good: Award, kind: str) -> None:
    page = switched(new_page)
    sent = requests_of(page)
    page.locator("#file").set_input_files([good.file(kind)])
    assert outcomes(page) == ["valid", "valid"]
    expect(page.locator("#result [data-compared]")).to_have_attribute("data-compared", "agree")
    expect(page.locator("#result")).to_contain_text("so its word was taken (eth_call)")
    secret = good.json()["credentialSubject"]["identifier"][0]["salt"]
    bodies = [request.post_data or "" for request in sent]
    assert not [body for body in bodies if secret in body or "Joins metal" in body]
    assert "/verify" not in {request.url.removeprefix(page.url.rstrip("/")) for request in sent}
    signature = page.locator('#result [data-mine="signature"]')
    expect(signature).to_have_attribute("data-result", "pass")


def test_nothing_but_the_node_is_asked_when_the_reader_says_so(
    new_page: NewPage, good: Award, api: Api
) -> None:
    page = switched(new_page)
    page.locator("#compare").uncheck()
    page.locator("summary").click()
    page.locator("#issuer").fill(api.address)
    sent = requests_of(page)
    page.locator("#file").set_input_files([good.file("json"), good.file("proof")])
    expect(page.locator("#result .verdict")).to_have_attribute("data-outcome", "valid", timeout=20_000)
    others = {request.url for request in sent if "/static/" not in request.url}
    assert others == {f"{api.url}/rpc"}


def test_proof_is_asked_for_where_there_is_none(new_page: NewPage, good: Award) -> None:
    page = switched(new_page)
    page.locator("#compare").uncheck()
    page.locator("#file").set_input_files([good.file("json")])
    expect(page.locator("#told")).to_contain_text("This needs its proof")


@pytest.mark.parametrize("kind", ["json", "jwt", "png", "svg", "pdf"])
def test_revoked_and_tampered_ones_are_seen_here_too(
    new_page: NewPage, revoked: Award, good: Award, kind: str
) -> None:
    page = switched(new_page)
    page.locator("#file").set_input_files([revoked.file(kind)])
    assert outcomes(page) == ["revoked", "revoked"]
    expect(page.locator("#result .verdict").first).to_contain_text(" because of misconduct.")
    page.locator("#file").set_input_files([samples.tampered(good, kind), good.file("proof")])
    expect(page.locator("#result .verdict").first).to_have_attribute(
        "data-outcome", "invalid", timeout=20_000
    )
    assert outcomes(page) == ["invalid", "invalid"]


@pytest.mark.parametrize(
    ("members", "outcome"),
    [
        ({"validUntil": "2026-01-01T00:00:00Z"}, "expired"),
        ({"type": ["VerifiableCredential"], "issuer": "did:example:another"}, "indeterminate"),
    ],
)
def test_what_only_the_document_says_is_no_contradiction(
    new_page: NewPage, api: Api, members: dict[str, Any], outcome: str
) -> None:
    """The server was told the digest, and has neither the document nor its dates."""
    document = {"id": f"urn:uuid:{uuid4()}", "name": "Welding"} | members
    digest = to_hex(credential_digest(document, DigestMethod.JCS_SHA256))
    body = {"digests": [digest], "digest_method": "jcs-sha256"}
    made = api.issuer.post("/v1/batches", json=body, headers={"Prefer": "wait=60"})
    assert made.json()["state"] == "final", made.text
    page = switched(new_page)
    page.locator("#text").fill(json.dumps(document))
    page.locator("#check").click()
    assert outcomes(page) == [outcome, "valid"]
    expect(page.locator("#result [data-compared]")).to_have_attribute("data-compared", "sawLess")
    expect(page.locator("#result")).to_contain_text("there the browser's answer counts")


def test_contradiction_about_the_chain_is_told(new_page: NewPage, revoked: Award) -> None:
    page = switched(new_page)

    def lie(route: Route) -> None:
        told = route.fetch()
        report = told.json()
        report |= {"outcome": "suspended", "status": report["status"] | {"state": "suspended"}}
        route.fulfill(response=told, json=report)

    page.route("**/v1/verify", lie)
    page.locator("#file").set_input_files([revoked.file("json")])
    assert outcomes(page) == ["revoked", "suspended"]
    expect(page.locator("#result [data-compared]")).to_have_attribute("data-compared", "differ")


def test_certificate_needs_nothing_beside_it(new_page: NewPage, good: Award, api: Api) -> None:
    page = switched(new_page)
    page.locator("#compare").uncheck()
    page.locator("summary").click()
    page.locator("#issuer").fill(api.address)
    page.locator("#file").set_input_files([good.file("pdf")])
    expect(page.locator("#result .verdict")).to_have_attribute("data-outcome", "valid", timeout=20_000)


def test_node_that_does_not_answer_is_no_verdict(new_page: NewPage, good: Award) -> None:
    page = switched(new_page, allowed="Failed to load resource|ERR_")
    page.locator("#rpc").fill("http://127.0.0.1:9/")
    page.locator("#file").set_input_files([good.file("json")])
    assert outcomes(page) == ["indeterminate", "valid"]
    expect(page.locator("#result [data-compared]")).to_have_attribute("data-compared", "differ")
    expect(page.locator("#result")).to_contain_text("The answers differ")


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("badge.sd-jwt", b"eyJhbGciOiJFZERTQSJ9.eyJhIjoxfQ.c2ln~WyJzYWx0Il0~", "a token with disclosures"),
        ("locked.pdf", samples.encrypted_pdf(), "save it without a password"),
        ("empty.pdf", b"%PDF-1.7\n%%EOF", "the PDF carries no credential"),
        ("cut.pdf", b"%PDF-1.7\n1 0 obj\n<<", "cut off"),
    ],
)
def test_file_that_is_not_read_here_gets_a_clear_sentence(
    new_page: NewPage, name: str, data: bytes, told: str
) -> None:
    page = switched(new_page)
    shown = {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    page.locator("#file").set_input_files([shown])  # type: ignore[list-item]
    expect(page.locator("#told")).to_contain_text("cannot be checked in the browser alone")
    expect(page.locator("#told")).to_contain_text(told)


@pytest.mark.parametrize("width", ["narrow", "wide"])
def test_it_is_accessible_at_both_widths_in_german_too(new_page: NewPage, good: Award, width: str) -> None:
    page = switched(new_page, width=width, language="de", scheme="dark")
    page.locator("#file").set_input_files([good.file("json")])
    assert outcomes(page) == ["valid", "valid"]
    expect(page.locator("#result")).to_contain_text("Beide Antworten stimmen überein.")
    accessible(page)
    shoot(page, f"verify-alone-{width}")


class Quiet(SimpleHTTPRequestHandler):
    """Files of a directory, without a line on the terminal for each."""

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.mark.node
def test_package_works_as_static_files_of_somebody_else(browser: Browser) -> None:
    handler = partial(Quiet, directory=str(ROOT / "verifier-js"))
    with anvil() as node, driven_anvil(node) as driven, ThreadingHTTPServer(("127.0.0.1", 0), handler) as web:
        driven.make_issuer()
        ground = Ground(node, driven)
        shown = ground.issue()
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        try:
            page = browser.new_context().new_page()
            page.goto(f"http://127.0.0.1:{web.server_address[1]}/index.html")
            page.locator("#rpc").fill(node.url)
            page.locator("#issuer").fill(ground.issuer)
            for outcome in ("valid", "revoked"):
                files = [
                    {"name": name, "mimeType": "application/json", "buffer": json.dumps(value).encode()}
                    for name, value in shown.items()
                ]
                page.locator("#files").set_input_files(files)  # type: ignore[arg-type]
                page.get_by_role("button", name="Check").click()
                expect(page.locator(f".sentence[data-outcome={outcome}]")).to_be_visible(timeout=20_000)
                expect(page.locator("#result")).to_contain_text("proven by the block's state root")
                ground.change(CallKind.REVOKE, shown, changes=(Change(0, 1),), reason=1)
            accessible(page)
        finally:
            web.shutdown()
            thread.join()
