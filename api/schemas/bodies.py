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
from registry.errors import Fault, ValidationError
from registry.model.reasons import Reason
from registry.services.admin_calls import MAX_SIGNED_CALLS, Signatures

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
DeadlineField = Annotated[int, Field(ge=0, le=2**53 - 1)]
Email = Annotated[
    str,
    Field(max_length=254, pattern=r"^[!-?A-~]+@[A-Za-z0-9.-]+$", examples=["registrar@example.edu"]),
]
ScopeName = Literal["batch", "status", "read", "audit", "admin", "vc"]


class NewIssuer(Body):
    """POST /v1/issuers."""

    name: Name
    url: WebUrl
    admin: AddressField | None = None
    email: Email | None = None


class NewSigningKey(Body):
    """POST /v1/issuers/{address}/signing-keys."""

    kind: Literal["Ed25519", "P-256", "P-384", "RSA-2048"]


class NewApiKey(Body):
    """POST /v1/issuers/{address}/api-keys."""

    label: Label
    scopes: Annotated[list[ScopeName], Field(min_length=1, max_length=6)]
    expires_at: TimeField | None = None


class Signed(Body):
    """What an admin whose key the server does not hold adds when it repeats a request: its signatures over
    what the first answer had to sign, in order, and that answer's deadline."""

    signatures: Annotated[list[SignatureField], Field(min_length=1, max_length=MAX_SIGNED_CALLS)] | None = (
        None
    )
    deadline: DeadlineField | None = None


def signatures_of(body: Signed) -> Signatures | None:
    """The signatures of a body. Raises `ValidationError` for one without the other."""
    return _signatures(body.signatures, body.deadline, "/signatures")


def _signatures(given: list[bytes] | None, deadline: int | None, pointer: str) -> Signatures | None:
    if (given is None) != (deadline is None):
        detail = "signatures and their deadline go together"
        missing = "/deadline" if deadline is None else pointer
        raise ValidationError(detail, faults=[Fault("missing", detail, missing)])
    return None if given is None or deadline is None else Signatures(tuple(given), deadline)


class NewChainKey(Body):
    """POST /v1/issuers/{address}/keys. Without ``key`` a new operating key is made here. ``signature`` and
    ``deadline`` come from an admin that the server does not hold."""

    key: AddressField | None = None
    roles: Annotated[
        list[Literal["anchor", "suspend", "revoke", "withdraw"]], Field(min_length=1, max_length=4)
    ]
    consent: SignatureField | None = None
    consent_deadline: DeadlineField | None = None
    signature: SignatureField | None = None
    deadline: DeadlineField | None = None

    def signed(self) -> Signatures | None:
        """The admin's signature. Raises `ValidationError` for one without its deadline."""
        return _signatures(None if self.signature is None else [self.signature], self.deadline, "/signature")


class Retirement(Signed):
    """POST /v1/issuers/{address}/keys/{key}/retirement. Without a time: now."""

    valid_until: TimeField | None = None
    reason: ReasonField = Reason.UNSPECIFIED


class StatusChange(Body):
    """POST /v1/revocations, /suspensions and /reinstatements."""

    digests: Annotated[list[DigestField], Field(min_length=1, max_length=MAX_STATUS_DIGESTS)]
    reason: ReasonField | None = None
    note: Note | None = None


class Annulment(StatusChange, Signed):
    """POST /v1/annulments."""


class BatchChange(Body):
    """POST /v1/batches/{id}/withdrawal."""

    reason: ReasonField = Reason.UNSPECIFIED
    note: Note | None = None


class BatchAnnulment(BatchChange, Signed):
    """POST /v1/batches/{id}/withdrawal-annulment."""


class NewCredential(Body):
    """POST /v1/credentials: a credential, or a digest with what the server should know about it."""

    credential: dict[str, Any] | None = None
    digest: DigestField | None = None
    digest_method: str = "opaque"
    external_id: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    valid_from: TimeField | None = None
    valid_until: TimeField | None = None
