"""The OpenAPI text, and requests made from it: right ones and wrong ones, none of which may be a 5xx."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import httpx
import hypothesis
import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS as _ALL
from schemathesis.checks import load_all_checks

from api.app import create_app
from registry.bootstrap import App
from registry.credentials.carriers.images import default_badge
from registry.credentials.status.lists import Purpose, public_id
from registry.encoding import parse_address
from registry.model.webhooks import TEST_KIND
from registry.settings import Settings
from tests.api.conftest import Api, new_digest

load_all_checks()
CHECKS = [
    _ALL.get_one(name)
    for name in (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    )
]
EXAMPLES = {GenerationMode.POSITIVE: 8, GenerationMode.NEGATIVE: 8}


def _openapi() -> dict[str, Any]:
    """The text of a server that is not running: it depends on the routes alone."""
    parts = SimpleNamespace(
        version="0", jsonrpc=None, settings=Settings(), access=SimpleNamespace(authenticate=None)
    )
    return create_app(cast(App, parts)).openapi()


OPENAPI = _openapi()
SCHEMA = schemathesis.openapi.from_dict(OPENAPI)
OPERATIONS = {
    operation.label: operation for operation in (found.ok() for found in SCHEMA.get_all_operations())
}


ACHIEVEMENT = {"name": "Welding", "description": "Joins metal", "criteria": {"narrative": "Weld."}}

METHODS = [(path, method) for path, found in OPENAPI["paths"].items() for method in found]


@pytest.fixture(scope="module")
def fuzzed(api: Api) -> tuple[str, httpx.Client]:
    """An issuer whose keys may be added and ended at random: nothing else could be done with them later."""
    return api.register("Fuzzed College")


def _token(api: Api, issuer: httpx.Client, operation: Any) -> str:
    admin = operation.label in ("POST /v1/issuers", "GET /v1/audit/access")
    return str((api.admin if admin else issuer).headers["authorization"])


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(EXAMPLES), ids=lambda mode: str(mode.value))
@pytest.mark.parametrize("label", OPERATIONS)
def test_answer_is_as_the_text_says(
    api: Api, fuzzed: tuple[str, httpx.Client], label: str, mode: GenerationMode
) -> None:
    operation = OPERATIONS[label]
    address, issuer = fuzzed
    headers = {"Authorization": _token(api, issuer, operation)}

    @hypothesis.settings(
        max_examples=EXAMPLES[mode],
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def requests(case: schemathesis.Case) -> None:
        parameters = case.path_parameters
        if "/api-keys" in case.path or case.path.endswith(("/keys", "-keys", "/retirement")):
            parameters["address"] = address  # another issuer's are refused before anything is read
        response = case.call(base_url=api.url, headers=headers)
        case.validate_response(response, checks=CHECKS)

    try:
        requests()
    except hypothesis.errors.Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE  # an operation that takes nothing cannot be asked wrongly


def _bodies() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, media, content)
        for path, operations in OPENAPI["paths"].items()
        for operation in operations.values()
        for media, content in operation.get("requestBody", {}).get("content", {}).items()
    ]


@pytest.mark.parametrize(("path", "media", "content"), _bodies(), ids=lambda value: str(value)[:50])
def test_every_body_has_an_example_that_has_its_form(path: str, media: str, content: dict[str, Any]) -> None:
    jsonschema_rs.validate(content["schema"], content["example"])


@pytest.mark.parametrize(("path", "method"), METHODS)
def test_every_operation_says_what_it_does(path: str, method: str) -> None:
    operation = OPENAPI["paths"][path][method]
    assert operation["description"]
    assert operation["tags"]
    assert "4XX" in operation["responses"]
    open_to_all = ("/v1/verify", "/vc/credentials/", "/vc/presentations/")
    wants_key = method != "get" and not path.startswith(open_to_all)
    assert (operation.get("security") == [{"key": []}]) == wants_key


def test_every_path_of_the_api_is_in_the_text(api: Api) -> None:
    served = api.public.get("/openapi.json").json()
    assert served["paths"] == OPENAPI["paths"]
    assert len(served["paths"]) > 35


@pytest.fixture(scope="module")
def found(api: Api) -> dict[str, dict[str, Any]]:
    """Parameters of things that exist, by the path they are for."""
    digest, name = new_digest(), new_digest()
    batch = api.final_batch([{"digest": digest, "external_id": name, "valid_until": "2999-01-01T00:00:00Z"}])
    request = api.final_request(api.issuer.post("/v1/suspensions", json={"digests": [digest]}).json())
    withdrawn = api.final_batch([new_digest()])
    api.final_request(api.issuer.post(f"/v1/batches/{withdrawn['id']}/withdrawal", json={}).json())
    api.admin.post(f"/v1/issuers/{api.address}/api-keys", json={"label": "one more", "scopes": ["read"]})
    api.issuer.post(f"/v1/issuers/{api.address}/signing-keys", json={"kind": "Ed25519"})
    achievement = api.issuer.post("/v1/achievements", json=ACHIEVEMENT).json()
    award = {"recipient": {"email": "ada@college.example"}, "achievement_id": achievement["id"]}
    api.issuer.put(
        f"/v1/achievements/{achievement['id']}/image",
        content=default_badge("Welding").data,
        headers={"Content-Type": "image/png"},
    )
    awarded = api.issuer.post("/v1/awards", json={"awards": [award]}).json()
    api.issuer.post(f"/v1/awards/{awarded['awards'][0]['id']}/claim")
    webhook = api.issuer.post("/v1/webhooks", json={"url": "https://hooks.invalid/"}).json()
    with api.app.store.write() as unit:  # given up at once, so that nothing is sent
        unit.webhooks.add_deliveries([(webhook["id"], None, TEST_KIND)], api.app.clock.now())
        unit.webhooks.give_up(webhook["id"], "not sent")
    with api.app.store.read() as unit:
        (status_list,) = unit.status_lists.of_issuer(parse_address(api.address))
    return {
        "list_id": {"path": public_id(status_list.id, Purpose.REVOCATION)},
        "did": {"path": api.app.identity.did(parse_address(api.address))},
        "webhook_id": {"path": webhook["id"]},
        "achievement_id": {"path": achievement["id"]},
        "ending": {"path": "png"},
        "award_id": {"path": awarded["awards"][0]["id"]},
        "digest": {"path": digest},
        "batch_id": {"path": batch["id"]},
        "request_id": {"path": request["id"]},
        "address": {"path": api.address},
        "slug": {"path": "validation"},
        "external_id": {"query": name},
    }


@pytest.mark.parametrize("label", [label for label in OPERATIONS if label.startswith("GET ")])
def test_what_exists_is_shown_as_the_text_says(api: Api, found: dict[str, Any], label: str) -> None:
    operation = OPERATIONS[label]
    path = {
        name: given["path"] for name, given in found.items() if "path" in given and f"{{{name}}}" in label
    }
    query = {"external_id": found["external_id"]["query"]} if label == "GET /v1/credentials" else {}
    case = operation.Case(path_parameters=path, query=query)
    response = case.call(base_url=api.url, headers={"Authorization": _token(api, api.issuer, operation)})
    assert response.status_code == 200, response.text
    case.validate_response(response, checks=CHECKS)
    if response.headers["content-type"] == "application/json" and label != "GET /v1/issuers/{address}":
        assert json.loads(response.content).get("items", True)


def test_credential_verified_is_shown_as_the_text_says(api: Api, found: dict[str, Any]) -> None:
    operation = OPERATIONS["POST /v1/verify/bulk"]
    body = {"items": [{"digest": found["digest"]["path"]}, {}]}
    case = operation.Case(body=body, media_type="application/json")
    response = case.call(base_url=api.url)
    assert len(response.json()["results"]) == 2
    case.validate_response(response, checks=CHECKS)
