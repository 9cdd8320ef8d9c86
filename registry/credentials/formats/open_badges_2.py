"""Open Badges 2.0: assertions that their issuer hosts, and assertions in a JWS.

A hosted one is worth what its address serves: that must be the assertion shown (``integrity``), at a place
where the issuer's profile lets assertions be (``signature``, since it says who speaks), and not revoked. A
signed one is worth the signature of a key that the profile, at its own address, declares, and that names the
profile as its owner; then the issuer's revocation list is looked at. Nothing is fetched but through
`Tools.documents`; what cannot be had is `unknown`.

Invariants: no algorithm but the one of the key's kind is taken, so neither ``none`` nor a public key used as
an HMAC secret passes; a key in the token's header counts for nothing; the credential that is reported holds
the badge class and the profile as their addresses serve them, never the copies that came along.

A revoked assertion that is answered with 410 and no document is `unknown` here: `Tools.documents` has no
status codes. Assertions of 1.1 and before are not recognised.

Source: Open Badges 2.0 (IMS Global, 2018), "Verification"; JWS, RFC 7515, section 5.2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from registry.credentials.carriers.baked import MAX_CREDENTIAL_BYTES
from registry.credentials.findings import Examination, Finding, Presented
from registry.credentials.formats.open_badges_2_links import (
    MAX_KEYS,
    Backing,
    Links,
    Node,
    UnsettledError,
    WrongError,
    has_type,
    require_in_scope,
    strings_of,
)
from registry.credentials.keys import PublicKey
from registry.credentials.sources import Tools
from registry.encoding import JsonValue, canonical_json, parse_base64url, parse_json, parse_time
from registry.errors import BadSignatureError, MalformedInputError, ValidationError
from registry.verdict.evidence import NO_DATES, Validity
from registry.verdict.report import CheckName, CheckResult, Outcome

FORMAT = "Open Badges 2.0"

_CONTEXTS = ("https://w3id.org/openbadges/v2", "http://w3id.org/openbadges/v2")
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_IDENTITY_HASH = re.compile(r"(?:sha256\$[0-9a-f]{64}|md5\$[0-9a-f]{32})", re.IGNORECASE)
_HOSTED, _SIGNED = ("HostedBadge", "hosted"), ("SignedBadge", "signed")
_RECIPIENTS = {"email": "e-mail address", "url": "web address", "telephone": "telephone number", "id": "id"}


@dataclass(frozen=True, slots=True)
class _Jws:
    """A compact JWS, taken apart. ``signed`` is what the signature is over."""

    header: Node
    payload: JsonValue
    signed: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class _Result:
    """What became of the authenticity of an assertion. ``assertion`` is the one that counts."""

    findings: tuple[Finding, ...]
    assertion: Node
    backing: Backing | None = None


class OpenBadges2:
    """Examines Open Badges 2.0 assertions."""

    def recognises(self, presented: Presented) -> bool:
        if presented.document is not None:
            return _is_assertion(presented.document)
        try:
            return _is_assertion(_parse_jws(presented.token or "").payload)
        except MalformedInputError:
            return False

    def examine(self, presented: Presented, tools: Tools) -> Examination:
        try:
            jws = None if presented.token is None else _parse_jws(presented.token)
        except MalformedInputError:
            return Examination(FORMAT, (_fail(CheckName.FORMAT, "the token is not a signed assertion"),))
        shown = presented.document if jws is None else jws.payload
        if not isinstance(shown, Mapping):
            return Examination(FORMAT, (_fail(CheckName.FORMAT, "there is no assertion"),))
        problem = _problem_of_form(shown, in_token=jws is not None)
        if problem is not None:
            return Examination(FORMAT, (_fail(CheckName.FORMAT, problem),), credential=shown)
        form = _pass(CheckName.FORMAT, f"this is an assertion of {FORMAT}, {_recipient(shown)}")
        links = Links(tools.documents)
        if has_type(_verification(shown), _HOSTED):
            result = _examine_hosted(shown, links)
        elif jws is None:
            detail = "the assertion says that it is signed: send it as the token (JWS) that its issuer signed"
            result = _Result((_unknown(CheckName.SIGNATURE, detail),), shown)
        else:
            result = _examine_signed(shown, jws, links)
        return _examination(form, result)


def _examination(form: Finding, result: _Result) -> Examination:
    credential = dict(result.assertion)
    issuer, name = _claimed_issuer(result.assertion), None
    if result.backing is not None:
        credential["badge"] = {**result.backing.badge, "issuer": dict(result.backing.issuer)}
        issuer = result.backing.issuer_id
        said = result.backing.issuer.get("name")
        name = said if isinstance(said, str) else None
    return Examination(
        FORMAT,
        (form, *result.findings),
        issuer=issuer,
        name=name,
        credential=credential,
        validity=_validity(result.assertion),
    )


def _claimed_issuer(assertion: Node) -> str | None:
    """Whose badge it is by an embedded badge class."""
    badge = assertion.get("badge")
    return _id_of(badge.get("issuer")) if isinstance(badge, Mapping) else None


# --- the form -----------------------------------------------------------------------------------------------


def _is_assertion(value: JsonValue | Node) -> bool:
    """Blockcerts 2.0 says the same of itself, and adds a context of its own."""
    if not isinstance(value, Mapping):
        return False
    contexts = strings_of(value.get("@context"))
    own = any(context.rstrip("/") in _CONTEXTS for context in contexts)
    return own and has_type(value, ("Assertion",)) and not any("blockcerts" in one for one in contexts)


def _parse_jws(token: str) -> _Jws:
    """Raises `MalformedInputError`: not three parts, not base64url, or no JSON inside."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > MAX_CREDENTIAL_BYTES:
        raise ValidationError("a JWS has three parts")
    header = parse_json(parse_base64url(parts[0]))
    if not isinstance(header, Mapping):
        raise ValidationError("the header of a JWS is an object")
    payload = parse_json(parse_base64url(parts[1]))
    return _Jws(header, payload, f"{parts[0]}.{parts[1]}".encode(), parse_base64url(parts[2]))


def _problem_of_form(assertion: Node, *, in_token: bool) -> str | None:
    if not _is_assertion(assertion):
        return f"this is no assertion of {FORMAT}"
    identifier = assertion.get("id")
    if not isinstance(identifier, str) or _IRI.fullmatch(identifier) is None:
        return "the assertion has no id that is a web address or another IRI"
    if not isinstance(assertion.get("badge"), str | Mapping):
        return "the assertion does not say what badge it awards"
    if not isinstance(assertion.get("issuedOn"), str):
        return "the assertion does not say when it was issued"
    verification = _verification(assertion)
    if not has_type(verification, (*_HOSTED, *_SIGNED)):
        return "the assertion does not say how it is verified, hosted or signed"
    if in_token and has_type(verification, _HOSTED):
        return "the assertion is in a signed token, and says that it is verified where it is hosted"
    return _problem_of_recipient(assertion.get("recipient")) or _problem_of_dates(assertion)


def _problem_of_recipient(recipient: JsonValue) -> str | None:
    if not isinstance(recipient, Mapping):
        return "the assertion does not say whom it is for"
    identity, hashed = recipient.get("identity"), recipient.get("hashed", False)
    if not isinstance(identity, str) or not isinstance(recipient.get("type"), str):
        return "the recipient's identity or its type is missing"
    if not isinstance(hashed, bool) or not isinstance(recipient.get("salt", ""), str):
        return "whether the recipient's identity is hashed, and with what salt, is not readable"
    if hashed and _IDENTITY_HASH.fullmatch(identity) is None:
        return "the recipient's hashed identity is not a hash that Open Badges knows"
    return None


def _problem_of_dates(assertion: Node) -> str | None:
    dates = _validity(assertion)
    if dates.valid_from and dates.valid_until and dates.valid_until <= dates.valid_from:
        return "the assertion expires before it was issued"
    return None


def _validity(assertion: Node) -> Validity:
    issued, expires = assertion.get("issuedOn"), assertion.get("expires")
    if issued is None and expires is None:
        return NO_DATES
    try:
        return Validity(
            None if issued is None else parse_time(issued), None if expires is None else parse_time(expires)
        )
    except ValidationError:
        return Validity(readable=False)


def _verification(assertion: Node) -> Node:
    """``verify`` is the older name, an alias in the context."""
    value = assertion.get("verification", assertion.get("verify"))
    return value if isinstance(value, Mapping) else {}


def _recipient(assertion: Node) -> str:
    recipient = assertion["recipient"]
    assert isinstance(recipient, Mapping)
    kind = _RECIPIENTS.get(str(recipient["type"]), "identity of another kind")
    return f"awarded to a{' hashed' if recipient.get('hashed') else 'n open'} {kind}"


# --- hosted -------------------------------------------------------------------------------------------------


def _examine_hosted(shown: Node, links: Links) -> _Result:
    identifier = str(shown["id"])
    try:
        served = links.get(identifier, "the hosted assertion")
    except UnsettledError as error:
        checks = (CheckName.INTEGRITY, CheckName.SIGNATURE, CheckName.STATUS)
        return _Result(tuple(_unknown(check, str(error)) for check in checks), shown)
    if served.get("id") != identifier:
        detail = "the assertion's address serves something that goes by another id"
        return _Result((_fail(CheckName.INTEGRITY, detail),), shown)
    findings = [_compared(shown, served), _status_of_served(served)]
    stripped = "badge" not in served
    backing = None
    try:
        backing = links.backing(shown if stripped else served, signed=False)
        require_in_scope(identifier, backing)
        detail = "the assertion is hosted where its issuer's profile allows it"
        findings.append(_pass(CheckName.SIGNATURE, detail))
    except UnsettledError as error:
        findings.append(_unknown(CheckName.SIGNATURE, str(error)))
    except WrongError as error:
        findings.append(_fail(CheckName.SIGNATURE, str(error)))
    return _Result(tuple(findings), shown if stripped else served, backing)


def _compared(shown: Node, served: Node) -> Finding:
    if served.get("revoked") is True and "badge" not in served:
        detail = "the issuer took away what the assertion said when it was revoked"
        return Finding(CheckName.INTEGRITY, CheckResult.SKIPPED, detail)
    one, other = _with_badge_by_name(shown), _with_badge_by_name(served)
    names = sorted(one.keys() | other.keys())
    different = [name for name in names if not _equal(one.get(name), other.get(name))]
    if different:
        detail = "the assertion at its address is another than the one shown"
        return _fail(CheckName.INTEGRITY, detail)
    return _pass(CheckName.INTEGRITY, "its address serves the assertion that was shown")


def _with_badge_by_name(assertion: Node) -> Node:
    """A badge class may be embedded in one copy and linked in the other; it is looked up in either case."""
    badge = assertion.get("badge")
    if isinstance(badge, Mapping) and isinstance(badge.get("id"), str):
        return {**assertion, "badge": badge["id"]}
    return assertion


def _equal(one: JsonValue, other: JsonValue) -> bool:
    """By canonical JSON: in Python, 1 and true are equal."""
    return canonical_json(one) == canonical_json(other)


def _status_of_served(served: Node) -> Finding:
    if served.get("revoked", False) is not False:
        return _revoked("its address says that the assertion is revoked")
    return _pass(CheckName.STATUS, "its address does not say that the assertion is revoked")


# --- signed -------------------------------------------------------------------------------------------------


def _examine_signed(assertion: Node, jws: _Jws, links: Links) -> _Result:
    backing = None
    try:
        backing = links.backing(assertion, signed=True)
        _verify(assertion, jws, backing, links)
        signature = _pass(
            CheckName.SIGNATURE, "a key that the issuer's profile declares signed the assertion"
        )
    except UnsettledError as error:
        signature = _unknown(CheckName.SIGNATURE, str(error))
    except WrongError as error:
        signature = _fail(CheckName.SIGNATURE, str(error))
    return _Result((signature, _revocation(assertion, backing, links)), assertion, backing)


def _verify(assertion: Node, jws: _Jws, backing: Backing, links: Links) -> None:
    """Raises `WrongError`: no declared key made the signature; `UnsettledError`: that cannot be said."""
    if "crit" in jws.header:
        raise WrongError("the token demands extensions that are not known here")
    unsettled: UnsettledError | None = None
    wrong = WrongError("no key that the issuer's profile declares made this signature")
    for entry in _candidates(assertion, backing):
        try:
            key = _key_of(entry, backing, links)
        except UnsettledError as error:
            unsettled = error
            continue
        except WrongError as error:
            wrong = error
            continue
        if jws.header.get("alg") != key.kind.jose_algorithm:
            continue
        try:
            key.verify(jws.signature, jws.signed)
            return
        except BadSignatureError:
            continue
    raise unsettled or wrong


def _candidates(assertion: Node, backing: Backing) -> list[JsonValue]:
    """Entries of the profile's ``publicKey``: the one that the assertion names, or all."""
    member = backing.issuer.get("publicKey")
    entries = member if isinstance(member, list) else [] if member is None else [member]
    creator = _id_of(_verification(assertion).get("creator"))
    if creator is not None:
        entries = [entry for entry in entries if _id_of(entry) == creator]
    if not entries:
        raise WrongError("the issuer's profile does not declare the key that signed the assertion")
    if len(entries) > MAX_KEYS:
        raise WrongError(f"the issuer's profile declares more than {MAX_KEYS} keys, and none is named")
    return entries


def _key_of(entry: JsonValue, backing: Backing, links: Links) -> PublicKey:
    """A key that stands in the profile itself, or one that names the profile as its owner."""
    if isinstance(entry, Mapping) and "publicKeyPem" in entry:
        node: Node = entry
    else:
        node = links.node(entry, ("CryptographicKey", "Key"), "the issuer's key")
    if node.get("owner", None if node is not entry else backing.issuer_id) != backing.issuer_id:
        raise WrongError("the key that the issuer's profile declares names another owner")
    pem = node.get("publicKeyPem")
    try:
        return PublicKey.from_pem(pem.encode() if isinstance(pem, str) else b"")
    except ValidationError as error:
        raise UnsettledError("the issuer's key is of a kind or size that is not known here") from error


def _id_of(value: JsonValue) -> str | None:
    identifier = value.get("id") if isinstance(value, Mapping) else value
    return identifier if isinstance(identifier, str) else None


def _revocation(assertion: Node, backing: Backing | None, links: Links) -> Finding:
    if assertion.get("revoked", False) is not False:
        return _revoked("the assertion itself says that it is revoked")
    if backing is None:
        return _unknown(CheckName.STATUS, "the issuer's profile, which names its revocation list, is missing")
    member = backing.issuer.get("revocationList")
    if member is None:
        return Finding(CheckName.STATUS, CheckResult.SKIPPED, "the issuer's profile names no revocation list")
    try:
        listing = links.node(member, ("RevocationList",), "the issuer's revocation list")
    except (UnsettledError, WrongError) as error:
        return _unknown(CheckName.STATUS, str(error))
    entries = listing.get("revokedAssertions", [])
    if not isinstance(entries, list) or listing.get("issuer", backing.issuer_id) != backing.issuer_id:
        return _unknown(CheckName.STATUS, "the issuer's revocation list is not readable, or another issuer's")
    if any(_lists(entry, assertion) for entry in entries):
        return _revoked("the issuer's revocation list names the assertion")
    return _pass(CheckName.STATUS, "the issuer's revocation list does not name the assertion")


def _lists(entry: JsonValue, assertion: Node) -> bool:
    if not isinstance(entry, Mapping):
        return entry == assertion["id"]
    if entry.get("revoked", True) is False:
        return False
    uid = assertion.get("uid")
    return entry.get("id") == assertion["id"] or (isinstance(uid, str) and entry.get("uid") == uid)


# --- findings -----------------------------------------------------------------------------------------------


def _pass(check: CheckName, detail: str) -> Finding:
    return Finding(check, CheckResult.PASS, detail)


def _fail(check: CheckName, detail: str) -> Finding:
    return Finding(check, CheckResult.FAIL, detail)


def _unknown(check: CheckName, detail: str) -> Finding:
    return Finding(check, CheckResult.UNKNOWN, detail)


def _revoked(detail: str) -> Finding:
    return Finding(CheckName.STATUS, CheckResult.FAIL, detail, forces=Outcome.REVOKED)
