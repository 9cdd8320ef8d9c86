"""Verification, status changes and audit over HTTP, from the state of the chain to the words of the
report."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.api.conftest import Api, new_digest
from tests.api.support import pointers, problem


def _check(report: dict[str, Any], name: str) -> str:
    return next(check["result"] for check in report["checks"] if check["name"] == name)


def _verify(api: Api, **body: Any) -> dict[str, Any]:
    response = api.public.post("/v1/verify", json=body)
    assert response.status_code == 200, response.text
    report: dict[str, Any] = response.json()
    return report


def _change(api: Api, path: str, digest: str, **more: Any) -> dict[str, Any]:
    response = api.issuer.post(path, json={"digests": [digest], **more})
    assert response.status_code == 202, response.text
    return api.final_request(response.json())


def test_unknown_digest_is_a_finished_verification(api: Api) -> None:
    report = _verify(api, digest=new_digest())
    assert report["outcome"] == "not_found"
    assert report["as_of"]["test_chain"] is True


def test_report_has_every_member_of_the_public_shape(api: Api) -> None:
    digest = new_digest()
    api.final_batch([digest])
    report = api.public.get(f"/v1/verify/{digest}").json()
    assert set(report) == {
        "outcome",
        "summary",
        "digest",
        "issuer",
        "checks",
        "anchor",
        "status",
        "as_of",
        "candidates",
        "later",
    }
    assert [check["name"] for check in report["checks"]] == [
        "format",
        "integrity",
        "signature",
        "inclusion",
        "anchor",
        "issuer",
        "status",
        "validity",
    ]
    assert report["anchor"]["final"] is True


def test_revocation_shows_time_reason_and_actor(api: Api) -> None:
    digest = new_digest()
    api.final_batch([digest])
    _change(api, "/v1/revocations", digest, reason="misconduct", note="private")
    report = _verify(api, digest=digest)
    assert (report["outcome"], report["status"]["state"]) == ("revoked", "revoked")
    assert report["status"]["reason"] == "misconduct"
    assert report["status"]["actor"]
    assert "misconduct" in report["summary"]
    assert "private" not in str(report)


def test_suspended_credential_is_valid_again_after_reinstatement(api: Api) -> None:
    digest = new_digest()
    api.final_batch([digest])
    _change(api, "/v1/suspensions", digest)
    report = _verify(api, digest=digest)
    assert (report["outcome"], report["status"]["reason"]) == ("suspended", "administrative_hold")
    _change(api, "/v1/reinstatements", digest)
    assert _verify(api, digest=digest)["outcome"] == "valid"


def test_revocation_is_annulled_by_scope_admin_alone(api: Api) -> None:
    digest = new_digest()
    api.final_batch([digest])
    _change(api, "/v1/revocations", digest)
    made = api.issuer.post(
        f"/v1/issuers/{api.address}/api-keys", json={"label": "registrar", "scopes": ["status", "batch"]}
    )
    registrar = api.client(made.json()["api_key"])
    assert registrar.post("/v1/annulments", json={"digests": [digest]}).status_code == 403
    _change(api, "/v1/annulments", digest)
    assert _verify(api, digest=digest)["outcome"] == "valid"


def test_withdrawn_batch_withdraws_its_credentials_until_annulled(api: Api) -> None:
    digest = new_digest()
    batch = api.final_batch([digest, new_digest()])
    made = api.issuer.post(f"/v1/batches/{batch['id']}/withdrawal", json={"reason": "issued_in_error"})
    assert made.status_code == 202, made.text
    api.final_request(made.json())
    assert _verify(api, digest=digest)["outcome"] == "withdrawn"
    shown = api.public.get(f"/v1/batches/{batch['id']}").json()
    assert shown["withdrawn"]["reason"] == "issued_in_error"
    made = api.issuer.post(f"/v1/batches/{batch['id']}/withdrawal-annulment", json={})
    api.final_request(made.json())
    assert _verify(api, digest=digest)["outcome"] == "valid"
    assert api.public.get(f"/v1/batches/{batch['id']}").json()["withdrawn"] is None


def test_unknown_digest_makes_the_whole_change_fail_with_its_pointer(api: Api) -> None:
    digest = new_digest()
    api.final_batch([digest])
    response = api.issuer.post("/v1/revocations", json={"digests": [digest, new_digest()]})
    assert response.status_code == 422, response.text
    assert response.json()["errors"][0]["pointer"] == "/digests/1"
    assert _verify(api, digest=digest)["outcome"] == "valid"


def test_what_is_already_revoked_is_skipped(api: Api) -> None:
    first, second = new_digest(), new_digest()
    api.final_batch([first, second])
    _change(api, "/v1/revocations", first)
    response = api.issuer.post("/v1/revocations", json={"digests": [first, second]})
    made = api.final_request(response.json())
    assert made["skipped"] == [first]
    assert _verify(api, digest=second)["outcome"] == "revoked"


def test_another_issuers_digest_cannot_be_revoked(api: Api) -> None:
    digest = new_digest()
    api.final_batch([digest])
    _, stranger = api.register("Stranger")
    assert stranger.post("/v1/revocations", json={"digests": [digest]}).status_code == 422
    assert _verify(api, digest=digest)["outcome"] == "valid"


def test_retired_key_voids_what_it_anchored_later(api: Api) -> None:
    address, client = api.register("Compromised College")
    digest = new_digest()
    response = client.post("/v1/batches", json={"digests": [digest]}, headers={"Prefer": "wait=60"})
    anchor = response.json()["anchor"]
    assert _verify(api, digest=digest)["outcome"] == "valid"
    (key,) = [
        k for k in api.public.get(f"/v1/issuers/{address}/keys").json()["items"] if "anchor" in k["roles"]
    ]
    before = datetime.fromisoformat(anchor["anchored_at"]) - timedelta(seconds=1)
    made = client.post(
        f"/v1/issuers/{address}/keys/{key['key']}/retirement",
        json={"valid_until": before.isoformat(), "reason": "key_compromise"},
    )
    assert made.status_code == 202, made.text
    api.final_request(made.json(), client)
    report = _verify(api, digest=digest)
    assert (report["outcome"], _check(report, "issuer")) == ("withdrawn", "fail")
    history = api.public.get(f"/v1/audit/issuers/{address}").json()
    assert [voided["root"] for voided in history["voided"]] == [response.json()["root"]]
    kinds = [d["kind"] for d in api.public.get("/v1/audit/consistency").json()["differences"]]
    assert "anchor_voided" in kinds


def test_tampered_document_with_the_true_proof_is_invalid(api: Api) -> None:
    credential: dict[str, Any] = {"id": f"urn:uuid:{uuid4()}", "credentialSubject": {"grade": 61}}
    response = api.issuer.post(
        "/v1/batches", json={"credentials": [credential]}, headers={"Prefer": "wait=60"}
    )
    assert response.json()["state"] == "final"
    digest = _verify(api, credential=credential)["digest"]
    proof = api.public.get(f"/v1/credentials/{digest}/proof").json()
    assert _verify(api, credential=credential, proof=proof)["outcome"] == "valid"
    credential["credentialSubject"]["grade"] = 99
    report = _verify(api, credential=credential, proof=proof)
    assert (report["outcome"], _check(report, "integrity")) == ("invalid", "fail")
    assert _verify(api, credential=credential)["outcome"] == "not_found"


def test_document_against_an_opaque_leaf_is_indeterminate(api: Api) -> None:
    credential = {"id": f"urn:uuid:{uuid4()}", "credentialSubject": {"grade": 61}}
    digest = _verify(api, credential=credential)["digest"]
    api.final_batch([digest])
    assert _verify(api, credential=credential)["outcome"] == "indeterminate"


def test_proof_with_a_changed_path_is_invalid_and_of_wrong_form_is_422(api: Api) -> None:
    digests = [new_digest() for _ in range(4)]
    api.final_batch(digests)
    proof = api.public.get(f"/v1/credentials/{digests[2]}/proof").json()
    assert _verify(api, digest=digests[2], proof=proof)["outcome"] == "valid"
    moved = {**proof, "path": proof["path"][::-1]}
    report = _verify(api, digest=digests[2], proof=moved)
    assert (report["outcome"], _check(report, "inclusion")) == ("invalid", "fail")
    short = {**proof, "path": [{"right": "0x12"}]}
    response = api.public.post("/v1/verify", json={"digest": digests[2], "proof": short})
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/proof/path/0/right"


def test_two_issuers_with_unlike_states_and_none_named_is_indeterminate(api: Api) -> None:
    digest = new_digest()
    api.final_batch([digest])
    address, other = api.register("Second Issuer")
    other.post("/v1/batches", json={"digests": [digest]}, headers={"Prefer": "wait=60"})
    assert _verify(api, digest=digest)["outcome"] == "valid"
    _change(api, "/v1/revocations", digest)
    report = _verify(api, digest=digest)
    assert report["outcome"] == "indeterminate"
    assert len(report["candidates"]) == 2
    assert _verify(api, digest=digest, issuer=address)["outcome"] == "valid"
    assert _verify(api, digest=digest, issuer=api.address)["outcome"] == "revoked"


def test_as_of_shows_what_the_chain_said_then_and_what_came_later(api: Api) -> None:
    digest = new_digest()
    batch = api.final_batch([digest])
    _change(api, "/v1/revocations", digest, reason="superseded")
    block = batch["anchor"]["block_number"]
    then = _verify(api, digest=digest, as_of=block)
    assert then["outcome"] == "valid"
    assert then["as_of"]["block_number"] == block
    assert then["later"]
    assert _verify(api, digest=digest, as_of=block - 1)["outcome"] in ("not_found", "pending")
    at = _verify(api, digest=digest, as_of=batch["anchor"]["anchored_at"])
    assert at["outcome"] == "valid"


@pytest.mark.parametrize("as_of", [10**9, "9999-01-01T00:00:00Z"])
def test_as_of_in_the_future_is_refused(api: Api, as_of: int | str) -> None:
    response = api.public.post("/v1/verify", json={"digest": new_digest(), "as_of": as_of})
    assert response.status_code == 422, response.text


def test_live_reads_the_chain_and_agrees(api: Api) -> None:
    digest = new_digest()
    api.final_batch([digest])
    report = _verify(api, digest=digest, live=True)
    assert (report["outcome"], report["as_of"]["source"]) == ("valid", "rpc")


def test_bulk_reports_each_item_and_a_bad_one_fails_only_itself(api: Api) -> None:
    digest = new_digest()
    api.final_batch([digest])
    items = [{"digest": digest}, {"digest": "0x12"}, {}, {"digest": new_digest()}]
    results = api.public.post("/v1/verify/bulk", json={"items": items}).json()["results"]
    assert [result["index"] for result in results] == [0, 1, 2, 3]
    assert results[0]["report"]["outcome"] == "valid"
    assert results[1]["problem"]["status"] == 422
    assert results[2]["problem"]["status"] == 422
    assert results[3]["report"]["outcome"] == "not_found"


@pytest.mark.parametrize("as_of", [1.0, 1.5, -1, True, "soon", "", [], {}, "9" * 40])
def test_as_of_of_another_form_is_named_once(api: Api, as_of: Any) -> None:
    response = api.public.post("/v1/verify", json={"digest": new_digest(), "as_of": as_of})
    found = problem(response, 422, "validation")
    assert pointers(found) == ["/as_of"]


@pytest.mark.parametrize("item", [5, "0x12", None, True, [], [{}]])
def test_item_that_is_no_object_is_told_so_in_plain_words(api: Api, item: Any) -> None:
    response = api.public.post("/v1/verify/bulk", json={"items": [item, {"digest": new_digest()}]})
    first, second = response.json()["results"]
    (error,) = first["problem"]["errors"]
    assert error == {"pointer": "", "code": "type", "detail": "an object is expected"}
    assert "report" in second


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        ({"credential": 5}, "/credential", "an object is expected, or a string is expected"),
        ({"digest": "0x" + "5a" * 32, "live": "yes"}, "/live", "true or false is expected"),
        ({"digest": "0x" + "5a" * 32, "colour": "blue"}, "/colour", "there is no such member here"),
    ],
)
def test_wrong_member_is_told_in_plain_words(api: Api, body: Any, pointer: str, detail: str) -> None:
    found = problem(api.public.post("/v1/verify", json=body), 422, "validation")
    assert [(error["pointer"], error["detail"]) for error in found["errors"]] == [(pointer, detail)]


def test_revocations_are_listed_as_json_and_csv(api: Api) -> None:
    address, client = api.register("Lister")
    digests = [new_digest() for _ in range(5)]
    client.post("/v1/batches", json={"digests": digests}, headers={"Prefer": "wait=60"})
    made = client.post(
        "/v1/revocations", json={"digests": digests[:3], "reason": "superseded", "note": "=1+1"}
    )
    api.final_request(made.json(), client)
    seen: list[dict[str, Any]] = []
    url: str | None = f"/v1/revocations?issuer={address}&limit=2"
    while url:
        page = client.get(url)
        seen += page.json()["items"]
        url = page.links.get("next", {}).get("url")
    assert [item["digest"] for item in seen] == digests[:3]
    assert {item["reason"] for item in seen} == {"superseded"}
    assert all(item["requested_by"] for item in seen)
    public = api.public.get(f"/v1/revocations?issuer={address}").json()["items"]
    assert {item["requested_by"] for item in public} == {None}
    table = api.public.get(f"/v1/revocations?issuer={address}", headers={"Accept": "text/csv"})
    assert table.headers["content-type"].startswith("text/csv")
    assert table.headers["x-row-count"] == "3"
    assert len(table.text.splitlines()) == 4
    none = api.public.get(f"/v1/revocations?issuer={address}&reason=misconduct").json()["items"]
    assert none == []


def test_history_leads_to_the_head_on_chain(api: Api) -> None:
    api.final_batch([new_digest()])
    history = api.public.get(f"/v1/audit/issuers/{api.address}").json()
    assert history["head"]["match"] is True
    assert history["head"]["replayed"] == history["head"]["on_chain"]
    assert history["totals"]["batches"] == sum(e["kind"] == "BatchAnchored" for e in history["events"])


def test_feed_tells_an_issuer_what_became_final(api: Api) -> None:
    address, client = api.register("Fed")
    digest = new_digest()
    client.post("/v1/batches", json={"digests": [digest]}, headers={"Prefer": "wait=60"})
    made = client.post("/v1/revocations", json={"digests": [digest]})
    api.final_request(made.json(), client)
    kinds: list[str] = []
    while "credential.revoked" not in kinds:
        kinds = [item["kind"] for item in client.get("/v1/events").json()["items"]]
    assert {"batch.sealed", "batch.final", "credential.revoked"} <= set(kinds)
    assert {item["issuer"] for item in client.get("/v1/events").json()["items"]} == {address}
