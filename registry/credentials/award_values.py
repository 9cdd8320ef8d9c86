"""What a request says of an award, read and checked value by value. Pure.

The same for CSV, NDJSON and JSON: whoever reads a row makes an `AwardRequest` of it, or a `BadRow` that says
what is wrong where. Addresses are checked for their form alone; nothing is ever fetched.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias
from urllib.parse import urlsplit

from registry.credentials.badges import Evidence
from registry.encoding import JsonValue, format_time, parse_time
from registry.errors import Fault, ValidationError

MAX_EXTERNAL_ID = 200
MAX_EMAIL = 254
MAX_NAME = 200
MAX_ADDRESS = 2_000
MAX_VALUE = 200

# RFC 5321, section 4.1.2, without quoted strings; labels may be internationalised.
_EMAIL = re.compile(
    r"[^\s@<>()\[\]\\,;:\"]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W_](?:[\w-]{0,61}[^\W_])?"
)
# DID Core 1.0, section 3.1: a DID, without path, query or fragment.
_DID = re.compile(r"did:[a-z0-9]+:(?:[A-Za-z0-9._:-]|%[0-9A-Fa-f]{2})*(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})")
# RFC 3987, section 2.2: a scheme, and nothing that may not stand in an IRI (as in RDF 1.1 N-Quads, IRIREF).
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`\x7f-\x9f]+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

_COLUMNS = {
    "recipient/email": "recipient_email",
    "recipient/name": "recipient_name",
    "evidence/0/id": "evidence_url",
    "results/0/value": "result",
    "results/0/level": "level",
}
"""Where a member of an award stands in a CSV file, when its name is another there."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an award stands in its request: a line of CSV or NDJSON, or a pointer into the JSON body."""

    line: int | None = None
    pointer: str | None = None
    in_columns: bool = False

    def fault(self, code: str, detail: str, member: str = "") -> Fault:
        """A fault of the award; ``member`` is a pointer within it, without the first slash."""
        if self.line is None:
            tail = f"/{member}" if member else ""
            return Fault(code, detail, f"{self.pointer or ''}{tail}")
        if self.in_columns and member:
            return Fault(code, f"column {_COLUMNS.get(member, member)}: {detail}", None, self.line)
        return Fault(code, f"{detail} at /{member}" if member else detail, None, self.line)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Exactly one of ``email``, ``did`` and ``url``."""

    email: str | None = None
    did: str | None = None
    url: str | None = None
    name: str | None = None

    def to_json(self) -> dict[str, JsonValue]:
        """The members that are there, as the API shows them."""
        given = {"email": self.email, "did": self.did, "url": self.url, "name": self.name}
        return {name: value for name, value in given.items() if value is not None}

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> Recipient:
        """Undo `to_json`."""
        return cls(**{name: str(given) for name, given in value.items()})


@dataclass(frozen=True, slots=True)
class ResultRequest:
    """A result as asked for: ``level`` is the id, the level or the name of a rubric level. Where no result
    description is named, the achievement's first fitting one is meant."""

    value: str | None = None
    level: str | None = None
    result_description: str | None = None


@dataclass(frozen=True, slots=True)
class AwardRequest:
    """One award to be made. For one that supersedes another, recipient and achievement may be left to that
    one; otherwise both are there."""

    place: Place
    recipient: Recipient | None = None
    achievement_id: str | None = None
    external_id: str | None = None
    issued_on: datetime | None = None
    expires_on: datetime | None = None
    results: tuple[ResultRequest, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    credits_earned: int | float | None = None

    def to_json(self) -> dict[str, JsonValue]:
        """All that was asked for, for telling repetitions: the same content gives the same value."""
        return {
            "recipient": None if self.recipient is None else self.recipient.to_json(),
            "achievement_id": self.achievement_id,
            "issued_on": None if self.issued_on is None else format_time(self.issued_on),
            "expires_on": None if self.expires_on is None else format_time(self.expires_on),
            "results": [[one.value, one.level, one.result_description] for one in self.results],
            "evidence": [
                [one.id, one.name, one.description, one.narrative, one.genre, one.audience]
                for one in self.evidence
            ],
            "credits_earned": self.credits_earned,
        }


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be read, and why."""

    place: Place
    faults: tuple[Fault, ...] = field(default_factory=tuple)


Row: TypeAlias = AwardRequest | BadRow


def checked_email(text: str) -> str:
    """An e-mail address, exactly as written: it is what the recipient's hash is made of.

    Raises:
        ValidationError: code `email`.
    """
    if len(text) > MAX_EMAIL or _EMAIL.fullmatch(text) is None:
        raise _wrong("email", f"an e-mail address of at most {MAX_EMAIL} characters is expected")
    return text


def checked_did(text: str) -> str:
    """A DID. Raises `ValidationError`, code `did`."""
    if len(text) > MAX_ADDRESS or _DID.fullmatch(text) is None:
        raise _wrong("did", "a DID without path, query or fragment is expected")
    return text


def checked_url(text: str) -> str:
    """An http or https address. Raises `ValidationError`, code `url`."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or len(text) > MAX_ADDRESS or _IRI.fullmatch(text) is None:
        raise _wrong("url", f"an http or https address of at most {MAX_ADDRESS} characters is expected")
    return text


def checked_iri(text: str) -> str:
    """An absolute IRI: a web address, a `urn:`, a DID with a fragment. Raises `ValidationError`, code
    `iri`."""
    if len(text) > MAX_ADDRESS or _IRI.fullmatch(text) is None:
        raise _wrong("iri", f"an absolute IRI of at most {MAX_ADDRESS} characters is expected")
    return text


def checked_line(text: str, limit: int) -> str:
    """A text of one line: refused, and not trimmed, when it begins or ends with white space.

    Raises:
        ValidationError: code `length` or `characters`.
    """
    if not 1 <= len(text) <= limit:
        raise _wrong("length", f"1 to {limit} characters are expected")
    odd = not text.isprintable() and any(unicodedata.category(character) in _UNFIT for character in text)
    if odd or text != text.strip():
        raise _wrong("characters", "control characters, and white space at the ends, are not allowed")
    return text


_UNFIT = ("Cc", "Cs", "Zl", "Zp")


def parse_day(text: str) -> datetime:
    """A date (its first instant, UTC), or an RFC 3339 time.

    Raises:
        ValidationError: code `date`.
    """
    try:
        if _DATE.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
        return parse_time(text)
    except (ValueError, ValidationError) as error:
        raise _wrong(
            "date", "a date like 2026-11-23, or an RFC 3339 time with offset, is expected"
        ) from error


def _wrong(code: str, detail: str) -> ValidationError:
    return ValidationError(detail, faults=[Fault(code, detail, "")])
