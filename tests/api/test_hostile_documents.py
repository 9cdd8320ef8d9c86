"""Documents made to be taken for what they are not: none is ever valid, and none is a fault of the server."""

from __future__ import annotations

import gzip
import hmac
import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from registry.credentials.formats.jwt_credentials import issue_vc_jose
from registry.credentials.rdf import rdf_digest
from registry.credentials.status.bitstring import encode, new_bitstring
from registry.encoding import to_base64url, to_hex
from tests.api.conftest import Api
from tests.api.signed_documents import (
    CREDENTIALS,
    DID,
    ED,
    JCS,
    LIST,
    METHOD,
    RDFC,
    THIEF,
    THIEVES_DID,
    THIEVES_METHOD,
    V2,
    Change,
    changed,
    check,
    compact,
    credential,
    entry,
    outcome,
    refused_or_bad,
    report,
    signed,
    status_list,
)
from tests.unit.credentials.rdf.samples import EXAMPLES, clique

NAMES = "https://x.example/p"


@pytest.mark.parametrize("suite", [JCS, RDFC])
def test_untouched_credential_is_valid_so_that_the_rest_means_something(api: Api, suite: str) -> None:
    assert outcome(api, signed(api, credential(), suite)) == "valid"


# --- members in disguise, and contexts ----------------------------------------------------------------------


def moved(name: str, key: str) -> Change:
    def change(document: dict[str, Any]) -> None:
        document[key] = document.pop(name)

    return change


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("validUntil", f"{CREDENTIALS}validUntil"),
        ("credentialStatus", f"{CREDENTIALS}credentialStatus"),
        ("id", "@id"),
        ("type", "@type"),
        ("issuer", f"{CREDENTIALS}issuer"),
        ("credentialSubject", f"{CREDENTIALS}credentialSubject"),
    ],
)
def test_member_that_is_hidden_under_its_iri_is_invalid(api: Api, name: str, key: str) -> None:
    document = signed(api, credential(validUntil="2999-01-01T00:00:00Z", credentialStatus=entry()), RDFC)
    if name == "validUntil":
        document = signed(api, credential(validUntil="2020-01-01T00:00:00Z"), RDFC)
        assert outcome(api, document) == "expired"
        hidden = {"@value": document.pop(name), "@type": "http://www.w3.org/2001/XMLSchema#dateTime"}
        document[key] = hidden
    else:
        moved(name, key)(document)
    found = report(api, document)
    assert (found["outcome"], check(found, "signature")) == ("invalid", "fail")


def test_end_of_a_proof_that_is_hidden_under_its_iri_is_invalid(api: Api) -> None:
    document = signed(api, credential(), RDFC)
    for key in ("https://w3id.org/security#expiration", "sec:expiration", "expiration"):
        found = report(api, changed(document, lambda d, key=key: d["proof"].update({key: "2020-01-01"})))
        assert (found["outcome"], "its own name" in json.dumps(found)) == ("invalid", True)


@pytest.mark.parametrize(
    "contexts",
    [
        [V2, {"until": f"{CREDENTIALS}validUntil"}],
        [V2, {"@import": V2}],
        [V2, {"@propagate": False, "name": "https://x.example/name"}],
        [V2, {"@protected": True, "issuer": "https://x.example/issuer"}],
        [V2, {"id": "https://x.example/id", "type": "@id"}],
        [V2, {"@vocab": "https://x.example/"}],
        [V2, {"@base": "https://x.example/"}],
        [V2, {"@version": 1.1, "credentialSubject": None}],
        [V2, None],
        [None, V2],
        [V2, "https://unknown.example/v1"],
        [V2, "../credentials/v2"],
        [V2, 7],
        [V2, [V2]],
        [V2] * 5_000,
        [V2, *[f"https://c{number}.example/" for number in range(5_000)]],
        [[[V2]]],
        [],
        None,
        {},
        "",
        V2.upper(),
        [EXAMPLES, V2],
    ],
)
@pytest.mark.parametrize("suite", [JCS, RDFC])
def test_other_contexts_than_those_signed_are_not_valid(api: Api, contexts: Any, suite: str) -> None:
    document = signed(api, credential(validUntil="2999-01-01T00:00:00Z"), suite)
    assert refused_or_bad(api, {**document, "@context": contexts}) != "valid"


@pytest.mark.parametrize("name", ["@graph", "@included", "@nest", "@reverse", "@index", "@foo", "@import"])
def test_keyword_that_could_hide_statements_is_not_valid(api: Api, name: str) -> None:
    document = signed(api, credential(), RDFC)
    assert refused_or_bad(api, {**document, name: {"id": "urn:x:1"}}) == "invalid"
    subject = {**document["credentialSubject"], name: [{"validUntil": "2020-01-01T00:00:00Z"}]}
    assert refused_or_bad(api, {**document, "credentialSubject": subject}) == "invalid"


@pytest.mark.parametrize("suite", [JCS, RDFC])
def test_contexts_injected_into_a_proof_are_invalid(api: Api, suite: str) -> None:
    document = signed(api, credential(), suite)
    document["proof"]["@context"] = [V2, "https://w3id.org/security/v2"]
    assert outcome(api, document) == "invalid"


# --- graphs -------------------------------------------------------------------------------------------------


def poisoned(subject: Any) -> dict[str, Any]:
    document = credential(**{"@context": [V2, EXAMPLES], "credentialSubject": subject})
    proof = {
        "type": "DataIntegrityProof",
        "cryptosuite": RDFC,
        "created": "2026-01-01T00:00:00Z",
        "verificationMethod": METHOD,
        "proofPurpose": "assertionMethod",
        "proofValue": "z" + "2" * 87,
    }
    return document | {"proof": proof}


def chain(length: int) -> dict[str, Any]:
    node: dict[str, Any] = {"id": "urn:x:1"}
    for _ in range(length):
        node = {NAMES: node}
    return node


@pytest.mark.parametrize(
    "subject",
    [
        clique(8)["credentialSubject"],
        [{"id": f"_:b{n}", NAMES: [{"@id": f"_:b{(n + 1) % 200}"}]} for n in range(200)],
        [{NAMES: "x"} for _ in range(3_000)],
        [{"id": f"urn:x:{n}", NAMES: [str(m) for m in range(50)]} for n in range(500)],
        {"id": "urn:x:1", NAMES: [str(n) for n in range(50_000)]},
        chain(25),
    ],
    ids=["clique", "ring", "blank nodes", "quads", "array", "chain"],
)
def test_graph_that_is_costly_to_canonicalise_ends_and_is_not_valid(api: Api, subject: Any) -> None:
    document = poisoned(subject)
    document["proof"] = [document["proof"]] * 16  # each would be as costly
    assert refused_or_bad(api, document) in ("invalid", "indeterminate")
    assert outcome(api, signed(api, credential(), RDFC)) == "valid"


def test_poison_beside_a_place_on_the_chain_is_not_valid(api: Api) -> None:
    digest = to_hex(rdf_digest(api.app.canonicalizer, credential()))
    body = {"digests": [digest], "digest_method": "rdfc-sha256"}
    batch = api.issuer.post("/v1/batches", json=body, headers={"Prefer": "wait=60"}).json()
    shown = json.loads(api.issuer.get(f"/v1/batches/{batch['id']}/proofs").text)
    assert refused_or_bad(api, poisoned(clique(8)["credentialSubject"]), proof=shown) != "valid"


def nested(depth: int) -> Any:
    return json.loads("[" * depth + "]" * depth)


@pytest.mark.parametrize("depth", [25, 200])
def test_deep_nesting_is_refused_or_not_valid(api: Api, depth: int) -> None:
    document = signed(api, credential())
    assert refused_or_bad(api, {**document, "evidence": nested(depth)}) in ("invalid", "refused")


# --- proofs -------------------------------------------------------------------------------------------------


def proof_of(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["proof"]
    return found


PROOF_CHANGES: dict[str, Change] = {
    "another's method": lambda d: proof_of(d).update(verificationMethod=THIEVES_METHOD),
    "method without fragment": lambda d: proof_of(d).update(verificationMethod=DID),
    "method with junk": lambda d: proof_of(d).update(verificationMethod=METHOD + "x"),
    "method twice over": lambda d: proof_of(d).update(verificationMethod=[METHOD, METHOD]),
    "another purpose": lambda d: proof_of(d).update(proofPurpose="authentication"),
    "no purpose": lambda d: proof_of(d).pop("proofPurpose"),
    "expired": lambda d: proof_of(d).update(expires="2020-01-01T00:00:00Z"),
    "injected member": lambda d: proof_of(d).update(nonce="x"),
    "injected unknown member": lambda d: proof_of(d).update(isTrusted=True),
    "another suite": lambda d: proof_of(d).update(cryptosuite="eddsa-2022"),
    "another suite of the same key": lambda d: proof_of(d).update(
        cryptosuite=RDFC if proof_of(d)["cryptosuite"] == JCS else JCS
    ),
    "suite of another key": lambda d: proof_of(d).update(cryptosuite="ecdsa-jcs-2019"),
    "suite that is a list": lambda d: proof_of(d).update(cryptosuite=[JCS]),
    "type that is a list": lambda d: proof_of(d).update(type=["DataIntegrityProof"]),
    "no signature": lambda d: proof_of(d).pop("proofValue"),
    "empty signature": lambda d: proof_of(d).update(proofValue="z"),
    "signature of zeros": lambda d: proof_of(d).update(proofValue="z" + "1" * 64),
    "signature in other clothes": lambda d: proof_of(d).update(
        proofValue="u" + proof_of(d)["proofValue"][1:]
    ),
    "huge signature": lambda d: proof_of(d).update(proofValue="z" + "2" * 100_000),
    "previous proof that is missing": lambda d: proof_of(d).update(previousProof="urn:uuid:1"),
    "previous proof that is itself": lambda d: proof_of(d).update(
        id="urn:uuid:1", previousProof="urn:uuid:1"
    ),
    "stripped": lambda d: d.pop("proof"),
    "null": lambda d: d.update(proof=None),
    "no proofs": lambda d: d.update(proof=[]),
    "text": lambda d: d.update(proof="signed"),
    "list in a list": lambda d: d.update(proof=[[d["proof"]]]),
    "10,000 of them": lambda d: d.update(proof=[{"type": "X"}] * 10_000),
    "one that fails beside": lambda d: d.update(
        proof=[d["proof"], {**proof_of(d), "proofValue": "z" + "2" * 87}]
    ),
    "one by a stranger beside": lambda d: d.update(
        proof=[d["proof"], {**proof_of(d), "verificationMethod": THIEVES_METHOD}]
    ),
    "one of an unknown suite beside": lambda d: d.update(
        proof=[d["proof"], {"type": "DataIntegrityProof", "cryptosuite": "bbs-2023", "proofValue": "u2V0"}]
    ),
    "a number beside": lambda d: d.update(proof=[d["proof"], 7]),
    "an empty object beside": lambda d: d.update(proof=[d["proof"], {}]),
    "a malformed merkle proof beside": lambda d: d.update(
        proof=[
            {"type": "DataIntegrityProof", "cryptosuite": "merkle-proof-2019", "proofValue": "z2"},
            d["proof"],
        ]
    ),
    "an old merkle proof beside": lambda d: d.update(proof=[{"type": "MerkleProof2019"}, d["proof"]]),
    "previous proofs in a ring": lambda d: d.update(
        proof=[
            {**proof_of(d), "id": "urn:uuid:1", "previousProof": "urn:uuid:2"},
            {**proof_of(d), "id": "urn:uuid:2", "previousProof": "urn:uuid:1"},
        ]
    ),
}


@pytest.mark.parametrize("suite", [JCS, RDFC])
@pytest.mark.parametrize("name", PROOF_CHANGES)
def test_proof_that_was_tampered_with_is_not_valid(api: Api, name: str, suite: str) -> None:
    document = changed(signed(api, credential(), suite), PROOF_CHANGES[name])
    assert refused_or_bad(api, document) != "valid"


@pytest.mark.parametrize("suite", [JCS, RDFC])
def test_proof_by_somebody_else_is_invalid(api: Api, suite: str) -> None:
    found = report(api, signed(api, credential(), suite, THIEF))
    assert (found["outcome"], check(found, "signature")) == ("invalid", "fail")


def test_same_proof_twice_is_the_same_proof(api: Api) -> None:
    document = signed(api, credential())
    assert outcome(api, {**document, "proof": [document["proof"]] * 2}) == "valid"


def anchored(api: Api, *documents: dict[str, Any]) -> list[dict[str, Any]]:
    """Anchored by the issuer of the tests; each document's RootmarkProof."""
    body = {"credentials": list(documents)}
    batch = api.issuer.post("/v1/batches", json=body, headers={"Prefer": "wait=60"})
    assert batch.json()["state"] == "final", batch.text
    lines = api.issuer.get(f"/v1/batches/{batch.json()['id']}/proofs").text.splitlines()
    return [json.loads(line) for line in lines]


def test_rootmark_proof_of_another_credential_beside_a_valid_signature_is_invalid(api: Api) -> None:
    other, document = credential(), signed(api, credential())
    (proof,) = anchored(api, other)
    assert outcome(api, {**document, "proof": [document["proof"], proof]}) == "invalid"
    assert outcome(api, document, proof=proof) == "invalid"


def test_digest_of_another_document_beside_one_is_not_valid(api: Api) -> None:
    for identifier in (credential()["id"], "urn:example:1"):
        document = signed(api, credential(id=identifier))
        assert outcome(api, document) == "valid"
        assert outcome(api, document, digest="0x" + "5a" * 32) in ("invalid", "indeterminate")


# --- tokens -------------------------------------------------------------------------------------------------

HEADER = {"alg": "EdDSA", "typ": "vc+jwt", "kid": METHOD}


def hmac_with_the_public_key(text: bytes) -> bytes:
    return hmac.digest(ED.public.to_multikey().encode(), text, "sha256")


def nobody(text: bytes) -> bytes:
    return sha256(text).digest() * 2


TOKENS: dict[str, Callable[[dict[str, Any]], str]] = {
    "none": lambda c: compact({**HEADER, "alg": "none"}, c, lambda _: b""),
    "None": lambda c: compact({**HEADER, "alg": "None"}, c, lambda _: b""),
    "none, signed": lambda c: compact({**HEADER, "alg": "none"}, c),
    "hmac": lambda c: compact({**HEADER, "alg": "HS256"}, c, hmac_with_the_public_key),
    "hmac called EdDSA": lambda c: compact(HEADER, c, hmac_with_the_public_key),
    "RS256": lambda c: compact({**HEADER, "alg": "RS256"}, c),
    "kid of another": lambda c: compact({**HEADER, "kid": THIEVES_METHOD}, c, THIEF.sign),
    "kid of the issuer, signed by another": lambda c: compact(HEADER, c, THIEF.sign),
    "jwk of another": lambda c: compact(
        {"alg": "EdDSA", "typ": "vc+jwt", "jwk": THIEF.public.to_jwk()}, c, THIEF.sign
    ),
    "jwk of another beside the kid": lambda c: compact(
        {**HEADER, "jwk": THIEF.public.to_jwk()}, c, THIEF.sign
    ),
    "jwk and a label": lambda c: compact(
        {**HEADER, "kid": "key-1", "jwk": THIEF.public.to_jwk()}, c, THIEF.sign
    ),
    "crit": lambda c: compact({**HEADER, "crit": ["exp"]}, c),
    "empty crit": lambda c: compact({**HEADER, "crit": []}, c),
    "b64": lambda c: compact({**HEADER, "b64": False, "crit": ["b64"]}, c),
    "b64 true": lambda c: compact({**HEADER, "b64": True}, c),
    "jku": lambda c: compact(
        {"alg": "EdDSA", "typ": "vc+jwt", "jku": "https://x.example/jwks"}, c, THIEF.sign
    ),
    "x5u": lambda c: compact({"alg": "EdDSA", "typ": "vc+jwt", "x5u": "https://x.example/x"}, c, THIEF.sign),
    "nested": lambda c: compact({**HEADER, "cty": "JWT"}, compact(HEADER, c).encode()),
    "says that it holds a token": lambda c: compact({**HEADER, "cty": "JWT"}, c),
    "wrong typ": lambda c: compact({**HEADER, "typ": "at+jwt"}, c),
    "typ that is a list": lambda c: compact({**HEADER, "typ": ["vc+jwt"]}, c),
    "vc claim": lambda c: compact(HEADER, {"vc": c}),
    "vc claim beside": lambda c: compact(HEADER, {**c, "vc": c}),
    "vc claim of another issuer": lambda c: compact(
        {**HEADER, "typ": "JWT"}, {"iss": THIEVES_DID, "jti": c["id"], "nbf": 0, "vc": c}
    ),
    "vc claim beside a credential": lambda c: compact(
        {**HEADER, "typ": "JWT"}, {**c, "iss": DID, "jti": c["id"], "nbf": 0, "vc": c}
    ),
    "vc-jwt without claims": lambda c: compact({**HEADER, "typ": "JWT"}, c),
    "iss of another": lambda c: compact(HEADER, {**c, "iss": THIEVES_DID}),
    "jti of another": lambda c: compact(HEADER, {**c, "jti": "urn:uuid:1"}),
    "sub of another": lambda c: compact(HEADER, {**c, "sub": "did:example:thief"}),
    "exp that is text": lambda c: compact(HEADER, {**c, "exp": "never"}),
    "exp that is huge": lambda c: compact(HEADER, {**c, "exp": 9007199254740993}),
    "exp that is NaN": lambda c: compact(HEADER, json.dumps(c).encode()[:-1] + b',"exp":NaN}'),
    "expired": lambda c: compact(HEADER, {**c, "exp": 1}),
    "not yet": lambda c: compact(HEADER, {**c, "nbf": 253402300799}),
    "claim twice": lambda c: compact(HEADER, json.dumps(c).encode()[:-1] + b',"issuer":"did:x:y"}'),
    "nested claim twice": lambda c: compact(
        HEADER, json.dumps(c).encode().replace(b'"credentialSubject": {', b'"credentialSubject": {"id":"x",')
    ),
    "header member twice": lambda c: compact(json.dumps(HEADER).encode()[:-1] + b',"alg":"none"}', c),
    "lone surrogate": lambda c: compact(HEADER, json.dumps(c).encode()[:-1] + b',"name":"\\ud800"}'),
    "large number": lambda c: compact(HEADER, json.dumps(c).encode()[:-1] + b',"name":9007199254740993}'),
    "byte order mark": lambda c: compact(HEADER, b"\xef\xbb\xbf" + json.dumps(c).encode()),
    "no JSON": lambda c: compact(HEADER, b"x"),
    "list": lambda c: compact(HEADER, [c]),
    "empty payload": lambda c: compact(HEADER, b""),
    "deep": lambda c: compact(
        HEADER, json.dumps(c).encode()[:-1] + b',"evidence":' + b"[" * 99 + b"]" * 99 + b"}"
    ),
    "padding": lambda c: compact(HEADER, c) + "=",
    "white space": lambda c: compact(HEADER, c).replace(".", " . "),
    "line end": lambda c: compact(HEADER, c) + "\n",
    "fourth part": lambda c: compact(HEADER, c) + ".x",
    "two parts": lambda c: compact(HEADER, c).rpartition(".")[0],
    "other alphabet": lambda c: compact(HEADER, c).replace("-", "+").replace("_", "/") + "+",
    "no signature": lambda c: compact(HEADER, c, lambda _: b""),
    "signature of a digest": lambda c: compact(HEADER, c, nobody),
    "embedded proof that fails": lambda c: compact(HEADER, {**c, "proof": {"type": "DataIntegrityProof"}}),
    "empty": lambda c: "",
    "dots": lambda c: "..",
    "tildes": lambda c: "~~",
    "not ASCII": lambda c: "ä.ö.ü",
}


@pytest.mark.parametrize("name", TOKENS)
def test_token_that_was_tampered_with_is_not_valid(api: Api, name: str) -> None:
    token = TOKENS[name](credential())
    response = api.public.post("/v1/verify", json={"credential": token, "issuer": DID})
    assert response.status_code in (200, 422), response.text
    if response.status_code == 200:
        assert response.json()["outcome"] != "valid", response.text


def test_token_that_is_as_it_should_be_is_valid_so_that_the_rest_means_something(api: Api) -> None:
    document = credential()
    assert outcome(api, compact(HEADER, document)) == "valid"
    assert outcome(api, issue_vc_jose(document, ED.public, METHOD, ED.sign)) == "valid"


def test_expired_token_over_a_credential_that_is_anchored_here_is_expired(api: Api) -> None:
    document = credential()
    anchored(api, document)
    assert outcome(api, compact(HEADER, document)) == "valid"
    assert outcome(api, compact(HEADER, {**document, "exp": 1})) == "expired"


SD_HEADER = {**HEADER, "typ": "vc+sd-jwt"}


def disclosure(*content: Any) -> tuple[str, str]:
    text = to_base64url(json.dumps(content).encode())
    return text, to_base64url(sha256(text.encode()).digest())


NAME, NAME_DIGEST = disclosure("salt", "name", "Badge")
FORGED, _ = disclosure("salt", "name", "Doctor")
STATUS, STATUS_DIGEST = disclosure("salt", "_sd", [])
AGAIN, AGAIN_DIGEST = disclosure("salt", "issuer", THIEVES_DID)

SD_JWTS: dict[str, Callable[[dict[str, Any]], str]] = {
    "digest twice": lambda c: compact(SD_HEADER, {**c, "_sd": [NAME_DIGEST] * 2}) + f"~{NAME}~",
    "disclosed twice": lambda c: compact(SD_HEADER, {**c, "_sd": [NAME_DIGEST]}) + f"~{NAME}~{NAME}~",
    "forged": lambda c: compact(SD_HEADER, {**c, "_sd": [NAME_DIGEST]}) + f"~{FORGED}~",
    "without a digest": lambda c: compact(SD_HEADER, c) + f"~{NAME}~",
    "reserved name": lambda c: compact(SD_HEADER, {**c, "_sd": [STATUS_DIGEST]}) + f"~{STATUS}~",
    "replaces": lambda c: compact(SD_HEADER, {**c, "_sd": [AGAIN_DIGEST]}) + f"~{AGAIN}~",
    "unknown hash": lambda c: compact(SD_HEADER, {**c, "_sd_alg": "md5"}) + "~",
    "signed by another": lambda c: compact(SD_HEADER, c, THIEF.sign) + "~",
    "none": lambda c: compact({**SD_HEADER, "alg": "none"}, c, lambda _: b"") + "~",
    "binding without a holder": lambda c: (
        compact(SD_HEADER, c) + "~" + compact({"alg": "EdDSA", "typ": "kb+jwt"}, {})
    ),
    "binding by another": lambda c: (
        compact(SD_HEADER, {**c, "cnf": {"jwk": ED.public.to_jwk()}})
        + "~"
        + compact({"alg": "EdDSA", "typ": "kb+jwt"}, {}, THIEF.sign)
    ),
    "5,000 disclosures": lambda c: compact(SD_HEADER, c) + "~" + f"{NAME}~" * 5_000,
}


@pytest.mark.parametrize("name", SD_JWTS)
def test_sd_jwt_that_was_tampered_with_is_not_valid(api: Api, name: str) -> None:
    response = api.public.post("/v1/verify", json={"credential": SD_JWTS[name](credential()), "issuer": DID})
    assert response.status_code in (200, 422), response.text
    if response.status_code == 200:
        assert response.json()["outcome"] in ("invalid", "indeterminate"), response.text


def test_sd_jwt_with_its_disclosures_is_valid(api: Api) -> None:
    token = compact(SD_HEADER, {**credential(), "_sd": [NAME_DIGEST]})
    assert [outcome(api, f"{token}~{NAME}~"), outcome(api, f"{token}~")] == ["valid", "valid"]


# --- status -------------------------------------------------------------------------------------------------


def bomb(size: int) -> str:
    """A gzip stream of zeros, packed twice over by a factor of a thousand."""
    return "u" + to_base64url(gzip.compress(bytes(size), 9, mtime=0))


BITS = new_bitstring(131_072, ())
CUT = "u" + to_base64url(gzip.compress(BITS, mtime=0)[:-8])

LISTS: dict[str, dict[str, Any]] = {
    "bomb": {"subject_encodedList": bomb(1 << 28)},
    "cut off": {"subject_encodedList": CUT},
    "trailing": {"subject_encodedList": "u" + to_base64url(gzip.compress(BITS, mtime=0) + b"x")},
    "two members": {"subject_encodedList": "u" + to_base64url(gzip.compress(BITS, mtime=0) * 2)},
    "without prefix": {"subject_encodedList": encode(BITS)[1:]},
    "not base64": {"subject_encodedList": "u~~~"},
    "empty": {"subject_encodedList": ""},
    "a number": {"subject_encodedList": 7},
    "short": {"subject_encodedList": encode(new_bitstring(1024, ()))},
    "another purpose": {"subject_statusPurpose": "suspension"},
    "another type of subject": {"subject_type": "StatusList2021"},
    "another type": {"type": ["VerifiableCredential"]},
    "another id": {"id": "https://lists.example/2"},
    "another issuer": {"issuer": THIEVES_DID, "pair": THIEF},
    "signed by another": {"pair": THIEF},
    "expired": {"validUntil": "2020-01-01T00:00:00Z"},
    "not yet": {"validFrom": "2999-01-01T00:00:00Z"},
    "unreadable dates": {"validUntil": "soon"},
}


@pytest.mark.parametrize("name", LISTS)
def test_status_list_that_is_wrong_leaves_the_status_open(api: Api, name: str) -> None:
    document = signed(api, credential(credentialStatus=entry()))
    found = report(api, document, documents={LIST: status_list(api, **LISTS[name])})
    assert (found["outcome"], check(found, "status")) == ("indeterminate", "unknown")


@pytest.mark.parametrize(
    "wrong",
    [
        entry(131_072),
        entry(statusListIndex="-1"),
        entry(statusListIndex="7.0"),
        entry(statusListIndex=7.5),
        entry(statusListIndex=True),
        entry(statusListIndex="9" * 400),
        entry(statusListIndex="\u0667"),
        entry(statusListIndex=None),
        entry(statusPurpose="suspension"),
        entry(statusPurpose="nonsense"),
        entry(statusPurpose=None),
        entry(statusSize=2),
        entry(statusSize=0),
        entry(statusSize=1 << 40),
        entry(statusSize="1"),
        entry(statusListCredential=None),
        entry(statusListCredential="https://lists.example/2"),
        entry(statusListCredential=["https://lists.example/2"]),
        entry(statusListCredential="file:///etc/passwd"),
        entry(type="RevocationList2020Status"),
        entry(type=["Nonsense", "BitstringStatusListEntry"], statusPurpose="nonsense"),
        entry(type="StatusList2021Entry"),
        [entry(), entry(statusPurpose="nonsense")],
        [entry(id=f"{LIST}#{n}") for n in range(100)],
        {"type": "BitstringStatusListEntry"},
        {"type": "1EdTechRevocationList", "id": LIST},
    ],
)
def test_status_entry_that_is_wrong_is_not_valid(api: Api, wrong: Any) -> None:
    document = signed(api, credential(credentialStatus=wrong))
    assert outcome(api, document, documents={LIST: status_list(api)}) in ("indeterminate", "invalid")


def test_status_entry_without_an_id_and_one_among_others_count(api: Api) -> None:
    lists = {LIST: status_list(api, 7)}
    assert (
        outcome(api, signed(api, credential(credentialStatus=entry(id=None))), documents=lists) == "revoked"
    )
    several = [entry(8), entry(7)]
    assert outcome(api, signed(api, credential(credentialStatus=several)), documents=lists) == "revoked"


def test_status_entries_that_were_swapped_break_the_signature(api: Api) -> None:
    document = signed(api, credential(credentialStatus=entry(7)))
    swapped = {**document, "credentialStatus": entry(8)}
    assert outcome(api, swapped, documents={LIST: status_list(api, 7)}) in ("invalid", "revoked")


@pytest.mark.parametrize("status", [[], None, {}, "none", [None], [[]]])
def test_status_that_was_taken_out_breaks_the_signature(api: Api, status: Any) -> None:
    for suite in (JCS, RDFC):
        document = signed(api, credential(credentialStatus=entry(7)), suite)
        assert refused_or_bad(api, {**document, "credentialStatus": status}) == "invalid"
        del document["credentialStatus"]
        assert refused_or_bad(api, document) == "invalid"


def test_list_whose_status_is_in_a_list_is_not_followed_for_ever(api: Api) -> None:
    other = "https://lists.example/2"
    lists = {
        LIST: status_list(api, credentialStatus=entry(1, statusListCredential=other)),
        other: status_list(api, id=other, credentialStatus=entry(1)),
    }
    document = signed(api, credential(credentialStatus=entry()))
    assert outcome(api, document, documents=lists) == "valid"
    itself = status_list(api, credentialStatus=entry(0))
    assert outcome(api, itself, documents={LIST: itself}) in ("valid", "indeterminate")


def test_list_served_as_a_token_counts_only_when_its_issuer_signed_it(api: Api) -> None:
    plain = {name: value for name, value in status_list(api, 7).items() if name != "proof"}
    document = signed(api, credential(credentialStatus=entry()))
    assert outcome(api, document, documents={LIST: compact(HEADER, plain)}) == "revoked"
    for token in (
        compact(HEADER, plain, THIEF.sign),
        compact({**HEADER, "alg": "none"}, plain, lambda _: b""),
        compact(HEADER, plain) + "x",
        "nonsense",
        "",
    ):
        assert outcome(api, document, documents={LIST: token}) == "indeterminate"


def test_list_with_a_member_twice_leaves_the_status_open(api: Api) -> None:
    text = json.dumps(status_list(api, 7)).replace('"issuer"', '"issuer": "x", "issuer"')
    document = signed(api, credential(credentialStatus=entry()))
    assert outcome(api, document, documents={LIST: text}) == "indeterminate"
