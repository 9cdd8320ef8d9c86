"""What is published about an issuer: shapes, order, and what must not be in there."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from registry.chain.keystore import LocalSigner
from registry.credentials.did_documents import (
    AnchoringKey,
    anchoring_method_id,
    issuer_document,
    issuer_profile,
    key_document,
    signing_method_id,
)
from registry.credentials.key_pairs import KeyPair
from registry.credentials.keys import KeyType, PublicKey
from registry.encoding import AccountId, Address, ChainId
from registry.errors import ValidationError
from registry.model.issuers import Issuer, IssuerState
from registry.model.signing_keys import SigningKey, SigningKeyKind

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
ISSUER = Address(bytes.fromhex("ab" * 20))
ACCOUNT = AccountId(ChainId(31337), ISSUER)
BASE = "https://host.example:8443"
DID = f"did:web:host.example%3A8443:issuers:0x{'ab' * 20}"
URL = f"{BASE}/issuers/0x{'ab' * 20}"
ED25519 = KeyPair.from_private_bytes(KeyType.ED25519, b"\x01" * 32).public
P256 = KeyPair.from_private_bytes(KeyType.P256, b"\x01" * 32).public
RSA = KeyPair.generate(KeyType.RSA).public
FIRST, SECOND = LocalSigner(b"\x02" * 32), LocalSigner(b"\x03" * 32)


def signing(kind: SigningKeyKind, key: PublicKey, retired_at: datetime | None = None) -> SigningKey:
    return SigningKey(ISSUER, key.raw, kind, NOW, retired_at)


def anchoring(number: int, signer: LocalSigner, **changes: Any) -> AnchoringKey:
    fields: dict[str, Any] = {
        "number": number,
        "account": signer.address,
        "public_key": signer.public_key,
        "added_at": NOW,
        "valid_until": None,
    }
    return AnchoringKey(**(fields | changes))


KEYS = [
    signing(SigningKeyKind.ED25519, ED25519, LATER),
    signing(SigningKeyKind.P256, P256),
    signing(SigningKeyKind.RSA2048, RSA),
]
CHAIN_KEYS = [anchoring(1, FIRST, valid_until=LATER), anchoring(2, SECOND)]


def document(keys: list[SigningKey] = KEYS, chain_keys: list[AnchoringKey] = CHAIN_KEYS) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(issuer_document(BASE, ACCOUNT, keys, chain_keys)))
    return found


def test_no_method_ends_and_none_is_left_out_for_being_retired() -> None:
    found = document()
    assert len(found["verificationMethod"]) == 5
    text = json.dumps(found)
    for word in ("expires", "revoked", "retired"):
        assert word not in text


def test_key_without_a_known_public_key_is_left_out_and_the_numbers_stay() -> None:
    unknown = anchoring(1, FIRST, public_key=None)
    found = document([], [unknown, CHAIN_KEYS[1]])
    assert [method["id"] for method in found["verificationMethod"]] == [f"{DID}#chain-2"]
    assert anchoring_method_id(DID, unknown) is None


def test_context_begins_with_the_did_context() -> None:
    assert document()["@context"] == [
        "https://www.w3.org/ns/did/v1",
        "https://w3id.org/security/jwk/v1",
        "https://w3id.org/security/multikey/v1",
    ]
    assert document()["id"] == DID


def test_ed25519_method_is_a_json_web_key_named_by_its_multibase() -> None:
    method = document()["verificationMethod"][0]
    assert method == {
        "id": f"{DID}#{ED25519.to_multikey()}",
        "type": "JsonWebKey",
        "controller": DID,
        "publicKeyJwk": ED25519.to_jwk(),
    }
    assert "#z6Mk" in method["id"]


def test_p256_is_named_by_its_multibase_and_rsa_by_its_thumbprint() -> None:
    _, p256, rsa, *_ = document()["verificationMethod"]
    assert (p256["id"], p256["type"]) == (f"{DID}#{P256.to_multikey()}", "JsonWebKey")
    assert (rsa["id"], rsa["publicKeyJwk"]) == (f"{DID}#{RSA.thumbprint()}", RSA.to_jwk())
    assert [signing_method_id(DID, key) for key in KEYS[1:]] == [p256["id"], rsa["id"]]


def test_anchoring_keys_are_multikeys_numbered_in_their_order() -> None:
    methods = document()["verificationMethod"][3:]
    assert [method["id"] for method in methods] == [f"{DID}#chain-1", f"{DID}#chain-2"]
    for method, signer in zip(methods, (FIRST, SECOND), strict=True):
        assert method["type"] == "Multikey"
        key = PublicKey.from_multikey(method["publicKeyMultibase"])
        assert (key.kind, key.raw) == (KeyType.SECP256K1, signer.public_key)


def test_every_method_may_assert_by_its_absolute_id() -> None:
    found = document()
    assert found["assertionMethod"] == [method["id"] for method in found["verificationMethod"]]
    assert all(method_id.startswith(f"{DID}#") for method_id in found["assertionMethod"])


def test_profile_is_a_service_and_the_account_is_the_same_subject() -> None:
    found = document([], [])
    assert found["service"] == [
        {"id": f"{DID}#profile", "type": "IssuerProfile", "serviceEndpoint": f"{URL}/profile.json"}
    ]
    assert found["alsoKnownAs"] == [f"did:pkh:eip155:31337:0x{'ab' * 20}"]
    assert found["verificationMethod"] == found["assertionMethod"] == []


# --- did:key ------------------------------------------------------------------------------------------------


def test_rsa_has_no_did_key() -> None:
    with pytest.raises(ValidationError):
        key_document(RSA)


@pytest.mark.parametrize("key", [ED25519, P256], ids=["Ed25519", "P-256"])
def test_did_key_document_has_one_method_for_everything(key: PublicKey) -> None:
    found = key_document(key)
    name = key.to_multikey()
    assert found["id"] == f"did:key:{name}"
    (method,) = json.loads(json.dumps(found["verificationMethod"]))
    assert method == {
        "id": f"did:key:{name}#{name}",
        "type": "Multikey",
        "controller": f"did:key:{name}",
        "publicKeyMultibase": name,
    }
    assert found["assertionMethod"] == found["authentication"] == [method["id"]]


# --- the profile --------------------------------------------------------------------------------------------


def profile(email: str | None = None) -> dict[str, Any]:
    issuer = Issuer(
        ISSUER, "College", "https://college.example", IssuerState.ACTIVE, FIRST.address, True, NOW, email
    )
    found: dict[str, Any] = json.loads(json.dumps(issuer_profile(BASE, issuer, CHAIN_KEYS)))
    return found


def test_profile_names_every_anchoring_key_with_its_end() -> None:
    assert profile()["publicKey"] == [
        {
            "id": f"ecdsa-koblitz-pubkey:0x{FIRST.address.hex()}",
            "created": "2026-11-23T03:59:59Z",
            "revoked": "2026-11-24T04:00:00Z",
        },
        {"id": f"ecdsa-koblitz-pubkey:0x{SECOND.address.hex()}", "created": "2026-11-23T03:59:59Z"},
    ]


def test_profile_names_itself_and_the_list_of_what_is_revoked() -> None:
    found = profile()
    assert found["@context"] == ["https://w3id.org/openbadges/v2", "https://w3id.org/blockcerts/v3"]
    assert (found["type"], found["id"]) == ("Profile", f"{URL}/profile.json")
    assert (found["name"], found["url"]) == ("College", "https://college.example")
    assert found["revocationList"] == f"{URL}/revocation-list.json"


def test_profile_has_an_email_only_where_one_is_known() -> None:
    assert "email" not in profile()
    assert profile("registrar@college.example")["email"] == "registrar@college.example"
