"""The documents that an Open Badges 2.0 assertion leans on, and which of them may speak for its issuer.

No I/O but through `Documents`.

An object that is embedded under somebody's web address is only a copy: whoever wrote the assertion wrote it
too. So what has a web address is always taken from there, and its ``id`` must be that address. Embedded
objects without one are taken only where a signature covers them.

Source: Open Badges 2.0, "VerificationObject", "HostedBadge Verification", "CryptographicKey"; the rule that
``startsWith`` narrows, and does not replace, the allowed hosts, as in 1EdTech's validator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from registry.credentials.sources import Documents
from registry.encoding import JsonValue, parse_json
from registry.errors import MalformedInputError, UnavailableSourceError

MAX_DOCUMENT_BYTES = 1024 * 1024
MAX_URL_CHARACTERS = 2048
MAX_KEYS = 10
"""Of one issuer, where the assertion does not say which one signed it."""

_VOCABULARY = ("", "obi:", "https://w3id.org/openbadges#", "sec:", "https://w3id.org/security#")

Node = Mapping[str, JsonValue]


class UnsettledError(Exception):
    """Something could not be looked at; the text says what would settle it. Never leaves the examiner."""


class WrongError(Exception):
    """Something is not as it must be; the text says what. Never leaves the examiner."""


@dataclass(frozen=True, slots=True)
class Backing:
    """Whose badge it is: the BadgeClass and its issuer's Profile, each from its own address if it has one."""

    badge: Node
    issuer: Node

    @property
    def issuer_id(self) -> str:
        """The address of the issuer's profile."""
        return str(self.issuer["id"])


@dataclass(frozen=True, slots=True)
class Links:
    """Follows links between documents."""

    documents: Documents

    def get(self, url: str, what: str) -> Node:
        """The JSON object that ``url`` serves.

        Raises:
            UnsettledError: it cannot be had, or is no JSON object.
        """
        if web_address(url) is None:
            raise UnsettledError(f"{what} has no address that could be looked up")
        try:
            served = parse_json(self.documents.get(url.partition("#")[0]), max_bytes=MAX_DOCUMENT_BYTES)
        except UnavailableSourceError as error:
            raise UnsettledError(str(error)) from error
        except MalformedInputError as error:
            raise UnsettledError(f"the address of {what} does not answer with JSON; supply it") from error
        if not isinstance(served, Mapping):
            raise UnsettledError(f"the address of {what} does not answer with a JSON object; supply it")
        return served

    def node(self, value: JsonValue, types: tuple[str, ...], what: str, *, embedded: bool = False) -> Node:
        """The object that a member points at, or that it holds.

        Args:
            types: one of which the object must be.
            embedded: an object without a web address may be taken as it stands.

        Raises:
            UnsettledError: see `get`. WrongError: no link, another object, or another type.
        """
        address = value.get("id") if isinstance(value, Mapping) else value
        if not isinstance(address, str):
            raise WrongError(f"{what} is not named")
        if web_address(address) is not None:
            node = self.get(address, what)
        elif embedded and isinstance(value, Mapping):
            node = value
        else:
            raise WrongError(f"{what} has no web address, so nothing vouches for it")
        if node.get("id") != address:
            raise WrongError(f"the address of {what} serves something that goes by another id")
        if not has_type(node, types):
            raise WrongError(f"the address of {what} serves something else")
        return node

    def backing(self, assertion: Node, *, signed: bool) -> Backing:
        """The BadgeClass of an assertion and its issuer. Raises as `node`."""
        badge = self.node(assertion.get("badge"), ("BadgeClass",), "the badge class", embedded=signed)
        issuer = self.node(badge.get("issuer"), ("Issuer", "Profile"), "the issuer's profile")
        return Backing(badge, issuer)


def web_address(text: str) -> SplitResult | None:
    """An http or https address with a host, without user and password; otherwise None."""
    if len(text) > MAX_URL_CHARACTERS or not text.isascii() or not text.isprintable() or " " in text:
        return None
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
        return parts if usable and "\\" not in text and parts.port != 0 else None
    except ValueError:  # brackets, or a port that is no number
        return None


def require_in_scope(assertion_id: str, backing: Backing) -> None:
    """Check that the issuer lets assertions be hosted at ``assertion_id``.

    Raises:
        WrongError: it does not.
    """
    assertion, issuer = web_address(assertion_id), web_address(backing.issuer_id)
    assert issuer is not None  # `Links.backing` took it from there
    if assertion is None:
        raise WrongError("a hosted assertion has a web address as its id")
    policy = backing.issuer.get("verification")
    if not isinstance(policy, Mapping):
        badge = web_address(str(backing.badge["id"]))
        if badge is None or not origin_of(assertion) == origin_of(badge) == origin_of(issuer):
            raise WrongError(
                "the assertion is not hosted where its issuer is, and the issuer allows no other"
            )
        return
    if policy.get("verificationProperty", "id") not in ("id", "@id"):
        raise WrongError("the issuer wants assertions recognised by something other than their id")
    beginnings = strings_of(policy.get("startsWith"))
    if policy.get("startsWith") is not None and not any(map(assertion_id.startswith, beginnings)):
        raise WrongError("the assertion's address does not begin as its issuer demands")
    allowed = strings_of(policy.get("allowedOrigins")) or [issuer.netloc]
    host = assertion.netloc.lower()
    if not any(one.lower().rstrip("/") in (host, origin_of(assertion)) for one in allowed):
        raise WrongError("the assertion is hosted where its issuer does not allow it")


def origin_of(parts: SplitResult) -> str:
    """Scheme and host, and the port where it is written, in lower case."""
    return f"{parts.scheme}://{parts.netloc}".lower()


def has_type(node: Node, types: Sequence[str]) -> bool:
    """Whether the object says that it is one of the types, in any spelling that the context allows."""
    wanted = {prefix + name for prefix in _VOCABULARY for name in types}
    return not wanted.isdisjoint(strings_of(node.get("type", node.get("@type"))))


def strings_of(value: JsonValue) -> list[str]:
    """The texts of a member that has one value or a list."""
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]
