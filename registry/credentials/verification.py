"""Verification of documents in any format that is known here: examine them, ask what the chain says, and make
one report of both.

What a document claims decides nothing about where is looked: other documents come from `Documents`, which
fetches only from where the operator allows. A document that no examiner recognises, or that has no proof of
its own, is plain JSON and left to the registry alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
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
from registry.credentials.formats.open_badges_2 import hosted_assertion
from registry.credentials.merging import Circumstances, judge_alone, merge, missed_anchor
from registry.credentials.nested import Inside, inside_of, registry_findings, remembering
from registry.credentials.rdf import rdf_digest
from registry.credentials.sources import Tools
from registry.credentials.suites.proofs import carries_anchor
from registry.encoding import (
    Address,
    Digest,
    DigestMethod,
    JsonValue,
    canonical_json,
    credential_digest,
    require_unguessable_id,
)
from registry.errors import MalformedInputError, RootmarkError, UnavailableSourceError, ValidationError
from registry.ports.clock import Clock
from registry.ports.documents import Canonicalizer
from registry.services.claims import VerifyRequest, embedded_proof
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
    """One document, examined, with the questions that it leads to."""

    request: DocumentRequest
    examination: Examination
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
        looked: list[_Looked | VerifyRequest | RootmarkError] = []
        for request in requests:
            try:
                looked.append(self._look(request))
            except RootmarkError as error:
                looked.append(error)
        asked = [question for one in looked for question in _questions(one)]
        answers = iter(self._registry.verify_many(asked) if asked else ())
        return [self._result(one, [next(answers) for _ in _questions(one)]) for one in looked]

    # --- looking --------------------------------------------------------------------------------------------

    def _look(self, request: DocumentRequest) -> _Looked | VerifyRequest:
        tools = self._examining.tools(self._clock.now(), request.supplied, request.claims)
        others = replace(tools, purpose=ASSERTION.purpose, challenge=None, domain=None)
        presented = request.presented
        if request.hosted_at is not None:
            try:
                presented = hosted_assertion(request.hosted_at, tools.documents)
            except UnavailableSourceError as error:
                return _not_hosted(request, tools, error)
        examiner = next((one for one in self._examining.examiners if one.recognises(presented)), None)
        if examiner is None:
            return self._plain(request)
        examination = self._with_status(
            examiner.examine(presented, tools), others, lambda other: self._examine_other(other, others)
        )
        credential, inside = examination.credential, tuple[Inside, ...]()
        if credential is not None and is_clr(credential):
            examination, inside = self._with_inside(request, examination, others)
        asked = self._asked(request, examination, tools)
        digest = _shown_digest(presented, credential, asked)
        return _Looked(request, examination, tools, asked, digest, inside)

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
        inside = inside_of(
            nested.examinations,
            lambda one: self._asked(among, one, tools),
            lambda issuer: self._hosts.address_of(issuer) is not None,
            lambda issuer: issuer in self._trusted or issuer == request.issuer,
        )
        return replace(examination, findings=(*examination.findings, *nested.findings)), inside

    def _plain(self, request: DocumentRequest) -> VerifyRequest:
        document = request.presented.document
        if document is None:
            raise ValidationError("no format that is known here was recognised")
        issuer = request.issuer
        if isinstance(issuer, str):
            issuer = self._hosts.named_by_caller(issuer)
            if issuer is None:
                raise ValidationError("this document is known by its digest alone; name the issuer's address")
        proof = request.proof or embedded_proof(document)
        base = VerifyRequest(request.digest, document, proof, issuer, request.as_of, request.live)
        return base if proof is None else _with_digest(base, proof.method, self._examining.canonicalizer)

    def _examine_other(self, presented: Presented, tools: Tools) -> Examination:
        """A document that another one refers to, such as a status list credential."""
        for examiner in self._examining.examiners:
            if examiner.recognises(presented):
                return examiner.examine(presented, tools)
        detail = "it has no format that is known here"
        return Examination("", (Finding(CheckName.FORMAT, CheckResult.FAIL, detail),))

    def _asked(
        self, request: DocumentRequest, examination: Examination, tools: Tools
    ) -> tuple[VerifyRequest, ...]:
        """The registry is asked about the place that is claimed; without one about each digest."""
        credential = examination.credential
        if credential is None:
            return ()
        proof = request.proof or embedded_proof(credential) or self._examining.read_anchor(credential)
        issuer = self._expected_address(request, examination)
        base = VerifyRequest(request.digest, credential, proof, issuer, request.as_of, request.live)
        if proof is not None:
            return (_with_digest(base, proof.method, tools.canonicalizer),)
        if not self._registry.finds_by_digest or not _is_unguessable(credential):
            return ()
        methods = [DigestMethod.JCS_SHA256]
        if "@context" in credential:
            methods.insert(0, DigestMethod.RDFC_SHA256)
        asked = []
        for method in methods:
            try:
                asked.append(replace(_with_digest(base, method, tools.canonicalizer), method=method))
            except MalformedInputError:
                continue  # it has no such digest: an unknown context, say, which a finding names
        return tuple(asked)

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

    def _result(
        self, looked: _Looked | VerifyRequest | RootmarkError, answers: Sequence[Report | RootmarkError]
    ) -> Report | RootmarkError:
        if isinstance(looked, RootmarkError):
            return looked
        if isinstance(looked, VerifyRequest):
            return answers[0]
        about_inside = iter(answers[len(looked.asked) :])
        found = registry_findings(looked.inside, about_inside)
        examination = replace(looked.examination, findings=(*looked.examination.findings, *found))
        reports = []
        for answer in answers[: len(looked.asked)]:
            if isinstance(answer, RootmarkError):
                return answer
            reports.append(answer)
        base = next((one for one in reports if one.outcome is not Outcome.NOT_FOUND), None)
        if base is None and reports and self._has_a_say(looked):
            base = reports[0]
        if base is None or (base.anchor is None and not self._has_a_say(looked)):
            missed = missed_anchor(examination.issuer)
            examination = replace(examination, findings=(*examination.findings, *missed))
            return judge_alone(examination, self._circumstances(looked))
        examination = self._with_identity(base, examination)
        return merge(base, self._without_its_anchor(base, examination, looked.request.presented))

    def _has_a_say(self, looked: _Looked) -> bool:
        """Whether the registry should know the document: it claims a place there, or its issuer is here."""
        asked, issuer = looked.asked, looked.examination.issuer
        if any(question.proof is not None for question in asked):
            return True
        return issuer is not None and self._hosts.address_of(issuer) is not None

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

    def _circumstances(self, looked: _Looked) -> Circumstances:
        issuer, expected = looked.examination.issuer, looked.request.issuer
        as_of = looked.request.as_of
        return Circumstances(
            digest=looked.digest,
            instant=as_of if isinstance(as_of, datetime) else looked.tools.now,
            known=issuer is not None and (issuer in self._trusted or issuer == expected),
            expected=("0x" + expected.hex()) if isinstance(expected, bytes) else expected,
            reading=self._registry.reading(),
        )


def _not_hosted(request: DocumentRequest, tools: Tools, error: UnavailableSourceError) -> _Looked:
    detail = f"the badge says only where its assertion is hosted: {error}"
    findings = (Finding(CheckName.INTEGRITY, CheckResult.UNKNOWN, detail),)
    address = (request.hosted_at or "").encode()
    return _Looked(request, Examination("Open Badges", findings), tools, (), Digest(sha256(address).digest()))


def _questions(looked: _Looked | VerifyRequest | RootmarkError) -> tuple[VerifyRequest, ...]:
    if isinstance(looked, RootmarkError):
        return ()
    if isinstance(looked, VerifyRequest):
        return (looked,)
    return (*looked.asked, *(question for one in looked.inside for question in one.asked))


def _with_digest(request: VerifyRequest, method: DigestMethod, canonicalizer: Canonicalizer) -> VerifyRequest:
    """With the credential's digest by a method, where it has one. Raises as `Canonicalizer.n_quads`."""
    credential = request.credential
    if credential is None or method is DigestMethod.OPAQUE:
        return request
    if method is DigestMethod.RDFC_SHA256:
        return replace(request, computed={method: rdf_digest(canonicalizer, credential)})
    try:
        return replace(request, computed={method: credential_digest(credential, method)})
    except MalformedInputError:
        return request  # the registry's answer says why


def _is_unguessable(credential: Mapping[str, JsonValue]) -> bool:
    """Whether asking by digest gives nothing away; see `require_unguessable_id`."""
    try:
        require_unguessable_id(credential)
    except ValidationError:
        return False
    return True


def _shown_digest(
    presented: Presented, credential: Mapping[str, JsonValue] | None, asked: Sequence[VerifyRequest]
) -> Digest:
    """What the report calls the document by: its digest by canonical JSON, which was asked about perhaps."""
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
