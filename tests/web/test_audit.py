"""The auditors' pages: head checks, events at lasting addresses, exports, figures."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from api.web import plots
from registry.errors import ChainUnavailableError
from registry.services.audit import AuditService, Heads
from registry.services.auditing.history import IssuerAudit
from tests.api.conftest import Api, new_digest
from tests.api.support import FrontEnd
from tests.web.conftest import LOOKS, NewPage, accessible, reachable, runs_nothing, shoot

HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def story(api: Api) -> dict[str, Any]:
    """A batch of three, one of it revoked; the revocation's event."""
    digests = [new_digest() for _ in range(3)]
    batch = api.final_batch(list(digests))
    made = api.issuer.post(
        "/v1/revocations", json={"digests": digests[:2], "reason": "issued_in_error"}
    ).json()
    api.final_request(made)
    events = api.public.get(f"/v1/audit/events?issuer={api.address}&kind=Revoked&limit=500").json()["items"]
    return {"batch": batch, "event": events[-1], "digests": digests}


def page_of(event: dict[str, Any]) -> str:
    return f"/audit/events/{event['block_number']}/{event['log_index']}"


@pytest.mark.parametrize("width", ["narrow", "wide"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible_and_fits_at_both_widths(
    api: Api, new_page: NewPage, story: dict[str, Any], width: str, scheme: str
) -> None:
    page = new_page(width=width, scheme=scheme, language=LOOKS[width, scheme], allowed="404")
    paths = {
        "issuers": "/audit",
        "issuer": f"/audit/issuers/{api.address}",
        "events": f"/audit/events?issuer={api.address}",
        "event": page_of(story["event"]),
        "figures": "/audit/figures",
        "error": "/audit/events/1/99999",
    }
    for name, path in paths.items():
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == (404 if name == "error" else 200)
        accessible(page)
        if (width, scheme) == ("wide", "light"):
            reachable(page)
        shoot(page, f"audit-{name}-{width}-{scheme}")


def test_auditor_finds_the_way_from_the_menu_to_one_event(
    api: Api, new_page: NewPage, story: dict[str, Any]
) -> None:
    page = new_page()
    page.goto("/")
    page.get_by_role("link", name="For auditors").click()
    row = page.locator(f'tr[data-issuer="{api.address}"]')
    expect(row).to_contain_text("whole")
    row.get_by_role("link", name="Test College").first.click()
    expect(page.locator(".verdict.good")).to_contain_text("The history is whole")
    page.get_by_role("link", name="Its events").click()
    page.get_by_label("Event", exact=True).select_option("Revoked")
    page.get_by_label("Reason").select_option("issued_in_error")
    page.get_by_role("button", name="Show").click()
    kinds = page.locator("tbody tr").evaluate_all("rows => rows.map(row => row.dataset.kind)")
    assert set(kinds) == {"Revoked"}
    page.locator(f'a[href="{page_of(story["event"])}"]').click()
    shown = page.locator("main").inner_text()
    for part in (story["event"]["transaction"], story["event"]["block_hash"], story["event"]["root"]):
        assert part in shown
    assert "issued in error" in shown
    assert "Final" in shown


def test_event_stays_at_its_address_and_a_place_without_one_is_not_found(
    api: Api, story: dict[str, Any]
) -> None:
    text = api.public.get(page_of(story["event"])).text
    assert story["event"]["head"] in text
    for path in ("/audit/events/0/0", "/audit/events/x/0", "/audit/events/1/-1", f"/audit/events/{9**30}/0"):
        answer = api.public.get(path)
        assert answer.status_code == 404, path
        assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"kind": "Revoked"},
        {"reason": "issued_in_error"},
        {"as_of": "3"},
        {"since": "2020-01-01T00:00:00Z"},
    ],
)
def test_exports_are_the_apis_own(api: Api, story: dict[str, Any], given: dict[str, str]) -> None:
    query = urlencode({"issuer": api.address, "limit": "500"} | given)
    from_api = api.public.get(f"/v1/audit/events?{query}")
    as_json = api.public.get(f"/audit/events.json?{query}", headers=HTML)
    assert as_json.json()["items"] == from_api.json()["items"]
    as_csv = api.public.get(f"/audit/events.csv?{query}", headers=HTML)
    assert as_csv.headers["content-disposition"] == 'attachment; filename="events.csv"'
    assert as_csv.headers["x-row-count"] == str(len(from_api.json()["items"]))
    assert as_csv.text == api.public.get(f"/v1/audit/events?{query}", headers={"Accept": "text/csv"}).text
    if "as_of" in given:
        assert all(event["block_number"] <= 3 for event in from_api.json()["items"])
    if "reason" in given:
        assert {event["reason"] for event in from_api.json()["items"]} == {given["reason"]}


def test_list_goes_on_to_the_next_page_with_its_filters(api: Api, story: dict[str, Any]) -> None:
    seen: list[str] = []
    path: str | None = f"/audit/events?issuer={api.address}"
    while path is not None:
        text = api.public.get(path).text
        seen += re.findall(r'href="(/audit/events/\d+/\d+)"', text)
        following = re.search(r'href="(/audit/events\?[^"]*cursor=[^"]*)"', text)
        path = following[1].replace("&amp;", "&") if following else None
    found = api.public.get(f"/v1/audit/issuers/{api.address}").json()["events"]
    assert seen == [page_of(event) for event in found]


def test_form_with_empty_fields_leads_to_the_address_without_them(api: Api) -> None:
    answer = api.public.get(f"/audit/events?issuer={api.address}&kind=&since=&as_of=")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/audit/events?issuer={api.address}")
    assert api.public.get("/audit/figures?issuer=&as_of=").headers["location"] == "/audit/figures"


@pytest.mark.parametrize(
    "query",
    [
        "issuer=0x12",
        "kind=Everything",
        "reason=whim",
        "since=yesterday",
        "as_of=2999-01-01T00:00:00Z",
        "x=1",
        "cursor=a",
    ],
)
def test_bad_filter_is_told_on_a_page(api: Api, query: str) -> None:
    answer = api.public.get(f"/audit/events?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")
    assert runs_nothing(answer.text)


def test_figures_have_a_drawing_and_a_table_with_the_same_numbers(api: Api, story: dict[str, Any]) -> None:
    text = api.public.get(f"/audit/figures?issuer={api.address}").text
    for name in ("revocations", "reasons", "changes", "lag", "sizes", "gas"):
        section = text.partition(f'aria-labelledby="{name}"')[2].partition("</section>")[0]
        assert '<svg class="plot" role="img" aria-label="' in section, name
        assert "<table" in section
    reasons = text.partition('aria-labelledby="reasons"')[2].partition("</section>")[0]
    lines = api.public.get(
        f"/v1/revocations?issuer={api.address}&kind=revocation&reason=issued_in_error&limit=500"
    ).json()["items"]
    assert f'<td>issued in error</td><td class="number">{len(lines)}</td>' in reasons
    assert runs_nothing(text)
    assert "http" not in text.partition("<svg")[2].partition("</svg>")[0]


def test_figures_as_of_an_early_block_know_nothing_of_what_came_later(
    api: Api, story: dict[str, Any]
) -> None:
    early = api.public.get("/audit/figures?as_of=1").text
    assert "Nothing has happened yet." in early
    before = story["event"]["block_number"] - 1
    text = api.public.get(f"/audit/figures?issuer={api.address}&as_of={before}").text
    assert f"As of block {before:,}" in text


class Doubtful(AuditService):
    """An audit whose contract says something else, or nothing."""

    match: bool | None = False

    def heads(self, issuers: Any) -> Heads:
        return replace(super().heads(issuers), match=dict.fromkeys(issuers, self.match))

    def issuer(self, issuer: Any, as_of: Any = None) -> IssuerAudit:
        return replace(super().issuer(issuer, as_of), head_on_chain=b"\1" * 32)


@pytest.mark.parametrize(
    ("match", "words"), [(False, "contradicts the contract"), (None, "cannot be read now")]
)
def test_contradiction_and_silence_are_said(api: Api, match: bool | None, words: str) -> None:
    audit = Doubtful(api.app.store, api.app.chain, api.app.clock)
    audit.match = match
    front = FrontEnd(api.app, audit=audit)
    text = front.send("GET", "/audit").text
    assert words in text
    assert ">whole<" not in text
    shown = front.send("GET", f"/audit/issuers/{api.address}").text
    assert "The history contradicts the contract" in shown
    assert "The history is whole" not in shown


def test_heads_are_unknown_while_the_node_is_silent(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: object) -> bytes:
        raise ChainUnavailableError("no")

    monkeypatch.setattr(type(api.app.chain), "head_of", silent)
    assert "cannot be read now" in api.public.get("/audit").text
    assert api.public.get(f"/audit/issuers/{api.address}").status_code == 503


def test_what_strangers_wrote_is_shown_as_text(api: Api) -> None:
    hostile = '<script>alert(1)</script>"><img src=x onerror=1>'
    address, _ = api.register(hostile)
    for path in ("/audit?limit", "/audit", f"/audit/issuers/{address}"):
        text = api.public.get(path).text
        assert "<script>alert" not in text
        assert runs_nothing(text)
    drawn = plots.rows([(hostile, 1, hostile)], hostile) + plots.columns([(hostile, 1)], hostile, hostile)
    assert "<script" not in drawn
    assert "<img" not in drawn


def test_drawing_of_nothing_and_of_very_different_values_stays_within_its_frame() -> None:
    for bars in ([], [("a", 0.0, "0")], [("a", 1.0, "1"), ("b", 10.0**9, "10⁹")]):
        drawn = plots.rows(bars, "x") + plots.columns([(label, value) for label, value, _ in bars], "x", "1")
        for left, width in re.findall(r'<rect class="bar" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', drawn):
            assert float(left) + float(width) <= plots.WIDTH
