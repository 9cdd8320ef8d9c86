"""Examines Verifiable Credentials in JSON with embedded proofs, 2.0 and 1.1, Open Badges 3.0 and CLR 2.0
among them.

Form and signatures are looked at here. The status is looked up by the caller, whatever the format; proofs
that anchor a credential are looked at elsewhere too.
"""

from __future__ import annotations

from collections.abc import Mapping

from registry.credentials.findings import Examination, Finding, Presented
from registry.credentials.formats.data_model import (
    V1,
    contexts_of,
    credential_faults,
    issuer_name_of,
    issuer_of,
    looks_like_a_credential,
    types_of,
)
from registry.credentials.sources import Tools
from registry.credentials.suites.data_integrity import check_proofs
from registry.encoding import JsonValue
from registry.errors import Fault
from registry.merkle import PROOF_TYPE
from registry.verdict.evidence import validity_of
from registry.verdict.report import CheckName, CheckResult

_MAX_FORMAT_FINDINGS = 5

_NAMES: tuple[tuple[str, str], ...] = (
    ("OpenBadgeCredential", "Open Badges 3.0"),
    ("AchievementCredential", "Open Badges 3.0"),
    ("EndorsementCredential", "Open Badges 3.0 endorsement"),
    ("ClrCredential", "Comprehensive Learner Record 2.0"),
)


class VerifiableCredentials:
    """The examiner for credentials in JSON."""

    def recognises(self, presented: Presented) -> bool:
        """A document with the type or a context of Verifiable Credentials, and a proof of its own: one that
        only a registry vouches for is judged by the registry alone."""
        document = presented.document
        return document is not None and looks_like_a_credential(document) and _carries_a_proof(document)

    def examine(self, presented: Presented, tools: Tools) -> Examination:
        """Look at form and signatures."""
        document = presented.document or {}
        findings = (
            *format_findings(document),
            *check_proofs(document, tools, owner=issuer_of(document) or ""),
        )
        return examination_of(document, findings)


def _carries_a_proof(document: Mapping[str, JsonValue]) -> bool:
    member = document.get("proof")
    proofs = member if isinstance(member, list) else [] if member is None else [member]
    return any(not (isinstance(one, Mapping) and one.get("type") == PROOF_TYPE) for one in proofs)


def examination_of(
    credential: Mapping[str, JsonValue], findings: tuple[Finding, ...], suffix: str = ""
) -> Examination:
    """The examination of a credential, however it was secured. ``suffix`` is put behind its format's name."""
    return Examination(
        format=format_name(credential) + suffix,
        findings=findings,
        issuer=issuer_of(credential),
        name=issuer_name_of(credential),
        credential=credential,
        validity=validity_of(credential),
    )


def format_name(credential: Mapping[str, JsonValue]) -> str:
    """What people call a credential of these types and contexts."""
    types = types_of(credential)
    for kind, name in _NAMES:
        if kind in types:
            return name
    return "Verifiable Credential 1.1" if V1 in contexts_of(credential) else "Verifiable Credential 2.0"


def format_findings(credential: Mapping[str, JsonValue]) -> tuple[Finding, ...]:
    """A finding for each of the first faults of the form, or one that it has none."""
    faults = credential_faults(credential)
    if not faults:
        detail = "the document has the form of a credential"
        return (Finding(CheckName.FORMAT, CheckResult.PASS, detail),)
    return tuple(map(_format_failure, faults[:_MAX_FORMAT_FINDINGS]))


def _format_failure(fault: Fault) -> Finding:
    return Finding(CheckName.FORMAT, CheckResult.FAIL, f"{fault.detail} ({fault.pointer})")
