"""What a reader is told of a badge: texts and lists out of an Open Badge 3.0. Pure.

Everything in here was written by an issuer; members of another form than the standard's are passed over, and
links other than to the web are texts. Source: Open Badges 3.0, section 8 (data model).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

MAX_LIST = 50


@dataclass(frozen=True, slots=True)
class Linked:
    """A text, and where it leads; ``address`` is None where that is not on the web."""

    text: str
    address: str | None = None
    more: str = ""


@dataclass(frozen=True, slots=True)
class Badge:
    """A badge in words. ``issued`` and ``expires`` in RFC 3339; ``results`` are (what, result)."""

    id: str
    name: str
    description: str
    criteria: str
    criteria_address: str | None
    issuer: str
    issuer_address: str | None
    issued: str | None
    expires: str | None
    credits: str
    results: Sequence[tuple[str, str]]
    alignment: Sequence[Linked]
    evidence: Sequence[Linked]
    tags: Sequence[str]


def readable(document: Mapping[str, Any]) -> Badge:
    """Put a credential into words. Never raises for what it holds."""
    subject = _map(document.get("credentialSubject"))
    achievement = _map(subject.get("achievement"))
    issuer = _map(document.get("issuer"))
    criteria = _map(achievement.get("criteria"))
    return Badge(
        id=_text(document.get("id")),
        name=_text(achievement.get("name")) or _text(document.get("name")),
        description=_text(achievement.get("description")),
        criteria=_text(criteria.get("narrative")),
        criteria_address=web_address(criteria.get("id")),
        issuer=_text(issuer.get("name")),
        issuer_address=web_address(issuer.get("url")),
        issued=_optional(document.get("validFrom")),
        expires=_optional(document.get("validUntil")),
        credits=_number(subject.get("creditsEarned")) or _number(achievement.get("creditsAvailable")),
        results=_results(subject, achievement),
        alignment=[
            Linked(
                _text(one.get("targetName")),
                web_address(one.get("targetUrl")),
                _text(one.get("targetFramework")),
            )
            for one in _maps(achievement.get("alignment"))
        ],
        evidence=[
            Linked(_text(one.get("name")) or _text(one.get("id")), web_address(one.get("id")))
            for one in _maps(document.get("evidence"))
        ],
        tags=[one for one in _list(achievement.get("tag")) if isinstance(one, str)],
    )


def web_address(value: object) -> str | None:
    """The address, if it is one of the web; None for all others, `javascript:` among them."""
    if not isinstance(value, str) or len(value) > 2000:
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    return value if parts.scheme in ("http", "https") and parts.netloc else None


def _results(subject: Mapping[str, Any], achievement: Mapping[str, Any]) -> list[tuple[str, str]]:
    described = {one.get("id"): one for one in _maps(achievement.get("resultDescription"))}
    found = []
    for result in _maps(subject.get("result")):
        description = _map(described.get(result.get("resultDescription")))
        levels = {
            one.get("id"): _text(one.get("name")) for one in _maps(description.get("rubricCriterionLevel"))
        }
        value = _text(result.get("value"))
        if description.get("resultType") == "Percent" and value:
            value += " %"
        said = levels.get(result.get("achievedLevel")) or value or _text(result.get("status"))
        if said:
            found.append((_text(description.get("name")), said))
    return found


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    found = value if isinstance(value, list) else [] if value is None else [value]
    return found[:MAX_LIST]


def _maps(value: object) -> list[Mapping[str, Any]]:
    return [one for one in _list(value) if isinstance(one, Mapping)]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _optional(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> str:
    return "" if isinstance(value, bool) or not isinstance(value, int | float) else f"{value:g}"
