"""The one table from errors to HTTP problems (RFC 9457), and the pages that explain them.

Every class of `registry.errors` is covered by itself or its nearest listed ancestor; a test walks the
hierarchy. What is not a `RootmarkError` is a generic 500 that says nothing but its request id.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from registry import errors

log = logging.getLogger(__name__)

PROBLEM_MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """One kind of problem: its slug in the type URI, its status, and what a caller can do about it."""

    slug: str
    status: int
    title: str
    advice: str


def _kind(slug: str, status: int, title: str, advice: str) -> ProblemKind:
    return ProblemKind(slug, status, title, advice)


MALFORMED_JSON = _kind(
    "malformed-json",
    400,
    "The body is not strict JSON",
    "Send UTF-8 JSON without duplicate member names, NaN, numbers beyond 2^53-1, lone surrogates, U+0000 or "
    "nesting deeper than 32. `errors` names the place.",
)
UNAUTHORIZED = _kind(
    "unauthorized",
    401,
    "A valid key is needed",
    "Send `Authorization: Bearer <key>` with a key that is in force.",
)
FORBIDDEN = _kind(
    "forbidden",
    403,
    "This key may not do that",
    "Use a key of that issuer with the scope that `detail` names.",
)
NOT_FOUND = _kind("not-found", 404, "There is no such thing here", "Check the address, id or digest.")
METHOD_NOT_ALLOWED = _kind(
    "method-not-allowed", 405, "This address does not take that method", "See /docs for the methods it takes."
)
CONFLICT = _kind(
    "conflict", 409, "The request contradicts what is there", "Read the present state, then decide."
)
DUPLICATE_DIGEST = _kind(
    "duplicate-digest",
    409,
    "A digest is already anchored",
    "`errors` names each place and the batch that has it. Leave them out, or repeat with "
    "`allow_duplicate=true`; a revoked digest cannot be anchored again.",
)
EXTERNAL_ID_CONFLICT = _kind(
    "external-id-conflict",
    409,
    "The external_id is taken",
    "The same external_id was used for other content. Use another one, or send the same content.",
)
AMBIGUOUS_DIGEST = _kind(
    "ambiguous-digest", 409, "Several entries have this digest", "Repeat with `issuer` or `batch`."
)
NOT_SEALED = _kind(
    "not-sealed", 409, "The batch has no root yet", "Wait until it is sealed, or POST /v1/batches/{id}/seal."
)
WRONG_STATE = _kind(
    "wrong-state", 409, "The state does not allow this", "Read the present state, then decide."
)
IN_FLIGHT = _kind(
    "idempotency-in-flight",
    409,
    "The first request with this Idempotency-Key is running",
    "Wait a moment and send the same request again.",
)
IDEMPOTENCY_MISMATCH = _kind(
    "idempotency-mismatch",
    422,
    "The Idempotency-Key belongs to another body",
    "Use a new key for a new request, or send the first body again.",
)
PRECONDITION_FAILED = _kind(
    "precondition-failed",
    412,
    "It was changed since you read it",
    "Read it again, apply your change to what is there now, and send it with the new ETag in If-Match.",
)
PRECONDITION_REQUIRED = _kind(
    "precondition-required",
    428,
    "The change must say what it is based on",
    "Send `If-Match` with the ETag of the version that you read, so that nobody's change is lost.",
)
TOO_LARGE = _kind(
    "too-large", 413, "The body is too large", "Send less at once; large batches go as NDJSON, a line each."
)
MEDIA_TYPE = _kind(
    "unsupported-media-type",
    415,
    "The body's media type is not read here",
    "Send `Content-Type: application/json` (or `application/x-ndjson` to POST /v1/batches and /v1/awards, "
    "`text/csv` to POST /v1/awards), without content encoding.",
)
VALIDATION = _kind(
    "validation", 422, "Values are missing or wrong", "`errors` names each place by JSON pointer or line."
)
NOT_VERIFIED = _kind(
    "not-verified",
    422,
    "It does not verify",
    "`errors` names what failed or could not be looked at, `checks` what is in order. POST /v1/verify tells "
    "more.",
)
RATE_LIMITED = _kind(
    "rate-limited",
    429,
    "Too many requests",
    "Wait for the seconds in Retry-After. Requests with a key may do more.",
)
UNAVAILABLE = _kind(
    "unavailable",
    503,
    "A part that this needs does not answer",
    "Nothing was acknowledged. Send the same request again after the seconds in Retry-After, with the same "
    "Idempotency-Key.",
)
INTERNAL = _kind(
    "internal",
    500,
    "Something went wrong here",
    "Report the request id to the operator; the log has the cause.",
)

TABLE: dict[type[errors.RootmarkError], ProblemKind] = {
    errors.MalformedJsonError: MALFORMED_JSON,
    errors.MalformedInputError: VALIDATION,
    errors.BadSignatureError: VALIDATION,
    errors.UnsupportedKeyError: VALIDATION,
    errors.TooLargeError: TOO_LARGE,
    errors.UnsupportedMediaTypeError: MEDIA_TYPE,
    errors.UnauthorizedError: UNAUTHORIZED,
    errors.ForbiddenError: FORBIDDEN,
    errors.RateLimitedError: RATE_LIMITED,
    errors.NotFoundError: NOT_FOUND,
    errors.ConflictError: CONFLICT,
    errors.DuplicateDigestError: DUPLICATE_DIGEST,
    errors.ExternalIdConflictError: EXTERNAL_ID_CONFLICT,
    errors.AmbiguousDigestError: AMBIGUOUS_DIGEST,
    errors.NotSealedError: NOT_SEALED,
    errors.WrongStateError: WRONG_STATE,
    errors.PreconditionFailedError: PRECONDITION_FAILED,
    errors.PreconditionRequiredError: PRECONDITION_REQUIRED,
    errors.IdempotencyInFlightError: IN_FLIGHT,
    errors.IdempotencyMismatchError: IDEMPOTENCY_MISMATCH,
    errors.UnavailableError: UNAVAILABLE,
    errors.LeaseLostError: UNAVAILABLE,
    errors.ChainError: UNAVAILABLE,
    errors.SignerError: UNAVAILABLE,
    errors.UnavailableSourceError: UNAVAILABLE,
    errors.ConfigurationError: INTERNAL,
    errors.DefectError: INTERNAL,
}

PAGES: dict[str, ProblemKind] = {
    kind.slug: kind for kind in [*TABLE.values(), METHOD_NOT_ALLOWED, NOT_VERIFIED, INTERNAL]
}


def pages() -> dict[str, str]:
    """The pages of docs/problems by file name, generated by `scripts/make_problem_pages`."""
    found = {
        f"{kind.slug}.md": f"# {kind.title}\n\n`/problems/{kind.slug}`, HTTP {kind.status}\n\n{kind.advice}\n"
        for kind in PAGES.values()
    }
    rows = "".join(
        f"| [{kind.slug}]({kind.slug}.md) | {kind.status} | {kind.title} |\n"
        for kind in sorted(PAGES.values(), key=lambda kind: (kind.status, kind.slug))
    )
    intro = (
        "# Problems\n\nErrors are answered as `application/problem+json` (RFC 9457). `type` is one of these "
        "addresses, `errors` names at most 20 places by JSON pointer or line, and `request_id` finds the "
        "request in the server's log.\n\n| type | status | meaning |\n|---|---|---|\n"
    )
    return {"README.md": intro + rows} | found


_BY_STATUS = {
    400: VALIDATION,
    401: UNAUTHORIZED,
    403: FORBIDDEN,
    404: NOT_FOUND,
    405: METHOD_NOT_ALLOWED,
    413: TOO_LARGE,
    415: MEDIA_TYPE,
    422: VALIDATION,
    429: RATE_LIMITED,
    503: UNAVAILABLE,
}


def kind_of(error: errors.RootmarkError) -> ProblemKind | None:
    """The row of the nearest listed ancestor, or None for a gap in the table."""
    return next((TABLE[cls] for cls in type(error).__mro__ if cls in TABLE), None)


def problem_json(
    kind: ProblemKind, detail: str, request_id: str, faults: tuple[errors.Fault, ...] = ()
) -> dict[str, Any]:
    """The problem object. Each of ``errors`` has a pointer or a line."""
    return {
        "type": f"/problems/{kind.slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "request_id": request_id,
        "errors": [fault_json(fault) for fault in faults],
    }


def fault_json(fault: errors.Fault) -> dict[str, Any]:
    """One of ``errors``."""
    place: dict[str, Any] = (
        {"line": fault.line}
        if fault.line is not None and fault.pointer is None
        else {"pointer": fault.pointer or ""}
    )
    return place | {"code": fault.code, "detail": fault.detail}


def problem_of(error: errors.RootmarkError, request_id: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The problem object and further headers for an error."""
    kind = kind_of(error) or INTERNAL
    headers = {}
    if isinstance(error, errors.UnavailableError | errors.RateLimitedError):
        headers["Retry-After"] = str(error.retry_after_seconds)
    elif kind.status == 503:
        headers["Retry-After"] = "5"
    elif kind is UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    detail = kind.title if kind is INTERNAL else str(error)
    return problem_json(kind, detail, request_id, error.faults), headers


def problem_response(body: dict[str, Any]) -> Response:
    """The answer with a problem that is no error of the registry's."""
    return _respond(body, {})


def _respond(body: dict[str, Any], headers: dict[str, str]) -> Response:
    return Response(
        orjson.dumps(body), status_code=body["status"], headers=headers, media_type=PROBLEM_MEDIA_TYPE
    )


def request_id_of(request: Request) -> str:
    """The id that the outermost middleware gave to this request."""
    return str(request.scope.get("state", {}).get("request_id", ""))


async def handle_rootmark_error(request: Request, error: Exception) -> Response:
    """Turn an error raised on purpose into its problem."""
    assert isinstance(error, errors.RootmarkError)
    body, headers = problem_of(error, request_id_of(request))
    if body["status"] >= 500:
        log.error(
            "request failed",
            extra={"request_id": body["request_id"], "error": type(error).__name__, "cause": str(error)},
            exc_info=error if body["status"] == INTERNAL.status else None,
        )
    return _respond(body, headers)


async def handle_http_exception(request: Request, error: Exception) -> Response:
    """Turn the framework's own refusals (no such route, wrong method) into problems."""
    assert isinstance(error, HTTPException)
    return _respond(*problem_of_http(request, error))


def problem_of_http(request: Request, error: HTTPException) -> tuple[dict[str, Any], dict[str, str]]:
    """The problem of a refusal of the framework's, and headers for it."""
    kind = _BY_STATUS.get(error.status_code, INTERNAL if error.status_code >= 500 else CONFLICT)
    return problem_json(kind, kind.title, request_id_of(request)), dict(error.headers or {})


def unexpected(error: Exception, request_id: str) -> dict[str, Any]:
    """The problem object of a bug: the log has all of it, the caller gets the request id."""
    log.error("unexpected error", exc_info=error, extra={"request_id": request_id})
    return problem_json(INTERNAL, INTERNAL.title, request_id)
