"""Exit codes, and the one table from errors to them."""

from __future__ import annotations

from registry import errors
from registry.verdict.report import Outcome

DONE = 0
INVALID = 1
USAGE = 2
REVOKED = 3
UNDECIDED = 4
UNREACHABLE = 5

OUTCOMES: dict[str, int] = {
    Outcome.VALID.value: DONE,
    Outcome.INVALID.value: INVALID,
    Outcome.REVOKED.value: REVOKED,
    Outcome.SUSPENDED.value: REVOKED,
    Outcome.WITHDRAWN.value: REVOKED,
    Outcome.EXPIRED.value: REVOKED,
    Outcome.PENDING.value: UNDECIDED,
    Outcome.NOT_YET_VALID.value: UNDECIDED,
    Outcome.INDETERMINATE.value: UNDECIDED,
    Outcome.NOT_FOUND.value: UNDECIDED,
}

ERRORS: dict[type[errors.RootmarkError], int] = {
    errors.RootmarkError: INVALID,
    errors.MalformedInputError: USAGE,
    errors.ConfigurationError: USAGE,
    errors.UnavailableError: UNREACHABLE,
    errors.NodeMismatchError: UNDECIDED,
}


def exit_code_of(error: errors.RootmarkError) -> int:
    """The code of the error's nearest listed ancestor."""
    return next(ERRORS[cls] for cls in type(error).__mro__ if cls in ERRORS)
