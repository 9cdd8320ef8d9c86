"""Credentials that a JSON Web Token wraps: VC-JOSE and the VC-JWT of Open Badges 3.0. Examined, and made.

They are two formats. VC-JOSE (``typ: vc+jwt``) has the credential of data model 2.0 as its payload;
registered claims may repeat parts of it. The VC-JWT of Open Badges (``typ: JWT`` or none) must repeat
them, and wraps a credential of data model 1.1 in a claim ``vc``. Invariant: where claims and credential
speak of the same thing, they agree, or the token is invalid: otherwise two readers would see two
credentials.

Source: Securing Verifiable Credentials using JOSE and COSE, section 3.1; Open Badges 3.0, section 8.2;
Verifiable Credentials Data Model 1.1, section 6.3.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from registry.credentials.findings import Examination, Finding, Presented
from registry.credentials.formats.claims import (
    Members,
    completed,
    ends_at,
    narrowed,
    require_agreement,
    require_same_times,
    seconds_of,
    subject_id_of,
    without_claims,
)
from registry.credentials.formats.data_model import issuer_of, looks_like_a_credential
from registry.credentials.formats.verifiable_credentials import examination_of, format_findings
from registry.credentials.keys import PublicKey
from registry.credentials.sources import Tools
from registry.credentials.suites.data_integrity import check_proofs
from registry.credentials.suites.jose import Sign, Token, make_token, read_token
from registry.credentials.suites.jose_keys import require_issuers_signature
from registry.encoding import JsonValue, invalid
from registry.errors import (
    BadSignatureError,
    MalformedInputError,
    UnavailableSourceError,
    UnsupportedKeyError,
)
from registry.verdict.report import CheckName, CheckResult

VC_JOSE = "vc+jwt"


class VcJoseCredentials:
    """The examiner for ``typ: vc+jwt``."""

    def recognises(self, presented: Presented) -> bool:
        """A compact token of that type."""
        token = _read_quietly(presented.token)
        return token is not None and token.type == VC_JOSE

    def examine(self, presented: Presented, tools: Tools) -> Examination:
        """Look at signature, claims and form."""
        return _examine(presented, tools, _vc_jose_credential, "VC-JOSE")


class VcJwtCredentials:
    """The examiner for the VC-JWT of Open Badges 3.0, and of data model 1.1."""

    def recognises(self, presented: Presented) -> bool:
        """A compact token of another type whose payload looks like a credential or wraps something."""
        token = _read_quietly(presented.token)
        if token is None or token.type == VC_JOSE:
            return False
        try:
            claims = token.claims()
        except MalformedInputError:
            return False
        return "vc" in claims or looks_like_a_credential(claims)

    def examine(self, presented: Presented, tools: Tools) -> Examination:
        """Look at signature, claims and form."""
        return _examine(presented, tools, _vc_jwt_credential, "VC-JWT")


def issue_vc_jose(credential: Members, key: PublicKey, kid: str, sign: Sign) -> str:
    """Wrap a credential of data model 2.0 as VC-JOSE.

    Args:
        credential: unsecured; it becomes the payload as it is.
        key: whose algorithm the header names.
        kid: the absolute id of the issuer's verification method.

    Raises:
        MalformedJsonError: it has no canonical form. Otherwise whatever ``sign`` raises.
    """
    header = {"alg": key.kind.jose_algorithm, "cty": "vc", "kid": kid, "typ": VC_JOSE}
    return make_token(header, credential, sign)


def issue_vc_jwt(credential: Members, key: PublicKey, sign: Sign, *, kid: str | None = None) -> str:
    """Wrap a credential of data model 2.0 as the VC-JWT of Open Badges 3.0.

    Args:
        credential: with ``id``, ``issuer``, ``validFrom`` and one subject that has an ``id``.
        kid: where the key is found; without it the header shows the key itself.

    Raises:
        ValidationError: a part that the claims repeat is missing. MalformedJsonError: no canonical form.
        Otherwise whatever ``sign`` raises.
    """
    header: dict[str, JsonValue] = {"alg": key.kind.jose_algorithm, "typ": "JWT"}
    header |= {"jwk": key.to_jwk()} if kid is None else {"kid": kid}
    claims = {
        "iss": issuer_of(credential),
        "jti": credential.get("id"),
        "nbf": seconds_of(credential, "validFrom"),
        "sub": subject_id_of(credential),
    }
    missing = [name for name, value in claims.items() if value is None]
    if missing:
        raise invalid("claims", f"the credential has nothing for the claim {missing[0]}", "")
    if "validUntil" in credential:
        claims["exp"] = seconds_of(credential, "validUntil")
    return make_token(header, {**credential, **claims}, sign)


# --- examining ----------------------------------------------------------------------------------------------


def _read_quietly(text: str | None) -> Token | None:
    try:
        return None if text is None else read_token(text)
    except MalformedInputError:
        return None


def _examine(
    presented: Presented, tools: Tools, unwrap: Callable[[Token, Members], Members], name: str
) -> Examination:
    try:
        token = read_token(presented.token or "")
        claims = token.claims()
        credential = unwrap(token, claims)
    except MalformedInputError as error:
        return Examination(name, (_finding(CheckName.FORMAT, CheckResult.FAIL, str(error)),))
    issuer = issuer_of(credential)
    signature = signature_finding(lambda: require_issuers_signature(token, issuer or "", tools))
    if issuer is None:
        signature = _finding(CheckName.SIGNATURE, CheckResult.FAIL, "the credential names no issuer")
    findings = (*format_findings(credential), signature)
    if "proof" in credential:
        embedded = check_proofs(credential, tools, owner=issuer_of(credential) or "")
        findings += tuple(finding for finding in embedded if finding.check is CheckName.SIGNATURE)
    if all(finding.result is not CheckResult.FAIL for finding in findings):
        intact = signature.result is CheckResult.PASS
        detail = "the credential is what the token's signature covers"
        findings += (_finding(CheckName.INTEGRITY, CheckResult.PASS, detail),) if intact else ()
    examination = examination_of(credential, findings, f" ({name})")
    return replace(examination, validity=narrowed(examination.validity, claims))


def signature_finding(check: Callable[[], None]) -> Finding:
    """What came of checking a token's signature; ``check`` returns when it is the issuer's."""
    name = CheckName.SIGNATURE
    try:
        check()
    except (UnavailableSourceError, UnsupportedKeyError) as error:
        return _finding(name, CheckResult.UNKNOWN, str(error))
    except BadSignatureError as error:
        return _finding(name, CheckResult.FAIL, f"the token's signature does not fit: {error}")
    except MalformedInputError as error:
        return _finding(name, CheckResult.FAIL, str(error))
    return _finding(name, CheckResult.PASS, "the token was signed with the issuer's key")


def _finding(check: CheckName, result: CheckResult, detail: str) -> Finding:
    return Finding(check, result, detail.rstrip("."))


def _vc_jose_credential(token: Token, claims: Members) -> Members:
    """The payload is the credential. Raises `ValidationError` when header or claims contradict that."""
    content = token.header.get("cty")
    if isinstance(content, str) and content.lower().removeprefix("application/") not in ("vc", "vc+ld+json"):
        raise invalid("token", "the token says that it holds something else than a credential", "")
    if "vc" in claims or "vp" in claims:
        raise invalid("token", "the token wraps its credential in a claim, which VC-JOSE does not allow", "")
    credential = without_claims(claims)
    require_agreement(claims, credential)
    return credential


def _vc_jwt_credential(token: Token, claims: Members) -> Members:
    """The credential beside the claims or, of data model 1.1, in ``vc``. Raises `ValidationError` when a
    claim is missing or contradicts it."""
    if token.type not in (None, "jwt"):
        raise invalid("token", "the token is of another type than JWT", "")
    if "vc" in claims:
        wrapped = claims["vc"]
        if not isinstance(wrapped, Mapping) or looks_like_a_credential(claims):
            raise invalid("token", "the token holds a credential both in a claim and beside it, or none", "")
        credential = completed(claims, wrapped)
    else:
        credential = without_claims(claims)
    require_agreement(claims, credential)
    require_same_times(claims, credential)
    wanted = {"iss", "jti", "nbf"} | ({"sub"} if subject_id_of(credential) is not None else set())
    if any(claims.get(name) is None for name in wanted):
        raise invalid("token", "the token lacks one of the claims iss, jti, nbf and sub", "")
    if ends_at(credential) is not None and "exp" not in claims:
        raise invalid("token", "the credential has an end, and the token has no claim exp", "")
    return credential
