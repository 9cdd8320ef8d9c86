"""Who gets into the console, for how long, and what other sites and other keys cannot do there."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import timedelta
from typing import Any

import httpx
import pytest

from registry.services.access import token_sha256
from tests.api.conftest import Api
from tests.api.support import FrontEnd
from tests.web.conftest import runs_nothing
from tests.web.console import csv_of, key_of, log_in
from tests.web.samples import achievement, award

COOKIE = "rootmark-session"
LOCATION = re.compile(r"/console/(?:batches|requests|drafts)/[0-9a-f-]+")


def key_with(api: Api, *scopes: str, **more: Any) -> dict[str, Any]:
    """A new key of the issuer."""
    made = api.issuer.post(
        f"/v1/issuers/{api.address}/api-keys", json={"label": "a key", "scopes": list(scopes)} | more
    )
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


def is_login(answer: httpx.Response) -> bool:
    """Whether the answer leads to the login."""
    return answer.status_code == 303 and answer.headers["location"].startswith("/console/login")


# --- getting in ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", "rmk_" + "A" * 43, "nothing", "<script>alert(1)</script>"])
def test_wrong_key_gets_a_sentence_with_the_request_id_and_no_session(api: Api, key: str) -> None:
    answer = api.public.post("/console/login", data={"key": key})
    assert answer.status_code == 401
    assert "The API key is not valid".lower() in answer.text.lower()
    assert answer.headers["x-request-id"] in answer.text
    assert "set-cookie" not in answer.headers
    assert "<script>alert" not in answer.text
    assert key not in answer.text or not key


def test_admin_token_is_told_that_it_belongs_to_no_issuer(api: Api) -> None:
    answer = api.public.post("/console/login", data={"key": key_of(api.admin)})
    assert answer.status_code == 403
    assert "belongs to no issuer" in answer.text
    assert "set-cookie" not in answer.headers


def test_session_is_a_new_secret_that_is_stored_nowhere(api: Api) -> None:
    planted = "planted-by-somebody-else-000000000000000000"
    with httpx.Client(base_url=api.url, cookies={COOKIE: planted}) as http:
        answer = http.post("/console/login", data={"key": key_of(api.issuer)})
        cookie = answer.headers["set-cookie"]
        token = re.match(rf"{COOKIE}=([\w-]{{43}});", cookie)
        assert token is not None
        assert token[1] != planted
        for attribute in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age=43200"):
            assert attribute.lower() in cookie.lower()
        assert "Secure" not in cookie  # this server speaks plain HTTP
    with api.app.store.read() as unit:
        assert unit.console.session(token_sha256(planted)) is None
        kept = unit.console.session(token_sha256(token[1]))
    assert kept is not None
    assert token[1].encode() not in repr(kept).encode()


def test_login_with_a_session_ends_that_session(api: Api) -> None:
    session = log_in(api)
    before = session.http.cookies[COOKIE]
    session.http.post("/console/login", data={"key": key_of(api.issuer)})
    assert session.http.cookies[COOKIE] != before
    with httpx.Client(base_url=api.url, cookies={COOKIE: before}) as old:
        assert is_login(old.get("/console"))


def test_cookie_is_bound_to_host_and_tls_where_the_public_address_has_it(api: Api) -> None:
    settings = {"public_url": "https://badges.example"}
    front = FrontEnd(api.app, settings=settings)
    answer = front.send(
        "POST", "/console/login", data={"key": key_of(api.issuer)}, headers={"Host": "badges.example"}
    )
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"__Host-{COOKIE}=")
    assert "; Secure" in cookie
    assert "Domain" not in cookie
    # A cookie without the prefix, which an unencrypted page could have set, is nobody's.
    token = cookie.partition("=")[2].partition(";")[0]
    for name, inside in ((f"__Host-{COOKIE}", True), (COOKIE, False)):
        headers = {"Host": "badges.example", "Cookie": f"{name}={token}"}
        assert is_login(front.send("GET", "/console", headers=headers)) is not inside


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "/v1/issuers", "/console\n/x", "x"],
)
def test_login_leads_to_pages_of_the_console_alone(api: Api, target: str) -> None:
    with httpx.Client(base_url=api.url) as http:
        answer = http.post("/console/login", data={"key": key_of(api.issuer), "next": target})
    assert answer.headers["location"] == "/console"


def test_login_leads_back_to_the_page_that_was_asked_for(api: Api) -> None:
    asked = api.public.get("/console/awards?q=x%20y&state=active")
    assert is_login(asked)
    form = api.public.get(asked.headers["location"]).text
    following = re.search(r'name="next" value="([^"]+)"', form)
    assert following is not None
    with httpx.Client(base_url=api.url) as http:
        data = {"key": key_of(api.issuer), "next": following[1].replace("&amp;", "&")}
        answer = http.post("/console/login", data=data)
    assert answer.headers["location"] == "/console/awards?q=x%20y&state=active"


def test_attempts_to_log_in_are_limited_for_an_address(api: Api) -> None:
    front = FrontEnd(api.app, client="192.0.2.9", settings={"rate_limit_per_minute": 5})
    answers = [front.send("POST", "/console/login", data={"key": "rmk_wrong"}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert int(answers[-1].headers["retry-after"]) >= 1


# --- staying in ---------------------------------------------------------------------------------------------


def test_logout_ends_the_session_for_every_copy_of_the_cookie(api: Api) -> None:
    session = log_in(api)
    token = session.http.cookies[COOKIE]
    assert is_login(session.post("/console/logout", {}))
    with httpx.Client(base_url=api.url, cookies={COOKIE: token}) as copy:
        answer = copy.get("/console")
        assert is_login(answer)
        assert "session has ended" in copy.get(answer.headers["location"]).text


@pytest.mark.parametrize("hours", [2.01, 12.01])
def test_session_ends_unused_after_two_hours_and_used_after_twelve(api: Api, hours: float) -> None:
    session = log_in(api)
    digest = token_sha256(session.http.cookies[COOKIE])
    now = api.app.clock.now()
    with api.app.store.write() as unit:
        if hours < 12:
            unit.console.touch_session(digest, now - timedelta(hours=hours))
        else:
            old = unit.console.session(digest)
            assert old is not None
            unit.console.end_session(digest)
            began = now - timedelta(hours=hours)
            unit.console.add_session(type(old)(digest, old.key_id, began, now), keep=20)
    assert is_login(session.http.get("/console"))


def test_use_is_noted_after_some_minutes(api: Api) -> None:
    session = log_in(api)
    digest = token_sha256(session.http.cookies[COOKIE])
    with api.app.store.write() as unit:
        unit.console.touch_session(digest, api.app.clock.now() - timedelta(minutes=90))
    session.page("/console")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:  # it is noted after the answer
        with api.app.store.read() as unit:
            kept = unit.console.session(digest)
        assert kept is not None
        if api.app.clock.now() - kept.seen_at < timedelta(minutes=5):
            return
        time.sleep(0.02)
    raise AssertionError("the use was not noted")


def test_session_ends_with_its_key(api: Api) -> None:
    made = key_with(api, "read", "batch")
    session = log_in(api, made["api_key"])
    assert "Overview" in session.page("/console")
    api.issuer.delete(f"/v1/issuers/{api.address}/api-keys/{made['id']}")
    assert is_login(session.http.get("/console"))
    fragment = session.http.get("/console/batches/x/progress", headers={"HX-Request": "true"})
    assert fragment.status_code == 204
    assert fragment.headers["hx-redirect"].startswith("/console/login")


def test_twenty_sessions_of_a_key_are_kept(api: Api) -> None:
    made = key_with(api, "read")
    first = log_in(api, made["api_key"])
    for _ in range(19):
        last = log_in(api, made["api_key"])
    first.page("/console")
    log_in(api, made["api_key"])
    assert is_login(first.http.get("/console"))
    last.page("/console")


# --- other sites --------------------------------------------------------------------------------------------

FORMS = (
    ("/console/logout", {}),
    ("/console/achievements/new", {"name": "x", "description": "x", "narrative": "x"}),
    ("/console/issue", {}),
    ("/console/changes", {"by": "filter", "since": "2026-01-01"}),
    ("/console/drafts/00/publish", {}),
    ("/console/drafts/00/carry-out", {"reason": "unspecified"}),
    ("/console/drafts/00/discard", {}),
    ("/console/batches/00/retry", {}),
    ("/console/requests/00/approve", {}),
    ("/console/awards/00/supersede", {}),
    ("/console/awards/00/claim", {}),
    ("/console/keys/api", {"label": "x", "scope": "admin"}),
    ("/console/keys/api/00/delete", {}),
    ("/console/webhooks", {"url": "https://hooks.invalid/"}),
    ("/console/webhooks/00/test", {}),
    ("/console/webhooks/00/replay", {"since": "2026-11-01"}),
    ("/console/webhooks/00/switch", {"to": "on"}),
    ("/console/webhooks/00/secret", {}),
    ("/console/webhooks/00/remove", {}),
)


@pytest.mark.parametrize(("path", "data"), FORMS, ids=[path for path, _ in FORMS])
def test_form_without_the_sessions_token_is_refused(api: Api, path: str, data: dict[str, str]) -> None:
    session, other = log_in(api), log_in(api)
    token = session.hidden("/console")["csrf"]
    foreign = other.hidden("/console")["csrf"]
    assert token != foreign
    keys = len(api.issuer.get(f"/v1/issuers/{api.address}/api-keys").json()["items"])
    for given in ({}, {"csrf": ""}, {"csrf": foreign}, {"csrf": token[:-1]}):
        answer = session.http.post(path, data={"x": "y"} | data | given)
        assert answer.status_code == 403, given
        assert "not made for you" in answer.text
        assert answer.headers["x-request-id"] in answer.text
    elsewhere = (
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "null"},
    )
    for headers in elsewhere:
        answer = session.http.post(path, data=data | {"csrf": token}, headers=headers)
        assert answer.status_code == 403, headers
        assert "another site" in answer.text
    assert len(api.issuer.get(f"/v1/issuers/{api.address}/api-keys").json()["items"]) == keys
    session.page("/console")  # not logged out either


def test_login_from_another_site_is_refused(api: Api) -> None:
    answer = api.public.post(
        "/console/login", data={"key": key_of(api.issuer)}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/console/login", "/console", "/console/keys", "/console/awards"])
def test_pages_are_not_framed_kept_or_indexed(api: Api, path: str) -> None:
    answer = log_in(api).http.get(path)
    assert answer.status_code == 200
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert "access-control-allow-origin" not in answer.headers
    assert runs_nothing(answer.text)


def test_reading_changes_nothing(api: Api) -> None:
    session = log_in(api)
    for path, _ in FORMS:
        answer = session.http.get(path)
        assert answer.status_code in (200, 404, 405), path


# --- other issuers, smaller keys ----------------------------------------------------------------------------


def test_other_issuers_things_are_not_found(api: Api) -> None:
    _, other = api.register("Console Rival")
    rival = log_in(api, key_of(other))
    one = achievement(api)
    made = award(api, one)
    batch = api.issuer.get(f"/v1/awards/{made.id}").json()["batch"]
    request = api.issuer.post("/v1/suspensions", json={"digests": [made.digest]}).json()["id"]
    mine = log_in(api)
    draft = mine.post("/console/changes", {"by": "selected", "award": made.id}).headers["location"]
    paths = (
        f"/console/batches/{batch}",
        f"/console/batches/{batch}/progress",
        f"/console/awards/{made.id}",
        f"/console/awards/{made.id}/supersede",
        f"/console/awards/{made.id}/files/json",
        f"/console/awards/{made.id}/files/proof",
        f"/console/achievements/{one}",
        f"/console/achievements/{one}/image",
        f"/console/requests/{request}",
        f"/console/requests/{request}/progress",
        f"/console/awards?batch={batch}",
        draft,
    )
    for path in paths:
        text = rival.page(path, 404)
        assert "no such" in text, path
        assert "ada@college.example" not in text
    for text in (f"?q={made.id}", f"?q={made.digest}", "?q=ada@college.example", ""):
        assert "data-award=" not in rival.page(f"/console/awards{text}")
    for path in (f"/console/batches/{batch}/retry", f"{draft}/carry-out", f"{draft}/discard"):
        answer = rival.post(path, {"reason": "unspecified", "once": "some-key"})
        assert answer.status_code == 404, path
    refused = rival.post("/console/changes", {"by": "selected", "award": made.id})
    assert "no such award" in refused.text
    assert mine.page(draft)  # the draft is still there


def test_draft_of_another_key_of_the_same_issuer_is_not_found(api: Api) -> None:
    one = achievement(api)
    made = award(api, one)
    draft = log_in(api).post("/console/changes", {"by": "selected", "award": made.id}).headers["location"]
    other = log_in(api, key_with(api, "status")["api_key"])
    other.page(draft, 404)


def test_what_a_key_may_not_do_is_not_offered_and_refused(api: Api) -> None:
    one = achievement(api)
    made = award(api, one)
    session = log_in(api, key_with(api, "read")["api_key"])
    assert "/console/keys" not in session.page("/console")
    assert "/console/issue" not in session.page("/console")
    shown = session.page(f"/console/awards/{made.id}")
    assert "/console/changes" not in shown.partition("</nav>")[2].partition("<h1>")[2]
    assert "supersede" not in shown
    assert "<form" not in session.page(f"/console/achievements/{one}").partition("<h1>")[2]
    session.page("/console/keys", 403)
    session.page("/console/keys/api/00", 403)
    session.page("/console/webhooks", 403)
    session.page("/console/webhooks/00", 403)
    token = {"csrf": session.hidden("/console")["csrf"], "once": "some-key"}
    refusals = (
        ("/console/achievements/new", {"name": "x", "description": "x", "narrative": "x"}, "scope batch"),
        (
            f"/console/achievements/{one}",
            {"name": "x", "description": "x", "narrative": "x", "version": "1"},
            "",
        ),
        ("/console/changes", {"by": "selected", "award": made.id}, "scope status"),
        ("/console/changes", {"by": "filter", "since": "2026-01-01"}, "scope status"),
        (f"/console/awards/{made.id}/supersede", {"recipient": "ada@college.example"}, "scope batch"),
        ("/console/keys/api", {"label": "x", "scope": "admin"}, "scope admin"),
        ("/console/keys/api/00/delete", {}, "scope admin"),
        ("/console/webhooks", {"url": "https://hooks.invalid/"}, "scope admin"),
        ("/console/webhooks/00/switch", {"to": "off"}, "scope admin"),
    )
    for path, data, words in refusals:
        answer = session.http.post(path, data=token | data)
        assert "this needs the scope" in answer.text, path
        assert words in answer.text
    file = {"file": ("x.csv", csv_of(one, 1, "refused"), "text/csv")}
    assert "scope batch" in session.http.post("/console/issue", data=token, files=file).text


def test_key_may_not_be_given_more_than_the_form_offers(api: Api) -> None:
    session = log_in(api)
    answer = session.post("/console/keys/api", {"label": "x", "scope": "everything"}, of="/console/keys")
    assert answer.status_code == 422
    assert "one of batch" in answer.text


# --- once ---------------------------------------------------------------------------------------------------


def test_same_form_makes_one_achievement_and_one_key(api: Api) -> None:
    session = log_in(api)
    form = session.hidden("/console/achievements/new")
    data = form | {"name": "Once only", "description": "x", "narrative": "x"}
    first, second = (session.http.post("/console/achievements/new", data=data) for _ in range(2))
    assert first.headers["location"] == second.headers["location"]
    assert session.page("/console/achievements").count("Once only") == 1
    form = session.hidden("/console/keys")
    data = form | {"label": "shown once", "scope": "read"}
    shown, again = (session.http.post("/console/keys/api", data=data) for _ in range(2))
    assert re.search(r"rmk_[\w-]{43}", shown.text)
    assert not re.search(r"rmk_[\w-]{43}", again.text)
    assert "made already" in again.text
    keys = api.issuer.get(f"/v1/issuers/{api.address}/api-keys").json()["items"]
    assert [key["label"] for key in keys].count("shown once") == 1


def test_form_without_its_key_makes_nothing(api: Api) -> None:
    session = log_in(api)
    data = {"csrf": session.hidden("/console")["csrf"], "name": "Never", "description": "x", "narrative": "x"}
    answer = session.http.post("/console/achievements/new", data=data)
    assert "not whole" in answer.text
    assert "Never" not in session.page("/console/achievements")


def test_two_that_publish_at_once_make_one_batch(api: Api) -> None:
    one = achievement(api)
    session = log_in(api)
    file = {"file": ("x.csv", csv_of(one, 40, "at-once").replace("external_id", "external_id"), "text/csv")}
    draft = session.http.post("/console/issue", data=session.hidden("/console/issue"), files=file)
    path = draft.headers["location"] + "/publish"
    data = session.hidden(draft.headers["location"])

    async def both() -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=api.url, cookies=session.http.cookies, timeout=60) as http:
            return await asyncio.gather(*(http.post(path, data=data) for _ in range(3)))

    places = {answer.headers["location"] for answer in asyncio.run(both())}
    assert len(places) == 1
    assert LOCATION.fullmatch(places.pop())
    found = api.issuer.get("/v1/awards", params={"external_id": "at-once-39"}).json()["items"]
    assert len(found) == 1
