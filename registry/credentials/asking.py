"""What verifying a document is asked, and whom it asks in turn: the types between
`registry.credentials.verification` and those who put it together. No logic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from registry.credentials.findings import Examination, Examiner, Finding, Presented
from registry.credentials.sources import Documents, Ledgers, Tools
from registry.encoding import Address, Digest, JsonValue
from registry.errors import RootmarkError, ValidationError
from registry.merkle import InclusionProof
from registry.ports.documents import Canonicalizer
from registry.services.claims import VerifyRequest
from registry.verdict.report import Report, ShownAnchor, ShownReading

MAX_SUPPLIED = 20


@dataclass(frozen=True, slots=True)
class ProofClaims:
    """What a document's own proof must have been made for; see `registry.credentials.sources.Tools`."""

    purpose: str = "assertionMethod"
    challenge: str | None = None
    domain: str | None = None


ASSERTION = ProofClaims()


@dataclass(frozen=True, slots=True)
class DocumentRequest:
    """What to verify, out of its carrier, and how.

    Attributes:
        hosted_at: instead of a document, where an old badge says that its assertion is hosted.
        digest: that the caller takes the document to have.
        proof: a RootmarkProof beside the document.
        issuer: the issuer that the caller expects: an address, or a DID or URL.
        as_of, live: as in `registry.services.claims.VerifyRequest`.
        supplied: other documents that the caller sends along, by address.
        claims: what its proof must say; a list that it refers to is always an assertion.
    """

    presented: Presented
    hosted_at: str | None = None
    digest: Digest | None = None
    proof: InclusionProof | None = None
    issuer: Address | str | None = None
    as_of: int | datetime | None = None
    live: bool = False
    supplied: Mapping[str, bytes] = field(default_factory=dict)
    claims: ProofClaims = ASSERTION


class Registry(Protocol):
    """What the chain says: the server's index, or nodes alone."""

    @property
    def finds_by_digest(self) -> bool:
        """Whether it can tell of a credential without being shown its place."""
        ...

    def verify_many(self, requests: Sequence[VerifyRequest]) -> Sequence[Report | RootmarkError]:
        """A report for each, or why there is none."""
        ...

    def reading(self) -> ShownReading:
        """Which chain it reads."""
        ...


class Hosts(Protocol):
    """The issuers that this server hosts, by the names in documents."""

    def address_of(self, issuer: str) -> Address | None:
        """The account of a hosted issuer's DID; None for anybody else's."""
        ...

    def named_by_caller(self, issuer: str) -> Address | None:
        """The account of an issuer that the caller named by its DID; None where nothing here says which."""
        ...

    def agreement(self, issuer: str, anchoring: Address) -> Finding | None:
        """Whether the DID and the account on chain name each other; None where nothing here says so."""
        ...

    def anchor_travels(self, anchor: ShownAnchor) -> bool:
        """Whether documents of that anchor are handed out here with a proof of it inside."""
        ...


StatusCheck = Callable[
    [Mapping[str, JsonValue], Tools, Callable[[Presented], Examination]], Sequence[Finding]
]
"""What the `credentialStatus` of a credential says."""
AnchorReader = Callable[[Mapping[str, JsonValue]], InclusionProof | None]
"""The place in this registry that a credential's own anchor proof (merkle-proof-2019) leads to, if any."""


@dataclass(frozen=True, slots=True)
class Examining:
    """The parts that know formats, and what they may ask for."""

    examiners: Sequence[Examiner]
    canonicalizer: Canonicalizer
    documents: Callable[[Mapping[str, bytes]], Documents]
    ledgers: Ledgers
    check_status: StatusCheck
    read_anchor: AnchorReader

    def tools(self, now: datetime, supplied: Mapping[str, bytes], claims: ProofClaims) -> Tools:
        """What one examination may use.

        Raises:
            ValidationError: more documents were sent along than are taken.
        """
        if len(supplied) > MAX_SUPPLIED:
            raise ValidationError(f"at most {MAX_SUPPLIED} documents can be sent along")
        return Tools(
            canonicalizer=self.canonicalizer,
            documents=self.documents(supplied),
            ledgers=self.ledgers,
            now=now,
            supplied=supplied,
            purpose=claims.purpose,
            challenge=claims.challenge,
            domain=claims.domain,
        )
