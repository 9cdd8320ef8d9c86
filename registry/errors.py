"""Every error that Rootmark raises on purpose, in one hierarchy.

Errors say what went wrong and where; they know no HTTP status and no exit code. `api.problems` and
`registry.cli` each
map the whole hierarchy in one table, and a test walks the hierarchy so that a new class cannot be forgotten.
Messages never echo input values, credential contents or secrets.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MAX_FAULTS = 20
"""A report of bad input names at most this many places."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One place in the input that is wrong.

    Attributes:
        code: short, stable, kebab-case name of what is wrong.
        detail: one sentence for a person, without the offending value.
        pointer: RFC 6901 JSON pointer into the body, or None when the place is a line.
        line: line of a line-based body (NDJSON, CSV), from 1, or None.
    """

    code: str
    detail: str
    pointer: str | None = None
    line: int | None = None


class RootmarkError(Exception):
    """Base of all errors raised on purpose. ``str(error)`` is one sentence for a person."""

    def __init__(self, message: str, *, faults: Iterable[Fault] = ()) -> None:
        super().__init__(message)
        self.faults: tuple[Fault, ...] = tuple(faults)[:MAX_FAULTS]


# --- what the caller sent -----------------------------------------------------------------------------------


class MalformedInputError(RootmarkError):
    """The input has the wrong form; sending the same again will fail again."""


class MalformedJsonError(MalformedInputError):
    """The body is not JSON that two parsers would read alike (RFC 7493 and docs/proof-format.md)."""


class ValidationError(MalformedInputError):
    """Well-formed, but values are missing, of another type, out of range, or contradict each other."""


class MalformedProofError(ValidationError):
    """A RootmarkProof has wrong types, lengths or members."""


class UnsupportedDigestMethodError(ValidationError):
    """The digest method is unknown, or known and not available here."""


class UnknownContextError(ValidationError):
    """A JSON-LD context that is neither bundled nor supplied by the operator."""


class UndefinedTermError(ValidationError):
    """A JSON-LD document says something that its contexts do not define: a signature would not cover it."""


class TooComplexError(ValidationError):
    """A document needs more work than anything honest does (blank nodes, quads, time)."""


class UnsupportedKeyError(ValidationError):
    """A key, or a way of naming one, that others may know and Rootmark does not."""


class BadSignatureError(ValidationError):
    """A signature was not made by this key over this message."""


class TooLargeError(MalformedInputError):
    """The input passes a stated limit."""


class UnsupportedMediaTypeError(MalformedInputError):
    """The body is of a type this operation does not read."""


# --- who asks -----------------------------------------------------------------------------------------------


class UnauthorizedError(RootmarkError):
    """No valid key was given: none, unknown, expired or revoked. The message never says which."""


class ForbiddenError(RootmarkError):
    """The key is valid and may not do this."""


class RateLimitedError(RootmarkError):
    """Too many requests from this caller."""

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


# --- what is there ------------------------------------------------------------------------------------------


class NotFoundError(RootmarkError):
    """The named thing does not exist, or the caller may not know of it."""


class ConflictError(RootmarkError):
    """The request contradicts what is there."""


class DuplicateDigestError(ConflictError):
    """The issuer already anchored one of these digests. ``faults`` name the places and the batch."""


class ExternalIdConflictError(ConflictError):
    """The external_id is taken by other content."""


class AmbiguousDigestError(ConflictError):
    """Several entries carry the digest; the caller must name issuer or batch."""


class NotSealedError(ConflictError):
    """The batch has no root yet, so there is no proof."""


class WrongStateError(ConflictError):
    """The thing is in a state that does not allow this step."""


class PreconditionFailedError(ConflictError):
    """The thing has another version than the one that the caller's change is based on."""


class PreconditionRequiredError(MalformedInputError):
    """A change must say on which version it is based, and does not."""


class IdempotencyInFlightError(ConflictError):
    """The first request with this Idempotency-Key is still running."""


class IdempotencyMismatchError(ValidationError):
    """The Idempotency-Key was used with another body."""


# --- what we depend on --------------------------------------------------------------------------------------


class UnavailableError(RootmarkError):
    """A part that we depend on does not answer; the same request may succeed later. Nothing was
    acknowledged."""

    def __init__(self, message: str, *, part: str, retry_after_seconds: int = 5) -> None:
        super().__init__(message)
        self.part = part
        self.retry_after_seconds = retry_after_seconds


class StoreUnavailableError(UnavailableError):
    """The database is locked, full, read-only or unreachable."""

    def __init__(self, message: str, *, retry_after_seconds: int = 5) -> None:
        super().__init__(message, part="database", retry_after_seconds=retry_after_seconds)


class ChainUnavailableError(UnavailableError):
    """The node cannot be reached, timed out, or answered something that is not JSON-RPC."""

    def __init__(self, message: str, *, retry_after_seconds: int = 5) -> None:
        super().__init__(message, part="node", retry_after_seconds=retry_after_seconds)


class IndexStaleError(UnavailableError):
    """The index is older than its limit and the node cannot be read."""

    def __init__(self, message: str) -> None:
        super().__init__(message, part="index")


class LeaseLostError(RootmarkError):
    """Another process holds the lease now; this one must stop writing."""


class ChainError(RootmarkError):
    """The chain answered, and the answer is a refusal or cannot be used."""


class UnknownBlockError(ChainError):
    """The node does not have that block, or no longer has it on its chain."""


class NodeMismatchError(ChainError):
    """Nodes disagree with each other, or a node with its own headers. Nothing it said may be used."""


class UnsupportedByNodeError(ChainError):
    """The node does not offer the method (for example eth_getProof on the embedded chain)."""


class TransactionRejectedError(ChainError):
    """The node refused the transaction. Whether an earlier copy is known to it must be asked by hash and
    nonce."""


class ContractRevertedError(ChainError):
    """A call or a simulation reverted. ``name`` is the contract's error, or None when it gave none."""

    def __init__(self, message: str, *, name: str | None = None) -> None:
        super().__init__(message)
        self.name = name


class SignerError(RootmarkError):
    """A key is missing, unreadable, or refuses to sign."""


class ConfigurationError(RootmarkError):
    """The settings contradict each other or the world; the process refuses to start."""


class DefectError(RootmarkError):
    """Something here is wrong that should be right: a bug, or damaged data. Never the caller's doing."""


class MalformedEvidenceError(MalformedInputError):
    """A bundle or checkpoint file is truncated, or does not have its form. Never read as "absent"."""


class UnavailableSourceError(RootmarkError):
    """A document or ledger beyond what was shown could not be looked at. The message is a clause that says
    what would settle the question; verification makes it the detail of an ``unknown`` finding."""
