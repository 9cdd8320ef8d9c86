"""A registry, hosts and formats for the tests of the facade: each says what a test tells it to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from registry.credentials.findings import Examination, Finding, Presented
from registry.credentials.sources import Tools
from registry.credentials.verification import CredentialVerification, DocumentRequest, Examining
from registry.encoding import Address, BlockHash, Digest, Root, TxHash
from registry.errors import RootmarkError
from registry.services.claims import VerifyRequest
from registry.verdict.evidence import NO_DATES, Validity
from registry.verdict.report import (
    Check,
    CheckName,
    CheckResult,
    Outcome,
    Report,
    ShownAnchor,
    ShownCandidate,
    ShownIssuer,
    ShownReading,
    ShownStatus,
    Source,
    State,
)
from tests.unit.credentials.suites.parts import NOW, FakeDocuments, NoLedgers

FAIL, PASS, SKIPPED, UNKNOWN = CheckResult.FAIL, CheckResult.PASS, CheckResult.SKIPPED, CheckResult.UNKNOWN
DID = "did:web:college.example:issuers:0x" + "11" * 20
OTHER_DID = "did:web:college.example:issuers:0x" + "22" * 20
FOREIGN = "did:web:mit.example"
ACCOUNT, OTHER, STRANGER = (Address(bytes([number]) * 20) for number in (0x11, 0x22, 0x33))
DIGEST = Digest(b"\x0d" * 32)
READING = ShownReading(31337, True, 10, BlockHash(b"\x0b" * 32), 1_790_000_000, Source.INDEX)
UNREAD = replace(READING, block_number=None, block_hash=None, block_time=None)
SIGNED = (
    Finding(CheckName.FORMAT, PASS, "it has its form"),
    Finding(CheckName.SIGNATURE, PASS, "the issuer signed it"),
    Finding(CheckName.INTEGRITY, PASS, "it is what was signed"),
)
UNSETTLED = (SIGNED[0], Finding(CheckName.SIGNATURE, UNKNOWN, "send the key's document along"))
ANCHOR = ShownAnchor(None, Root(bytes(32)), 0, TxHash(bytes(32)), 5, BlockHash(bytes(32)), 1, 6, True)


def finding(check: CheckName, result: CheckResult, forces: Outcome | None = None) -> Finding:
    return Finding(check, result, f"{check.value} {result.value}", forces)


def examined(
    findings: Sequence[Finding] = SIGNED,
    *,
    issuer: str | None = FOREIGN,
    validity: Validity = NO_DATES,
    **credential: Any,
) -> Examination:
    document = {"id": "urn:uuid:9f3b2c61-7a4d-4e8f-b1c5-d2e6f7a8091b", "issuer": issuer, **credential}
    return Examination("Test 1", tuple(findings), issuer, "The College", document, validity)


def report(
    outcome: Outcome = Outcome.VALID,
    account: Address | None = ACCOUNT,
    *,
    known: bool = True,
    anchored: bool = True,
    candidates: Sequence[tuple[Address, bool]] = (),
    **checks: CheckResult,
) -> Report:
    """What the chain says. An anchored one has passed integrity, inclusion and anchor."""
    results = dict.fromkeys((CheckName.INTEGRITY, CheckName.INCLUSION, CheckName.ANCHOR), PASS)
    results = results if anchored else {}
    results |= {CheckName(name): result for name, result in checks.items()}
    return Report(
        outcome=outcome,
        summary=f"The chain says {outcome.value}.",
        digest=DIGEST,
        issuer=ShownIssuer(account, "College" if known else None, known),
        checks=tuple(Check(name, results.get(name, SKIPPED), "the chain's word") for name in CheckName),
        anchor=ANCHOR if anchored else None,
        status=ShownStatus(State.ACTIVE),
        as_of=READING,
        candidates=tuple(
            ShownCandidate(ShownIssuer(address, None, is_known), outcome, None, None, 0, None)
            for address, is_known in candidates
        ),
    )


NOT_FOUND = report(Outcome.NOT_FOUND, None, known=False, anchored=False)


@dataclass
class Registry:
    """Answers by the method asked for, else in one way; remembers the questions."""

    answer: Report | RootmarkError | Callable[[VerifyRequest], Report | RootmarkError] = NOT_FOUND
    finds_by_digest: bool = True
    asked: list[VerifyRequest] = field(default_factory=list)

    def verify_many(self, requests: Sequence[VerifyRequest]) -> list[Report | RootmarkError]:
        self.asked += requests
        return [self.answer(one) if callable(self.answer) else self.answer for one in requests]

    def reading(self) -> ShownReading:
        return UNREAD


@dataclass
class Hosts:
    """Two issuers are hosted; what ties a DID to an account is what a test says."""

    tie: Finding | None = None
    travels: bool = False

    def address_of(self, issuer: str) -> Address | None:
        return {DID: ACCOUNT, OTHER_DID: OTHER}.get(issuer)

    def named_by_caller(self, issuer: str) -> Address | None:
        return self.address_of(issuer)

    def anchor_travels(self, anchor: ShownAnchor) -> bool:
        del anchor
        return self.travels

    def agreement(self, issuer: str, anchoring: Address) -> Finding | None:
        address = self.address_of(issuer)
        if address is not None and address != anchoring:
            return finding(CheckName.ISSUER, FAIL)
        return self.tie if address is None else finding(CheckName.ISSUER, PASS)


@dataclass
class Format:
    """Recognises documents with a member ``proof``, and tokens; says what a test tells it to."""

    examination: Examination

    def recognises(self, presented: Presented) -> bool:
        return presented.token is not None or "proof" in (presented.document or {})

    def examine(self, presented: Presented, tools: Tools) -> Examination:
        del presented, tools
        return self.examination


class Canonicalizer:
    """Canonical N-Quads that are the document's id; or an error."""

    def __init__(self, error: RootmarkError | None = None) -> None:
        self.error = error

    def n_quads(self, document: Mapping[str, Any], rdf_hash: Any = None) -> bytes:
        del rdf_hash
        if self.error is not None:
            raise self.error
        return str(document.get("id")).encode()

    def n_quads_of_many(self, documents: Sequence[Mapping[str, Any]], rdf_hash: Any = None) -> list[bytes]:
        return [self.n_quads(document, rdf_hash) for document in documents]


class Clock:
    """It is always the same time."""

    def now(self) -> datetime:
        return NOW


def verifier(
    registry: Registry,
    examination: Examination | None = None,
    *,
    hosts: Hosts | None = None,
    canonicalizer: Canonicalizer | None = None,
    status: Sequence[Finding] = (),
    documents: Mapping[str, Any] | None = None,
    trusted: frozenset[str] = frozenset(),
) -> CredentialVerification:
    examining = Examining(
        examiners=(Format(examined() if examination is None else examination),),
        canonicalizer=canonicalizer or Canonicalizer(),
        documents=lambda supplied: FakeDocuments({**(documents or {}), **supplied}),
        ledgers=NoLedgers(),
        check_status=lambda credential, tools, examine: tuple(status),
        read_anchor=lambda credential: None,
    )
    return CredentialVerification(registry, examining, Hosts() if hosts is None else hosts, Clock(), trusted)


SHOWN = Presented(document={"proof": {}})
TOKEN = Presented(token="a.b.c")
YESTERDAY = NOW - timedelta(days=1)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def ask(presented: Presented = SHOWN, **changes: Any) -> DocumentRequest:
    return DocumentRequest(presented, **changes)
