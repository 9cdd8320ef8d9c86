"""The VC API of the W3C Credentials Community Group: what its test suites drive a server by.

Verifying is open to all. Signing wants a key with the scope ``vc``; on the embedded chain, which is for
trying things, everybody may.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api import docs, shapes
from api.body import read_json, validated
from api.context import app_of, caller_of, examining, json_response, no_query, require_caller
from api.problems import NOT_VERIFIED, problem_json, problem_response, request_id_of
from api.schemas.vc import (
    EnvelopBody,
    IssueBody,
    VerifyCredentialBody,
    VerifyOptions,
    VerifyPresentationBody,
)
from registry.bootstrap import App
from registry.credentials.findings import Presented
from registry.credentials.formats.presentations import presented_credential
from registry.credentials.suites.cryptosuites import CREATED
from registry.credentials.vc_api.issuing import KINDS, ProofWishes
from registry.credentials.vc_api.results import (
    VcResult,
    credential_result,
    presentation_result,
    refused_result,
)
from registry.credentials.verification import DocumentRequest, ProofClaims
from registry.encoding import Address
from registry.errors import Fault, MalformedInputError, ValidationError
from registry.model.issuers import Scope
from registry.services.access import require_issuer

router = APIRouter(prefix="/vc", tags=["vc-api"])

SuiteName = Annotated[str, Path(json_schema_extra={"enum": list(CREATED)})]
KeyType = Annotated[str, Path(json_schema_extra={"enum": list(KINDS)})]

_CREDENTIAL = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "type": ["VerifiableCredential"],
    "issuer": "did:example:issuer",
    "credentialSubject": {"id": "did:example:subject"},
}
_PROOF = {
    "type": "DataIntegrityProof",
    "cryptosuite": "eddsa-rdfc-2022",
    "verificationMethod": "did:key:z6Mk#z6Mk",
    "proofPurpose": "assertionMethod",
    "proofValue": "z3",
}
_PRESENTATION = {"@context": _CREDENTIAL["@context"], "type": ["VerifiablePresentation"]}


async def _owner(request: Request) -> Address | None:
    """Whose key signs: the issuer's of an API key with the scope; nobody's on the embedded chain.

    Raises:
        UnauthorizedError, ForbiddenError: another chain, and no such key.
    """
    if not app_of(request).settings.embedded:
        return require_issuer(await require_caller(request), Scope.VC)
    caller = await caller_of(request)
    return caller.issuer if caller is not None and Scope.VC in caller.scopes else None


@router.post(
    "/jose/{key_type}/credentials/issue",
    status_code=201,
    openapi_extra=docs.body(EnvelopBody, {"credential": _CREDENTIAL}),
    responses=shapes.ISSUED_CREDENTIAL,
)
async def issue_enveloped(request: Request, key_type: KeyType) -> Response:
    """Secure a credential with JOSE (`typ: vc+jwt`): an EnvelopedVerifiableCredential, whose id holds the
    token. Key types: Ed25519, P-256, P-384."""
    no_query(request)
    owner = await _owner(request)
    body = validated(EnvelopBody, (await read_json(request))[1])
    made = await examining(request, app_of(request).vc_issuing.envelop, owner, key_type, body.credential)
    return json_response({"verifiableCredential": made}, 201)


@router.post(
    "/{suite}/{key_type}/credentials/issue",
    status_code=201,
    openapi_extra=docs.body(IssueBody, {"credential": _CREDENTIAL, "options": {}}),
    responses=shapes.ISSUED_CREDENTIAL,
)
async def issue(request: Request, suite: SuiteName, key_type: KeyType) -> Response:
    """Secure a credential with a Data Integrity proof: eddsa-rdfc-2022 and eddsa-jcs-2022 with Ed25519,
    ecdsa-rdfc-2019 and ecdsa-jcs-2019 with P-256 or P-384."""
    no_query(request)
    owner = await _owner(request)
    body = validated(IssueBody, (await read_json(request))[1])
    options = body.options
    if options.cryptosuite not in (None, suite):
        raise _wrong("cryptosuite", "the address names another suite", "/options/cryptosuite")
    wishes = ProofWishes(options.created, options.expires, options.challenge, options.domain)
    issuing = app_of(request).vc_issuing
    made = await examining(request, issuing.issue, owner, suite, key_type, body.credential, wishes)
    return json_response({"verifiableCredential": made}, 201)


@router.post(
    "/credentials/verify",
    openapi_extra=docs.body(
        VerifyCredentialBody,
        {"verifiableCredential": {**_CREDENTIAL, "proof": _PROOF}, "options": {"checks": ["proof"]}},
    ),
    responses=shapes.VC_RESULT,
)
async def verify_credential(request: Request) -> Response:
    """Verify a credential: 200 when it verifies, else a problem that says why not. Whether its issuer is one
    to believe is another question: see POST /v1/verify."""
    no_query(request)
    body = validated(VerifyCredentialBody, (await read_json(request))[1])
    shown = body.verifiable_credential
    presented = Presented(token=shown) if isinstance(shown, str) else presented_credential(shown)
    if presented is None:
        raise _wrong("envelope", "the envelope holds no token of a known kind", "/verifiableCredential")
    wanted = DocumentRequest(presented, claims=_claims(body.options, "assertionMethod"))
    result = await examining(request, _credential, app_of(request), wanted, body.options.checks)
    return _answer(request, result)


def _credential(app: App, wanted: DocumentRequest, checks: list[str] | None) -> VcResult:
    try:
        report = app.documents.verify(wanted)
    except MalformedInputError as error:
        return refused_result(error)
    app.metrics.count_verdict(report.outcome)
    return credential_result(report, checks)


@router.post(
    "/presentations/verify",
    openapi_extra=docs.body(
        VerifyPresentationBody,
        {"verifiablePresentation": _PRESENTATION, "options": {"challenge": "a1b2", "domain": "a.example"}},
    ),
    responses=shapes.VC_RESULT,
)
async def verify_presentation(request: Request) -> Response:
    """Verify a presentation, signed or not, and each credential in it. With a challenge or a domain it must
    be signed for them."""
    no_query(request)
    body = validated(VerifyPresentationBody, (await read_json(request))[1])
    claims = _claims(body.options, "authentication")
    verify = app_of(request).presentations.verify
    report = await examining(request, verify, body.verifiable_presentation, claims)
    result = presentation_result(report, body.options.checks, challenged=claims.challenge is not None)
    return _answer(request, result)


def _claims(options: VerifyOptions, purpose: str) -> ProofClaims:
    return ProofClaims(options.expected_proof_purpose or purpose, options.challenge, options.domain)


def _answer(request: Request, result: VcResult) -> Response:
    found: dict[str, Any] = {
        "verified": not result.errors,
        "checks": list(result.checks),
        "warnings": list(result.warnings),
    }
    if not result.errors:
        return json_response(found | {"errors": []})
    detail = result.errors[0].detail
    problem = problem_json(NOT_VERIFIED, detail, request_id_of(request), result.errors)
    return problem_response(problem | found)


def _wrong(code: str, detail: str, pointer: str) -> ValidationError:
    return ValidationError(detail, faults=[Fault(code, detail, pointer)])
