"""RFC 3339 in with an offset, UTC out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.encoding import format_time, parse_time
from registry.errors import ValidationError


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23",
        "2026-11-23T04:00:00",
        "2026-11-23 04:00:00Z",
        "2026-11-23T04:00Z",
        "20261123T040000Z",
        "2026-11-23T04:00:00+01",
        "2026-11-23T04:00:00+0100",
        "2026-11-23T04:00:00.Z",
        "2026-11-23T04:00:00,5Z",
        "2026-02-29T04:00:00Z",
        "2026-13-01T04:00:00Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T23:59:60Z",
        "2026-11-23T04:00:00+24:00",
        "2026-11-23T04:00:00+01:60",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "٢٠٢٦-11-23T04:00:00Z",
        "2026-11-23T04:00:00Z\n",
        "",
    ],
)
def test_what_names_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse_time(text, pointer="/as_of")
    assert (caught.value.faults[0].code, caught.value.faults[0].pointer) == ("time", "/as_of")


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(ValidationError) as caught:
        parse_time(1_700_000_000)
    assert caught.value.faults[0].code == "type"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-23T04:00:00Z", datetime(2026, 11, 23, 4, tzinfo=UTC)),
        ("2026-11-23t04:00:00z", datetime(2026, 11, 23, 4, tzinfo=UTC)),
        ("2026-11-23T04:00:00+05:30", datetime(2026, 11, 22, 22, 30, tzinfo=UTC)),
        ("2026-11-23T04:00:00-05:30", datetime(2026, 11, 23, 9, 30, tzinfo=UTC)),
        ("2026-11-23T04:00:00-00:00", datetime(2026, 11, 23, 4, tzinfo=UTC)),
        ("2026-11-23T04:00:00.5Z", datetime(2026, 11, 23, 4, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-11-23T04:00:00.1234569Z", datetime(2026, 11, 23, 4, 0, 0, 123_456, tzinfo=UTC)),
        ("2024-02-29T23:59:59Z", datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_instant_is_read_as_utc(text: str, instant: datetime) -> None:
    read = parse_time(text)
    assert read == instant
    assert read.tzinfo is UTC


def test_instant_is_written_in_utc_with_decimals_only_when_needed() -> None:
    zone = timezone(timedelta(hours=2))
    assert format_time(datetime(2026, 11, 23, 6, tzinfo=zone)) == "2026-11-23T04:00:00Z"
    assert format_time(datetime(2026, 11, 23, 4, 0, 0, 1200, tzinfo=UTC)) == "2026-11-23T04:00:00.001200Z"


def test_local_time_is_not_written() -> None:
    with pytest.raises(ValueError, match="time zone"):
        format_time(datetime(2026, 11, 23, 4))  # noqa: DTZ001


@settings(deadline=None)
@given(st.datetimes(timezones=st.just(UTC)))
def test_what_is_written_is_read_back(instant: datetime) -> None:
    assert parse_time(format_time(instant)) == instant
