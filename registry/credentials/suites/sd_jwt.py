"""Selective disclosure for tokens: an SD-JWT taken apart, and what its disclosures reveal. Pure.

The signature covers digests; a disclosure counts only where its digest stands. Invariants: every digest
occurs once, every disclosure is used, none replaces what is there already, so each reveals one thing in
one place. Work is bounded by the token's length: a disclosure is processed once.

Source: Selective Disclosure for JSON Web Tokens (RFC 9901), sections 4, 7.1 (processing) and 7.3 (key
binding).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from registry.credentials.keys import PublicKey
from registry.credentials.suites.jose import MAX_TOKEN_CHARACTERS, Token, read_token, verify_token
from registry.encoding import JsonValue, invalid, parse_base64url, parse_json, to_base64url
from registry.errors import ValidationError

MAX_DISCLOSURES = 1000
_MAX_DEPTH = 64
_HASHES = {"sha-256": hashlib.sha256, "sha-384": hashlib.sha384, "sha-512": hashlib.sha512}
_DIGESTS, _ALGORITHM, _ELEMENT = "_sd", "_sd_alg", "..."
_BINDING_TYPE = "kb+jwt"


@dataclass(frozen=True, slots=True)
class SdJwt:
    """An SD-JWT that was read, nothing in it checked.

    Attributes:
        token: the issuer's token.
        disclosures: as they stand, in base64url.
        bound: what a key binding's ``sd_hash`` covers: everything up to the last tilde.
        binding: the holder's token, where there is one.
    """

    token: Token
    disclosures: tuple[str, ...]
    bound: str
    binding: Token | None


def read_sd_jwt(text: str) -> SdJwt:
    """Take an SD-JWT apart, with or without key binding.

    Raises:
        MalformedInputError: longer than 2^20 characters, no tilde, over 1,000 disclosures, or a token in it
            that `read_token` refuses.
    """
    first, *parts = text.split("~") if len(text) <= MAX_TOKEN_CHARACTERS else [""]
    if not parts or len(parts) > MAX_DISCLOSURES + 1:
        raise _refused("an SD-JWT is a token and disclosures between tildes, of limited number")
    *disclosures, binding = parts
    bound = text[: len(text) - len(binding)]
    return SdJwt(read_token(first), tuple(disclosures), bound, read_token(binding) if binding else None)


def disclosed_claims(sd_jwt: SdJwt) -> dict[str, JsonValue]:
    """The payload with every disclosure in its place, and without digests.

    Raises:
        MalformedInputError: a disclosure is malformed, not referred to, or used twice; a digest occurs twice;
            a claim would be replaced; an unknown hash; nested too deep.
    """
    claims = sd_jwt.token.claims()
    return _Disclosing(sd_jwt.disclosures, _algorithm_of(claims)).payload(claims)


def require_binding(
    sd_jwt: SdJwt, claims: Mapping[str, JsonValue], *, nonce: str | None, audience: str | None
) -> None:
    """Return when the key binding, if there is one, was made by the holder's key for this SD-JWT.

    Args:
        claims: what `disclosed_claims` returned; ``cnf.jwk`` is the holder's key.
        nonce, audience: what the binding must answer; with a nonce there must be one.

    Raises:
        BadSignatureError, UnsupportedKeyError, MalformedInputError: it was not.
    """
    binding = sd_jwt.binding
    if binding is None:
        if nonce is not None:
            raise _refused("the SD-JWT comes without the holder's key binding")
        return
    confirmation = claims.get("cnf")
    if binding.type != _BINDING_TYPE or not isinstance(confirmation, Mapping):
        raise _refused("the key binding is of another type, or the issuer named no key of the holder")
    verify_token(binding, PublicKey.from_jwk(confirmation.get("jwk"), pointer="/cnf/jwk"))
    bound = binding.claims()
    digest = to_base64url(
        _HASHES[_algorithm_of(sd_jwt.token.claims())](sd_jwt.bound.encode("ascii")).digest()
    )
    wanted = {"sd_hash": digest, "nonce": nonce, "aud": audience}
    if any(value is not None and bound.get(name) != value for name, value in wanted.items()):
        raise _refused("the key binding was made for another SD-JWT, nonce or audience")


def _algorithm_of(payload: Mapping[str, JsonValue]) -> str:
    algorithm = payload.get(_ALGORITHM, "sha-256")
    if not isinstance(algorithm, str) or algorithm not in _HASHES:
        raise _refused("the SD-JWT's digests are made with a hash that is not known here")
    return algorithm


def _refused(detail: str) -> ValidationError:
    return invalid("sd-jwt", detail, "")


class _Disclosing:
    """One payload in the making."""

    def __init__(self, disclosures: tuple[str, ...], algorithm: str) -> None:
        make = _HASHES[algorithm]
        self._waiting: dict[str, list[JsonValue]] = {}
        for text in disclosures:
            content = parse_json(parse_base64url(text))
            if not isinstance(content, list) or len(content) not in (2, 3) or not isinstance(content[0], str):
                raise _refused("a disclosure is a list of a salt, perhaps a name, and a value")
            digest = to_base64url(make(text.encode("ascii")).digest())
            if digest in self._waiting:
                raise _refused("a disclosure is there twice")
            self._waiting[digest] = content
        self._seen: set[str] = set()

    def payload(self, claims: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """The whole payload; every disclosure must have found its place."""
        top = {name: value for name, value in claims.items() if name != _ALGORITHM}
        result = self._object(top, 0)
        if self._waiting:
            raise _refused("a disclosure belongs to no digest")
        return result

    def _value(self, value: JsonValue, depth: int) -> JsonValue:
        if depth > _MAX_DEPTH:
            raise _refused("disclosures are nested too deep")
        if isinstance(value, dict):
            return self._object(value, depth)
        return self._array(value, depth) if isinstance(value, list) else value

    def _object(self, members: Mapping[str, JsonValue], depth: int) -> dict[str, JsonValue]:
        if _ELEMENT in members or _ALGORITHM in members:
            raise _refused("a name that SD-JWT reserves stands where it has no meaning")
        plain = {name: self._value(value, depth + 1) for name, value in members.items() if name != _DIGESTS}
        digests = members.get(_DIGESTS, [])
        if not isinstance(digests, list):
            raise _refused("digests stand in a list")
        for digest in digests:
            content = self._taken(digest, 3)
            if content is None:
                continue
            name = content[1]
            if not isinstance(name, str) or name in (_DIGESTS, _ELEMENT) or name in plain:
                raise _refused("a disclosure's name is reserved, or there already")
            plain[name] = self._value(content[2], depth + 1)
        return plain

    def _array(self, values: list[JsonValue], depth: int) -> list[JsonValue]:
        result: list[JsonValue] = []
        for value in values:
            if not (isinstance(value, dict) and _ELEMENT in value):
                result.append(self._value(value, depth + 1))
                continue
            content = self._taken(value[_ELEMENT], 2) if len(value) == 1 else None
            if len(value) != 1:
                raise _refused("a digest of an element stands alone in its object")
            if content is not None:
                result.append(self._value(content[1], depth + 1))
        return result

    def _taken(self, digest: JsonValue, length: int) -> list[JsonValue] | None:
        """The disclosure of this digest, which is then used up; None for what is not disclosed."""
        if not isinstance(digest, str) or digest in self._seen:
            raise _refused("a digest is a string, and occurs once")
        self._seen.add(digest)
        content = self._waiting.pop(digest, None)
        if content is not None and len(content) != length:
            raise _refused("a disclosure has the form of another place than its digest's")
        return content
