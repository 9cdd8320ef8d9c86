"""Documents that claim to be by somebody whom they are not by, and addresses that lead astray."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from registry.credentials.key_pairs import KeyPair
from registry.credentials.keys import KeyType
from registry.credentials.rdf import rdf_digest
from registry.encoding import parse_address, to_hex
from tests.api.conftest import Api
from tests.api.signed_documents import (
    BAD,
    DID,
    ED,
    JCS,
    LIST,
    METHOD,
    RDFC,
    THIEF,
    THIEVES_DID,
    changed,
    check,
    credential,
    entry,
    outcome,
    refused_or_bad,
    report,
    signed,
    status_list,
)

MIT = "did:web:mit.example"


@pytest.fixture
def no_connections(api: Api, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What anybody in this process looks up or connects to, the server that is tested aside."""
    attempts: list[Any] = []
    connect, here = socket.socket.connect, int(api.url.rpartition(":")[2])

    def watched(self: socket.socket, address: Any) -> Any:
        if not (isinstance(address, tuple) and address[1] == here):
            attempts.append(address)
        return connect(self, address)

    def looked_up(host: Any, *_: Any, **__: Any) -> Any:
        attempts.append(host)
        raise OSError("nobody is looked up here")

    monkeypatch.setattr(socket.socket, "connect", watched)
    api.public.get("/health/live")
    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    yield attempts
    assert attempts == []


ADDRESSES = [
    "http://169.254.169.254/latest/meta-data/",
    "http://localhost:22/",
    "http://127.0.0.1/",
    "http://[::1]/",
    "http://0x7f000001/",
    "https://user@lists.example/1",
    "https://lists.example:99999/1",
    "https://lists.example/1#fragment",
    "https://lists.example/../1",
    "ftp://lists.example/1",
    "file:///etc/passwd",
    "gopher://lists.example/1",
    "//lists.example/1",
    "https://",
    "https://\u0000/",
    "https://xn--80ak6aa92e.example/",
]


@pytest.mark.parametrize("url", ADDRESSES)
def test_nothing_is_fetched_because_a_document_names_it(
    api: Api, no_connections: list[Any], url: str
) -> None:
    if "\u0000" in url:
        url = "https://%00/"
    status = entry(statusListCredential=url, id="urn:uuid:1")
    assert refused_or_bad(api, signed(api, credential(credentialStatus=status))) != "valid"
    method = signed(api, credential(issuer=url), method=f"{url}#key-1")
    assert refused_or_bad(api, method, issuer=None) != "valid"
    schema = {"id": url, "type": "JsonSchema"}
    found = refused_or_bad(
        api,
        signed(api, credential(credentialStatus=status, credentialSchema=schema, refreshService=schema)),
    )
    assert found != "valid"
    assertion = {
        "@context": "https://w3id.org/openbadges/v2",
        "type": "Assertion",
        "id": url,
        "badge": url,
        "issuedOn": "2020-01-01T00:00:00Z",
        "verification": {"type": "hosted"},
        "recipient": {"type": "email", "identity": "a@b.example", "hashed": False},
    }
    assert refused_or_bad(api, assertion, issuer=None) != "valid"


@pytest.mark.parametrize(
    "issuer",
    [
        f"{MIT}%3A443",
        "did:web:MIT.example",
        "did:web:mit.example.",
        "did:web:mit.example..",
        "did:web:mit.example:",
        "did:web:mit.example:..",
        "did:web:mit.example:%2e%2e",
        "did:web:mit.example:%2E%2E:x",
        "did:web:mit.example%2Fx",
        "did:web:user@mit.example",
        "did:web:user%40mit.example",
        "did:web:mit.example#key-1",
        "did:web:mit.example?x=y",
        "did:web:mit.example/x",
        "did:web:xn--mt-ika.example",
        "did:web:m\u0456t.example",
        "did:web:127.0.0.1",
        "did:web:2130706433",
        "did:web:0x7f.1",
        "did:web:[::1]",
        "did:web:localhost",
        "did:web:localhost%3A22",
        "did:web:localhost%3A99999",
        "did:web:",
        "did:web",
        "did:WEB:mit.example",
        "DID:web:mit.example",
        f"{DID}x",
        f"{DID}#{DID[8:]}",
        f"{DID} ",
        DID[:-1],
        "did:key:z" + "1" * 60,
        "did:key:zzzz",
        "did:jwk:e30",
        "did:ethr:0x" + "11" * 20,
    ],
)
def test_look_alike_of_an_issuer_is_not_valid(api: Api, no_connections: list[Any], issuer: str) -> None:
    method = f"{issuer}#{DID[8:]}"
    document = signed(api, credential(issuer=issuer), method=method)
    for expected in (MIT, DID, None):
        assert refused_or_bad(api, document, issuer=expected) != "valid"
    by_own_key = signed(api, credential(issuer=issuer))
    assert refused_or_bad(api, by_own_key, issuer=DID) != "valid"


@pytest.mark.parametrize(
    "issuer",
    [
        [DID],
        [DID, MIT],
        [{"id": DID}],
        {"id": [DID, MIT]},
        {"id": {"id": DID}},
        {"@id": DID},
        {"id": None},
        {},
        None,
        7,
        True,
        "",
        "College",
    ],
)
@pytest.mark.parametrize("suite", [JCS, RDFC])
def test_issuer_of_another_form_is_not_valid(api: Api, issuer: Any, suite: str) -> None:
    document = signed(api, credential(), suite)
    assert refused_or_bad(api, {**document, "issuer": issuer}) == "invalid"
    if suite == JCS:
        assert refused_or_bad(api, signed(api, credential() | {"issuer": issuer})) == "invalid"


def test_issuer_object_with_two_ids_is_not_valid(api: Api) -> None:
    for suite in (JCS, RDFC):
        document = signed(api, credential(issuer={"id": DID, "name": "College"}), suite)
        assert outcome(api, document) == "valid"
        for key in ("@id", "ID", "https://schema.org/identifier"):
            found = changed(document, lambda d, key=key: d["issuer"].update({key: THIEVES_DID}))
            assert refused_or_bad(api, found) == "invalid"


# --- a document of somebody else's DID, sent along ----------------------------------------------------------


def did_document(did: str, pair: KeyPair = ED, **changes: Any) -> dict[str, Any]:
    method = {
        "id": f"{did}#key-1",
        "type": "Multikey",
        "controller": did,
        "publicKeyMultibase": pair.public.to_multikey(),
    }
    return {"id": did, "verificationMethod": [method], "assertionMethod": [method["id"]], **changes}


def test_did_document_that_was_sent_along_speaks_for_its_own_did_alone(api: Api) -> None:
    place = "https://mit.example/.well-known/did.json"
    document = signed(api, credential(issuer=MIT), method=f"{MIT}#key-1")
    assert outcome(api, document, issuer=MIT, documents={place: did_document(MIT)}) == "valid"
    for wrong in (
        did_document("did:web:other.example"),
        did_document(MIT, THIEF),
        did_document(MIT, assertionMethod=[]),
        did_document(MIT, authentication=[f"{MIT}#key-1"], assertionMethod=None),
        {**did_document(MIT), "verificationMethod": []},
        {**did_document(MIT), "id": [MIT]},
        {},
        "",
        "[]",
        json.dumps(did_document(MIT)).replace('"id"', '"id": "x", "id"', 1),
    ):
        assert outcome(api, document, issuer=MIT, documents={place: wrong}) in BAD


# --- issuers of this server ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dids(api: Api) -> tuple[str, str, str, Any]:
    """The DIDs of two hosted issuers, the second one's address and its client."""
    address, client = api.register("Other College")
    first, second = (api.app.identity.did(parse_address(text)) for text in (api.address, address))
    return first, second, address, client


def hosted_signed(api: Api, address: str, claimed: str, suite: str = RDFC) -> dict[str, Any]:
    """By the key of a hosted issuer, in the name of any."""
    signer = api.app.identity.signer(parse_address(address))
    from registry.credentials.suites.signing import ProofOptions, add_proof

    options = ProofOptions(suite, KeyType.ED25519, signer.method)
    document = credential(issuer=claimed)
    return add_proof(document, options, signer.signer.sign, api.app.canonicalizer).document


def anchored(client: Any, api: Api, document: dict[str, Any]) -> dict[str, Any]:
    """By its rdfc-sha256; the proof."""
    digest = to_hex(rdf_digest(api.app.canonicalizer, document))
    body = {"digests": [digest], "digest_method": "rdfc-sha256"}
    batch = client.post("/v1/batches", json=body, headers={"Prefer": "wait=60"}).json()
    assert batch["state"] == "final", batch
    proof: dict[str, Any] = json.loads(client.get(f"/v1/batches/{batch['id']}/proofs").text)
    return proof


def test_key_of_one_hosted_issuer_does_not_sign_for_another(api: Api, dids: Any) -> None:
    _, second, address, _ = dids
    forged = hosted_signed(api, api.address, second)
    found = report(api, forged, issuer=second)
    assert (found["outcome"], check(found, "signature")) == ("invalid", "fail")
    anchored(api.issuer, api, forged)
    for expected in (second, api.address, address, None):
        assert outcome(api, forged, issuer=expected) == "invalid"


def test_hosted_issuer_that_anchors_a_foreign_credential_without_a_signature_is_not_believed(
    api: Api, dids: Any
) -> None:
    _, second, _, _ = dids
    unknown_suite = {"type": "DataIntegrityProof", "cryptosuite": "bbs-2023", "proofValue": "u2V0"}
    unreachable = {
        "type": "DataIntegrityProof",
        "cryptosuite": RDFC,
        "created": "2026-01-01T00:00:00Z",
        "verificationMethod": f"{MIT}#key-1",
        "proofPurpose": "assertionMethod",
        "proofValue": "z" + "2" * 87,
    }
    look_alike = f"{MIT}:issuers:{api.address}"
    for claimed in (MIT, look_alike, f"{MIT}:{api.address}", second, "https://mit.example", THIEVES_DID):
        document = credential(issuer=claimed)
        proof = anchored(api.issuer, api, document)
        method = f"{claimed}#key-1"
        for beside in (None, unknown_suite, {**unreachable, "verificationMethod": method}):
            shown = document if beside is None else {**document, "proof": beside}
            for expected in (api.address, None):
                for place in (proof, None):
                    found = refused_or_bad(api, shown, issuer=expected, proof=place)
                    assert found in BAD, (claimed, beside, expected)


def test_copy_that_a_stranger_anchors_changes_nothing(api: Api, dids: Any) -> None:
    first, _, _, stranger = dids
    document = hosted_signed(api, api.address, first)
    assert outcome(api, document, issuer=first) == "not_found"
    proof = anchored(stranger, api, document)
    assert outcome(api, document, issuer=first) == "not_found"
    assert outcome(api, document, issuer=None) == "not_found"
    assert outcome(api, document, issuer=first, proof=proof) == "not_found"
    anchored(api.issuer, api, document)
    assert outcome(api, document, issuer=first) == "valid"
    assert outcome(api, document, issuer=None) == "valid"
    digest = to_hex(rdf_digest(api.app.canonicalizer, document))
    api.final_request(stranger.post("/v1/revocations", json={"digests": [digest]}).json(), stranger)
    assert outcome(api, document, issuer=first) == "valid"
    api.final_request(api.issuer.post("/v1/revocations", json={"digests": [digest]}).json())
    assert outcome(api, document, issuer=first) == "revoked"


def test_issuer_asked_about_is_the_documents_even_when_it_is_anchored_here(api: Api, dids: Any) -> None:
    first, second, _, _ = dids
    document = signed(api, credential(), RDFC)
    anchored(api.issuer, api, document)
    assert outcome(api, document, issuer=None) == "valid"
    for expected in (MIT, second, THIEVES_DID):
        assert outcome(api, document, issuer=expected) == "not_found"
    del first


def test_document_cannot_be_sent_along_in_the_place_of_one_of_this_servers(api: Api, dids: Any) -> None:
    first, _, _, _ = dids
    forged = signed(api, credential(issuer=first), method=f"{first}#key-1")
    place = f"{api.app.identity.base()}/issuers/{api.address}/did.json"
    for url in (place, place.replace("http://", "https://")):
        documents = {url: did_document(first)}
        assert outcome(api, forged, issuer=first, documents=documents) == "invalid"


def test_award_whose_status_or_dates_are_hidden_is_invalid(api: Api) -> None:
    """An award of this server, with all that belongs to it."""
    achievement = {"name": "Welding", "description": "Can weld.", "criteria": {"narrative": "Weld."}}
    made = api.issuer.post("/v1/achievements", json=achievement).json()
    award = {"recipient": {"email": "ada@college.example"}, "achievement_id": made["id"]}
    award |= {"expires_on": "2999-01-01"}
    sent = api.issuer.post("/v1/awards", json={"awards": [award]}, headers={"Prefer": "wait=60"})
    assert sent.status_code in (200, 201, 202), sent.text
    award_id = api.issuer.get("/v1/awards").json()["items"][0]["id"]
    document = api.issuer.get(f"/v1/awards/{award_id}").json()["credential"]
    assert outcome(api, document, issuer=None) in ("valid", "pending")
    iri = "https://www.w3.org/2018/credentials#"
    date = "http://www.w3.org/2001/XMLSchema#dateTime"
    for name in ("credentialStatus", "validUntil"):
        hidden = dict(document)
        value = hidden.pop(name)
        hidden[iri + name] = {"@value": value, "@type": date} if isinstance(value, str) else value
        assert refused_or_bad(api, hidden, issuer=None) == "invalid"
    assert METHOD not in json.dumps(document)
    assert LIST not in json.dumps(document)
    assert status_list(api)["issuer"] == DID
