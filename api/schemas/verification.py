"""Bodies of POST /v1/verify and /v1/verify/bulk."""

from __future__ import annotations

from typing import Any

from api.body import validated
from api.schemas.common import AddressField, AsOfField, Body, DigestField
from registry.encoding import JsonValue
from registry.errors import Fault, ValidationError
from registry.merkle import proof_from_json
from registry.services.verification import VerifyRequest

MAX_BULK_ITEMS = 1000


class VerifyBody(Body):
    """A digest, a credential, or either with its RootmarkProof."""

    digest: DigestField | None = None
    credential: dict[str, Any] | None = None
    proof: dict[str, Any] | None = None
    issuer: AddressField | None = None
    as_of: AsOfField | None = None
    live: bool = False


def verify_request(value: JsonValue) -> VerifyRequest:
    """Check one verification body.

    Raises:
        ValidationError: with pointers; a proof of the wrong form among them.
    """
    body = validated(VerifyBody, value)
    if body.digest is None and body.credential is None:
        fault = Fault("missing", "digest or credential is needed", "")
        raise ValidationError("say what to verify: digest or credential", faults=[fault])
    return VerifyRequest(
        digest=body.digest,
        credential=body.credential,
        proof=None if body.proof is None else proof_from_json(body.proof, pointer="/proof"),
        issuer=body.issuer,
        as_of=body.as_of,
        live=body.live,
    )


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
