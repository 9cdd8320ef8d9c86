"""Batches over HTTP: what goes in, what is refused and where, what is never lost or doubled."""

from __future__ import annotations

import json
import threading
from typing import Any
from uuid import uuid4

import httpx

from tests.api.conftest import ON_BOTH, Api, new_digest

pytestmark = ON_BOTH


def _problem(response: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["type"] == f"/problems/{slug}"
    assert problem["request_id"] == response.headers["x-request-id"]
    return problem


def _pointers(problem: dict[str, Any]) -> list[str]:
    return [error["pointer"] for error in problem["errors"]]


def test_batch_becomes_final_and_each_digest_verifies(api: Api) -> None:
    digests = [new_digest() for _ in range(5)]
    batch = api.final_batch(digests)
    assert (batch["size"], batch["issuer"]) == (5, api.address)
    assert batch["anchor"]["confirmations"] >= 1
    assert batch["anchor"]["mode"] == "direct"
    for digest in digests:
        assert api.public.get(f"/v1/verify/{digest}").json()["outcome"] == "valid"


def test_index_is_the_position_in_the_request(api: Api) -> None:
    digests = [new_digest() for _ in range(3)]
    batch = api.final_batch(digests)
    proofs = api.issuer.get(f"/v1/batches/{batch['id']}/proofs").text.splitlines()
    assert [json.loads(line)["digest"] for line in proofs] == digests
    assert [json.loads(line)["index"] for line in proofs] == [0, 1, 2]


def test_batch_without_key_is_unauthorized(api: Api) -> None:
    _problem(api.public.post("/v1/batches", json={"digests": [new_digest()]}), 401, "unauthorized")


def test_admin_cannot_issue_for_anybody(api: Api) -> None:
    _problem(api.admin.post("/v1/batches", json={"digests": [new_digest()]}), 403, "forbidden")


def test_empty_batch_is_refused(api: Api) -> None:
    problem = _problem(api.issuer.post("/v1/batches", json={"digests": []}), 422, "validation")
    assert _pointers(problem) == ["/digests"]


def test_bad_digest_is_named_and_nothing_is_sealed(api: Api) -> None:
    good = new_digest()
    problem = _problem(api.issuer.post("/v1/batches", json={"digests": [good, "0x12", 7]}), 422, "validation")
    assert _pointers(problem) == ["/digests/1", "/digests/2"]
    assert api.public.get(f"/v1/verify/{good}").json()["outcome"] == "not_found"


def test_bad_line_is_named_and_nothing_is_sealed(api: Api) -> None:
    good = new_digest()
    lines = f'"{good}"\n\n{{"digest": "{new_digest()}", "valid_from": "yesterday"}}\n{{"a":1,"a":2}}\n'
    response = api.issuer.post("/v1/batches", content=lines, headers={"Content-Type": "application/x-ndjson"})
    problem = _problem(response, 422, "validation")
    assert [error["line"] for error in problem["errors"]] == [3, 4]
    assert api.public.get(f"/v1/verify/{good}").json()["outcome"] == "not_found"


def test_lines_of_all_forms_make_one_batch(api: Api) -> None:
    digest, dated = new_digest(), new_digest()
    credential = {"id": f"urn:uuid:{uuid4()}", "credentialSubject": {"skill": "welding"}}
    lines = "\n".join(
        [
            f'"{digest}"',
            json.dumps({"digest": dated, "external_id": dated, "valid_until": "2020-01-01T00:00:00Z"}),
            json.dumps({"credential": credential, "external_id": f"e-{digest}"}),
        ]
    )
    response = api.issuer.post(
        "/v1/batches",
        content=lines,
        headers={"Content-Type": "application/x-ndjson", "Prefer": "wait=60"},
    )
    assert response.json()["state"] == "final", response.text
    assert api.public.get(f"/v1/verify/{digest}").json()["outcome"] == "valid"
    assert api.public.get(f"/v1/verify/{dated}").json()["outcome"] == "expired"
    assert api.public.post("/v1/verify", json={"credential": credential}).json()["outcome"] == "valid"


def test_duplicates_within_a_batch_are_named_with_their_positions(api: Api) -> None:
    twice = new_digest()
    problem = _problem(
        api.issuer.post("/v1/batches", json={"digests": [twice, new_digest(), twice]}), 422, "validation"
    )
    assert "/digests/2" in _pointers(problem)


def test_digest_anchored_before_is_named_with_its_batch(api: Api) -> None:
    digest = new_digest()
    first = api.final_batch([digest])
    problem = _problem(
        api.issuer.post("/v1/batches", json={"digests": [new_digest(), digest]}), 409, "duplicate-digest"
    )
    assert _pointers(problem) == ["/digests/1"]
    assert first["id"] in problem["errors"][0]["detail"]
    assert api.final_batch([digest], allow_duplicate="true")["state"] == "final"


def test_revoked_digest_is_refused_even_with_allow_duplicate(api: Api) -> None:
    digest = new_digest()
    api.final_batch([digest])
    api.final_request(api.issuer.post("/v1/revocations", json={"digests": [digest]}).json())
    response = api.issuer.post("/v1/batches", json={"digests": [digest]}, params={"allow_duplicate": "true"})
    assert response.status_code == 409, response.text


def test_digests_by_rdfc_are_taken_as_they_are(api: Api) -> None:
    body = {"digests": [new_digest()], "digest_method": "rdfc-sha256"}
    batch = api.issuer.post("/v1/batches", json=body, headers={"Prefer": "wait=60"}).json()
    (proof,) = map(json.loads, api.issuer.get(f"/v1/batches/{batch['id']}/proofs").text.splitlines())
    assert proof["digestMethod"] == "rdfc-sha256"


def test_credential_with_guessable_id_is_refused(api: Api) -> None:
    body = {"credentials": [{"id": "urn:award:1", "credentialSubject": {}}]}
    problem = _problem(api.issuer.post("/v1/batches", json=body), 422, "validation")
    assert _pointers(problem) == ["/credentials/0/id"]


def test_same_idempotency_key_and_body_replays_the_answer(api: Api) -> None:
    body, headers = {"digests": [new_digest()]}, {"Idempotency-Key": str(uuid4())}
    first = api.issuer.post("/v1/batches", json=body, headers=headers)
    again = api.issuer.post("/v1/batches", json=body, headers=headers)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()


def test_same_idempotency_key_with_another_body_is_refused(api: Api) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    api.issuer.post("/v1/batches", json={"digests": [new_digest()]}, headers=headers)
    other = api.issuer.post("/v1/batches", json={"digests": [new_digest()]}, headers=headers)
    _problem(other, 422, "idempotency-mismatch")


def test_refused_request_leaves_its_idempotency_key_free(api: Api) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    _problem(api.issuer.post("/v1/batches", json={"digests": []}, headers=headers), 422, "validation")
    assert api.issuer.post("/v1/batches", json={"digests": []}, headers=headers).status_code == 422


def test_same_digests_posted_at_once_are_anchored_once(api: Api) -> None:
    digests = [new_digest() for _ in range(50)]
    statuses: list[int] = []

    def post() -> None:
        statuses.append(api.issuer.post("/v1/batches", json={"digests": digests}).status_code)

    threads = [threading.Thread(target=post) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [202, 409, 409, 409, 409, 409]
    assert len(api.public.get(f"/v1/credentials/{digests[0]}").json()["entries"]) == 1


def test_open_batch_collects_until_it_is_sealed(api: Api) -> None:
    first, second = new_digest(), new_digest()
    added = api.issuer.post("/v1/credentials", json={"digest": first, "external_id": f"x-{first}"})
    assert added.status_code == 202, added.text
    batch_id = added.json()["batch"]
    assert api.issuer.post("/v1/credentials", json={"digest": second}).json()["batch"] == batch_id
    _problem(api.public.get(f"/v1/credentials/{first}/proof"), 409, "not-sealed")
    assert api.public.get(f"/v1/verify/{first}").json()["outcome"] == "pending"
    sealed = api.issuer.post(f"/v1/batches/{batch_id}/seal", headers={"Prefer": "wait=60"})
    assert sealed.json()["state"] == "final", sealed.text
    assert api.public.get(f"/v1/verify/{second}").json()["outcome"] == "valid"
    again = api.issuer.post("/v1/credentials", json={"digest": first, "external_id": f"x-{first}"})
    assert (again.status_code, again.json()["batch"]) == (202, batch_id)
    other = api.issuer.post("/v1/credentials", json={"digest": new_digest(), "external_id": f"x-{first}"})
    _problem(other, 409, "external-id-conflict")


def test_proofs_of_a_batch_are_for_its_issuer_alone(api: Api) -> None:
    batch = api.final_batch([new_digest()])
    _, stranger = api.register()
    _problem(api.public.get(f"/v1/batches/{batch['id']}/proofs"), 401, "unauthorized")
    _problem(stranger.get(f"/v1/batches/{batch['id']}/proofs"), 403, "forbidden")


def test_unknown_batch_is_not_found(api: Api) -> None:
    _problem(api.public.get("/v1/batches/nope"), 404, "not-found")


def test_erased_credential_is_not_found_and_still_verifies_with_its_proof(api: Api) -> None:
    digest = new_digest()
    api.final_batch([digest, new_digest()])
    proof = api.public.get(f"/v1/credentials/{digest}/proof").json()
    assert api.issuer.delete(f"/v1/credentials/{digest}").status_code == 204
    assert api.public.get(f"/v1/verify/{digest}").json()["outcome"] == "not_found"
    _problem(api.public.get(f"/v1/credentials/{digest}"), 404, "not-found")
    shown = api.public.post("/v1/verify", json={"digest": digest, "proof": proof})
    assert shown.json()["outcome"] == "valid", shown.text


def test_batches_are_listed_page_by_page(api: Api) -> None:
    made = {api.final_batch([new_digest()])["id"] for _ in range(3)}
    seen: list[str] = []
    url: str | None = f"/v1/batches?issuer={api.address}&state=final&limit=2"
    while url:
        response = api.public.get(url)
        seen += [batch["id"] for batch in response.json()["items"]]
        url = response.links.get("next", {}).get("url")
    assert made <= set(seen)
    assert len(seen) == len(set(seen))
