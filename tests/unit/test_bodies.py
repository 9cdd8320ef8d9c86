"""What a caller is told about a body that is not of its model: each place once, and where it is."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import Field

from api.body import validated
from api.schemas.common import Body
from registry.errors import MAX_FAULTS, ValidationError


class Inner(Body):
    name: str


class Outer(Body):
    """With members that may have one of several forms."""

    subject: dict[str, Any] | Annotated[str, Field(max_length=3)] | None = None
    others: dict[str, dict[str, Any] | str] | None = None
    parts: list[Inner] | None = None
    number: int | None = None


def faults(value: Any) -> list[tuple[str | None, str, str]]:
    with pytest.raises(ValidationError) as caught:
        validated(Outer, value)
    return [(fault.pointer, fault.code, fault.detail) for fault in caught.value.faults]


@pytest.mark.parametrize("value", [5, "x", None, [], True])
def test_body_that_is_no_object_is_told_so(value: Any) -> None:
    assert faults(value) == [("", "type", "an object is expected")]


def test_value_of_none_of_its_forms_is_named_once_with_all_of_them() -> None:
    assert faults({"subject": 5}) == [("/subject", "type", "an object is expected, or a string is expected")]
    assert faults({"others": {"a/b": 5}}) == [
        ("/others/a~1b", "type", "an object is expected, or a string is expected")
    ]


def test_what_is_wrong_beyond_the_type_is_told_alone() -> None:
    ((pointer, code, detail),) = faults({"subject": "long text"})
    assert (pointer, code) == ("/subject", "string-too-long")
    assert "object" not in detail


def test_missing_and_unknown_members_are_named() -> None:
    assert faults({"parts": [{"name": "a"}, {}], "colour": 1}) == [
        ("/parts/1/name", "missing", "this member is needed"),
        ("/colour", "unknown-member", "there is no such member here"),
    ]


def test_no_more_places_are_named_than_a_report_holds() -> None:
    assert len(faults({"parts": [{} for _ in range(50)]})) == MAX_FAULTS
