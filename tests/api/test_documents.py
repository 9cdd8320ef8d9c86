"""Documents of other formats, and signed ones that are anchored here, over HTTP."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from registry.credentials.carriers.images import default_badge
from registry.credentials.carriers.png import bake_png
from registry.credentials.carriers.svg import bake_svg
from registry.credentials.formats.jwt_credentials import issue_vc_jose
from registry.credentials.key_pairs import KeyPair
from registry.credentials.keys import KeyType
from registry.credentials.rdf import rdf_digest
from registry.credentials.status.bitstring import encode, new_bitstring
from registry.credentials.suites.signing import ProofOptions, add_proof
from registry.credentials.verification_methods import did_key
from registry.encoding import to_hex
from tests.api.conftest import Api, new_digest
from tests.api.support import pointers, problem

V2 = "https://www.w3.org/ns/credentials/v2"
ED = KeyPair.from_private_bytes(KeyType.ED25519, bytes(range(32)))
DID = did_key(ED.public)
METHOD = f"{DID}#{DID.removeprefix('did:key:')}"
LIST = "https://lists.example/1"
PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>'


def credential(**changes: Any) -> dict[str, Any]:
    return {
        "@context": [V2],
        "id": f"urn:uuid:{uuid4()}",
        "type": ["VerifiableCredential"],
        "issuer": DID,
        "credentialSubject": {"id": "urn:uuid:0e5a5a0e-8e0f-4a56-b3b4-5f6a0a0a0a01"},
        **changes,
    }


def signed(api: Api, document: dict[str, Any], suite: str = "eddsa-jcs-2022") -> dict[str, Any]:
    options = ProofOptions(suite, KeyType.ED25519, METHOD)
    return add_proof(document, options, ED.sign, api.app.canonicalizer).document


def verdict(api: Api, document: Any, **beside: Any) -> dict[str, Any]:
    response = api.public.post("/v1/verify", json={"credential": document, **beside})
    assert response.status_code == 200, response.text
    return response.json()  # type: ignore[no-any-return]


def check(report: dict[str, Any], name: str) -> str:
    return next(one["result"] for one in report["checks"] if one["name"] == name)


# --- signed, and not anchored here --------------------------------------------------------------------------


def test_tampered_subject_is_invalid(api: Api) -> None:
    document = signed(api, credential())
    document["credentialSubject"]["id"] = "urn:uuid:0e5a5a0e-8e0f-4a56-b3b4-5f6a0a0a0a02"
    report = verdict(api, document, issuer=DID)
    assert (report["outcome"], check(report, "signature")) == ("invalid", "fail")


@pytest.mark.parametrize("suite", ["eddsa-jcs-2022", "eddsa-rdfc-2022"])
def test_intact_one_by_an_issuer_not_known_here_is_indeterminate(api: Api, suite: str) -> None:
    report = verdict(api, signed(api, credential(), suite))
    assert (report["outcome"], report["format"]) == ("indeterminate", "Verifiable Credential 2.0")
    assert report["issuer"] == {"address": None, "name": None, "known": False, "id": DID}
    assert "not known here" in report["summary"]
    assert (check(report, "signature"), check(report, "issuer")) == ("pass", "unknown")


@pytest.mark.parametrize("suite", ["eddsa-jcs-2022", "eddsa-rdfc-2022"])
def test_intact_one_by_the_issuer_asked_about_is_valid(api: Api, suite: str) -> None:
    report = verdict(api, signed(api, credential(), suite), issuer=DID)
    assert report["outcome"] == "valid", report
    assert (report["anchor"], check(report, "anchor")) == (None, "skipped")


def test_another_issuers_is_not_found(api: Api) -> None:
    report = verdict(api, signed(api, credential()), issuer="did:web:other.example")
    assert (report["outcome"], check(report, "issuer")) == ("not_found", "fail")


@pytest.mark.parametrize(
    ("dates", "outcome"),
    [
        ({"validUntil": "2020-01-01T00:00:00Z"}, "expired"),
        ({"validFrom": "2999-01-01T00:00:00Z"}, "not_yet_valid"),
        ({"validFrom": "2020-01-01T00:00:00Z", "validUntil": "2999-01-01T00:00:00Z"}, "valid"),
    ],
)
def test_dates_of_a_signed_one_count(api: Api, dates: dict[str, str], outcome: str) -> None:
    assert verdict(api, signed(api, credential(**dates)), issuer=DID)["outcome"] == outcome


def test_unknown_context_is_named_and_leaves_it_open(api: Api) -> None:
    document = signed(api, credential())
    document["@context"].append("https://unknown.example/v1")
    document["proof"]["cryptosuite"] = "eddsa-rdfc-2022"
    report = verdict(api, document, issuer=DID)
    assert report["outcome"] in ("indeterminate", "invalid")
    assert "https://unknown.example/v1" in json.dumps(report["checks"])


def test_duplicate_keys_in_a_document_are_refused_before_anything_else(api: Api) -> None:
    body = json.dumps({"credential": signed(api, credential())}).replace('"issuer"', '"id": "x", "issuer"')
    response = api.public.post("/v1/verify", content=body, headers={"Content-Type": "application/json"})
    problem(response, 400, "malformed-json")


# --- carriers -----------------------------------------------------------------------------------------------


def test_token_is_verified_as_text_and_as_a_raw_body(api: Api) -> None:
    token = issue_vc_jose(credential(), ED.public, METHOD, ED.sign)
    assert verdict(api, token, issuer=DID)["outcome"] == "valid"
    raw = api.public.post(
        "/v1/verify", content=token.encode(), headers={"Content-Type": "application/vc+jwt"}
    )
    assert raw.json()["outcome"] == "indeterminate"
    head, payload, signature = token.split(".")
    bad = ".".join([head, payload, ("A" if signature[0] != "A" else "B") + signature[1:]])
    assert verdict(api, bad, issuer=DID)["outcome"] == "invalid"


@pytest.mark.parametrize("kind", ["png", "svg", "json"])
def test_file_in_a_form_is_verified_whatever_carries_the_credential(api: Api, kind: str) -> None:
    text = json.dumps(signed(api, credential())).encode()
    files = {
        "png": bake_png(default_badge("Badge").data, text),
        "svg": bake_svg(PICTURE, text),
        "json": text,
    }
    form = {"file": (f"badge.{kind}", files[kind])}
    response = api.public.post("/v1/verify", files=form, data={"issuer": DID})
    assert (response.status_code, response.json()["outcome"]) == (200, "valid"), response.text


def test_picture_without_a_credential_is_a_sentence(api: Api) -> None:
    response = api.public.post(
        "/v1/verify", content=default_badge("Badge").data, headers={"Content-Type": "image/png"}
    )
    assert problem(response, 422, "validation")["detail"] == "the PNG carries no credential"


@pytest.mark.parametrize(
    ("files", "data"),
    [
        ({}, {"issuer": "did:key:x"}),
        ({"file": ("a.json", b"{}")}, {"nonsense": "1"}),
        ({"file": ("a.json", b"{}")}, {"issuer": "not an issuer"}),
    ],
)
def test_form_of_wrong_form_is_refused(api: Api, files: dict[str, Any], data: dict[str, str]) -> None:
    if not files:
        files = {"field": (None, "x")}
    response = api.public.post("/v1/verify", files=files, data=data)
    problem(response, 422, "validation")


def test_large_file_is_refused(api: Api) -> None:
    response = api.public.post(
        "/v1/verify", content=b" " * (10 * 2**20 + 1), headers={"Content-Type": "application/octet-stream"}
    )
    problem(response, 413, "too-large")


# --- status -------------------------------------------------------------------------------------------------


def status_list(api: Api, *indices: int, purpose: str = "revocation", **changes: Any) -> dict[str, Any]:
    subject = {
        "id": f"{LIST}#list",
        "type": "BitstringStatusList",
        "statusPurpose": purpose,
        "encodedList": encode(new_bitstring(131_072, indices)),
    }
    kinds = ["VerifiableCredential", "BitstringStatusListCredential"]
    return signed(api, credential(id=LIST, type=kinds, credentialSubject=subject, **changes))


def with_status(purpose: str = "revocation", index: int = 94_567) -> dict[str, Any]:
    entry = {
        "id": f"{LIST}#{index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": str(index),
        "statusListCredential": LIST,
    }
    return credential(credentialStatus=entry)


@pytest.mark.parametrize(
    ("purpose", "indices", "outcome"),
    [
        ("revocation", (), "valid"),
        ("revocation", (94_566, 94_568), "valid"),
        ("revocation", (94_567,), "revoked"),
        ("suspension", (94_567,), "suspended"),
    ],
)
def test_status_list_that_was_sent_along_decides(
    api: Api, purpose: str, indices: tuple[int, ...], outcome: str
) -> None:
    documents = {LIST: status_list(api, *indices, purpose=purpose)}
    report = verdict(api, signed(api, with_status(purpose)), issuer=DID, documents=documents)
    assert report["outcome"] == outcome, report


def test_status_list_that_was_not_sent_along_leaves_it_open_and_says_so(api: Api) -> None:
    report = verdict(api, signed(api, with_status()), issuer=DID)
    assert (report["outcome"], check(report, "status")) == ("indeterminate", "unknown")
    assert LIST in json.dumps(report["checks"])


def test_status_list_for_another_purpose_leaves_it_open(api: Api) -> None:
    documents = {LIST: status_list(api, purpose="suspension")}
    report = verdict(api, signed(api, with_status()), issuer=DID, documents=documents)
    assert report["outcome"] == "indeterminate"


def test_tampered_status_list_leaves_it_open(api: Api) -> None:
    made = status_list(api, 94_567)
    made["credentialSubject"]["encodedList"] = encode(new_bitstring(131_072, ()))
    report = verdict(api, signed(api, with_status()), issuer=DID, documents={LIST: made})
    assert report["outcome"] == "indeterminate"


# --- anchored here ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "suite"), [("rdfc-sha256", "eddsa-rdfc-2022"), ("jcs-sha256", "eddsa-jcs-2022")]
)
def test_signed_one_that_is_anchored_here_is_found_by_its_digest(api: Api, method: str, suite: str) -> None:
    plain = credential()
    document = signed(api, plain, suite)
    if method == "rdfc-sha256":
        digest = to_hex(rdf_digest(api.app.canonicalizer, plain))
    else:
        digest = api.public.post("/v1/verify", json={"credential": plain}).json()["digest"]
    made = api.issuer.post(
        "/v1/batches", json={"digests": [digest], "digest_method": method}, headers={"Prefer": "wait=60"}
    )
    assert made.json()["state"] == "final", made.text
    report = verdict(api, document)
    assert (report["outcome"], report["digest"]) == ("valid", digest), report
    assert report["anchor"]["batch"] == made.json()["id"]
    assert report["issuer"]["id"] == DID
    api.final_request(api.issuer.post("/v1/revocations", json={"digests": [digest]}).json())
    assert verdict(api, document)["outcome"] == "revoked"
    value = document["proof"]["proofValue"]
    document["proof"]["proofValue"] = value[:-1] + ("2" if value.endswith("1") else "1")
    assert verdict(api, document)["outcome"] == "invalid"


def test_bulk_takes_documents_and_digests_and_a_bad_one_fails_only_itself(api: Api) -> None:
    good = {"credential": signed(api, credential()), "issuer": DID}
    bad = {"credential": {"@context": [V2]}, "issuer": "nonsense"}
    digest = {"digest": new_digest()}
    found = api.public.post("/v1/verify/bulk", json={"items": [bad, good, digest]}).json()["results"]
    assert found[0]["problem"]["status"] == 422
    assert found[1]["report"]["outcome"] == "valid"
    assert found[2]["report"]["outcome"] == "not_found"


def test_did_beside_a_bare_digest_is_refused(api: Api) -> None:
    response = api.public.post("/v1/verify", json={"digest": new_digest(), "issuer": DID})
    assert pointers(problem(response, 422, "validation")) == ["/issuer"]
