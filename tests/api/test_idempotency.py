"""Idempotency-Key on every creating POST: one effect, whatever is repeated, and whenever a process ends in
between."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

import api.idempotency as idempotency
from tests.api.conftest import ON_BOTH, Api, new_digest
from tests.api.support import NDJSON, problem

pytestmark = ON_BOTH


def _once() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


def _creations(api: Api) -> dict[str, tuple[httpx.Client, str, Any]]:
    """Every creating POST, with a body that can be accepted once."""
    issued = new_digest(), new_digest(), new_digest()
    batch = api.final_batch(list(issued))
    return {
        "batch": (api.issuer, "/v1/batches", {"digests": [new_digest()]}),
        "credential": (api.issuer, "/v1/credentials", {"digest": new_digest(), "external_id": str(uuid4())}),
        "revocation": (api.issuer, "/v1/revocations", {"digests": [issued[0]]}),
        "suspension": (api.issuer, "/v1/suspensions", {"digests": [issued[1]]}),
        "withdrawal": (api.issuer, f"/v1/batches/{batch['id']}/withdrawal", {}),
        "api-key": (
            api.issuer,
            f"/v1/issuers/{api.address}/api-keys",
            {"label": str(uuid4()), "scopes": ["read"]},
        ),
        "issuer": (api.admin, "/v1/issuers", {"name": str(uuid4()), "url": "https://x.example"}),
    }


KINDS = ("batch", "credential", "revocation", "suspension", "withdrawal", "api-key", "issuer")


def _identity(answer: dict[str, Any]) -> Any:
    return answer.get("id") or answer.get("address") or (answer["batch"], answer["index"])


def _count(api: Api, kind: str) -> int:
    """How many there are of what a kind of request makes."""
    with api.app.store.read() as unit:
        if kind == "issuer":
            return len(unit.issuers.page(None, 500))
        if kind == "api-key":
            return len(unit.access.keys_of(bytes.fromhex(api.address[2:])))  # type: ignore[arg-type]
    return 0


@pytest.mark.parametrize("kind", KINDS)
def test_repeated_request_gets_the_same_resource(api: Api, kind: str) -> None:
    client, path, body = _creations(api)[kind]
    headers = _once()
    first = client.post(path, json=body, headers=headers)
    before = _count(api, kind)
    again = client.post(path, json=body, headers=headers)
    assert first.is_success, first.text
    assert again.status_code == first.status_code, again.text
    assert _identity(again.json()) == _identity(first.json())
    assert _count(api, kind) == before
    if "location" in first.headers and kind not in ("issuer",):
        assert again.headers.get("location") == first.headers["location"]
    problem(client.post(path, json={**body, "x": 1}, headers=headers), 422, _mismatch_or_validation(kind))


def _mismatch_or_validation(kind: str) -> str:
    """A batch's body is read where the work is done, the others' before."""
    return "idempotency-mismatch" if kind == "batch" else "validation"


@pytest.mark.parametrize("kind", KINDS)
def test_crash_between_effect_and_answer_does_nothing_twice(
    api: Api, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, path, body = _creations(api)[kind]
    headers = _once()

    def crash(*_: Any) -> None:
        raise RuntimeError("the process ended here")

    with monkeypatch.context() as broken:
        broken.setattr(idempotency, "_finish", crash)
        lost = client.post(path, json=body, headers=headers)
    before = _count(api, kind)
    if kind in ("credential", "api-key", "issuer"):
        assert lost.is_success  # kept nowhere: there is nothing to store after the effect
    else:
        problem(lost, 500, "internal")
    first = client.post(path, json=body, headers=headers)
    second = client.post(path, json=body, headers=headers)
    assert first.is_success, first.text
    assert _identity(first.json()) == _identity(second.json())
    assert _count(api, kind) == before
    if kind in ("batch", "credential"):
        digest = body.get("digest") or body["digests"][0]
        assert len(api.public.get(f"/v1/credentials/{digest}").json()["entries"]) == 1


@pytest.mark.parametrize("kind", ["api-key", "issuer"])
def test_secret_is_shown_in_the_first_answer_alone(api: Api, kind: str) -> None:
    client, path, body = _creations(api)[kind]
    headers = _once()
    first = client.post(path, json=body, headers=headers).json()
    again = client.post(path, json=body, headers=headers)
    assert again.status_code == 201
    assert first["api_key"].startswith("rmk_")
    assert "api_key" not in again.json()
    assert first["api_key"] not in again.text


def test_second_request_while_the_first_runs_is_in_flight(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    started, go_on = threading.Event(), threading.Event()
    create: Callable[..., Any] = api.app.issuing.create_batch

    def slow(*arguments: Any, **options: Any) -> Any:
        started.set()
        assert go_on.wait(30)
        return create(*arguments, **options)

    monkeypatch.setattr(api.app.issuing, "create_batch", slow)
    body, headers = {"digests": [new_digest()]}, _once()
    answers: list[httpx.Response] = []
    thread = threading.Thread(
        target=lambda: answers.append(api.issuer.post("/v1/batches", json=body, headers=headers))
    )
    thread.start()
    try:
        assert started.wait(30)
        problem(api.issuer.post("/v1/batches", json=body, headers=headers), 409, "idempotency-in-flight")
        other = {"digests": [new_digest()]}
        problem(api.issuer.post("/v1/batches", json=other, headers=headers), 422, "idempotency-mismatch")
    finally:
        go_on.set()
        thread.join()
    assert answers[0].status_code == 202
    again = api.issuer.post("/v1/batches", json=body, headers=headers)
    assert again.json()["id"] == answers[0].json()["id"]


def test_many_at_once_with_one_key_make_one_batch(api: Api) -> None:
    body, headers = {"digests": [new_digest() for _ in range(20)]}, _once()
    answers: list[httpx.Response] = []
    threads = [
        threading.Thread(
            target=lambda: answers.append(api.issuer.post("/v1/batches", json=body, headers=headers))
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 202}) == 1
    refused = [answer for answer in answers if answer.status_code == 409]
    assert all(answer.json()["type"] == "/problems/idempotency-in-flight" for answer in refused)


def test_stream_is_compared_by_its_bytes(api: Api) -> None:
    first, headers = f'"{new_digest()}"\n', _once() | NDJSON
    made = api.issuer.post("/v1/batches", content=first, headers=headers)
    again = api.issuer.post("/v1/batches", content=first, headers=headers)
    assert again.json()["id"] == made.json()["id"]
    problem(
        api.issuer.post("/v1/batches", content=first + "\n", headers=headers), 422, "idempotency-mismatch"
    )


def test_key_counts_for_its_address_and_query_too(api: Api) -> None:
    body, headers = {"digests": [new_digest()]}, _once()
    assert api.issuer.post("/v1/batches", json=body, headers=headers).status_code == 202
    other = api.issuer.post("/v1/batches?allow_duplicate=true", json=body, headers=headers)
    problem(other, 422, "idempotency-mismatch")
    problem(api.issuer.post("/v1/revocations", json=body, headers=headers), 422, "idempotency-mismatch")


def test_key_of_one_issuer_says_nothing_of_anothers(api: Api) -> None:
    body, headers = {"digests": [new_digest()]}, _once()
    first = api.issuer.post("/v1/batches", json=body, headers=headers)
    other = api.register("Another key owner")[1].post("/v1/batches", json=body, headers=headers)
    assert other.status_code == 202
    assert other.json()["id"] != first.json()["id"]


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "\xe9"])
def test_key_of_wrong_form_is_refused(api: Api, key: str) -> None:
    response = api.issuer.post(
        "/v1/batches",
        json={"digests": [new_digest()]},
        headers={"Idempotency-Key": key.encode("latin-1")},
    )
    assert problem(response, 422, "validation")["errors"][0]["pointer"] == "/Idempotency-Key"


# --- Prefer: wait -------------------------------------------------------------------------------------------


def test_answer_is_202_at_once_without_a_wish_to_wait(api: Api) -> None:
    response = api.issuer.post("/v1/batches", json={"digests": [new_digest()]})
    assert response.status_code == 202
    assert response.headers["location"] == f"/v1/batches/{response.json()['id']}"
    assert response.json()["state"] in ("sealed", "submitted", "mined", "final")


def test_answer_is_200_with_the_finished_batch_when_it_was_waited_for(api: Api) -> None:
    headers = {"Prefer": "respond-async, wait=60"}
    response = api.issuer.post("/v1/batches", json={"digests": [new_digest()]}, headers=headers)
    assert (response.status_code, response.json()["state"]) == (200, "final")


@pytest.mark.parametrize("prefer", ["wait=0", "wait=-1", "wait=x", "wait=99999", "return=minimal", "\xff"])
def test_wish_that_is_none_does_not_wait(api: Api, prefer: str) -> None:
    headers = {"Prefer": prefer.encode("latin-1")}
    response = api.issuer.post("/v1/batches", json={"digests": [new_digest()]}, headers=headers)
    assert response.status_code == 202


@pytest.mark.parametrize("kind", ["revocation", "suspension", "withdrawal", "credential"])
def test_answer_is_200_once_any_request_is_finished_that_was_waited_for(api: Api, kind: str) -> None:
    client, path, body = _creations(api)[kind]
    if kind == "credential":
        open_batch = client.post(path, json={"digest": new_digest()}).json()["batch"]
        client.post(f"/v1/batches/{open_batch}/seal")
    headers = {"Prefer": "wait=60"} if kind != "credential" else {}
    response = client.post(path, json=body, headers=headers)
    if kind == "credential":
        assert client.post(f"/v1/batches/{response.json()['batch']}/seal").status_code == 202
        response = client.post(path, json=body, headers={"Prefer": "wait=60"})
    assert (response.status_code, response.json()["state"]) == (200, "final")


@pytest.mark.parametrize("kind", ["batch", "credential", "revocation", "suspension", "withdrawal", "issuer"])
def test_repetition_says_where_to_look_like_the_first_answer(api: Api, kind: str) -> None:
    client, path, body = _creations(api)[kind]
    headers = _once()
    first, again = (client.post(path, json=body, headers=headers) for _ in range(2))
    assert first.headers["location"] == again.headers["location"]
