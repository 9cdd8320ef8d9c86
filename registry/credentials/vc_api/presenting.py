"""Verification of presentations: the holder's proof, and each credential in them as if it had come alone, so
by the same judge and with the registry's say.

A credential without a proof of its own is not made good by the holder's signature.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NoReturn

from registry.credentials.findings import Finding
from registry.credentials.formats.presentations import (
    MAX_CREDENTIALS,
    credentials_of,
    presentation_findings,
    presented_credential,
)
from registry.credentials.patience import Patience, TimedDocuments
from registry.credentials.verification import (
    CredentialVerification,
    DocumentRequest,
    Examining,
    ProofClaims,
)
from registry.encoding import JsonValue
from registry.errors import MalformedInputError, RootmarkError, ValidationError
from registry.ports.clock import Clock
from registry.verdict.report import Report


@dataclass(frozen=True, slots=True)
class PresentationReport:
    """What was found.

    Attributes:
        findings: about the presentation itself.
        credentials: for each credential in it, in order, its report, or why there is none.
    """

    holder: str | None
    findings: tuple[Finding, ...]
    credentials: tuple[Report | MalformedInputError, ...]

    def __bool__(self) -> NoReturn:
        raise TypeError("a report has no truth value; look at its findings")


class PresentationVerification:
    """Safe to call from several threads."""

    def __init__(self, documents: CredentialVerification, examining: Examining, clock: Clock) -> None:
        self._documents = documents
        self._examining = examining
        self._clock = clock

    def verify(self, presentation: Mapping[str, JsonValue], claims: ProofClaims) -> PresentationReport:
        """Verify a presentation.

        Args:
            claims: the purpose, challenge and domain that its proof must have; with a challenge or a domain
                it must have one.

        Raises:
            StoreUnavailableError, ChainUnavailableError: the registry cannot be read.
        """
        tools = self._examining.tools(self._clock.now(), {}, claims)
        canonicalizer = Patience(tools.canonicalizer).for_a_document()
        tools = replace(tools, canonicalizer=canonicalizer, documents=TimedDocuments(tools.documents))
        holder, findings = presentation_findings(presentation, tools)
        entries = credentials_of(presentation)[:MAX_CREDENTIALS]
        presented = [presented_credential(entry) for entry in entries]
        reports = iter(
            self._documents.verify_many([DocumentRequest(one) for one in presented if one is not None])
        )
        unreadable = ValidationError("a credential in a presentation is an object, or an envelope around one")
        credentials = [unreadable if one is None else _report(next(reports)) for one in presented]
        return PresentationReport(holder, findings, tuple(credentials))


def _report(found: Report | RootmarkError) -> Report | MalformedInputError:
    """Raises what is no fault of the credential's."""
    if isinstance(found, Report | MalformedInputError):
        return found
    raise found
