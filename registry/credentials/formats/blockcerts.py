"""Blockcerts 3.x: Verifiable Credentials that are anchored by a MerkleProof2019, whoever issued them.

For each such proof, under its old type or as a DataIntegrityProof: `integrity` (the target is the SHA-256 of
the document's canonical N-Quads), `inclusion` (its path leads to its root), `anchor` (the root is a
transaction's call data), `signature` (the account that sent that transaction is the issuer's: a key of the
profile, and the verification method that the proof names, where the profile or the DID document lists any),
`status` (the profile's revocation list; a W3C status list is looked up by the caller). Signatures that stand
beside are checked too.

What a target covers: the document without any proof, or, for a proof that is not the first of an array, the
document with the proofs before it, as Blockcerts' verifier takes it. Either covers all that the document
says. Terms that no context defines make `integrity` fail, as there; proofs of the type ChainedProof2021 are
``unknown``.

Source: npm jsonld-signatures-merkleproof2019 2.20.1, @blockcerts/cert-verifier-js 6.35.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from eth_hash.auto import keccak

from registry.credentials.controllers import ControllerDocument
from registry.credentials.findings import Examination, Finding, Presented
from registry.credentials.formats.blockcerts_anchor import (
    KEY_PREFIX,
    Profile,
    get_profile,
    revocation_finding,
    sender_finding,
    signature,
    transaction_finding,
)
from registry.credentials.formats.data_model import CREDENTIAL, contexts_of, issuer_of, types_of
from registry.credentials.formats.verifiable_credentials import examination_of, format_findings
from registry.credentials.keys import KeyType
from registry.credentials.merkle_proof_2019 import MerkleProof2019, decode_proof_value, is_merkle_proof_2019
from registry.credentials.sources import LedgerTransaction, Tools
from registry.credentials.suites.data_integrity import check_proofs
from registry.credentials.suites.proofs import is_anchor, proofs_of
from registry.credentials.verification_methods import document_url, resolve_controller, resolve_method
from registry.encoding import Address, JsonValue, to_checksum
from registry.errors import (
    MalformedInputError,
    TooComplexError,
    UnavailableSourceError,
    UnknownContextError,
    UnsupportedKeyError,
    ValidationError,
)
from registry.verdict.report import CheckName, CheckResult

_SERVICE: Final = "IssuerProfile"
_MAX_SERVICES: Final = 100

Json = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class _Anchored:
    """One anchoring proof of a document: its members, what its value says, and the proofs before it."""

    members: Json
    value: MerkleProof2019
    before: tuple[Json, ...]


class Blockcerts:
    """The examiner of Verifiable Credentials with a MerkleProof2019."""

    def recognises(self, presented: Presented) -> bool:
        """A credential with such a proof, or of a Blockcerts type or context."""
        document = presented.document
        if document is None or CREDENTIAL not in types_of(document):
            return False
        return _is_blockcerts(document) or any(map(is_merkle_proof_2019, _proofs(document)))

    def examine(self, presented: Presented, tools: Tools) -> Examination:
        """See the module."""
        document = presented.document or {}
        findings = [*format_findings(document), *anchor_findings(document, tools)]
        if not all(map(is_anchor, _proofs(document))):
            findings += check_proofs(document, tools, owner=issuer_of(document) or "")
        suffix = " with a Merkle proof"
        if _is_blockcerts(document):
            suffix = ", Blockcerts 3"
        return examination_of(document, tuple(findings), suffix)


def anchor_findings(document: Json, tools: Tools) -> tuple[Finding, ...]:
    """Look at every MerkleProof2019 of a credential; a failed one when there is none. Never raises."""
    try:
        anchored = list(_anchored(document))
    except ValidationError as error:
        return (Finding(CheckName.FORMAT, CheckResult.FAIL, str(error)),)
    if not anchored:
        return (Finding(CheckName.ANCHOR, CheckResult.FAIL, "it carries no proof that anchors it"),)
    return tuple(finding for one in anchored for finding in _findings(document, one, tools))


def _is_blockcerts(document: Json) -> bool:
    if "BlockcertsCredential" in types_of(document):
        return True
    return any("blockcerts" in context for context in contexts_of(document) if isinstance(context, str))


def _proofs(document: Json) -> tuple[Json, ...]:
    try:
        return proofs_of(document)
    except ValidationError:
        return ()


def _anchored(document: Json) -> Iterator[_Anchored]:
    proofs = proofs_of(document)
    for position, members in enumerate(proofs):
        if is_merkle_proof_2019(members):
            value = decode_proof_value(members.get("proofValue"), pointer="/proof/proofValue")
            yield _Anchored(members, value, proofs[:position])


def _findings(document: Json, one: _Anchored, tools: Tools) -> Iterator[Finding]:
    integrity = _integrity(document, one, tools)
    inclusion = _inclusion(one.value)
    yield integrity
    yield inclusion
    if CheckResult.FAIL in (integrity.result, inclusion.result):
        return  # what was anchored is something else: nothing is asked for it
    anchor, found = transaction_finding(tools, one.value.root, one.value.anchors)
    yield anchor
    yield from _issuer(document, one, tools, found)


# --- the document and its path ------------------------------------------------------------------------------


def _integrity(document: Json, one: _Anchored, tools: Tools) -> Finding:
    check = CheckName.INTEGRITY
    try:
        same = any(
            sha256(tools.canonicalizer.n_quads(form)).digest() == one.value.target
            for form in _covered_forms(document, one)
        )
    except (UnknownContextError, TooComplexError) as error:
        detail = f"the document was not compared with what was anchored: {_clause(error)}"
        return Finding(check, CheckResult.UNKNOWN, detail)
    except MalformedInputError as error:
        return Finding(check, CheckResult.FAIL, _clause(error))
    if not same:
        return Finding(check, CheckResult.FAIL, "the document is not what was anchored")
    return Finding(check, CheckResult.PASS, "the document is what was anchored")


def _covered_forms(document: Json, one: _Anchored) -> Iterator[Json]:
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    yield unsecured
    if one.before:
        yield {**unsecured, "proof": list(one.before)}


def _inclusion(value: MerkleProof2019) -> Finding:
    if value.computed_root() != value.root:
        return Finding(CheckName.INCLUSION, CheckResult.FAIL, "its path leads to another root")
    return Finding(CheckName.INCLUSION, CheckResult.PASS, "its path leads to its root")


# --- who anchored it ----------------------------------------------------------------------------------------


def _issuer(
    document: Json, one: _Anchored, tools: Tools, found: LedgerTransaction | None
) -> Iterator[Finding]:
    """The findings about the sender and the revocation list, which both rest on the issuer's profile."""
    try:
        _require_purpose(one.members, tools)
        account, profile = _identity(issuer_of(document), one.members, tools)
    except (UnavailableSourceError, UnsupportedKeyError) as error:
        yield signature(CheckResult.UNKNOWN, f"whose anchor it is is not known: {_clause(error)}")
        detail = "the issuer's profile, which names its revocation list, could not be looked at"
        missing = _unread_document(issuer_of(document) or "", tools)
        yield Finding(CheckName.STATUS, CheckResult.UNKNOWN, detail, missing=missing)
        return
    except MalformedInputError as error:
        yield signature(CheckResult.FAIL, _clause(error))
        return
    yield _sender(account, profile, found)
    yield revocation_finding(tools, profile, document.get("id"))


def _require_purpose(members: Json, tools: Tools) -> None:
    if members.get("proofPurpose") != tools.purpose:
        raise ValidationError("the proof that anchors it was made for another purpose")


def _identity(issuer: str | None, members: Json, tools: Tools) -> tuple[Address | None, Profile]:
    """The account that the proof names (None where it names none), and the issuer's profile.

    Raises:
        UnavailableSourceError, UnsupportedKeyError: one of them could not be looked at.
        MalformedInputError: they contradict each other, or are not what they should be.
    """
    method = members.get("verificationMethod")
    if issuer is None or not isinstance(method, str):
        raise ValidationError("the credential names no issuer, or its proof no verification method")
    if method.startswith(KEY_PREFIX):
        return _named_account(method), _profile_of(issuer, tools)
    if method.partition("#")[0] != issuer:
        raise ValidationError("the proof that anchors it was made with a key that is not the issuer's")
    profile = _profile_of(issuer, tools)
    if issuer.startswith("did:") or profile.has_methods:
        return _method_account(method, tools), profile
    return None, profile


def _named_account(method: str) -> Address:
    """The account of a method that is an account itself, as early 3.0 documents write it."""
    try:
        account = bytes.fromhex(method.removeprefix(KEY_PREFIX).removeprefix("0x"))
    except ValueError:
        account = b""
    if len(account) != 20:
        raise UnsupportedKeyError("the proof names an account of another chain")
    return Address(account)


def _method_account(method: str, tools: Tools) -> Address:
    """The account of a DID's verification method."""
    found = resolve_method(method, tools.documents)
    if found.key.kind is not KeyType.SECP256K1:
        raise ValidationError("the proof that anchors it names a key that is no chain's")
    if tools.purpose not in found.purposes:
        raise ValidationError("the proof names a key that its controller does not list for this purpose")
    if any(end is not None and end <= tools.now for end in (found.revoked, found.expires)):
        raise ValidationError("the proof names a key that has been revoked or has expired")
    return Address(keccak(found.key.point()[1:])[-20:])


def _profile_of(issuer: str, tools: Tools) -> Profile:
    """The issuer's profile: at its own address, or where its DID document's service says."""
    if not issuer.startswith("did:"):
        return get_profile(tools, issuer)
    url = _profile_address(resolve_controller(issuer, tools.documents))
    if url is None:
        raise ValidationError("the issuer's DID document names no profile")
    return get_profile(tools, url)


def _unread_document(issuer: str, tools: Tools) -> str | None:
    """Which document lacks on the way to the profile of a DID: the DID's own, else the profile."""
    try:
        url = document_url(issuer)
    except MalformedInputError:
        return None
    try:
        return _profile_address(resolve_controller(issuer, tools.documents))
    except UnavailableSourceError:
        return url
    except MalformedInputError:
        return None


def _profile_address(controller: ControllerDocument) -> str | None:
    services = controller.members.get("service")
    listed = services if isinstance(services, list) else [services]
    for service in listed[:_MAX_SERVICES]:
        if isinstance(service, Mapping) and service.get("type") == _SERVICE:
            endpoint = service.get("serviceEndpoint")
            return endpoint if isinstance(endpoint, str) else None
    return None


def _sender(account: Address | None, profile: Profile, found: LedgerTransaction | None) -> Finding:
    if found is None:
        return signature(CheckResult.UNKNOWN, "who anchored it is not known without its transaction")
    if account is not None and account != found.sender:
        detail = (
            f"the account {to_checksum(found.sender)}, which anchored it, is not the one of the proof's key"
        )
        return signature(CheckResult.FAIL, detail)
    return sender_finding(profile, found)


def _clause(error: Exception) -> str:
    return str(error).rstrip(".")
