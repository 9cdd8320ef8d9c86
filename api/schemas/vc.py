"""Bodies of the VC API. What is signed or verified is any JSON object here; its form is the services' to
judge."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.common import Body, TimeField
from api.schemas.verification import MAX_TOKEN

_Text = Annotated[str, Field(min_length=1, max_length=2048)]
_Checks = Annotated[list[_Text], Field(max_length=20)]


class IssueOptions(Body):
    """What the proof shall say. ``type`` and ``cryptosuite`` may repeat what the address says."""

    type: Literal["DataIntegrityProof"] | None = None
    cryptosuite: _Text | None = None
    created: TimeField | None = None
    expires: TimeField | None = None
    challenge: _Text | None = None
    domain: _Text | None = None


class IssueBody(Body):
    """POST /vc/{suite}/{key_type}/credentials/issue. The credential's issuer becomes the key's DID."""

    credential: dict[str, Any]
    options: IssueOptions = IssueOptions()


class NoOptions(Body):
    """Nothing can be chosen."""


class EnvelopBody(Body):
    """POST /vc/jose/{key_type}/credentials/issue. The credential's issuer becomes the key's DID."""

    credential: dict[str, Any]
    options: NoOptions = NoOptions()


class VerifyOptions(Body):
    """``checks``: with neither ``credentialStatus`` nor ``status`` among them, a status that cannot be looked
    up is only a warning. The others: what the proof must say."""

    checks: _Checks | None = None
    expected_proof_purpose: Annotated[_Text | None, Field(alias="expectedProofPurpose")] = None
    challenge: _Text | None = None
    domain: _Text | None = None


class VerifyCredentialBody(Body):
    """POST /vc/credentials/verify: a secured credential, one in an envelope, or a compact token as text."""

    verifiable_credential: Annotated[
        dict[str, Any] | Annotated[str, Field(max_length=MAX_TOKEN)], Field(alias="verifiableCredential")
    ]
    options: VerifyOptions = VerifyOptions()


class VerifyPresentationBody(Body):
    """POST /vc/presentations/verify: a presentation, signed or not."""

    verifiable_presentation: Annotated[dict[str, Any], Field(alias="verifiablePresentation")]
    options: VerifyOptions = VerifyOptions()
