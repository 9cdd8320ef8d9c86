"""Results of an award, matched with what its achievement describes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from registry.credentials.award_values import AwardRequest, ResultRequest
from registry.credentials.badge_terms import RESULT_STATUSES
from registry.credentials.badges import Result
from registry.errors import Fault

Description = Mapping[str, Any]
_MAX_DIGITS = 40


def matched_results(
    request: AwardRequest, document: Mapping[str, Any]
) -> tuple[tuple[Result, ...], tuple[Fault, ...]]:
    """The results that the award's credential shows, and what is wrong with those asked for.

    A result that names no description belongs to the achievement's first one: a level to the first that has
    levels, a value to the first that has none, else to the first. An achievement without descriptions takes
    any value, and no level.

    Args:
        document: the achievement's.
    """
    descriptions: Sequence[Description] = document.get("result_descriptions", ())
    results: list[Result] = []
    faults: list[Fault] = []
    for number, one in enumerate(request.results):
        matching = _Matching(request, number, descriptions, faults)
        results += matching.results(one)
    return tuple(results), tuple(faults)


class _Matching:
    """One result of a request against the achievement's descriptions."""

    def __init__(
        self,
        request: AwardRequest,
        number: int,
        descriptions: Sequence[Description],
        faults: list[Fault],
    ) -> None:
        self._place = request.place
        self._at = f"results/{number}"
        self._descriptions = descriptions
        self._faults = faults

    def _fault(self, code: str, detail: str, member: str) -> None:
        self._faults.append(self._place.fault(code, detail, f"{self._at}/{member}"))

    def results(self, one: ResultRequest) -> list[Result]:
        if one.result_description is not None:
            found = [d for d in self._descriptions if d["id"] == one.result_description]
            if not found:
                detail = "the achievement has no such result description"
                self._fault("result-description", detail, "result_description")
                return []
            of_value: Description | None = found[0]
            of_level: Description | None = found[0]
        else:
            of_level = self._first(lambda d: bool(d.get("rubric_criterion_levels")))
            of_value = self._first(lambda d: not d.get("rubric_criterion_levels")) or of_level
        level = None if one.level is None else self._level(one.level, of_level)
        if one.value is None:
            return [] if level is None or of_level is None else [Result(of_level["id"], achieved_level=level)]
        value = self._value(one.value, of_value)
        if level is None or of_level is None:
            return [value]
        if of_level is of_value:
            return [Result(value.result_description, value.value, value.status, level)]
        return [value, Result(of_level["id"], achieved_level=level)]

    def _first(self, fits: Callable[[Description], bool]) -> Description | None:
        return next(filter(fits, self._descriptions), None)

    def _level(self, text: str, description: Description | None) -> str | None:
        levels = [] if description is None else description.get("rubric_criterion_levels", [])
        for member in ("id", "level", "name"):
            for level in levels:
                if level.get(member) == text:
                    return str(level["id"])
        self._fault("level", "the achievement has no such rubric level", "level")
        return None

    def _value(self, value: str, description: Description | None) -> Result:
        if description is None:
            return Result(value=value)
        if description["result_type"] == "Status":
            if value not in RESULT_STATUSES:
                self._fault("result-status", f"one of {', '.join(RESULT_STATUSES)} is expected", "value")
            return Result(description["id"], status=value)
        allowed = description.get("allowed_values")
        if allowed and value not in allowed:
            self._fault("result-value", "this is none of the values that the achievement allows", "value")
        elif not _within(value, description.get("value_min"), description.get("value_max")):
            detail = "a number between the achievement's smallest and largest value is expected"
            self._fault("result-value", detail, "value")
        return Result(description["id"], value=value)


def _within(value: str, lowest: str | None, highest: str | None) -> bool:
    """Bounds that are no numbers bind nothing: the specification leaves their form open."""
    low, high = _number(lowest), _number(highest)
    if low is None and high is None:
        return True
    number = _number(value)
    return number is not None and (low is None or low <= number) and (high is None or number <= high)


def _number(text: str | None) -> Decimal | None:
    if text is None or len(text) > _MAX_DIGITS or not text.isascii():
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
