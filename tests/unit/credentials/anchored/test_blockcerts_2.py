"""Blockcerts 2.0: an assertion whose target jsonld.js computed, anchored here, and what must not pass."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from registry.credentials.findings import Examination, Presented
from registry.credentials.formats.blockcerts_2 import Blockcerts2
from registry.credentials.rdf import RdfCanonicalizer
from registry.encoding import Address, parse_json
from registry.ports.ledgers import LedgerTransaction
from registry.verdict.report import CheckName, CheckResult, Outcome
from tests.support.anchored import FakeDocuments, FakeLedgers, only, outcome, results, tools

VECTOR = Path(__file__).resolve().parents[3] / "vectors" / "blockcerts" / "assertion-2.0.json"
ISSUER = "https://issuer.example/profile.json"
REVOKED = "https://issuer.example/revoked.json"
ACCOUNT = "0x40cf9b7db6fcc742ad0a76b8588c7f8de2b54a60"
TX = "0x" + "ab" * 32
SIBLING = sha256(b"sibling").digest()
VECTOR_VALUE: dict[str, Any] = json.loads(VECTOR.read_text())
TARGET = bytes.fromhex(VECTOR_VALUE["target"])
ROOT = sha256(SIBLING + TARGET).digest()
SENT = LedgerTransaction(
    Address(bytes.fromhex(ACCOUNT[2:])), None, ROOT, 7, datetime(2024, 5, 1, 13, tzinfo=UTC), final=True
)


def assertion(**signature: Any) -> dict[str, Any]:
    document = copy.deepcopy(parse_json(json.dumps(VECTOR_VALUE["document"]).encode()))
    assert isinstance(document, dict)
    document["signature"] = {
        "type": ["MerkleProof2017", "Extension"],
        "merkleRoot": ROOT.hex(),
        "targetHash": TARGET.hex(),
        "proof": [{"left": SIBLING.hex()}],
        "anchors": [{"sourceId": TX, "type": "ETHData", "chain": "ethereumSepolia"}],
        **signature,
    }
    return document


def profile(**key: str) -> dict[str, Any]:
    return {
        "id": ISSUER,
        "type": "Profile",
        "publicKey": [{"id": f"ecdsa-koblitz-pubkey:{ACCOUNT}", "created": "2024-01-01T00:00:00Z", **key}],
        "revocationList": REVOKED,
    }


@pytest.fixture
def examine(canonicalizer: RdfCanonicalizer) -> Callable[..., Examination]:
    def look(
        document: dict[str, Any],
        sent: LedgerTransaction | None = SENT,
        chain_id: int = 11155111,
        issuer: dict[str, Any] | None = None,
        revoked: Any = None,
    ) -> Examination:
        transactions = {} if sent is None else {bytes.fromhex(TX[2:]): sent}
        known = {
            ISSUER: json.dumps(issuer or profile()).encode(),
            REVOKED: json.dumps(revoked or {"revokedAssertions": []}).encode(),
        }
        presented = Presented(document=document)
        assert Blockcerts2().recognises(presented)
        return Blockcerts2().examine(
            presented,
            tools(
                ledgers=FakeLedgers(chain_id, transactions),
                documents=FakeDocuments({} if issuer == {"gone": True} else known),
                canonicalizer=canonicalizer,
            ),
        )

    return look


Examine = Callable[..., Examination]


def test_assertion_whose_target_the_reference_computed_passes(examine: Examine) -> None:
    examination = examine(assertion())
    assert set(results(examination).values()) == {"pass"}
    assert (examination.issuer, examination.name) == (ISSUER, "Example School")
    assert examination.validity.valid_until == datetime(2034, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda d: d["recipientProfile"].update(name="A Thief"), id="recipient"),
        pytest.param(lambda d: d["badge"].update(name="Doctorate"), id="badge"),
        pytest.param(lambda d: d.update(expires="2099-01-01T00:00:00Z"), id="expiry"),
        pytest.param(lambda d: d.pop("expires"), id="no expiry"),
        pytest.param(lambda d: d["badge"]["issuer"].update(id="https://other.example/"), id="issuer"),
        pytest.param(lambda d: d.update(honours="first class"), id="an undefined term"),
    ],
)
def test_changed_assertion_fails_integrity(
    examine: Examine, change: Callable[[dict[str, Any]], None]
) -> None:
    document = assertion()
    change(document)
    examination = examine(document)
    assert only(examination, CheckName.INTEGRITY).result is CheckResult.FAIL
    assert outcome(examination) is Outcome.INVALID
    assert "anchor" not in results(examination)


@pytest.mark.parametrize(
    "contexts",
    [
        ["https://w3id.org/openbadges/v2", "https://w3id.org/blockcerts/v2", {"grade": "schema:grade"}],
        [
            "https://openbadgespec.org/v2/context.json",
            "https://w3id.org/blockcerts/schema/2.0-alpha/context.json",
        ],
    ],
)
def test_context_that_is_not_known_leaves_integrity_unknown(examine: Examine, contexts: list[Any]) -> None:
    examination = examine(assertion() | {"@context": contexts})
    assert only(examination, CheckName.INTEGRITY).result is CheckResult.UNKNOWN
    assert outcome(examination) is Outcome.INDETERMINATE


def test_path_to_another_root_fails_inclusion(examine: Examine) -> None:
    examination = examine(assertion(proof=[{"right": SIBLING.hex()}]))
    assert only(examination, CheckName.INCLUSION).result is CheckResult.FAIL
    assert outcome(examination) is Outcome.INVALID


@pytest.mark.parametrize(
    "signature",
    [
        {"merkleRoot": None},
        {"merkleRoot": ROOT.hex()[2:]},
        {"merkleRoot": "zz" * 32},
        {"targetHash": 7},
        {"proof": "x"},
        {"proof": {"left": SIBLING.hex()}},
        {"proof": [SIBLING.hex()]},
        {"proof": [{}]},
        {"proof": [{"left": SIBLING.hex(), "right": SIBLING.hex()}]},
        {"proof": [{"up": SIBLING.hex()}]},
        {"proof": [{"left": "00"}]},
        {"proof": [{"left": [SIBLING.hex()]}]},
        {"proof": [{"left": SIBLING.hex()}] * 65},
        {"anchors": []},
        {"anchors": "x"},
        {"anchors": [7]},
        {"anchors": [{"sourceId": TX, "chain": "ethereumSepolia"}] * 9},
        {"anchors": [{"sourceId": TX, "chain": "dogecoinMainnet"}]},
        {"anchors": [{"sourceId": TX, "chain": ["ethereumMainnet"]}]},
        {"anchors": [{"sourceId": "0x00", "chain": "ethereumSepolia"}]},
        {"anchors": [{"chain": "ethereumSepolia"}]},
    ],
)
def test_proof_of_another_form_fails_format(examine: Examine, signature: dict[str, Any]) -> None:
    assert only(examine(assertion(**signature)), CheckName.FORMAT).result is CheckResult.FAIL


@pytest.mark.parametrize(
    ("anchor", "words", "leads_to"),
    [
        ({"sourceId": "cd" * 32, "type": "BTCOpReturn"}, "Bitcoin transaction cdcd", Outcome.INDETERMINATE),
        ({"sourceId": "cd" * 32, "chain": "bitcoinTestnet"}, "Bitcoin", Outcome.INDETERMINATE),
        ({"sourceId": TX, "chain": "ethereumMainnet"}, "eip155:1", Outcome.INDETERMINATE),
        ({"sourceId": TX, "chain": "ethereumRopsten"}, "eip155:3", Outcome.INDETERMINATE),
        ({"sourceId": "This is for trying", "chain": "mockchain"}, "no chain", Outcome.NOT_FOUND),
        ({"sourceId": "0x" + "cd" * 32, "chain": "ethereumSepolia"}, "is not there", Outcome.NOT_FOUND),
    ],
)
def test_anchor_elsewhere_is_said(
    examine: Examine, anchor: dict[str, str], words: str, leads_to: Outcome
) -> None:
    examination = examine(assertion(anchors=[anchor]))
    assert words in only(examination, CheckName.ANCHOR).detail
    assert outcome(examination) is leads_to


def test_root_inside_other_call_data_fails(examine: Examine) -> None:
    examination = examine(assertion(), replace(SENT, input=bytes(4) + ROOT))
    assert "somewhere in its data" in only(examination, CheckName.ANCHOR).detail
    assert outcome(examination) is Outcome.INVALID


def test_sender_outside_the_profile_fails(examine: Examine) -> None:
    examination = examine(assertion(), replace(SENT, sender=Address(bytes(20))))
    assert only(examination, CheckName.SIGNATURE).result is CheckResult.FAIL


def test_anchor_by_a_key_that_was_revoked_before_is_withdrawn(examine: Examine) -> None:
    examination = examine(assertion(), issuer=profile(revoked="2024-05-01T13:00:00Z"))
    assert "had been revoked" in only(examination, CheckName.ISSUER).detail
    assert outcome(examination) is Outcome.WITHDRAWN


def test_transaction_before_the_keys_creation_fails(examine: Examine) -> None:
    examination = examine(assertion(), issuer=profile(created="2024-05-01T13:00:00Z"))
    assert "not the issuer's yet" in only(examination, CheckName.SIGNATURE).detail


def test_profile_that_cannot_be_looked_at_is_unknown(examine: Examine) -> None:
    examination = examine(assertion(), issuer={"gone": True})
    assert ISSUER in only(examination, CheckName.SIGNATURE).detail
    assert outcome(examination) is Outcome.INDETERMINATE


def test_document_that_is_not_the_issuers_profile_fails(examine: Examine) -> None:
    examination = examine(assertion(), issuer=profile() | {"id": "https://other.example/"})
    assert only(examination, CheckName.SIGNATURE).result is CheckResult.FAIL


def test_assertion_on_the_revocation_list_is_revoked(examine: Examine) -> None:
    document = assertion()
    examination = examine(document, revoked={"revokedAssertions": [{"id": document["id"]}]})
    assert outcome(examination) is Outcome.REVOKED


@pytest.mark.parametrize("issuedOn", ["2017-05-02", 7, "x"])
def test_dates_that_cannot_be_read_are_said(examine: Examine, issuedOn: object) -> None:  # noqa: N803
    assert not examine(assertion() | {"issuedOn": issuedOn}).validity.readable


@pytest.mark.parametrize("badge", [None, "https://issuer.example/badge.json", {}, {"issuer": 7}])
def test_assertion_that_names_no_issuer_never_passes(examine: Examine, badge: object) -> None:
    assert outcome(examine(assertion() | {"badge": badge})) is not Outcome.VALID


@pytest.mark.parametrize(
    "document", [{}, {"signature": "x"}, {"signature": {"type": "SHA3MerkleProof"}}, {"signature": []}]
)
def test_other_documents_are_not_recognised(document: dict[str, Any]) -> None:
    assert not Blockcerts2().recognises(Presented(document=document))
    assert not Blockcerts2().recognises(Presented(token="a.b.c"))
