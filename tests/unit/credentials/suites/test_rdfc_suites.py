"""Data Integrity proofs over RDF: the published examples, batches, and documents that RDF would not cover."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from registry.credentials.controllers import VerificationMethod
from registry.credentials.key_pairs import KeyPair
from registry.credentials.keys import KeyType, PublicKey
from registry.credentials.rdf import ContextStore, RdfCanonicalizer
from registry.credentials.suites.cryptosuites import CREATED
from registry.credentials.suites.data_integrity import check_proofs, verify_proof
from registry.credentials.suites.proofs import proofs_of, read_proof
from registry.credentials.suites.signing import DATA_INTEGRITY_CONTEXT, ProofOptions, add_proof, add_proofs
from registry.credentials.verification_methods import did_key
from registry.encoding import parse_base58btc, parse_json
from registry.errors import BadSignatureError, UndefinedTermError, UnknownContextError, ValidationError
from registry.verdict.report import CheckResult
from tests.unit.credentials.suites.parts import (
    ED,
    ISSUER,
    P256,
    P384,
    badge,
    options_of,
    results,
    signed,
    tools,
)

VECTORS = Path(__file__).parents[3] / "vectors" / "data_integrity"
PUBLISHED = sorted(path.stem for path in VECTORS.glob("*-*.json"))
FAIL, PASS, UNKNOWN = CheckResult.FAIL, CheckResult.PASS, CheckResult.UNKNOWN
SUITES = [(ED, "eddsa-rdfc-2022"), (P256, "ecdsa-rdfc-2019"), (P384, "ecdsa-rdfc-2019")]


@pytest.fixture(scope="module")
def canonicalizer() -> Iterator[RdfCanonicalizer]:
    with RdfCanonicalizer(ContextStore()) as opened:
        yield opened


def _published(name: str) -> dict[str, Any]:
    document = parse_json((VECTORS / f"{name}.json").read_bytes())
    assert isinstance(document, dict)
    return document


def _method(method_id: str) -> VerificationMethod:
    """The published examples name their key in the fragment."""
    controller, _, multikey = method_id.partition("#")
    key = PublicKey.from_multikey(multikey)
    return VerificationMethod(method_id, controller, key, frozenset({"assertionMethod"}))


def _published_pairs() -> dict[str, KeyPair]:
    """The published key pairs by their public Multikey. A secret one has two bytes of prefix."""
    pairs = {}
    for members in json.loads((VECTORS / "keys.json").read_text("utf-8")):
        public = PublicKey.from_multikey(members["publicKeyMultibase"])
        secret = parse_base58btc(members["secretKeyMultibase"], max_characters=100)[2:]
        pairs[members["publicKeyMultibase"]] = KeyPair.from_private_bytes(public.kind, secret)
        assert pairs[members["publicKeyMultibase"]].public == public
    return pairs


# --- published ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_proofs_are_accepted_and_refused_when_altered(
    name: str, canonicalizer: RdfCanonicalizer
) -> None:
    document = _published(name)
    for members in proofs_of(document):
        proof = read_proof(members)
        method = _method(proof.method)
        verify_proof(document, proof, method, tools(canonicalizer=canonicalizer))
        later = read_proof({**members, "created": "2023-02-24T23:36:39Z"})
        for altered, shown in (({**document, "name": "Another"}, proof), (document, later)):
            with pytest.raises(BadSignatureError):
                verify_proof(altered, shown, method, tools(canonicalizer=canonicalizer))


# The ecdsa-jcs-2019 examples leave out the proof's contexts, which section 3.3.1 asks for.
@pytest.mark.parametrize(
    "name", ["eddsa-rdfc-2022", "eddsa-jcs-2022", "ecdsa-rdfc-2019-p256", "ecdsa-rdfc-2019-p384"]
)
def test_published_proofs_are_made_alike(name: str, canonicalizer: RdfCanonicalizer) -> None:
    document = _published(name)
    proof = document.pop("proof")
    pair = _published_pairs()[proof["verificationMethod"].partition("#")[2]]
    options = ProofOptions(
        proof["cryptosuite"],
        pair.public.kind,
        proof["verificationMethod"],
        datetime.fromisoformat(proof["created"]),
    )
    assert add_proof(document, options, pair.sign, canonicalizer).document["proof"] == proof


def test_chain_fails_when_a_link_is_altered(canonicalizer: RdfCanonicalizer) -> None:
    document = _published("eddsa-rdfc-2022-chain")
    third = document["proof"][2]
    proof, method = read_proof(third), _method(third["verificationMethod"])
    document["proof"][0] = {**document["proof"][0], "created": "2020-01-01T00:00:00Z"}
    with pytest.raises(BadSignatureError):
        verify_proof(document, proof, method, tools(canonicalizer=canonicalizer))


# --- what RDF would not cover -------------------------------------------------------------------------------


def _check(document: Any, canonicalizer: RdfCanonicalizer, owner: str = ISSUER) -> Any:
    return check_proofs(document, tools(canonicalizer=canonicalizer), owner=owner)


@pytest.mark.parametrize(("pair", "suite"), SUITES)
def test_signature_fails_when_an_undefined_term_is_added(
    pair: KeyPair, suite: str, canonicalizer: RdfCanonicalizer
) -> None:
    issuer = did_key(pair.public)
    document = signed(badge(issuer=issuer), pair, suite, canonicalizer)
    assert results(_check(document, canonicalizer, issuer)) == [PASS]
    (finding,) = _check({**document, "unheardOf": "added later"}, canonicalizer, issuer)
    assert finding.result is FAIL
    assert "unheardOf" in finding.detail


def test_signature_is_unknown_and_names_the_context_when_one_is_not_at_hand(
    canonicalizer: RdfCanonicalizer,
) -> None:
    document = signed(cryptosuite="eddsa-rdfc-2022", canonicalizer=canonicalizer)
    document["@context"] = [*document["@context"], "https://evil.example/context"]
    (finding,) = _check(document, canonicalizer)
    assert finding.result is UNKNOWN
    assert "https://evil.example/context" in finding.detail


def test_signature_does_not_pass_when_an_injected_context_changes_the_meaning(
    canonicalizer: RdfCanonicalizer,
) -> None:
    plain = badge(awardedBy=None)
    document = signed(plain, cryptosuite="eddsa-rdfc-2022", canonicalizer=canonicalizer)
    for injected in (
        {"name": "https://evil.example/#name"},
        {"@vocab": "https://evil.example/#"},
        {"@base": "https://evil.example/"},
    ):
        changed = {**document, "@context": [*document["@context"], injected], "unheardOf": "added"}
        assert results(_check(changed, canonicalizer)) == [UNKNOWN]
    vocabulary = "https://www.w3.org/ns/credentials/examples/v2"
    changed = {**document, "@context": [*document["@context"], vocabulary], "unheardOf": "added"}
    assert results(_check(changed, canonicalizer)) == [FAIL]


def _poison() -> dict[str, Any]:
    """Eight blank nodes, each of which names all the others: every labelling looks like every other."""
    nodes = [f"_:b{number}" for number in range(8)]
    graph = [{"id": node, "type": "Profile", "otherIdentifier": []} for node in nodes]
    linked: Any = [
        {**entry, "endorsement": [{"id": other} for other in nodes if other != entry["id"]]}
        for entry in graph
    ]
    return badge(credentialSubject=linked)


def test_signature_is_not_passed_for_a_poison_graph(canonicalizer: RdfCanonicalizer) -> None:
    document = {**_poison(), "proof": signed()["proof"] | {"cryptosuite": "eddsa-rdfc-2022"}}
    assert results(_check(document, canonicalizer)) in ([FAIL], [UNKNOWN])


def test_nothing_is_signed_that_would_be_lost(canonicalizer: RdfCanonicalizer) -> None:
    with pytest.raises(UndefinedTermError):
        signed(badge(unheardOf=1), cryptosuite="eddsa-rdfc-2022", canonicalizer=canonicalizer)
    contexts = [*badge()["@context"], "https://unknown.example/context"]
    with pytest.raises(UnknownContextError):
        signed(badge(**{"@context": contexts}), cryptosuite="eddsa-rdfc-2022", canonicalizer=canonicalizer)


def _shortened(value: Any) -> Iterator[Any]:
    """Copies of a document, each without one member or one entry of a list."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            shorter = copy.copy(value)
            del shorter[key]
            yield shorter
            for changed in _shortened(value[key]):
                other = copy.copy(value)
                other[key] = changed
                yield other


@pytest.mark.parametrize("suite", ["eddsa-rdfc-2022", "eddsa-jcs-2022"])
def test_nothing_passes_when_any_member_is_removed(suite: str, canonicalizer: RdfCanonicalizer) -> None:
    document = signed(cryptosuite=suite, canonicalizer=canonicalizer)
    for shorter in _shortened(document):
        assert PASS not in results(_check(shorter, canonicalizer))


# --- sets and batches ---------------------------------------------------------------------------------------


def test_set_of_several_suites_passes_and_is_canonicalised_once() -> None:
    class Counting(RdfCanonicalizer):
        seen = 0

        def n_quads(self, document: Any, *arguments: Any) -> bytes:
            self.seen += "credentialSubject" in document
            return super().n_quads(document, *arguments)

    with Counting(ContextStore()) as canonicalizer:
        document = signed(cryptosuite="eddsa-rdfc-2022", canonicalizer=canonicalizer)
        document = signed(document, cryptosuite="eddsa-jcs-2022", canonicalizer=canonicalizer)
        document = signed(document, cryptosuite="eddsa-rdfc-2022", canonicalizer=canonicalizer)
        canonicalizer.seen = 0
        assert results(_check(document, canonicalizer)) == [PASS, PASS, PASS]
        assert canonicalizer.seen == 1


@pytest.mark.parametrize(("pair", "suite"), [*SUITES, (ED, "eddsa-jcs-2022")])
def test_batch_is_signed_as_its_documents_alone(
    pair: KeyPair, suite: str, canonicalizer: RdfCanonicalizer
) -> None:
    documents = [badge(name=f"Badge {number}") for number in range(3)]
    documents.append({**documents[0], "@context": [*documents[0]["@context"], DATA_INTEGRITY_CONTEXT]})
    options = options_of(pair, suite)
    batch = add_proofs(documents, options, pair.sign, canonicalizer)
    assert batch == [add_proof(document, options, pair.sign, canonicalizer) for document in documents]
    for document, secured in zip(documents, batch, strict=True):
        quads = canonicalizer.n_quads(document)
        registry_digest = sha256(quads).digest() if not CREATED[suite].jcs else None
        expected = registry_digest if pair.public.kind is not KeyType.P384 else None
        assert secured.rdfc_sha256 == expected


def test_batch_names_the_document_that_would_lose_something(canonicalizer: RdfCanonicalizer) -> None:
    documents = [badge(), badge(unheardOf=1)]
    with pytest.raises(ValidationError) as caught:
        add_proofs(documents, options_of(ED, "eddsa-rdfc-2022"), ED.sign, canonicalizer)
    assert (caught.value.faults[0].pointer or "").startswith("/1")


@pytest.mark.parametrize("context", ["https://www.w3.org/2018/credentials/v1"])
def test_older_document_is_signed_and_accepted(context: str, canonicalizer: RdfCanonicalizer) -> None:
    document = {
        "@context": [context],
        "id": "urn:uuid:7f6d0f5e-0b9e-4d0e-8e3f-5f0f3b6a9c11",
        "type": ["VerifiableCredential"],
        "issuer": ISSUER,
        "issuanceDate": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:holder"},
    }
    secured = signed(document, cryptosuite="eddsa-rdfc-2022", canonicalizer=canonicalizer)
    assert results(_check(secured, canonicalizer)) == [PASS]
