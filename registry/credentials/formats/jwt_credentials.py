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
from datetime import UTC, datetime

from registry.credentials.findings import Examination, Finding, Presented
from registry.credentials.formats.data_model import (
    CREDENTIAL,
    V1,
    V2,
    contexts_of,
    issuer_of,
    types_of,
)
from registry.credentials.formats.verifiable_credentials import examination_of, format_findings
from registry.credentials.keys import PublicKey
from registry.credentials.sources import Tools
from registry.credentials.suites.data_integrity import check_proofs
from registry.credentials.suites.jose import Sign, Token, make_token, read_token
from registry.credentials.suites.jose_keys import require_issuers_signature
from registry.encoding import JsonValue, format_time, invalid, parse_time
from registry.errors import (
    BadSignatureError,
    MalformedInputError,
    UnavailableSourceError,
    UnsupportedKeyError,
    ValidationError,
)
from registry.verdict.evidence import Validity
from registry.verdict.report import CheckName, CheckResult

VC_JOSE = "vc+jwt"
_CLAIMS = ("iss", "sub", "aud", "exp", "nbf", "iat", "jti")
_MAX_SECONDS = 253_402_300_799  # the last second of the year 9999

Members = Mapping[str, JsonValue]


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
        return "vc" in claims or _looks_like_a_credential(claims)

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
        "nbf": _seconds(credential, "validFrom"),
        "sub": _subject_id(credential),
    }
    missing = [name for name, value in claims.items() if value is None]
    if missing:
        raise invalid("claims", f"the credential has nothing for the claim {missing[0]}", "")
    if "validUntil" in credential:
        claims["exp"] = _seconds(credential, "validUntil")
    return make_token(header, {**credential, **claims}, sign)


# --- examining ----------------------------------------------------------------------------------------------


def _read_quietly(text: str | None) -> Token | None:
    try:
        return None if text is None else read_token(text)
    except MalformedInputError:
        return None


def _looks_like_a_credential(members: Members) -> bool:
    return CREDENTIAL in types_of(members) or any(
        context in (V1, V2) for context in contexts_of(members) if isinstance(context, str)
    )


def _examine(
    presented: Presented, tools: Tools, unwrap: Callable[[Token, Members], Members], name: str
) -> Examination:
    try:
        token = read_token(presented.token or "")
        claims = token.claims()
        credential = unwrap(token, claims)
    except MalformedInputError as error:
        return Examination(name, (_finding(CheckName.FORMAT, CheckResult.FAIL, str(error)),))
    signature = _signature(token, issuer_of(credential), tools)
    findings = (*format_findings(credential), signature)
    if "proof" in credential:
        embedded = check_proofs(credential, tools, owner=issuer_of(credential) or "")
        findings += tuple(finding for finding in embedded if finding.check is CheckName.SIGNATURE)
    if all(finding.result is not CheckResult.FAIL for finding in findings):
        intact = signature.result is CheckResult.PASS
        detail = "the credential is what the token's signature covers"
        findings += (_finding(CheckName.INTEGRITY, CheckResult.PASS, detail),) if intact else ()
    examination = examination_of(credential, findings, f" ({name})")
    return replace(examination, validity=_narrowed(examination.validity, claims))


def _signature(token: Token, issuer: str | None, tools: Tools) -> Finding:
    check = CheckName.SIGNATURE
    if issuer is None:
        return _finding(check, CheckResult.FAIL, "the credential in the token names no issuer")
    try:
        require_issuers_signature(token, issuer, tools)
    except (UnavailableSourceError, UnsupportedKeyError) as error:
        return _finding(check, CheckResult.UNKNOWN, str(error))
    except BadSignatureError as error:
        return _finding(check, CheckResult.FAIL, f"the token's signature does not fit: {error}")
    except MalformedInputError as error:
        return _finding(check, CheckResult.FAIL, str(error))
    return _finding(check, CheckResult.PASS, "the token was signed with the issuer's key")


def _finding(check: CheckName, result: CheckResult, detail: str) -> Finding:
    return Finding(check, result, detail.rstrip("."))


def _vc_jose_credential(token: Token, claims: Members) -> Members:
    """The payload is the credential. Raises `ValidationError` when header or claims contradict that."""
    content = token.header.get("cty")
    if isinstance(content, str) and content.lower().removeprefix("application/") not in ("vc", "vc+ld+json"):
        raise invalid("token", "the token says that it holds something else than a credential", "")
    if "vc" in claims or "vp" in claims:
        raise invalid("token", "the token wraps its credential in a claim, which VC-JOSE does not allow", "")
    credential = _without_claims(claims)
    _require_agreement(claims, credential)
    return credential


def _vc_jwt_credential(token: Token, claims: Members) -> Members:
    """The credential beside the claims or, of data model 1.1, in ``vc``. Raises `ValidationError` when a
    claim is missing or contradicts it."""
    if token.type not in (None, "jwt"):
        raise invalid("token", "the token is of another type than JWT", "")
    if "vc" in claims:
        wrapped = claims["vc"]
        if not isinstance(wrapped, Mapping) or _looks_like_a_credential(claims):
            raise invalid("token", "the token holds a credential both in a claim and beside it, or none", "")
        credential = _completed(claims, wrapped)
    else:
        credential = _without_claims(claims)
    _require_agreement(claims, credential)
    _require_same_times(claims, credential)
    wanted = {"iss", "jti", "nbf"} | ({"sub"} if _subject_id(credential) is not None else set())
    if any(claims.get(name) is None for name in wanted):
        raise invalid("token", "the token lacks one of the claims iss, jti, nbf and sub", "")
    if _until(credential) is not None and "exp" not in claims:
        raise invalid("token", "the credential has an end, and the token has no claim exp", "")
    return credential


def _without_claims(claims: Members) -> dict[str, JsonValue]:
    return {name: value for name, value in claims.items() if name not in _CLAIMS}


def _completed(claims: Members, wrapped: Members) -> Members:
    """A wrapped credential with what only the claims say (data model 1.1, section 6.3.1, decoding)."""
    credential = dict(wrapped)
    starts = "issuanceDate" if V1 in contexts_of(wrapped) else "validFrom"
    ends = "expirationDate" if V1 in contexts_of(wrapped) else "validUntil"
    issuer, subject = wrapped.get("issuer"), wrapped.get("credentialSubject")
    filled: dict[str, JsonValue] = {"id": claims.get("jti"), "issuer": claims.get("iss")}
    for name, claim in ((starts, "nbf"), (ends, "exp")):
        if claim in claims:
            filled[name] = format_time(_instant(claims, claim))
    if isinstance(issuer, Mapping) and "id" not in issuer and "iss" in claims:
        credential["issuer"] = {**issuer, "id": claims["iss"]}
    if isinstance(subject, Mapping) and "id" not in subject and "sub" in claims:
        credential["credentialSubject"] = {**subject, "id": claims["sub"]}
    return {name: value for name, value in filled.items() if value is not None} | credential


def _require_agreement(claims: Members, credential: Members) -> None:
    """Raise `ValidationError` where a registered claim and the credential differ."""
    expected = {"iss": issuer_of(credential), "jti": credential.get("id"), "sub": _subject_id(credential)}
    for name, value in expected.items():
        if name in claims and claims[name] != value:
            raise invalid("claims", f"the token's claim {name} contradicts the credential", "")
    for name in ("exp", "nbf", "iat"):
        if name in claims:
            _instant(claims, name)


def _require_same_times(claims: Members, credential: Members) -> None:
    """The same for the dates. In VC-JOSE the claims are about the signature alone, and may differ."""
    for name, found in (("nbf", _from(credential)), ("exp", _until(credential))):
        if name in claims and found is not None and _instant(claims, name) != found.replace(microsecond=0):
            raise invalid("claims", f"the token's claim {name} contradicts the credential", "")


def _narrowed(validity: Validity, claims: Members) -> Validity:
    """The time in which both the credential and the token are valid."""
    starts = [] if validity.valid_from is None else [validity.valid_from]
    ends = [] if validity.valid_until is None else [validity.valid_until]
    starts += [_instant(claims, "nbf")] if "nbf" in claims else []
    ends += [_instant(claims, "exp")] if "exp" in claims else []
    return Validity(max(starts, default=None), min(ends, default=None), validity.readable)


def _instant(claims: Members, name: str) -> datetime:
    """A NumericDate (RFC 7519, section 2), without its fraction. Raises `ValidationError`."""
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MAX_SECONDS:
        raise invalid("claims", f"the token's claim {name} is not a time in seconds", "")
    return datetime.fromtimestamp(int(value), UTC)


def _seconds(credential: Members, name: str) -> int | None:
    value = credential.get(name)
    return None if value is None else int(parse_time(value, pointer=f"/{name}").timestamp())


def _from(credential: Members) -> datetime | None:
    return _time_of(credential, ("validFrom", "issuanceDate"))


def _until(credential: Members) -> datetime | None:
    return _time_of(credential, ("validUntil", "expirationDate"))


def _time_of(credential: Members, names: tuple[str, ...]) -> datetime | None:
    """The first of these members that is a time; the form is judged elsewhere."""
    value = next((credential[name] for name in names if credential.get(name) is not None), None)
    try:
        return None if value is None else parse_time(value)
    except ValidationError:
        return None


def _subject_id(credential: Members) -> JsonValue:
    """The id of the only subject."""
    subject = credential.get("credentialSubject")
    if isinstance(subject, list) and len(subject) == 1:
        subject = subject[0]
    return subject.get("id") if isinstance(subject, Mapping) else None
