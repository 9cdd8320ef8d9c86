"""What a browser is shown when no page's route could answer; programs get the API's problems."""

from __future__ import annotations

import pytest

from tests.api.support import FrontEnd
from tests.web.conftest import Api, NewPage, accessible, runs_nothing

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_address_that_is_no_page_is_told_to_a_browser_as_a_page(new_page: NewPage, api: Api) -> None:
    page = new_page(allowed="Failed to load resource", language="de")
    page.goto("/nothing")
    assert page.locator("h1").inner_text() == "Das hat nicht geklappt"
    assert page.locator("html").get_attribute("lang") == "de"
    accessible(page)
    answer = api.public.get("/nothing", headers=BROWSER)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert runs_nothing(answer.text)


def test_wrong_method_says_which_is_right(api: Api) -> None:
    answer = api.public.delete("/audit", headers=BROWSER)
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/v1/nothing", "/vc/nothing", "/rpc"])
def test_addresses_of_the_api_stay_the_apis(api: Api, path: str) -> None:
    answer = api.public.get(path, headers=BROWSER)
    assert answer.headers["content-type"] == "application/problem+json"


def test_programs_get_problems(api: Api) -> None:
    for headers in ({}, {"Accept": "application/json"}, {"Accept": "*/*"}):
        answer = api.public.get("/nothing", headers=headers)
        assert answer.json()["type"] == "/problems/not-found"


def test_too_many_requests_are_a_page_that_says_when_to_come_back(api: Api) -> None:
    front = FrontEnd(api.app, client="192.0.2.77", settings={"rate_limit_per_minute": 1})
    front.send("GET", "/", headers=BROWSER)
    answer = front.send("GET", "/", headers=BROWSER)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["content-type"].startswith("text/html")
    assert "noindex" in answer.headers["x-robots-tag"]
    part = front.send("GET", "/", headers={"HX-Request": "true"})
    assert part.status_code == 429
    assert part.text.lstrip().startswith('<div class="verdict')
    assert front.send("GET", "/").json()["type"] == "/problems/rate-limited"


def test_bug_is_a_page_with_the_id_that_the_log_has(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(type(api.app.audit), "heads", broken)
    front = FrontEnd(api.app)
    answer = front.send("GET", "/audit", headers=BROWSER)
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["x-request-id"] in answer.text
    assert "secret detail" not in answer.text
    assert "unexpected error" in caplog.text
    assert front.send("GET", "/audit").json()["type"] == "/problems/internal"


def test_query_that_cannot_be_read_is_still_answered(api: Api) -> None:
    answer = api.public.get("/nothing?a=%ff", headers=BROWSER)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
