"""What the registry is asked about a document: the place that it claims, else each digest that it may have
been issued under. Pure, but for the canonicaliser."""

from __future__ import annotations

from dataclasses import dataclass, replace

from registry.credentials.findings import Finding
from registry.credentials.rdf import rdf_digest
from registry.encoding import DigestMethod, credential_digest, require_unguessable_id
from registry.errors import MalformedInputError, TooComplexError, UnknownContextError, ValidationError
from registry.ports.documents import Canonicalizer
from registry.services.claims import VerifyRequest
from registry.verdict.report import CheckName, CheckResult


@dataclass(frozen=True, slots=True)
class Asked:
    """The questions, and what was found while they were put together."""

    questions: tuple[VerifyRequest, ...] = ()
    findings: tuple[Finding, ...] = ()


def questions(base: VerifyRequest, canonicalizer: Canonicalizer, *, finds_by_digest: bool) -> Asked:
    """The questions about ``base.credential``.

    A digest that the caller names is held against the document whether or not the registry is asked: one that
    does not fit is a ``fail``, one that cannot be computed ``unknown``.

    Args:
        finds_by_digest: whether the registry can tell of a credential without being shown its place.
    """
    if base.proof is not None:
        try:
            return Asked((with_digest(base, base.proof.method, canonicalizer),))
        except MalformedInputError as error:
            return Asked(findings=(_uncomputed("its digest, which its proof is about,", error),))
    may_ask = finds_by_digest and _is_unguessable(base)
    if not may_ask and base.digest is None:
        return Asked()
    asked, missing = _by_digest(base, canonicalizer)
    if base.digest is None:
        return Asked(tuple(asked))
    fitting = [one for one in asked if one.computed[one.method] == base.digest]
    if fitting:
        return Asked(tuple(fitting) if may_ask else ())
    if missing is not None:
        return Asked(findings=(_uncomputed("whether it has the digest that was named", missing),))
    detail = "the document does not have the digest that was named"
    if may_ask:  # only the registry can tell that the digest is an opaque one, which fits no document
        return Asked(tuple(asked[-1:]), (Finding(CheckName.INTEGRITY, CheckResult.UNKNOWN, detail),))
    return Asked(findings=(Finding(CheckName.INTEGRITY, CheckResult.FAIL, detail),))


def with_digest(request: VerifyRequest, method: DigestMethod, canonicalizer: Canonicalizer) -> VerifyRequest:
    """The request with the digest of its credential by ``method``, if that is one that only somebody above
    the services can compute. Raises as `Canonicalizer.n_quads`."""
    if method is not DigestMethod.RDFC_SHA256 or request.credential is None:
        return request
    return replace(request, computed={method: rdf_digest(canonicalizer, request.credential)})


def _by_digest(
    base: VerifyRequest, canonicalizer: Canonicalizer
) -> tuple[list[VerifyRequest], MalformedInputError | None]:
    """A question for each digest that can be computed, and why another one cannot."""
    credential = base.credential or {}
    asked, missing = [], None
    if "@context" in credential:
        method = DigestMethod.RDFC_SHA256
        try:
            asked.append(replace(with_digest(base, method, canonicalizer), method=method))
        except MalformedInputError as error:
            missing = error  # an unknown context, say, which a finding names
    method = DigestMethod.JCS_SHA256
    try:
        digest = credential_digest(credential, method)
    except MalformedInputError as error:
        return asked, error
    return [*asked, replace(base, method=method, computed={method: digest})], missing


def _is_unguessable(base: VerifyRequest) -> bool:
    """Whether asking by digest gives nothing away; see `require_unguessable_id`."""
    try:
        require_unguessable_id(base.credential or {})
    except ValidationError:
        return False
    return True


def _uncomputed(what: str, error: MalformedInputError) -> Finding:
    is_open = isinstance(error, UnknownContextError | TooComplexError)
    result = CheckResult.UNKNOWN if is_open else CheckResult.FAIL
    return Finding(CheckName.INTEGRITY, result, f"{what} cannot be computed: {str(error).rstrip('.')}")
