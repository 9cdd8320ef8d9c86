"""What looking at a document told, whatever its format: one list of findings, judged in one place. Pure.

An examiner knows one format. It reports findings and never an outcome: `registry.credentials.verification`
alone combines them with what the chain says. Invariant: what could not be looked at is a finding with result
``unknown`` that says what would settle it; it is never left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn, Protocol

from registry.credentials.sources import Tools
from registry.encoding import JsonValue
from registry.verdict.evidence import NO_DATES, Validity
from registry.verdict.report import CheckName, CheckResult, Outcome

_IMPLIED = {CheckResult.FAIL: Outcome.INVALID, CheckResult.UNKNOWN: Outcome.INDETERMINATE}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``detail`` is a sentence for a person, without a full stop.

    Attributes:
        forces: the outcome that this alone leads to, where it is not the usual one (`fail`: invalid;
            `unknown`: indeterminate); a status that is `revoked` is a `fail` that forces `revoked`.
        missing: the address of the document that could not be had, where that alone left it open.
    """

    check: CheckName
    result: CheckResult
    detail: str
    forces: Outcome | None = None
    missing: str | None = None

    @property
    def outcome(self) -> Outcome:
        """The best outcome that a report with this finding can have."""
        return self.forces or _IMPLIED.get(self.result, Outcome.VALID)

    def __bool__(self) -> NoReturn:
        raise TypeError("a finding has no truth value; look at its result")


@dataclass(frozen=True, slots=True)
class Examination:
    """Everything that the document itself told.

    Attributes:
        format: its name for people, such as ``Open Badges 3.0``.
        findings: for format, integrity, signature, inclusion, anchor and status as far as the format has
            them; a check may have several. The issuer and the validity are judged by the caller; an examiner
            adds a finding about the issuer only where the format ties it to a name by itself (DNS).
        issuer: the issuer's DID or URL; worth something only if the signature passed.
        name: what the document calls the issuer.
        credential: the credential as JSON, out of whatever carried it; None where it cannot be read.
        validity: its own dates.
    """

    format: str
    findings: tuple[Finding, ...]
    issuer: str | None = None
    name: str | None = None
    credential: Mapping[str, JsonValue] | None = None
    validity: Validity = NO_DATES

    def __bool__(self) -> NoReturn:
        raise TypeError("an examination has no truth value; look at its findings")


@dataclass(frozen=True, slots=True)
class Presented:
    """What a caller showed, once it is out of its carrier (image, PDF): JSON, or a compact token.

    Attributes:
        document: parsed by `parse_json`; None for a token.
        token: a compact JWS or SD-JWT, exactly as it came; None for JSON.
    """

    document: Mapping[str, JsonValue] | None = None
    token: str | None = None


class Examiner(Protocol):
    """Knows one format (or one family of it)."""

    def recognises(self, presented: Presented) -> bool:
        """Whether this is a document of the format, whether right or wrong. Cheap, and never raises."""
        ...

    def examine(self, presented: Presented, tools: Tools) -> Examination:
        """Look at it. Never raises for what the document holds: that is a finding."""
        ...
