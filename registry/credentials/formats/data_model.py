"""The Verifiable Credentials data models, 2.0 and 1.1: whether a document has their form. Pure.

What is checked is what both JSON readers and JSON-LD processors must agree on; whether every term is
defined is the canonicaliser's to say. Invariant: a document without faults has one issuer, at least one
subject that says something, and readable dates in order, whichever reader looks at it.

Source: Verifiable Credentials Data Model 2.0, sections 4 and 5; 1.1, sections 4 and 5. The W3C's test
suite for 2.0 names the cases. Open Badges 3.0, section B (AchievementCredential) for badges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from registry.credentials.syntax import is_url, parse_stamp
from registry.encoding import JsonValue
from registry.errors import MAX_FAULTS, Fault, ValidationError

V2 = "https://www.w3.org/ns/credentials/v2"
V1 = "https://www.w3.org/2018/credentials/v1"
CREDENTIAL = "VerifiableCredential"
PRESENTATION = "VerifiablePresentation"
BADGE_TYPES = frozenset(("OpenBadgeCredential", "AchievementCredential"))
MAX_ENTRIES = 1000
"""The most subjects, evidences, status entries and so on that a document may have."""

_LANGUAGE_MEMBERS = frozenset(("@value", "@language", "@direction"))

Members = Mapping[str, JsonValue]


def credential_faults(credential: Members, *, pointer: str = "") -> tuple[Fault, ...]:
    """What is wrong with the form of a credential, at most 20 places.

    Args:
        credential: as `parse_json` returned it; its ``proof`` is not looked at.
        pointer: put before the place of each fault.
    """
    return tuple(_first(_credential(credential), pointer))


def presentation_faults(presentation: Members, *, pointer: str = "") -> tuple[Fault, ...]:
    """What is wrong with the form of a presentation, its credentials not included, at most 20 places."""
    return tuple(_first(_presentation(presentation), pointer))


def require_credential(credential: Members, *, pointer: str = "") -> None:
    """Return when the document has the form of a credential. Raises `ValidationError` with its faults."""
    _require(credential_faults(credential, pointer=pointer), "the credential does not have the form of one")


def require_presentation(presentation: Members, *, pointer: str = "") -> None:
    """The same for a presentation."""
    _require(
        presentation_faults(presentation, pointer=pointer), "the presentation does not have the form of one"
    )


def contexts_of(document: Members) -> Sequence[JsonValue]:
    """The entries of ``@context``; one that is not a list is a list of one."""
    contexts = document.get("@context")
    return contexts if isinstance(contexts, list) else [contexts]


def types_of(document: Members) -> tuple[str, ...]:
    """The names in ``type`` that are strings."""
    types = document.get("type")
    listed = types if isinstance(types, list) else [types]
    return tuple(entry for entry in listed if isinstance(entry, str))


def issuer_of(credential: Members) -> str | None:
    """The issuer's id, whether it stands alone or in an object; None when there is none."""
    issuer = credential.get("issuer")
    if isinstance(issuer, Mapping):
        issuer = issuer.get("id")
    return issuer if isinstance(issuer, str) else None


def issuer_name_of(credential: Members) -> str | None:
    """What the credential calls its issuer, when it says so in plain text or one language."""
    issuer = credential.get("issuer")
    name = issuer.get("name") if isinstance(issuer, Mapping) else None
    if isinstance(name, Mapping):
        name = name.get("@value")
    return name if isinstance(name, str) else None


def looks_like_a_credential(members: Members) -> bool:
    """Whether a document has the type or a context of Verifiable Credentials."""
    return CREDENTIAL in types_of(members) or any(
        context in (V1, V2) for context in contexts_of(members) if isinstance(context, str)
    )


def _first(faults: Iterator[Fault], pointer: str) -> Iterator[Fault]:
    for fault, _ in zip(faults, range(MAX_FAULTS), strict=False):
        yield Fault(fault.code, fault.detail, f"{pointer}{fault.pointer}")


def _require(faults: tuple[Fault, ...], message: str) -> None:
    if faults:
        raise ValidationError(f"{message}: {faults[0].detail} at {faults[0].pointer}", faults=faults)


# --- the parts ----------------------------------------------------------------------------------------------


def _credential(credential: Members) -> Iterator[Fault]:
    yield from _contexts(credential)
    yield from _types(credential, CREDENTIAL)
    yield from _optional_id(credential, "")
    is_v1 = contexts_of(credential)[:1] == [V1]
    yield from _issuer(credential)
    for name in ("name", "description"):
        yield from _text_in_languages(credential, name, "")
    yield from _subjects(credential)
    yield from _dates(credential, is_v1)
    for name, needs_id in (
        ("credentialStatus", is_v1),
        ("credentialSchema", True),
        ("refreshService", is_v1),
        ("termsOfUse", False),
        ("evidence", False),
    ):
        yield from _typed(credential, name, needs_id=needs_id)
    yield from _related_resources(credential)
    if BADGE_TYPES.intersection(types_of(credential)):
        yield from _achievements(credential)


def _presentation(presentation: Members) -> Iterator[Fault]:
    yield from _contexts(presentation)
    yield from _types(presentation, PRESENTATION)
    yield from _optional_id(presentation, "")
    holder = presentation.get("holder")
    holder_id = holder.get("id") if isinstance(holder, Mapping) else holder
    if "holder" in presentation and not is_url(holder_id):
        yield _fault("url", "the holder is a URL, or an object whose id is one", "/holder")
    for place, entry in _entries(presentation, "verifiableCredential"):
        if not isinstance(entry, Mapping):
            yield _fault("type", "a credential in a presentation is an object", place)
    yield from _typed(presentation, "termsOfUse", needs_id=False)


def _contexts(document: Members) -> Iterator[Fault]:
    contexts = contexts_of(document)
    if contexts[:1] not in ([V2], [V1]):
        detail = "the first context is that of the Verifiable Credentials data model, 2.0 or 1.1"
        yield _fault("context", detail, "/@context")
    if not all(isinstance(entry, Mapping) or is_url(entry) for entry in contexts):
        yield _fault("context", "a context is a URL or an object", "/@context")
    if len(contexts) > MAX_ENTRIES or (V1 in contexts and V2 in contexts):
        yield _fault("context", "the document has contexts of both data models, or too many", "/@context")


def _types(document: Members, wanted: str) -> Iterator[Fault]:
    types = document.get("type")
    listed = types if isinstance(types, list) else [types]
    if not listed or not all(isinstance(entry, str) and entry for entry in listed):
        yield _fault("type", "type is a string or a list of strings", "/type")
    elif wanted not in listed:
        yield _fault("type", f"{wanted} is one of the types", "/type")


def _optional_id(members: Members, pointer: str) -> Iterator[Fault]:
    if "id" in members and not is_url(members["id"]):
        yield _fault("url", "an id is one URL", f"{pointer}/id")


def _issuer(credential: Members) -> Iterator[Fault]:
    issuer = credential.get("issuer")
    if isinstance(issuer, Mapping):
        if not is_url(issuer.get("id")):
            yield _fault("url", "the issuer's id is a URL", "/issuer/id")
        for name in ("name", "description"):
            yield from _text_in_languages(issuer, name, "/issuer")
    elif not is_url(issuer):
        yield _fault("url", "the issuer is a URL, or an object whose id is one", "/issuer")


def _text_in_languages(members: Members, name: str, pointer: str) -> Iterator[Fault]:
    """A string, a language value object, or a list of the latter (VC Data Model 2.0, section 11.1)."""
    if name not in members:
        return
    value = members[name]
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(entry, str) or _is_language_value(entry) for entry in values):
        detail = f"{name} is a string, or objects of @value, @language and @direction"
        yield _fault("language-value", detail, f"{pointer}/{name}")


def _is_language_value(value: JsonValue) -> bool:
    return (
        isinstance(value, Mapping)
        and "@value" in value
        and value.keys() <= _LANGUAGE_MEMBERS
        and all(isinstance(entry, str) or entry is None for entry in value.values())
    )


def _subjects(credential: Members) -> Iterator[Fault]:
    count = 0
    for place, subject in _entries(credential, "credentialSubject"):
        count += 1
        if not isinstance(subject, Mapping) or not subject:
            yield _fault("subject", "a subject is an object that says something", place)
        else:
            yield from _optional_id(subject, place)
    if not count:
        yield _fault("subject", "a credential has a subject", "/credentialSubject")


def _dates(credential: Members, is_v1: bool) -> Iterator[Fault]:
    if is_v1 and credential.get("issuanceDate") is None:
        yield _fault("missing", "a credential of data model 1.1 has an issuanceDate", "/issuanceDate")
    found: dict[str, datetime] = {}
    for name in ("issuanceDate", "expirationDate", "issued", "validFrom", "validUntil"):
        if name in credential:
            try:
                found[name] = parse_stamp(credential[name], pointer=f"/{name}")
            except ValidationError as error:
                yield from error.faults
    for start, end in (("validFrom", "validUntil"), ("issuanceDate", "expirationDate")):
        if start in found and end in found and found[end] < found[start]:
            yield _fault("order", "the credential ends before it begins", f"/{end}")


def _typed(document: Members, name: str, *, needs_id: bool) -> Iterator[Fault]:
    """Entries that are objects with a type, and an id where that is required."""
    for place, entry in _entries(document, name):
        if not isinstance(entry, Mapping):
            yield _fault("type", f"an entry of {name} is an object", place)
            continue
        types = entry.get("type")
        listed = types if isinstance(types, list) else [types]
        if not listed or not all(isinstance(item, str) and item for item in listed):
            yield _fault("missing", f"an entry of {name} has a type", f"{place}/type")
        if needs_id and "id" not in entry:
            yield _fault("missing", f"an entry of {name} has an id", f"{place}/id")
        yield from _optional_id(entry, place)


def _related_resources(credential: Members) -> Iterator[Fault]:
    seen: set[JsonValue] = set()
    for place, entry in _entries(credential, "relatedResource"):
        if not isinstance(entry, Mapping) or not is_url(entry.get("id")):
            yield _fault("url", "a related resource is an object whose id is a URL", place)
            continue
        if entry["id"] in seen:
            yield _fault("duplicate", "two related resources have the same id", place)
        seen.add(entry["id"])
        if "digestSRI" not in entry and "digestMultibase" not in entry:
            yield _fault("missing", "a related resource has a digestSRI or a digestMultibase", place)


def _achievements(credential: Members) -> Iterator[Fault]:
    for place, subject in _entries(credential, "credentialSubject"):
        if not isinstance(subject, Mapping):
            continue
        achievement = subject.get("achievement")
        if not isinstance(achievement, Mapping):
            yield _fault("missing", "a badge's subject has one achievement", f"{place}/achievement")
            continue
        wanted: tuple[tuple[str, Callable[[JsonValue], bool]], ...] = (
            ("id", is_url),
            ("name", lambda value: isinstance(value, str | Mapping)),
        )
        for name, is_right in wanted:
            if not is_right(achievement.get(name)):
                yield _fault("missing", f"an achievement has {name}", f"{place}/achievement/{name}")


def _entries(document: Members, name: str) -> Iterator[tuple[str, JsonValue]]:
    """The values of a member that holds one or a list of them, each with its pointer; a null is a value."""
    if name not in document:
        return
    value = document[name]
    if isinstance(value, list):
        yield from ((f"/{name}/{index}", entry) for index, entry in enumerate(value[:MAX_ENTRIES]))
        if len(value) > MAX_ENTRIES:
            yield f"/{name}", None
    else:
        yield f"/{name}", value


def _fault(code: str, detail: str, pointer: str) -> Fault:
    return Fault(code=code, detail=detail, pointer=pointer)
