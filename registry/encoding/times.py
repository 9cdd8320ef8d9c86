"""Instants as text: RFC 3339 with an offset in, UTC with ``Z`` out.

A local time without offset is refused: it names no instant. A leap second (``:60``) is refused, since no
clock here could show it again. Fractions finer than a microsecond are cut off.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from registry.encoding.hexes import invalid

# RFC 3339, section 5.6; [0-9] because \d would take other scripts' digits.
_DATE_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)


def parse_time(text: object, *, pointer: str = "") -> datetime:
    """Read an RFC 3339 date-time with offset.

    Returns:
        The instant, time zone UTC, microsecond resolution.

    Raises:
        ValidationError: code ``type`` or ``time``.
    """
    if not isinstance(text, str):
        raise invalid("type", "a time is a string", pointer)
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise invalid(
            "time", "a time is written as RFC 3339 with an offset, like 2026-11-23T04:00:00Z", pointer
        )
    year, month, day, hour, minute, second, fraction, sign, offset_hour, offset_minute = match.groups()
    microsecond = int((fraction or "")[:6].ljust(6, "0"))
    offset = timedelta(hours=int(offset_hour or 0), minutes=int(offset_minute or 0))
    try:
        if int(offset_minute or 0) > 59:
            raise ValueError("minutes of the offset")
        zone = timezone(-offset if sign == "-" else offset)
        local = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second), microsecond, tzinfo=zone
        )
        return local.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise invalid("time", "there is no such date, time of day or offset", pointer) from error


def format_time(instant: datetime) -> str:
    """Write an instant as ``2026-11-23T04:00:00Z``; six decimals are added only when they are not all zero.

    Raises:
        ValueError: ``instant`` has no time zone.
    """
    if instant.utcoffset() is None:
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
