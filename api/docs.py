"""What the OpenAPI text says beyond what the routes' signatures tell: bodies, answers, parameters, examples.

Bodies are read by `api.body` and not by FastAPI, so their schemas are written into the text here, from the
same models.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from registry.credentials.exporting import ExportFormat
from registry.model.batches import BatchState
from registry.model.operations import RequestKind, RequestState
from registry.model.reasons import REASON_LABELS

HEX32 = {"type": "string", "pattern": "^0x[0-9a-fA-F]{64}$"}
ADDRESS = {"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$"}
TIME = {"type": "string", "format": "date-time"}
TEXT = {"type": "string"}
BINARY: dict[str, Any] = {"type": "string", "format": "binary"}
OBJECT: dict[str, Any] = {"type": "object"}
_EXAMPLE_DIGEST = "0x" + "5a" * 32

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "request_id", "errors"],
    "properties": {
        "type": TEXT,
        "title": TEXT,
        "status": {"type": "integer"},
        "detail": TEXT,
        "request_id": TEXT,
        "errors": {
            "type": "array",
            "maxItems": 20,
            "items": {
                "type": "object",
                "required": ["code", "detail"],
                "properties": {
                    "pointer": TEXT,
                    "line": {"type": "integer", "minimum": 1},
                    "code": TEXT,
                    "detail": TEXT,
                },
            },
        },
    },
}

_PARAMETERS: dict[str, dict[str, Any]] = {
    "issuer": ADDRESS,
    "batch": TEXT,
    "state": {"type": "string", "enum": [s.value for s in BatchState if s is not BatchState.RECEIVING]},
    "limit": {"type": "integer", "minimum": 1, "maximum": 500, "default": 50},
    "cursor": TEXT,
    "after": {"type": "integer", "minimum": 0},
    "as_of": {"type": "string", "description": "A block number, or an RFC 3339 time."},
    "live": {"type": "string", "enum": ["true", "false"]},
    "since": TIME,
    "until": TIME,
    "reason": {"type": "string", "enum": list(REASON_LABELS)},
    "kind": TEXT,
    "external_id": TEXT,
    "allow_duplicate": {"type": "string", "enum": ["true", "false"]},
    "digest_method": {"type": "string", "enum": ["opaque", "jcs-sha256", "rdfc-sha256"]},
    "achievement_id": TEXT,
    "version": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
    "dry_run": {"type": "string", "enum": ["true", "false"]},
    "credential_status": {"type": "string", "enum": ["true", "false"]},
    "identity": {"type": "string", "enum": ["hashed", "plain"]},
    "name": {"type": "string", "enum": ["omit", "plain"]},
    "assertionId": {"type": "string", "description": "The award that the caller has before it; ignored."},
    "proofs": {
        "type": "string",
        "description": "Further proofs, by comma: ecdsa-rdfc-2019, eddsa-jcs-2022, ecdsa-jcs-2019.",
    },
    "format": {"type": "string", "enum": [one.value for one in ExportFormat], "default": "json"},
}


def parameters(*names: str) -> dict[str, Any]:
    """Query parameters by name."""
    return {
        "parameters": [
            {"name": name, "in": "query", "required": False, "schema": _PARAMETERS[name]} for name in names
        ]
    }


def body(model: type[BaseModel], example: Any = None) -> dict[str, Any]:
    """A JSON request body with a model's schema."""
    content: dict[str, Any] = {"schema": schema_of(model)}
    if example is not None:
        content["example"] = example
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """A model's schema with the models in it written out: its own references would be taken from the root of
    the whole text."""
    schema = model.model_json_schema()
    named = schema.pop("$defs", {})

    def written_out(value: Any) -> Any:
        if isinstance(value, list):
            return [written_out(one) for one in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            return written_out(named[value["$ref"].rpartition("/")[2]])
        return {name: written_out(one) for name, one in value.items()}

    made: dict[str, Any] = written_out(schema)
    return made


def verify_body(model: type[BaseModel], example: Any) -> dict[str, Any]:
    """The JSON body of a verification, or the document itself in one of its carriers."""
    made = body(model, example)
    binary = {"schema": BINARY}
    form = object_of({"file": BINARY}) | {
        "properties": {"file": BINARY, "issuer": TEXT, "as_of": TEXT, "live": TEXT}
    }
    file = "the file's bytes"
    made["requestBody"]["content"] |= {
        "multipart/form-data": {"schema": form, "example": {"file": file, "issuer": "did:web:example.edu"}},
        "application/vc+jwt": {"schema": TEXT, "example": "eyJhbGciOiJFZERTQSJ9.e30.AAAA"},
        "application/ld+json": {"schema": OBJECT, "example": {"type": ["VerifiableCredential"]}},
        "application/octet-stream": {**binary, "example": file},
        "image/png": {**binary, "example": file},
        "image/svg+xml": {**binary, "example": "<svg/>"},
    }
    return made


def _problems() -> dict[int | str, dict[str, Any]]:
    content = {"application/problem+json": {"schema": PROBLEM_SCHEMA}}
    return {
        "4XX": {"description": "A problem, see /problems", "content": content},
        "503": {"description": "A part does not answer; nothing was acknowledged", "content": content},
    }


def answers(
    description: str, schema: dict[str, Any], status: int = 200, media: str = "application/json"
) -> dict[int | str, dict[str, Any]]:
    """The success answer, and the problems."""
    return {status: {"description": description, "content": {media: {"schema": schema}}}} | _problems()


def listing(item: dict[str, Any]) -> dict[str, Any]:
    """A page of items."""
    return {
        "type": "object",
        "required": ["items", "next_cursor"],
        "properties": {
            "items": {"type": "array", "items": item},
            "next_cursor": {"type": ["string", "null"]},
        },
    }


def object_of(required: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An object with these members, all of them always there."""
    return {"type": "object", "required": list(required), "properties": required} | more


def array_of(item: dict[str, Any]) -> dict[str, Any]:
    """A list of items of one form."""
    return {"type": "array", "items": item}


def or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """That form, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


_ANCHOR = object_of(
    {
        "transaction": HEX32,
        "block_number": {"type": "integer"},
        "block_hash": HEX32,
        "anchored_at": TIME,
        "confirmations": {"type": "integer"},
        "gas_used": {"type": "integer"},
        "fee_wei": TEXT,
        "sender": ADDRESS,
        "mode": {"type": "string", "enum": ["direct", "relayed"]},
    }
)
BATCH_SCHEMA = object_of(
    {
        "id": TEXT,
        "issuer": ADDRESS,
        "state": _PARAMETERS["state"],
        "size": {"type": "integer"},
        "root": or_null(HEX32),
        "created_at": TIME,
        "sealed_at": or_null(TIME),
        "anchor": or_null(_ANCHOR),
        "withdrawn": or_null(object_of({"at": TIME, "reason": _PARAMETERS["reason"], "transaction": HEX32})),
        "error": or_null(TEXT),
    }
)
BATCH = answers("The batch", BATCH_SCHEMA)
BATCH_ANSWER = answers("The batch", BATCH_SCHEMA, 202) | answers("Settled within Prefer: wait", BATCH_SCHEMA)
BATCH_LIST = answers("Batches", listing(BATCH_SCHEMA))
PROOFS = answers("RootmarkProofs, a line each", TEXT, media="application/x-ndjson")

_DIGEST_ITEM = {
    "anyOf": [
        HEX32,
        object_of(
            {"digest": HEX32},
            additionalProperties=False,
        )
        | {
            "properties": {
                "digest": HEX32,
                "external_id": {"type": "string", "minLength": 1, "maxLength": 200},
                "valid_from": TIME,
                "valid_until": TIME,
            }
        },
    ]
}
BATCH_BODY = parameters("allow_duplicate", "digest_method") | {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [
                        {
                            "type": "object",
                            "required": ["digests"],
                            "additionalProperties": False,
                            "properties": {
                                "digests": {"type": "array", "minItems": 1, "items": _DIGEST_ITEM},
                                "digest_method": _PARAMETERS["digest_method"],
                            },
                        },
                        {
                            "type": "object",
                            "required": ["credentials"],
                            "additionalProperties": False,
                            "properties": {"credentials": {"type": "array", "minItems": 1, "items": OBJECT}},
                        },
                    ]
                },
                "example": {"digests": [_EXAMPLE_DIGEST]},
            },
            "application/x-ndjson": {
                "schema": {"type": "string"},
                "example": f'"{_EXAMPLE_DIGEST}"\n',
            },
        },
    }
}

REQUEST_SCHEMA = object_of(
    {
        "id": TEXT,
        "kind": {"type": "string", "enum": [kind.value for kind in RequestKind]},
        "issuer": ADDRESS,
        "state": {"type": "string", "enum": [state.value for state in RequestState]},
        "reason": _PARAMETERS["reason"],
        "requested_by": TEXT,
        "note": or_null(TEXT),
        "created_at": TIME,
        "error": or_null(TEXT),
        "count": {"type": "integer"},
        "skipped": {"type": "array", "items": HEX32},
        "transactions": {"type": "array", "items": HEX32},
    }
)
REQUEST_ANSWER = answers("The request", REQUEST_SCHEMA, 202) | answers(
    "Settled within Prefer: wait", REQUEST_SCHEMA
)
_TO_SIGN = object_of(
    {"signer": ADDRESS, "to_sign": array_of(OBJECT), "deadline": {"type": "integer", "minimum": 0}}
)
ADMIN_ANSWER = answers("The request", REQUEST_SCHEMA, 202) | answers(
    "Settled within Prefer: wait; or what the issuer's admin, whose key is not here, signs first",
    {"anyOf": [REQUEST_SCHEMA, _TO_SIGN]},
)
REQUEST = answers("The request", REQUEST_SCHEMA)
_ADDED_ENTRY = object_of({"digest": HEX32, "batch": TEXT, "index": {"type": "integer"}, "state": TEXT})
ENTRY_ANSWER = answers("Where the credential is", _ADDED_ENTRY, 202) | answers(
    "Its batch has settled within Prefer: wait", _ADDED_ENTRY
)

_SHOWN_ANCHOR = object_of(
    {
        "batch": or_null(TEXT),
        "root": HEX32,
        "index": {"type": "integer"},
        "transaction": HEX32,
        "block_number": {"type": "integer"},
        "block_hash": HEX32,
        "anchored_at": TIME,
        "confirmations": {"type": "integer"},
        "final": {"type": "boolean"},
    }
)
_SHOWN_STATUS = object_of(
    {
        "state": TEXT,
        "at": or_null(TIME),
        "reason": or_null(TEXT),
        "actor": or_null(ADDRESS),
        "transaction": or_null(HEX32),
        "pending": array_of(OBJECT),
    }
)
_SHOWN_READING = object_of(
    {
        "chain": TEXT,
        "test_chain": {"type": "boolean"},
        "block_number": or_null({"type": "integer"}),
        "block_hash": or_null(HEX32),
        "block_time": or_null(TIME),
        "source": {"type": "string", "enum": ["index", "rpc", "bundle"]},
    }
)
REPORT_SCHEMA = object_of(
    {
        "outcome": {
            "type": "string",
            "enum": [
                "valid",
                "revoked",
                "suspended",
                "withdrawn",
                "expired",
                "not_yet_valid",
                "pending",
                "not_found",
                "invalid",
                "indeterminate",
            ],
        },
        "summary": TEXT,
        "digest": or_null(HEX32),
        "issuer": object_of(
            {"address": or_null(ADDRESS), "name": or_null(TEXT), "known": {"type": "boolean"}}
        ),
        "checks": {
            "type": "array",
            "items": object_of(
                {
                    "name": TEXT,
                    "result": {"type": "string", "enum": ["pass", "fail", "unknown", "skipped"]},
                    "detail": TEXT,
                }
            ),
        },
        "anchor": or_null(_SHOWN_ANCHOR),
        "status": _SHOWN_STATUS,
        "as_of": _SHOWN_READING,
        "candidates": array_of(OBJECT),
        "later": array_of(OBJECT),
    }
)
REPORT = answers("The report; an unknown or bad credential is a finished verification too", REPORT_SCHEMA)
BULK_REPORT = answers(
    "A report or a problem for each item",
    object_of(
        {
            "results": array_of(
                {
                    "oneOf": [
                        object_of({"index": {"type": "integer"}, "report": REPORT_SCHEMA}),
                        object_of({"index": {"type": "integer"}, "problem": PROBLEM_SCHEMA}),
                    ]
                }
            )
        }
    ),
)
EMPTY: dict[int | str, dict[str, Any]] = {**_problems(), 204: {"description": "Done"}}

_IN_PATH = {"digest": HEX32, "address": ADDRESS, "key": ADDRESS}
_NO_KEY = (
    "/v1/verify",
    "/v1/registry",
    "/health",
    "/metrics",
    "/problems",
    "/issuers/",
    "/1.0/",
    "/vc/credentials/",
    "/vc/presentations/",
)


def complete(openapi: dict[str, Any]) -> dict[str, Any]:
    """Add what FastAPI cannot know: the forms of texts in paths, and where a key is sent."""
    openapi.setdefault("components", {})["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An issuer's API key, or the admin token."}
    }
    for path, operations in openapi["paths"].items():
        for method, operation in operations.items():
            if not path.startswith(_NO_KEY):
                # A key is asked for by every POST and DELETE, and lets more be seen by some GETs.
                operation["security"] = [{"key": []}] if method != "get" else [{"key": []}, {}]
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path" and parameter["name"] in _IN_PATH:
                    parameter["schema"] = _IN_PATH[parameter["name"]]
    return openapi
