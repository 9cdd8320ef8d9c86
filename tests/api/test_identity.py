"""DID documents, profiles, resolving and signing keys over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from registry.credentials.keys import PublicKey
from registry.encoding import parse_address, parse_time
from registry.model.signing_keys import SigningKeyKind
from tests.api.conftest import Api, new_digest
from tests.api.support import FrontEnd, pointers, problem

NOBODY = "0x" + "12" * 20


def keys_of(api: Api, address: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = api.public.get(f"/v1/issuers/{address}/signing-keys").json()["items"]
    return items


def paths_of(address: str) -> list[str]:
    return [f"/issuers/{address}/did.json", f"/issuers/{address}/profile.json"]


@pytest.fixture(scope="module")
def signing(api: Api) -> tuple[str, httpx.Client]:
    """An issuer that has signed, whose anchoring key is final."""
    made = api.admin.post(
        "/v1/issuers",
        json={"name": "Signing College", "url": "https://signing.example", "email": "office@signing.example"},
    ).json()
    client = api.client(made["api_key"])
    api.app.identity.signer(parse_address(made["address"]))
    client.post("/v1/batches", json={"digests": [new_digest()]}, headers={"Prefer": "wait=60"})
    return made["address"].lower(), client


# --- what is refused ----------------------------------------------------------------------------------------


def test_documents_of_a_stranger_are_not_found(api: Api) -> None:
    for path in paths_of(NOBODY):
        problem(api.public.get(path), 404, "not-found")
    assert keys_of(api, NOBODY) == []


def test_malformed_address_or_query_is_named(api: Api, signing: tuple[str, httpx.Client]) -> None:
    for path in paths_of("0x12"):
        assert pointers(problem(api.public.get(path), 422, "validation")) == ["/address"]
    for path in paths_of(signing[0]):
        problem(api.public.get(path, params={"x": "1"}), 422, "validation")


def test_revocation_list_takes_no_query_but_the_award_that_is_asked_about(
    api: Api, signing: tuple[str, httpx.Client]
) -> None:
    path = f"/issuers/{signing[0]}/revocation-list.json"
    problem(api.public.get(path, params={"x": "1"}), 422, "validation")
    twice = [("assertionId", "urn:uuid:1"), ("assertionId", "urn:uuid:2")]
    problem(api.public.get(path, params=twice), 422, "validation")


@pytest.mark.parametrize(
    "did",
    [
        "did:web:elsewhere.example",
        f"did:web:localhost%3A8000:issuers:{NOBODY}",
        "did:key:z6Mk",
        "did:key:zUC7",
        "did:ethr:0x1234",
        "nonsense",
        "did:web:localhost%3A8000:issuers:..",
    ],
)
def test_dids_that_are_not_known_here_are_not_found(api: Api, did: str) -> None:
    problem(api.public.get(f"/1.0/identifiers/{quote(did, safe='')}"), 404, "not-found")


def test_rotating_wants_an_administrators_key(api: Api, signing: tuple[str, httpx.Client]) -> None:
    address, client = signing
    path, body = f"/v1/issuers/{address}/signing-keys", {"kind": "Ed25519"}
    problem(api.public.post(path, json=body), 401, "unauthorized")
    small = client.post(
        f"/v1/issuers/{address}/api-keys", json={"label": "small", "scopes": ["batch"]}
    ).json()
    problem(api.client(small["api_key"]).post(path, json=body), 403, "forbidden")
    problem(api.issuer.post(path, json=body), 403, "forbidden")
    problem(api.admin.post(f"/v1/issuers/{NOBODY}/signing-keys", json=body), 404, "not-found")


@pytest.mark.parametrize("body", [{}, {"kind": "ed25519"}, {"kind": 1}, {"kind": "Ed25519", "x": 1}])
def test_unknown_kind_of_key_is_refused(
    api: Api, signing: tuple[str, httpx.Client], body: dict[str, Any]
) -> None:
    problem(signing[1].post(f"/v1/issuers/{signing[0]}/signing-keys", json=body), 422, "validation")


@pytest.mark.parametrize(
    "email",
    ["", "x", "x@", "@x.example", "a b@x.example", "a@x.example\n", "a@b@x.example", 7, "a" * 251 + "@x.y"],
)
def test_email_that_is_none_is_refused(api: Api, email: object) -> None:
    body = {"name": "College", "url": "https://college.example", "email": email}
    assert pointers(problem(api.admin.post("/v1/issuers", json=body), 422, "validation")) == ["/email"]


def test_server_without_a_usable_address_publishes_nothing(api: Api) -> None:
    identity = type(api.app.identity)
    nameless = identity(
        _Unpinned(api.app.store),
        api.app.chain,
        None,
        [],
        api.app.clock,
        "http://127.0.0.1:1",  # type: ignore[arg-type]
    )
    front = FrontEnd(api.app, identity=nameless)
    for path in (*paths_of(api.address), "/1.0/identifiers/did:web:127.0.0.1"):
        problem(front.send("GET", path), 404, "not-found")
    keys = front.send("GET", f"/v1/issuers/{api.address}/keys").json()["items"]
    assert {key["verification_method"] for key in keys} == {None}


class _Unpinned:
    """The store of a server whose address was never pinned."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def read(self) -> Any:
        return _UnpinnedUnit(self._store.read())


class _UnpinnedUnit:
    def __init__(self, context: Any) -> None:
        self._context = context

    def __enter__(self) -> Any:
        self._unit = self._context.__enter__()
        self.meta = type("Meta", (), {"get": staticmethod(lambda _name: None)})
        return self

    def __exit__(self, *error: Any) -> Any:
        return self._context.__exit__(*error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._unit, name)


# --- documents ----------------------------------------------------------------------------------------------


def test_did_document_has_its_type_and_names_the_keys(api: Api, signing: tuple[str, httpx.Client]) -> None:
    address, _ = signing
    response = api.public.get(f"/issuers/{address}/did.json")
    assert response.headers["content-type"] == "application/did+json"
    found = response.json()
    assert found["id"] == f"did:web:localhost%3A8000:issuers:{address}"
    (listed,) = keys_of(api, address)
    (chain,) = api.public.get(f"/v1/issuers/{address}/keys").json()["items"]
    assert found["assertionMethod"] == [listed["verification_method"], f"{found['id']}#chain-1"]
    assert chain["verification_method"] == f"{found['id']}#chain-1"
    assert found["verificationMethod"][0]["publicKeyJwk"] == listed["public_key_jwk"]
    assert found["service"][0]["serviceEndpoint"] == f"http://localhost:8000/issuers/{address}/profile.json"
    assert api.public.get(f"/issuers/{chain_case(address)}/did.json").json() == found


def chain_case(address: str) -> str:
    return "0x" + address[2:].upper()


def test_profile_is_json_and_names_the_anchoring_key(api: Api, signing: tuple[str, httpx.Client]) -> None:
    address, _ = signing
    response = api.public.get(f"/issuers/{address}/profile.json")
    assert response.headers["content-type"] == "application/json"
    found = response.json()
    (chain,) = api.public.get(f"/v1/issuers/{address}/keys").json()["items"]
    assert [key["id"] for key in found["publicKey"]] == [f"ecdsa-koblitz-pubkey:{chain['key'].lower()}"]
    # a second before, so that it counts in the block that adds it
    assert parse_time(chain["added_at"]) - parse_time(found["publicKey"][0]["created"]) == timedelta(
        seconds=1
    )
    assert (found["name"], found["email"]) == ("Signing College", "office@signing.example")
    assert api.public.get(f"/v1/issuers/{address}").json()["email"] == "office@signing.example"


def test_revocation_list_is_whole_whichever_award_is_asked_about(
    api: Api, signing: tuple[str, httpx.Client]
) -> None:
    path = f"/issuers/{signing[0]}/revocation-list.json"
    asked = api.public.get(path, params={"assertionId": "urn:uuid:" + "é" * 600})
    assert asked.status_code == 200
    assert asked.json() == api.public.get(path).json()
    assert asked.json()["type"] == "RevocationList"


@pytest.mark.parametrize(
    "encode", [str, lambda did: quote(did, safe="")], ids=["as it is", "percent-encoded"]
)
def test_own_did_is_resolved_however_it_is_written_in_the_path(
    api: Api, signing: tuple[str, httpx.Client], encode: Any
) -> None:
    document = api.public.get(f"/issuers/{signing[0]}/did.json").json()
    response = api.public.get(f"/1.0/identifiers/{encode(document['id'])}")
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"didDocument": document}


def test_did_key_is_resolved(api: Api, signing: tuple[str, httpx.Client]) -> None:
    (listed,) = keys_of(api, signing[0])
    multikey = PublicKey.from_jwk(listed["public_key_jwk"]).to_multikey()
    found = api.public.get(f"/1.0/identifiers/did:key:{multikey}").json()["didDocument"]
    assert found["assertionMethod"] == [f"did:key:{multikey}#{multikey}"]


def test_documents_are_for_every_web_page_and_for_a_short_time(
    api: Api, signing: tuple[str, httpx.Client]
) -> None:
    did = api.public.get(paths_of(signing[0])[0]).json()["id"]
    for path in (*paths_of(signing[0]), f"/1.0/identifiers/{did}"):
        response = api.public.get(path)
        assert response.headers["access-control-allow-origin"] == "*"
        assert response.headers["cache-control"] == "public, max-age=60"
        etag = response.headers["etag"]
        for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            again = api.public.get(path, headers={"If-None-Match": known})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == etag
        assert api.public.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    preflight = api.public.options(
        paths_of(signing[0])[0],
        headers={"Origin": "https://x.example", "Access-Control-Request-Method": "GET"},
    )
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "*"


# --- keys ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind.value for kind in SigningKeyKind])
def test_new_key_is_listed_the_old_one_retired_and_both_in_the_document(api: Api, kind: str) -> None:
    address, client = api.register("Rotating")
    path = f"/v1/issuers/{address}/signing-keys"
    first, second = (client.post(path, json={"kind": kind}) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    listed = keys_of(api, address)
    assert listed[1] == second.json()
    assert listed[0] == first.json() | {"retired_at": second.json()["created_at"]}
    assert second.json()["retired_at"] is None
    methods = api.public.get(f"/issuers/{address}/did.json").json()["assertionMethod"]
    assert [key["verification_method"] for key in listed] == methods[:2]
    actions = [
        (item["action"], item["detail"])
        for item in api.admin.get("/v1/audit/access?limit=500").json()["items"]
        if item["subject"] == address.lower()
    ]
    assert ("signing-key.created", f"{kind}, in place of another") in actions


def test_rotating_twice_with_one_idempotency_key_makes_one_key(api: Api) -> None:
    address, client = api.register("Careful")
    path, headers = f"/v1/issuers/{address}/signing-keys", {"Idempotency-Key": "autumn"}
    first, second = (client.post(path, json={"kind": "P-256"}, headers=headers) for _ in range(2))
    assert first.json() == second.json()
    assert len(keys_of(api, address)) == 1


def test_profile_on_chain_names_the_did_once(api: Api, signing: tuple[str, httpx.Client]) -> None:
    address, _ = signing
    did = api.public.get(f"/issuers/{address}/did.json").json()["id"]
    found: list[dict[str, Any]] = []
    while not found:
        items = api.public.get(f"/v1/audit/events?issuer={address}&kind=ProfileSet").json()["items"]
        found = list(items)
    assert [event["uri"] for event in found] == [did]
