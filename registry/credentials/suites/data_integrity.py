"""Checks the Data Integrity proofs of a document. Never raises for what the document holds.

Invariants: every proof of the set is checked, and one that fails fails the document; a proof counts only
when its verification method belongs to the document's owner (a credential's issuer, a presentation's
holder) and is listed for the purpose that is asked for; a proof of an unknown suite is ``unknown``, never
left out. Proofs that anchor the document in a ledger are checked elsewhere and yield no finding here.

Source: Verifiable Credential Data Integrity 1.0, sections 4.4 to 4.6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from registry.credentials.controllers import VerificationMethod
from registry.credentials.findings import Finding
from registry.credentials.keys import KeyType
from registry.credentials.sources import Tools
from registry.credentials.suites.cryptosuites import (
    VERIFIED,
    Cryptosuite,
    canonical_form,
    digest_of,
    rdf_hash_of,
)
from registry.credentials.suites.proofs import (
    Proof,
    is_anchor,
    proofs_of,
    read_proof,
    shown_name,
    suite_of,
)
from registry.credentials.verification_methods import resolve_method
from registry.encoding import JsonValue
from registry.errors import (
    BadSignatureError,
    MalformedInputError,
    TooComplexError,
    UnavailableSourceError,
    UnknownContextError,
    UnsupportedKeyError,
    ValidationError,
)
from registry.ports.documents import RdfHash
from registry.verdict.report import CheckName, CheckResult


class ProofFailedError(ValidationError):
    """A proof does not hold. The message is a clause for a finding."""


def check_proofs(
    document: Mapping[str, JsonValue], tools: Tools, *, owner: str | None, role: str = "issuer"
) -> tuple[Finding, ...]:
    """Check every signature of a document.

    Args:
        document: as `parse_json` returned it.
        owner: whose keys count; None where nobody is named (a presentation without holder): then any key
            does, and what was signed is merely intact.
        role: what the owner is to the document, for sentences.

    Returns:
        A signature finding for each proof that is no anchor, at least one: ``skipped`` when there are anchors
        only, ``fail`` when there is no proof at all. Then one for the integrity when every signature passed.
    """
    try:
        proofs = proofs_of(document)
    except ValidationError as error:
        return (_signature(CheckResult.FAIL, _clause(error)),)
    if not proofs:
        return (_signature(CheckResult.FAIL, "the document carries no proof"),)
    checking = _Checking(document, proofs, tools, owner, role)
    found = tuple(checking.check(proof) for proof in proofs if not is_anchor(proof))
    if not found:
        detail = "the document carries no signature of its own beside its anchor"
        return (_signature(CheckResult.SKIPPED, detail),)
    if all(finding.result is CheckResult.PASS for finding in found):
        intact = Finding(CheckName.INTEGRITY, CheckResult.PASS, "the document is what was signed")
        return (*found, intact)
    return found


def verify_proof(
    document: Mapping[str, JsonValue], proof: Proof, method: VerificationMethod, tools: Tools
) -> None:
    """Return when the signature of ``proof``, one of the document's, fits; whose key it is does not matter.

    Raises:
        BadSignatureError, ProofFailedError: it does not. Otherwise as `canonical_form`.
    """
    _Checking(document, proofs_of(document), tools, None, "").verify(proof, VERIFIED[proof.suite], method)


@dataclass(frozen=True, slots=True)
class _Checking:
    """One document under examination. ``digests`` keeps what several proofs of a set have in common."""

    document: Mapping[str, JsonValue]
    proofs: Sequence[Mapping[str, JsonValue]]
    tools: Tools
    owner: str | None
    role: str
    digests: dict[tuple[bool, RdfHash], bytes] = field(default_factory=dict)

    def check(self, members: Mapping[str, JsonValue]) -> Finding:
        """The finding for one proof."""
        try:
            name = suite_of(members)
            suite = VERIFIED.get(name)
            if suite is None:
                detail = f"a proof is {shown_name(name)}, which is not verified here"
                return _signature(CheckResult.UNKNOWN, detail)
            proof = read_proof(members)
            self._require_claims(proof)
            method = resolve_method(proof.method, self.tools.documents)
            self._require_method(method, suite, proof)
            self.verify(proof, suite, method)
        except (UnavailableSourceError, UnsupportedKeyError, UnknownContextError) as error:
            return _signature(CheckResult.UNKNOWN, _clause(error))
        except TooComplexError as error:
            return _signature(CheckResult.UNKNOWN, f"the signature was not checked: {_clause(error)}")
        except BadSignatureError:
            detail = (
                "a signature does not fit the document: one of the two was altered, or the key is another"
            )
            return _signature(CheckResult.FAIL, detail)
        except MalformedInputError as error:
            return _signature(CheckResult.FAIL, _clause(error))
        whose = f"the {self.role}'s" if self.owner is not None else "its"
        return _signature(CheckResult.PASS, f"the {name} proof was made with {whose} key")

    def _require_claims(self, proof: Proof) -> None:
        """What the proof says about itself fits what is asked for."""
        if proof.purpose != self.tools.purpose:
            raise ProofFailedError("a proof was made for another purpose")
        if self.tools.challenge is not None and proof.challenge != self.tools.challenge:
            raise ProofFailedError("a proof answers another challenge")
        if self.tools.domain is not None and self.tools.domain not in proof.domains:
            raise ProofFailedError("a proof was made for another domain")
        if proof.expires is not None and proof.expires <= self.tools.now:
            raise ProofFailedError("a proof has expired")
        controller, is_listed, _ = proof.method.partition("#")
        if is_listed and self.owner is not None and controller != self.owner:
            raise self._not_the_owners()  # whatever its document says: it speaks for itself alone

    def _require_method(self, method: VerificationMethod, suite: Cryptosuite, proof: Proof) -> None:
        """The key may make this proof, and is the owner's."""
        if method.key.kind not in suite.kinds:
            raise ProofFailedError("a proof names a key of another kind than its cryptosuite takes")
        if proof.purpose not in method.purposes:
            raise ProofFailedError("a proof names a key that its controller does not list for this purpose")
        if any(end is not None and end <= self.tools.now for end in (method.revoked, method.expires)):
            raise ProofFailedError("a proof names a key that has been revoked or has expired")
        if self.owner is not None and method.controller != self.owner:
            raise self._not_the_owners()

    def _not_the_owners(self) -> ProofFailedError:
        return ProofFailedError(f"a proof was made with a key that is not the {self.role}'s")

    def verify(self, proof: Proof, suite: Cryptosuite, method: VerificationMethod) -> None:
        """As `verify_proof`."""
        options = proof.options()
        contexts = self.document.get("@context")
        if "@context" in options and options["@context"] != contexts:
            raise ProofFailedError("the document has other contexts than the proof covers")
        if not suite.jcs:
            options["@context"] = contexts
        kind = method.key.kind
        document = self._digest(suite, kind) if not proof.previous else self._chained(proof, suite, kind)
        configuration = digest_of(canonical_form(suite, options, kind, self.tools.canonicalizer), kind)
        method.key.verify(proof.signature, configuration + document)

    def _digest(self, suite: Cryptosuite, kind: KeyType) -> bytes:
        """The digest of the document without its proofs."""
        shared = (suite.jcs, rdf_hash_of(kind))
        found = self.digests.get(shared)
        if found is None:
            unsecured = {name: value for name, value in self.document.items() if name != "proof"}
            found = digest_of(canonical_form(suite, unsecured, kind, self.tools.canonicalizer), kind)
            self.digests[shared] = found
        return found

    def _chained(self, proof: Proof, suite: Cryptosuite, kind: KeyType) -> bytes:
        """The digest of the document with the proofs that this one follows (section 4.5)."""
        named = [members for members in self.proofs if members.get("id") in proof.previous]
        if len(named) != len(proof.previous):
            raise ProofFailedError("a proof follows another that is missing, or that is there twice")
        chained = {**self.document, "proof": named}
        return digest_of(canonical_form(suite, chained, kind, self.tools.canonicalizer), kind)


def _signature(result: CheckResult, detail: str) -> Finding:
    return Finding(CheckName.SIGNATURE, result, detail)


def _clause(error: Exception) -> str:
    return str(error).rstrip(".")
