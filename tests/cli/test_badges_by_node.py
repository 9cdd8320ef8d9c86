"""Badges that are anchored by rdfc-sha256, on a node that gives storage proofs: their bundles, and the place
that they carry inside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer import Typer

from registry.bootstrap import open_canonicalizer
from registry.credentials.key_pairs import KeyPair
from registry.credentials.keys import KeyType
from registry.credentials.merkle_proof_2019 import (
    Ledger,
    MerkleProof2019,
    ProofAnchor,
    encode_proof_value,
    full_path,
)
from registry.credentials.rdf import RdfCanonicalizer, rdf_digest
from registry.credentials.suites.signing import ProofOptions, add_proof
from registry.encoding import DigestMethod, Salt, to_hex
from registry.merkle import InclusionProof, leaf_hash, proof_to_json, root_of, salted_digest
from tests.cli.conftest import Shell
from tests.support.anvil import CHAIN_ID, Anvil, anvil
from tests.support.chains import DrivenChain, driven_anvil

pytestmark = pytest.mark.node
ED = KeyPair.from_private_bytes(KeyType.ED25519, bytes(range(32)))
V2 = "https://www.w3.org/ns/credentials/v2"


@dataclass
class Place:
    """A node with the registry, and a signed badge that is anchored there with its status in its issuer's
    lists."""

    node: Anvil
    driven: DrivenChain
    shell: Shell
    did: str
    badge: dict[str, Any]
    proof: InclusionProof
    transaction: bytes

    def run(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        ran = self.shell.run("verify", "badge.json", *arguments, "--issuer", self.did, "--json")
        assert ran.out, ran.err
        return ran.code, ran.json

    def write(self, badge: dict[str, Any]) -> None:
        Path("badge.json").write_text(json.dumps(badge))

    def with_its_place(self) -> dict[str, Any]:
        """The badge with merkle-proof-2019 before its signature."""
        anchor = ProofAnchor(Ledger.ETHEREUM, CHAIN_ID, self.transaction)  # type: ignore[arg-type]
        value = MerkleProof2019(self.proof.root, self.proof.digest, full_path(self.proof), (anchor,))
        first = {
            "type": "DataIntegrityProof",
            "cryptosuite": "merkle-proof-2019",
            "created": "2026-11-25T00:00:00Z",
            "proofPurpose": "assertionMethod",
            "verificationMethod": f"{self.did}#chain-1",
            "proofValue": encode_proof_value(value),
        }
        return self.badge | {"proof": [first, self.badge["proof"]]}


@pytest.fixture(scope="module")
def chain() -> Iterator[tuple[Anvil, DrivenChain]]:
    with anvil() as node, driven_anvil(node) as driven:
        driven.make_issuer()
        yield node, driven


@pytest.fixture(scope="module")
def canonicalizer() -> Iterator[RdfCanonicalizer]:
    from registry.settings import Settings

    made = open_canonicalizer(Settings())
    yield made
    made.close()


@pytest.fixture
def place(
    chain: tuple[Anvil, DrivenChain], canonicalizer: RdfCanonicalizer, cli: Typer, nowhere: Path
) -> Place:
    node, driven = chain
    did = f"did:web:college.example:issuers:{to_hex(driven.issuer)}"
    entry = {
        "id": "https://college.example/status/1-revocation#5",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "5",
        "statusListCredential": "https://college.example/status/1-revocation",
    }
    plain = {
        "@context": [V2],
        "id": f"urn:uuid:{uuid4()}",
        "type": ["VerifiableCredential"],
        "issuer": did,
        "credentialSubject": {"id": "urn:uuid:0e5a5a0e-8e0f-4a56-b3b4-5f6a0a0a0a01"},
        "credentialStatus": entry,
    }
    options = ProofOptions("eddsa-rdfc-2022", KeyType.ED25519, f"{did}#{ED.public.to_multikey()}")
    badge = add_proof(plain, options, ED.sign, canonicalizer).document
    digest, salt, method = rdf_digest(canonicalizer, plain), Salt(bytes(31) + b"\7"), DigestMethod.RDFC_SHA256
    root = root_of(1, leaf_hash(method, driven.issuer, 0, salted_digest(digest, salt)))
    proof = InclusionProof(0, 1, (), method, digest, salt, driven.issuer, root)
    receipt = driven.mined(driven.sign(driven.gateway.info.address, root))
    (nowhere / "proof.json").write_text(json.dumps(proof_to_json(proof)))
    made = Place(node, driven, Shell(cli), did, badge, proof, receipt.transaction)
    made.write(badge)
    return made


def bundled(place: Place, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The verdict on a bundle just made."""
    made = place.shell.run("bundle", "badge.json", "bundle.json", "--rpc", place.node.url, *arguments)
    assert made.code == 0, made.err
    block = to_hex(place.driven.gateway.latest().hash)
    return verified(place, "--trusted-block", block)


def verified(place: Place, *arguments: str) -> tuple[int, dict[str, Any]]:
    ran = place.shell.run("verify", "bundle.json", "--bundle", "--issuer", place.did, *arguments, "--json")
    assert ran.out, ran.err
    return ran.code, ran.json


def check(report: dict[str, Any], name: str) -> str:
    return next(str(one["result"]) for one in report["checks"] if one["name"] == name)


# --- bundles ------------------------------------------------------------------------------------------------


def test_bundle_with_a_tampered_badge_is_1(place: Place) -> None:
    assert bundled(place, "--proof", "proof.json")[0] == 0
    bundle = json.loads(Path("bundle.json").read_text())
    bundle["credential"]["credentialSubject"]["id"] = "urn:uuid:0e5a5a0e-8e0f-4a56-b3b4-5f6a0a0a0a02"
    Path("bundle.json").write_text(json.dumps(bundle))
    assert verified(place)[0] == 1


def test_bundle_of_a_contradiction_is_not_made(place: Place) -> None:
    place.write(place.badge | {"issuer": "did:web:other.example"})
    ran = place.shell.run(
        "bundle", "badge.json", "bundle.json", "--rpc", place.node.url, "--proof", "proof.json"
    )
    assert (ran.code, Path("bundle.json").exists()) == (2, False)


def test_bundle_of_a_badge_is_valid_with_a_trusted_block_only(place: Place) -> None:
    code, report = bundled(place, "--proof", "proof.json")
    assert (code, report["format"], report["as_of"]["source"]) == (0, "Verifiable Credential 2.0", "bundle")
    assert (check(report, "signature"), check(report, "status")) == ("skipped", "pass")
    assert verified(place)[0] == 4
    assert verified(place, "--trusted-block", "0x" + "11" * 32)[0] == 4


def test_bundle_of_a_badge_with_its_place_inside_needs_no_proof_beside_it(place: Place) -> None:
    place.write(place.with_its_place())
    assert bundled(place)[0] == 0


def test_bundle_of_a_revoked_badge_is_3(place: Place) -> None:
    place.driven.revoke(place.proof.root, 1, reason=1)
    assert bundled(place, "--proof", "proof.json")[0] == 3


# --- the place inside ---------------------------------------------------------------------------------------


def test_badge_with_its_place_inside_is_valid_from_the_node_alone(place: Place) -> None:
    place.write(place.with_its_place())
    code, report = place.run("--rpc", place.node.url)
    assert (code, report["format"]) == (0, "Verifiable Credential 2.0 with a Merkle proof")
    assert report["anchor"]["root"] == to_hex(place.proof.root)
    assert (check(report, "signature"), check(report, "status")) == ("skipped", "pass")


def test_badge_whose_place_was_stripped_is_indeterminate(place: Place) -> None:
    code, report = place.run("--rpc", place.node.url)
    assert (code, check(report, "anchor")) == (4, "unknown")


def test_badge_with_its_place_inside_is_invalid_once_changed(place: Place) -> None:
    changed = place.with_its_place() | {"credentialSubject": {"id": "urn:uuid:" + str(uuid4())}}
    place.write(changed)
    assert place.run("--rpc", place.node.url)[0] == 1


def test_badge_with_its_place_inside_is_revoked_by_the_chain(place: Place) -> None:
    place.driven.revoke(place.proof.root, 1, reason=1)
    place.write(place.with_its_place())
    code, report = place.run("--rpc", place.node.url)
    assert (code, report["outcome"]) == (3, "revoked")


def test_place_of_another_account_does_not_fit_the_did(place: Place) -> None:
    place.write(place.with_its_place())
    ran = place.shell.run(
        "verify",
        "badge.json",
        "--rpc",
        place.node.url,
        "--issuer",
        "did:web:college.example:issuers:0x" + "11" * 20,
    )
    assert ran.code in (1, 4)
