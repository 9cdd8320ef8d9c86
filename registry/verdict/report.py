"""The report of a finished verification, and its public JSON shape. Pure: no I/O.

A report is not a yes or no: using one as a truth value raises, so that nobody reads "there is a report" as
"it is valid".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, NoReturn

from registry.encoding import Address, BlockHash, Digest, Root, TxHash, format_time, to_hex
from registry.model.reasons import reason_from_code
from registry.verdict.views import LaterFact


class Outcome(StrEnum):
    """What came out. The order is that of precedence: of several that apply, the first is the outcome."""

    INVALID = "invalid"
    NOT_FOUND = "not_found"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"
    INDETERMINATE = "indeterminate"
    SUSPENDED = "suspended"
    PENDING = "pending"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    VALID = "valid"


PRECEDENCE: tuple[Outcome, ...] = tuple(Outcome)


class CheckName(StrEnum):
    """What is looked at, in this order."""

    FORMAT = "format"
    INTEGRITY = "integrity"
    SIGNATURE = "signature"
    INCLUSION = "inclusion"
    ANCHOR = "anchor"
    ISSUER = "issuer"
    STATUS = "status"
    VALIDITY = "validity"


class CheckResult(StrEnum):
    """``skipped``: there was nothing to check; ``unknown``: there was, and it could not be decided."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class Source(StrEnum):
    """Where the statements about the chain come from; ``none``: nobody was asked about any chain."""

    INDEX = "index"
    RPC = "rpc"
    BUNDLE = "bundle"
    NONE = "none"


class State(StrEnum):
    """A credential's state on chain. ``unknown`` when nothing reliable says which."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"
    NOT_ANCHORED = "not_anchored"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; ``detail`` is a sentence for a person."""

    name: CheckName
    result: CheckResult
    detail: str

    def __bool__(self) -> NoReturn:
        raise TypeError("a check has no truth value; look at its result")


@dataclass(frozen=True, slots=True)
class ShownIssuer:
    """Who issued. ``known``: named by the caller, on the trust list, or hosted here; only then has it a
    ``name``. ``id`` is the DID or URL by which an examined document names its issuer."""

    address: Address | None
    name: str | None
    known: bool
    id: str | None = None


@dataclass(frozen=True, slots=True)
class ShownAnchor:
    """Where the root stands on chain; ``anchored_at`` in seconds. ``batch`` is the server's name for it, if
    it has one."""

    batch: str | None
    root: Root
    index: int
    transaction: TxHash
    block_number: int
    block_hash: BlockHash
    anchored_at: int
    confirmations: int
    final: bool


@dataclass(frozen=True, slots=True)
class PendingChange:
    """A change that somebody asked for and the chain does not show yet. Never part of the outcome."""

    kind: str
    reason: int
    requested_at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class ShownStatus:
    """The state on chain and the event behind it; ``at`` in seconds."""

    state: State
    at: int | None = None
    reason: int | None = None
    actor: Address | None = None
    transaction: TxHash | None = None
    pending: tuple[PendingChange, ...] = ()


@dataclass(frozen=True, slots=True)
class ShownReading:
    """The block that the report speaks of; numbers and hashes are None when no block could be read, and the
    chain is where the verifier reads none."""

    chain_id: int | None
    test_chain: bool
    block_number: int | None
    block_hash: BlockHash | None
    block_time: int | None
    source: Source


@dataclass(frozen=True, slots=True)
class ShownCandidate:
    """One of several entries with this digest, with the outcome of its issuer's entries."""

    issuer: ShownIssuer
    outcome: Outcome
    batch: str | None
    root: Root | None
    index: int
    anchored_at: int | None


@dataclass(frozen=True, slots=True)
class Report:
    """A finished verification. Has no truth value: compare ``outcome``. ``format`` is the name of an examined
    document's format."""

    outcome: Outcome
    summary: str
    digest: Digest
    issuer: ShownIssuer
    checks: tuple[Check, ...]
    anchor: ShownAnchor | None
    status: ShownStatus
    as_of: ShownReading
    candidates: tuple[ShownCandidate, ...] = ()
    later: tuple[LaterFact, ...] = ()
    final_block: int | None = None
    format: str | None = None

    def __bool__(self) -> NoReturn:
        raise TypeError("a report has no truth value; compare its outcome")

    def check(self, name: CheckName) -> Check:
        """The check of that name."""
        return next(check for check in self.checks if check.name is name)


def report_to_json(report: Report) -> dict[str, Any]:
    """The report in its public shape: hex in lower case, times in RFC 3339, reasons by name."""
    examined = {} if report.format is None else {"format": report.format}
    return examined | {
        "outcome": report.outcome.value,
        "summary": report.summary,
        "digest": to_hex(report.digest),
        "issuer": _issuer(report.issuer),
        "checks": [
            {"name": check.name.value, "result": check.result.value, "detail": check.detail}
            for check in report.checks
        ],
        "anchor": None if report.anchor is None else _anchor(report.anchor),
        "status": _status(report.status),
        "as_of": _reading(report.as_of),
        "candidates": [_candidate(candidate) for candidate in report.candidates],
        "later": [_later(fact, report.final_block) for fact in report.later],
    }


_LAST_SECOND = 253_402_300_799


@lru_cache(maxsize=1_024)  # the entries of a batch share nearly all their times
def time_text(seconds: int) -> str:
    """Chain time as RFC 3339. Later than the year 9999, which only a forged history is, shows as its end."""
    return format_time(datetime.fromtimestamp(min(seconds, _LAST_SECOND), UTC))


def _hex(value: bytes | None) -> str | None:
    return None if value is None else to_hex(value)


def _time(seconds: int | None) -> str | None:
    return None if seconds is None else time_text(seconds)


def _issuer(issuer: ShownIssuer) -> dict[str, Any]:
    shown = {"address": _hex(issuer.address), "name": issuer.name, "known": issuer.known}
    return shown if issuer.id is None else shown | {"id": issuer.id}


def _anchor(anchor: ShownAnchor) -> dict[str, Any]:
    return {
        "batch": anchor.batch,
        "root": to_hex(anchor.root),
        "index": anchor.index,
        "transaction": to_hex(anchor.transaction),
        "block_number": anchor.block_number,
        "block_hash": to_hex(anchor.block_hash),
        "anchored_at": time_text(anchor.anchored_at),
        "confirmations": anchor.confirmations,
        "final": anchor.final,
    }


def _status(status: ShownStatus) -> dict[str, Any]:
    return {
        "state": status.state.value,
        "at": _time(status.at),
        "reason": None if status.reason is None else reason_from_code(status.reason).label,
        "actor": _hex(status.actor),
        "transaction": _hex(status.transaction),
        "pending": [
            {
                "kind": change.kind,
                "reason": reason_from_code(change.reason).label,
                "requested_at": format_time(change.requested_at),
                "state": change.state,
            }
            for change in status.pending
        ],
    }


def _reading(reading: ShownReading) -> dict[str, Any]:
    return {
        "chain": None if reading.chain_id is None else f"eip155:{reading.chain_id}",
        "test_chain": reading.test_chain,
        "block_number": reading.block_number,
        "block_hash": _hex(reading.block_hash),
        "block_time": _time(reading.block_time),
        "source": reading.source.value,
    }


def _candidate(candidate: ShownCandidate) -> dict[str, Any]:
    return {
        "issuer": _issuer(candidate.issuer),
        "outcome": candidate.outcome.value,
        "batch": candidate.batch,
        "root": _hex(candidate.root),
        "index": candidate.index,
        "anchored_at": _time(candidate.anchored_at),
    }


def _later(later: LaterFact, final_block: int | None) -> dict[str, Any]:
    fact = later.fact
    return {
        "kind": later.kind,
        "at": time_text(fact.at),
        "reason": reason_from_code(fact.reason).label,
        "actor": _hex(fact.actor),
        "transaction": to_hex(fact.transaction),
        "block_number": fact.block_number,
        "block_hash": to_hex(fact.block_hash),
        "final": final_block is not None and fact.block_number <= final_block,
    }
