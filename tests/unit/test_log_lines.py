"""A log record is one line of JSON, whatever is in it."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from registry.logs import JsonFormatter


@pytest.mark.parametrize(
    "value", ["plain", "line\nbreak\x1b[0m", "\ud800", 2**80, 1.5, None, {"a": [1]}, b"\xff"]
)
def test_record_with_any_value_is_one_line_of_json(value: Any) -> None:
    record = logging.getLogger("x").makeRecord(
        "x", logging.INFO, "", 0, "said", (), None, extra={"what": value}
    )
    line = JsonFormatter().format(record)
    assert "\n" not in line
    line.encode()
    read = json.loads(line)
    assert (read["level"], read["logger"], read["message"]) == ("info", "x", "said")
    assert read["what"] == (str(value) if isinstance(value, bytes) else value)
