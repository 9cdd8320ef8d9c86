"""Binary text of the JOSE and DID worlds: base58btc behind a ``z`` (Multibase), and unpadded base64url.

Both are strict: one text for one byte string. White space, padding, foreign characters and trailing bits
that are not zero are refused, so that a value has no second spelling. Reading base58 costs time quadratic in
its length, so every caller states a limit. Base58 is written here, ten digits at a time, as many as fit in a
machine word: digit by digit, as the library does it, it costs about as much as the signature that is written.

Source: draft-multiformats-multibase, section 4 (``z``); RFC 4648, section 5; RFC 7515, section 2.
"""

from __future__ import annotations

import base64
import binascii
import re

import base58

from registry.encoding.hexes import invalid

_DIGITS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_PAIRS = tuple(high + low for high in _DIGITS for low in _DIGITS)
_PAIRS_AT_ONCE = 5
_GROUP = len(_PAIRS) ** _PAIRS_AT_ONCE
_BASE58 = re.compile(r"[1-9A-HJ-NP-Za-km-z]+")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


def to_base58btc(value: bytes) -> str:
    """``z`` and the bytes in base58 with Bitcoin's alphabet."""
    zeros = len(value) - len(value.lstrip(b"\0"))
    number = int.from_bytes(value, "big")
    pairs: list[str] = []
    while number:
        number, group = divmod(number, _GROUP)
        for _ in range(_PAIRS_AT_ONCE):
            group, pair = divmod(group, len(_PAIRS))
            pairs.append(_PAIRS[pair])
    pairs.reverse()
    return "z" + _DIGITS[0] * zeros + "".join(pairs).lstrip(_DIGITS[0])


def parse_base58btc(text: object, *, max_characters: int, pointer: str = "") -> bytes:
    """Read ``z`` and at least one base58 digit.

    Args:
        text: the value as it came from JSON; anything but a string is refused.
        max_characters: the longest text, ``z`` included.
        pointer: RFC 6901 pointer to the value, for the error.

    Raises:
        ValidationError: code ``type`` or ``multibase``.
    """
    if not isinstance(text, str):
        raise invalid("type", "a multibase string is expected", pointer)
    if len(text) > max_characters:
        raise invalid("multibase", f"a multibase value has at most {max_characters} characters here", pointer)
    if text[:1] != "z" or _BASE58.fullmatch(text, 1) is None:
        raise invalid("multibase", "a multibase value is z and digits of base58btc", pointer)
    digits = text[1:]
    zeros = len(digits) - len(digits.lstrip("1"))
    number = base58.b58decode_int(digits)
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def to_base64url(value: bytes) -> str:
    """The bytes in base64url without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")


def parse_base64url(text: object, *, pointer: str = "") -> bytes:
    """Read base64url without padding; the empty text is the empty byte string.

    Raises:
        ValidationError: code ``type`` or ``base64url``.
    """
    if not isinstance(text, str):
        raise invalid("type", "a base64url string is expected", pointer)
    if _BASE64URL.fullmatch(text) is not None:
        try:
            value = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_")
        except binascii.Error:  # one digit too many for whole bytes
            value = b""
        if to_base64url(value) == text:
            return value
    raise invalid("base64url", "the value is not base64url without padding (RFC 7515)", pointer)
