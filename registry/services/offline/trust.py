"""What an offline verifier takes for granted, and how a claim becomes evidence with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from registry.encoding import AccountId, Address, invalid
from registry.merkle import InclusionProof
from registry.services.claims import Claim, VerifyRequest
from registry.verdict.evidence import Candidate, Evidence, Known, Reading


def _no_test_chain(_chain_id: int) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Trust:
    """The verifier's own choices; nothing that is verified can change them.

    Attributes:
        issuers: the trust list, with names where there are any.
        confirmations: blocks until final, the including block counted, where a chain has no `finalized` tag.
        registries: the registries whose bundles count; empty: any with the contract's code.
        code_hash: Keccak-256 of the contract's code, which is the same on every chain; needed for bundles
        only. is_test_chain: whether a chain id is a test chain's; needed for bundles only.
    """

    issuers: Mapping[Address, str | None] = field(default_factory=dict)
    confirmations: int = 12
    registries: frozenset[AccountId] = frozenset()
    code_hash: bytes = b""
    is_test_chain: Callable[[int], bool] = _no_test_chain


def required_proof(claim: Claim) -> InclusionProof:
    """The claim's proof, without which nothing can be found on a chain. Raises ValidationError, code
    ``proof-missing``."""
    if claim.proof is None:
        raise invalid(
            "proof-missing", "without a server a proof is needed to find a credential on the chain", "/proof"
        )
    return claim.proof


def candidate_of(proof: InclusionProof, request: VerifyRequest, trust: Trust) -> Candidate:
    """The proof's entry, without views."""
    known = None
    if proof.issuer in trust.issuers:
        known = Known.TRUST_LIST
    elif proof.issuer == request.issuer:
        known = Known.CALLER
    return Candidate(
        issuer=proof.issuer,
        method=proof.method,
        root=proof.root,
        index=proof.index,
        size=proof.size,
        name=trust.issuers.get(proof.issuer),
        known=known,
        proved=True,
    )


def evidence_of(
    claim: Claim, request: VerifyRequest, candidate: Candidate, reading: Reading, instant: datetime
) -> Evidence:
    """Everything together, for the judge."""
    return Evidence(
        digest=claim.digest,
        document=claim.document_given([candidate.method]),
        method=claim.method,
        inclusion=claim.inclusion,
        inclusion_detail=claim.inclusion_detail,
        candidates=(candidate,),
        named_issuer=request.issuer,
        reading=reading,
        instant=instant,
        document_validity=claim.document_validity,
        hint=claim.hint,
    )
