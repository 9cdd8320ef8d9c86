"""Examines Verifiable Presentations: the holder's own proof, and each credential by the examiner of its
format.

A presentation may be unsigned; then it is a wrapper that says nothing. When a challenge is asked for it
must be signed and answer that. The credentials in it are examined as if each had come alone: a holder's
challenge is not theirs.

Source: Verifiable Credentials Data Model 2.0, section 4.13 (presentations; enveloped credentials).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from registry.credentials.findings import Examination, Examiner, Finding, Presented
from registry.credentials.formats.data_model import V2, contexts_of, presentation_faults, types_of
from registry.credentials.sources import Tools
from registry.credentials.suites.data_integrity import check_proofs
from registry.encoding import JsonValue
from registry.verdict.report import CheckName, CheckResult

MAX_CREDENTIALS = 100
_MAX_FORMAT_FINDINGS = 5
_ENVELOPED = "EnvelopedVerifiableCredential"
_ENVELOPES = ("data:application/vc+jwt,", "data:application/vc+sd-jwt,", "data:application/dc+sd-jwt,")


@dataclass(frozen=True, slots=True)
class PresentationExamination:
    """What a presentation told: findings about itself, and an examination of each credential, in order."""

    holder: str | None
    findings: tuple[Finding, ...]
    credentials: tuple[Examination, ...]

    def __bool__(self) -> NoReturn:
        raise TypeError("an examination has no truth value; look at its findings")


def examine_presentation(
    presentation: Mapping[str, JsonValue], tools: Tools, examiners: Sequence[Examiner]
) -> PresentationExamination:
    """Look at a presentation. Never raises for what it holds: that is a finding.

    Args:
        tools: with the purpose, challenge and domain that the presentation's proof must have.
        examiners: for the credentials in it; of several that recognise one, the first examines it.
    """
    owner, findings = presentation_findings(presentation, tools)
    entries = credentials_of(presentation)
    if len(entries) > MAX_CREDENTIALS:
        return PresentationExamination(owner, findings, ())
    alone = replace(tools, purpose="assertionMethod", challenge=None, domain=None)
    examined = tuple(_examine(entry, alone, examiners) for entry in entries)
    return PresentationExamination(owner, findings, examined)


def presentation_findings(
    presentation: Mapping[str, JsonValue], tools: Tools
) -> tuple[str | None, tuple[Finding, ...]]:
    """The holder, and the findings about the presentation itself. Never raises for what it holds.

    Args:
        tools: with the purpose, challenge and domain that its proof must have.
    """
    if len(credentials_of(presentation)) > MAX_CREDENTIALS:
        detail = f"a presentation holds at most {MAX_CREDENTIALS} credentials here"
        return None, (_finding(CheckName.FORMAT, CheckResult.FAIL, detail),)
    holder = presentation.get("holder")
    if isinstance(holder, Mapping):
        holder = holder.get("id")
    owner = holder if isinstance(holder, str) else None
    faults = presentation_faults(presentation)[:_MAX_FORMAT_FINDINGS]
    findings = [
        Finding(CheckName.FORMAT, CheckResult.FAIL, f"{fault.detail} ({fault.pointer})") for fault in faults
    ]
    if "proof" in presentation:
        findings += check_proofs(presentation, tools, owner=owner, role="holder")
    elif tools.challenge is not None or tools.domain is not None:
        findings.append(_finding(CheckName.SIGNATURE, CheckResult.FAIL, "the presentation is not signed"))
    else:
        findings.append(_finding(CheckName.SIGNATURE, CheckResult.SKIPPED, "the presentation is not signed"))
    return owner, tuple(findings)


def _finding(check: CheckName, result: CheckResult, detail: str) -> Finding:
    return Finding(check, result, detail)


def credentials_of(presentation: Mapping[str, JsonValue]) -> Sequence[JsonValue]:
    """The entries of ``verifiableCredential``; one that is not a list is a list of one."""
    entries = presentation.get("verifiableCredential", [])
    return entries if isinstance(entries, list) else [entries]


def _examine(entry: JsonValue, tools: Tools, examiners: Sequence[Examiner]) -> Examination:
    presented = presented_credential(entry)
    if presented is not None:
        for examiner in examiners:
            if examiner.recognises(presented):
                return examiner.examine(presented, tools)
    detail = "a credential in the presentation has no form that is known here"
    return Examination("unknown", (_finding(CheckName.FORMAT, CheckResult.FAIL, detail),))


def presented_credential(entry: JsonValue) -> Presented | None:
    """A credential in JSON, or the token in the ``data:`` URL of an enveloped one; None for what is neither,
    and for an envelope without the context that makes it one."""
    if not isinstance(entry, Mapping):
        return None
    if _ENVELOPED not in types_of(entry):
        return Presented(document=entry)
    address = entry.get("id")
    if isinstance(address, str) and contexts_of(entry)[:1] == [V2]:
        for envelope in _ENVELOPES:
            if address.startswith(envelope):
                return Presented(token=address.removeprefix(envelope))
    return None
