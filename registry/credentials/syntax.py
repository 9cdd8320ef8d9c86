"""The lexical forms that credentials and proofs have in common: URLs and time stamps; and the names of
issuers. Pure.

Source: Verifiable Credentials Data Model 2.0, sections 4.4 (identifiers) and 4.9 (dateTimeStamp); RFC 3986.
"""

from __future__ import annotations

import re
from datetime import datetime

from registry.encoding import Address, JsonValue, invalid, parse_address, parse_time

MAX_URL_CHARACTERS = 1 << 20
"""``data:`` URLs hold images."""

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!#-;=?-\[\]_a-z~\u0080-\U0010ffff]+")
_DID_OR_URL = re.compile(r"did:[a-z0-9]+:[A-Za-z0-9._:%-]{1,1990}|https?://[\x21-\x7e]{1,1990}")
# xsd:dateTimeStamp writes T and Z in upper case; the instant itself is read by parse_time.
_STAMP = re.compile(r"[0-9T:.+-]+Z?")


def is_url(value: JsonValue) -> bool:
    """Whether a value is an absolute URL, without white space or what URLs must escape."""
    return isinstance(value, str) and len(value) <= MAX_URL_CHARACTERS and _URL.fullmatch(value) is not None


def parse_stamp(value: JsonValue, *, pointer: str) -> datetime:
    """Read an xsd:dateTimeStamp. Raises `ValidationError`, code ``type`` or ``time``."""
    if isinstance(value, str) and _STAMP.fullmatch(value) is None:
        raise invalid("time", "a time is written like 2026-11-23T04:00:00Z", pointer)
    return parse_time(value, pointer=pointer)


def parse_issuer_name(value: JsonValue, *, pointer: str = "") -> Address | str:
    """The issuer that a verifier expects: an account, or the DID or web address by which documents name it.

    Raises:
        ValidationError: none of these.
    """
    if isinstance(value, str) and _DID_OR_URL.fullmatch(value) is not None:
        return value
    return parse_address(value, pointer=pointer)
