"""Controller documents (DID documents among them): which verification methods they hold, for which purposes.

Pure: bytes in, methods out. A document speaks for its own ``id`` alone, so that must be the identifier that
was asked for, and a method counts only when its ``controller`` is that same identifier: another's document
could otherwise claim any controller. A key is read when it is asked for, so that a method of an unknown kind
does not spoil its neighbours.

Source: Controlled Identifiers 1.0, sections 2 and 3.3; Decentralized Identifiers 1.0, section 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from registry.credentials.keys import KeyType, PublicKey
from registry.encoding import JsonValue, invalid, parse_base58btc, parse_hex, parse_json, parse_time
from registry.errors import Fault, UnsupportedKeyError, ValidationError

PURPOSES = (
    "assertionMethod",
    "authentication",
    "capabilityDelegation",
    "capabilityInvocation",
    "keyAgreement",
)
MAX_DOCUMENT_BYTES = 1 << 20
MAX_METHODS = 1000
_MAX_BASE58_CHARACTERS = 80

_ANY = frozenset(KeyType)
_ED25519 = frozenset((KeyType.ED25519,))
_KINDS: Mapping[str, frozenset[KeyType]] = {
    "Multikey": _ANY,
    "JsonWebKey": _ANY,
    "JsonWebKey2020": _ANY,
    "Ed25519VerificationKey2020": _ED25519,
    "Ed25519VerificationKey2018": _ED25519,
    "EcdsaSecp256k1VerificationKey2019": frozenset((KeyType.SECP256K1,)),
    "EcdsaSecp256r1VerificationKey2019": frozenset((KeyType.P256,)),
}
"""Types of verification methods, and the kinds of key that each may hold."""

_MATERIAL = ("publicKeyMultibase", "publicKeyJwk", "publicKeyBase58", "publicKeyHex")
_SECRETS = ("secretKeyMultibase", "secretKeyJwk", "privateKeyMultibase", "privateKeyJwk", "privateKeyBase58")


@dataclass(frozen=True, slots=True)
class VerificationMethod:
    """A key, whose it is, and what it may be used for.

    Attributes:
        id: its absolute identifier, as proofs name it.
        controller: the DID or URL whose document lists it.
        purposes: the verification relationships that list it.
        expires, revoked: from when on it no longer counts; None where its document says nothing.
    """

    id: str
    controller: str
    key: PublicKey
    purposes: frozenset[str]
    expires: datetime | None = None
    revoked: datetime | None = None


@dataclass(frozen=True, slots=True)
class ControllerDocument:
    """A document that was read, its methods not yet.

    Attributes:
        id: the DID or URL that it speaks for.
        members: the whole document.
        methods: each method's members by its absolute id.
        listed: for each absolute id, the purposes under which it stands; ids of other documents included.
    """

    id: str
    members: Mapping[str, JsonValue]
    methods: Mapping[str, Mapping[str, JsonValue]]
    listed: Mapping[str, frozenset[str]]

    def method(self, method_id: str) -> VerificationMethod:
        """The method with this absolute id.

        Raises:
            UnsupportedKeyError: it has a type or a kind of key that is not known here.
            ValidationError: the document does not hold it, or it is wrong.
        """
        members = self.methods.get(method_id)
        if members is None:
            raise invalid("method", "the controller's document does not hold this verification method", "")
        return method_of(members, method_id, self.id, self.listed.get(method_id, frozenset()))

    def readable_methods(self) -> Iterator[VerificationMethod]:
        """Every method that can be read here; those that cannot are passed over."""
        for method_id in self.methods:
            try:
                yield self.method(method_id)
            except ValidationError:
                continue


def read_controller(data: bytes, identifier: str) -> ControllerDocument:
    """Read the document that was found for ``identifier``.

    Args:
        data: at most 1 MiB of strict JSON.
        identifier: the DID or URL that was asked for.

    Raises:
        MalformedInputError: too long, not strict JSON, another ``id``, two methods of one id, more than 1,000
            methods, or members of another type.
    """
    document = parse_json(data, max_bytes=MAX_DOCUMENT_BYTES)
    if not isinstance(document, Mapping) or document.get("id") != identifier:
        raise invalid("id", "the document does not speak for the identifier that was asked for", "/id")
    methods: dict[str, Mapping[str, JsonValue]] = {}
    listed: dict[str, frozenset[str]] = {}
    for name in ("verificationMethod", "publicKey"):
        for entry in _entries(document, name):
            if not isinstance(entry, Mapping):
                _refuse("a verification method is an object", name)
            _add(methods, entry, identifier, name)
    for purpose in PURPOSES:
        for entry in _entries(document, purpose):
            if isinstance(entry, Mapping):
                method_id = _add(methods, entry, identifier, purpose)
            elif isinstance(entry, str):
                method_id = _absolute(entry, identifier)
            else:
                _refuse("a verification relationship lists methods and their ids", purpose)
            listed[method_id] = listed.get(method_id, frozenset()) | {purpose}
    return ControllerDocument(identifier, document, methods, listed)


def method_of(
    members: Mapping[str, JsonValue], method_id: str, controller: str, purposes: frozenset[str]
) -> VerificationMethod:
    """Read one verification method. Raises as `ControllerDocument.method`."""
    if members.get("controller") != controller:
        raise invalid("controller", "the verification method is under another controller", "/controller")
    times = {
        name: parse_time(members[name], pointer=f"/{name}")
        for name in ("expires", "revoked")
        if members.get(name) is not None
    }
    return VerificationMethod(
        method_id, controller, _key(members), purposes, times.get("expires"), times.get("revoked")
    )


def _entries(document: Mapping[str, JsonValue], name: str) -> list[JsonValue]:
    """The values of a member that may be one value or a list of them (JSON-LD sets)."""
    value = document.get(name)
    if value is None:
        return []
    entries = value if isinstance(value, list) else [value]
    if len(entries) > MAX_METHODS:
        _refuse(f"a document has at most {MAX_METHODS} entries here", name)
    return entries


def _add(
    methods: dict[str, Mapping[str, JsonValue]], entry: Mapping[str, JsonValue], base: str, name: str
) -> str:
    method_id = entry.get("id")
    if not isinstance(method_id, str):
        _refuse("a verification method has an id, a string", name)
    absolute = _absolute(method_id, base)
    if absolute in methods:
        _refuse("two verification methods have the same id", name)
    methods[absolute] = entry
    return absolute


def _absolute(method_id: str, base: str) -> str:
    """Relative ids are fragments only (Decentralized Identifiers 1.0, section 3.2.2)."""
    return base + method_id if method_id.startswith("#") else method_id


def _refuse(detail: str, name: str) -> NoReturn:
    raise invalid("controller-document", detail, f"/{name}")


def _key(members: Mapping[str, JsonValue]) -> PublicKey:
    kind = members.get("type")
    kinds = _KINDS.get(kind) if isinstance(kind, str) else None
    if kinds is None:
        detail = "the verification method is of a type that is not known here"
        raise UnsupportedKeyError(detail, faults=[Fault("method-type", detail, "/type")])
    if any(name in members for name in _SECRETS):
        raise invalid("key", "the verification method shows a secret key", "")
    present = [name for name in _MATERIAL if name in members]
    if len(present) != 1:
        raise invalid("key", "a verification method holds exactly one public key", "")
    key = _material(present[0], members[present[0]], kinds)
    if key.kind not in kinds:
        raise invalid("key", "the verification method's key is not of its type's kind", f"/{present[0]}")
    return key


def _material(name: str, value: JsonValue, kinds: frozenset[KeyType]) -> PublicKey:
    pointer = f"/{name}"
    if name == "publicKeyMultibase":
        return PublicKey.from_multikey(value, pointer=pointer)
    if name == "publicKeyJwk":
        return PublicKey.from_jwk(value, pointer=pointer)
    if len(kinds) != 1:
        raise invalid("key", "this type of verification method does not say what the bytes are", pointer)
    (kind,) = kinds
    if not isinstance(value, str):
        raise invalid("type", "a key is a string", pointer)
    if name == "publicKeyBase58":
        raw = parse_base58btc("z" + value, max_characters=_MAX_BASE58_CHARACTERS, pointer=pointer)
    else:
        raw = parse_hex("0x" + value, len(value) // 2, pointer=pointer)
    return PublicKey.from_raw(kind, raw, pointer=pointer)
