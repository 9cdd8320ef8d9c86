"""Exit codes, and the tables from outcomes, errors and a server's problems to them.

0 valid or done, 1 invalid or refused, 2 usage, 3 revoked, suspended, withdrawn or expired, 4 pending,
indeterminate or not found, 5 cannot reach. Of several verdicts the worst counts: 1 before 3 before 4.
"""

from __future__ import annotations

from collections.abc import Iterable

from registry import errors

DONE = 0
INVALID = 1
USAGE = 2
REVOKED = 3
UNDECIDED = 4
UNREACHABLE = 5

OUTCOMES: dict[str, int] = {
    "valid": DONE,
    "invalid": INVALID,
    "revoked": REVOKED,
    "suspended": REVOKED,
    "withdrawn": REVOKED,
    "expired": REVOKED,
    "pending": UNDECIDED,
    "not_yet_valid": UNDECIDED,
    "indeterminate": UNDECIDED,
    "not_found": UNDECIDED,
}

ERRORS: dict[type[errors.RootmarkError], int] = {
    errors.RootmarkError: INVALID,
    errors.MalformedInputError: USAGE,
    errors.ConfigurationError: USAGE,
    errors.SignerError: USAGE,
    errors.NotFoundError: UNDECIDED,
    errors.UnavailableError: UNREACHABLE,
    errors.NodeMismatchError: UNDECIDED,
    errors.UnknownBlockError: UNDECIDED,
    errors.UnavailableSourceError: UNDECIDED,
}

STATUSES: dict[int, int] = {
    400: USAGE,
    401: USAGE,
    403: USAGE,
    404: UNDECIDED,
    413: USAGE,
    415: USAGE,
    422: USAGE,
    429: UNREACHABLE,
}
"""HTTP statuses of problems. What is not listed is INVALID below 500, UNREACHABLE from there on."""


def exit_code_of(error: errors.RootmarkError) -> int:
    """The code of the error's nearest listed ancestor."""
    return next(ERRORS[cls] for cls in type(error).__mro__ if cls in ERRORS)


def exit_code_of_status(status: int) -> int:
    """The code for a problem that a server answered with."""
    return STATUSES.get(status, UNREACHABLE if status >= 500 else INVALID)


def worst(codes: Iterable[int]) -> int:
    """The code for several verdicts together."""
    found = set(codes)
    return next((code for code in (INVALID, USAGE, REVOKED, UNDECIDED) if code in found), DONE)
