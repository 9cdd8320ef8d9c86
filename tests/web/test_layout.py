"""What holds on every page: headers, languages, widths, colours, and static files."""

from __future__ import annotations

import gzip
import re

import pytest

from api.web.texts import LANGUAGES
from tests.web.conftest import Api, NewPage, accessible, reachable, runs_nothing, shoot

PAGES = ("/", "/me", "/console/login", "/audit", "/audit/events", "/audit/figures")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", ["narrow", "wide"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_accessible_and_fits_at_both_widths(
    new_page: NewPage, path: str, width: str, scheme: str
) -> None:
    for language in LANGUAGES:
        page = new_page(width=width, scheme=scheme, language=language)
        page.goto(path)
        assert page.locator("html").get_attribute("lang") == language
        accessible(page)
        name = path.strip("/").replace("/", "-") or "verify"
        shoot(page, f"{name}-{width}-{scheme}-{language}")


@pytest.mark.parametrize("path", PAGES)
def test_everything_on_a_page_is_reached_by_keyboard(new_page: NewPage, path: str) -> None:
    page = new_page()
    page.goto(path)
    reachable(page)


@pytest.mark.parametrize("thing", ['<button tabindex="-1">x</button>', '<a href="/" style="outline:0">x</a>'])
def test_what_the_keyboard_does_not_reach_or_show_would_be_seen(new_page: NewPage, thing: str) -> None:
    page = new_page()
    page.set_content(f"<!doctype html><button>a</button>{thing}")
    with pytest.raises(AssertionError, match="x</"):
        reachable(page)


@pytest.mark.parametrize("path", PAGES)
def test_page_has_the_headers_that_keep_it_safe(api: Api, path: str) -> None:
    answer = api.public.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert runs_nothing(answer.text)


@pytest.mark.parametrize(
    "text",
    ["<p onclick=1>", '<p class="a" onclick="1">', "<P STYLE='a'>", "<script>1</script>", "<SCRIPT defer>"],
)
def test_inline_code_would_be_seen(text: str) -> None:
    assert not runs_nothing(f"<!doctype html><main>{text}</main>")
    assert runs_nothing(
        f'<input value="{text.replace(chr(34), "")}"> &lt;p onclick=1&gt; <script src="a"></script>'
    )


def test_language_is_the_readers_and_stays_chosen(new_page: NewPage) -> None:
    page = new_page(language="de")
    page.goto("/")
    assert page.locator("h1").inner_text() == "Einen Nachweis prüfen"
    page.get_by_role("link", name="English").click()
    assert page.locator("h1").inner_text() == "Check a credential"
    page.goto("/")
    assert page.locator("h1").inner_text() == "Check a credential"


def test_static_files_are_kept_under_the_version_that_they_have(api: Api) -> None:
    address = re.search(r'href="(/static/[0-9a-f]{12}/app\.css)"', api.public.get("/").text)
    assert address is not None
    answer = api.public.get(address[1])
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]
    other = api.public.get("/static/000000000000/app.css")
    assert other.headers["cache-control"] == "no-store"
    assert other.text == answer.text
    plain = api.public.get(address[1], headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert len(gzip.compress(plain.content)) < 10_000


@pytest.mark.parametrize("path", ["../pages.py", "%2e%2e/pages.py", "vendor", "nothing.css", ""])
def test_nothing_but_static_files_is_served(api: Api, path: str) -> None:
    answer = api.public.get(f"/static/000000000000/{path}")
    assert answer.status_code == 404


def test_page_that_is_not_there_is_the_apis_problem(api: Api) -> None:
    assert api.public.get("/nothing").json()["type"] == "/problems/not-found"
