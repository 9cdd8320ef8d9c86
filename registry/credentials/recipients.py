"""Whom a credential is for: an e-mail address, a DID or a web address, as Open Badges 3.0 writes them.

A DID or a web address is the ``id`` of the subject. An e-mail address becomes an IdentityObject, hashed with
a salt of its own by default, so that a published credential does not publish the address. The hash hides an
address from readers and not from somebody who tries likely ones: the salt stands beside it, as the
specification has it.

The specification hashes the identity as it is written and says nothing of upper and lower case. Addresses are
written in lower case here, since people type theirs in any; matching tries what was typed, and that in lower
case. Comparisons take the same time whatever they compare, and every candidate is compared.

Source: Open Badges 3.0, "IdentityObject" and "IdentityHash" (``sha256$`` and the hexadecimal SHA-256 of the
identity followed by the salt); Open Badges 2.0, "IdentityObject", which has other names for the same.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from hashlib import md5, sha256
from typing import NoReturn
from urllib.parse import urlsplit

from registry.encoding import JsonValue, invalid

MAX_RECIPIENT_CHARACTERS = 2048
MAX_EMAIL_CHARACTERS = 254
"""RFC 5321, section 4.5.3.1.3, less the angle brackets."""

_SALT_BYTES = 16
# RFC 5321, section 4.1.2, without quoted local parts and address literals; RFC 6531 for other scripts.
_EMAIL = re.compile(r"[^\s\"(),:;<>@\[\]\\\x00-\x20\x7f]{1,64}@(?:[\w-]{1,63}\.)+[\w-]{2,63}")
# DID Core 1.0, section 3.1, without path, query and fragment.
_DID = re.compile(r"did:[a-z0-9]+:(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2}|:)*(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})")
_HASH_DIGITS = {"sha256": 64, "md5": 32}
_EMAIL_TYPES = ("emailAddress", "email")


class RecipientKind(Enum):
    """How a recipient is named."""

    EMAIL = "email"
    DID = "did"
    URL = "url"


class IdentityMatch(Enum):
    """What comparing a claimed address with an IdentityObject gave. No truth value: look at it."""

    SAME = "same"
    DIFFERENT = "different"
    UNDECIDABLE = "undecidable"
    """The identity is no e-mail address, or is written in a way that is not known here."""

    def __bool__(self) -> NoReturn:
        raise TypeError("a match has no truth value; compare it with IdentityMatch.SAME")


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a credential is for. Made by `parse_recipient`, which checks ``value``."""

    kind: RecipientKind
    value: str


def parse_recipient(text: object, *, pointer: str = "") -> Recipient:
    """Read an e-mail address (kept in lower case), a DID or an http(s) address.

    Raises:
        ValidationError: code ``type`` or ``recipient``.
    """
    if not isinstance(text, str):
        raise invalid("type", "a recipient is a string", pointer)
    value = text.strip()
    if len(value) <= MAX_RECIPIENT_CHARACTERS:
        if value.startswith("did:") and _DID.fullmatch(value):
            return Recipient(RecipientKind.DID, value)
        if _is_web_address(value):
            return Recipient(RecipientKind.URL, value)
        if len(value) <= MAX_EMAIL_CHARACTERS and _EMAIL.fullmatch(value):
            return Recipient(RecipientKind.EMAIL, value.lower())
    raise invalid("recipient", "a recipient is an e-mail address, a DID or a web address", pointer)


def subject_members(
    recipient: Recipient, *, hashed: bool = True, salt: str | None = None
) -> dict[str, JsonValue]:
    """The members of a ``credentialSubject`` that say whom it is about: ``id``, or ``identifier`` with one
    IdentityObject.

    Args:
        hashed: whether an e-mail address is hashed; False publishes it.
        salt: 32 random hexadecimal digits by default.
    """
    if recipient.kind is RecipientKind.EMAIL:
        return {"identifier": [identity_object(recipient.value, hashed=hashed, salt=salt)]}
    return {"id": recipient.value}


def identity_object(email: str, *, hashed: bool = True, salt: str | None = None) -> dict[str, JsonValue]:
    """The IdentityObject of an e-mail address as `parse_recipient` gives it; arguments as there."""
    members: dict[str, JsonValue] = {"type": "IdentityObject", "hashed": hashed}
    if not hashed:
        return {**members, "identityHash": email, "identityType": "emailAddress"}
    salt = secrets.token_hex(_SALT_BYTES) if salt is None else salt
    return {
        **members,
        "identityHash": _hashed("sha256", email, salt),
        "identityType": "emailAddress",
        "salt": salt,
    }


def match_email(identity: Mapping[str, JsonValue], email: str) -> IdentityMatch:
    """Compare a claimed e-mail address with an IdentityObject of Open Badges 3.0 or 2.0.

    Args:
        identity: an entry of ``credentialSubject.identifier``, or a ``recipient`` of 2.0; whoever made it may
            have made it badly.
        email: what somebody says is theirs; that it is theirs is not checked here.
    """
    written = identity.get("identityHash", identity.get("identity"))
    kind = identity.get("identityType", identity.get("type"))
    hashed, salt = identity.get("hashed", False), identity.get("salt", "")
    if not isinstance(written, str) or kind not in _EMAIL_TYPES or not isinstance(salt, str):
        return IdentityMatch.UNDECIDABLE
    typed = email.strip()
    if hashed is False:  # plain: neither side's case counts
        candidates, target = [typed.lower()], written.strip().lower()
    elif hashed is True:
        name, _, digest = written.lower().partition("$")
        if _HASH_DIGITS.get(name) != len(digest):
            return IdentityMatch.UNDECIDABLE
        candidates, target = [_hashed(name, one, salt) for one in (typed, typed.lower())], written.lower()
    else:
        return IdentityMatch.UNDECIDABLE
    found = [_equal(candidate, target) for candidate in candidates]
    return IdentityMatch.SAME if any(found) else IdentityMatch.DIFFERENT


def _hashed(name: str, identity: str, salt: str) -> str:
    salted = (identity + salt).encode("utf-8", "surrogatepass")
    digest = sha256(salted) if name == "sha256" else md5(salted, usedforsecurity=False)
    return f"{name}${digest.hexdigest()}"


def _equal(one: str, other: str) -> bool:
    """In constant time for texts of one length."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def _is_web_address(text: str) -> bool:
    if not text.isascii() or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False
