"""Bodies of POST /v1/verify and /v1/verify/bulk."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from pydantic import BeforeValidator, Field, WithJsonSchema

from api.body import validated
from api.context import parse_as_of
from api.schemas.common import AsOfField, Body, DigestField, reader
from api.uploads import Upload
from registry.credentials.carriers.files import read_file
from registry.credentials.findings import Presented
from registry.credentials.syntax import parse_issuer_name
from registry.credentials.verification import MAX_SUPPLIED, DocumentRequest
from registry.encoding import Address, JsonValue
from registry.errors import Fault, ValidationError
from registry.merkle import proof_from_json
from registry.services.verification import VerifyRequest

MAX_BULK_ITEMS = 1000
MAX_TOKEN = 1024 * 1024

IssuerName = Annotated[
    Address | str,
    BeforeValidator(reader(parse_issuer_name)),
    WithJsonSchema(
        {"type": "string", "maxLength": 2000, "examples": ["0x" + "11" * 20, "did:web:example.edu"]}
    ),
]


class VerifyBody(Body):
    """A digest, a credential (JSON, or a compact token as text), or either with its RootmarkProof.
    ``documents`` are others that the credential refers to, by their address: DID documents, issuer profiles,
    status lists."""

    digest: DigestField | None = None
    credential: dict[str, Any] | Annotated[str, Field(max_length=MAX_TOKEN)] | None = None
    proof: dict[str, Any] | None = None
    documents: Annotated[dict[str, dict[str, Any] | str], Field(max_length=MAX_SUPPLIED)] | None = None
    issuer: IssuerName | None = None
    as_of: AsOfField | None = None
    live: bool = False


def verify_request(value: JsonValue) -> VerifyRequest | DocumentRequest:
    """Check one verification body: a request about a digest alone, or about a document.

    Raises:
        ValidationError: with pointers; a proof of the wrong form among them.
    """
    body = validated(VerifyBody, value)
    if body.digest is None and body.credential is None:
        fault = Fault("missing", "digest or credential is needed", "")
        raise ValidationError("say what to verify: digest or credential", faults=[fault])
    proof = None if body.proof is None else proof_from_json(body.proof, pointer="/proof")
    if body.credential is None:
        if isinstance(body.issuer, str):
            raise _wrong("issuer", "beside a digest the issuer is named by its address", "/issuer")
        if body.documents:
            raise _wrong("documents", "documents belong to a credential", "/documents")
        return VerifyRequest(body.digest, None, proof, body.issuer, body.as_of, body.live)
    presented = (
        Presented(token=body.credential)
        if isinstance(body.credential, str)
        else Presented(document=body.credential)
    )
    supplied = {name: _supplied(found) for name, found in (body.documents or {}).items()}
    return DocumentRequest(
        presented=presented,
        digest=body.digest,
        proof=proof,
        issuer=body.issuer,
        as_of=body.as_of,
        live=body.live,
        supplied=supplied,
    )


def _supplied(document: dict[str, Any] | str) -> bytes:
    return document.encode() if isinstance(document, str) else orjson.dumps(document)


def file_request(upload: Upload) -> DocumentRequest:
    """The request about what a file holds.

    Raises:
        ValidationError, MalformedJsonError, TooLargeError, UnsupportedMediaTypeError: see `read_file`.
    """
    contents = read_file(upload.data, upload.name, upload.media_type)
    unknown = sorted(set(upload.fields) - {"issuer", "as_of", "live"})
    if unknown:
        raise _wrong("members", "only issuer, as_of and live may stand beside the file", "")
    issuer, as_of = upload.fields.get("issuer"), upload.fields.get("as_of")
    return DocumentRequest(
        presented=contents.presented or Presented(),
        hosted_at=contents.hosted_at,
        proof=contents.proof,
        issuer=parse_issuer_name(issuer) if issuer else None,
        as_of=parse_as_of(as_of, "/as_of") if as_of else None,
        live=upload.fields.get("live") == "true",
    )


def _wrong(code: str, detail: str, pointer: str) -> ValidationError:
    return ValidationError(detail, faults=[Fault(code, detail, pointer)])


def bulk_items(value: JsonValue) -> list[JsonValue]:
    """The items of a bulk body, not yet checked: a bad one fails only itself.

    Raises:
        ValidationError: not `{"items": [...]}` with 1 to 1,000 items.
    """
    if not isinstance(value, dict) or set(value) != {"items"} or not isinstance(value["items"], list):
        fault = Fault("items", "an object with one member, items, a list, is expected", "")
        raise ValidationError("the body must be an object with a list of items", faults=[fault])
    items = value["items"]
    if not 1 <= len(items) <= MAX_BULK_ITEMS:
        fault = Fault("items", f"1 to {MAX_BULK_ITEMS} items are expected", "/items")
        raise ValidationError(f"1 to {MAX_BULK_ITEMS} items can be verified at once", faults=[fault])
    return items
