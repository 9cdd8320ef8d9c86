"""Everything a verdict rests on, collected before it is judged. Frozen, no behaviour but small derived facts.

Whoever collects evidence (server, RPC, bundle) decides nothing; `judge` alone turns it into an outcome.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from registry.encoding import AccountId, Address, Digest, DigestMethod, JsonValue, Root, parse_time
from registry.errors import ValidationError
from registry.model.chain import Header
from registry.verdict.report import PendingChange, Source
from registry.verdict.views import NOT_ANCHORED, EntryView, LaterFact


class DocumentCheck(Enum):
    """What came of holding the shown document against the digest."""

    NOT_SHOWN = "not shown"
    MATCH = "match"
    MISMATCH = "mismatch"
    UNCHECKABLE = "uncheckable"


class Inclusion(Enum):
    """How the digest is tied to the candidates' roots."""

    NOT_CLAIMED = "not claimed"
    """No proof was shown, and no record of the digest was found."""
    PROVED = "proved"
    FAILED = "failed"
    RECORDED = "recorded"
    """No proof was shown; the server's own records, which were recomputed when the batch was sealed, say
    so."""


class Known(Enum):
    """Why an issuer counts as known."""

    CALLER = "named by the caller"
    TRUST_LIST = "on the trust list"
    HOSTED = "hosted here"


@dataclass(frozen=True, slots=True)
class Validity:
    """A credential's own dates: valid from ``valid_from`` on, until just before ``valid_until``.
    ``readable`` is False when it has dates that are no RFC 3339 times."""

    valid_from: datetime | None = None
    valid_until: datetime | None = None
    readable: bool = True

    @property
    def given(self) -> bool:
        """Whether there is anything to check."""
        return self.valid_from is not None or self.valid_until is not None or not self.readable


NO_DATES = Validity()
"""Nothing is known of the credential's dates, or it has none."""

_FROM_MEMBERS = ("validFrom", "issuanceDate")
_UNTIL_MEMBERS = ("validUntil", "expirationDate")


def validity_of(credential: Mapping[str, JsonValue]) -> Validity:
    """The dates of a credential: validFrom and validUntil (VC Data Model 2.0), else issuanceDate and
    expirationDate (1.1)."""
    try:
        return Validity(_date(credential, _FROM_MEMBERS), _date(credential, _UNTIL_MEMBERS))
    except ValidationError:
        return Validity(readable=False)


def _date(credential: Mapping[str, JsonValue], names: tuple[str, ...]) -> datetime | None:
    value = next((credential[name] for name in names if credential.get(name) is not None), None)
    return None if value is None else parse_time(value)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One entry that carries the digest.

    Attributes:
        issuer: whose batch it is in.
        method: how the digest was made, from the leaf.
        root: None while the batch is not sealed.
        queued: accepted by this server and on its way to the chain, which does not show it yet.
        latest: what the chain says at the reading's block.
        final: what it says at the final block, or at the reading's block when that is final.
        name: the issuer's, as known here.
        known: why the issuer counts as known, or None.
        contested: why nothing that is said about this issuer's history may be used, or None. The views then
        are
            not looked at.
        proved: the caller's proof is for this entry.
    """

    issuer: Address
    method: DigestMethod
    root: Root | None
    index: int
    size: int
    batch_id: str | None = None
    queued: bool = False
    latest: EntryView = NOT_ANCHORED
    final: EntryView = NOT_ANCHORED
    validity: Validity = NO_DATES
    name: str | None = None
    known: Known | None = None
    contested: str | None = None
    pending: tuple[PendingChange, ...] = ()
    later: tuple[LaterFact, ...] = ()
    proved: bool = False

    @property
    def anchored(self) -> bool:
        """Whether the chain, at the latest or the final block, has this root."""
        return self.latest.anchor is not None or self.final.anchor is not None


@dataclass(frozen=True, slots=True)
class Reading:
    """How the chain was read.

    Attributes:
        block: the block that all views called latest are of; None when none could be read.
        final_block: height up to which events count as final.
        age_seconds: time since the node, or the checkpoint's block, was last read; None when never.
        problem: why the reading cannot carry a `valid` (unreachable, nodes disagree, no trusted checkpoint),
        or None. as_of: the caller asked for this block or time, not for the present.
    """

    chain_id: int
    registry: Address
    test_chain: bool
    source: Source
    block: Header | None
    final_block: int | None
    age_seconds: float | None
    limit_seconds: float
    problem: str | None = None
    as_of: bool = False

    @property
    def shortcoming(self) -> str | None:
        """Why the reading is no fresh one, as a clause; None when it is."""
        if self.problem is not None:
            return self.problem
        if self.block is None or self.age_seconds is None:
            return "the chain was never read"
        if self.age_seconds > self.limit_seconds:
            return (
                f"the chain was last read {self.age_seconds:.0f} seconds ago, "
                f"and the limit is {self.limit_seconds:.0f}"
            )
        return None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about one claim.

    Attributes:
        digest: the claimed digest.
        document: whether the shown document has it; ``method`` is the one by which that was computed.
        inclusion: how the digest is tied to the candidates; ``inclusion_detail`` says what is wrong with a
        proof. candidates: every entry with this digest that the verifier knows of, of all issuers.
        named_issuer: the issuer that the caller asked about. A proof's own issuer does not count. instant:
        when validity dates are looked at: now, or the time that was asked about. document_validity: the
        dates in the shown document. hint: the registry that the proof names.
    """

    digest: Digest
    document: DocumentCheck
    method: DigestMethod | None
    inclusion: Inclusion
    inclusion_detail: str
    candidates: tuple[Candidate, ...]
    named_issuer: Address | None
    reading: Reading
    instant: datetime
    document_validity: Validity = NO_DATES
    hint: AccountId | None = None
