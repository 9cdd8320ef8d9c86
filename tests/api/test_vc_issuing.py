"""Who may sign through the VC API and with which key; JOSE envelopes; what the registry has to say.

The cases about envelopes are those of `w3c/vc-data-model-2.0-test-suite` (tests/4.13.2-envelopes.js at
1c08b75), under the W3C's 3-clause BSD or test suite licence; no code of theirs is here.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from registry.bootstrap import credential_keystore
from registry.credentials.vc_api.issuing import ProofWishes, VcIssuing
from tests.api.conftest import Api
from tests.api.support import FrontEnd, pointers, problem
from tests.api.vc_parts import ABSENT, V1, V2, accepted, credential, issue, issued, refused, verify, without

# --- JOSE ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["Ed25519", "P-256", "P-384"])
def test_enveloped_credential_verifies_as_it_is_and_as_a_token(api: Api, kind: str) -> None:
    made = issued(api, credential(), "jose", kind)
    assert (made["@context"], made["type"]) == ([V2], "EnvelopedVerifiableCredential")
    assert made["id"].startswith("data:application/vc+jwt,ey")
    accepted(verify(api, made))
    accepted(verify(api, made["id"].partition(",")[2]))


@pytest.mark.parametrize(
    "change",
    [
        {"@context": []},
        {"@context": "https://www.w3.org/ns/credentials/examples/v2"},
        {"type": ABSENT},
        {"type": "VerifiableCredential"},
        {"id": "only the token"},
        {"id": "data:application/vc+jwt,e30.e30.AA"},
        {"id": ABSENT},
    ],
)
def test_envelope_that_is_none_is_refused(api: Api, change: dict[str, Any]) -> None:
    made = issued(api, credential(), "jose")
    if change.get("id") == "only the token":
        change = {"id": made["id"].partition(",")[2]}
    refused(verify(api, without(made | change)))


def test_envelope_of_data_model_1_1_is_refused(api: Api) -> None:
    document = credential(**{"@context": [V1]}, issuanceDate="2020-03-16T22:37:26Z")
    assert pointers(problem(issue(api, document, "jose"), 422, "validation")) == ["/credential/@context"]


# --- keys, and who may sign ---------------------------------------------------------------------------------


def test_key_of_a_kind_is_made_once_and_found_after_a_restart(api: Api) -> None:
    first = issued(api, credential(), "ecdsa-rdfc-2019", "P-384")
    app = api.app
    again = VcIssuing(app.store, credential_keystore(app.settings), app.canonicalizer, app.clock)
    second = again.issue(None, "ecdsa-jcs-2019", "P-384", credential(), ProofWishes())
    assert first["issuer"] == second["issuer"]
    logged = api.admin.get("/v1/audit/access?limit=500").json()["items"]
    made = [item["action"] for item in logged if item["subject"] == "vc-key:anybody:P-384"]
    assert made == ["vc-key.created"]


def test_signing_elsewhere_than_on_the_embedded_chain_wants_a_key_with_the_scope(api: Api) -> None:
    made = api.issuer.post(
        f"/v1/issuers/{api.address}/api-keys", json={"label": "suites", "scopes": ["vc"]}
    ).json()
    assert made["scopes"] == ["vc"]
    front = FrontEnd(api.app, settings={"rpc_url": ["http://127.0.0.1:1"]})
    path, body = "/vc/eddsa-rdfc-2022/Ed25519/credentials/issue", {"credential": credential()}

    def send(token: str | None) -> httpx.Response:
        return front.send("POST", path, token, json=body)

    problem(send(None), 401, "unauthorized")
    problem(send("rmk_" + "A" * 43), 401, "unauthorized")
    for client in (api.issuer, api.admin):  # an issuer's first key has the five other scopes
        problem(send(client.headers["authorization"].partition(" ")[2]), 403, "forbidden")
    answered = send(made["api_key"])
    assert answered.status_code == 201
    own = answered.json()["verifiableCredential"]["issuer"]
    assert own != issued(api, credential())["issuer"], "nobody else signs with an issuer's key"
    assert own == _issuer_with(api, made["api_key"])


def _issuer_with(api: Api, token: str) -> str:
    response = api.client(token).post(
        "/vc/eddsa-jcs-2022/Ed25519/credentials/issue", json={"credential": credential()}
    )
    return str(response.json()["verifiableCredential"]["issuer"])


def test_wrong_key_is_refused_even_where_none_is_needed(api: Api) -> None:
    response = api.client("rmk_" + "B" * 43).post(
        "/vc/eddsa-rdfc-2022/Ed25519/credentials/issue", json={"credential": credential()}
    )
    problem(response, 401, "unauthorized")


def test_web_pages_of_others_may_verify_and_not_issue(api: Api) -> None:
    headers = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    for path, allowed in (
        ("/vc/credentials/verify", True),
        ("/vc/presentations/verify", True),
        ("/vc/eddsa-rdfc-2022/Ed25519/credentials/issue", False),
    ):
        response = api.public.options(path, headers=headers)
        assert ("access-control-allow-origin" in response.headers) is allowed


# --- what the registry knows --------------------------------------------------------------------------------


def test_award_verifies_until_it_is_revoked_and_anchored_strangers_copies_do_not(api: Api) -> None:
    made = api.issuer.post(
        "/v1/achievements",
        json={"name": "Welding", "description": "Joins metal", "criteria": {"narrative": "Weld."}},
    ).json()
    award = {"recipient": {"email": "ada@college.example"}, "achievement_id": made["id"]}
    awarded = api.issuer.post("/v1/awards", json={"awards": [award]}, headers={"Prefer": "wait=60"}).json()
    shown = api.issuer.get(f"/v1/awards/{awarded['awards'][0]['id']}").json()
    document, digest = shown["credential"], shown["digest"]
    assert accepted(verify(api, document))["checks"].count("proof") == 1
    response = api.issuer.post("/v1/revocations", json={"digests": [digest]})
    api.final_request(response.json())
    found = refused(verify(api, document))
    assert "credentialStatus" in [error["code"] for error in found["errors"]]


def test_credential_without_signature_is_not_verified_because_a_stranger_anchored_it(api: Api) -> None:
    document = credential(id="urn:uuid:6d2ec4b4-5b5b-4a40-9c44-3b3e0d0c0f11")
    api.register("Stranger")[1].post(
        "/v1/batches", json={"credentials": [document]}, headers={"Prefer": "wait=60"}
    )
    refused(verify(api, document))
