"""Comprehensive Learner Records: one credential that holds the credentials of one learner. No I/O.

`build_clr` writes an unsigned ClrCredential; whoever publishes the record signs it like any credential, and
what it holds keeps the proofs of those who issued it. `examine_nested` has each of them examined by itself:
the signature of the record says only who put it together. Neither checks that all of them are about the same
person: learners go by other identifiers with other issuers.

The context of CLR 2.0 is not bundled: its operator supplies it, and without it `build_clr` raises
`UnknownContextError`.

Source: CLR Standard 2.0 (1EdTech, 2023), "ClrCredential", "ClrSubject", "Association"; a token inside is
enveloped as the VC Data Model 2.0, section 4.13, has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NoReturn

from registry.credentials.carriers.baked import COMPACT_TOKEN
from registry.credentials.findings import Examination, Finding, Presented
from registry.encoding import JsonValue, format_time, invalid
from registry.ports.documents import Canonicalizer
from registry.verdict.report import CheckName, CheckResult, Outcome

VC_CONTEXT = "https://www.w3.org/ns/credentials/v2"
CLR_CONTEXT = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"
OPEN_BADGES_CONTEXT = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"

MAX_CREDENTIALS = 200
"""In one record; each is examined."""

ASSOCIATION_TYPES = frozenset(
    (
        "exactMatchOf",
        "isChildOf",
        "isParentOf",
        "isPartOf",
        "isPeerOf",
        "isRelatedTo",
        "precedes",
        "replacedBy",
    )
)
"""CLR Standard 2.0, "AssociationType Enumeration"."""

_ENVELOPE = "EnvelopedVerifiableCredential"
_DATA_URL = re.compile(r"data:application/[A-Za-z0-9.+-]{1,60},(.*)", re.DOTALL)

Node = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Association:
    """How one achievement relates to another. ``kind`` is one of `ASSOCIATION_TYPES`; the ends are the ids of
    achievements in the record."""

    kind: str
    source_id: str
    target_id: str


@dataclass(frozen=True, slots=True)
class Record:
    """What goes into a ClrCredential.

    Attributes:
        id: of the record itself.
        issuer: who puts it together: a Profile of Open Badges 3.0 with an ``id``.
        subject: ``id`` or ``identifier`` of the learner, as `recipients.subject_members` gives them.
        credentials: signed by those who issued them.
        achievements: that associations need and that no credential in the record describes.
        partial: whether the record leaves something out; None leaves it open.
    """

    id: str
    issuer: Node
    subject: Node
    name: str
    valid_from: datetime
    credentials: Sequence[Presented]
    achievements: Sequence[Node] = ()
    associations: Sequence[Association] = ()
    valid_until: datetime | None = None
    description: str | None = None
    partial: bool | None = None


@dataclass(frozen=True, slots=True)
class NestedExaminations:
    """What came of the credentials in a record.

    Attributes:
        findings: everything about them that does not pass, each naming the credential by its position from 1;
            or a single `pass`.
        examinations: one for each of them, in order; their issuers are still to be judged.
    """

    findings: tuple[Finding, ...]
    examinations: tuple[Examination, ...] = ()

    def __bool__(self) -> NoReturn:
        raise TypeError("examinations have no truth value; look at the findings")


def build_clr(record: Record, canonicalizer: Canonicalizer | None) -> dict[str, JsonValue]:
    """The record as an unsigned ClrCredential.

    Args:
        canonicalizer: of the suite that will sign it; None where that signs the JSON as it is (JCS), so that
            no term can be lost.

    Raises:
        ValidationError: no credentials, or more than `MAX_CREDENTIALS`; one that is no credential; a learner
            without identifier; an association of an unknown kind or with an end that is not in the record.
        UnknownContextError: the operator did not supply the CLR context.
        UndefinedTermError, TooComplexError: see `Canonicalizer`.
    """
    if not 1 <= len(record.credentials) <= MAX_CREDENTIALS:
        raise invalid("credentials", f"a record holds 1 to {MAX_CREDENTIALS} credentials", "/credentials")
    if not record.subject.get("id") and not record.subject.get("identifier"):
        raise invalid("subject", "the learner needs an id or an identifier", "/subject")
    nested: list[JsonValue] = [_nested(one, index) for index, one in enumerate(record.credentials)]
    subject: dict[str, JsonValue] = {**record.subject, "type": ["ClrSubject"], "verifiableCredential": nested}
    if record.achievements:
        subject["achievement"] = [dict(achievement) for achievement in record.achievements]
    if record.associations:
        subject["association"] = _associations(record, set(_achievement_ids(subject)))
    optional: dict[str, JsonValue] = {
        "description": record.description,
        "validUntil": None if record.valid_until is None else format_time(record.valid_until),
        "partial": record.partial,
    }
    clr: dict[str, JsonValue] = {
        "@context": [VC_CONTEXT, CLR_CONTEXT, OPEN_BADGES_CONTEXT],
        "id": record.id,
        "type": ["VerifiableCredential", "ClrCredential"],
        "issuer": dict(record.issuer),
        "name": record.name,
        "validFrom": format_time(record.valid_from),
        **{name: value for name, value in optional.items() if value is not None},
        "credentialSubject": subject,
    }
    if canonicalizer is not None:
        canonicalizer.n_quads(clr)  # a term or context that is not known would be lost by signing
    return clr


def is_clr(document: Node) -> bool:
    """Whether a credential says that it is a Comprehensive Learner Record of 2.0."""
    kind = document.get("type")
    return kind == "ClrCredential" or (isinstance(kind, list) and "ClrCredential" in kind)


def examine_nested(
    clr: Node, examine: Callable[[Presented], Examination], now: datetime
) -> NestedExaminations:
    """Examine each credential in a record by itself.

    Args:
        clr: the record, parsed; its own proof is examined elsewhere.
        examine: does it for one credential, whatever its format; never raises for what it holds.
        now: for the dates of the credentials inside, since an expired one makes the record no better.
    """
    entries = list(_entries(clr))
    if not entries:
        skipped = Finding(CheckName.FORMAT, CheckResult.SKIPPED, "the record holds no credentials")
        return NestedExaminations((skipped,))
    if len(entries) > MAX_CREDENTIALS:
        detail = f"the record holds more than the {MAX_CREDENTIALS} credentials that are examined"
        return NestedExaminations((Finding(CheckName.FORMAT, CheckResult.UNKNOWN, detail),))
    findings: list[Finding] = []
    examinations: list[Examination] = []
    for position, entry in enumerate(entries, 1):
        where = f"credential {position} of {len(entries)}"
        presented = _presented(entry)
        if presented is None:
            findings.append(Finding(CheckName.FORMAT, CheckResult.FAIL, f"{where} is none"))
            continue
        examination = examine(presented)
        examinations.append(examination)
        found = (*examination.findings, *_dates(examination, now))
        wanting = [finding for finding in found if finding.outcome is not Outcome.VALID]
        findings += [replace(finding, detail=f"{where}: {finding.detail}") for finding in wanting]
    if not findings:
        detail = f"each of the {len(entries)} credentials in the record was examined by itself"
        findings.append(Finding(CheckName.FORMAT, CheckResult.PASS, detail))
    return NestedExaminations(tuple(findings), tuple(examinations))


def _nested(presented: Presented, index: int) -> JsonValue:
    pointer = f"/credentials/{index}"
    if presented.token is not None:
        if COMPACT_TOKEN.fullmatch(presented.token.encode()) is None:
            raise invalid("credential", "this is no compact token", pointer)
        media_type = "vc+sd-jwt" if "~" in presented.token else "vc+jwt"
        return {
            "@context": VC_CONTEXT,
            "id": f"data:application/{media_type},{presented.token}",
            "type": _ENVELOPE,
        }
    document = presented.document or {}
    kind = document.get("type")
    if "@context" not in document or not isinstance(kind, list) or "VerifiableCredential" not in kind:
        raise invalid("credential", "a record holds verifiable credentials", pointer)
    return dict(document)


def _associations(record: Record, known: set[str]) -> list[JsonValue]:
    written: list[JsonValue] = []
    for index, association in enumerate(record.associations):
        pointer = f"/associations/{index}"
        if association.kind not in ASSOCIATION_TYPES:
            raise invalid("association-type", "the kind of association is not one of CLR 2.0", pointer)
        if not {association.source_id, association.target_id} <= known:
            detail = "an association joins achievements that are in the record"
            raise invalid("association-end", detail, pointer)
        written.append(
            {
                "type": "Association",
                "associationType": association.kind,
                "sourceId": association.source_id,
                "targetId": association.target_id,
            }
        )
    return written


def _achievement_ids(subject: Node) -> Iterator[str]:
    """Of a ClrSubject: ids of its own achievements, and of those in its credentials."""
    subjects = [subject]
    for entry in _as_list(subject.get("verifiableCredential")):
        if isinstance(entry, Mapping):
            subjects += [one for one in _as_list(entry.get("credentialSubject")) if isinstance(one, Mapping)]
    for one in subjects:
        for achievement in _as_list(one.get("achievement")):
            identifier = achievement.get("id") if isinstance(achievement, Mapping) else achievement
            if isinstance(identifier, str):
                yield identifier


def _entries(clr: Node) -> Iterator[JsonValue]:
    for subject in _as_list(clr.get("credentialSubject")):
        if isinstance(subject, Mapping):
            yield from _as_list(subject.get("verifiableCredential"))


def _presented(entry: JsonValue) -> Presented | None:
    if isinstance(entry, str):
        return Presented(token=entry)
    if not isinstance(entry, Mapping):
        return None
    kind = entry.get("type")
    if kind == _ENVELOPE or (isinstance(kind, list) and _ENVELOPE in kind):
        match = _DATA_URL.fullmatch(str(entry.get("id", "")))
        return None if match is None else Presented(token=match[1])
    return Presented(document=entry)


def _dates(examination: Examination, now: datetime) -> Iterator[Finding]:
    dates = examination.validity
    if not dates.readable:
        yield Finding(CheckName.VALIDITY, CheckResult.UNKNOWN, "its dates are not readable")
    if dates.valid_until is not None and dates.valid_until <= now:
        yield Finding(CheckName.VALIDITY, CheckResult.FAIL, "it has expired", forces=Outcome.EXPIRED)
    if dates.valid_from is not None and now < dates.valid_from:
        yield Finding(
            CheckName.VALIDITY, CheckResult.FAIL, "it is not valid yet", forces=Outcome.NOT_YET_VALID
        )


def _as_list(value: JsonValue) -> list[JsonValue]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
