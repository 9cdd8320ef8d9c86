"""Status lists and lists of revoked awards over HTTP: for anybody, cached for a moment, never wrong."""

from __future__ import annotations

from typing import Any

import pytest

from api.routes.status_lists import MEDIA_TYPES
from registry.credentials.status.bitstring import decode, entry
from registry.encoding import parse_address
from registry.store.repositories.events import Events
from tests.api.conftest import Api
from tests.api.support import problem
from tests.unit.credentials.awards.samples import PLAIN

WAIT = {"Prefer": "wait=60"}
NOBODY = "0x" + "11" * 20


@pytest.fixture(scope="module")
def achievement(api: Api) -> str:
    return str(api.issuer.post("/v1/achievements", json=PLAIN).json()["id"])


def credential_of(api: Api, achievement: str) -> dict[str, Any]:
    """A new award's credential, once it is anchored."""
    award = {"recipient": {"email": "ada@college.example"}, "achievement_id": achievement}
    made = api.issuer.post("/v1/awards", json={"awards": [award]}, headers=WAIT)
    assert made.status_code == 200, made.text
    shown = api.issuer.get(f"/v1/awards/{made.json()['awards'][0]['id']}").json()
    credential: dict[str, Any] = shown["credential"]
    return credential | {"digest": shown["digest"]}


def path_of(credential: dict[str, Any], purpose: str = "revocation") -> str:
    (found,) = [one for one in credential["credentialStatus"] if one["statusPurpose"] == purpose]
    return "/status/" + str(found["statusListCredential"]).rpartition("/")[2]


def bit_of(api: Api, credential: dict[str, Any], purpose: str = "revocation") -> int | None:
    subject = api.public.get(path_of(credential, purpose)).json()["credentialSubject"]
    assert subject["statusPurpose"] == purpose
    return entry(decode(subject["encodedList"]), int(credential["credentialStatus"][0]["statusListIndex"]))


# --- refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["x", "0" * 32, f"{'0' * 32}-revocation", f"{'0' * 32}-message", "%00", "%F0"]
)
def test_list_that_does_not_exist_is_not_found(api: Api, name: str) -> None:
    problem(api.public.get(f"/status/{name}"), 404, "not-found")


def test_revocation_list_of_nobody_is_not_found(api: Api) -> None:
    problem(api.public.get(f"/issuers/{NOBODY}/revocation-list.json"), 404, "not-found")
    problem(api.public.get("/issuers/0x12/revocation-list.json"), 422, "validation")


def test_query_is_refused(api: Api, achievement: str) -> None:
    path = path_of(credential_of(api, achievement))
    problem(api.public.get(path, params={"timestamp": "2026-01-01T00:00:00Z"}), 422, "validation")
    path = f"/issuers/{api.address}/revocation-list.json"
    problem(api.public.get(path, params={"page": "2"}), 422, "validation")


def test_nothing_is_served_of_an_issuer_whose_index_is_contested(api: Api, achievement: str) -> None:
    path = path_of(credential_of(api, achievement))
    issuer = parse_address(api.address)
    revoked = f"/issuers/{api.address}/revocation-list.json"
    mismatches = {issuer: "another head"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Events, "mismatches", lambda _self: mismatches)
        for refused in (path, revoked):
            response = api.public.get(refused)
            problem(response, 503, "unavailable")
            assert int(response.headers["retry-after"]) > 0
    assert api.public.get(path).status_code == 200
    assert api.public.get(revoked).status_code == 200


# --- served -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, MEDIA_TYPES[0]),
        ("*/*", MEDIA_TYPES[0]),
        ("application/json", "application/json"),
        ("application/ld+json, application/json;q=0.9", "application/ld+json"),
        ("application/json;q=0.1, application/ld+json;q=0.2", "application/ld+json"),
        ("application/vc", "application/vc"),
        ("Application/VC+LD+JSON", "application/vc+ld+json"),
        ("text/html", MEDIA_TYPES[0]),
        ("application/json;q=0", MEDIA_TYPES[0]),
        ("application/json;q=many, application/ld+json", "application/ld+json"),
        (";;,,q=1", MEDIA_TYPES[0]),
    ],
)
def test_list_is_served_as_what_is_asked_for(
    api: Api, achievement: str, accept: str | None, expected: str
) -> None:
    path = path_of(shared(api, achievement))
    response = api.public.get(path, headers={} if accept is None else {"Accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"] == expected
    assert response.headers["vary"] == "Accept"
    assert response.json()["credentialSubject"]["type"] == "BitstringStatusList"


_SHARED: dict[str, dict[str, Any]] = {}


def shared(api: Api, achievement: str) -> dict[str, Any]:
    """One credential for all tests that only look."""
    if achievement not in _SHARED:
        _SHARED[achievement] = credential_of(api, achievement)
    return _SHARED[achievement]


@pytest.mark.parametrize("what", ["list", "revoked"])
def test_copy_is_known_by_its_tag_and_any_web_page_may_read_it(api: Api, achievement: str, what: str) -> None:
    credential = shared(api, achievement)
    path = path_of(credential) if what == "list" else f"/issuers/{api.address}/revocation-list.json"
    first = api.public.get(path, headers={"Origin": "https://page.example"})
    assert first.headers["access-control-allow-origin"] == "*"
    assert first.headers["cache-control"] == "public, max-age=5"
    again = api.public.get(path, headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert api.public.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_media_types_have_tags_of_their_own(api: Api, achievement: str) -> None:
    path = path_of(shared(api, achievement))
    tags = {api.public.get(path, headers={"Accept": name}).headers["etag"] for name in MEDIA_TYPES}
    assert len(tags) == len(MEDIA_TYPES)


def test_lists_follow_what_happens_to_a_credential(api: Api, achievement: str) -> None:
    credential = credential_of(api, achievement)
    body = {"digests": [credential["digest"]], "reason": "holder_request"}
    assert (bit_of(api, credential), bit_of(api, credential, "suspension")) == (0, 0)
    api.final_request(api.issuer.post("/v1/suspensions", json={"digests": body["digests"]}).json())
    assert (bit_of(api, credential), bit_of(api, credential, "suspension")) == (0, 1)
    api.final_request(api.issuer.post("/v1/reinstatements", json=body).json())
    assert (bit_of(api, credential), bit_of(api, credential, "suspension")) == (0, 0)
    tag = api.public.get(path_of(credential)).headers["etag"]
    api.final_request(api.issuer.post("/v1/revocations", json=body).json())
    assert api.public.get(path_of(credential), headers={"If-None-Match": tag}).status_code == 200
    assert (bit_of(api, credential), bit_of(api, credential, "suspension")) == (1, 0)


def test_revoked_award_without_status_entries_is_listed(api: Api, achievement: str) -> None:
    path = f"/issuers/{api.address}/revocation-list.json"
    award = {"recipient": {"email": "ada@college.example"}, "achievement_id": achievement}
    body = {"awards": [award], "options": {"credential_status": False}}
    made = api.issuer.post("/v1/awards", json=body, headers=WAIT).json()
    shown = api.issuer.get(f"/v1/awards/{made['awards'][0]['id']}").json()
    assert "credentialStatus" not in shown["credential"]
    before = api.public.get(path)
    assert shown["credential"]["id"] not in before.text
    revocation = {"digests": [shown["digest"]], "reason": "issued_in_error"}
    api.final_request(api.issuer.post("/v1/revocations", json=revocation).json())
    after = api.public.get(path, headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    document = after.json()
    assert {"id": shown["credential"]["id"], "revocationReason": "issued in error"} in document[
        "revokedAssertions"
    ]
    profile = api.public.get(f"/issuers/{api.address}/profile.json").json()
    assert (document["id"], document["issuer"]) == (profile["revocationList"], profile["id"])
