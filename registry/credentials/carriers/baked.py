"""What was baked into an image: the text of a credential and the standard that it was baked by."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from registry.encoding import invalid, parse_json
from registry.errors import TooLargeError, ValidationError

MAX_FILE_BYTES = 10 * 1024 * 1024
"""The largest image that is read or written."""

MAX_CREDENTIAL_BYTES = 1024 * 1024
"""The longest text of a credential inside an image, or as a file of its own."""

COMPACT_TOKEN = re.compile(rb"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){2}(?:~[A-Za-z0-9_.-]*)*")
"""A compact JWS (RFC 7515, section 7.1), with the disclosures of an SD-JWT behind it if it has any. The
signature may be empty here, so that ``alg: none`` is recognised, and then refused, as a token."""


class Standard(Enum):
    """How a credential is baked. ``value`` is the name for people."""

    OPEN_BADGES_3 = "Open Badges 3.0"
    OPEN_BADGES_2 = "Open Badges 2.0"
    CLR_2 = "CLR 2.0"


@dataclass(frozen=True, slots=True)
class Baked:
    """A credential out of an image.

    Attributes:
        text: its bytes, exactly as they were put in: JSON or a compact token; for Open Badges 2.0 also the
            address of a hosted assertion.
    """

    standard: Standard
    text: bytes


def is_token(credential: bytes) -> bool:
    """Whether a credential that is to be baked is a compact token; if not, it is a JSON object.

    Raises:
        ValidationError: neither. StrictJsonError: not strict JSON. TooLargeError: over the limit.
    """
    if len(credential) > MAX_CREDENTIAL_BYTES:
        raise TooLargeError(f"a baked credential has at most {MAX_CREDENTIAL_BYTES} bytes")
    if COMPACT_TOKEN.fullmatch(credential):
        return True
    if not isinstance(parse_json(credential), dict):
        raise invalid("credential", "what is baked is a JSON object or a compact token", "")
    return False


def require_file_size(image: bytes) -> None:
    """Raises `TooLargeError` for an image over the limit."""
    if len(image) > MAX_FILE_BYTES:
        raise TooLargeError(f"an image has at most {MAX_FILE_BYTES} bytes")


def refused(code: str, detail: str) -> ValidationError:
    """The error for an image that is not taken; an image has no JSON pointers."""
    return invalid(code, detail, "")
