"""Claim links over HTTP: who may make one, what it says, and that a new one ends the old one."""

from __future__ import annotations

import httpx
import pytest

from tests.api.conftest import Api
from tests.api.support import problem
from tests.web import samples


@pytest.fixture(scope="module")
def award(api: Api) -> samples.Award:
    return samples.award(api, samples.achievement(api))


def made(api: Api, award: samples.Award, **headers: str) -> dict[str, str]:
    answer = api.issuer.post(f"/v1/awards/{award.id}/claim", headers=headers)
    assert answer.status_code == 201, answer.text
    found: dict[str, str] = answer.json()
    assert set(found) == {"page", "claim", "expires_at"}
    assert answer.headers["location"] == found["page"]
    return found


def at(api: Api, address: str) -> httpx.Response:
    return api.public.get("/" + address.split("/", 3)[3])


def test_only_the_issuer_makes_links(api: Api, award: samples.Award) -> None:
    path = f"/v1/awards/{award.id}/claim"
    problem(api.public.post(path), 401, "unauthorized")
    _, stranger = api.register()
    problem(stranger.post(path), 404, "not-found")
    problem(api.admin.post(path), 403, "forbidden")
    problem(api.issuer.post("/v1/awards/none/claim"), 404, "not-found")
    problem(api.issuer.post(path, content=b"x"), 413, "too-large")
    problem(stranger.get(f"/v1/awards/{award.id}/page"), 404, "not-found")


def test_new_link_ends_the_one_before_and_keeps_the_page(api: Api, award: samples.Award) -> None:
    first, second = made(api, award), made(api, award)
    assert first["page"] == second["page"]
    assert first["claim"] != second["claim"]
    assert at(api, first["claim"]).status_code == 404
    assert at(api, second["claim"]).status_code == 200
    assert award.digest[2:] not in str(second)
    page = api.issuer.get(f"/v1/awards/{award.id}/page").json()
    assert page["page"] == second["page"]
    assert (page["visibility"], page["show_name"], page["claimed"]) == ("unlisted", False, False)


def test_repeated_request_gives_a_link_that_works(api: Api, award: samples.Award) -> None:
    made(api, award, **{"Idempotency-Key": "claim-1"})
    again = made(api, award, **{"Idempotency-Key": "claim-1"})
    assert at(api, again["claim"]).status_code == 200


def test_erasure_takes_page_and_links_along(api: Api) -> None:
    award = samples.award(api, samples.achievement(api))
    link = made(api, award)
    assert api.issuer.delete(f"/v1/credentials/{award.digest}").status_code == 204
    assert at(api, link["page"]).status_code == 404
    assert at(api, link["claim"]).status_code == 404
    problem(api.issuer.post(f"/v1/awards/{award.id}/claim"), 404, "not-found")
    problem(api.issuer.get(f"/v1/awards/{award.id}/page"), 404, "not-found")
