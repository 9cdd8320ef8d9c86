"""Verification of documents in any format that is known here: examine them, ask what the chain says, and make
one report of both.

What a document claims decides nothing about where is looked: other documents come from `Documents`, which
fetches only from where the operator allows. A document that no examiner recognises, or that has no proof of
its own, is plain JSON and left to the registry alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256

from registry.credentials.asking import (
    ASSERTION,
    MAX_SUPPLIED,
    DocumentRequest,
    Examining,
    Hosts,
    ProofClaims,
    Registry,
)
from registry.credentials.clr import examine_nested, is_clr
from registry.credentials.findings import Examination, Finding, Presented
from registry.credentials.formats.data_model import issuer_of, looks_like_a_credential
from registry.credentials.formats.open_badges_2 import hosted_assertion
from registry.credentials.merging import (
    Circumstances,
    judge_alone,
    merge,
    missed_anchor,
    other_issuer,
    validity_finding,
    word_that_counts,
)
from registry.credentials.nested import Inside, inside_of, registry_findings, remembering
from registry.credentials.patience import Patience, TimedDocuments
from registry.credentials.questions import Asked, questions, with_digest
from registry.credentials.remembered import RememberedForms
from registry.credentials.sources import Tools
from registry.credentials.suites.proofs import carries_anchor
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
from registry.ports.clock import Clock
from registry.services.claims import VerifyRequest, embedded_proof
from registry.services.moments import refuse_future
from registry.verdict.report import CheckName, CheckResult, Outcome, Report

__all__ = [
    "ASSERTION",
    "MAX_SUPPLIED",
    "CredentialVerification",
    "DocumentRequest",
    "Examining",
    "Hosts",
    "ProofClaims",
    "Registry",
]


@dataclass(frozen=True, slots=True)
class _Looked:
    """One document, examined, with the questions that it leads to. ``examination`` is None for plain JSON,
    about which there is one question."""

    request: DocumentRequest
    examination: Examination | None
    tools: Tools
    asked: tuple[VerifyRequest, ...]
    digest: Digest
    inside: tuple[Inside, ...] = ()


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
                looked.append(self._look(request, patience))
            except RootmarkError as error:
                looked.append(error)
        asked = [question for one in looked for question in _questions(one)]
        answers = iter(self._registry.verify_many(asked) if asked else ())
        return [self._finished(one, [next(answers) for _ in _questions(one)]) for one in looked]

    # --- looking --------------------------------------------------------------------------------------------

    def _look(self, request: DocumentRequest, patience: Patience) -> _Looked:
        tools = self._examining.tools(self._clock.now(), request.supplied, request.claims)
        documents = TimedDocuments(tools.documents)
        canonicalizer = RememberedForms(patience.for_a_document())
        tools = replace(tools, canonicalizer=canonicalizer, documents=documents)
        refuse_future(request.as_of, tools.now)
        others = replace(tools, purpose=ASSERTION.purpose, challenge=None, domain=None)
        presented = request.presented
        if request.hosted_at is not None:
            try:
                presented = hosted_assertion(request.hosted_at, tools.documents)
            except UnavailableSourceError as error:
                return _not_hosted(request, tools, error)
        examiner = next((one for one in self._examining.examiners if one.recognises(presented)), None)
        if examiner is None:
            return self._plain(request, tools)
        examination = self._with_status(
            examiner.examine(presented, tools), others, lambda other: self._examine_other(other, others)
        )
        credential, inside = examination.credential, tuple[Inside, ...]()
        if credential is not None and is_clr(credential):
            examination, inside = self._with_inside(request, examination, others)
        asked = self._asked(request, examination, tools)
        examination = replace(examination, findings=(*examination.findings, *asked.findings))
        digest = _shown_digest(presented, credential, asked.questions)
        return _Looked(request, examination, tools, asked.questions, digest, inside)

    def _with_status(
        self, examination: Examination, tools: Tools, examine: Callable[[Presented], Examination]
    ) -> Examination:
        credential = examination.credential
        if credential is None:
            return examination
        status = self._examining.check_status(credential, tools, examine)
        return replace(examination, findings=(*examination.findings, *status))

    def _with_inside(
        self, request: DocumentRequest, examination: Examination, tools: Tools
    ) -> tuple[Examination, tuple[Inside, ...]]:
        """With the findings about the credentials in a record, and those credentials."""
        tools, examine = remembering(tools, self._examine_other)
        nested = examine_nested(
            examination.credential or {},
            lambda other: self._with_status(self._examine_other(other, tools), tools, examine),
            tools.now,
        )
        among = DocumentRequest(Presented(), as_of=request.as_of, live=request.live)
        found = [*examination.findings, *nested.findings]

        def asked(one: Examination) -> tuple[VerifyRequest, ...]:
            asked = self._asked(among, one, tools)
            found.extend(asked.findings)
            return asked.questions

        inside = inside_of(
            nested.examinations,
            asked,
            lambda issuer: self._hosts.address_of(issuer) is not None,
            lambda issuer: issuer in self._trusted or issuer == request.issuer,
        )
        return replace(examination, findings=tuple(found)), inside

    def _plain(self, request: DocumentRequest, tools: Tools) -> _Looked:
        document = request.presented.document
        if document is None:
            raise ValidationError("no format that is known here was recognised")
        issuer = request.issuer
        if isinstance(issuer, str):
            issuer = self._hosts.named_by_caller(issuer)
            if issuer is None:
                raise ValidationError("this document is known by its digest alone; name the issuer's address")
        proof = request.proof or embedded_proof(document)
        question = VerifyRequest(request.digest, document, proof, issuer, request.as_of, request.live)
        if proof is not None:
            question = with_digest(question, proof.method, tools.canonicalizer)
        return _Looked(request, None, tools, (question,), _shown_digest(request.presented, document))

    def _examine_other(self, presented: Presented, tools: Tools) -> Examination:
        """A document that another one refers to, such as a status list credential."""
        for examiner in self._examining.examiners:
            if examiner.recognises(presented):
                return examiner.examine(presented, tools)
        detail = "it has no format that is known here"
        return Examination("", (Finding(CheckName.FORMAT, CheckResult.FAIL, detail),))

    def _asked(self, request: DocumentRequest, examination: Examination, tools: Tools) -> Asked:
        """The registry is asked about the place that is claimed; without one about each digest."""
        credential = examination.credential
        if credential is None:
            return Asked()
        proof = request.proof or embedded_proof(credential) or self._examining.read_anchor(credential)
        issuer = self._expected_address(request, examination)
        base = VerifyRequest(request.digest, credential, proof, issuer, request.as_of, request.live)
        return questions(base, tools.canonicalizer, finds_by_digest=self._registry.finds_by_digest)

    def _expected_address(self, request: DocumentRequest, examination: Examination) -> Address | None:
        """Whose entries count: those of the issuer asked about; else, for a document by an issuer hosted
        here, that issuer's alone, since a stranger may anchor a copy."""
        if isinstance(request.issuer, bytes):
            return request.issuer
        if request.issuer is not None:
            return self._hosts.named_by_caller(request.issuer)
        named = examination.issuer
        return None if named is None else self._hosts.address_of(named)

    # --- judging --------------------------------------------------------------------------------------------

    def _finished(
        self, looked: _Looked | RootmarkError, answers: Sequence[Report | RootmarkError]
    ) -> Report | RootmarkError:
        try:
            return self._result(looked, answers)
        except ValidationError as error:
            return error

    def _result(
        self, looked: _Looked | RootmarkError, answers: Sequence[Report | RootmarkError]
    ) -> Report | RootmarkError:
        if isinstance(looked, RootmarkError):
            return looked
        reports = []
        for answer in answers[: len(looked.asked)]:
            if isinstance(answer, RootmarkError):
                return answer
            reports.append(answer)
        if looked.examination is None:
            return self._of_plain(looked.request, reports[0])
        found = registry_findings(looked.inside, iter(answers[len(looked.asked) :]))
        examination = replace(looked.examination, findings=(*looked.examination.findings, *found))
        base = word_that_counts(reports, has_a_say=self._has_a_say(looked, examination))
        if base is None:
            missed = missed_anchor(examination.issuer)
            alone = replace(examination, findings=(*examination.findings, *missed))
            return judge_alone(alone, self._circumstances(looked, alone, reports))
        examination = self._with_issuer_and_dates(base, looked, examination)
        return merge(base, self._without_its_anchor(base, examination, looked.request.presented))

    def _of_plain(self, request: DocumentRequest, base: Report) -> Report:
        """A credential without a proof of its own still says by whom it is: that must be the issuer asked
        about, and the account that anchored it must be that issuer's."""
        document, expected = request.presented.document or {}, request.issuer
        issuer = issuer_of(document) if looks_like_a_credential(document) else None
        if issuer is None:
            return base
        others = () if not isinstance(expected, str) or expected == issuer else (other_issuer(issuer),)
        found = self._with_identity(base, Examination("", others, issuer=issuer))
        return merge(base, found) if found.findings else base

    def _has_a_say(self, looked: _Looked, examination: Examination) -> bool:
        """Whether the registry should know the document: it claims a place there, or its issuer is here."""
        if any(question.proof is not None for question in looked.asked):
            return True
        return examination.issuer is not None and self._hosts.address_of(examination.issuer) is not None

    def _with_issuer_and_dates(self, base: Report, looked: _Looked, examination: Examination) -> Examination:
        """With findings about what the chain's report leaves out: whether it is by the issuer asked about,
        and the dates that its token sets beside its own."""
        expected = looked.request.issuer
        beside = [validity_finding(examination.validity, self._instant(looked, [base]))]
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

    def _without_its_anchor(
        self, base: Report, examination: Examination, presented: Presented
    ) -> Examination:
        """With a sentence about an anchor proof that was taken out of the document, which no other verifier
        notices. It decides nothing: the anchor is known here all the same."""
        document = presented.document
        if document is None or base.anchor is None or carries_anchor(document):
            return examination
        if not self._hosts.anchor_travels(base.anchor):
            return examination
        finding = Finding(CheckName.ANCHOR, CheckResult.PASS, "it carries no anchor proof of its own")
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
            as_of=looked.request.as_of is not None,
        )

    def _instant(self, looked: _Looked, reports: Sequence[Report]) -> datetime:
        """When dates are looked at: now, at the time asked about, or at the block asked about.

        Raises:
            ValidationError: nobody tells the block's time.
        """
        as_of = looked.request.as_of
        if as_of is None or isinstance(as_of, datetime):
            return as_of or looked.tools.now
        times = [report.as_of.block_time for report in reports if report.as_of.block_time is not None]
        if not times:
            raise invalid("as-of", "the block's time is not known here; ask about a time instead", "/as_of")
        return datetime.fromtimestamp(times[0], UTC)


def _not_hosted(request: DocumentRequest, tools: Tools, error: UnavailableSourceError) -> _Looked:
    detail = f"the badge says only where its assertion is hosted: {error}"
    findings = (Finding(CheckName.INTEGRITY, CheckResult.UNKNOWN, detail),)
    address = (request.hosted_at or "").encode()
    return _Looked(request, Examination("Open Badges", findings), tools, (), Digest(sha256(address).digest()))


def _questions(looked: _Looked | RootmarkError) -> tuple[VerifyRequest, ...]:
    if isinstance(looked, RootmarkError):
        return ()
    return (*looked.asked, *(question for one in looked.inside for question in one.asked))


def _shown_digest(
    presented: Presented,
    credential: Mapping[str, JsonValue] | None,
    asked: Sequence[VerifyRequest] = (),
) -> Digest:
    """What the report calls the document by: its digest by canonical JSON, which ``asked`` may have."""
    for question in asked:
        if DigestMethod.JCS_SHA256 in question.computed:
            return question.computed[DigestMethod.JCS_SHA256]
    if credential is not None:
        try:
            return credential_digest(credential, DigestMethod.JCS_SHA256)
        except MalformedInputError:
            pass
    text = presented.token.encode() if presented.token is not None else canonical_json(presented.document)
    return Digest(sha256(text).digest())
