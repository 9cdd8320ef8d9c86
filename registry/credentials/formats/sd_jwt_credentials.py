"""Examines credentials as SD-JWT: SD-JWT VC (``typ: dc+sd-jwt``), and VC-JOSE with selective disclosure.

What the holder did not disclose stays unknown and does not matter to the verdict; what decides it
(issuer, dates, type, the holder's key, status) must not be left to the holder, and is refused when it
was. An SD-JWT VC has a status list of its own kind, which is not read here: a token that names one is
never merely valid.

Source: Selective Disclosure for JSON Web Tokens (RFC 9901); SD-JWT-based Verifiable Credentials
(draft-ietf-oauth-sd-jwt-vc, sections 2.2, 2.5, 5); Securing Verifiable Credentials using JOSE and COSE,
section 3.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from registry.credentials.findings import Examination, Finding, Presented
from registry.credentials.formats.claims import narrowed, require_agreement, without_claims
from registry.credentials.formats.data_model import issuer_of, looks_like_a_credential
from registry.credentials.formats.jwt_credentials import signature_finding
from registry.credentials.formats.verifiable_credentials import examination_of, format_findings
from registry.credentials.sources import Tools
from registry.credentials.suites.jose_keys import require_issuers_signature, require_metadata_signature
from registry.credentials.suites.sd_jwt import SdJwt, disclosed_claims, read_sd_jwt, require_binding
from registry.encoding import JsonValue, invalid
from registry.errors import (
    BadSignatureError,
    MalformedInputError,
    UnavailableSourceError,
    UnsupportedKeyError,
)
from registry.verdict.evidence import NO_DATES
from registry.verdict.report import CheckName, CheckResult

NAME = "SD-JWT VC"
_TYPES = ("dc+sd-jwt", "vc+sd-jwt")
_ALWAYS_SHOWN = ("iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "status")
_LISTED_STATUS = "the token names a status list of a kind that is not read here; its issuer can tell"
_CERTIFICATE = (
    "the token was signed under a certificate; a DID or an https address as its issuer would settle whose"
)

Claims = Mapping[str, JsonValue]


class SdJwtCredentials:
    """The examiner for SD-JWTs."""

    def recognises(self, presented: Presented) -> bool:
        """A token followed by a tilde."""
        try:
            read_sd_jwt(presented.token or "")
        except MalformedInputError:
            return False
        return True

    def examine(self, presented: Presented, tools: Tools) -> Examination:
        """Look at signature, disclosures, key binding and form."""
        try:
            sd_jwt = read_sd_jwt(presented.token or "")
            claims = disclosed_claims(sd_jwt)
            if sd_jwt.token.type not in _TYPES:
                raise invalid("sd-jwt", "the token is of another type than an SD-JWT credential's", "")
            hidden = [name for name in _ALWAYS_SHOWN if name in claims and name not in sd_jwt.token.claims()]
            if hidden:
                raise invalid("sd-jwt", f"the claim {hidden[0]} was left to the holder to disclose", "")
            if isinstance(claims.get("vct"), str) and claims["vct"]:
                return _sd_jwt_vc(sd_jwt, claims, tools)
            if looks_like_a_credential(claims) and "vc" not in claims and "vct" not in claims:
                return _vc_jose(sd_jwt, claims, tools)
            raise invalid("sd-jwt", "the token says neither its vct nor that it is a credential", "")
        except MalformedInputError as error:
            return Examination(NAME, (Finding(CheckName.FORMAT, CheckResult.FAIL, str(error)),))


def _sd_jwt_vc(sd_jwt: SdJwt, claims: Claims, tools: Tools) -> Examination:
    issuer = claims.get("iss")
    if not isinstance(issuer, str) and "x5c" not in sd_jwt.token.header:
        raise invalid("iss", "the token names no issuer", "")
    validity = narrowed(NO_DATES, claims)

    def check() -> None:
        if not isinstance(issuer, str):
            raise UnavailableSourceError(_CERTIFICATE)
        if issuer.startswith("did:"):
            require_issuers_signature(sd_jwt.token, issuer, tools)
        else:
            require_metadata_signature(sd_jwt.token, issuer, tools.documents)

    findings = [
        Finding(CheckName.FORMAT, CheckResult.PASS, "the token has the form of an SD-JWT credential"),
        *_checked(sd_jwt, claims, tools, signature_finding(check)),
    ]
    if "status" in claims:
        findings.append(Finding(CheckName.STATUS, CheckResult.UNKNOWN, _LISTED_STATUS))
    named = issuer if isinstance(issuer, str) else None
    return Examination(NAME, tuple(findings), issuer=named, credential=claims, validity=validity)


def _vc_jose(sd_jwt: SdJwt, claims: Claims, tools: Tools) -> Examination:
    credential = {name: value for name, value in without_claims(claims).items() if name != "cnf"}
    require_agreement(claims, credential)
    issuer = issuer_of(credential) or ""
    signature = signature_finding(lambda: require_issuers_signature(sd_jwt.token, issuer, tools))
    findings = (*format_findings(credential), *_checked(sd_jwt, claims, tools, signature))
    examination = examination_of(credential, findings, " (VC-JOSE, SD-JWT)")
    return replace(examination, validity=narrowed(examination.validity, claims))


def _checked(sd_jwt: SdJwt, claims: Claims, tools: Tools, signature: Finding) -> tuple[Finding, ...]:
    """The signature, the key binding when it fails, and the integrity when nothing does."""
    try:
        require_binding(sd_jwt, claims, nonce=tools.challenge, audience=tools.domain)
    except UnsupportedKeyError as error:
        return (signature, Finding(CheckName.SIGNATURE, CheckResult.UNKNOWN, str(error)))
    except BadSignatureError:
        detail = "the key binding was not signed with the holder's key"
        return (signature, Finding(CheckName.SIGNATURE, CheckResult.FAIL, detail))
    except MalformedInputError as error:
        return (signature, Finding(CheckName.SIGNATURE, CheckResult.FAIL, str(error)))
    if signature.result is not CheckResult.PASS:
        return (signature,)
    detail = "what was disclosed is what the token's signature covers"
    return (signature, Finding(CheckName.INTEGRITY, CheckResult.PASS, detail))
