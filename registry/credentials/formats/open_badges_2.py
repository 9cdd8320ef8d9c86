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

from collections.abc import Mapping
from dataclasses import dataclass

from registry.credentials.findings import Examination, Finding, Presented
from registry.credentials.formats.open_badges_2_form import (
    FORMAT,
    HOSTED,
    Jws,
    is_assertion,
    parse_jws,
    problem_of_form,
    recipient_for_people,
    validity_of,
    verification_of,
)
from registry.credentials.formats.open_badges_2_links import (
    MAX_KEYS,
    Backing,
    Links,
    Node,
    UnsettledError,
    WrongError,
    has_type,
    require_in_scope,
)
from registry.credentials.keys import PublicKey
from registry.credentials.sources import Documents, Tools
from registry.encoding import JsonValue, canonical_json
from registry.errors import BadSignatureError, MalformedInputError, UnavailableSourceError, ValidationError
from registry.verdict.report import CheckName, CheckResult, Outcome


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
            return is_assertion(presented.document)
        try:
            return is_assertion(parse_jws(presented.token or "").payload)
        except MalformedInputError:
            return False

    def examine(self, presented: Presented, tools: Tools) -> Examination:
        try:
            jws = None if presented.token is None else parse_jws(presented.token)
        except MalformedInputError:
            return Examination(FORMAT, (_fail(CheckName.FORMAT, "the token is not a signed assertion"),))
        shown = presented.document if jws is None else jws.payload
        if not isinstance(shown, Mapping):
            return Examination(FORMAT, (_fail(CheckName.FORMAT, "there is no assertion"),))
        problem = problem_of_form(shown, in_token=jws is not None)
        if problem is not None:
            return Examination(FORMAT, (_fail(CheckName.FORMAT, problem),), credential=shown)
        form = _pass(CheckName.FORMAT, f"this is an assertion of {FORMAT}, {recipient_for_people(shown)}")
        links = Links(tools.documents)
        if has_type(verification_of(shown), HOSTED):
            result = _examine_hosted(shown, links)
        elif jws is None:
            detail = "the assertion says that it is signed: send it as the token (JWS) that its issuer signed"
            result = _Result((_unknown(CheckName.SIGNATURE, detail),), shown)
        else:
            result = _examine_signed(shown, jws, links)
        return _examination(form, result)


def hosted_assertion(address: str, documents: Documents) -> Presented:
    """The assertion at an address that a file gave (`Contents.hosted_at`), to be examined like one shown.

    Raises:
        UnavailableSourceError: it cannot be had, or is no JSON object.
    """
    try:
        return Presented(document=Links(documents).get(address, "the hosted assertion"))
    except UnsettledError as error:
        raise UnavailableSourceError(str(error)) from error


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
        validity=validity_of(result.assertion),
    )


def _claimed_issuer(assertion: Node) -> str | None:
    """Whose badge it is by an embedded badge class."""
    badge = assertion.get("badge")
    return _id_of(badge.get("issuer")) if isinstance(badge, Mapping) else None


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


def _examine_signed(assertion: Node, jws: Jws, links: Links) -> _Result:
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


def _verify(assertion: Node, jws: Jws, backing: Backing, links: Links) -> None:
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
    creator = _id_of(verification_of(assertion).get("creator"))
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
