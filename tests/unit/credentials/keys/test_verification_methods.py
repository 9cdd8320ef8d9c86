"""From a verification method's name to its key: hostile names and documents first, then the known forms."""

from __future__ import annotations

import base64
import json
from typing import Any

import base58
import pytest

from registry.credentials.controllers import MAX_DOCUMENT_BYTES, MAX_METHODS, read_controller
from registry.credentials.key_pairs import KeyPair
from registry.credentials.keys import KeyType
from registry.credentials.verification_methods import did_key_method, document_url, resolve_method
from registry.errors import (
    MalformedInputError,
    TooLargeError,
    UnavailableSourceError,
    UnsupportedKeyError,
    ValidationError,
)
from tests.unit.credentials.suites.parts import ED, P256, P384, SECP256K1, FakeDocuments, did_document

DID = "did:web:issuer.example"
URL = "https://issuer.example/.well-known/did.json"
KEY = f"{DID}#key-1"


def _resolve(document: Any, method_id: str = KEY, url: str = URL) -> Any:
    return resolve_method(method_id, FakeDocuments({url: document}))


def _with_method(**changes: Any) -> dict[str, Any]:
    document = did_document(DID, ED)
    method = {**document["verificationMethod"][0], **changes}
    document["verificationMethod"] = [{name: value for name, value in method.items() if value is not None}]
    return document


# --- did:web addresses --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "did",
    [
        "did:web:",
        "did:web::a",
        "did:web:issuer.example:",
        "did:web:issuer.example::a",
        "did:web:issuer.example:..",
        "did:web:issuer.example:a:..:b",
        "did:web:issuer.example:%2e%2e",
        "did:web:issuer.example:a%2Fb",
        "did:web:issuer.example:a%5Cb",
        "did:web:issuer.example:a%00",
        "did:web:issuer.example:a%0A",
        "did:web:issuer.example/path",
        "did:web:issuer.example?query",
        "did:web:user@issuer.example",
        "did:web:user%40issuer.example",
        "did:web:issuer.example%3A",
        "did:web:issuer.example%3A123456",
        "did:web:issuer.example%3A80%3A80",
        "did:web:issuer..example",
        "did:web:.example",
        "did:web:[::1]",
        "did:web:issuer.example\n",
        "did:web:\u0131ssuer.example",
        "did:web:issuer.example:" + "a" * 2048,
    ],
)
def test_did_web_is_refused_when_it_names_no_plain_host_and_path(did: str) -> None:
    documents = FakeDocuments()
    with pytest.raises(ValidationError):
        resolve_method(f"{did}#key-1", documents)
    assert documents.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "http://issuer.example/a",
        "https://user@issuer.example/a",
        "https://issuer.example@evil.example/a",
        "https:///a",
        "https://issuer.example:port/a",
        "https://issuer.example/a b",
        "https://issuer.example\\@evil.example/",
        "https://[::1/a",
        "https://issuer.example/é",
        "file:///etc/passwd",
        "ftp://issuer.example/a",
        "//issuer.example/a",
        "urn:uuid:1",
        "did:key",
        "did:",
        "HTTPS://issuer.example/a",
        "",
    ],
)
def test_url_is_refused_when_it_is_not_plain_https(url: str) -> None:
    documents = FakeDocuments()
    with pytest.raises(ValidationError):
        resolve_method(f"{url}#key-1", documents)
    assert documents.asked == []


@pytest.mark.parametrize(
    ("identifier", "url"),
    [
        ("did:web:w3c-ccg.github.io", "https://w3c-ccg.github.io/.well-known/did.json"),
        ("did:web:w3c-ccg.github.io:user:alice", "https://w3c-ccg.github.io/user/alice/did.json"),
        ("did:web:example.com%3A3000:user:alice", "https://example.com:3000/user/alice/did.json"),
        ("did:web:localhost%3A8000:issuers:0xab", "http://localhost:8000/issuers/0xab/did.json"),
        ("did:web:127.0.0.1%3a8000", "http://127.0.0.1:8000/.well-known/did.json"),
        ("https://vc.example/issuers/5678", "https://vc.example/issuers/5678"),
        ("http://localhost:8000/issuers/1", "http://localhost:8000/issuers/1"),
    ],
)
def test_document_is_looked_for_where_the_specification_says(identifier: str, url: str) -> None:
    assert document_url(identifier) == url


@pytest.mark.parametrize("did", ["did:ion:abc", "did:example:123", "did:ethr:0xab", "did:x:y:z"])
def test_other_did_methods_are_unsupported(did: str) -> None:
    with pytest.raises(UnsupportedKeyError):
        resolve_method(f"{did}#key-1", FakeDocuments())


def test_document_that_is_not_at_hand_is_unavailable_and_named() -> None:
    with pytest.raises(UnavailableSourceError, match=URL.replace(".", r"\.")):
        resolve_method(KEY, FakeDocuments())


# --- did:key and did:jwk ------------------------------------------------------------------------------------


@pytest.mark.parametrize("pair", [ED, P256, P384, SECP256K1], ids=lambda pair: pair.public.kind.value)
def test_did_key_is_its_own_document(pair: KeyPair) -> None:
    documents = FakeDocuments()
    method = resolve_method(did_key_method(pair.public), documents)
    assert method.key == pair.public
    assert method.id == f"{method.controller}#{pair.public.to_multikey()}"
    assert "assertionMethod" in method.purposes
    assert "keyAgreement" not in method.purposes
    assert documents.asked == []


def test_did_key_is_refused_when_its_fragment_is_another_or_missing() -> None:
    key, other = ED.public.to_multikey(), P256.public.to_multikey()
    for method_id in [f"did:key:{key}", f"did:key:{key}#", f"did:key:{key}#{other}", f"did:key:{key}#key-1"]:
        with pytest.raises(ValidationError):
            resolve_method(method_id, FakeDocuments())


def _did_jwk(jwk: object) -> str:
    return "did:jwk:" + base64.urlsafe_b64encode(json.dumps(jwk).encode()).decode().rstrip("=")


def test_did_jwk_is_its_own_document() -> None:
    method = resolve_method(_did_jwk(P256.public.to_jwk()) + "#0", FakeDocuments())
    assert method.key == P256.public
    assert method.controller == _did_jwk(P256.public.to_jwk())


def test_did_jwk_is_refused_when_private_or_not_a_key_or_of_another_fragment() -> None:
    for method_id in [
        _did_jwk(P256.private_jwk()) + "#0",
        _did_jwk({**P256.public.to_jwk(), "use": "enc"}) + "#0",
        _did_jwk([]) + "#0",
        _did_jwk(P256.public.to_jwk()) + "#1",
        _did_jwk(P256.public.to_jwk()),
        "did:jwk:!!#0",
        "did:jwk:AAAA#0",
    ]:
        with pytest.raises(MalformedInputError):
            resolve_method(method_id, FakeDocuments())


# --- controller documents -----------------------------------------------------------------------------------


def _hostile_documents() -> list[tuple[str, Any]]:
    plain = did_document(DID, ED)
    method = plain["verificationMethod"][0]
    return [
        ("not json", b"{"),
        ("duplicate members", b'{"id":"did:web:evil.example","id":"did:web:issuer.example"}'),
        ("a list", [plain]),
        ("no id", {**plain, "id": None}),
        ("id of another", {**plain, "id": "did:web:evil.example"}),
        ("no methods", {"id": DID, "assertionMethod": [KEY]}),
        ("method of another id", _with_method(id=f"{DID}#key-2")),
        ("method without id", _with_method(id=None)),
        ("method id a number", _with_method(id=1)),
        ("method a number", {**plain, "verificationMethod": [1]}),
        ("relationship a number", {**plain, "assertionMethod": [1]}),
        ("same method twice", {**plain, "verificationMethod": [method, method]}),
        ("same method embedded", {**plain, "assertionMethod": [method]}),
        (
            "relative and absolute twice",
            {**plain, "verificationMethod": [method, {**method, "id": "#key-1"}]},
        ),
        ("controller of another", _with_method(controller="did:web:other.example")),
        ("no controller", _with_method(controller=None)),
        ("no type", _with_method(type=None)),
        ("unknown type", _with_method(type="Bls12381G2Key2020")),
        ("type a list", _with_method(type=["Multikey"])),
        ("no key", _with_method(publicKeyMultibase=None)),
        ("two keys", _with_method(publicKeyJwk=ED.public.to_jwk())),
        ("secret key", _with_method(secretKeyMultibase="z3u2")),
        ("key of another kind than the type", _with_method(type="EcdsaSecp256k1VerificationKey2019")),
        ("account id only", _with_method(publicKeyMultibase=None, blockchainAccountId="eip155:1:0xab")),
        ("expires not a time", _with_method(expires="soon")),
        ("base58 without a kind", _with_method(publicKeyMultibase=None, publicKeyBase58="abc")),
        (
            "base58 a number",
            _with_method(type="Ed25519VerificationKey2018", publicKeyMultibase=None, publicKeyBase58=5),
        ),
        (
            "hex of odd length",
            _with_method(type="Ed25519VerificationKey2018", publicKeyMultibase=None, publicKeyHex="abc"),
        ),
        ("too many methods", {**plain, "verificationMethod": [{}] * (MAX_METHODS + 1)}),
    ]


@pytest.mark.parametrize(
    ("name", "document"), _hostile_documents(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_method_is_refused_when_its_document_is_wrong(name: str, document: Any) -> None:
    with pytest.raises(MalformedInputError):
        _resolve(document)


def test_document_over_the_limit_is_refused() -> None:
    with pytest.raises(TooLargeError):
        read_controller(b" " * (MAX_DOCUMENT_BYTES + 1), DID)


def test_controller_of_a_great_length_is_refused() -> None:
    with pytest.raises(ValidationError):
        document_url("https://issuer.example/" + "a" * 2048)


def test_empty_fragment_is_refused_before_anything_is_asked() -> None:
    documents = FakeDocuments({URL: did_document(DID, ED)})
    with pytest.raises(ValidationError):
        resolve_method(f"{DID}#", documents)
    assert documents.asked == []


def test_purposes_are_those_that_list_the_method() -> None:
    assert _resolve(did_document(DID, ED)).purposes == {"assertionMethod"}
    assert _resolve(did_document(DID, ED, assertionMethod=[])).purposes == set()
    assert _resolve(did_document(DID, ED, authentication="#key-1", assertionMethod=None)).purposes == {
        "authentication"
    }


def test_method_is_found_when_relative_or_embedded() -> None:
    assert _resolve(_with_method(id="#key-1")).id == KEY
    document = did_document(DID, ED)
    embedded = {**document, "assertionMethod": document["verificationMethod"], "verificationMethod": []}
    assert _resolve(embedded).purposes == {"assertionMethod"}
    assert _resolve({**document, "verificationMethod": document["verificationMethod"][0]}).key == ED.public


def test_unreadable_neighbours_do_not_spoil_a_method() -> None:
    document = did_document(DID, ED)
    strange = {"id": f"{DID}#bls", "type": "Bls12381G2Key2020", "controller": DID}
    document["verificationMethod"].insert(0, strange)
    assert _resolve(document).key == ED.public
    read = read_controller(json.dumps(document).encode(), DID)
    assert [method.id for method in read.readable_methods()] == [KEY]


@pytest.mark.parametrize(
    ("pair", "members"),
    [
        (ED, {"type": "Ed25519VerificationKey2020", "publicKeyMultibase": ED.public.to_multikey()}),
        (
            ED,
            {
                "type": "Ed25519VerificationKey2018",
                "publicKeyBase58": base58.b58encode(ED.public.raw).decode(),
            },
        ),
        (ED, {"type": "JsonWebKey2020", "publicKeyJwk": ED.public.to_jwk()}),
        (P256, {"type": "JsonWebKey", "publicKeyJwk": P256.public.to_jwk()}),
        (P384, {"type": "Multikey", "publicKeyMultibase": P384.public.to_multikey()}),
        (
            SECP256K1,
            {"type": "EcdsaSecp256k1VerificationKey2019", "publicKeyHex": SECP256K1.public.raw.hex()},
        ),
        (
            SECP256K1,
            {"type": "EcdsaSecp256k1VerificationKey2019", "publicKeyJwk": SECP256K1.public.to_jwk()},
        ),
    ],
)
def test_key_is_read_from_every_known_form(pair: KeyPair, members: dict[str, Any]) -> None:
    document = _with_method(publicKeyMultibase=None)
    document["verificationMethod"][0].update(members)
    assert _resolve(document).key == pair.public


def test_rsa_key_is_read_from_a_jwk() -> None:
    pair = KeyPair.generate(KeyType.RSA)
    document = _with_method(publicKeyMultibase=None, type="JsonWebKey", publicKeyJwk=pair.public.to_jwk())
    assert _resolve(document).key == pair.public


# --- methods with a document of their own -------------------------------------------------------------------

ALONE = "https://issuer.example/keys/1"
CONTROLLER = "https://issuer.example/issuers/1"


def _alone(**changes: Any) -> dict[str, Any]:
    method = {
        "id": ALONE,
        "type": "Multikey",
        "controller": CONTROLLER,
        "publicKeyMultibase": ED.public.to_multikey(),
    }
    return {**method, **changes}


def test_method_alone_counts_when_its_controller_lists_it() -> None:
    controller = {"id": CONTROLLER, "assertionMethod": [ALONE]}
    method = resolve_method(ALONE, FakeDocuments({ALONE: _alone(), CONTROLLER: controller}))
    assert (method.controller, method.key, method.purposes) == (CONTROLLER, ED.public, {"assertionMethod"})


def test_method_alone_is_refused_when_its_controller_does_not_list_it() -> None:
    for document, controller in [
        (_alone(), {"id": CONTROLLER, "assertionMethod": [f"{CONTROLLER}#key-1"]}),
        (_alone(), {"id": "https://issuer.example/issuers/2", "assertionMethod": [ALONE]}),
        (_alone(id="https://issuer.example/keys/2"), {"id": CONTROLLER, "assertionMethod": [ALONE]}),
        (_alone(controller=None), {"id": CONTROLLER, "assertionMethod": [ALONE]}),
        (_alone(controller="did:key:z6Mk"), {"id": CONTROLLER, "assertionMethod": [ALONE]}),
        ([], {"id": CONTROLLER, "assertionMethod": [ALONE]}),
    ]:
        with pytest.raises(ValidationError):
            resolve_method(ALONE, FakeDocuments({ALONE: document, CONTROLLER: controller}))
