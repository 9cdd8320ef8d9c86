"""Every outcome, error and HTTP status has its exit code."""

from __future__ import annotations

import pytest

from registry import errors
from registry.cli import exits
from registry.verdict.report import Outcome


def subclasses(cls: type[errors.RootmarkError]) -> set[type[errors.RootmarkError]]:
    return {cls}.union(*(subclasses(child) for child in cls.__subclasses__()))


def test_every_outcome_has_a_code() -> None:
    assert exits.OUTCOMES.keys() == {outcome.value for outcome in Outcome}


def test_only_valid_is_done() -> None:
    assert [outcome for outcome, code in exits.OUTCOMES.items() if code == exits.DONE] == ["valid"]


def test_no_error_is_done() -> None:
    for cls in subclasses(errors.RootmarkError):
        code = exits.ERRORS[next(parent for parent in cls.__mro__ if parent in exits.ERRORS)]
        assert code in (exits.INVALID, exits.USAGE, exits.UNDECIDED, exits.UNREACHABLE)


def test_unreachable_parts_are_5() -> None:
    assert exits.exit_code_of(errors.ChainUnavailableError("node")) == 5
    assert exits.exit_code_of(errors.StoreUnavailableError("database")) == 5
    assert exits.exit_code_of(errors.MalformedJsonError("input")) == 2
    assert exits.exit_code_of(errors.ConflictError("state")) == 1


@pytest.mark.parametrize(
    ("status", "code"), [(400, 2), (401, 2), (404, 4), (409, 1), (422, 2), (429, 5), (500, 5), (503, 5)]
)
def test_status_of_a_problem_has_a_code(status: int, code: int) -> None:
    assert exits.exit_code_of_status(status) == code


@pytest.mark.parametrize(
    ("codes", "worst"),
    [([], 0), ([0, 0], 0), ([0, 4], 4), ([4, 3, 0], 3), ([3, 1, 4], 1), ([2, 3], 2)],
)
def test_worst_of_several_counts(codes: list[int], worst: int) -> None:
    assert exits.worst(codes) == worst
