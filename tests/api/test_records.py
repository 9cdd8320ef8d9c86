"""Endorsements and learners' records over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.api.conftest import Api
from tests.api.support import pointers, problem
from tests.unit.credentials.awards.samples import PLAIN

ENDORSEMENT = {"subject": "https://college.example", "comment": "Their courses are good."}


@pytest.mark.parametrize("path", ["/v1/endorsements", "/v1/clr"])
def test_strangers_sign_nothing(api: Api, path: str) -> None:
    body = ENDORSEMENT if path == "/v1/endorsements" else {"recipient": {"email": "ada@college.example"}}
    problem(api.public.post(path, json=body), 401, "unauthorized")
    problem(api.admin.post(path, json=body), 403, "forbidden")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"subject": "not an iri"}, "/subject"),
        ({"subject": None}, "/subject"),
        ({"comment": ""}, "/comment"),
        ({"name": " "}, "/name"),
        ({"issued_on": "yesterday"}, "/issued_on"),
        ({"issued_on": "2026-11-23", "expires_on": "2026-11-23"}, "/expires_on"),
        ({"stars": 5}, "/stars"),
    ],
)
def test_wrong_member_of_an_endorsement_is_named(api: Api, change: dict[str, Any], pointer: str) -> None:
    response = api.issuer.post("/v1/endorsements", json=ENDORSEMENT | change)
    assert pointers(problem(response, 422, "validation")) == [pointer]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/recipient"),
        ({"recipient": {}}, "/recipient"),
        ({"recipient": {"email": "a@b.example", "did": "did:web:x"}}, "/recipient"),
        ({"recipient": {"email": "ada"}}, "/recipient/email"),
        ({"recipient": {"email": "a@b.example"}, "identity": "secret"}, "/identity"),
    ],
)
def test_wrong_member_of_a_record_is_named(api: Api, body: dict[str, Any], pointer: str) -> None:
    response = api.issuer.post("/v1/clr", json=body)
    assert pointers(problem(response, 422, "validation")) == [pointer]


def test_record_needs_credentials_and_then_the_context_of_clr(api: Api) -> None:
    email = f"{uuid4()}@college.example"
    body = {"recipient": {"email": email}}
    problem(api.issuer.post("/v1/clr", json=body), 404, "not-found")
    achievement = api.issuer.post("/v1/achievements", json=PLAIN).json()["id"]
    award = {"recipient": {"email": email}, "achievement_id": achievement}
    made = api.issuer.post("/v1/awards", json={"awards": [award]}, headers={"Prefer": "wait=60"})
    assert made.json()["batch"]["state"] == "final"
    found = problem(api.issuer.post("/v1/clr", json=body), 409, "wrong-state")
    assert "CONTEXT_DIR" in found["detail"]


def test_endorsement_is_anchored_with_the_open_batch_and_verifies(api: Api) -> None:
    response = api.issuer.post("/v1/endorsements", json=ENDORSEMENT)
    assert response.status_code == 202, response.text
    made = response.json()
    assert response.headers["location"] == f"/v1/batches/{made['batch']}"
    assert made["credential"]["type"] == ["VerifiableCredential", "EndorsementCredential"]
    body = {"credential": made["credential"]}
    assert api.public.post("/v1/verify", json=body).json()["outcome"] == "pending"
    sealed = api.issuer.post(f"/v1/batches/{made['batch']}/seal", headers={"Prefer": "wait=60"})
    assert sealed.json()["state"] == "final", sealed.text
    report = api.public.post("/v1/verify", json=body).json()
    assert (report["outcome"], report["digest"]) == ("valid", made["digest"])


def test_same_idempotency_key_endorses_once_and_an_erased_one_is_not_told_again(api: Api) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    first, again = (api.issuer.post("/v1/endorsements", json=ENDORSEMENT, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202), again.text
    assert first.json() == again.json()
    assert api.issuer.delete(f"/v1/credentials/{first.json()['digest']}").status_code == 204
    problem(api.issuer.post("/v1/endorsements", json=ENDORSEMENT, headers=headers), 409, "wrong-state")
