"""The bodies of POST requests, except batches (see `api.schemas.batches`) and verification."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from api.schemas.common import (
    AddressField,
    Body,
    DigestField,
    Label,
    Name,
    Note,
    ReasonField,
    SignatureField,
    TimeField,
)
from registry.model.reasons import Reason

MAX_STATUS_DIGESTS = 100_000


def _web_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise PydanticCustomError("url", "an http or https address is expected")
    return value


WebUrl = Annotated[str, Field(max_length=2000, examples=["https://example.edu"]), AfterValidator(_web_url)]
Email = Annotated[
    str,
    Field(max_length=254, pattern=r"^[!-?A-~]+@[A-Za-z0-9.-]+$", examples=["registrar@example.edu"]),
]
ScopeName = Literal["batch", "status", "read", "audit", "admin"]


class NewIssuer(Body):
    """POST /v1/issuers."""

    name: Name
    url: WebUrl
    admin: AddressField | None = None
    email: Email | None = None


class NewSigningKey(Body):
    """POST /v1/issuers/{address}/signing-keys."""

    kind: Literal["Ed25519", "P-256", "RSA-2048"]


class NewApiKey(Body):
    """POST /v1/issuers/{address}/api-keys."""

    label: Label
    scopes: Annotated[list[ScopeName], Field(min_length=1, max_length=5)]
    expires_at: TimeField | None = None


class NewChainKey(Body):
    """POST /v1/issuers/{address}/keys. ``signature`` and ``deadline`` come from an admin that the server
    does not hold."""

    key: AddressField
    roles: Annotated[
        list[Literal["anchor", "suspend", "revoke", "withdraw"]], Field(min_length=1, max_length=4)
    ]
    consent: SignatureField | None = None
    consent_deadline: Annotated[int, Field(ge=0, le=2**53 - 1)] | None = None
    signature: SignatureField | None = None
    deadline: Annotated[int, Field(ge=0, le=2**53 - 1)] | None = None


class Retirement(Body):
    """POST /v1/issuers/{address}/keys/{key}/retirement."""

    valid_until: TimeField
    reason: ReasonField = Reason.UNSPECIFIED


class StatusChange(Body):
    """POST /v1/revocations, /suspensions, /reinstatements and /annulments."""

    digests: Annotated[list[DigestField], Field(min_length=1, max_length=MAX_STATUS_DIGESTS)]
    reason: ReasonField | None = None
    note: Note | None = None


class BatchChange(Body):
    """POST /v1/batches/{id}/withdrawal and /withdrawal-annulment."""

    reason: ReasonField = Reason.UNSPECIFIED
    note: Note | None = None


class NewCredential(Body):
    """POST /v1/credentials: a credential, or a digest with what the server should know about it."""

    credential: dict[str, Any] | None = None
    digest: DigestField | None = None
    digest_method: str = "opaque"
    external_id: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    valid_from: TimeField | None = None
    valid_until: TimeField | None = None
