"""Verification of documents in any format that is known here: examine them, ask what the chain says, and make
one report of both.

What a document claims decides nothing about where is looked: other documents come from `Documents`, which
fetches only from where the operator allows. A document that no examiner recognises, or that has no proof of
its own, is plain JSON and left to the registry alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Protocol

from registry.credentials.findings import Examination, Examiner, Finding, Presented
from registry.credentials.formats.data_model import issuer_of, looks_like_a_credential
from registry.credentials.formats.open_badges_2 import hosted_assertion
from registry.credentials.merging import (
    Circumstances,
    judge_alone,
    merge,
    other_issuer,
    validity_finding,
)
from registry.credentials.patience import Patience
from registry.credentials.questions import Asked, questions, with_digest
from registry.credentials.sources import Documents, Ledgers, Tools
from registry.encoding import (
    Address,
    Digest,
    DigestMethod,
    JsonValue,
    canonical_json,
    credential_digest,
    invalid,
)
from registry.errors import MalformedInputError, RootmarkError, UnavailableSourceError, ValidationError
from registry.merkle import InclusionProof
from registry.ports.clock import Clock
from registry.ports.documents import Canonicalizer
from registry.services.claims import VerifyRequest, embedded_proof
from registry.services.moments import refuse_future
from registry.verdict.report import PRECEDENCE, CheckName, CheckResult, Outcome, Report, ShownReading

MAX_SUPPLIED = 20


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
    """

    presented: Presented
    hosted_at: str | None = None
    digest: Digest | None = None
    proof: InclusionProof | None = None
    issuer: Address | str | None = None
    as_of: int | datetime | None = None
    live: bool = False
    supplied: Mapping[str, bytes] = field(default_factory=dict)


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

    def agreement(self, issuer: str, anchoring: Address) -> Finding | None:
        """Whether the DID and the account on chain name each other; None where nothing here says so."""
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


@dataclass(frozen=True, slots=True)
class _Looked:
    """One document, examined, with the questions that it leads to. ``examination`` is None for plain JSON,
    about which there is one question."""

    request: DocumentRequest
    examination: Examination | None
    tools: Tools
    asked: tuple[VerifyRequest, ...]
    digest: Digest


class CredentialVerification:
    """Safe to call from several threads."""

    def __init__(
        self,
        registry: Registry,
        examining: Examining,
        hosts: Hosts,
        clock: Clock,
        trusted: frozenset[str] = frozenset(),
    ) -> None:
        """``trusted`` are the DIDs and URLs of the trust list; its addresses are the registry's business."""
        self._registry = registry
        self._examining = examining
        self._hosts = hosts
        self._clock = clock
        self._trusted = trusted

    def verify(self, request: DocumentRequest) -> Report:
        """Verify one document.

        Raises:
            ValidationError, MalformedJsonError: what was sent has the wrong form, or asks about the future.
            StoreUnavailableError, ChainUnavailableError: the registry cannot be read.
        """
        (result,) = self.verify_many([request])
        if isinstance(result, RootmarkError):
            raise result
        return result

    def verify_many(self, requests: Sequence[DocumentRequest]) -> list[Report | RootmarkError]:
        """Verify many; a bad one fails only itself.

        Raises:
            StoreUnavailableError: the registry cannot be read.
        """
        patience = Patience(self._examining.canonicalizer)
        looked: list[_Looked | RootmarkError] = []
        for request in requests:
            try:
                looked.append(self._look(request, self._tools(request, patience)))
            except RootmarkError as error:
                looked.append(error)
        asked = [question for one in looked for question in _questions(one)]
        answers = iter(self._registry.verify_many(asked) if asked else ())
        return [self._result(one, [next(answers) for _ in _questions(one)]) for one in looked]

    # --- looking --------------------------------------------------------------------------------------------

    def _look(self, request: DocumentRequest, tools: Tools) -> _Looked:
        refuse_future(request.as_of, tools.now)
        presented = request.presented
        if request.hosted_at is not None:
            try:
                presented = hosted_assertion(request.hosted_at, tools.documents)
            except UnavailableSourceError as error:
                return _not_hosted(request, tools, error)
        examiner = next((one for one in self._examining.examiners if one.recognises(presented)), None)
        if examiner is None:
            return self._plain(request, tools)
        examination = examiner.examine(presented, tools)
        credential, asked = examination.credential, Asked()
        if credential is not None:
            status = self._examining.check_status(
                credential, tools, lambda other: self._examine_other(other, tools)
            )
            asked = self._ask(request, credential, examination, tools)
            findings = (*examination.findings, *status, *asked.findings)
            examination = replace(examination, findings=findings)
        digest = _shown_digest(presented, credential)
        return _Looked(request, examination, tools, asked.questions, digest)

    def _plain(self, request: DocumentRequest, tools: Tools) -> _Looked:
        document = request.presented.document
        if document is None:
            raise ValidationError("no format that is known here was recognised")
        if isinstance(request.issuer, str):
            raise ValidationError("this document names its issuer by no DID; name the issuer's address")
        proof = request.proof or embedded_proof(document)
        question = VerifyRequest(request.digest, document, proof, request.issuer, request.as_of, request.live)
        if proof is not None:
            question = with_digest(question, proof.method, tools.canonicalizer)
        return _Looked(request, None, tools, (question,), _shown_digest(request.presented, document))

    def _tools(self, request: DocumentRequest, patience: Patience) -> Tools:
        if len(request.supplied) > MAX_SUPPLIED:
            raise ValidationError(f"at most {MAX_SUPPLIED} documents can be sent along")
        return Tools(
            canonicalizer=patience.for_a_document(),
            documents=self._examining.documents(request.supplied),
            ledgers=self._examining.ledgers,
            now=self._clock.now(),
            supplied=request.supplied,
        )

    def _examine_other(self, presented: Presented, tools: Tools) -> Examination:
        """A document that another one refers to, such as a status list credential."""
        for examiner in self._examining.examiners:
            if examiner.recognises(presented):
                return examiner.examine(presented, tools)
        detail = "it has no format that is known here"
        return Examination("", (Finding(CheckName.FORMAT, CheckResult.FAIL, detail),))

    def _ask(
        self,
        request: DocumentRequest,
        credential: Mapping[str, JsonValue],
        examination: Examination,
        tools: Tools,
    ) -> Asked:
        proof = request.proof or embedded_proof(credential) or self._examining.read_anchor(credential)
        issuer = self._expected_address(request, examination)
        base = VerifyRequest(request.digest, credential, proof, issuer, request.as_of, request.live)
        return questions(base, tools.canonicalizer, finds_by_digest=self._registry.finds_by_digest)

    def _expected_address(self, request: DocumentRequest, examination: Examination) -> Address | None:
        """Whose entries count: those of the issuer asked about; else, for a document by an issuer hosted
        here, that issuer's alone, since a stranger may anchor a copy."""
        if isinstance(request.issuer, bytes):
            return request.issuer
        named = request.issuer or examination.issuer
        return None if named is None else self._hosts.address_of(named)

    # --- judging --------------------------------------------------------------------------------------------

    def _result(
        self, looked: _Looked | RootmarkError, answers: Sequence[Report | RootmarkError]
    ) -> Report | RootmarkError:
        if isinstance(looked, RootmarkError):
            return looked
        reports = []
        for answer in answers:
            if isinstance(answer, RootmarkError):
                return answer
            reports.append(answer)
        examination = looked.examination
        if examination is None:
            return self._of_plain(looked, reports[0])
        base = self._base(looked, examination, reports)
        if base is None:
            return judge_alone(examination, self._circumstances(looked, examination, reports))
        return merge(base, self._with_issuer_and_dates(base, looked, examination))

    def _of_plain(self, looked: _Looked, base: Report) -> Report:
        """A credential without a proof of its own still says by whom it is: the account that anchored it must
        be that issuer's."""
        document = looked.request.presented.document or {}
        issuer = issuer_of(document) if looks_like_a_credential(document) else None
        if issuer is None:
            return base
        found = self._with_identity(base, Examination("", (), issuer=issuer))
        return merge(base, found) if found.findings else base

    def _base(self, looked: _Looked, examination: Examination, reports: Sequence[Report]) -> Report | None:
        """What the registry says, where it has a say: the worst of it.

        The say of somebody whom nobody here knows does not count, unless the document itself claims a place
        on the chain: anyone may anchor a copy of another's credential, and revoke that.
        """
        found = [report for report in reports if report.outcome is not Outcome.NOT_FOUND]
        if self._has_a_say(looked, examination):
            found = found or list(reports[:1])
        else:
            found = [report for report in found if _counts(report)]
        return min(found, key=lambda report: PRECEDENCE.index(report.outcome), default=None)

    def _has_a_say(self, looked: _Looked, examination: Examination) -> bool:
        """Whether the registry should know the document: it claims a place there, or its issuer is here."""
        claims = any(question.proof is not None for question in looked.asked)
        return claims or self._is_hosted(examination)

    def _is_hosted(self, examination: Examination) -> bool:
        return examination.issuer is not None and self._hosts.address_of(examination.issuer) is not None

    def _with_issuer_and_dates(self, base: Report, looked: _Looked, examination: Examination) -> Examination:
        """With findings about what the chain's report leaves out: whether it is by the issuer asked about,
        and the dates that its token sets beside its own."""
        expected = looked.request.issuer
        instant = self._instant(looked, [base])
        beside = [validity_finding(examination.validity, instant)]
        if isinstance(expected, str) and expected != examination.issuer:
            beside.append(other_issuer(examination.issuer))
        findings = (*examination.findings, *(one for one in beside if one.outcome is not Outcome.VALID))
        return self._with_identity(base, replace(examination, findings=findings))

    def _with_identity(self, base: Report, examination: Examination) -> Examination:
        """With a finding about whether the DID in the document and the account on chain belong together."""
        issuer, anchoring = examination.issuer, base.issuer.address
        if issuer is None or anchoring is None:
            return examination
        finding = self._hosts.agreement(issuer, anchoring)
        if finding is None:
            passed = CheckResult.PASS in {
                one.result for one in examination.findings if one.check is CheckName.SIGNATURE
            }
            detail = f"nothing known here ties {issuer} to the account that anchored it"
            result = CheckResult.SKIPPED if passed else CheckResult.UNKNOWN
            finding = Finding(CheckName.ISSUER, result, detail)
        return replace(examination, findings=(*examination.findings, finding))

    def _circumstances(
        self, looked: _Looked, examination: Examination, reports: Sequence[Report]
    ) -> Circumstances:
        issuer, expected = examination.issuer, looked.request.issuer
        return Circumstances(
            digest=looked.digest,
            instant=self._instant(looked, reports),
            known=issuer is not None and (issuer in self._trusted or issuer == expected),
            expected=("0x" + expected.hex()) if isinstance(expected, bytes) else expected,
            reading=self._registry.reading(),
            hosted=self._is_hosted(examination),
            as_of=looked.request.as_of is not None,
        )

    def _instant(self, looked: _Looked, reports: Sequence[Report]) -> datetime:
        """When dates are looked at: now, at the time asked about, or at the block asked about."""
        as_of = looked.request.as_of
        if as_of is None or isinstance(as_of, datetime):
            return as_of or looked.tools.now
        times = [report.as_of.block_time for report in reports if report.as_of.block_time is not None]
        if not times:
            raise invalid("as-of", "the block's time is not known here; ask about a time instead", "/as_of")
        return datetime.fromtimestamp(times[0], UTC)


def _counts(report: Report) -> bool:
    """Whether it is about an entry of somebody known here, or says that the claim contradicts itself."""
    known = report.issuer.known or any(other.issuer.known for other in report.candidates)
    return known or report.outcome is Outcome.INVALID


def _not_hosted(request: DocumentRequest, tools: Tools, error: UnavailableSourceError) -> _Looked:
    detail = f"the badge says only where its assertion is hosted: {error}"
    findings = (Finding(CheckName.INTEGRITY, CheckResult.UNKNOWN, detail),)
    address = (request.hosted_at or "").encode()
    return _Looked(request, Examination("Open Badges", findings), tools, (), Digest(sha256(address).digest()))


def _questions(looked: _Looked | RootmarkError) -> tuple[VerifyRequest, ...]:
    return () if isinstance(looked, RootmarkError) else looked.asked


def _shown_digest(presented: Presented, credential: Mapping[str, JsonValue] | None) -> Digest:
    """What the report calls the document by."""
    if credential is not None:
        try:
            return credential_digest(credential, DigestMethod.JCS_SHA256)
        except MalformedInputError:
            pass
    text = presented.token.encode() if presented.token is not None else canonical_json(presented.document)
    return Digest(sha256(text).digest())
