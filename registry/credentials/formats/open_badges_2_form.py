"""What an Open Badges 2.0 assertion must look like, as JSON or in a JWS. Pure.

Source: Open Badges 2.0, "Assertion", "IdentityObject", "Primitive datatypes"; JWS, RFC 7515, section 7.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from registry.credentials.carriers.baked import MAX_CREDENTIAL_BYTES
from registry.credentials.formats.open_badges_2_links import Node, has_type, strings_of
from registry.encoding import JsonValue, parse_base64url, parse_json, parse_time
from registry.errors import ValidationError
from registry.verdict.evidence import NO_DATES, Validity

FORMAT = "Open Badges 2.0"
HOSTED, SIGNED = ("HostedBadge", "hosted"), ("SignedBadge", "signed")

_CONTEXTS = ("https://w3id.org/openbadges/v2", "http://w3id.org/openbadges/v2")
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_IDENTITY_HASH = re.compile(r"(?:sha256\$[0-9a-f]{64}|md5\$[0-9a-f]{32})", re.IGNORECASE)
_RECIPIENTS = {"email": "e-mail address", "url": "web address", "telephone": "telephone number", "id": "id"}


@dataclass(frozen=True, slots=True)
class Jws:
    """A compact JWS, taken apart. ``signed`` is what the signature is over."""

    header: Node
    payload: JsonValue
    signed: bytes
    signature: bytes


def is_assertion(value: JsonValue | Node) -> bool:
    """Whether it says that it is an assertion of 2.0, by context and type. Blockcerts 2.0 says the same of
    itself, and adds a context of its own."""
    if not isinstance(value, Mapping):
        return False
    contexts = strings_of(value.get("@context"))
    own = any(context.rstrip("/") in _CONTEXTS for context in contexts)
    return own and has_type(value, ("Assertion",)) and not any("blockcerts" in one for one in contexts)


def parse_jws(token: str) -> Jws:
    """Take a compact JWS apart; nothing is verified.

    Raises:
        MalformedInputError: not three parts, not base64url, or no JSON inside.
    """
    parts = token.split(".")
    if len(parts) != 3 or len(token) > MAX_CREDENTIAL_BYTES:
        raise ValidationError("a JWS has three parts")
    header = parse_json(parse_base64url(parts[0]))
    if not isinstance(header, Mapping):
        raise ValidationError("the header of a JWS is an object")
    payload = parse_json(parse_base64url(parts[1]))
    return Jws(header, payload, f"{parts[0]}.{parts[1]}".encode(), parse_base64url(parts[2]))


def problem_of_form(assertion: Node, *, in_token: bool) -> str | None:
    """What the assertion lacks, as a clause for people; None when it has its form.

    Args:
        in_token: it came in a JWS.
    """
    if not is_assertion(assertion):
        return f"this is no assertion of {FORMAT}"
    identifier = assertion.get("id")
    if not isinstance(identifier, str) or _IRI.fullmatch(identifier) is None:
        return "the assertion has no id that is a web address or another IRI"
    if not isinstance(assertion.get("badge"), str | Mapping):
        return "the assertion does not say what badge it awards"
    if not isinstance(assertion.get("issuedOn"), str):
        return "the assertion does not say when it was issued"
    verification = verification_of(assertion)
    if not has_type(verification, (*HOSTED, *SIGNED)):
        return "the assertion does not say how it is verified, hosted or signed"
    if in_token and has_type(verification, HOSTED):
        return "the assertion is in a signed token, and says that it is verified where it is hosted"
    return _problem_ofrecipient_for_people(assertion.get("recipient")) or _problem_of_dates(assertion)


def _problem_ofrecipient_for_people(recipient: JsonValue) -> str | None:
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
    dates = validity_of(assertion)
    if dates.valid_from and dates.valid_until and dates.valid_until <= dates.valid_from:
        return "the assertion expires before it was issued"
    return None


def validity_of(assertion: Node) -> Validity:
    """From its ``issuedOn`` to its ``expires``."""
    issued, expires = assertion.get("issuedOn"), assertion.get("expires")
    if issued is None and expires is None:
        return NO_DATES
    try:
        return Validity(
            None if issued is None else parse_time(issued), None if expires is None else parse_time(expires)
        )
    except ValidationError:
        return Validity(readable=False)


def verification_of(assertion: Node) -> Node:
    """``verify`` is the older name, an alias in the context."""
    value = assertion.get("verification", assertion.get("verify"))
    return value if isinstance(value, Mapping) else {}


def recipient_for_people(assertion: Node) -> str:
    """By what the recipient of an assertion that has its form is named, without the name itself."""
    recipient = assertion["recipient"]
    assert isinstance(recipient, Mapping)
    kind = _RECIPIENTS.get(str(recipient["type"]), "identity of another kind")
    return f"awarded to a{' hashed' if recipient.get('hashed') else 'n open'} {kind}"
