"""Open Badges documents: terms defined, members where the data model wants them, one shape for all."""

from __future__ import annotations

import json
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest

from registry.credentials.badges import (
    CONTEXTS,
    EMAIL,
    NAME,
    Badge,
    Evidence,
    Identity,
    Profile,
    Result,
    Subject,
    achievement_object,
    endorsement_credential,
    identity_hash,
    open_badge_credential,
)
from registry.encoding import require_unguessable_id
from tests.unit.credentials.awards.samples import FULL, LEVELS, NOW, PLAIN, achievement, dropped_terms, quads

ISSUER = Profile("did:web:college.example", "Example College", "https://college.example")
STATUS = [
    {
        "id": f"https://college.example/status/{purpose}#7",
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": "7",
        "statusListCredential": f"https://college.example/status/{purpose}",
    }
    for purpose in ("revocation", "suspension")
]
HASHED = Subject(None, (Identity(EMAIL, "a@example.com", "Kosher"),))


def full_badge(uuid: UUID | None = None) -> Badge:
    described = [one["id"] for one in FULL["result_descriptions"]]
    return Badge(
        uuid=uuid or uuid4(),
        issuer=ISSUER,
        subject=Subject("did:key:z6MkfromThem", (*HASHED.identities, Identity(NAME, "Ada Lovelace", None))),
        valid_from=NOW,
        valid_until=NOW + timedelta(days=365),
        results=(
            Result(described[0], value="A"),
            Result(described[1], achieved_level=LEVELS[0]["id"]),
            Result(described[3], status="Completed"),
        ),
        evidence=(
            Evidence("https://college.example/film", "Film", "of the seam", "It *held*.", "Film", "Welders"),
            Evidence(None, narrative="seen by the master"),
        ),
        credits_earned=2.5,
    )


def full_credential(uuid: UUID | None = None) -> dict[str, Any]:
    return open_badge_credential(full_badge(uuid), achievement_object(achievement()), STATUS)


def plain_credential() -> dict[str, Any]:
    badge = Badge(uuid4(), ISSUER, HASHED, NOW)
    return open_badge_credential(badge, achievement_object(achievement(PLAIN)))


@pytest.mark.parametrize("make", [full_credential, plain_credential])
def test_no_term_is_undefined(make: Any) -> None:
    assert dropped_terms(make()) == []


def test_term_that_no_context_defines_is_noticed_by_these_tests() -> None:
    credential = plain_credential()
    credential["credentialSubject"]["nickname"] = "x"
    assert dropped_terms(credential) != []


def test_endorsement_has_no_undefined_term_and_its_required_members() -> None:
    made = endorsement_credential(
        uuid4(), ISSUER, "did:web:other.example", "They *know* it.", "Endorsement", NOW, status=STATUS[:1]
    )
    assert dropped_terms(made) == []
    assert made["type"] == ["VerifiableCredential", "EndorsementCredential"]
    assert made["credentialSubject"] == {
        "id": "did:web:other.example",
        "type": ["EndorsementSubject"],
        "endorsementComment": "They *know* it.",
    }
    assert made["credentialStatus"] == STATUS[0]
    require_unguessable_id(made)


_SUBJECT = """
    id type activityEndDate activityStartDate creditsEarned achievement identifier image licenseNumber
    narrative result role source term
"""
SUBJECT_MEMBERS = set(_SUBJECT.split())

# What the JSON schema of AchievementCredential requires and allows, class by class ("Data Model", section by
# section): (required, all members). Where the schema allows more, None; `id` beside those is JSON-LD's own.
CLASSES: dict[str, tuple[set[str], set[str] | None]] = {
    "OpenBadgeCredential": (
        {"@context", "id", "type", "name", "credentialSubject", "issuer", "validFrom"},
        None,
    ),
    "Profile": ({"id", "type"}, None),
    "AchievementSubject": (
        {"type", "achievement"},
        SUBJECT_MEMBERS,
    ),
    "IdentityObject": (
        {"type", "hashed", "identityHash", "identityType"},
        {"type", "hashed", "identityHash", "identityType", "salt"},
    ),
    "Achievement": ({"id", "type", "criteria", "description", "name"}, None),
    "Alignment": ({"type", "targetName", "targetUrl"}, None),
    "Evidence": ({"type"}, None),
    "Image": ({"id", "type"}, {"id", "type", "caption"}),
    "Related": ({"id", "type"}, {"id", "type", "inLanguage", "version"}),
    "Result": ({"type"}, None),
    "ResultDescription": ({"id", "type", "name", "resultType"}, None),
    "RubricCriterionLevel": ({"id", "type", "name"}, None),
    "BitstringStatusListEntry": ({"id", "type"}, None),
}
TEXTS = ("version", "valueMin", "valueMax", "points", "level", "value", "name", "description", "narrative")
LISTS = ("identifier", "result", "evidence", "alignment", "related", "tag")


def check(value: Any, seen: set[str]) -> None:
    if isinstance(value, list):
        for one in value:
            check(one, seen)
    if not isinstance(value, dict):
        return
    types = value.get("type", [])
    (name,) = [one for one in ([types] if isinstance(types, str) else types) if one in CLASSES] or [None]
    if name is not None:
        seen.add(name)
        required, allowed = CLASSES[name]
        assert required <= set(value), name
        assert allowed is None or set(value) <= allowed, name
        assert isinstance(types, str) == (name in ("Image", "IdentityObject", "BitstringStatusListEntry"))
    for member, inner in value.items():
        assert inner not in (None, [], {}), member
        assert member not in TEXTS or isinstance(inner, str), member
        assert member not in LISTS or isinstance(inner, list), member
        check(inner, seen)


def test_classes_have_the_members_that_the_data_model_requires() -> None:
    seen: set[str] = set()
    check(full_credential(), seen)
    assert seen == set(CLASSES)
    check(plain_credential(), seen)


def test_contexts_stand_in_the_order_that_conformance_asks_for() -> None:
    assert full_credential()["@context"] == list(CONTEXTS)
    assert CONTEXTS[0] == "https://www.w3.org/ns/credentials/v2"


def test_only_identities_bare_criteria_and_ordered_lists_are_blank_nodes() -> None:
    blank = {line.split()[0] for line in quads(full_credential()) if line.startswith("_:")}
    assert len(blank) == 2 + len(FULL["result_descriptions"][0]["allowed_values"])
    assert len({line.split()[0] for line in quads(plain_credential()) if line.startswith("_:")}) == 2


def test_documents_of_one_kind_differ_in_values_alone() -> None:
    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: shape(inner) for name, inner in value.items()}
        return [shape(inner) for inner in value] if isinstance(value, list) else type(value)

    first, second = full_credential(), full_credential()
    assert first != second
    assert json.dumps(first) != json.dumps(second)
    assert shape(first) == shape(second)
    assert [*first] == [*second]


def test_same_award_gives_the_same_document() -> None:
    uuid = uuid4()
    assert full_credential(uuid) == full_credential(uuid)


def test_ids_that_nobody_gave_are_found_from_the_credential_and_differ() -> None:
    credential = full_credential()
    made = [one["id"] for one in credential["credentialSubject"]["result"]]
    made += [credential["evidence"][1]["id"], credential["id"]]
    assert len(set(made)) == 5
    assert all(id_.startswith("urn:uuid:") for id_ in made)
    assert credential["evidence"][0]["id"] == "https://college.example/film"
    require_unguessable_id(credential)


def test_id_that_nobody_gave_is_the_name_based_uuid_of_its_place() -> None:
    badge = full_badge()
    made = open_badge_credential(badge, achievement_object(achievement(FULL)))
    assert made["evidence"][1]["id"] == uuid5(badge.uuid, "evidence 1").urn
    assert made["credentialSubject"]["result"][2]["id"] == uuid5(badge.uuid, "result 2").urn


def test_hash_is_the_one_of_the_specifications_example() -> None:
    """IdentityHash: "a@example.com" salted with "Kosher"."""
    hashed = identity_hash("a@example.com", "Kosher")
    assert hashed == "sha256$" + sha256(b"a@example.comKosher").hexdigest()
    assert hashed == "sha256$b5809d8a92f8858436d7e6b87c12ebc0ae1eac4baecc2c0b913aee2c922ef399"


def test_hashed_identity_does_not_show_its_value_and_a_plain_one_does() -> None:
    subject = full_credential()["credentialSubject"]
    email, name = subject["identifier"]
    assert (email["hashed"], email["salt"], email["identityType"]) == (True, "Kosher", "emailAddress")
    assert "a@example.com" not in json.dumps(full_credential())
    assert name == {
        "type": "IdentityObject",
        "identityType": "ext:name",
        "hashed": False,
        "identityHash": "Ada Lovelace",
    }


def test_version_is_the_stored_versions_number_and_parts_follow_it() -> None:
    second, third = (achievement_object(achievement(version=version)) for version in (2, 3))
    assert (second["version"], third["version"]) == ("2", "3")
    assert second["alignment"][0]["id"] != third["alignment"][0]["id"]
    assert second["id"] == third["id"]


def test_dates_are_written_with_z_and_no_end_is_no_member() -> None:
    assert full_credential()["validUntil"] == "2027-11-23T04:00:00Z"
    assert "validUntil" not in plain_credential()
    assert "credentialStatus" not in plain_credential()
