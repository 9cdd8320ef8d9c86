"""Open Badges 3.0 documents out of achievements and awards. Pure: no store, no clock, no randomness.

Source: 1EdTech Open Badges Specification 3.0 (section "Data Model"; appendix "JSON-LD Context Files", context
3.0.3), over the W3C Verifiable Credentials Data Model 2.0. Every term used here is defined by those two
contexts.

What is not done here: checking what the values hold (`registry.credentials.award_values`, and the API's
schemas), and proofs.

Invariants: for one achievement and one set of members, all documents have the same shape and differ in values
alone. What may have an id has one, so that few blank nodes remain: identities, which the specification gives
no id; criteria that no web page describes, since their id means a page to be shown; and the ordered lists of
allowed values. Ids that nobody gave are name-based UUIDs (RFC 9562, section 5.5) within the credential's or
achievement's own random one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha1, sha256
from typing import Any
from uuid import UUID

from registry.encoding import format_time
from registry.model.awards import Achievement

CONTEXTS = (
    "https://www.w3.org/ns/credentials/v2",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
)

EMAIL = "emailAddress"
NAME = "ext:name"

# Members of an achievement whose values are taken over as they are: the API's name and the context's.
_PLAIN = (
    ("name", "name"),
    ("description", "description"),
    ("achievement_type", "achievementType"),
    ("credits_available", "creditsAvailable"),
    ("field_of_study", "fieldOfStudy"),
    ("specialization", "specialization"),
    ("language", "inLanguage"),
    ("tags", "tag"),
)
_ALIGNMENT = (
    ("target_name", "targetName"),
    ("target_url", "targetUrl"),
    ("target_framework", "targetFramework"),
    ("target_code", "targetCode"),
    ("target_type", "targetType"),
    ("target_description", "targetDescription"),
)
_RESULT_DESCRIPTION = (
    ("name", "name"),
    ("result_type", "resultType"),
    ("required_level", "requiredLevel"),
    ("allowed_values", "allowedValue"),
    ("value_min", "valueMin"),
    ("value_max", "valueMax"),
    ("required_value", "requiredValue"),
)
_RUBRIC_LEVEL = (("name", "name"), ("level", "level"), ("points", "points"), ("description", "description"))
_RELATED = (("version", "version"), ("language", "inLanguage"))


@dataclass(frozen=True, slots=True)
class Profile:
    """Who issues. ``id`` is a DID."""

    id: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Identity:
    """One thing by which the recipient is known; with a ``salt`` only its salted hash is shown."""

    type: str
    value: str
    salt: str | None


@dataclass(frozen=True, slots=True)
class Subject:
    """Who earned it: an id of its own (DID or URL), or identities, or both."""

    id: str | None
    identities: tuple[Identity, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What was achieved. ``result_description`` and ``achieved_level`` are ids within the achievement."""

    result_description: str | None = None
    value: str | None = None
    status: str | None = None
    achieved_level: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence of the award; ``id`` is its address, where it has one."""

    id: str | None
    name: str | None = None
    description: str | None = None
    narrative: str | None = None
    genre: str | None = None
    audience: str | None = None


@dataclass(frozen=True, slots=True)
class Badge:
    """An award as its credential says it. ``uuid`` is random and becomes the credential's id."""

    uuid: UUID
    issuer: Profile
    subject: Subject
    valid_from: datetime
    valid_until: datetime | None = None
    results: tuple[Result, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    credits_earned: int | float | None = None


def open_badge_credential(
    badge: Badge, achievement: Mapping[str, Any], status: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """The `OpenBadgeCredential`, without proof.

    Args:
        achievement: from `achievement_object`; made once for many awards, and shared by their documents.
        status: entries for ``credentialStatus``, each with an id.
    """
    credential: dict[str, Any] = {
        "@context": list(CONTEXTS),
        "id": badge.uuid.urn,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": achievement["name"],
        "issuer": profile_object(badge.issuer),
        "validFrom": format_time(badge.valid_from),
    }
    if badge.valid_until is not None:
        credential["validUntil"] = format_time(badge.valid_until)
    credential["credentialSubject"] = _subject(badge, achievement)
    if badge.evidence:
        credential["evidence"] = [
            _evidence(one, _derived(badge.uuid, "evidence", number))
            for number, one in enumerate(badge.evidence)
        ]
    if status:
        entries = [dict(entry) for entry in status]
        credential["credentialStatus"] = entries if len(entries) > 1 else entries[0]
    return credential


def endorsement_credential(
    uuid: UUID,
    issuer: Profile,
    endorsed: str,
    comment: str,
    name: str,
    valid_from: datetime,
    valid_until: datetime | None = None,
    status: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The `EndorsementCredential` by which ``issuer`` says something about ``endorsed``: the id of a profile,
    an achievement or a credential. Without proof."""
    credential: dict[str, Any] = {
        "@context": list(CONTEXTS),
        "id": uuid.urn,
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": name,
        "issuer": profile_object(issuer),
        "validFrom": format_time(valid_from),
    }
    if valid_until is not None:
        credential["validUntil"] = format_time(valid_until)
    credential["credentialSubject"] = {
        "id": endorsed,
        "type": ["EndorsementSubject"],
        "endorsementComment": comment,
    }
    if status:
        entries = [dict(entry) for entry in status]
        credential["credentialStatus"] = entries if len(entries) > 1 else entries[0]
    return credential


def achievement_object(achievement: Achievement) -> dict[str, Any]:
    """The `Achievement` that a credential embeds; its ``version`` is the number of the stored version."""
    document: Any = achievement.document
    uuid = UUID(achievement.id)
    made: dict[str, Any] = {
        "id": achievement.id,
        "type": ["Achievement"],
        "version": str(achievement.version),
        "criteria": dict(document["criteria"]),
    } | _renamed(document, _PLAIN)
    if document.get("image"):
        made["image"] = {"id": document["image"], "type": "Image"}
    for name, build in (
        ("alignment", _alignment),
        ("result_descriptions", _result_description),
        ("related", _related),
    ):
        if document.get(name):
            made[_LISTS[name]] = [
                build(one, _derived(uuid, f"{achievement.version} {name}", number))
                for number, one in enumerate(document[name])
            ]
    return made


_LISTS = {"alignment": "alignment", "result_descriptions": "resultDescription", "related": "related"}


def identity_hash(value: str, salt: str) -> str:
    """`sha256$` and the hash of value and salt, one after the other in UTF-8 (derived type IdentityHash)."""
    return "sha256$" + sha256((value + salt).encode()).hexdigest()


def _derived(uuid: UUID, name: str, number: int = 0) -> str:
    """The URN of the name-based UUID (version 5, by SHA-1) of a name within ``uuid``."""
    digest = bytearray(sha1(uuid.bytes + f"{name} {number}".encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"urn:uuid:{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def profile_object(profile: Profile) -> dict[str, Any]:
    """The `Profile` as which an issuer stands in a credential."""
    return {"id": profile.id, "type": ["Profile"], "name": profile.name, "url": profile.url}


def _subject(badge: Badge, achievement: Mapping[str, Any]) -> dict[str, Any]:
    subject: dict[str, Any] = {
        "id": badge.subject.id or _derived(badge.uuid, "subject"),
        "type": ["AchievementSubject"],
    }
    if badge.subject.identities:
        subject["identifier"] = [_identity(one) for one in badge.subject.identities]
    if badge.credits_earned is not None:
        subject["creditsEarned"] = badge.credits_earned
    if badge.results:
        subject["result"] = [
            _result(one, _derived(badge.uuid, "result", number)) for number, one in enumerate(badge.results)
        ]
    subject["achievement"] = achievement
    return subject


def _identity(identity: Identity) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "IdentityObject", "identityType": identity.type}
    if identity.salt is None:
        return made | {"hashed": False, "identityHash": identity.value}
    hashed = identity_hash(identity.value, identity.salt)
    return made | {"hashed": True, "identityHash": hashed, "salt": identity.salt}


def _result(result: Result, id_: str) -> dict[str, Any]:
    given = (
        ("resultDescription", result.result_description),
        ("value", result.value),
        ("status", result.status),
        ("achievedLevel", result.achieved_level),
    )
    return {"id": id_, "type": ["Result"]} | {name: value for name, value in given if value is not None}


def _evidence(evidence: Evidence, id_: str) -> dict[str, Any]:
    given = (
        ("name", evidence.name),
        ("description", evidence.description),
        ("narrative", evidence.narrative),
        ("genre", evidence.genre),
        ("audience", evidence.audience),
    )
    made = {"id": evidence.id or id_, "type": ["Evidence"]}
    return made | {name: value for name, value in given if value is not None}


def _renamed(source: Mapping[str, Any], names: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Members that are there, under their names in the context; empty lists say nothing."""
    return {new: source[old] for old, new in names if source.get(old) not in (None, [])}


def _alignment(source: Mapping[str, Any], id_: str) -> dict[str, Any]:
    return {"id": id_, "type": ["Alignment"]} | _renamed(source, _ALIGNMENT)


def _result_description(source: Mapping[str, Any], _id: str) -> dict[str, Any]:
    made = {"id": source["id"], "type": ["ResultDescription"]} | _renamed(source, _RESULT_DESCRIPTION)
    if source.get("rubric_criterion_levels"):
        made["rubricCriterionLevel"] = [
            {"id": level["id"], "type": ["RubricCriterionLevel"]} | _renamed(level, _RUBRIC_LEVEL)
            for level in source["rubric_criterion_levels"]
        ]
    return made


def _related(source: Mapping[str, Any], _id: str) -> dict[str, Any]:
    return {"id": source["id"], "type": ["Related"]} | _renamed(source, _RELATED)
