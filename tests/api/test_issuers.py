"""Issuers: hosted ones, and those whose admin key is elsewhere and signs what the server relays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from eth_account import Account

from registry.services.issuing import IssuingService
from registry.services.policy import Policy
from registry.services.status import StatusService
from tests.api.conftest import Api, new_digest
from tests.api.support import FrontEnd, pointers, problem

COLLEGE = {"name": "Distant College", "url": "https://distant.example"}


def _hex(value: Any) -> str:
    return "0x" + bytes(value).hex()


def _added(client: httpx.Client, address: str, account: Any, made: dict[str, Any]) -> httpx.Response:
    """The admin signs what the registration shows, and the server relays it."""
    signed = account.sign_typed_data(full_message=made["typed_data"])
    body = {
        "key": made["key"],
        "roles": ["anchor", "suspend", "revoke"],
        "signature": _hex(signed.signature),
        "deadline": made["deadline"],
    }
    return client.post(f"/v1/issuers/{address}/keys", json=body)


@pytest.fixture(scope="module")
def distant(api: Api) -> dict[str, Any]:
    """An issuer with an admin of its own, active, with the batch that was taken before it was."""
    account = Account.create()
    made = api.admin.post("/v1/issuers", json={**COLLEGE, "admin": account.address}).json()
    client = api.client(made["api_key"])
    digest = new_digest()
    early = client.post("/v1/batches", json={"digests": [digest]})
    assert early.status_code == 202, early.text
    waiting = api.public.get(f"/v1/issuers/{account.address}").json()["state"]
    request = _added(client, account.address, account, made)
    assert request.status_code == 202, request.text
    api.final_request(request.json(), client)
    return {
        "account": account,
        "made": made,
        "client": client,
        "early": early.json(),
        "digest": digest,
        "waiting": waiting,
    }


def test_registration_of_a_hosted_issuer_shows_its_key_once(api: Api) -> None:
    response = api.admin.post("/v1/issuers", json={"name": "Hosted", "url": "https://hosted.example"})
    made = response.json()
    assert response.status_code == 201
    assert response.headers["location"] == f"/v1/issuers/{made['address']}"
    assert made["state"] in ("registering", "active")
    assert made["api_key"].startswith("rmk_")
    shown = api.public.get(f"/v1/issuers/{made['address']}").json()
    assert "api_key" not in shown
    assert (shown["name"], shown["url"]) == ("Hosted", "https://hosted.example")
    client = api.client(made["api_key"])
    batch = client.post("/v1/batches", json={"digests": [new_digest()]}, headers={"Prefer": "wait=60"}).json()
    assert batch["state"] == "final"
    assert api.public.get(f"/v1/issuers/{made['address']}").json()["state"] == "active"
    (key,) = api.public.get(f"/v1/issuers/{made['address']}/keys").json()["items"]
    assert (key["roles"], key["held_here"], key["valid_until"]) == (
        ["anchor", "suspend", "revoke"],
        True,
        None,
    )


def test_unknown_issuer_is_not_found(api: Api) -> None:
    problem(api.public.get("/v1/issuers/0x" + "12" * 20), 404, "not-found")


def test_issuer_with_an_own_admin_gets_the_typed_data_to_sign(distant: dict[str, Any]) -> None:
    made = distant["made"]
    assert (made["state"], distant["waiting"]) == ("awaiting_admin", "awaiting_admin")
    assert made["address"] == distant["account"].address
    assert made["typed_data"]["primaryType"] == "AddKey"
    assert made["typed_data"]["message"]["key"].lower() == made["key"].lower()


def test_issuer_is_active_once_its_admins_signature_is_relayed(api: Api, distant: dict[str, Any]) -> None:
    assert api.public.get(f"/v1/issuers/{distant['made']['address']}").json()["state"] == "active"


def test_batch_taken_before_the_admin_signed_is_anchored_afterwards(
    api: Api, distant: dict[str, Any]
) -> None:
    state = distant["early"]["state"]
    while state not in ("final", "failed"):
        state = api.public.get(f"/v1/batches/{distant['early']['id']}").json()["state"]
    assert state == "final"
    assert api.public.get(f"/v1/verify/{distant['digest']}").json()["outcome"] == "valid"


def _signatures(distant: dict[str, Any], shown: dict[str, Any]) -> dict[str, Any]:
    account = distant["account"]
    assert shown["signer"] == account.address
    signed = [account.sign_typed_data(full_message=one).signature for one in shown["to_sign"]]
    return {"signatures": [_hex(signature) for signature in signed], "deadline": shown["deadline"]}


def test_what_only_the_own_admin_can_do_is_shown_to_be_signed_and_then_relayed(
    api: Api, distant: dict[str, Any]
) -> None:
    client = distant["client"]
    wait = {"Prefer": "wait=60"}
    digest = new_digest()
    assert client.post("/v1/batches", json={"digests": [digest]}, headers=wait).json()["state"] == "final"
    assert client.post("/v1/revocations", json={"digests": [digest]}, headers=wait).status_code == 200
    body = {"digests": [digest], "reason": "issued_in_error"}
    shown = client.post("/v1/annulments", json=body)
    assert shown.status_code == 200
    assert [one["primaryType"] for one in shown.json()["to_sign"]] == ["Annul"]
    assert api.public.get(f"/v1/verify/{digest}").json()["outcome"] == "revoked"
    made = client.post("/v1/annulments", json={**body, **_signatures(distant, shown.json())}, headers=wait)
    assert (made.status_code, made.json()["state"]) == (200, "final")
    assert api.public.get(f"/v1/verify/{digest}").json()["outcome"] == "valid"


def test_withdrawal_without_a_key_that_may_is_refused(distant: dict[str, Any]) -> None:
    client = distant["client"]
    problem(client.post(f"/v1/batches/{distant['early']['id']}/withdrawal", json={}), 409, "wrong-state")


def test_new_operating_key_of_an_own_admin_is_signed_for_and_takes_over(
    api: Api, distant: dict[str, Any]
) -> None:
    address, client = distant["made"]["address"], distant["client"]
    body: dict[str, Any] = {"roles": ["anchor", "suspend", "revoke"]}
    shown = client.post(f"/v1/issuers/{address}/keys", json=body).json()
    assert shown["to_sign"][0]["message"]["key"].lower() == shown["key"].lower()
    answer = _signatures(distant, shown)
    body |= {"key": shown["key"], "signature": answer["signatures"][0], "deadline": answer["deadline"]}
    made = client.post(f"/v1/issuers/{address}/keys", json=body, headers={"Prefer": "wait=60"})
    assert (made.status_code, made.json()["state"]) == (200, "final")
    assert api.public.get(f"/v1/issuers/{address}").json()["key"] == shown["key"]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"signatures": ["0x" + "11" * 65]}, "/deadline"),
        ({"deadline": 2**40}, "/signatures"),
        ({"signatures": [], "deadline": 1}, "/signatures"),
        ({"signatures": ["0x" + "11" * 64], "deadline": 1}, "/signatures/0"),
    ],
)
def test_signatures_of_wrong_form_are_refused(
    distant: dict[str, Any], change: dict[str, Any], place: str
) -> None:
    body = {"digests": [distant["digest"]], **change}
    response = distant["client"].post("/v1/annulments", json=body)
    assert pointers(problem(response, 422, "validation")) == [place]


def test_issuer_awaiting_its_admin_shows_what_to_sign_to_its_own_key_alone(api: Api) -> None:
    account = Account.create()
    made = api.admin.post(
        "/v1/issuers",
        json={**COLLEGE, "admin": account.address},
        headers={"Idempotency-Key": account.address},
    )
    address, client = account.address, api.client(made.json()["api_key"])
    assert "typed_data" not in api.public.get(f"/v1/issuers/{address}").json()
    for asking in (client, api.admin):
        shown = asking.get(f"/v1/issuers/{address}").json()
        assert shown["typed_data"]["message"]["issuer"].lower() == address.lower()
        assert shown["consent"].startswith("0x")
    again = api.admin.post(
        "/v1/issuers",
        json={**COLLEGE, "admin": account.address},
        headers={"Idempotency-Key": account.address},
    )
    assert (again.status_code, again.headers["location"]) == (201, made.headers["location"])
    assert "api_key" not in again.json()
    assert again.json()["typed_data"]["primaryType"] == "AddKey"


# --- a stolen key -------------------------------------------------------------------------------------------


def test_stolen_key_is_cut_off_a_new_one_takes_over_and_old_proofs_count_again(api: Api) -> None:
    wait = {"Prefer": "wait=60"}
    address, client = api.register("Robbed College")
    before, after = new_digest(), new_digest()
    first = client.post("/v1/batches", json={"digests": [before]}, headers=wait).json()
    second = client.post("/v1/batches", json={"digests": [after]}, headers=wait).json()
    proof = api.public.get(f"/v1/credentials/{after}/proof").json()
    stolen = api.public.get(f"/v1/issuers/{address}").json()["key"]
    where = f"/v1/issuers/{address}/keys"
    moment = {"valid_until": second["anchor"]["anchored_at"], "reason": "key_compromise"}
    assert first["anchor"]["anchored_at"] <= moment["valid_until"]
    retired = client.post(f"{where}/{stolen}/retirement", json=moment, headers=wait)
    assert (retired.status_code, retired.json()["state"]) == (200, "final")
    report = api.public.post("/v1/verify", json={"digest": after, "proof": proof}).json()
    assert report["outcome"] == "withdrawn"
    roles = {"roles": ["anchor", "suspend", "revoke"]}
    added = client.post(where, json=roles, headers=wait)
    assert (added.status_code, added.json()["state"]) == (200, "final")
    assert api.public.get(f"/v1/issuers/{address}").json()["key"] != stolen
    refused = client.post("/v1/batches?allow_duplicate=true", json={"digests": [after]})
    assert problem(refused, 409, "duplicate-digest")["errors"][0]["code"] == "void-anchor"
    again = client.post(f"/v1/batches/{second['id']}/retry", headers=wait)
    assert (again.status_code, again.json()["state"]) == (200, "final")
    report = api.public.post("/v1/verify", json={"digest": after, "proof": proof}).json()
    assert report["outcome"] == "valid"


def test_key_is_not_retired_in_the_future(api: Api) -> None:
    key = api.public.get(f"/v1/issuers/{api.address}").json()["key"]
    body = {"valid_until": "2099-01-01T00:00:00Z"}
    response = api.issuer.post(f"/v1/issuers/{api.address}/keys/{key}/retirement", json=body)
    assert pointers(problem(response, 422, "validation")) == ["/valid_until"]


def test_issuer_is_registered_once(api: Api, distant: dict[str, Any]) -> None:
    body = {**COLLEGE, "admin": distant["account"].address}
    problem(api.admin.post("/v1/issuers", json=body), 409, "conflict")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"roles": []}, "/roles"),
        ({"roles": ["anchor", "nope"]}, "/roles/1"),
        ({"key": "0x12"}, "/key"),
        ({"signature": "0x12", "deadline": 1}, "/signature"),
        ({"consent": 7}, "/consent"),
        ({"deadline": -1}, "/deadline"),
        ({"deadline": 2**53 - 1, "extra": 1}, "/extra"),
        ({}, "/consent"),
    ],
)
def test_chain_key_of_wrong_form_is_refused(api: Api, change: dict[str, Any], place: str) -> None:
    body = {"key": Account.create().address, "roles": ["anchor"], **change}
    response = api.issuer.post(f"/v1/issuers/{api.address}/keys", json=body)
    assert pointers(problem(response, 422, "validation")) == [place]


# --- approvals ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def strict(api: Api) -> FrontEnd:
    """The same server under the rule that a second key approves publishing and every revocation."""
    policy = Policy(require_approval=True, approval_threshold=0)
    app = api.app
    return FrontEnd(
        replace(
            app,
            issuing=IssuingService(app.store, app.chain, app.clock, policy),
            status=StatusService(app.store, app.chain, app.clock, policy),
        )
    )


def _keys(api: Api) -> tuple[str, str]:
    """Two keys of the issuer that may issue and revoke."""
    body = {"label": "one of two", "scopes": ["batch", "status"]}
    first, second = (
        api.issuer.post(f"/v1/issuers/{api.address}/api-keys", json=body).json()["api_key"] for _ in range(2)
    )
    return first, second


def test_batch_waits_until_a_second_key_approves(api: Api, strict: FrontEnd) -> None:
    first, second = _keys(api)
    digest = new_digest()
    batch = strict.send("POST", "/v1/batches", first, json={"digests": [digest]}).json()
    approval = f"/v1/batches/{batch['id']}/approval"
    problem(strict.send("POST", approval, first), 403, "forbidden")
    api.final_batch([new_digest()])  # the pipeline has been round since
    assert api.public.get(f"/v1/batches/{batch['id']}").json()["state"] == "sealed"
    assert strict.send("POST", approval, second).status_code == 202
    problem(strict.send("POST", approval, second), 409, "wrong-state")
    state = ""
    while state != "final":
        state = api.public.get(f"/v1/batches/{batch['id']}").json()["state"]
    actions = [item["action"] for item in api.admin.get("/v1/audit/access?limit=500").json()["items"]]
    assert "batch.approved" in actions


def test_revocation_waits_until_a_second_key_approves(api: Api, strict: FrontEnd) -> None:
    first, second = _keys(api)
    digest = new_digest()
    api.final_batch([digest])
    made = strict.send("POST", "/v1/revocations", first, json={"digests": [digest]}).json()
    assert made["state"] == "awaiting_approval"
    approval = f"/v1/requests/{made['id']}/approval"
    problem(strict.send("POST", approval, first), 403, "forbidden")
    stranger = api.register("Not asked")[1]
    problem(stranger.post(approval), 404, "not-found")
    assert api.public.get(f"/v1/verify/{digest}").json()["outcome"] == "valid"
    assert api.public.get(f"/v1/verify/{digest}").json()["status"]["pending"] == []
    assert strict.send("POST", approval, second).status_code == 202
    api.final_request(api.issuer.get(f"/v1/requests/{made['id']}").json())
    assert api.public.get(f"/v1/verify/{digest}").json()["outcome"] == "revoked"


def test_many_small_revocations_wait_like_a_large_one(api: Api) -> None:
    policy = Policy(require_approval=True, approval_threshold=2)
    lenient = FrontEnd(
        replace(api.app, status=StatusService(api.app.store, api.app.chain, api.app.clock, policy))
    )
    first, _ = _keys(api)
    digests = [new_digest() for _ in range(3)]
    api.final_batch(digests)
    states = [
        lenient.send("POST", "/v1/revocations", first, json={"digests": [digest]}).json()["state"]
        for digest in digests
    ]
    assert states[0] != "awaiting_approval" != states[1]
    assert states[2] == "awaiting_approval"


# --- what is private ----------------------------------------------------------------------------------------


def test_note_is_for_the_issuer_and_the_auditor_alone(api: Api) -> None:
    digest, note = new_digest(), f"plagiarism, see file {uuid4()}"
    api.final_batch([digest])
    made = api.issuer.post(
        "/v1/revocations", json={"digests": [digest], "note": note, "reason": "misconduct"}
    ).json()
    api.final_request(made)
    where = f"/v1/requests/{made['id']}"
    assert api.issuer.get(where).json()["note"] == note
    assert api.admin.get(where).json()["note"] == note
    problem(api.register("Nosy")[1].get(where), 404, "not-found")
    problem(api.public.get(where), 401, "unauthorized")
    for path in (
        f"/v1/verify/{digest}",
        f"/v1/revocations?issuer={api.address}&limit=500",
        f"/v1/credentials/{digest}",
    ):
        assert note not in api.public.get(path).text
    assert note not in api.public.get(f"/v1/audit/issuers/{api.address}").text
