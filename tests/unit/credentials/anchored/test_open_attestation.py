"""OpenAttestation documents: published ones, changed ones, and what contracts, accounts and names say."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eth_hash.auto import keccak
from eth_keys.datatypes import PrivateKey

from registry.credentials.findings import Examination, Presented
from registry.credentials.formats.open_attestation import OpenAttestationExaminer
from registry.credentials.formats.open_attestation_digest import (
    MAX_FIELDS,
    _field_hash,
    hashes_on_the_way,
    target_of_v2,
    target_of_v3,
    unsalted,
)
from registry.credentials.formats.open_attestation_issuance import (
    ETHR_REGISTRIES,
    Rooted,
    did_finding,
    dns_did_finding,
    signer_of,
)
from registry.encoding import Address, parse_address, parse_json
from registry.verdict.report import CheckName, CheckResult, Outcome
from tests.support.anchored import FakeLedgers, only, outcome, results, tools

VECTORS = Path(__file__).resolve().parents[3] / "vectors" / "open-attestation"
STORE = "v2/documentRopstenValidWithDocumentStore"
BATCHED = "v2/documentMainnetValidWithCertificateStore"
TOKEN = "v2/documentRopstenValidWithToken"
DID = "v2/documentDidSigned"
DNS_DID = "v2/documentDnsDidSigned"
STORE_3 = "v3/documentStore-issued"
DID_3 = "v3/did-signed"
ETHR = parse_address(ETHR_REGISTRIES[1])
WELL_FORMED = [
    STORE,
    BATCHED,
    TOKEN,
    DID,
    DNS_DID,
    STORE_3,
    DID_3,
    "v2/documentRopstenRevokedWithDocumentStore",
    "v2/documentRopstenObfuscated",
    "v3/documentStore-invalid-issued",
    "v3/documentStore-revoked",
    "v3/tokenRegistry-issued",
    "v3/dnsdid-signed",
    "v3/did-invalid-signed",
    "v3/did-revocation-store-signed-revoked",
    "v3/did-ocsp-revocation-signed",
]


def load(name: str) -> dict[str, Any]:
    document = parse_json((VECTORS / f"{name}.json").read_bytes())
    assert isinstance(document, dict)
    return document


def examine(
    document: dict[str, Any], ledgers: FakeLedgers | None = None, supplied: dict[str, bytes] | None = None
) -> Examination:
    examiner = OpenAttestationExaminer()
    presented = Presented(document=document)
    assert examiner.recognises(presented)
    return examiner.examine(presented, tools(ledgers=ledgers, supplied=supplied))


def seal(document: dict[str, Any]) -> dict[str, Any]:
    """The document with its hashes made anew, alone in its batch: as an issuer would have wrapped it."""
    if "signature" in document:
        hidden = [bytes.fromhex(x) for x in document.get("privacy", {}).get("obfuscatedData", [])]
        digest = target_of_v2(document["data"], hidden).hex()
        document["signature"] |= {"targetHash": digest, "merkleRoot": digest, "proof": []}
    else:
        salts = {salt["path"]: salt["value"] for salt in salts_of(document)}
        unsigned = {name: value for name, value in document.items() if name != "proof"}
        digest = target_of_v3(unsigned, salts, []).hex()
        document["proof"] |= {"targetHash": digest, "merkleRoot": digest, "proofs": []}
    return document


def salts_of(document: dict[str, Any]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(base64.b64decode(document["proof"]["salts"]))
    return found


def with_salts(document: dict[str, Any], salts: object) -> dict[str, Any]:
    document["proof"]["salts"] = base64.b64encode(json.dumps(salts).encode()).decode()
    return document


def root_of(document: dict[str, Any]) -> bytes:
    return bytes.fromhex((document.get("signature") or document["proof"])["merkleRoot"])


def store_of(document: dict[str, Any]) -> Address:
    if "data" not in document:
        return parse_address(document["openAttestationMetadata"]["proof"]["value"])
    (issuer,) = document["data"]["issuers"]
    text = issuer.get("documentStore") or issuer.get("certificateStore") or issuer.get("tokenRegistry")
    return parse_address(text.rsplit(":", 1)[1])


def issuing(document: dict[str, Any], revoked: dict[bytes, bool] | None = None) -> FakeLedgers:
    """A ledger on which the document's store issued its root and revoked what is given."""
    ledgers = FakeLedgers()
    signature = document.get("signature") or document["proof"]
    proofs = [bytes.fromhex(x) for x in signature.get("proof", signature.get("proofs", []))]
    ledgers.set(store_of(document), "isIssued(bytes32)", root_of(document), True)
    for digest in hashes_on_the_way(bytes.fromhex(signature["targetHash"]), proofs):
        ledgers.set(store_of(document), "isRevoked(bytes32)", digest, (revoked or {}).get(digest, False))
    return ledgers


def owning(account: str, owner: str | None = None) -> FakeLedgers:
    ledgers = FakeLedgers()
    word = bytes(12) + parse_address(account)
    ledgers.set(ETHR, "identityOwner(address)", word, bytes(12) + parse_address(owner or account))
    return ledgers


# --- integrity ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WELL_FORMED)
def test_published_document_is_intact_and_under_its_root(name: str) -> None:
    found = results(examine(load(name)))
    assert (found["format"], found["integrity"], found["inclusion"]) == ("pass", "pass", "pass")


@pytest.mark.parametrize(
    "name", ["v2/tamperedDocumentWithCertificateStore", "v2/documentRopstenObfuscatedWithEmptyObject"]
)
def test_published_changed_document_fails_integrity(name: str) -> None:
    examination = examine(load(name))
    assert only(examination, CheckName.INTEGRITY).result is CheckResult.FAIL
    assert outcome(examination) is Outcome.INVALID


@pytest.mark.parametrize("name", [STORE, BATCHED, DID, "v2/documentRopstenObfuscated", STORE_3, DID_3])
def test_change_of_any_field_fails_integrity_and_asks_no_contract(name: str) -> None:
    document = load(name)
    holder = document.get("data", document)
    for member in [name for name, value in holder.items() if isinstance(value, str)]:
        changed = copy.deepcopy(document)
        target = changed.get("data", changed)
        target[member] += "x"
        ledgers = FakeLedgers()
        assert only(examine(changed, ledgers), CheckName.INTEGRITY).result is CheckResult.FAIL, member
        assert ledgers.asked == []


@pytest.mark.parametrize("name", [STORE, "v2/documentRopstenObfuscated", DID])
def test_field_added_or_removed_fails_integrity(name: str) -> None:
    added = load(name)
    added["data"]["grade"] = "01234567-89ab-4def-8123-456789abcdef:string:A"
    removed = load(name)
    removed["data"].pop("name", removed["data"].pop("id", None))
    for document in (added, removed):
        assert only(examine(document), CheckName.INTEGRITY).result is CheckResult.FAIL


def test_hash_of_a_hidden_field_that_is_dropped_fails_integrity() -> None:
    document = load("v2/documentRopstenObfuscated")
    document["privacy"]["obfuscatedData"].pop()
    assert only(examine(document), CheckName.INTEGRITY).result is CheckResult.FAIL


def test_hidden_field_leaves_the_document_intact() -> None:
    document = load(STORE)
    before = examine(document)
    path, value = "consignment.description", document["data"]["consignment"].pop("description")
    document["privacy"] = {"obfuscatedData": [_field_hash(path, value)]}
    after = examine(document)
    assert results(after) == results(before)


@pytest.mark.parametrize(
    ("hidden", "code"),
    [
        ("not a list", "hashes stand in a list"),
        (["00"], "64 lower-case"),
        ([7], "64 lower-case"),
        ([["00" * 32]], "64 lower-case"),
        ([{"a": "b"}], "64 lower-case"),
        (["00" * 32] * (MAX_FIELDS + 1), "more than"),
    ],
)
def test_obfuscated_data_of_another_form_fails_format(hidden: object, code: str) -> None:
    document = load(STORE)
    document["privacy"] = {"obfuscatedData": hidden}
    finding = only(examine(document), CheckName.FORMAT)
    assert finding.result is CheckResult.FAIL
    assert code in finding.detail


@pytest.mark.parametrize("name", ["consignment.description", "", "."])
def test_name_that_would_make_paths_ambiguous_fails_format(name: str) -> None:
    document = load(STORE)
    document["data"][name] = "x"
    assert only(examine(document), CheckName.FORMAT).result is CheckResult.FAIL


def test_more_fields_than_the_cap_fail_format() -> None:
    document = load(STORE)
    document["data"]["many"] = ["x"] * MAX_FIELDS
    assert "more than" in only(examine(document), CheckName.FORMAT).detail


@pytest.mark.parametrize(
    "data", [None, [], "x", 7, {}, {"issuers": []}, {"issuers": {}}, {"issuers": [{}] * 5}, {"issuers": [7]}]
)
def test_data_without_readable_issuers_fails_format(data: object) -> None:
    document = load(STORE) | {"data": data}
    assert only(examine(document), CheckName.FORMAT).result is CheckResult.FAIL


@pytest.mark.parametrize(
    ("salted", "plain"),
    [
        ("01234567-89ab-4def-8123-456789abcdef:string:a:b", "a:b"),
        ("01234567-89ab-4def-8123-456789abcdef:number:5000", 5000),
        ("01234567-89ab-4def-8123-456789abcdef:number:-1.5", -1.5),
        ("01234567-89ab-4def-8123-456789abcdef:boolean:true", True),
        ("01234567-89ab-4def-8123-456789abcdef:null:null", None),
        ("01234567-89ab-3def-8123-456789abcdef:string:a", "01234567-89ab-3def-8123-456789abcdef:string:a"),
        ("plain", "plain"),
    ],
)
def test_salted_value_reads_as_its_type(salted: str, plain: object) -> None:
    assert unsalted([salted, {"a": salted}]) == [plain, {"a": plain}]


@pytest.mark.parametrize("value", ["number:", "number:five", "number:1e999999", "boolean:yes"])
def test_value_of_another_type_than_it_says_fails_format(value: str) -> None:
    document = load(STORE)
    document["data"]["id"] = f"01234567-89ab-4def-8123-456789abcdef:{value}"
    assert only(examine(document), CheckName.FORMAT).result is CheckResult.FAIL


# --- inclusion ----------------------------------------------------------------------------------------------


def test_proof_for_another_target_fails_inclusion() -> None:
    document = load(BATCHED)
    document["signature"]["proof"] = list(reversed(document["signature"]["proof"]))
    examination = examine(document, issuing(document))
    assert only(examination, CheckName.INCLUSION).result is CheckResult.FAIL
    assert outcome(examination) is Outcome.INVALID


@pytest.mark.parametrize(
    "name",
    [
        "v2/documentMainnetInvalidWithIncorrectMerkleRoot",
        "v2/documentMainnetInvalidWithOddLengthMerkleRoot",
    ],
)
def test_published_root_of_another_length_fails_format(name: str) -> None:
    assert only(examine(load(name)), CheckName.FORMAT).result is CheckResult.FAIL


@pytest.mark.parametrize("proof", ["x", ["00"], ["00" * 32] * 33, [None], [["00" * 32]]])
def test_proof_of_another_form_fails_format(proof: object) -> None:
    document = load(BATCHED)
    document["signature"]["proof"] = proof
    assert only(examine(document), CheckName.FORMAT).result is CheckResult.FAIL


# --- salts of 3.0 -------------------------------------------------------------------------------------------


def test_field_added_under_the_salt_of_a_missing_one_fails_format() -> None:
    # The numbers of fields and salts agree, which is all that the reference looks at.
    document = load(DID_3)
    document["honours"] = "first class"
    salts = [*salts_of(document), {"value": "00" * 32, "path": "nowhere"}]
    finding = only(examine(with_salts(document, salts)), CheckName.FORMAT)
    assert finding.result is CheckResult.FAIL
    assert "no salt" in finding.detail


def test_two_salts_for_one_field_fail_format() -> None:
    document = load(DID_3)
    salts = salts_of(document)
    assert "two salts" in only(examine(with_salts(document, [*salts, salts[0]])), CheckName.FORMAT).detail


def test_salt_for_a_field_that_is_not_there_fails_format() -> None:
    document = load(DID_3)
    salts = [*salts_of(document), {"value": "00" * 32, "path": "proof.salts"}]
    assert "not there" in only(examine(with_salts(document, salts)), CheckName.FORMAT).detail


def test_missing_salt_fails_format() -> None:
    document = load(DID_3)
    assert "no salt" in only(examine(with_salts(document, salts_of(document)[1:])), CheckName.FORMAT).detail


def test_changed_salt_fails_integrity() -> None:
    document = load(DID_3)
    salts = salts_of(document)
    salts[0]["value"] = "00" * 32
    assert only(examine(with_salts(document, salts)), CheckName.INTEGRITY).result is CheckResult.FAIL


@pytest.mark.parametrize(
    "salts",
    [
        {},
        "x",
        [7],
        [{}],
        [{"value": "00" * 32}],
        [{"value": "00" * 31, "path": "a"}],
        [{"value": "00" * 32, "path": ["a"]}],
        [{"value": 7, "path": "a"}],
        [{"value": "00" * 32, "path": "a", "more": 1}],
        [{"value": "00" * 32, "path": "a"}] * (MAX_FIELDS + 1),
    ],
)
def test_salts_of_another_form_fail_format(salts: object) -> None:
    assert only(examine(with_salts(load(DID_3), salts)), CheckName.FORMAT).result is CheckResult.FAIL


@pytest.mark.parametrize("salts", [None, 7, "%%%", "/w==", base64.b64encode(b"[" * 100_000).decode()])
def test_salts_that_are_not_json_in_base64_fail_format(salts: object) -> None:
    document = load(DID_3)
    document["proof"]["salts"] = salts
    assert only(examine(document), CheckName.FORMAT).result is CheckResult.FAIL


@pytest.mark.parametrize("name", ["a.b", "a[0]", ""])
def test_name_with_a_mark_of_paths_fails_format_in_3(name: str) -> None:
    document = load(DID_3) | {name: "x"}
    assert only(examine(document), CheckName.FORMAT).result is CheckResult.FAIL


# --- contracts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [STORE, BATCHED, STORE_3])
def test_store_on_a_chain_that_is_not_configured_is_unknown_and_named(name: str) -> None:
    examination = examine(load(name))
    for check in (CheckName.ANCHOR, CheckName.STATUS):
        finding = only(examination, check)
        assert finding.result is CheckResult.UNKNOWN
        assert "no node of the chain eip155:1 is configured" in finding.detail
        assert store_of(load(name)).hex() in finding.detail.lower()
    assert outcome(examination) is Outcome.INDETERMINATE


def test_chain_that_the_document_names_is_asked() -> None:
    document = load(STORE)
    document["data"]["network"] = {"chain": "ETH", "chainId": "11155111"}
    seal(document)
    examination = examine(document, FakeLedgers(chain_id=1))
    assert "eip155:11155111" in only(examination, CheckName.ANCHOR).detail
    ledgers = issuing(document)
    ledgers.chain_id = 11155111
    assert only(examine(document, ledgers), CheckName.ANCHOR).result is CheckResult.PASS


@pytest.mark.parametrize("chain_id", ["x", "", "-1", "1" * 16, True, 1.5, [], "²"])
def test_chain_id_that_is_no_number_fails_format(chain_id: object) -> None:
    document = load(STORE_3) | {"network": {"chainId": chain_id}}
    assert only(examine(document), CheckName.FORMAT).result is CheckResult.FAIL


@pytest.mark.parametrize("name", [STORE, BATCHED, STORE_3])
def test_root_that_the_store_issued_passes(name: str) -> None:
    examination = examine(load(name), issuing(load(name)))
    assert only(examination, CheckName.ANCHOR).result is CheckResult.PASS
    assert only(examination, CheckName.STATUS).result is CheckResult.PASS


def test_root_that_the_store_did_not_issue_is_not_found() -> None:
    document = load(STORE)
    ledgers = issuing(document)
    ledgers.set(store_of(document), "isIssued(bytes32)", root_of(document), False)
    examination = examine(document, ledgers)
    assert only(examination, CheckName.ANCHOR).result is CheckResult.FAIL
    assert only(examination, CheckName.ANCHOR).outcome is Outcome.NOT_FOUND


@pytest.mark.parametrize("answer", [b"", b"\x01", bytes(31) + b"\x02", b"\x01" + bytes(31), bytes(64)])
def test_contract_that_answers_something_else_did_not_issue(answer: bytes) -> None:
    document = load(STORE)
    ledgers = issuing(document)
    ledgers.set(store_of(document), "isIssued(bytes32)", root_of(document), answer)
    assert only(examine(document, ledgers), CheckName.ANCHOR).outcome is Outcome.NOT_FOUND


def test_store_that_does_not_answer_about_revocation_is_unknown() -> None:
    document = load(STORE)
    ledgers = issuing(document)
    ledgers.set(store_of(document), "isRevoked(bytes32)", root_of(document), b"")
    assert only(examine(document, ledgers), CheckName.STATUS).result is CheckResult.UNKNOWN


@pytest.mark.parametrize("position", range(4))
def test_document_is_revoked_when_any_hash_on_its_way_is(position: int) -> None:
    document = load(BATCHED)
    signature = document["signature"]
    way = hashes_on_the_way(
        bytes.fromhex(signature["targetHash"]), [bytes.fromhex(x) for x in signature["proof"]]
    )
    examination = examine(document, issuing(document, {way[position]: True}))
    assert only(examination, CheckName.STATUS).outcome is Outcome.REVOKED


@pytest.mark.parametrize(
    "written", ["0x00", "store.eth", "", 7, None, "0x20BC9C354A18C8178A713B9BcCFFaC2152b53990"]
)
def test_store_that_is_not_written_as_an_address_fails(written: object) -> None:
    document = load(STORE_3)
    document["openAttestationMetadata"]["proof"]["value"] = written
    salts = salts_of(document)
    finding = next(
        found
        for found in examine(seal(with_salts(document, salts)), FakeLedgers()).findings
        if found.check in (CheckName.ANCHOR, CheckName.FORMAT) and found.result is CheckResult.FAIL
    )
    assert "address" in finding.detail


@pytest.mark.parametrize("name", [TOKEN, "v3/tokenRegistry-issued"])
def test_token_of_a_registry_is_an_anchor(name: str) -> None:
    document = load(name)
    ledgers = FakeLedgers()
    assert only(examine(document, ledgers), CheckName.ANCHOR).outcome is Outcome.NOT_FOUND
    ledgers.set(store_of(document), "ownerOf(uint256)", root_of(document), bytes(32))
    assert only(examine(document, ledgers), CheckName.ANCHOR).outcome is Outcome.NOT_FOUND
    ledgers.set(store_of(document), "ownerOf(uint256)", root_of(document), bytes(12) + b"\x01" * 20)
    assert only(examine(document, ledgers), CheckName.ANCHOR).result is CheckResult.PASS
    assert only(examine(document), CheckName.ANCHOR).result is CheckResult.UNKNOWN


@pytest.mark.parametrize(
    "name", ["v2/documentRopstenMixedIssuance", "v2/documentDnsDidMixedTokenRegistryInvalid"]
)
def test_issuers_that_issue_in_different_ways_fail_format(name: str) -> None:
    assert "same way" in only(examine(load(name)), CheckName.FORMAT).detail


def test_issuer_with_two_ways_fails_format() -> None:
    document = load(STORE)
    document["data"]["issuers"][0]["tokenRegistry"] = document["data"]["issuers"][0]["documentStore"]
    assert "one document store" in only(examine(document), CheckName.FORMAT).detail


def test_every_issuer_must_have_issued() -> None:
    document = load(STORE)
    other = copy.deepcopy(document["data"]["issuers"][0])
    other["documentStore"] = other["documentStore"].replace("0x8", "0x9").lower()
    ledgers = issuing(seal(document))
    document["data"]["issuers"].append(other)
    seal(document)
    ledgers.set(store_of(load(STORE)), "isIssued(bytes32)", root_of(document), True)
    ledgers.set(store_of(load(STORE)), "isRevoked(bytes32)", root_of(document), False)
    anchors = [f for f in examine(document, ledgers).findings if f.check is CheckName.ANCHOR]
    assert [finding.result for finding in anchors] == [CheckResult.PASS, CheckResult.FAIL]


# --- signatures ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [DID, DNS_DID, DID_3, "v3/dnsdid-signed"])
def test_signature_of_the_owner_passes(name: str) -> None:
    document = load(name)
    account = did_of(document).removeprefix("did:ethr:")
    assert only(examine(document, owning(account)), CheckName.SIGNATURE).result is CheckResult.PASS


def did_of(document: dict[str, Any]) -> str:
    if "data" not in document:
        return str(document["openAttestationMetadata"]["proof"]["value"])
    return str(unsalted(document["data"])["issuers"][0]["id"])  # type: ignore[index,call-overload]


@pytest.mark.parametrize("name", [DID, DID_3])
def test_signature_is_unknown_while_the_registry_of_dids_cannot_be_read(name: str) -> None:
    finding = only(examine(load(name)), CheckName.SIGNATURE)
    assert finding.result is CheckResult.UNKNOWN
    assert "0xdCa7EF03e98e0DC2B855bE647C39ABe984fcF21B on eip155:1" in finding.detail
    assert only(examine(load(name), FakeLedgers()), CheckName.SIGNATURE).result is CheckResult.UNKNOWN


@pytest.mark.parametrize("name", [DID, DID_3])
def test_signature_fails_once_the_did_belongs_to_another_account(name: str) -> None:
    account = did_of(load(name)).removeprefix("did:ethr:")
    finding = only(examine(load(name), owning(account, "0x" + "11" * 20)), CheckName.SIGNATURE)
    assert finding.result is CheckResult.FAIL
    assert "another account" in finding.detail


@pytest.mark.parametrize("name", ["v2/documentDidWrongSignature", "v2/documentDidMissingProof"])
def test_published_document_without_the_issuers_signature_fails(name: str) -> None:
    examination = examine(load(name), owning("0xE712878f6E8d5d4F9e87E10DA604F9cB564C9a89"))
    assert only(examination, CheckName.SIGNATURE).result is CheckResult.FAIL
    assert outcome(examination) is Outcome.INVALID


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda proof: proof.update(signature="0x" + "00" * 65), id="zeroes"),
        pytest.param(lambda proof: proof.update(signature=proof["signature"][:-2]), id="short"),
        pytest.param(lambda proof: proof.update(signature=proof["signature"][:-2] + "1d"), id="recovery 2"),
        pytest.param(lambda proof: proof.update(signature=proof["signature"][:-2] + "ff"), id="recovery 228"),
        pytest.param(lambda proof: proof.update(signature=None), id="none"),
        pytest.param(lambda proof: proof.update(type="Other"), id="another type"),
        pytest.param(lambda proof: proof.update(proofPurpose="authentication"), id="another purpose"),
        pytest.param(lambda proof: proof.update(verificationMethod="did:ethr:0x00"), id="another key"),
    ],
)
def test_changed_signature_fails(change: Callable[[dict[str, Any]], None]) -> None:
    document = load(DID)
    change(document["proof"][0])
    examination = examine(document, owning("0xE712878f6E8d5d4F9e87E10DA604F9cB564C9a89"))
    assert only(examination, CheckName.SIGNATURE).result is CheckResult.FAIL


def test_signature_of_a_stranger_fails() -> None:
    document = load(DID)
    key = PrivateKey(b"\x01" * 32)
    message = keccak(b"\x19Ethereum Signed Message:\n32" + root_of(document))
    signature = key.sign_msg_hash(message).to_bytes()
    assert signer_of(root_of(document), signature) == key.public_key.to_canonical_address()
    document["proof"][0]["signature"] = "0x" + signature.hex()
    examination = examine(document, owning("0xE712878f6E8d5d4F9e87E10DA604F9cB564C9a89"))
    assert only(examination, CheckName.SIGNATURE).result is CheckResult.FAIL


@pytest.mark.parametrize("name", ["v2/documentDidObfuscatedRevocation", "v2/documentDidCustomRevocation"])
def test_document_without_a_known_way_of_revocation_is_invalid(name: str) -> None:
    finding = only(examine(load(name)), CheckName.STATUS)
    assert (finding.result, finding.outcome) == (CheckResult.FAIL, Outcome.INVALID)


def test_status_of_a_signed_document_is_asked_of_its_revocation_store() -> None:
    document = load("v3/did-revocation-store-signed-revoked")
    assert only(examine(document), CheckName.STATUS).result is CheckResult.UNKNOWN
    store = parse_address(document["openAttestationMetadata"]["proof"]["revocation"]["location"])
    ledgers = FakeLedgers()
    proofs = [bytes.fromhex(entry) for entry in document["proof"]["proofs"]]
    for digest in hashes_on_the_way(bytes.fromhex(document["proof"]["targetHash"]), proofs):
        ledgers.set(store, "isRevoked(bytes32)", digest, False)
    assert only(examine(document, ledgers), CheckName.STATUS).result is CheckResult.PASS
    ledgers.set(store, "isRevoked(bytes32)", root_of(document), True)
    assert only(examine(document, ledgers), CheckName.STATUS).outcome is Outcome.REVOKED


def test_revocation_store_without_address_fails() -> None:
    document = load("v3/did-revocation-store-signed-no-location")
    assert only(examine(document), CheckName.STATUS).result is CheckResult.FAIL


def test_ocsp_responder_is_unknown() -> None:
    finding = only(examine(load("v3/did-ocsp-revocation-signed")), CheckName.STATUS)
    assert finding.result is CheckResult.UNKNOWN


@pytest.mark.parametrize(
    ("did", "result"),
    [
        ("did:ethr:0x0", CheckResult.UNKNOWN),
        ("did:web:issuer.example", CheckResult.UNKNOWN),
        ("did:ethr:0xaa36a7:0x1245e5B64D785b25057f7438F715f4aA5D965733", CheckResult.UNKNOWN),
        ("did:ethr:moonnet:0x1245e5B64D785b25057f7438F715f4aA5D965733", CheckResult.UNKNOWN),
        ("did:ethr:0x1111111111111111111111111111111111111111", CheckResult.FAIL),
        (7, CheckResult.UNKNOWN),
        (None, CheckResult.UNKNOWN),
    ],
)
def test_other_did_is_never_a_pass(did: object, result: CheckResult) -> None:
    document = load(DID_3)
    document["openAttestationMetadata"]["proof"]["value"] = did
    document["proof"]["key"] = f"{did}#controller"
    finding = only(
        examine(seal(document), owning("0x1245e5B64D785b25057f7438F715f4aA5D965733")), CheckName.SIGNATURE
    )
    # Sealing changes the root, so the signature is not one for it, where the account is read at all.
    assert finding.result in (result, CheckResult.FAIL)
    assert finding.result is not CheckResult.PASS


def test_key_that_is_not_the_controller_is_unknown() -> None:
    document = load(DID_3)
    document["proof"]["key"] = did_of(document) + "#delegate-1"
    finding = only(examine(document, owning(did_of(document)[9:])), CheckName.SIGNATURE)
    assert finding.result is CheckResult.UNKNOWN


def test_signature_that_recovers_no_key_is_nobodys() -> None:
    root = bytes(32)
    assert signer_of(root, bytes(65)) is None
    assert signer_of(root, b"\xff" * 64 + b"\x1b") is None
    assert signer_of(root, bytes(64) + b"\xff") is None


@pytest.mark.parametrize(
    ("network", "settles"),
    [
        ("0xaa36a7", "eip155:11155111"),
        ("sepolia", "eip155:11155111"),
        ("0x64", "not known here"),
        ("moonnet", "not known here"),
    ],
)
def test_owner_of_a_did_is_asked_on_its_own_network(network: str, settles: str) -> None:
    document = load(DID_3)
    root = root_of(document)
    key = PrivateKey(b"\x01" * 32)
    message = keccak(b"\x19Ethereum Signed Message:\n32" + root)
    account = key.public_key.to_checksum_address()
    did = f"did:ethr:{network}:{account}"
    rooted = Rooted((root,), 1)
    signature = "0x" + key.sign_msg_hash(message).to_bytes().hex()
    finding = did_finding(tools(), rooted, did, f"{did}#controller", signature)
    assert finding.result is CheckResult.UNKNOWN
    assert settles in finding.detail


def test_registry_of_dids_that_does_not_answer_is_unknown() -> None:
    finding = only(examine(load(DID), FakeLedgers()), CheckName.SIGNATURE)
    assert finding.result is CheckResult.UNKNOWN
    assert "does not answer" in finding.detail


def test_name_of_a_did_without_a_readable_key_is_unknown() -> None:
    finding = dns_did_finding(tools(), "issuer.example", "did:web:issuer.example#key-1")
    assert finding.result is CheckResult.UNKNOWN
    assert "no key" in finding.detail


@pytest.mark.parametrize("name", [TOKEN, STORE])
def test_contract_of_a_checksum_that_is_wrong_fails(name: str) -> None:
    document = load(name)
    (issuer,) = document["data"]["issuers"]
    member = "tokenRegistry" if name == TOKEN else "documentStore"
    issuer[member] = "0x8fc57204c35fb9317D91285eF52D6b892EC08cD3"
    seal(document)
    examination = examine(document, FakeLedgers())
    assert only(examination, CheckName.ANCHOR).result is CheckResult.FAIL
    assert outcome(examination) is Outcome.INVALID


# --- names --------------------------------------------------------------------------------------------------


def test_name_is_unknown_and_the_record_that_would_settle_it_is_written_out() -> None:
    finding = only(examine(load(STORE)), CheckName.ISSUER)
    assert finding.result is CheckResult.UNKNOWN
    assert "openatts net=ethereum netId=1 addr=0x8Fc57204c35fb9317D91285eF52D6b892EC08cD3" in finding.detail
    assert "example.tradetrust.io" in finding.detail


def test_name_of_a_did_is_unknown_and_the_record_that_would_settle_it_is_written_out() -> None:
    finding = only(examine(load(DNS_DID)), CheckName.ISSUER)
    key = "did:ethr:0xE712878f6E8d5d4F9e87E10DA604F9cB564C9a89#controller"
    assert finding.result is CheckResult.UNKNOWN
    assert f"openatts a=dns-did; p={key}; v=1.0;" in finding.detail


@pytest.mark.parametrize(
    ("records", "result"),
    [
        (b"openatts net=ethereum netId=1 addr=0x8Fc57204c35fb9317D91285eF52D6b892EC08cD3", CheckResult.PASS),
        (
            b'v=spf1\n"openatts net=ethereum netId=1 addr=0x8fc57204c35fb9317d91285ef52d6b892ec08cd3"',
            CheckResult.PASS,
        ),
        (b"openatts net=ethereum netId=3 addr=0x8Fc57204c35fb9317D91285eF52D6b892EC08cD3", CheckResult.FAIL),
        (b"openatts net=ethereum netId=1 addr=0x" + b"11" * 20, CheckResult.FAIL),
        (b"other net=ethereum netId=1 addr=0x8Fc57204c35fb9317D91285eF52D6b892EC08cD3", CheckResult.FAIL),
        (b"", CheckResult.FAIL),
        (b"\xff\x00=;=" * 10_000, CheckResult.FAIL),
    ],
)
def test_supplied_records_settle_the_name(records: bytes, result: CheckResult) -> None:
    supplied = {"dns:example.tradetrust.io?type=TXT": records}
    assert only(examine(load(STORE), supplied=supplied), CheckName.ISSUER).result is result


def test_supplied_record_of_a_did_settles_the_name() -> None:
    key = b"did:ethr:0xE712878f6E8d5d4F9e87E10DA604F9cB564C9a89#controller"
    supplied = {"dns:example.tradetrust.io?type=TXT": b"openatts a=dns-did; p=" + key + b"; v=1.0;"}
    account = did_of(load(DNS_DID)).removeprefix("did:ethr:")
    examination = examine(load(DNS_DID), owning(account), supplied)
    assert only(examination, CheckName.ISSUER).result is CheckResult.PASS
    assert outcome(examination) is Outcome.VALID
    assert examination.issuer == "dns:example.tradetrust.io"


@pytest.mark.parametrize(
    "location", ["", "x", "a..b", "https://a.example", "a.example/x", "a b.example", 7, None]
)
def test_name_that_is_none_fails(location: object) -> None:
    document = load(STORE_3)
    document["openAttestationMetadata"]["identityProof"]["identifier"] = location
    examination = examine(seal(document), issuing(document))
    assert only(examination, CheckName.ISSUER).result is CheckResult.FAIL
    assert examination.issuer is None


# --- the rest -----------------------------------------------------------------------------------------------


def test_issuer_is_the_name_the_did_or_the_contract() -> None:
    assert examine(load(STORE)).issuer == "dns:example.tradetrust.io"
    assert examine(load(DID)).issuer == "did:ethr:0xE712878f6E8d5d4F9e87E10DA604F9cB564C9a89"
    assert examine(load(BATCHED)).issuer == "did:pkh:eip155:1:0x007d40224f6562461633ccfbaffd359ebb2fc9ba"


def test_draft_of_3_is_unknown() -> None:
    examination = examine(load("v3/draft-documentRopstenValidWithDocumentStore"))
    assert outcome(examination) is Outcome.INDETERMINATE


@pytest.mark.parametrize(
    "document", [{}, {"data": {}}, {"data": {}, "signature": "x"}, {"proof": []}, {"proof": {"type": ["x"]}}]
)
def test_other_documents_are_not_recognised(document: dict[str, Any]) -> None:
    assert not OpenAttestationExaminer().recognises(Presented(document=document))
    assert not OpenAttestationExaminer().recognises(Presented(token="a.b.c"))
