"""Blockcerts 3: published certificates, our own exports, and everything that must not pass."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import base58
import pytest
from eth_keys.datatypes import PrivateKey

from registry.credentials.findings import Examination, Presented
from registry.credentials.formats.blockcerts import Blockcerts
from registry.credentials.keys import KeyType, PublicKey
from registry.credentials.merkle_proof_2019 import (
    Ledger,
    MerkleProof2019,
    ProofAnchor,
    anchor_proof,
    decode_proof_value,
    encode_proof_value,
    inclusion_proof_of,
)
from registry.credentials.rdf import RdfCanonicalizer, rdf_digest
from registry.encoding import Address, Digest, DigestMethod, Root, Salt, TxHash, parse_json, to_hex
from registry.merkle import (
    InclusionPass,
    InclusionProof,
    Side,
    path_length,
    root_from_proof,
    verify_inclusion,
)
from registry.ports.ledgers import LedgerTransaction
from registry.verdict.report import CheckName, CheckResult, Outcome
from tests.support.anchored import FakeDocuments, FakeLedgers, only, outcome, results, tools

VECTORS = Path(__file__).resolve().parents[3] / "vectors" / "blockcerts"
SEPOLIA = 11155111
ISSUER = "https://issuer.example/profile.json"
DID = "did:web:issuer.example"
REVOKED = "https://issuer.example/revoked.json"
KEY = PrivateKey(sha256(b"anchoring key").digest())
ACCOUNT = Address(KEY.public_key.to_canonical_address())
OTHER = Address(b"\x77" * 20)
TX = b"\xab" * 32
AT = datetime(2026, 11, 24, 10, tzinfo=UTC)
MULTIKEY = PublicKey.from_raw(KeyType.SECP256K1, KEY.public_key.to_compressed_bytes()).to_multikey()
SIBLING = sha256(b"sibling").digest()


def load(name: str) -> dict[str, Any]:
    document = parse_json((VECTORS / f"{name}.json").read_bytes())
    assert isinstance(document, dict)
    return document


def credential(issuer: str = ISSUER, **other: Any) -> dict[str, Any]:
    return {
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://w3id.org/blockcerts/v3.2"],
        "id": "urn:uuid:7f0c6d2e-1c44-4f0e-8f5a-3c2d5f5c9a10",
        "type": ["VerifiableCredential", "BlockcertsCredential"],
        "issuer": issuer,
        "validFrom": "2026-11-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:holder", "name": "Ada Example"},
        **other,
    }


def profile(**other: Any) -> dict[str, Any]:
    return {
        "@context": ["https://w3id.org/openbadges/v2", "https://w3id.org/blockcerts/v3"],
        "type": "Profile",
        "id": ISSUER,
        "name": "Example School",
        "publicKey": [{"id": f"ecdsa-koblitz-pubkey:{to_hex(ACCOUNT)}", "created": "2026-01-01T00:00:00Z"}],
        "revocationList": REVOKED,
        **other,
    }


def did_document(**other: Any) -> dict[str, Any]:
    return {
        "@context": ["https://www.w3.org/ns/did/v1"],
        "id": DID,
        "verificationMethod": [
            {"id": f"{DID}#chain-1", "type": "Multikey", "controller": DID, "publicKeyMultibase": MULTIKEY}
        ],
        "assertionMethod": [f"{DID}#chain-1"],
        "service": [{"id": f"{DID}#profile", "type": "IssuerProfile", "serviceEndpoint": ISSUER}],
        **other,
    }


@dataclass
class World:
    """A credential, anchored; what the tests change before they look at it."""

    canonicalizer: RdfCanonicalizer
    document: dict[str, Any]
    value: MerkleProof2019
    transaction: LedgerTransaction
    profile: dict[str, Any] = field(default_factory=profile)
    did: dict[str, Any] = field(default_factory=did_document)
    revoked: Any = field(default_factory=lambda: {"revokedAssertions": []})
    ledgers: FakeLedgers = field(default_factory=lambda: FakeLedgers(chain_id=SEPOLIA))
    known: dict[str, bytes] = field(default_factory=dict)
    method: str = f"{ISSUER}#chain-1"

    def examine(self, **proof: Any) -> Examination:
        if "proof" not in self.document:
            self.document["proof"] = {
                "type": "DataIntegrityProof",
                "cryptosuite": "merkle-proof-2019",
                "created": "2026-11-24T10:00:00Z",
                "proofPurpose": "assertionMethod",
                "verificationMethod": self.method,
                "proofValue": encode_proof_value(self.value),
                **proof,
            }
        self.ledgers.transactions.setdefault(TX, self.transaction)
        documents = {
            ISSUER: json.dumps(self.profile).encode(),
            "https://issuer.example/.well-known/did.json": json.dumps(self.did).encode(),
            REVOKED: self.revoked if isinstance(self.revoked, bytes) else json.dumps(self.revoked).encode(),
            **self.known,
        }
        presented = Presented(document=self.document)
        assert Blockcerts().recognises(presented)
        return Blockcerts().examine(
            presented,
            tools(
                ledgers=self.ledgers,
                documents=FakeDocuments({url: data for url, data in documents.items() if data}),
                canonicalizer=self.canonicalizer,
            ),
        )


def anchored(canonicalizer: RdfCanonicalizer, document: dict[str, Any]) -> World:
    target = rdf_digest(canonicalizer, document)
    root = sha256(target + SIBLING).digest()
    anchor = ProofAnchor(Ledger.ETHEREUM, SEPOLIA, TX)
    value = MerkleProof2019(root, target, ((Side.RIGHT, SIBLING),), (anchor,))
    transaction = LedgerTransaction(ACCOUNT, OTHER, root, 7, AT, final=True)
    return World(canonicalizer, document, value, transaction)


@pytest.fixture
def world(canonicalizer: RdfCanonicalizer) -> World:
    return anchored(canonicalizer, credential())


@pytest.fixture
def did_world(canonicalizer: RdfCanonicalizer) -> World:
    made = anchored(canonicalizer, credential(DID))
    made.method = f"{DID}#chain-1"
    return made


def failed(
    examination: Examination, check: CheckName, words: str, leads_to: Outcome = Outcome.INVALID
) -> None:
    finding = only(examination, check)
    assert words in finding.detail
    assert (finding.result, finding.outcome) == (CheckResult.FAIL, leads_to)
    assert outcome(examination) is leads_to


def unknown(examination: Examination, check: CheckName, words: str) -> None:
    finding = only(examination, check)
    assert finding.result is CheckResult.UNKNOWN
    assert words in finding.detail
    assert outcome(examination) is Outcome.INDETERMINATE


# --- the document -------------------------------------------------------------------------------------------


def test_changed_subject_fails_integrity_and_asks_no_chain(world: World) -> None:
    world.document["credentialSubject"]["id"] = "did:example:thief"
    world.ledgers.chain_id = 0  # asking it would be unknown
    examination = world.examine()
    failed(examination, CheckName.INTEGRITY, "not what was anchored")
    assert "anchor" not in results(examination)


def test_term_that_no_context_defines_fails_integrity(world: World) -> None:
    world.document["honours"] = "first class"
    failed(world.examine(), CheckName.INTEGRITY, "honours")


def test_context_that_is_not_known_leaves_integrity_unknown(world: World) -> None:
    world.document["@context"].append("https://elsewhere.example/context.json")
    unknown(world.examine(), CheckName.INTEGRITY, "was not compared")


def test_proof_for_another_target_fails_integrity(world: World) -> None:
    target = sha256(b"another").digest()
    world.value = replace(world.value, target=target, root=sha256(target + SIBLING).digest())
    failed(world.examine(), CheckName.INTEGRITY, "not what was anchored")


def test_path_to_another_root_fails_inclusion(world: World) -> None:
    world.value = replace(world.value, path=((Side.LEFT, SIBLING),))
    failed(world.examine(), CheckName.INCLUSION, "another root")


@pytest.mark.parametrize("value", [None, 7, "", "z", "zzzz", "z" + "2" * 20_000, "m" + "A" * 99])
def test_proof_value_that_is_none_fails_format(world: World, value: object) -> None:
    findings = [f for f in world.examine(proofValue=value).findings if f.check is CheckName.FORMAT]
    assert findings[-1].result is CheckResult.FAIL
    assert "proofValue" in findings[-1].detail


@pytest.mark.parametrize(
    "raw", ["9b1000000000000000", "81" * 3000 + "00", "c4821a3fffffff01", "d81c81d81d00"]
)
def test_cbor_bomb_fails_format(world: World, raw: str) -> None:
    value = "z" + base58.b58encode(bytes.fromhex(raw)).decode()
    findings = [f for f in world.examine(proofValue=value).findings if f.check is CheckName.FORMAT]
    assert findings[-1].result is CheckResult.FAIL


@pytest.mark.parametrize("proof", [[], ["x"], [{}] * 17, "x", None])
def test_proofs_of_another_form_never_pass(world: World, proof: object) -> None:
    world.document["proof"] = proof
    assert outcome(world.examine()) is Outcome.INVALID


def test_blockcerts_credential_without_an_anchor_fails(world: World) -> None:
    world.document["proof"] = {"type": "Ed25519Signature2020"}
    assert only(world.examine(), CheckName.ANCHOR).result is CheckResult.FAIL


# --- the transaction ----------------------------------------------------------------------------------------


def test_root_inside_other_call_data_fails(world: World) -> None:
    root = world.value.root
    for data in (b"\x12\x34\x56\x78" + root, root + bytes(32), root + root):
        world.ledgers.transactions[TX] = replace(world.transaction, input=data)
        failed(world.examine(), CheckName.ANCHOR, "somewhere in its data")


@pytest.mark.parametrize("data", [b"", bytes(32), b"\x01" * 31])
def test_transaction_with_other_data_fails(world: World, data: bytes) -> None:
    world.ledgers.transactions[TX] = replace(world.transaction, input=data)
    examination = world.examine()
    failed(examination, CheckName.ANCHOR, "is not its root")
    assert only(examination, CheckName.SIGNATURE).result is CheckResult.UNKNOWN


def test_transaction_that_is_not_there_is_not_found(world: World) -> None:
    world.value = replace(world.value, anchors=(ProofAnchor(Ledger.ETHEREUM, SEPOLIA, b"\xcd" * 32),))
    failed(world.examine(), CheckName.ANCHOR, "0x" + "cd" * 32, Outcome.NOT_FOUND)


def test_transaction_on_a_chain_that_is_not_configured_is_unknown_and_named(world: World) -> None:
    world.ledgers.chain_id = 1
    examination = world.examine()
    unknown(examination, CheckName.ANCHOR, "eip155:11155111")
    assert to_hex(TX) in only(examination, CheckName.ANCHOR).detail
    assert only(examination, CheckName.SIGNATURE).result is CheckResult.UNKNOWN


def test_transaction_that_is_not_final_is_pending(world: World) -> None:
    world.transaction = replace(world.transaction, final=False)
    examination = world.examine()
    assert only(examination, CheckName.ANCHOR).outcome is Outcome.PENDING
    assert outcome(examination) is Outcome.PENDING


def test_bitcoin_transaction_is_unknown_and_named(world: World) -> None:
    world.value = replace(world.value, anchors=(ProofAnchor(Ledger.BITCOIN, 1, TX),))
    unknown(world.examine(), CheckName.ANCHOR, f"the Bitcoin transaction {TX.hex()}")


def test_mock_chain_is_not_found(world: World) -> None:
    world.value = replace(world.value, anchors=(ProofAnchor(Ledger.MOCK, None, None),))
    failed(world.examine(), CheckName.ANCHOR, "no chain", Outcome.NOT_FOUND)


def test_anchor_on_an_evm_chain_is_taken_among_several(world: World) -> None:
    world.value = replace(
        world.value, anchors=(ProofAnchor(Ledger.BITCOIN, 1, b"\x01" * 32), *world.value.anchors)
    )
    assert only(world.examine(), CheckName.ANCHOR).result is CheckResult.PASS


# --- the sender ---------------------------------------------------------------------------------------------


def test_sender_outside_the_profile_fails(world: World) -> None:
    world.transaction = replace(world.transaction, sender=OTHER)
    failed(world.examine(), CheckName.SIGNATURE, "none of the issuer's")


@pytest.mark.parametrize(
    ("dates", "words"),
    [
        ({"created": "2026-11-24T10:00:01Z"}, "not the issuer's yet"),
        ({"created": "2026-11-24T10:00:00Z"}, "not the issuer's yet"),
    ],
)
def test_key_before_its_time_fails(world: World, dates: dict[str, str], words: str) -> None:
    world.profile["publicKey"] = [{"id": f"ecdsa-koblitz-pubkey:{to_hex(ACCOUNT)}", **dates}]
    failed(world.examine(), CheckName.SIGNATURE, words)


@pytest.mark.parametrize(
    ("dates", "words"),
    [
        ({"created": "2026-01-01T00:00:00Z", "revoked": "2026-11-24T10:00:00Z"}, "had been revoked"),
        ({"created": "2026-01-01T00:00:00Z", "revoked": "2026-02-01T00:00:00Z"}, "had been revoked"),
        ({"revoked": "2026-11-24T11:00:00+02:00"}, "had been revoked"),
        ({"expires": "2026-11-24T09:59:59Z"}, "had expired"),
    ],
)
def test_anchor_by_a_key_after_its_end_is_withdrawn(world: World, dates: dict[str, str], words: str) -> None:
    world.profile["publicKey"] = [{"id": f"ecdsa-koblitz-pubkey:{to_hex(ACCOUNT)}", **dates}]
    withdrawn(world.examine(), words)


@pytest.mark.parametrize(
    "dates",
    [
        {},
        {"created": "2026-11-24T09:59:59Z"},
        {"created": "2026-01-01T00:00:00Z", "revoked": "2026-11-24T10:00:01Z"},
        {"created": None, "revoked": None, "expires": "2027-01-01T00:00:00Z"},
    ],
)
def test_key_within_its_dates_passes(world: World, dates: dict[str, str]) -> None:
    world.profile["publicKey"] = [
        {"id": f"ecdsa-koblitz-pubkey:{to_hex(ACCOUNT).upper().replace('X', 'x')}", **dates}
    ]
    assert only(world.examine(), CheckName.SIGNATURE).result is CheckResult.PASS


def test_key_that_is_listed_twice_must_fit_twice(world: World) -> None:
    entry = {"id": f"ecdsa-koblitz-pubkey:{to_hex(ACCOUNT)}", "created": "2026-01-01T00:00:00Z"}
    world.profile["publicKey"] = [entry, entry | {"revoked": "2026-02-01T00:00:00Z"}]
    withdrawn(world.examine(), "had been revoked")


def withdrawn(examination: Examination, words: str) -> None:
    (finding,) = (found for found in examination.findings if found.check is CheckName.ISSUER)
    assert (finding.result, finding.outcome) == (CheckResult.FAIL, Outcome.WITHDRAWN)
    assert words in finding.detail


@pytest.mark.parametrize("created", ["yesterday", 7, "2026-01-01T00:00:00", "2026-01-01"])
def test_dates_that_cannot_be_read_are_unknown(world: World, created: object) -> None:
    world.profile["publicKey"] = [{"id": f"ecdsa-koblitz-pubkey:{to_hex(ACCOUNT)}", "created": created}]
    unknown(world.examine(), CheckName.SIGNATURE, "cannot be read")


@pytest.mark.parametrize(
    "keys",
    [
        [],
        None,
        "x",
        [7, None, {}],
        [{"id": 7}],
        [{"id": "ecdsa-koblitz-pubkey:msBCHdwaQ7N2ypBYupkp6uNxtr9Pg76imj"}],
        [{"id": "ecdsa-koblitz-pubkey:0x" + "zz" * 20}],
        [{"id": "ecdsa-koblitz-pubkey:" + "11" * 21}],
        [{"id": "ecdsa-koblitz-pubkey:0x" + "  " * 20}],
    ],
)
def test_profile_without_the_key_fails(world: World, keys: object) -> None:
    world.profile["publicKey"] = keys
    failed(world.examine(), CheckName.SIGNATURE, "none of the issuer's")


def test_profile_with_more_keys_than_the_cap_fails(world: World) -> None:
    world.profile["publicKey"] = [{}] * 1001
    failed(world.examine(), CheckName.SIGNATURE, "at most 1000")


def test_profile_that_cannot_be_looked_at_is_unknown_and_its_address_is_named(world: World) -> None:
    world.known[ISSUER] = b""
    examination = world.examine()
    unknown(examination, CheckName.SIGNATURE, f"supply {ISSUER} or allow its host")
    assert only(examination, CheckName.STATUS).result is CheckResult.UNKNOWN


@pytest.mark.parametrize(
    "data",
    [
        b"not JSON",
        b"[]",
        b'{"id": "https://issuer.example/profile.json"}',
        b'{"id": "https://other.example/", "type": "Profile"}',
        b'{"id": "https://issuer.example/profile.json", "type": ["Organization", 7]}',
        b'{"id": "https://issuer.example/profile.json", "type": "Profile", "type": "Profile"}',
    ],
)
def test_document_that_is_not_the_issuers_profile_fails(world: World, data: bytes) -> None:
    world.known[ISSUER] = data
    assert only(world.examine(), CheckName.SIGNATURE).result is CheckResult.FAIL


@pytest.mark.parametrize(
    "method",
    [f"{DID}#chain-1", "https://other.example/profile.json#chain-1", "x", "#chain-1", "", None, 7, ["x"]],
)
def test_verification_method_that_is_not_the_issuers_fails(world: World, method: object) -> None:
    examination = world.examine(verificationMethod=method)
    assert only(examination, CheckName.SIGNATURE).result is CheckResult.FAIL
    assert outcome(examination) is Outcome.INVALID


def test_proof_for_another_purpose_fails(world: World) -> None:
    failed(world.examine(proofPurpose="authentication"), CheckName.SIGNATURE, "another purpose")


def test_account_as_verification_method_must_be_the_senders(world: World) -> None:
    method = f"ecdsa-koblitz-pubkey:{to_hex(ACCOUNT)}"
    assert only(world.examine(verificationMethod=method), CheckName.SIGNATURE).result is CheckResult.PASS
    del world.document["proof"]
    method = f"ecdsa-koblitz-pubkey:{to_hex(OTHER)}"
    failed(world.examine(verificationMethod=method), CheckName.SIGNATURE, "not the one of the proof's key")
    del world.document["proof"]
    method = "ecdsa-koblitz-pubkey:msBCHdwaQ7N2ypBYupkp6uNxtr9Pg76imj"
    unknown(world.examine(verificationMethod=method), CheckName.SIGNATURE, "another chain")


def test_method_that_the_profile_lists_must_be_the_senders(world: World) -> None:
    method = {"id": world.method, "type": "Multikey", "controller": ISSUER, "publicKeyMultibase": MULTIKEY}
    world.profile |= {"verificationMethod": [method], "assertionMethod": [world.method]}
    assert only(world.examine(), CheckName.SIGNATURE).result is CheckResult.PASS
    other = PrivateKey(b"\x02" * 32).public_key.to_compressed_bytes()
    method["publicKeyMultibase"] = PublicKey.from_raw(KeyType.SECP256K1, other).to_multikey()
    failed(world.examine(), CheckName.SIGNATURE, "not the one of the proof's key")
    world.profile["verificationMethod"] = []
    failed(world.examine(), CheckName.SIGNATURE, "does not hold this verification method")


# --- DIDs ---------------------------------------------------------------------------------------------------


def test_did_whose_key_sent_the_transaction_passes(did_world: World) -> None:
    examination = did_world.examine()
    assert set(results(examination).values()) == {"pass"}
    assert outcome(examination) is Outcome.VALID
    assert examination.issuer == DID


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"assertionMethod": []}, "does not list for this purpose"),
        ({"service": []}, "names no profile"),
        ({"service": {"type": "IssuerProfile", "serviceEndpoint": {"uri": ISSUER}}}, "names no profile"),
        ({"service": [{"type": "LinkedDomains", "serviceEndpoint": ISSUER}]}, "names no profile"),
        ({"id": "did:web:other.example"}, "does not speak for"),
        ({"verificationMethod": []}, "does not hold"),
    ],
)
def test_did_document_that_does_not_vouch_fails(did_world: World, change: dict[str, Any], words: str) -> None:
    did_world.did |= change
    failed(did_world.examine(), CheckName.SIGNATURE, words)


@pytest.mark.parametrize("member", ["revoked", "expires"])
def test_method_that_ended_fails(did_world: World, member: str) -> None:
    did_world.did["verificationMethod"][0][member] = "2026-11-25T11:59:59Z"
    failed(did_world.examine(), CheckName.SIGNATURE, "revoked or has expired")


def test_method_of_another_kind_of_key_fails(did_world: World) -> None:
    key = PublicKey.from_raw(
        KeyType.ED25519, bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    )
    did_world.did["verificationMethod"][0]["publicKeyMultibase"] = key.to_multikey()
    failed(did_world.examine(), CheckName.SIGNATURE, "no chain's")


def test_method_of_another_account_fails_though_the_profile_has_the_sender(did_world: World) -> None:
    other = PrivateKey(b"\x02" * 32).public_key.to_compressed_bytes()
    did_world.did["verificationMethod"][0]["publicKeyMultibase"] = PublicKey.from_raw(
        KeyType.SECP256K1, other
    ).to_multikey()
    failed(did_world.examine(), CheckName.SIGNATURE, "not the one of the proof's key")


def test_did_of_another_method_is_unknown(canonicalizer: RdfCanonicalizer) -> None:
    did = "did:ion:EiA_Z6LQILbB2zj_eVrqfQ2xDm4HNqeJUw5Kj2Z7bFOOeQ"
    made = anchored(canonicalizer, credential(did))
    made.method = f"{did}#key-1"
    unknown(made.examine(), CheckName.SIGNATURE, "can be looked up")


# --- revocation ---------------------------------------------------------------------------------------------


def test_credential_on_the_revocation_list_is_revoked(world: World) -> None:
    world.revoked = {
        "revokedAssertions": [{"id": "urn:uuid:x"}, {"id": world.document["id"], "revocationReason": "x"}]
    }
    failed(world.examine(), CheckName.STATUS, "names it", Outcome.REVOKED)


def test_revocation_list_that_cannot_be_looked_at_is_unknown_and_its_address_is_named(world: World) -> None:
    world.revoked = b""
    unknown(world.examine(), CheckName.STATUS, f"supply {REVOKED} or allow its host")


@pytest.mark.parametrize(
    "listed",
    [
        b"x",
        [],
        {"revokedAssertions": {}},
        {"revokedAssertions": ["urn:x"]},
        {"revokedAssertions": [{"id": 7}]},
    ],
)
def test_revocation_list_of_another_form_is_unknown(world: World, listed: object) -> None:
    world.revoked = listed
    unknown(world.examine(), CheckName.STATUS, "cannot be read")


def test_profile_without_a_revocation_list_is_said(world: World) -> None:
    del world.profile["revocationList"]
    assert only(world.examine(), CheckName.STATUS).result is CheckResult.SKIPPED


def test_credential_without_id_is_unknown_to_a_revocation_list(canonicalizer: RdfCanonicalizer) -> None:
    document = credential()
    del document["id"]
    unknown(anchored(canonicalizer, document).examine(), CheckName.STATUS, "no address to go by")


# --- several proofs -----------------------------------------------------------------------------------------


def test_every_proof_of_an_array_is_looked_at(world: World) -> None:
    world.examine()
    good = world.document["proof"]
    bad = good | {"proofValue": encode_proof_value(replace(world.value, root=bytes(32)))}
    world.document["proof"] = [good, bad]
    inclusions = [f.result for f in world.examine().findings if f.check is CheckName.INCLUSION]
    assert inclusions == [CheckResult.PASS, CheckResult.FAIL]


def test_signature_beside_the_anchor_that_fails_is_invalid(world: World) -> None:
    world.examine()
    beside = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "proofPurpose": "assertionMethod",
        "verificationMethod": f"{ISSUER}#chain-1",
        "proofValue": "z" + "2" * 86,
    }
    world.document["proof"] = [world.document["proof"], beside]
    assert outcome(world.examine()) is Outcome.INVALID


def test_chained_proof_is_unknown(world: World) -> None:
    world.examine()
    chained = {"type": "ChainedProof2021", "chainedProofType": "MerkleProof2019"}
    world.document["proof"] = [world.document["proof"], chained]
    assert outcome(world.examine()) is Outcome.INDETERMINATE


# --- what passes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [{}, {"type": "MerkleProof2019", "cryptosuite": None}])
def test_anchored_credential_passes_under_both_names(world: World, kind: dict[str, Any]) -> None:
    examination = world.examine(**kind)
    assert set(results(examination).values()) == {"pass"}
    assert outcome(examination) is Outcome.VALID


def published(name: str, canonicalizer: RdfCanonicalizer, *, sender: str | None = None) -> Examination:
    document = load(name)
    proof = document["proof"]
    value = decode_proof_value((proof[0] if isinstance(proof, list) else proof)["proofValue"])
    ledgers = FakeLedgers(chain_id=SEPOLIA)
    if value.anchors[0].chain_id == SEPOLIA:
        assert value.anchors[0].transaction is not None
        account = Address(bytes.fromhex(sender or "40cf9b7db6fcc742ad0a76b8588c7f8de2b54a60"))
        at = datetime(2022, 11, 2, 2, 33, 24, tzinfo=UTC)
        ledgers.transactions[value.anchors[0].transaction] = LedgerTransaction(
            account, None, value.root, 1, at, final=True
        )
    base = "https://www.blockcerts.org/samples/3.0/"
    documents = FakeDocuments(
        {
            f"{base}issuer-blockcerts.json": (VECTORS / "issuer-blockcerts.json").read_bytes(),
            f"{base}revocation-list-blockcerts.json": b'{"revokedAssertions": []}',
        }
    )
    return Blockcerts().examine(
        Presented(document=document), tools(ledgers=ledgers, documents=documents, canonicalizer=canonicalizer)
    )


def test_published_sepolia_certificate_passes(canonicalizer: RdfCanonicalizer) -> None:
    examination = published("sepolia", canonicalizer)
    assert set(results(examination).values()) == {"pass"}
    assert examination.format == "Verifiable Credential 1.1, Blockcerts 3"


def test_published_sepolia_certificate_fails_from_another_sender(canonicalizer: RdfCanonicalizer) -> None:
    examination = published("sepolia", canonicalizer, sender="11" * 20)
    failed(examination, CheckName.SIGNATURE, "not the one of the proof's key")


@pytest.mark.parametrize("name", ["mocknet-data-integrity", "mocknet-two-proofs"])
def test_published_mock_certificates_are_intact_and_not_found(
    name: str, canonicalizer: RdfCanonicalizer
) -> None:
    examination = published(name, canonicalizer)
    found = results(examination)
    assert (found["format"], found["integrity"], found["inclusion"]) == ("pass", "pass", "pass")
    assert outcome(examination) is Outcome.NOT_FOUND


def test_published_certificate_with_a_context_written_out_is_unknown(canonicalizer: RdfCanonicalizer) -> None:
    examination = published("bitcoin-testnet-written-out-context", canonicalizer)
    unknown(examination, CheckName.INTEGRITY, "a context is written out")
    unknown(examination, CheckName.ANCHOR, "no Bitcoin node")


def test_own_export_passes_and_leads_back_to_its_batch(did_world: World) -> None:
    digest = Digest(did_world.value.target)
    path = tuple(sha256(b"node %d" % number).digest() for number in range(path_length(2, 5)))
    claim = InclusionProof(
        2, 5, path, DigestMethod.RDFC_SHA256, digest, Salt(bytes(32)), ACCOUNT, Root(bytes(32))
    )
    claim = replace(claim, root=root_from_proof(claim))
    did_world.transaction = replace(did_world.transaction, input=claim.root)
    did_world.document["proof"] = [
        anchor_proof(
            claim,
            transaction=TxHash(TX),
            chain_id=SEPOLIA,
            created=AT + timedelta(minutes=1),
            verification_method=did_world.method,
        )
    ]
    assert outcome(did_world.examine()) is Outcome.VALID
    found = inclusion_proof_of(decode_proof_value(did_world.document["proof"][0]["proofValue"]))
    assert found is not None
    assert isinstance(verify_inclusion(found), InclusionPass)
    assert (found.issuer, found.index, found.size) == (ACCOUNT, 2, 5)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"type": "VerifiableCredential"},
        {
            "type": "VerifiableCredential",
            "proof": {"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022"},
        },
        {"type": "VerifiablePresentation", "proof": {"type": "MerkleProof2019"}},
        {"type": ["VerifiableCredential"], "proof": "x"},
    ],
)
def test_other_documents_are_not_recognised(document: dict[str, Any]) -> None:
    assert not Blockcerts().recognises(Presented(document=copy.deepcopy(document)))
    assert not Blockcerts().recognises(Presented(token="a.b.c"))
