"""Public keys and the signatures they check: Ed25519, ECDSA (P-256, P-384, secp256k1), RSA. Pure: no I/O.

A `PublicKey` exists only for a point that lies on its curve, in its one canonical encoding, so two keys are
equal exactly when their bytes are. Each kind has one signature scheme here: Ed25519 (RFC 8032), ECDSA with
SHA-256 (SHA-384 for P-384) written as r || s (IEEE P1363), RSASSA-PKCS1-v1_5 with SHA-256. There is no
symmetric kind, so a public key cannot be mistaken for an HMAC secret. A signature that does not fit raises;
nothing here answers with a bool.

Source: Multikey (Controlled Identifiers 1.0, section 2.2.2) with the codes of the multicodec table; JWK (RFC
7517, RFC 7518 section 6, RFC 8037, RFC 8812), thumbprints (RFC 7638). RSA has no Multikey here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from hashlib import sha256
from typing import NoReturn, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from nacl.bindings import crypto_core_ed25519_is_valid_point, crypto_sign_open
from nacl.exceptions import BadSignatureError as SodiumBadSignatureError

from registry.encoding import (
    JsonValue,
    canonical_json,
    invalid,
    parse_base58btc,
    parse_base64url,
    to_base58btc,
    to_base64url,
)
from registry.errors import BadSignatureError, Fault, UnsupportedKeyError, ValidationError

MIN_RSA_BITS = 2048
MAX_RSA_BITS = 8192
_MAX_RSA_EXPONENT = 2**32
_MAX_MULTIKEY_CHARACTERS = 80  # P-384, the longest, has 70
_MAX_KEYS_AT_HAND = 1024
_PRIVATE_MEMBERS = frozenset(("d", "p", "q", "dp", "dq", "qi", "oth", "k"))


class KeyType(Enum):
    """A kind of key. ``value`` is its name for people."""

    ED25519 = "Ed25519"
    P256 = "P-256"
    P384 = "P-384"
    SECP256K1 = "secp256k1"
    RSA = "RSA"

    @property
    def jose_algorithm(self) -> str:
        """The one ``alg`` of JOSE that keys of this kind sign with (RFC 7518, RFC 8037, RFC 8812)."""
        return _JOSE[self]


_JOSE = {
    KeyType.ED25519: "EdDSA",
    KeyType.P256: "ES256",
    KeyType.P384: "ES384",
    KeyType.SECP256K1: "ES256K",
    KeyType.RSA: "RS256",
}
_ED25519_CODE = 0xED
_CODES = {
    KeyType.ED25519: _ED25519_CODE,
    KeyType.P256: 0x1200,
    KeyType.P384: 0x1201,
    KeyType.SECP256K1: 0xE7,
}


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve for ECDSA, the hash that goes with it, and the length of a coordinate in bytes."""

    curve: ec.EllipticCurve
    hash: hashes.HashAlgorithm
    size: int


CURVES = {
    KeyType.P256: Curve(ec.SECP256R1(), hashes.SHA256(), 32),
    KeyType.P384: Curve(ec.SECP384R1(), hashes.SHA384(), 48),
    KeyType.SECP256K1: Curve(ec.SECP256K1(), hashes.SHA256(), 32),
}


def _varint(code: int) -> bytes:
    """Unsigned LEB128, as multicodec prefixes are written."""
    groups = []
    while code > 0x7F:
        groups.append(code & 0x7F | 0x80)
        code >>= 7
    return bytes([*groups, code])


_PREFIXES = {kind: _varint(code) for kind, code in _CODES.items()}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that checks signatures. Made by the class methods, which alone check ``raw``.

    Attributes:
        kind: what it is a key of.
        raw: Ed25519: 32 bytes (RFC 8032, section 5.1.5); ECDSA: the compressed point, 33 or 49 bytes (SEC 1,
            section 2.3.3); RSA: SubjectPublicKeyInfo, DER.
    """

    kind: KeyType
    raw: bytes

    @classmethod
    def from_raw(cls, kind: KeyType, raw: bytes, *, pointer: str = "") -> PublicKey:
        """The key with these bytes. Raises `ValidationError`, code ``key``: another length, no point of the
        curve, a point of small order, an encoding that is not the canonical one, an unusual RSA key."""
        try:
            _verifier(kind, raw)
        except ValueError as error:
            raise _no_key(str(error), pointer) from error
        return cls(kind, raw)

    @classmethod
    def from_point(cls, kind: KeyType, point: bytes, *, pointer: str = "") -> PublicKey:
        """The key of an ECDSA kind whose point is compressed or not (SEC 1, section 2.3.4). Raises as
        `from_raw`."""
        try:
            key = ec.EllipticCurvePublicKey.from_encoded_point(CURVES[kind].curve, point)
        except ValueError as error:
            raise _no_key("the point does not lie on its curve", pointer) from error
        return cls(kind, _compressed(key))

    @classmethod
    def from_multikey(cls, text: object, *, pointer: str = "") -> PublicKey:
        """Read ``publicKeyMultibase``, such as ``z6Mk…``.

        Raises:
            UnsupportedKeyError: a kind that is not known here, code ``key-kind``.
            ValidationError: code ``type``, ``multibase`` or ``key``.
        """
        value = parse_base58btc(text, max_characters=_MAX_MULTIKEY_CHARACTERS, pointer=pointer)
        for kind, prefix in _PREFIXES.items():
            if value.startswith(prefix):
                return cls.from_raw(kind, value[len(prefix) :], pointer=pointer)
        raise _unknown_kind(pointer)

    @classmethod
    def from_jwk(cls, jwk: object, *, pointer: str = "") -> PublicKey:
        """Read a public JWK; members that are not about the key itself are ignored.

        Raises:
            UnsupportedKeyError: a kind that is not known here, code ``key-kind``.
            ValidationError: code ``type``, ``base64url`` or ``key``: coordinates of another length or off the
            curve, private members, a use other than signatures, an ``alg`` of another kind.
        """
        if not isinstance(jwk, Mapping):
            raise invalid("type", "a JWK is an object", pointer)
        if _PRIVATE_MEMBERS & jwk.keys():
            raise _no_key("the JWK holds private members", pointer)
        key = _read_jwk(jwk, pointer)
        operations = jwk.get("key_ops", ["verify"])
        if jwk.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
            raise _no_key("the JWK is not for verifying signatures", pointer)
        if jwk.get("alg", key.kind.jose_algorithm) not in _accepted_algorithms(key.kind):
            raise _no_key("the JWK's alg is not one of its kind of key", pointer)
        return key

    @classmethod
    def from_pem(cls, pem: bytes) -> PublicKey:
        """Read a SubjectPublicKeyInfo in PEM. Raises `ValidationError`, code ``key``."""
        try:
            return _of_cryptography(serialization.load_pem_public_key(pem))
        except ValueError as error:
            raise _no_key("the PEM holds no public key", "") from error

    def to_multikey(self) -> str:
        """``publicKeyMultibase``. Raises `ValidationError` for RSA, which has none here."""
        if self.kind not in _PREFIXES:
            raise _no_key("RSA keys have no Multikey form here", "")
        return to_base58btc(_PREFIXES[self.kind] + self.raw)

    def to_jwk(self) -> dict[str, JsonValue]:
        """The members that the thumbprint covers, and no others."""
        if self.kind is KeyType.ED25519:
            return {"crv": "Ed25519", "kty": "OKP", "x": to_base64url(self.raw)}
        key = _verifier(self.kind, self.raw)
        if isinstance(key, _EcVerifier):
            numbers, size = key.key.public_numbers(), key.size
            x, y = (to_base64url(number.to_bytes(size, "big")) for number in (numbers.x, numbers.y))
            return {"crv": self.kind.value, "kty": "EC", "x": x, "y": y}
        assert isinstance(key, _RsaVerifier)
        numbers_rsa = key.key.public_numbers()
        return {"e": _to_base64url_uint(numbers_rsa.e), "kty": "RSA", "n": _to_base64url_uint(numbers_rsa.n)}

    def thumbprint(self) -> str:
        """SHA-256 of the canonical JWK, base64url (RFC 7638)."""
        return to_base64url(sha256(canonical_json(self.to_jwk())).digest())

    def point(self) -> bytes:
        """The uncompressed point of an ECDSA key: ``04 || x || y``."""
        key = _verifier(self.kind, self.raw)
        if not isinstance(key, _EcVerifier):
            raise _no_key("only ECDSA keys have a point", "")
        encoding, form = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        return key.key.public_bytes(encoding, form)

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return when ``signature`` was made over ``message`` by this key.

        Args:
            signature: 64 bytes (96 for P-384), or as long as an RSA modulus.
            message: the whole message; it is hashed here.

        Raises:
            BadSignatureError: it was not, or has another length.
        """
        _verifier(self.kind, self.raw).verify(signature, message)


class Verifier(Protocol):
    """A key that is ready for use."""

    def verify(self, signature: bytes, message: bytes) -> None:
        """As `PublicKey.verify`."""
        ...


@dataclass(frozen=True, slots=True)
class _EdVerifier:
    raw: bytes

    def verify(self, signature: bytes, message: bytes) -> None:
        if len(signature) != 64:
            _refuse()
        try:
            crypto_sign_open(signature + message, self.raw)
        except SodiumBadSignatureError as error:
            _refuse(error)


@dataclass(frozen=True, slots=True)
class _EcVerifier:
    """ECDSA through OpenSSL. ``size`` is the length of a coordinate in bytes."""

    key: ec.EllipticCurvePublicKey
    algorithm: ec.ECDSA
    size: int

    def verify(self, signature: bytes, message: bytes) -> None:
        if len(signature) != 2 * self.size:
            _refuse()
        r = int.from_bytes(signature[: self.size], "big")
        s = int.from_bytes(signature[self.size :], "big")
        try:
            self.key.verify(encode_dss_signature(r, s), message, self.algorithm)
        except InvalidSignature as error:
            _refuse(error)


@dataclass(frozen=True, slots=True)
class _RsaVerifier:
    """RSASSA-PKCS1-v1_5 with SHA-256 through OpenSSL."""

    key: rsa.RSAPublicKey

    def verify(self, signature: bytes, message: bytes) -> None:
        try:
            self.key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature as error:
            _refuse(error)


def _refuse(cause: Exception | None = None) -> NoReturn:
    raise BadSignatureError("the signature was not made by this key over this message") from cause


@lru_cache(maxsize=_MAX_KEYS_AT_HAND)
def _verifier(kind: KeyType, raw: bytes) -> Verifier:
    """Decode and check a key's bytes. Raises `ValueError` with a sentence about what is wrong."""
    if kind is KeyType.ED25519:
        if len(raw) != 32 or not crypto_core_ed25519_is_valid_point(raw):
            raise ValueError("these are not the 32 bytes of an Ed25519 key")
        return _EdVerifier(raw)
    if kind is KeyType.RSA:
        return _rsa_verifier(raw)
    curve = CURVES[kind]
    if len(raw) != 1 + curve.size or raw[0] not in (2, 3):
        raise ValueError(f"these are not the {1 + curve.size} bytes of a compressed point")
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(curve.curve, raw)
    except ValueError as error:
        raise ValueError("the point does not lie on its curve") from error
    return _EcVerifier(key, ec.ECDSA(curve.hash), curve.size)


def _rsa_verifier(der: bytes) -> _RsaVerifier:
    try:
        key = serialization.load_der_public_key(der)
    except ValueError as error:
        raise ValueError("these bytes are no public key") from error
    if not isinstance(key, rsa.RSAPublicKey) or _spki(key) != der:
        raise ValueError("these bytes are no RSA key in its canonical form")
    if not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS or not _usual_numbers(key):
        raise ValueError(f"an RSA key has {MIN_RSA_BITS} to {MAX_RSA_BITS} bits, and odd numbers")
    return _RsaVerifier(key)


def _usual_numbers(key: rsa.RSAPublicKey) -> bool:
    numbers = key.public_numbers()
    return numbers.n % 2 == 1 and numbers.e % 2 == 1 and 3 <= numbers.e <= _MAX_RSA_EXPONENT


def _no_key(detail: str, pointer: str) -> ValidationError:
    return invalid("key", detail, pointer)


def _unknown_kind(pointer: str) -> UnsupportedKeyError:
    detail = "the key is of a kind that is not known here"
    return UnsupportedKeyError(detail, faults=[Fault("key-kind", detail, pointer)])


def _compressed(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)


def _spki(key: rsa.RSAPublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _of_cryptography(key: object) -> PublicKey:
    if isinstance(key, rsa.RSAPublicKey):
        return PublicKey.from_raw(KeyType.RSA, _spki(key))
    if isinstance(key, ec.EllipticCurvePublicKey):
        for kind, curve in CURVES.items():
            if isinstance(key.curve, type(curve.curve)):
                return PublicKey(kind, _compressed(key))
    if isinstance(key, ed25519.Ed25519PublicKey):
        return PublicKey.from_raw(KeyType.ED25519, key.public_bytes_raw())
    raise _unknown_kind("")


def _accepted_algorithms(kind: KeyType) -> tuple[str, ...]:
    """``Ed25519`` is the name that RFC 9864 gives to EdDSA with this curve."""
    return ("EdDSA", "Ed25519") if kind is KeyType.ED25519 else (kind.jose_algorithm,)


def _read_jwk(jwk: Mapping[str, JsonValue], pointer: str) -> PublicKey:
    kty, crv = jwk.get("kty"), jwk.get("crv")
    if kty == "OKP" and crv == "Ed25519":
        raw = parse_base64url(jwk.get("x"), pointer=f"{pointer}/x")
        return PublicKey.from_raw(KeyType.ED25519, raw, pointer=pointer)
    if kty == "RSA":
        return _read_rsa_jwk(jwk, pointer)
    if kty == "EC":
        for kind, curve in CURVES.items():
            if crv == kind.value:
                x, y = (parse_base64url(jwk.get(name), pointer=f"{pointer}/{name}") for name in ("x", "y"))
                if len(x) != curve.size or len(y) != curve.size:
                    raise _no_key(f"the coordinates have {curve.size} bytes each", pointer)
                return PublicKey.from_point(kind, b"\x04" + x + y, pointer=pointer)
    raise _unknown_kind(pointer)


def _read_rsa_jwk(jwk: Mapping[str, JsonValue], pointer: str) -> PublicKey:
    n, e = (_parse_base64url_uint(jwk.get(name), f"{pointer}/{name}") for name in ("n", "e"))
    if n.bit_length() > MAX_RSA_BITS:
        raise _no_key(f"an RSA key has at most {MAX_RSA_BITS} bits", pointer)
    try:
        key = rsa.RSAPublicNumbers(e, n).public_key()
    except ValueError as error:
        raise _no_key("the numbers make no RSA key", pointer) from error
    return PublicKey.from_raw(KeyType.RSA, _spki(key), pointer=pointer)


def _to_base64url_uint(number: int) -> str:
    return to_base64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _parse_base64url_uint(text: object, pointer: str) -> int:
    """RFC 7518, section 2: big-endian, without leading zero bytes."""
    value = parse_base64url(text, pointer=pointer)
    if not value or value[0] == 0:
        raise _no_key("a number has no leading zero bytes", pointer)
    return int.from_bytes(value, "big")
