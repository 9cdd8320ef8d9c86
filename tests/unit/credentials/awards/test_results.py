"""Results as asked for, matched with what the achievement describes."""

from __future__ import annotations

from typing import Any

import pytest

from registry.credentials.award_results import matched_results
from registry.credentials.award_values import AwardRequest, Place, ResultRequest
from registry.credentials.badges import Result
from tests.unit.credentials.awards.samples import FULL, LEVELS, PLAIN

GRADE, SEAM, POINTS, STATE = (one["id"] for one in FULL["result_descriptions"])


def matched(*results: ResultRequest, document: dict[str, Any] = FULL) -> tuple[Any, list[tuple[str, str]]]:
    request = AwardRequest(Place(pointer="/awards/0"), results=results)
    found, faults = matched_results(request, document)
    return list(found), [(fault.code, fault.pointer or "") for fault in faults]


@pytest.mark.parametrize(
    ("result", "code", "member"),
    [
        (ResultRequest(value="D"), "result-value", "value"),
        (ResultRequest(level="Nothing"), "level", "level"),
        (ResultRequest("A", None, "urn:x"), "result-description", "result_description"),
        (ResultRequest("-1", None, POINTS), "result-value", "value"),
        (ResultRequest("100.1", None, POINTS), "result-value", "value"),
        (ResultRequest("many", None, POINTS), "result-value", "value"),
        (ResultRequest("NaN", None, POINTS), "result-value", "value"),
        (ResultRequest("Infinity", None, POINTS), "result-value", "value"),
        (ResultRequest("1" * 50, None, POINTS), "result-value", "value"),
        (ResultRequest("Done", None, STATE), "result-status", "value"),
        (ResultRequest(None, "Mastered", GRADE), "level", "level"),
    ],
)
def test_result_that_the_achievement_does_not_know_is_named(
    result: ResultRequest, code: str, member: str
) -> None:
    _, faults = matched(ResultRequest("A"), result)
    assert faults == [(code, f"/awards/0/results/1/{member}")]


def test_level_of_an_achievement_without_levels_is_refused() -> None:
    assert matched(ResultRequest(level="x"), document=PLAIN) == ([], [("level", "/awards/0/results/0/level")])


def test_value_and_level_find_their_descriptions() -> None:
    assert matched(ResultRequest("A", "Mastered")) == (
        [Result(GRADE, value="A"), Result(SEAM, achieved_level=LEVELS[0]["id"])],
        [],
    )


@pytest.mark.parametrize("text", ["Mastered", "4", LEVELS[0]["id"]])
def test_level_is_known_by_id_level_and_name(text: str) -> None:
    assert matched(ResultRequest(level=text)) == ([Result(SEAM, achieved_level=LEVELS[0]["id"])], [])


def test_value_and_level_of_one_description_are_one_result() -> None:
    assert matched(ResultRequest("8", "4", SEAM)) == (
        [Result(SEAM, value="8", achieved_level=LEVELS[0]["id"])],
        [],
    )


@pytest.mark.parametrize("value", ["0", "100", "55.5", "1e1"])
def test_number_within_its_bounds_is_taken_as_written(value: str) -> None:
    assert matched(ResultRequest(value, None, POINTS)) == ([Result(POINTS, value=value)], [])


def test_status_is_shown_as_one() -> None:
    assert matched(ResultRequest("Completed", None, STATE)) == ([Result(STATE, status="Completed")], [])


def test_achievement_without_descriptions_takes_any_value() -> None:
    assert matched(ResultRequest("fine"), document=PLAIN) == ([Result(value="fine")], [])
