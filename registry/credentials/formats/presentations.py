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
from registry.credentials.formats.data_model import presentation_faults, types_of
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
    entries = _credentials(presentation)
    if len(entries) > MAX_CREDENTIALS:
        detail = f"a presentation holds at most {MAX_CREDENTIALS} credentials here"
        return PresentationExamination(owner, (_finding(CheckName.FORMAT, CheckResult.FAIL, detail),), ())
    alone = replace(tools, purpose="assertionMethod", challenge=None, domain=None)
    examined = tuple(_examine(entry, alone, examiners) for entry in entries)
    return PresentationExamination(owner, tuple(findings), examined)


def _finding(check: CheckName, result: CheckResult, detail: str) -> Finding:
    return Finding(check, result, detail)


def _credentials(presentation: Mapping[str, JsonValue]) -> Sequence[JsonValue]:
    entries = presentation.get("verifiableCredential", [])
    return entries if isinstance(entries, list) else [entries]


def _examine(entry: JsonValue, tools: Tools, examiners: Sequence[Examiner]) -> Examination:
    presented = _presented(entry)
    if presented is not None:
        for examiner in examiners:
            if examiner.recognises(presented):
                return examiner.examine(presented, tools)
    detail = "a credential in the presentation has no form that is known here"
    return Examination("unknown", (_finding(CheckName.FORMAT, CheckResult.FAIL, detail),))


def _presented(entry: JsonValue) -> Presented | None:
    """A credential in JSON, or the token in the ``data:`` URL of an enveloped one."""
    if not isinstance(entry, Mapping):
        return None
    if _ENVELOPED not in types_of(entry):
        return Presented(document=entry)
    address = entry.get("id")
    if isinstance(address, str):
        for envelope in _ENVELOPES:
            if address.startswith(envelope):
                return Presented(token=address.removeprefix(envelope))
    return None
