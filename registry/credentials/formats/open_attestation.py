"""OpenAttestation 2.0 and 3.0: wrapped documents, their integrity, and where they were issued.

What is checked, and by which finding: `format` (has the members it needs, in the one way that is read),
`integrity` (every field is under the target hash), `inclusion` (the target hash is under the root), then for
each issuer either `anchor` and `status` (document store, token registry) or `signature` and `status` (DID),
and `issuer` where a DNS name is claimed.

The chain is the one that the document names (`network.chainId`), else Ethereum: version 2.0 often names none,
and verifiers then take the one that they are set to.

What the format does not tell: who wrote a document that nothing but a contract vouches for. Its issuer then
is the contract, as `did:pkh`. All issuers of a 2.0 document must have issued it, all in the same way; the
examination names the first.

Source: npm @govtechsg/open-attestation 6.9.7 (schemas 2.0 and 3.0), @govtechsg/oa-verify 7.0.0 and 9.4.0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from registry.credentials.findings import Examination, Finding, Presented
from registry.credentials.formats.open_attestation_digest import (
    MAX_FIELDS,
    MAX_PROOFS,
    hashes_on_the_way,
    parse_hash,
    parse_hashes,
    parse_salts,
    target_of_v2,
    target_of_v3,
    unsalted,
    wrong,
)
from registry.credentials.formats.open_attestation_issuance import (
    Rooted,
    did_finding,
    dns_did_finding,
    dns_txt_finding,
    host_of,
    revocation_store_finding,
    store_findings,
    token_findings,
)
from registry.credentials.sources import Tools
from registry.encoding import JsonValue, parse_address, to_hex
from registry.errors import MalformedInputError, ValidationError
from registry.verdict.evidence import NO_DATES, Validity, validity_of
from registry.verdict.report import CheckName, CheckResult, Outcome

MAX_ISSUERS: Final = 4
"""Each is asked for, at its own contract or DID."""
ETHEREUM: Final = 1

_VERSION_3: Final = "https://schema.openattestation.com/3.0/schema.json"
_V2_SIGNATURE: Final = "SHA3MerkleProof"
_V3_PROOF: Final = "OpenAttestationMerkleProofSignature2018"
_V2_PROOF: Final = "OpenAttestationSignature2018"
_V3_METHODS: Final = {"DOCUMENT_STORE": "store", "TOKEN_REGISTRY": "token", "DID": "did"}
_V2_MEMBERS: Final = {"documentStore": "store", "certificateStore": "store", "tokenRegistry": "token"}

Json = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class _Way:
    """One issuer's way of issuing: ``kind`` is store, token or did; the members are as written."""

    kind: str
    value: JsonValue
    name: JsonValue
    identity: str | None
    location: JsonValue
    key: JsonValue = None
    revocation: Json | None = None
    signature: JsonValue = None


@dataclass(frozen=True, slots=True)
class _Document:
    """A document whose form was read. ``computed`` is the target hash of its fields."""

    format: str
    credential: Json
    target: bytes
    computed: bytes
    root: bytes
    proofs: tuple[bytes, ...]
    chain_id: int
    ways: tuple[_Way, ...]
    validity: Validity


class OpenAttestationExaminer:
    """Wrapped OpenAttestation documents, versions 2.0 and 3.0."""

    def recognises(self, presented: Presented) -> bool:
        """By the type of its Merkle proof."""
        document = presented.document
        return document is not None and (_is_v2(document) or _is_v3(document))

    def examine(self, presented: Presented, tools: Tools) -> Examination:
        """See the module."""
        document = presented.document or {}
        if _is_draft(document):
            detail = "it is of an early draft of OpenAttestation 3.0, which is not read here"
            finding = Finding(CheckName.FORMAT, CheckResult.UNKNOWN, detail)
            return Examination("OpenAttestation 3.0, draft", (finding,))
        name = "OpenAttestation 3.0" if _is_v3(document) else "OpenAttestation 2.0"
        try:
            read = _read_v3(document) if _is_v3(document) else _read_v2(document)
        except MalformedInputError as error:
            return Examination(name, (Finding(CheckName.FORMAT, CheckResult.FAIL, str(error)),))
        first = read.ways[0]
        return Examination(
            format=name,
            findings=tuple(_findings(read, tools)),
            issuer=_issuer(first, read.chain_id),
            name=first.name if isinstance(first.name, str) else None,
            credential=read.credential,
            validity=read.validity,
        )


# --- reading ------------------------------------------------------------------------------------------------


def _member(document: Json, name: str) -> Json:
    value = document.get(name)
    return value if isinstance(value, Mapping) else {}


def _is_v2(document: Json) -> bool:
    return "data" in document and _member(document, "signature").get("type") == _V2_SIGNATURE


def _is_v3(document: Json) -> bool:
    return _member(document, "proof").get("type") == _V3_PROOF


def _is_draft(document: Json) -> bool:
    return _is_v2(document) and document.get("version") == _VERSION_3


def _read_v2(document: Json) -> _Document:
    data = document.get("data")
    if not isinstance(data, Mapping):
        raise wrong("the data is an object", "/data")
    hidden = parse_hashes(
        _member(document, "privacy").get("obfuscatedData"), MAX_FIELDS, "/privacy/obfuscatedData"
    )
    signature = _member(document, "signature")
    plain = unsalted(data)
    assert isinstance(plain, Mapping)
    return _Document(
        format="OpenAttestation 2.0",
        credential=plain,
        target=parse_hash(signature.get("targetHash"), "/signature/targetHash"),
        computed=target_of_v2(data, hidden),
        root=parse_hash(signature.get("merkleRoot"), "/signature/merkleRoot"),
        proofs=parse_hashes(signature.get("proof"), MAX_PROOFS, "/signature/proof"),
        chain_id=_chain_id(plain),
        ways=_ways_of_v2(plain, document.get("proof")),
        validity=NO_DATES,
    )


def _ways_of_v2(plain: Json, proofs: JsonValue) -> tuple[_Way, ...]:
    issuers = plain.get("issuers")
    if not isinstance(issuers, list) or not 1 <= len(issuers) <= MAX_ISSUERS:
        raise wrong(f"there are 1 to {MAX_ISSUERS} issuers", "/data/issuers")
    ways = tuple(_way_of_v2(issuer, proofs, f"/data/issuers/{n}") for n, issuer in enumerate(issuers))
    if len({way.kind for way in ways}) > 1:
        raise wrong("all issuers issue in the same way", "/data/issuers")
    return ways


def _way_of_v2(issuer: JsonValue, proofs: JsonValue, pointer: str) -> _Way:
    if not isinstance(issuer, Mapping):
        raise wrong("an issuer is an object", pointer)
    proof = _member(issuer, "identityProof")
    identity = proof.get("type")
    named = [name for name in _V2_MEMBERS if issuer.get(name) is not None]
    by_did = identity in ("DID", "DNS-DID")
    if len(named) + by_did != 1:
        raise wrong("an issuer names one document store, token registry or DID", pointer)
    key = proof.get("key")
    return _Way(
        kind="did" if by_did else _V2_MEMBERS[named[0]],
        value=issuer.get("id") if by_did else issuer[named[0]],
        name=issuer.get("name"),
        identity=_identity(identity, pointer),
        location=proof.get("location"),
        key=key,
        revocation=_revocation(issuer),
        signature=_signature_by(key, proofs),
    )


def _identity(value: JsonValue, pointer: str) -> str | None:
    if value is None or value in ("DID", "DNS-DID", "DNS-TXT"):
        return None if value is None else str(value)
    raise wrong("an identity proof is by DID, DNS-DID or DNS-TXT", pointer)


def _revocation(holder: Json) -> Json | None:
    value = holder.get("revocation")
    return value if isinstance(value, Mapping) else None


def _signature_by(key: JsonValue, proofs: JsonValue) -> JsonValue:
    """The signature that the document carries for a key; None where there is none or several."""
    if not isinstance(key, str) or not isinstance(proofs, list):
        return None
    found = [
        proof.get("signature")
        for proof in proofs[: 2 * MAX_ISSUERS]
        if isinstance(proof, Mapping)
        and proof.get("type") == _V2_PROOF
        and proof.get("proofPurpose") == "assertionMethod"
        and str(proof.get("verificationMethod")).lower() == key.lower()
    ]
    return found[0] if len(found) == 1 else None


def _read_v3(document: Json) -> _Document:
    proof = _member(document, "proof")
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    hidden = parse_hashes(
        _member(proof, "privacy").get("obfuscated"), MAX_FIELDS, "/proof/privacy/obfuscated"
    )
    return _Document(
        format="OpenAttestation 3.0",
        credential=document,
        target=parse_hash(proof.get("targetHash"), "/proof/targetHash"),
        computed=target_of_v3(unsigned, parse_salts(proof.get("salts"), "/proof/salts"), hidden),
        root=parse_hash(proof.get("merkleRoot"), "/proof/merkleRoot"),
        proofs=parse_hashes(proof.get("proofs"), MAX_PROOFS, "/proof/proofs"),
        chain_id=_chain_id(document),
        ways=(_way_of_v3(document, proof),),
        validity=validity_of(document),
    )


def _way_of_v3(document: Json, proof: Json) -> _Way:
    pointer = "/openAttestationMetadata"
    metadata = _member(document, "openAttestationMetadata")
    issuance, identity = _member(metadata, "proof"), _member(metadata, "identityProof")
    method = issuance.get("method")
    if not isinstance(method, str) or method not in _V3_METHODS:
        raise wrong("it is issued by document store, token registry or DID", f"{pointer}/proof/method")
    kind = _identity(identity.get("type"), f"{pointer}/identityProof/type")
    if (method == "DID") is not (kind in ("DID", "DNS-DID")):
        raise wrong("the identity proof is not one for this way of issuing", f"{pointer}/identityProof")
    return _Way(
        kind=_V3_METHODS[method],
        value=issuance.get("value"),
        name=_member(document, "issuer").get("name"),
        identity=kind,
        location=identity.get("identifier"),
        key=proof.get("key"),
        revocation=_revocation(issuance),
        signature=proof.get("signature") if proof.get("proofPurpose") == "assertionMethod" else None,
    )


def _chain_id(holder: Json) -> int:
    network = holder.get("network")
    if network is None:
        return ETHEREUM
    value = network.get("chainId") if isinstance(network, Mapping) else None
    if value is None:
        return ETHEREUM
    text = str(value)
    if isinstance(value, bool) or not text.isascii() or not text.isdigit() or not 1 <= len(text) <= 15:
        raise wrong("a chain id is a number", "/network/chainId")
    return int(text)


# --- judging ------------------------------------------------------------------------------------------------


def _findings(read: _Document, tools: Tools) -> list[Finding]:
    findings = [
        Finding(CheckName.FORMAT, CheckResult.PASS, f"it is a wrapped document of {read.format}"),
        _compared(
            CheckName.INTEGRITY,
            read.computed == read.target,
            "every field is as it was issued",
            "a field was changed, added or removed",
        ),
    ]
    way = hashes_on_the_way(read.target, read.proofs)
    findings.append(
        _compared(
            CheckName.INCLUSION,
            way[-1] == read.root,
            "its hash is under the root",
            "its proof leads to another root",
        )
    )
    if any(finding.result is CheckResult.FAIL for finding in findings):
        return findings  # what was issued is something else: nothing is asked for it
    rooted = Rooted(tuple(way), read.chain_id)
    for issuer in read.ways:
        findings += _issuance(tools, rooted, issuer)
        findings += _names(tools, rooted, issuer)
    return findings


def _compared(check: CheckName, same: bool, passed: str, failed: str) -> Finding:
    return Finding(check, CheckResult.PASS if same else CheckResult.FAIL, passed if same else failed)


def _issuance(tools: Tools, rooted: Rooted, way: _Way) -> Sequence[Finding]:
    if way.kind == "store":
        return store_findings(tools, rooted, way.value)
    if way.kind == "token":
        return token_findings(tools, rooted, way.value)
    signed = did_finding(tools, rooted, way.value, way.key, way.signature)
    return [signed, _did_revocation(tools, rooted, way.revocation)]


def _did_revocation(tools: Tools, rooted: Rooted, revocation: Json | None) -> Finding:
    """What the issuer said about revocation when signing; what is not there may have been hidden."""
    kind = None if revocation is None else revocation.get("type")
    if kind == "NONE":
        return Finding(CheckName.STATUS, CheckResult.SKIPPED, "its issuer revokes no such documents")
    if kind == "REVOCATION_STORE":
        assert revocation is not None
        return revocation_store_finding(tools, rooted, revocation.get("location"))
    if kind == "OCSP_RESPONDER":
        detail = "its issuer answers at an OCSP responder, which is not asked"
        return Finding(CheckName.STATUS, CheckResult.UNKNOWN, detail)
    detail = "it does not say how its issuer revokes documents"
    return Finding(CheckName.STATUS, CheckResult.FAIL, detail, Outcome.INVALID)


def _names(tools: Tools, rooted: Rooted, way: _Way) -> Sequence[Finding]:
    """The finding about a DNS name that is claimed."""
    if way.identity not in ("DNS-TXT", "DNS-DID"):
        return []
    host = host_of(way.location)
    if host is None:
        return [Finding(CheckName.ISSUER, CheckResult.FAIL, "the name that it claims is no DNS name")]
    if way.identity == "DNS-DID":
        return [dns_did_finding(tools, host, way.key)]
    try:
        contract = parse_address(way.value)
    except ValidationError:
        return []  # said by the finding about the contract
    return [dns_txt_finding(tools, host, rooted.chain_id, contract)]


def _issuer(way: _Way, chain_id: int) -> str | None:
    """Who it is by: the DNS name (RFC 4501), the DID, or the contract."""
    if way.identity in ("DNS-TXT", "DNS-DID"):
        host = host_of(way.location)
        return None if host is None else f"dns:{host}"
    if way.kind == "did":
        return way.value if isinstance(way.value, str) else None
    try:
        return f"did:pkh:eip155:{chain_id}:{to_hex(parse_address(way.value))}"
    except ValidationError:
        return None
