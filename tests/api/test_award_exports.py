"""Credentials of awards as files: each form verifies as the others do, and nobody else gets one."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from registry.credentials.exporting import ExportFormat
from registry.encoding import parse_address
from tests.api.conftest import Api
from tests.api.support import pointers, problem
from tests.unit.credentials.awards.samples import FULL

MEDIA_TYPES = {
    "json": "application/vc",
    "jwt": "application/vc+jwt",
    "vc-jwt": "application/jwt",
    "png": "image/png",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "proof": "application/json",
}
CREDENTIALS = ("json", "jwt", "vc-jwt", "png", "svg", "pdf")


@pytest.fixture(scope="module")
def welding(api: Api) -> str:
    return str(api.issuer.post("/v1/achievements", json=FULL | {"name": "<Welding> & more"}).json()["id"])


def awarded(api: Api, achievement: str, **options: Any) -> str:
    """The id of a new award, whose batch is final."""
    body = {
        "awards": [{"recipient": {"email": "ada@college.example"}, "achievement_id": achievement}],
        "options": options,
    }
    made = api.issuer.post("/v1/awards", json=body, headers={"Prefer": "wait=60"})
    assert (made.status_code, made.json()["batch"]["state"]) == (200, "final"), made.text
    return str(made.json()["awards"][0]["id"])


def exported(api: Api, award: str, wanted: str) -> httpx.Response:
    response = api.issuer.get(f"/v1/awards/{award}/credential", params={"format": wanted})
    assert response.status_code == 200, response.text
    return response


def verified(api: Api, file: httpx.Response) -> dict[str, Any]:
    response = api.public.post(
        "/v1/verify", content=file.content, headers={"Content-Type": file.headers["content-type"]}
    )
    assert response.status_code == 200, response.text
    return response.json()  # type: ignore[no-any-return]


# --- refused ------------------------------------------------------------------------------------------------


def test_strangers_get_no_credential(api: Api, welding: str) -> None:
    path = f"/v1/awards/{awarded(api, welding)}/credential"
    problem(api.public.get(path), 401, "unauthorized")
    _, stranger = api.register()
    problem(stranger.get(path), 404, "not-found")
    assert api.admin.get(path).status_code == 200


def test_unknown_award_and_unknown_format_are_refused(api: Api, welding: str) -> None:
    problem(api.issuer.get("/v1/awards/none/credential"), 404, "not-found")
    path = f"/v1/awards/{awarded(api, welding)}/credential"
    assert pointers(problem(api.issuer.get(path, params={"format": "docx"}), 422, "validation")) == [
        "/format"
    ]
    problem(api.issuer.get(path, params={"form": "json"}), 422, "validation")


def test_bundle_is_refused_where_the_chain_proves_no_storage(api: Api, welding: str) -> None:
    path = f"/v1/awards/{awarded(api, welding)}/credential"
    found = problem(api.issuer.get(path, params={"format": "bundle"}), 409, "wrong-state")
    assert "eth_getProof" in found["detail"]


def test_erased_award_is_not_handed_out_in_any_form(api: Api, welding: str) -> None:
    award = awarded(api, welding)
    digest = api.issuer.get(f"/v1/awards/{award}").json()["digest"]
    assert api.issuer.delete(f"/v1/credentials/{digest}").status_code == 204
    for wanted in ExportFormat:
        response = api.issuer.get(f"/v1/awards/{award}/credential", params={"format": wanted})
        problem(response, 409, "wrong-state")


# --- handed out ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [True, False])
def test_every_form_has_the_same_verdict_before_and_after_revocation(
    api: Api, welding: str, status: bool
) -> None:
    award = awarded(api, welding, credential_status=status)
    digest = api.issuer.get(f"/v1/awards/{award}").json()["digest"]
    files = {wanted: exported(api, award, wanted) for wanted in CREDENTIALS}
    before = {wanted: verified(api, file) for wanted, file in files.items()}
    assert {wanted: report["outcome"] for wanted, report in before.items()} == dict.fromkeys(files, "valid")
    assert {report["digest"] for report in before.values()} == {digest}
    made = api.issuer.post("/v1/revocations", json={"digests": [digest]})
    api.final_request(made.json())
    after = {wanted: verified(api, file)["outcome"] for wanted, file in files.items()}
    assert after == dict.fromkeys(files, "revoked")


@pytest.mark.parametrize("wanted", MEDIA_TYPES)
def test_file_says_what_it_is_and_what_it_may_be_called(api: Api, welding: str, wanted: str) -> None:
    award = awarded(api, welding)
    file = exported(api, award, wanted)
    assert file.headers["content-type"].partition(";")[0] == MEDIA_TYPES[wanted]
    assert file.headers["content-disposition"].startswith("attachment; filename=")
    assert award in file.headers["content-disposition"]
    assert file.headers["cache-control"] == "no-store"
    assert file.headers["x-content-type-options"] == "nosniff"


def test_json_is_the_default_and_carries_no_anchor_on_a_chain_that_nobody_looks_at(
    api: Api, welding: str
) -> None:
    award = awarded(api, welding)
    file = api.issuer.get(f"/v1/awards/{award}/credential")
    credential = file.json()
    assert credential == api.issuer.get(f"/v1/awards/{award}").json()["credential"]
    assert credential["proof"]["cryptosuite"] == "eddsa-rdfc-2022"


def test_same_token_is_made_again(api: Api, welding: str) -> None:
    award = awarded(api, welding)
    for wanted in ("jwt", "vc-jwt"):
        assert exported(api, award, wanted).content == exported(api, award, wanted).content


def test_token_is_made_with_the_present_key_after_rotation(api: Api, welding: str) -> None:
    award = awarded(api, welding)
    before = exported(api, award, "jwt")
    rotated = api.issuer.post(f"/v1/issuers/{api.address}/signing-keys", json={"kind": "Ed25519"})
    assert rotated.status_code == 201, rotated.text
    after = exported(api, award, "jwt")
    assert before.content != after.content
    assert [verified(api, file)["outcome"] for file in (before, after)] == ["valid", "valid"]


def test_proof_beside_the_credential_leads_to_the_anchor(api: Api, welding: str) -> None:
    award = awarded(api, welding)
    proof = exported(api, award, "proof").json()
    shown = api.issuer.get(f"/v1/awards/{award}").json()
    assert (proof["digest"], proof["index"], proof["issuer"]) == (shown["digest"], 0, api.address.lower())
    assert proof["anchor"]["transaction"]
    body = {"credential": exported(api, award, "json").json(), "proof": proof}
    assert api.public.post("/v1/verify", json=body).json()["outcome"] == "valid"


def test_pictures_carry_the_exported_json(api: Api, welding: str) -> None:
    award = awarded(api, welding)
    credential = exported(api, award, "json").content
    assert credential in exported(api, award, "png").content
    svg = exported(api, award, "svg").text
    assert "&lt;Welding&gt; &amp; more" in svg
    start, end = svg.index("CDATA[") + len("CDATA["), svg.index("]]>")
    assert json.loads(svg[start:end]) == json.loads(credential)


def test_token_for_a_did_that_the_issuer_has_no_longer_is_refused(
    api: Api, welding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    award = awarded(api, welding)
    signer = api.app.identity.signer(parse_address(api.address))
    moved = type(signer)("did:web:moved.example", signer.method, signer.key, signer.signer)
    monkeypatch.setattr(api.app.identity, "signer", lambda _: moved)
    for wanted in ("jwt", "vc-jwt"):
        response = api.issuer.get(f"/v1/awards/{award}/credential", params={"format": wanted})
        problem(response, 409, "wrong-state")


# --- further proofs -----------------------------------------------------------------------------------------

FURTHER = ["ecdsa-rdfc-2019", "eddsa-jcs-2022", "ecdsa-jcs-2019"]


@pytest.mark.parametrize(
    "proofs", [["eddsa-rdfc-2022"], ["bbs-2023"], [1], "ecdsa-rdfc-2019", FURTHER[:1] * 2]
)
def test_proofs_that_are_none_are_refused(api: Api, welding: str, proofs: Any) -> None:
    body = {
        "awards": [{"recipient": {"email": "ada@college.example"}, "achievement_id": welding}],
        "options": {"proofs": proofs},
    }
    found = problem(api.issuer.post("/v1/awards", json=body), 422, "validation")
    assert all(pointer.startswith("/options/proofs") for pointer in pointers(found))


def test_unknown_proof_in_the_query_is_refused(api: Api) -> None:
    lines = {"Content-Type": "application/x-ndjson"}
    for proofs in ("", "bbs-2023", "eddsa-jcs-2022,eddsa-jcs-2022"):
        response = api.issuer.post("/v1/awards", content=b"{}", params={"proofs": proofs}, headers=lines)
        assert pointers(problem(response, 422, "validation"))[0].startswith("/proofs")


def test_each_proof_asked_for_is_added_and_each_counts(api: Api, welding: str) -> None:
    award = awarded(api, welding, proofs=FURTHER, credential_status=False)
    credential = exported(api, award, "json").json()
    assert [one["cryptosuite"] for one in credential["proof"]] == ["eddsa-rdfc-2022", *FURTHER]
    files = {wanted: verified(api, exported(api, award, wanted)) for wanted in CREDENTIALS}
    assert {report["outcome"] for report in files.values()} == {"valid"}
    assert {report["digest"] for report in files.values()} == {
        api.issuer.get(f"/v1/awards/{award}").json()["digest"]
    }
    for number in range(4):
        broken = json.loads(json.dumps(credential))
        value = broken["proof"][number]["proofValue"]
        broken["proof"][number]["proofValue"] = value[:9] + ("2" if value[9] == "1" else "1") + value[10:]
        report = api.public.post("/v1/verify", json={"credential": broken}).json()
        assert report["outcome"] == "invalid", number
        alone = {**credential, "proof": credential["proof"][number]}
        assert api.public.post("/v1/verify", json={"credential": alone}).json()["outcome"] == "valid", number


def test_proofs_are_asked_for_in_the_query_beside_rows(api: Api, welding: str) -> None:
    text = f"recipient_email,achievement_id\r\nada@college.example,{welding}\r\n"
    made = api.issuer.post(
        "/v1/awards",
        content=text,
        params={"proofs": "eddsa-jcs-2022"},
        headers={"Content-Type": "text/csv", "Prefer": "wait=60"},
    ).json()
    proofs = exported(api, made["awards"][0]["id"], "json").json()["proof"]
    assert [one["cryptosuite"] for one in proofs] == ["eddsa-rdfc-2022", "eddsa-jcs-2022"]
