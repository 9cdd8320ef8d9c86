"""Numbers of JSON text, refused when a double could not stand for them (RFC 7493, section 2.2).

Magnitudes are compared as exact decimals before any rounding: ``9007199254740991.0`` passes,
``9007199254740991.1``, ``9007199254740992`` and ``1e16`` do not. Digits after the point beyond a double's
precision are allowed and rounded, as RFC 8785 does.
"""

from __future__ import annotations

MAX_SAFE_INTEGER = 2**53 - 1
_SAFE_DIGITS = len(str(MAX_SAFE_INTEGER))

_CLEARLY_SAFE = 9e15
"""Rounding keeps order, so a number whose double is below this is below the limit itself."""

_MAX_EXPONENT_DIGITS = 10
"""No text in memory has a mantissa long enough to balance an exponent with more digits than this."""

_HUGE_EXPONENT = 10_000_000_000


class NumberRangeError(ValueError):
    """The number is too large, or not zero and too small. The message does not contain it."""


def checked_int(text: str) -> int:
    """Convert a JSON integer (optional minus, no leading zeros).

    Raises:
        NumberRangeError: the magnitude is above 2^53-1.
    """
    if len(text) <= _SAFE_DIGITS + 1:
        value = int(text)
        if abs(value) <= MAX_SAFE_INTEGER:
            return value
    raise NumberRangeError("a number's magnitude is above 2^53-1")


def checked_float(text: str) -> float:
    """Convert a JSON number that has a fraction or an exponent.

    Raises:
        NumberRangeError: the magnitude is above 2^53-1, or the number is not zero and its double would be.
    """
    value = float(text)
    if 0 < abs(value) < _CLEARLY_SAFE:
        return value
    mantissa, _, exponent = text.lower().partition("e")
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits = whole + fraction
    significant = digits.lstrip("0")
    if not significant:
        return value
    power = _bounded(exponent) + len(whole) - (len(digits) - len(significant))
    if _exceeds(significant, power):
        raise NumberRangeError("a number's magnitude is above 2^53-1")
    if value == 0:
        raise NumberRangeError("a number is so small that it would become zero")
    return value


def _bounded(exponent: str) -> int:
    """The exponent's value; one with very many digits becomes 10^10 with its sign, which decides the same."""
    sign = -1 if exponent.startswith("-") else 1
    digits = exponent.lstrip("+-").lstrip("0")
    if len(digits) > _MAX_EXPONENT_DIGITS:
        return sign * _HUGE_EXPONENT
    return sign * int(digits or "0")


def _exceeds(significant: str, power: int) -> bool:
    """Whether 0.significant * 10^power is above 2^53-1. ``significant`` has no leading zero."""
    if power != _SAFE_DIGITS:
        return power > _SAFE_DIGITS
    head = int(significant[:_SAFE_DIGITS].ljust(_SAFE_DIGITS, "0"))
    beyond = significant[_SAFE_DIGITS:].strip("0")
    return head > MAX_SAFE_INTEGER or (head == MAX_SAFE_INTEGER and beyond != "")
