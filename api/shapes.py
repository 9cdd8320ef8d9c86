"""The forms of answers in the OpenAPI text, besides those of `api.docs`: issuers, keys, audit, the server."""

from __future__ import annotations

from typing import Any

from api.docs import (
    ADDRESS,
    BINARY,
    HEX32,
    OBJECT,
    TEXT,
    TIME,
    answers,
    array_of,
    listing,
    object_of,
    or_null,
)
from api.parquet import PARQUET_TYPE
from registry.model.chain import EventKind
from registry.model.issuers import IssuerState, Scope
from registry.model.reasons import REASON_LABELS
from registry.model.signing_keys import SigningKeyKind

_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
_FLAG: dict[str, Any] = {"type": "boolean"}
_REASON: dict[str, Any] = {"type": "string", "enum": list(REASON_LABELS)}
_ROLES = array_of({"type": "string", "enum": ["anchor", "suspend", "revoke", "withdraw"]})

_ISSUER_MEMBERS: dict[str, Any] = {
    "address": ADDRESS,
    "name": TEXT,
    "url": TEXT,
    "email": or_null(TEXT),
    "state": {"type": "string", "enum": [state.value for state in IssuerState]},
    "key": ADDRESS,
    "hosted_admin": _FLAG,
    "created_at": TIME,
}
_SHOWN_ONCE = {
    "api_key": TEXT,
    "api_key_id": TEXT,
    "typed_data": OBJECT,
    "deadline": _COUNT,
    "consent": TEXT,
    "consent_deadline": _COUNT,
}
ISSUER = answers("The issuer", object_of(_ISSUER_MEMBERS))
ISSUERS = answers("Issuers hosted here", listing(object_of(_ISSUER_MEMBERS)))
REGISTERED_ISSUER = answers(
    "The issuer; `api_key` is shown this once. For an admin of its own: what it signs (`typed_data`)",
    object_of(_ISSUER_MEMBERS) | {"properties": _ISSUER_MEMBERS | _SHOWN_ONCE},
    201,
)
CHAIN_KEYS = answers(
    "Keys on chain",
    listing(
        object_of(
            {
                "key": ADDRESS,
                "roles": _ROLES,
                "valid_until": or_null(TIME),
                "retired_at": or_null(TIME),
                "added_at": TIME,
                "held_here": _FLAG,
                "verification_method": or_null(TEXT),
            }
        )
    ),
)
_API_KEY_MEMBERS: dict[str, Any] = {
    "id": TEXT,
    "label": TEXT,
    "scopes": array_of({"type": "string", "enum": [scope.value for scope in Scope]}),
    "created_at": TIME,
    "expires_at": or_null(TIME),
    "revoked_at": or_null(TIME),
}
API_KEYS = answers("API keys, without their tokens", listing(object_of(_API_KEY_MEMBERS)))
MADE_API_KEY = answers(
    "The key; `api_key`, its token, is shown this once",
    object_of(_API_KEY_MEMBERS) | {"properties": _API_KEY_MEMBERS | {"api_key": TEXT}},
    201,
)

_SIGNING_KEY = object_of(
    {
        "kind": {"type": "string", "enum": [kind.value for kind in SigningKeyKind]},
        "verification_method": or_null(TEXT),
        "public_key_jwk": OBJECT,
        "created_at": TIME,
        "retired_at": or_null(TIME),
    }
)
SIGNING_KEYS = answers("Keys that sign credentials", listing(_SIGNING_KEY))
MADE_SIGNING_KEY = answers("The key that signs from now on", _SIGNING_KEY, 201)
_NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "The copy with that ETag is current"}}
_METHOD = object_of({"id": TEXT, "type": TEXT, "controller": TEXT})
_DID_DOCUMENT = object_of(
    {
        "@context": array_of(TEXT),
        "id": TEXT,
        "verificationMethod": array_of(_METHOD),
        "assertionMethod": array_of(TEXT),
    }
)
DID_DOCUMENT = answers("The DID document", _DID_DOCUMENT, media="application/did+json") | _NOT_MODIFIED
RESOLVED_DID = answers("What the DID stands for", object_of({"didDocument": _DID_DOCUMENT})) | _NOT_MODIFIED
_BLOCKCERTS_KEY = object_of({"id": TEXT, "created": TIME})
ISSUER_PROFILE = (
    answers(
        "The profile",
        object_of(
            {
                "@context": array_of(TEXT),
                "type": {"const": "Profile"},
                "id": TEXT,
                "name": TEXT,
                "url": TEXT,
                "publicKey": array_of(_BLOCKCERTS_KEY),
                "revocationList": TEXT,
            }
        ),
    )
    | _NOT_MODIFIED
)

_ENTRY = object_of(
    {
        "issuer": ADDRESS,
        "batch": TEXT,
        "index": _COUNT,
        "state": TEXT,
        "status": or_null(TEXT),
        "anchored_at": or_null(TIME),
    }
)
_NAMES = {"digest": HEX32, "external_id": TEXT}
NAMED_ENTRIES = answers(
    "Entries",
    listing(
        _ENTRY | {"required": [*_NAMES, *_ENTRY["required"]], "properties": _NAMES | _ENTRY["properties"]}
    ),
)
ENTRIES = answers("Where the digest is", object_of({"digest": HEX32, "entries": array_of(_ENTRY)}))
_STEP = {
    "type": "object",
    "properties": {"left": HEX32, "right": HEX32},
    "minProperties": 1,
    "maxProperties": 1,
}
PROOF = answers(
    "The RootmarkProof",
    object_of(
        {
            "type": {"const": "RootmarkProof/v1"},
            "registry": TEXT,
            "issuer": ADDRESS,
            "digestMethod": TEXT,
            "digest": HEX32,
            "salt": HEX32,
            "index": _COUNT,
            "size": {"type": "integer", "minimum": 1},
            "path": array_of(_STEP),
            "root": HEX32,
        }
    ),
)


def _exported(found: dict[int | str, dict[str, Any]]) -> dict[int | str, dict[str, Any]]:
    """A list that is served as CSV and Parquet too."""
    found[200]["content"]["text/csv"] = {"schema": TEXT}
    found[200]["content"][PARQUET_TYPE] = {"schema": BINARY}
    return found


REVOCATIONS = _exported(
    answers(
        "Status changes in chain order",
        listing(
            object_of(
                {
                    "kind": TEXT,
                    "issuer": ADDRESS,
                    "batch": or_null(TEXT),
                    "root": HEX32,
                    "index": or_null(_COUNT),
                    "digest": or_null(HEX32),
                    "reason": _REASON,
                    "actor": or_null(ADDRESS),
                    "requested_by": or_null(TEXT),
                    "at": TIME,
                    "block_number": _COUNT,
                    "block_hash": HEX32,
                    "transaction": HEX32,
                    "final": _FLAG,
                }
            )
        ),
    )
)
_EVENT = object_of(
    {
        "kind": {"type": "string", "enum": [kind.value for kind in EventKind]},
        "issuer": ADDRESS,
        "at": TIME,
        "block_number": _COUNT,
        "block_hash": HEX32,
        "transaction": HEX32,
        "log_index": _COUNT,
        "head": HEX32,
    }
)
EVENTS = _exported(answers("The contract's events", listing(_EVENT)))
HISTORY = answers(
    "The history, and whether it leads to the head on chain",
    object_of(
        {
            "issuer": ADDRESS,
            "block_number": _COUNT,
            "block_hash": HEX32,
            "events": array_of(_EVENT),
            "head": object_of({"replayed": HEX32, "on_chain": HEX32, "match": _FLAG}),
            "problems": array_of(OBJECT),
            "voided": array_of(OBJECT),
            "totals": OBJECT,
            "sha256": TEXT,
        }
    ),
)
REPORT = answers("The report", BINARY, media="application/pdf")
CERTIFICATE = answers("The certificate", TEXT, media="application/x-pem-file")
CONSISTENCY = answers(
    "Whether server and chain agree",
    object_of(
        {
            "consistent": _FLAG,
            "block_number": _COUNT,
            "differences": array_of(
                object_of(
                    {
                        "kind": TEXT,
                        "issuer": ADDRESS,
                        "detail": TEXT,
                        "batch": or_null(TEXT),
                        "root": or_null(HEX32),
                        "transaction": or_null(HEX32),
                    }
                )
            ),
        }
    ),
)
ACCESS = answers(
    "Key and admin actions",
    listing(
        object_of({"id": _COUNT, "at": TIME, "actor": TEXT, "action": TEXT, "subject": TEXT, "detail": TEXT})
    ),
)
FEED = answers(
    "The server's events",
    listing(object_of({"id": _COUNT, "at": TIME, "kind": TEXT, "issuer": ADDRESS, "payload": OBJECT})),
)

REGISTRY = answers(
    "Chain and contract",
    object_of(
        {
            "chain": TEXT,
            "registry": ADDRESS,
            "code_hash": HEX32,
            "deployed_block": _COUNT,
            "confirmations": _COUNT,
            "latest_block": _COUNT,
            "indexed_block": or_null(_COUNT),
            "test_chain": _FLAG,
        }
    ),
)
LIVE = answers("It answers", object_of({"status": {"const": "ok"}}))
_READY = object_of({"status": {"enum": ["ok", "unavailable"]}, "parts": OBJECT})
_NOT_READY = {
    "description": "The part that does not work is named",
    "content": {"application/json": {"schema": _READY}},
}
READY: dict[int | str, dict[str, Any]] = {**answers("All parts work", _READY), "503": _NOT_READY}
PROBLEM_KINDS = answers("Kinds of problems", object_of({"items": array_of(OBJECT)}))
PROBLEM_PAGE = answers("The page", TEXT, media="text/html")
FIGURES = answers("The figures", TEXT, media="text/plain")

STATUS_LIST_MEDIA_TYPES = (
    "application/vc+ld+json",
    "application/vc",
    "application/ld+json",
    "application/json",
)
_STATUS_LIST = object_of(
    {
        "@context": array_of(TEXT),
        "id": TEXT,
        "type": array_of(TEXT),
        "issuer": TEXT,
        "validFrom": TIME,
        "validUntil": TIME,
        "credentialSubject": object_of(
            {
                "id": TEXT,
                "type": {"const": "BitstringStatusList"},
                "statusPurpose": {"enum": ["revocation", "suspension"]},
                "encodedList": TEXT,
                "ttl": _COUNT,
            }
        ),
        "proof": OBJECT,
    }
)
STATUS_LIST = answers("The list, signed by its issuer", _STATUS_LIST)
STATUS_LIST[200]["content"] = {name: {"schema": _STATUS_LIST} for name in STATUS_LIST_MEDIA_TYPES}
REVOCATION_LIST = answers(
    "The revoked awards",
    object_of(
        {
            "@context": TEXT,
            "type": {"const": "RevocationList"},
            "id": TEXT,
            "issuer": TEXT,
            "revokedAssertions": array_of(object_of({"id": TEXT, "revocationReason": TEXT})),
        }
    ),
)

ISSUED_CREDENTIAL = answers("The secured credential", object_of({"verifiableCredential": OBJECT}), 201)
VC_RESULT = answers(
    "It verifies",
    object_of(
        {
            "verified": {"type": "boolean", "const": True},
            "checks": array_of(TEXT),
            "warnings": array_of(TEXT),
            "errors": {"type": "array", "maxItems": 0},
        }
    ),
)
