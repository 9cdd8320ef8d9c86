"""Bodies and answers of achievements and awards in the OpenAPI text."""

from __future__ import annotations

import json
from typing import Any

from api.docs import (
    ADDRESS,
    BATCH_SCHEMA,
    BINARY,
    HEX32,
    OBJECT,
    PROBLEM_SCHEMA,
    TEXT,
    TIME,
    answers,
    array_of,
    listing,
    object_of,
    or_null,
    parameters,
    schema_of,
)
from api.schemas.achievements import AchievementBody
from api.schemas.awards import AwardsBody, NewAward
from registry.credentials.award_csv import COLUMNS

_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
_FLAG: dict[str, Any] = {"type": "boolean"}
_ID = "urn:uuid:0d4d1c2e-58a4-4a57-9f3b-6e1f2f6a7b10"

ACHIEVEMENT_EXAMPLE: dict[str, Any] = {
    "name": "MIG welding, level 2",
    "description": "Joins steel sheets of 2 to 6 mm.",
    "criteria": {"narrative": "Weld three joints that hold."},
    "achievement_type": "MicroCredential",
    "alignment": [
        {
            "target_name": "weld metal",
            "target_url": "https://skills.example/weld-metal",
            "target_framework": "Skills of the trade",
        }
    ],
    "result_descriptions": [
        {"name": "Grade", "result_type": "LetterGrade", "allowed_values": ["C", "B", "A"]}
    ],
}
_MEMBERS = {
    name: schema
    for name, schema in schema_of(AchievementBody)["properties"].items()
    if name not in ("name", "description", "criteria")
}
ACHIEVEMENT_SCHEMA = object_of(
    {
        "id": TEXT,
        "issuer": ADDRESS,
        "version": {"type": "integer", "minimum": 1},
        "created_at": TIME,
        "name": TEXT,
        "description": TEXT,
        "criteria": OBJECT,
    }
)
ACHIEVEMENT_SCHEMA["properties"] = ACHIEVEMENT_SCHEMA["properties"] | _MEMBERS
ACHIEVEMENT = answers("The achievement; the ETag is its version", ACHIEVEMENT_SCHEMA)
MADE_ACHIEVEMENT = answers("The achievement", ACHIEVEMENT_SCHEMA, 201)
ACHIEVEMENTS = answers("Achievements", listing(ACHIEVEMENT_SCHEMA))
IF_MATCH: dict[str, Any] = {
    "parameters": [
        {
            "name": "If-Match",
            "in": "header",
            "required": True,
            "schema": {"type": "string", "pattern": '^(\\*|"[0-9]{1,9}")$'},
        }
    ]
}

AWARD_EXAMPLE: dict[str, Any] = {
    "recipient": {"email": "ada@college.example", "name": "Ada Lovelace"},
    "achievement_id": _ID,
    "external_id": "award-2026-0417",
    "issued_on": "2026-11-23",
    "results": [{"value": "A"}],
    "evidence": [{"id": "https://college.example/works/417"}],
}
_CSV = ",".join(COLUMNS) + f"\r\naward-1,Ada,ada@college.example,{_ID},2026-11-23,,,A,\r\n"
AWARDS_BODY: dict[str, Any] = parameters("dry_run", "credential_status", "identity", "name", "proofs") | {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": schema_of(AwardsBody)
                | {
                    "properties": schema_of(AwardsBody)["properties"]
                    | {"awards": array_of(schema_of(NewAward)) | {"minItems": 1, "maxItems": 10_000}}
                },
                "example": {"awards": [AWARD_EXAMPLE], "options": {"identity": "hashed"}},
            },
            "application/x-ndjson": {"schema": TEXT, "example": json.dumps(AWARD_EXAMPLE) + "\n"},
            "text/csv": {"schema": TEXT, "example": _CSV},
        },
    }
}
SUPERSEDE_EXAMPLE: dict[str, Any] = {"award": {"results": [{"value": "B"}]}, "note": "graded again"}

_AWARD_MEMBERS: dict[str, Any] = {
    "id": TEXT,
    "issuer": ADDRESS,
    "achievement_id": TEXT,
    "achievement_version": _COUNT,
    "external_id": or_null(TEXT),
    "recipient": or_null(OBJECT),
    "issued_on": or_null(TIME),
    "expires_on": or_null(TIME),
    "batch": TEXT,
    "index": _COUNT,
    "state": TEXT,
    "status": or_null(TEXT),
    "digest": or_null(HEX32),
    "supersedes": or_null(TEXT),
    "superseded_by": or_null(TEXT),
    "created_at": TIME,
}
AWARD = answers(
    "The award and its credential; recipient and credential are null once erased",
    object_of(_AWARD_MEMBERS | {"credential": {"type": ["object", "string", "null"]}}),
)
AWARDS = answers("Awards, newest first", listing(object_of(_AWARD_MEMBERS)))
AWARDS[200]["content"]["text/csv"] = {"schema": TEXT}
_FILE: dict[str, Any] = {"schema": BINARY}
EXPORTED = answers("The file", OBJECT, media="application/vc")
EXPORTED[200]["content"] |= {
    "application/vc+jwt": {"schema": TEXT},
    "application/jwt": {"schema": TEXT},
    "application/json": {"schema": OBJECT},
    "application/pdf": _FILE,
    "image/png": _FILE,
    "image/svg+xml": _FILE,
}

_LISTED = object_of({"id": TEXT, "batch": or_null(TEXT), "index": _COUNT, "replayed": _FLAG})
_AWARDED = object_of(
    {
        "batch": or_null(BATCH_SCHEMA),
        "created": _COUNT,
        "replayed": or_null(_COUNT),
        "awards": array_of(_LISTED) | {"maxItems": 500},
    }
)
_PREVIEW = object_of(
    {
        "ok": _FLAG,
        "problems": array_of(PROBLEM_SCHEMA["properties"]["errors"]["items"]),
        "replays": or_null(TEXT),
        "credential": or_null(OBJECT),
    }
)
_QUOTE = object_of(
    {
        "awards": _COUNT,
        "transactions": _COUNT,
        "gas": _COUNT,
        "estimated": _FLAG,
        "fee_per_gas_wei": TEXT,
        "fee_wei": TEXT,
        "fee_per_credential_wei": TEXT,
    }
)
_REPORT = object_of(
    {
        "rows": array_of(_PREVIEW),
        "count": _COUNT,
        "ok": _COUNT,
        "replayed": _COUNT,
        "cost": or_null(_QUOTE),
    }
)
AWARDED = answers("The batch, and the awards of the first 500 rows", _AWARDED, 202) | answers(
    "Settled within Prefer: wait; nothing new to award; or, with dry_run, what would become of each row",
    {"oneOf": [_AWARDED, _REPORT]},
)
_SUPERSEDED = object_of(
    {
        "id": TEXT,
        "supersedes": TEXT,
        "revocation": or_null(TEXT),
        "batch": BATCH_SCHEMA,
        "index": _COUNT,
    }
)
SUPERSEDED = answers(
    "The new award, and the status request that revokes the old one", _SUPERSEDED, 202
) | answers("Settled within Prefer: wait", _SUPERSEDED)

_PAGE = {"page": TEXT, "visibility": {"enum": ["off", "unlisted", "public"]}, "show_name": _FLAG}
PAGE = answers(
    "The award's page, and what its holder decided", object_of(_PAGE | {"claimed": _FLAG, "created_at": TIME})
)
CLAIM = answers(
    "A link by which the recipient claims the award's page, shown once",
    object_of({"page": TEXT, "claim": TEXT, "expires_at": TIME}),
    201,
)

DESIGN_EXAMPLE: dict[str, Any] = {
    "accent": "#0b5cad",
    "title": "Certificate of Achievement",
    "footer": "Example College, 1 College Road",
    "signatories": ["R. Green, Dean"],
    "language": "en",
}
DESIGN = answers(
    "How the issuer's certificates look",
    object_of(
        {
            "accent": TEXT,
            "title": or_null(TEXT),
            "footer": TEXT,
            "signatories": array_of(TEXT),
            "language": TEXT,
            "logo": _FLAG,
        }
    ),
)

ENDORSEMENT_EXAMPLE: dict[str, Any] = {
    "subject": "https://college.example",
    "comment": "Their welding courses are what they say.",
}
RECORD_EXAMPLE: dict[str, Any] = {"recipient": {"email": "ada@college.example"}}
_SIGNED = object_of({"digest": HEX32, "batch": TEXT, "index": _COUNT, "state": TEXT, "credential": OBJECT})
SIGNED = answers("The signed credential, and its place in the open batch", _SIGNED, 202) | answers(
    "Its batch has settled within Prefer: wait", _SIGNED
)

IMAGE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            media: _FILE | {"example": "the file's bytes"}
            for media in ("image/png", "image/jpeg", "image/svg+xml")
        },
    }
}
IMAGE = answers("The picture", _FILE["schema"], media="image/png")
IMAGE[200]["content"]["image/svg+xml"] = _FILE
