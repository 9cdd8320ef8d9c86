"""What a caller wants verified, read before anything is looked up. Pure: no store, no chain.

From document, digest and proof comes a `Claim`: the digest it is about, whether the document has it, and
whether the proof leads to its root. The same for the server, the command line and bundles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from registry.encoding import (
    AccountId,
    Address,
    Digest,
    DigestMethod,
    JsonValue,
    credential_digest,
    invalid,
    require_unguessable_id,
)
from registry.merkle import PROOF_TYPE, InclusionFailure, InclusionProof, proof_from_json, verify_inclusion
from registry.verdict.evidence import NO_DATES, DocumentCheck, Inclusion, Validity, validity_of


@dataclass(frozen=True, slots=True)
class VerifyRequest:
    """What to verify: at least one of digest, credential and proof.

    Attributes:
        credential: as `parse_json` returned it. A RootmarkProof inside its ``proof`` member is used when
        ``proof``
            is not given.
        issuer: the issuer that the caller expects.
        method: by which a credential without a proof is looked up.
        computed: digests of ``credential`` that are known already, those among them that only somebody above
            the services can compute (rdfc-sha256).
        as_of: a block number, or an aware time: the last block not later.
        live: read the node directly instead of trusting the index alone.
    """

    digest: Digest | None = None
    credential: Mapping[str, JsonValue] | None = None
    proof: InclusionProof | None = None
    issuer: Address | None = None
    as_of: int | datetime | None = None
    live: bool = False
    method: DigestMethod = DigestMethod.JCS_SHA256
    computed: Mapping[DigestMethod, Digest] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Claim:
    """A request, read. ``document`` and ``inclusion`` are as in `registry.verdict.evidence.Evidence`."""

    digest: Digest
    document: DocumentCheck
    method: DigestMethod | None
    inclusion: Inclusion
    inclusion_detail: str
    proof: InclusionProof | None
    document_validity: Validity

    @property
    def hint(self) -> AccountId | None:
        """The registry that the proof names."""
        return None if self.proof is None else self.proof.registry

    @property
    def is_invalid(self) -> bool:
        """Whether it contradicts itself, so that nothing need be looked up. A document beside another digest
        may still belong to an opaque one, and only lookup tells."""
        if self.inclusion is Inclusion.FAILED:
            return True
        return self.document is DocumentCheck.MISMATCH and self.proof is not None

    def document_given(self, recorded: Iterable[DigestMethod]) -> DocumentCheck:
        """What came of the document, once the methods under which the digest is recorded are known: an
        opaque digest neither fits nor contradicts any document."""
        methods = set(recorded)
        if (
            self.document is DocumentCheck.MISMATCH
            and self.proof is None
            and methods == {DigestMethod.OPAQUE}
        ):
            return DocumentCheck.UNCHECKABLE
        return self.document


def read_claim(request: VerifyRequest) -> Claim:
    """Compute what the request itself tells.

    Raises:
        ValidationError: nothing to verify; a credential alone whose id can be guessed; a malformed embedded
        proof. UnsupportedDigestMethodError: the proof's method cannot be computed here. MalformedJsonError:
        the credential has no canonical form.
    """
    proof = request.proof
    if proof is None and request.credential is not None:
        proof = embedded_proof(request.credential)
    digest, document, method = _digest(request, proof)
    inclusion, detail = Inclusion.NOT_CLAIMED, ""
    if proof is not None:
        result = verify_inclusion(proof)
        failed = isinstance(result, InclusionFailure)
        inclusion = Inclusion.FAILED if failed else Inclusion.PROVED
        detail = result.detail if isinstance(result, InclusionFailure) else ""
    matches = document is DocumentCheck.MATCH and request.credential is not None
    return Claim(
        digest=digest,
        document=document,
        method=method,
        inclusion=inclusion,
        inclusion_detail=detail,
        proof=proof,
        document_validity=validity_of(request.credential) if matches and request.credential else NO_DATES,
    )


def _digest(
    request: VerifyRequest, proof: InclusionProof | None
) -> tuple[Digest, DocumentCheck, DigestMethod | None]:
    """The digest that is asked about, what came of the document, and the method it was computed by."""
    claimed = {digest for digest in (request.digest, proof.digest if proof else None) if digest is not None}
    if request.credential is None:
        if not claimed:
            raise invalid("missing", "a digest, a credential or a proof is needed", "")
        digest = request.digest if request.digest is not None else next(iter(claimed))
        return digest, DocumentCheck.NOT_SHOWN if len(claimed) == 1 else DocumentCheck.MISMATCH, None
    if proof is None:
        require_unguessable_id(request.credential, pointer="/credential")
    elif proof.method is DigestMethod.OPAQUE:
        digest = request.digest if request.digest is not None else proof.digest
        return digest, DocumentCheck.UNCHECKABLE if len(claimed) == 1 else DocumentCheck.MISMATCH, None
    method = proof.method if proof is not None else request.method
    computed = request.computed.get(method)
    if computed is None:
        computed = credential_digest(request.credential, method)
    document = DocumentCheck.MATCH if claimed <= {computed} else DocumentCheck.MISMATCH
    return request.digest if request.digest is not None else computed, document, method


def embedded_proof(credential: Mapping[str, JsonValue]) -> InclusionProof | None:
    """The RootmarkProof among the credential's proofs, if there is one.

    Raises:
        ValidationError: there are several, or it does not have its form.
    """
    member = credential.get("proof")
    proofs = member if isinstance(member, list) else [member]
    found = [
        (index, proof)
        for index, proof in enumerate(proofs)
        if isinstance(proof, Mapping) and proof.get("type") == PROOF_TYPE
    ]
    if not found:
        return None
    if len(found) > 1:
        raise invalid(
            "several-proofs",
            "the credential holds several RootmarkProofs; send one beside it",
            "/credential/proof",
        )
    index, proof = found[0]
    pointer = f"/credential/proof/{index}" if isinstance(member, list) else "/credential/proof"
    return proof_from_json(proof, pointer=pointer)
