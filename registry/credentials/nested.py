"""The credentials inside a learner's record, each with what the registry has to say about it.

What several of them ask for, an issuer's keys and status lists above all, is got and examined once, and at
most `MAX_DOCUMENTS` other documents are asked for: a record of hundreds must not fetch for minutes.

A record is as good as what it holds: a credential inside that is revoked, forged, or by somebody who is not
known here makes the whole worth no more. Each is examined as if it had been shown alone; that all of them are
about one person is not checked (`registry.credentials.clr`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import orjson

from registry.credentials.clr import is_clr
from registry.credentials.findings import Examination, Finding, Presented
from registry.credentials.merging import missed_anchor, word_that_counts
from registry.credentials.sources import Documents, Tools
from registry.errors import RootmarkError, UnavailableSourceError
from registry.services.claims import VerifyRequest
from registry.verdict.report import CheckName, CheckResult, Outcome, Report

_STATES = (Outcome.REVOKED, Outcome.SUSPENDED, Outcome.WITHDRAWN)
_OPEN = (Outcome.PENDING, Outcome.INDETERMINATE)


MAX_DOCUMENTS = 50


class RememberedDocuments:
    """Documents as they were when they were first asked for; for one request."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._known: dict[str, bytes | UnavailableSourceError] = {}

    def get(self, url: str) -> bytes:
        """The document. Raises `UnavailableSourceError`, also for one document too many."""
        if url not in self._known:
            if len(self._known) >= MAX_DOCUMENTS:
                raise UnavailableSourceError(f"a record asks for more than {MAX_DOCUMENTS} other documents")
            try:
                self._known[url] = self._documents.get(url)
            except UnavailableSourceError as error:
                self._known[url] = error
        found = self._known[url]
        if isinstance(found, UnavailableSourceError):
            raise found
        return found


class RememberedExaminations:
    """Examines each document once; for one request. Called with what is to be examined."""

    def __init__(self, examine: Callable[[Presented], Examination]) -> None:
        self._examine = examine
        self._known: dict[bytes, Examination] = {}

    def __call__(self, presented: Presented) -> Examination:
        """The examination, made now or before."""
        key = sha256(orjson.dumps([presented.document, presented.token])).digest()
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._examine(presented)
        return found


def remembering(
    tools: Tools, examine: Callable[[Presented, Tools], Examination]
) -> tuple[Tools, RememberedExaminations]:
    """The tools over documents that are remembered, and ``examine`` with them."""
    tools = replace(tools, documents=RememberedDocuments(tools.documents))
    return tools, RememberedExaminations(lambda presented: examine(presented, tools))


@dataclass(frozen=True, slots=True)
class Inside:
    """One credential of a record.

    Attributes:
        where: which one it is, for sentences.
        hosted: whether its issuer is one of this registry, which then has to know it.
        known: whether the verifier knows its issuer.
        asked: what the registry is asked about it.
    """

    where: str
    examination: Examination
    hosted: bool
    known: bool
    asked: tuple[VerifyRequest, ...]


def inside_of(
    examinations: Sequence[Examination],
    asked: Callable[[Examination], Sequence[VerifyRequest]],
    is_hosted: Callable[[str], bool],
    is_known: Callable[[str], bool],
) -> tuple[Inside, ...]:
    """The credentials, with the questions that they lead to."""
    count = len(examinations)
    made = []
    for position, one in enumerate(examinations, 1):
        hosted = one.issuer is not None and is_hosted(one.issuer)
        known = hosted or (one.issuer is not None and is_known(one.issuer))
        made.append(Inside(f"credential {position} of {count}", one, hosted, known, tuple(asked(one))))
    return tuple(made)


def registry_findings(
    inside: Sequence[Inside], answers: Iterator[Report | RootmarkError]
) -> tuple[Finding, ...]:
    """What is wrong with them by the registry, and whose they are. ``answers`` in the order of the questions;
    each credential takes its own."""
    found: list[Finding] = []
    for one in inside:
        found += _findings(one, [next(answers) for _ in one.asked])
    return tuple(found)


def _findings(one: Inside, answers: Sequence[Report | RootmarkError]) -> Iterator[Finding]:
    if not one.known:
        detail = f"{one.where} is by {one.examination.issuer or 'nobody'}, who is not known here"
        yield Finding(CheckName.ISSUER, CheckResult.UNKNOWN, detail)
    if is_clr(one.examination.credential or {}):
        detail = f"{one.where} is a record itself, which is not looked into"
        yield Finding(CheckName.FORMAT, CheckResult.UNKNOWN, detail)
    failed = next((answer for answer in answers if isinstance(answer, RootmarkError)), None)
    if failed is not None:
        detail = f"{one.where} could not be looked up: {str(failed).rstrip('.')}"
        yield Finding(CheckName.ANCHOR, CheckResult.UNKNOWN, detail)
        return
    reports = [answer for answer in answers if isinstance(answer, Report)]
    claims = any(question.proof is not None for question in one.asked)
    report = word_that_counts(reports, has_a_say=one.hosted or claims)
    if report is None:
        yield from missed_anchor(one.examination.issuer, one.where)
        return
    if report.outcome is Outcome.VALID:
        return
    if report.outcome is Outcome.NOT_FOUND:
        why = "claims a place on a chain" if claims else "is by an issuer of this registry"
        detail = f"{one.where} {why}, and the registry does not know it"
        yield Finding(CheckName.ANCHOR, CheckResult.FAIL, detail, Outcome.NOT_FOUND)
        return
    check = CheckName.STATUS if report.outcome in _STATES else CheckName.ANCHOR
    result = CheckResult.UNKNOWN if report.outcome in _OPEN else CheckResult.FAIL
    yield Finding(check, result, f"{one.where}: {report.summary.rstrip('.')}", report.outcome)
