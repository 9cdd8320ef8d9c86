"""A credential anchored by a real transaction of the registry, exported with its proof, and examined by
the chain, the DID and the profile alone: what Blockcerts' verifier looks at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
from eth_keys.datatypes import PrivateKey

from registry.chain.factory import deploy_by_rpc, open_rpc
from registry.chain.keystore import LocalSigner
from registry.credentials.findings import Examination, Presented
from registry.credentials.formats.blockcerts import Blockcerts
from registry.credentials.keys import KeyType, PublicKey
from registry.credentials.merkle_proof_2019 import anchor_proof, decode_proof_value, inclusion_proof_of
from registry.credentials.rdf import ContextStore, RdfCanonicalizer, rdf_digest
from registry.credentials.sources import Tools
from registry.encoding import DigestMethod, Root, Salt, TxHash, to_hex
from registry.merkle import InclusionPass, InclusionProof, path_length, root_from_proof, verify_inclusion
from registry.model.chain import CallKind, Change, ContractCall
from registry.verdict.report import CheckName, CheckResult, Outcome
from tests.support.anchored import FakeDocuments, only, outcome
from tests.support.anvil import anvil
from tests.support.chains import DrivenChain
from tests.support.hostile_node import node_at

pytestmark = pytest.mark.node

SEPOLIA = 11155111
KEY = sha256(b"a key for trying").digest()
DID = "did:web:issuer.example"
PROFILE = "https://issuer.example/profile.json"
MULTIKEY = PublicKey.from_raw(
    KeyType.SECP256K1, PrivateKey(KEY).public_key.to_compressed_bytes()
).to_multikey()
CREDENTIAL: dict[str, Any] = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "id": "urn:uuid:0f2d5a0e-6d3f-4f57-8f6c-6a1f3a0f5b11",
    "type": ["VerifiableCredential"],
    "issuer": DID,
    "credentialSubject": {"id": "did:example:holder", "name": "Ada Example"},
}


@pytest.fixture(scope="module")
def sepolia() -> Iterator[DrivenChain]:
    """anvil under the chain id of Sepolia, with an issuer."""
    signer = LocalSigner(KEY)  # known development keys are refused on this chain id
    with anvil(chain_id=SEPOLIA) as node:
        node.rpc("anvil_setBalance", to_hex(signer.address), hex(10**21))
        deploy_by_rpc([node.url], signer)
        gateway = open_rpc([node.url], has_finalized_tag=False)
        try:
            driven = DrivenChain(
                gateway, signer, lambda: node_at(node.url), node.mine, node.reorg, node.automines
            )
            driven.make_issuer()
            yield driven
        finally:
            gateway.close()


@pytest.fixture(scope="module")
def canonicalizer() -> Iterator[RdfCanonicalizer]:
    """Over the bundled contexts."""
    made = RdfCanonicalizer(ContextStore())
    yield made
    made.close()


def claim_of(chain: DrivenChain, canonicalizer: RdfCanonicalizer, salt: bytes) -> InclusionProof:
    digest = rdf_digest(canonicalizer, CREDENTIAL)
    path = tuple(sha256(salt + bytes([n])).digest() for n in range(path_length(3, 9)))
    made = InclusionProof(
        3,
        9,
        path,
        DigestMethod.RDFC_SHA256,
        digest,
        Salt(sha256(salt).digest()),
        chain.issuer,
        Root(bytes(32)),
    )
    root = Root(root_from_proof(made))
    return InclusionProof(3, 9, path, made.method, digest, made.salt, chain.issuer, root)


def exported(claim: InclusionProof, transaction: TxHash) -> dict[str, Any]:
    proof = anchor_proof(
        claim,
        transaction=transaction,
        chain_id=SEPOLIA,
        created=datetime(2026, 11, 25, tzinfo=UTC),
        verification_method=f"{DID}#chain-1",
    )
    return CREDENTIAL | {"proof": [proof]}


def examine(
    chain: DrivenChain, canonicalizer: RdfCanonicalizer, document: dict[str, Any], *, confirmations: int = 1
) -> Examination:
    method = {"id": f"{DID}#chain-1", "type": "Multikey", "controller": DID, "publicKeyMultibase": MULTIKEY}
    did = {
        "@context": ["https://www.w3.org/ns/did/v1"],
        "id": DID,
        "verificationMethod": [method],
        "assertionMethod": [method["id"]],
        "service": [{"id": f"{DID}#profile", "type": "IssuerProfile", "serviceEndpoint": PROFILE}],
    }
    profile = {
        "id": PROFILE,
        "type": "Profile",
        "publicKey": [
            {"id": f"ecdsa-koblitz-pubkey:{to_hex(chain.issuer)}", "created": "2020-01-01T00:00:00Z"}
        ],
    }
    documents = FakeDocuments(
        {
            "https://issuer.example/.well-known/did.json": json.dumps(did).encode(),
            PROFILE: json.dumps(profile).encode(),
        }
    )
    ledgers = chain.gateway.ledgers(confirmations=confirmations)
    tools = Tools(canonicalizer, documents, ledgers, datetime.now(UTC), {})
    return Blockcerts().examine(Presented(document=document), tools)


def test_exported_credential_is_valid_by_the_chain_and_the_profile_alone(
    sepolia: DrivenChain, canonicalizer: RdfCanonicalizer
) -> None:
    claim = claim_of(sepolia, canonicalizer, b"good")
    document = exported(claim, sepolia.anchor(claim.root).transaction)
    assert outcome(examine(sepolia, canonicalizer, document)) is Outcome.VALID
    found = inclusion_proof_of(decode_proof_value(document["proof"][0]["proofValue"]))
    assert found is not None
    assert isinstance(verify_inclusion(found), InclusionPass)
    assert (found.issuer, found.root) == (sepolia.issuer, claim.root)


def test_exported_credential_is_pending_until_its_transaction_is_final(
    sepolia: DrivenChain, canonicalizer: RdfCanonicalizer
) -> None:
    claim = claim_of(sepolia, canonicalizer, b"young")
    document = exported(claim, sepolia.anchor(claim.root).transaction)
    examination = examine(sepolia, canonicalizer, document, confirmations=50)
    assert outcome(examination) is Outcome.PENDING


def test_root_inside_another_call_of_the_registry_fails(
    sepolia: DrivenChain, canonicalizer: RdfCanonicalizer
) -> None:
    claim = claim_of(sepolia, canonicalizer, b"inside")
    sepolia.anchor(claim.root)
    revocation = ContractCall(
        CallKind.REVOKE, sepolia.issuer, root=claim.root, changes=(Change(0, 1),), reason=0
    )
    document = exported(claim, sepolia.do(revocation).transaction)
    finding = only(examine(sepolia, canonicalizer, document), CheckName.ANCHOR)
    assert finding.result is CheckResult.FAIL
    assert "somewhere in its data" in finding.detail


def test_transaction_that_reverted_does_not_anchor(
    sepolia: DrivenChain, canonicalizer: RdfCanonicalizer
) -> None:
    claim = claim_of(sepolia, canonicalizer, b"reverted")
    receipt = sepolia.mined(sepolia.sign(sepolia.gateway.info.address, claim.root, gas_limit=30_000))
    assert receipt.status == 0
    finding = only(examine(sepolia, canonicalizer, exported(claim, receipt.transaction)), CheckName.ANCHOR)
    assert (finding.result, finding.outcome) == (CheckResult.FAIL, Outcome.NOT_FOUND)
