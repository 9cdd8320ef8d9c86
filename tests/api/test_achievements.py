"""Achievements over HTTP: public to read, versions that never change, no change lost."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.api.conftest import Api
from tests.api.support import pointers, problem
from tests.unit.credentials.awards.samples import FULL, PLAIN


def made(api: Api, **more: Any) -> dict[str, Any]:
    response = api.issuer.post("/v1/achievements", json=PLAIN | more)
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


def put(api: Api, path: str, match: str | None, **more: Any) -> Any:
    headers = {} if match is None else {"If-Match": match}
    return api.issuer.put(path, json=PLAIN | more, headers=headers)


def test_achievement_without_key_or_scope_is_refused(api: Api) -> None:
    problem(api.public.post("/v1/achievements", json=PLAIN), 401, "unauthorized")
    problem(api.admin.post("/v1/achievements", json=PLAIN), 403, "forbidden")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"name": " x"}, "/name"),
        ({"description": "x" * 5001}, "/description"),
        ({"criteria": {}}, "/criteria"),
        ({"criteria": {"id": "javascript:alert(1)"}}, "/criteria/id"),
        ({"criteria": {"narrative": "a\u0007"}}, "/criteria/narrative"),
        ({"image": "data:image/png;base64,AAAA"}, "/image"),
        ({"achievement_type": "Nonsense"}, "/achievement_type"),
        ({"achievement_type": "ext:"}, "/achievement_type"),
        ({"tags": ["x"] * 51}, "/tags"),
        ({"credits_available": -1}, "/credits_available"),
        ({"credits_available": "3"}, "/credits_available"),
        ({"language": "English"}, "/language"),
        ({"version": 3}, "/version"),
        ({"id": "urn:uuid:x"}, "/id"),
        ({"alignment": [{"target_name": "x"}]}, "/alignment/0/target_url"),
        ({"alignment": [{"target_name": "x", "target_url": "ftp://x"}]}, "/alignment/0/target_url"),
        ({"related": [{"id": "no iri"}]}, "/related/0/id"),
        ({"result_descriptions": [{"name": "x", "result_type": "?"}]}, "/result_descriptions/0/result_type"),
    ],
)
def test_member_that_is_wrong_is_named(api: Api, change: dict[str, Any], pointer: str) -> None:
    found = problem(api.issuer.post("/v1/achievements", json=PLAIN | change), 422, "validation")
    assert pointer in pointers(found)


def description(**more: Any) -> dict[str, Any]:
    return {"name": "Seam", "result_type": "RubricCriterionLevel"} | more


@pytest.mark.parametrize(
    ("descriptions", "pointer"),
    [
        ([description(required_level="urn:x:1")], "/result_descriptions/0/required_level"),
        ([description(id="urn:x:1"), description(id="urn:x:1")], "/result_descriptions/1/id"),
        (
            [description(id="urn:x:1", rubric_criterion_levels=[{"id": "urn:x:1", "name": "x"}])],
            "/result_descriptions/0/rubric_criterion_levels/0/id",
        ),
        ([description(allowed_values=["A", "A"])], "/result_descriptions/0/allowed_values"),
        (
            [description(allowed_values=["A"], required_value="B")],
            "/result_descriptions/0/required_value",
        ),
    ],
)
def test_members_that_contradict_each_other_are_named(
    api: Api, descriptions: list[dict[str, Any]], pointer: str
) -> None:
    body = PLAIN | {"result_descriptions": descriptions}
    found = problem(api.issuer.post("/v1/achievements", json=body), 422, "validation")
    assert pointers(found) == [pointer]


def test_achievement_that_is_too_long_as_a_whole_is_refused(api: Api) -> None:
    alignment = {"target_name": "x", "target_url": "https://x.example", "target_description": "y" * 5000}
    body = PLAIN | {"alignment": [alignment] * 7}
    found = problem(api.issuer.post("/v1/achievements", json=body), 422, "validation")
    assert found["errors"][0]["code"] == "length"


def test_achievement_is_public_and_shown_as_it_was_given(api: Api) -> None:
    response = api.issuer.post("/v1/achievements", json=FULL)
    assert response.status_code == 201
    assert response.headers["etag"] == '"1"'
    shown = api.public.get(response.headers["location"])
    assert shown.headers["etag"] == '"1"'
    assert shown.headers["access-control-allow-origin"] == "*"
    assert shown.json() == response.json()
    assert {name: shown.json()[name] for name in FULL} == FULL
    assert (shown.json()["version"], shown.json()["issuer"]) == (1, api.address)


def test_result_description_without_id_is_given_one(api: Api) -> None:
    (found,) = made(api, result_descriptions=[{"name": "Grade", "result_type": "Percent"}])[
        "result_descriptions"
    ]
    assert found["id"].startswith("urn:uuid:")


def test_change_that_does_not_say_its_base_is_refused(api: Api) -> None:
    path = f"/v1/achievements/{made(api)['id']}"
    problem(put(api, path, None), 428, "precondition-required")


@pytest.mark.parametrize("match", ['"0"', '"2"', 'W/"1"', '"one"', '""', '"01x", "7"', '"99999999999999"'])
def test_change_based_on_another_version_is_refused(api: Api, match: str) -> None:
    path = f"/v1/achievements/{made(api)['id']}"
    problem(put(api, path, match), 412, "precondition-failed")
    assert api.public.get(path).json()["version"] == 1


@pytest.mark.parametrize("match", ["1", '"1', "", '"1";"2"', ", ".join(['"7"'] * 21)])
def test_if_match_of_another_form_is_refused(api: Api, match: str) -> None:
    problem(put(api, f"/v1/achievements/{made(api)['id']}", match), 422, "validation")


def test_change_replaces_the_whole_and_old_versions_stay(api: Api) -> None:
    first = made(api, tags=["metal"])
    path = f"/v1/achievements/{first['id']}"
    changed = put(api, path, '"7", "1"', name="Welding II")
    assert changed.status_code == 200, changed.text
    assert changed.headers["etag"] == '"2"'
    assert "tags" not in changed.json()
    assert put(api, path, "*", name="Welding III").json()["version"] == 3
    problem(put(api, path, '"2"'), 412, "precondition-failed")
    assert api.public.get(path).json()["name"] == "Welding III"
    assert api.public.get(f"{path}?version=1").json() == first
    assert api.public.get(f"{path}?version=2").headers["etag"] == '"2"'
    problem(api.public.get(f"{path}?version=4"), 404, "not-found")
    problem(api.public.get(f"{path}?version=0"), 422, "validation")


def test_another_issuers_achievement_cannot_be_changed(api: Api) -> None:
    path = f"/v1/achievements/{made(api)['id']}"
    _, stranger = api.register()
    problem(stranger.put(path, json=PLAIN, headers={"If-Match": "*"}), 404, "not-found")


def test_achievements_of_an_issuer_are_listed_page_by_page_in_their_newest_version(api: Api) -> None:
    address, issuer = api.register()
    ids = sorted(issuer.post("/v1/achievements", json=PLAIN).json()["id"] for _ in range(3))
    issuer.put(f"/v1/achievements/{ids[1]}", json=PLAIN, headers={"If-Match": "*"})
    seen: list[tuple[str, int]] = []
    url: str | None = f"/v1/achievements?issuer={address}&limit=2"
    while url:
        response = api.public.get(url)
        seen += [(one["id"], one["version"]) for one in response.json()["items"]]
        url = response.links.get("next", {}).get("url")
    assert seen == [(ids[0], 1), (ids[1], 2), (ids[2], 1)]
    assert len(api.public.get("/v1/achievements").json()["items"]) >= 3


def test_same_idempotency_key_makes_one_achievement(api: Api) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    first = api.issuer.post("/v1/achievements", json=PLAIN, headers=headers)
    again = api.issuer.post("/v1/achievements", json=PLAIN, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
