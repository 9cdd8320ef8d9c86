"""Items on their way into a batch: places in the request are looked up only where something is wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from registry.encoding import Digest, DigestMethod
from registry.errors import Fault, ValidationError
from registry.services.items import NewItem
from registry.services.receiving import _checked

GOOD = NewItem(Digest(bytes(32)), DigestMethod.OPAQUE)
BACKWARDS = GOOD._replace(
    valid_from=datetime(2026, 2, 1, tzinfo=UTC), valid_until=datetime(2026, 1, 1, tzinfo=UTC)
)


class Places:
    """Lines of the items, with every look-up remembered."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, index: int) -> dict[str, Any]:
        self.asked.append(index)
        return {"line": index + 1}


def test_no_place_is_looked_up_while_nothing_is_wrong() -> None:
    places = Places()
    assert list(_checked(iter([GOOD] * 1000), places)) == [GOOD] * 1000
    assert places.asked == []


def test_fault_of_an_item_names_its_place() -> None:
    places = Places()
    with pytest.raises(ValidationError) as raised:
        list(_checked(iter([GOOD, BACKWARDS, GOOD, Fault("x", "unreadable")]), places))
    assert [(fault.code, fault.line) for fault in raised.value.faults] == [("validity", 2), ("x", 4)]
    assert places.asked == [1, 3]
