"""Compact JSON Web Signatures: read strictly, verified with a public key, made. Pure: no key is looked up
here.

Invariants: the algorithm is the one of the key's kind, never what the token says alone, so neither
``none`` nor a public key used as an HMAC secret can pass; no critical extension and no unencoded payload;
header and payload are strict JSON without duplicate names; every part has one spelling in base64url.

Source: JSON Web Signature (RFC 7515, sections 3.1, 5.2), JWS Unencoded Payload Option (RFC 7797), JSON
Web Token Best Current Practices (RFC 8725, sections 3.1 to 3.3, 3.11).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from registry.credentials.keys import KeyType, PublicKey
from registry.encoding import JsonValue, canonical_json, invalid, parse_base64url, parse_json, to_base64url
from registry.errors import BadSignatureError, Fault, UnsupportedKeyError

MAX_TOKEN_CHARACTERS = 1 << 20
_MAX_HEADER_BYTES = 16 << 10
_MAX_HEADER_DEPTH = 8

_KINDS: Mapping[str, KeyType] = {
    "EdDSA": KeyType.ED25519,
    "Ed25519": KeyType.ED25519,
    "ES256": KeyType.P256,
    "ES384": KeyType.P384,
    "ES256K": KeyType.SECP256K1,
    "RS256": KeyType.RSA,
}
_NEVER = ("none", "hs256", "hs384", "hs512")

Sign = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was read, its signature not yet checked.

    Attributes:
        header: the protected header.
        payload: the decoded bytes of the payload.
        signing_input: what the signature covers.
    """

    header: Mapping[str, JsonValue]
    payload: bytes
    signature: bytes
    signing_input: bytes

    @property
    def type(self) -> str | None:
        """``typ`` in lower case, without ``application/`` (RFC 7515, section 4.1.9)."""
        name = self.header.get("typ")
        return name.lower().removeprefix("application/") if isinstance(name, str) else None

    def claims(self) -> Mapping[str, JsonValue]:
        """The payload as strict JSON. Raises `MalformedInputError`: no JSON, or no object."""
        claims = parse_json(self.payload)
        if not isinstance(claims, Mapping):
            raise invalid("token", "the token's payload is not a JSON object", "")
        return claims


def read_token(text: str) -> Token:
    """Take a compact JWS apart.

    Args:
        text: at most 2^20 characters, without white space.

    Raises:
        MalformedInputError: not three parts of base64url, a header that is not a JSON object, or one with
            ``crit``, ``b64`` or members of another type.
    """
    parts = text.split(".") if len(text) <= MAX_TOKEN_CHARACTERS else []
    if len(parts) != 3:
        raise invalid("token", "a token has three parts between dots, and at most a million characters", "")
    header_bytes, payload, signature = map(parse_base64url, parts)
    header = parse_json(header_bytes, max_bytes=_MAX_HEADER_BYTES, max_depth=_MAX_HEADER_DEPTH)
    if not isinstance(header, Mapping) or not isinstance(header.get("alg"), str):
        raise invalid("token", "a token's header is an object with an algorithm", "")
    if "crit" in header or "b64" in header:
        raise invalid("token", "the token's header asks for extensions that are not supported", "")
    for name in ("typ", "cty", "kid"):
        if not isinstance(header.get(name, ""), str):
            raise invalid("token", f"the header's {name} is a string", "")
    return Token(header, payload, signature, f"{parts[0]}.{parts[1]}".encode("ascii"))


def verify_token(token: Token, key: PublicKey) -> None:
    """Return when the token was signed with ``key`` by the algorithm that it names.

    Raises:
        UnsupportedKeyError: an algorithm that is not known here.
        BadSignatureError: another algorithm than the key's, or a signature that does not fit.
    """
    if algorithm_kind(token) is not key.kind:
        raise BadSignatureError("the token names another algorithm than its key has")
    key.verify(token.signature, token.signing_input)


def algorithm_kind(token: Token) -> KeyType:
    """The kind of key that the token's algorithm takes.

    Raises:
        BadSignatureError: no algorithm of public keys: ``none``, or HMAC.
        UnsupportedKeyError: an algorithm that is not known here.
    """
    algorithm = str(token.header["alg"])
    kind = _KINDS.get(algorithm)
    if kind is not None:
        return kind
    if algorithm.lower() in _NEVER:
        raise BadSignatureError("the token is not signed with a public key")
    detail = "the token is signed by an algorithm that is not verified here"
    raise UnsupportedKeyError(detail, faults=[Fault("algorithm", detail, "")])


def make_token(header: Mapping[str, JsonValue], payload: JsonValue, sign: Sign) -> str:
    """Sign a payload. ``alg`` and the rest of the header are the caller's."""
    signing_input = f"{to_base64url(canonical_json(header))}.{to_base64url(canonical_json(payload))}"
    return f"{signing_input}.{to_base64url(sign(signing_input.encode('ascii')))}"
