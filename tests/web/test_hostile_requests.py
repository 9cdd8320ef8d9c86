"""Requests that no browser makes, to every page: whatever they are, no answer is a 5xx or echoes markup."""

from __future__ import annotations

import itertools

import pytest

from tests.api.conftest import Api
from tests.web.samples import HOSTILE

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
PATHS = (
    "/",
    "/verify",
    "/c/x",
    "/c/%00",
    "/c/%ff%fe",
    "/c/" + "a" * 5_000,
    "/c/x/embed",
    "/c/x/file/json",
    "/c/x/file/%2e%2e",
    "/c/x/settings",
    "/c/x/qr.svg",
    "/s/x",
    "/s/%00",
    "/s/x/" + "9" * 30,
    "/s/x/1/file/%00",
    "/me",
    "/me/shares/%00/end",
    "/claim/x",
    "/claim/%00",
    "/return/" + "z" * 3_000,
    "/sign-out",
    "/console",
    "/console/login",
    "/console/batches/x",
    "/console/drafts/%00",
    "/static/a/b",
    "/static//",
    "/static/x/%2e%2e/%2e%2e/etc/passwd",
)
DIGEST = "0x" + "11" * 32
QUERIES = (
    "lang=xx",
    "lang=de&lang=en",
    "digest=",
    f"digest={DIGEST}&as_of=99999999999",
    f"digest={DIGEST}&as_of=-1",
    f"digest={DIGEST}&issuer=did:web:x",
    f"digest={DIGEST}&digest={DIGEST}",
    "%00",
    "issuer=%ff",
    "a=" + "b" * 10_000,
)
TEXTS = (
    "x" * 200_000,
    "{" * 5_000,
    "http://[",
    "https://elsewhere.example:99999/",
    "https://",
    "\0",
    "a.b.c",
    "eyJhbGciOiJub25lIn0.e30.",
    '{"type": "RootmarkProof/v1"}',
    '{"type": ["RootmarkProof/v1"]}',
    '{"type": "RootmarkBundle/v1"}',
    '{"credential": 1, "proof": 2}',
    '{"credential": {"id": "x"}, "proof": {}}',
    '{"@context": "x", "type": {}}',
    '{"validFrom": 1, "proof": [[]]}',
    "[]",
    HOSTILE,
)
MOMENTS = ("2026-13-45", "9999-12-31", "0001-01-01", "99999999999999999999", "now", "2026-01-01T25:00")
TYPES = (
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=latin1",
    "text/plain",
    "multipart/form-data; boundary=" + "x" * 300,
)
BODIES = (
    b"",
    b"--x\r\n",
    b"--x\r\nContent-Disposition: form-data\r\n\r\nq\r\n--x--",
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="\xff\x00"\r\n\r\n{}\r\n--x--',
    b"%",
    b"a=%ff",
    b"&" * 20_000,
    b"\xff" * 100,
)
FORMS = (
    "/verify",
    "/console/login",
    "/claim/x",
    "/return/x",
    "/sign-out",
    "/c/x/settings",
    "/me/share",
    "/me/shares/x/end",
    "/me/record",
    "/me/delete",
    "/me/deletion",
    "/me/return-link",
)
COOKIES = ("rootmark-holder=x", "rootmark-session=" + "a" * 5_000, 'rootmark-holder="', "=;;;", "a=%00")


@pytest.mark.parametrize("method", METHODS)
def test_no_path_and_method_causes_an_internal_error(api: Api, method: str) -> None:
    for path in PATHS:
        assert api.public.request(method, path).status_code < 500, path


def test_no_query_causes_an_internal_error(api: Api) -> None:
    for query, path in itertools.product(QUERIES, ("/", "/me", "/oembed", "/s/x", "/s/x/1")):
        assert api.public.get(f"{path}?{query}").status_code < 500, (path, query)
    api.public.cookies.clear()  # a language that was asked for is remembered


def test_no_text_causes_an_internal_error_or_comes_back_as_markup(api: Api) -> None:
    for text, script in itertools.product(TEXTS, ("false", "true")):
        answer = api.public.post("/verify", data={"text": text}, headers={"HX-Request": script})
        assert answer.status_code < 500, text[:50]
        assert "<script>window" not in answer.text
        assert api.public.post("/verify", files={"file": ("a", text.encode())}).status_code < 500
    for moment in MOMENTS:
        answer = api.public.post("/verify", data={"text": DIGEST, "as_of": moment})
        assert answer.status_code in (200, 422), moment


@pytest.mark.parametrize("path", FORMS)
def test_no_body_causes_an_internal_error(api: Api, path: str) -> None:
    for kind, body in itertools.product(TYPES, BODIES):
        answer = api.public.post(path, content=body, headers={"Content-Type": kind})
        assert answer.status_code < 500, (kind, body[:20])


def test_no_header_causes_an_internal_error(api: Api) -> None:
    for cookie, path in itertools.product(COOKIES, ("/", "/c/x", "/console", "/claim/x", "/me", "/s/x")):
        assert api.public.get(path, headers={"Cookie": cookie}).status_code < 500, cookie
    for language in ("de;q=abc", "*", "de;q=0", "x" * 5_000, ",,,;;;"):
        answer = api.public.get("/", headers={"Accept-Language": language})
        assert (answer.status_code, answer.headers["content-language"]) == (200, "en"), language
    assert (
        api.public.get("/", headers={"Accept-Language": "nl, de-AT;q=0.8"}).headers["content-language"]
        == "de"
    )
