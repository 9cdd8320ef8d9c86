"""An achievement as the fields of a form, and back.

The form has a field for what most achievements say. The rest (results, skills, related achievements) stands
in one field as the API's JSON, so that a change in the form loses nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from api.web.forms import Fields
from registry.encoding import JsonValue, parse_json
from registry.errors import Fault, MalformedInputError, ValidationError

PLAIN = ("name", "description", "achievement_type", "language", "field_of_study", "specialization")
MORE = ("alignment", "result_descriptions", "related")
FIELDS = (*PLAIN, "narrative", "criteria_url", "tags", "credits_available", "image", "more")
MAX_FIELD = 40_000


def given_in(fields: Fields) -> dict[str, str]:
    """What a form says, as it was typed. Raises `ValidationError` for a field of more than 40,000
    characters."""
    return {name: _lines(fields.text(name, MAX_FIELD)) for name in FIELDS}


def _lines(text: str) -> str:
    """A form sends line ends as CR LF (HTML standard, section 4.10.22.4)."""
    return text.replace("\r\n", "\n")


def filled(document: Mapping[str, Any]) -> dict[str, str]:
    """The fields of an achievement."""
    criteria = document.get("criteria", {})
    more = {name: document[name] for name in MORE if document.get(name)}
    given = {name: str(document.get(name, "")) for name in (*PLAIN, "credits_available", "image")}
    return given | {
        "narrative": str(criteria.get("narrative", "")),
        "criteria_url": str(criteria.get("id", "")),
        "tags": ", ".join(document.get("tags", [])),
        "more": json.dumps(more, indent=2, ensure_ascii=False) if more else "",
    }


def document_of(given: Mapping[str, str], before: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The achievement that the fields say, not yet checked. ``before`` is the version that is changed: what
    the form has no field for stays.

    Raises:
        ValidationError: a number that is none, or JSON that is none.
    """
    made: dict[str, Any] = {
        name: value for name, value in before.items() if name not in {*FIELDS, *MORE, "criteria", "tags"}
    }
    made |= {name: given[name] for name in (*PLAIN, "image") if given[name]}
    criteria = {"id": given["criteria_url"], "narrative": given["narrative"]}
    made["criteria"] = {name: value for name, value in criteria.items() if value}
    made["tags"] = [tag for tag in (part.strip() for part in given["tags"].split(",")) if tag]
    if given["credits_available"]:
        made["credits_available"] = _number(given["credits_available"])
    return made | _more(given["more"])


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError as error:
        raise _wrong("number", "a number is expected, as 2.5", "/credits_available") from error
    return int(number) if number.is_integer() else number


def _more(text: str) -> dict[str, Any]:
    if not text:
        return {}
    try:
        value = parse_json(text.encode("utf-8", "surrogatepass"))
    except MalformedInputError as error:
        raise _wrong("json", f"this is not JSON: {error}", "/more") from error
    if not isinstance(value, dict) or not set(value) <= set(MORE):
        raise _wrong("members", f"an object is expected with {', '.join(MORE)} alone", "/more")
    return value


def _wrong(code: str, detail: str, pointer: str) -> ValidationError:
    return ValidationError(detail, faults=[Fault(code, detail, pointer)])
