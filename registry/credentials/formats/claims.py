"""Registered claims of tokens, and the credential that they repeat. Pure.

Invariant: where claims and credential speak of the same thing, they agree, or the token is refused: otherwise
two readers would see two credentials.

Source: JSON Web Token (RFC 7519, section 4.1); Verifiable Credentials Data Model 1.1, section 6.3.1; Open
Badges 3.0, section 8.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from registry.credentials.formats.data_model import V1, contexts_of, issuer_of
from registry.encoding import JsonValue, format_time, invalid, parse_time
from registry.errors import ValidationError
from registry.verdict.evidence import Validity

_CLAIMS = ("iss", "sub", "aud", "exp", "nbf", "iat", "jti")
_MAX_SECONDS = 253_402_300_799  # the last second of the year 9999

Members = Mapping[str, JsonValue]


def without_claims(claims: Members) -> dict[str, JsonValue]:
    """The payload without its registered claims."""
    return {name: value for name, value in claims.items() if name not in _CLAIMS}


def completed(claims: Members, wrapped: Members) -> Members:
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


def require_agreement(claims: Members, credential: Members) -> None:
    """Raise `ValidationError` where a registered claim and the credential differ."""
    expected = {"iss": issuer_of(credential), "jti": credential.get("id"), "sub": subject_id_of(credential)}
    for name, value in expected.items():
        if name in claims and claims[name] != value:
            raise invalid("claims", f"the token's claim {name} contradicts the credential", "")
    for name in ("exp", "nbf", "iat"):
        if name in claims:
            _instant(claims, name)


def require_same_times(claims: Members, credential: Members) -> None:
    """The same for the dates. In VC-JOSE the claims are about the signature alone, and may differ."""
    for name, found in (("nbf", starts_at(credential)), ("exp", ends_at(credential))):
        if name in claims and found is not None and _instant(claims, name) != found.replace(microsecond=0):
            raise invalid("claims", f"the token's claim {name} contradicts the credential", "")


def narrowed(validity: Validity, claims: Members) -> Validity:
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


def seconds_of(credential: Members, name: str) -> int | None:
    """A date of the credential as a NumericDate; None when it has none. Raises `ValidationError`."""
    value = credential.get(name)
    return None if value is None else int(parse_time(value, pointer=f"/{name}").timestamp())


def starts_at(credential: Members) -> datetime | None:
    """When the credential begins to be valid, if it says so readably."""
    return _time_of(credential, ("validFrom", "issuanceDate"))


def ends_at(credential: Members) -> datetime | None:
    """When it ceases to be valid."""
    return _time_of(credential, ("validUntil", "expirationDate"))


def _time_of(credential: Members, names: tuple[str, ...]) -> datetime | None:
    """The first of these members that is a time; the form is judged elsewhere."""
    value = next((credential[name] for name in names if credential.get(name) is not None), None)
    try:
        return None if value is None else parse_time(value)
    except ValidationError:
        return None


def subject_id_of(credential: Members) -> JsonValue:
    """The id of the only subject."""
    subject = credential.get("credentialSubject")
    if isinstance(subject, list) and len(subject) == 1:
        subject = subject[0]
    return subject.get("id") if isinstance(subject, Mapping) else None
