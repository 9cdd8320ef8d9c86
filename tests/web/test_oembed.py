"""oEmbed: how other sites embed a credential's page."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema_rs
import pytest

from tests.web import samples
from tests.web.conftest import Api, NewPage
from tests.web.samples import HOSTILE
from tests.web.test_credential_pages import NAME, claimed, decide, given, links

RICH = {
    "type": "object",
    "required": ["version", "type", "title", "html", "width", "height"],
    "properties": {
        "version": {"const": "1.0"},
        "type": {"const": "rich"},
        "html": {"type": "string", "minLength": 1},
        "width": {"type": "integer", "minimum": 1},
        "height": {"type": "integer", "minimum": 1},
        "cache_age": {"type": "integer"},
    },
}
"""By oEmbed, sections 2.3.4 and 2.3.4.4."""


def ask(api: Api, url: str, **more: Any) -> Any:
    return api.public.get("/oembed", params={"url": url} | more)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "x",
        "http://[",
        "{base}/",
        "{base}/c/",
        "{base}/c/none",
        "{base}/c/none/embed",
        "{base}/s/none",
        "ftp://{host}/c/none",
        "https://elsewhere.example{path}",
    ],
)
def test_address_that_is_no_page_here_is_not_found(api: Api, address: str) -> None:
    path, _ = links(api, given(api))
    host = urlsplit(api.url).netloc
    answer = ask(api, address.format(base=api.url, host=host, path=path))
    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/not-found"


def test_other_forms_are_not_implemented(api: Api) -> None:
    path, _ = links(api, given(api))
    assert ask(api, api.url + path, format="xml").status_code == 501
    assert ask(api, api.url + path, format="json").status_code == 200
    assert api.public.get("/oembed", params={"url": api.url + path, "callback": "x"}).status_code == 422


def test_page_names_its_oembed_and_that_frames_the_small_page(new_page: NewPage, api: Api) -> None:
    path, _ = links(api, given(api))
    found = re.search(
        r'<link rel="alternate" type="application/json\+oembed" href="([^"]+)"', api.public.get(path).text
    )
    assert found is not None
    parts = urlsplit(unescape(found[1]))
    assert parts.path == "/oembed"
    answer = ask(api, parse_qs(parts.query)["url"][0])
    assert answer.headers["content-type"] == "application/json"
    made = answer.json()
    jsonschema_rs.validate(RICH, made)
    assert (made["title"], made["author_name"]) == ("Welding", "Test College")
    assert NAME not in answer.text
    src = re.fullmatch(
        r'<iframe src="([^"]+)" title="Welding" width="420" height="220" [^>]*></iframe>', made["html"]
    )
    assert src is not None
    page = new_page()
    page.goto("/" + src[1].split("/", 3)[3])
    assert page.locator(".verdict").get_attribute("data-outcome") == "valid"


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({}, (420, 220)),
        ({"maxwidth": "1000", "maxheight": "1000"}, (420, 220)),
        ({"maxwidth": "300"}, (300, 300)),
        ({"maxwidth": "300", "maxheight": "100"}, (300, 100)),
        ({"maxwidth": "0"}, (1, 300)),
        ({"maxwidth": "wide", "maxheight": "-1"}, (420, 220)),
    ],
)
def test_frame_is_no_larger_than_asked_for(api: Api, asked: dict[str, str], size: tuple[int, int]) -> None:
    path, _ = links(api, given(api))
    made = ask(api, api.url + path, **asked).json()
    assert (made["width"], made["height"]) == size
    assert f'width="{size[0]}" height="{size[1]}"' in made["html"]


def test_page_that_is_off_is_not_embedded_even_for_its_holder(new_page: NewPage, api: Api) -> None:
    path, claim = links(api, given(api))
    page = new_page()
    claimed(page, claim)
    decide(page, "off", True)
    (cookie,) = page.context.cookies()
    known = {"Cookie": f"{cookie['name']}={cookie['value']}"}
    assert api.public.get("/oembed", params={"url": api.url + path}, headers=known).status_code == 404


def test_what_an_issuer_wrote_stays_inside_its_attribute(api: Api) -> None:
    award = samples.award(api, samples.achievement(api, name=HOSTILE))
    path, _ = links(api, award)
    made = ask(api, api.url + path).json()
    assert made["title"] == HOSTILE
    assert made["html"].count("<") == 2
    assert re.fullmatch(
        r'<iframe src="[^"<>]+" title="[^"<>]+" [^"<>]*(="\w+"[^"<>]*)*></iframe>', made["html"]
    )
