"""Whether chain and DID document name each other; documents are a stranger's, and nothing in them raises."""

from __future__ import annotations

from typing import Any

import pytest

from registry.chain.keystore import LocalSigner
from registry.credentials.agreement import AgreementState, agreement
from registry.credentials.key_pairs import KeyPair
from registry.credentials.keys import KeyType, PublicKey
from registry.encoding import AccountId, Address, ChainId

ISSUER = Address(bytes.fromhex("ab" * 20))
ACCOUNT = AccountId(ChainId(1), ISSUER)
DID = "did:web:college.example"
KEY = LocalSigner(b"\x02" * 32)
MULTIKEY = PublicKey.from_raw(KeyType.SECP256K1, KEY.public_key).to_multikey()
METHOD = {"id": f"{DID}#chain-1", "type": "Multikey", "controller": DID, "publicKeyMultibase": MULTIKEY}


def state(
    document: dict[str, Any], uri: str | None = DID, keys: list[Address] | None = None
) -> AgreementState:
    found = agreement(ACCOUNT, uri, document, keys or [])
    assert found.detail
    return found.state


def named(*accounts: str) -> dict[str, Any]:
    return {"id": DID, "alsoKnownAs": list(accounts)}


@pytest.mark.parametrize("uri", [None, ""])
def test_account_that_names_nothing_agrees_with_nothing(uri: str | None) -> None:
    assert state(named(f"did:pkh:{ACCOUNT}"), uri) is AgreementState.CHAIN_SILENT


@pytest.mark.parametrize("uri", ["did:web:other.example", DID + "/", DID.upper(), "https://college.example"])
def test_account_that_names_another_did_differs_whatever_the_document_says(uri: str) -> None:
    assert state(named(f"did:pkh:{ACCOUNT}"), uri) is AgreementState.CHAIN_DIFFERS


def test_document_without_the_account_is_silent() -> None:
    assert state({"id": DID}) is AgreementState.DOCUMENT_SILENT


def test_same_address_on_another_chain_is_not_the_account() -> None:
    assert state(named(f"did:pkh:eip155:5:0x{'ab' * 20}")) is AgreementState.DOCUMENT_SILENT


def test_another_account_on_the_chain_differs() -> None:
    assert state(named(f"did:pkh:eip155:1:0x{'cd' * 20}")) is AgreementState.DOCUMENT_DIFFERS


def test_both_naming_each_other_agree_in_any_case_of_the_address() -> None:
    assert state(named("https://college.example", f"did:pkh:{ACCOUNT}")) is AgreementState.BOTH
    assert state(named(f"did:pkh:eip155:1:0x{'AB' * 20}")) is AgreementState.BOTH


def test_key_of_the_issuer_among_those_that_assert_agrees() -> None:
    document = {"id": DID, "verificationMethod": [METHOD], "assertionMethod": [METHOD["id"]]}
    assert state(document, keys=[KEY.address]) is AgreementState.BOTH
    assert state({"id": DID, "assertionMethod": [METHOD]}, keys=[KEY.address]) is AgreementState.BOTH
    jwk = {"id": "#k", "publicKeyJwk": PublicKey.from_multikey(MULTIKEY).to_jwk()}
    assert state({"id": DID, "assertionMethod": [jwk]}, keys=[KEY.address]) is AgreementState.BOTH


def test_key_that_may_not_assert_or_is_not_the_issuers_proves_nothing() -> None:
    document = {"id": DID, "verificationMethod": [METHOD], "authentication": [METHOD["id"]]}
    assert state(document, keys=[KEY.address]) is AgreementState.DOCUMENT_SILENT
    asserting = document | {"assertionMethod": [METHOD["id"]]}
    assert state(asserting, keys=[ISSUER]) is AgreementState.DOCUMENT_SILENT


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"id": None},
        {"id": DID, "alsoKnownAs": "did:pkh:eip155:1:0x"},
        {"id": DID, "alsoKnownAs": [None, 7, {}, "did:pkh:", "did:pkh:eip155:1:0xzz", "did:pkh:solana:x:y"]},
        {"id": DID, "assertionMethod": {}, "verificationMethod": [None, [], 3, {"id": []}, {"id": {}}]},
        {"id": DID, "assertionMethod": [{"id": "x"}, {"id": 5}, {"id": "y", "publicKeyMultibase": 5}]},
        {"id": DID, "assertionMethod": [{"id": "x", "publicKeyMultibase": "z" + "1" * 9_000}]},
        {"id": DID, "assertionMethod": [{"id": "x", "publicKeyJwk": {"kty": "EC", "crv": "secp256k1"}}]},
    ],
)
def test_odd_document_never_raises_and_never_agrees(document: dict[str, Any]) -> None:
    assert state(document, keys=[KEY.address]) in (
        AgreementState.CHAIN_DIFFERS,
        AgreementState.DOCUMENT_SILENT,
    )


def test_key_of_another_kind_is_no_account() -> None:
    ed25519 = KeyPair.from_private_bytes(KeyType.ED25519, b"\x01" * 32).public.to_multikey()
    document = {"id": DID, "assertionMethod": [{"id": "x", "publicKeyMultibase": ed25519}]}
    assert state(document, keys=[KEY.address]) is AgreementState.DOCUMENT_SILENT


def test_more_than_the_first_hundred_entries_are_not_looked_at() -> None:
    filler = ["https://college.example"] * 100
    assert state(named(*filler, f"did:pkh:{ACCOUNT}")) is AgreementState.DOCUMENT_SILENT


def test_agreement_has_no_truth_value() -> None:
    with pytest.raises(TypeError):
        bool(agreement(ACCOUNT, DID, named()))
