"""Key pairs in memory: what the keystore unlocks, and what tests and the embedded chain's VC API sign with.

Signatures are those that `registry.credentials.keys` verifies, and deterministic (RFC 8032; RFC 6979 for
ECDSA), so that the same document signed twice is the same bytes. Neither ``repr`` nor any error shows the
private part.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from nacl.bindings import crypto_sign, crypto_sign_seed_keypair
from nacl.utils import random

from registry.credentials.keys import CURVES, Curve, KeyType, PublicKey
from registry.encoding import JsonValue, invalid, parse_base64url, to_base64url
from registry.errors import ValidationError

_RSA_BITS = 3072


class _Secret(Protocol):
    def sign(self, message: bytes) -> bytes: ...

    def private_bytes(self) -> bytes: ...


class KeyPair:
    """A public key and what signs for it.

    Attributes:
        public: the public half.
    """

    __slots__ = ("_secret", "public")

    def __init__(self, public: PublicKey, secret: _Secret) -> None:
        self.public = public
        self._secret = secret

    def __repr__(self) -> str:
        return f"KeyPair({self.public!r})"

    @classmethod
    def generate(cls, kind: KeyType) -> KeyPair:
        """A new key from the system's randomness; RSA gets 3,072 bits."""
        if kind is KeyType.ED25519:
            return _ed25519(random(32))
        if kind is KeyType.RSA:
            return _rsa(rsa.generate_private_key(65537, _RSA_BITS))
        return _ecdsa(kind, ec.generate_private_key(CURVES[kind].curve))

    @classmethod
    def from_private_bytes(cls, kind: KeyType, private: bytes) -> KeyPair:
        """The pair of a private key.

        Args:
            kind: what it is a key of.
            private: Ed25519: the 32-byte seed; ECDSA: the scalar, big-endian, as long as a coordinate; RSA:
                PKCS #8, DER.

        Raises:
            ValidationError: code ``key``.
        """
        if kind is KeyType.ED25519:
            if len(private) != 32:
                raise _no_key("an Ed25519 seed has 32 bytes")
            return _ed25519(private)
        try:
            if kind is KeyType.RSA:
                key = serialization.load_der_private_key(private, password=None)
                if isinstance(key, rsa.RSAPrivateKey):
                    return _rsa(key)
            elif len(private) == CURVES[kind].size:
                scalar = int.from_bytes(private, "big")
                return _ecdsa(kind, ec.derive_private_key(scalar, CURVES[kind].curve))
        except ValueError:
            pass  # the cause's text could show the key
        raise _no_key(f"these bytes are no private {kind.value} key")

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, JsonValue]) -> KeyPair:
        """The pair of a private JWK (Ed25519 and ECDSA). Raises `ValidationError` when ``d`` is missing or
        belongs to another public key."""
        public = PublicKey.from_jwk(
            {name: value for name, value in jwk.items() if name not in ("d", "key_ops")}
        )
        if public.kind is KeyType.RSA:
            raise _no_key("private RSA keys are read as PKCS #8 only")
        pair = cls.from_private_bytes(public.kind, parse_base64url(jwk.get("d"), pointer="/d"))
        if pair.public != public:
            raise _no_key("the private key belongs to another public key")
        return pair

    def sign(self, message: bytes) -> bytes:
        """The signature over the whole ``message``, in the form that `PublicKey.verify` takes."""
        return self._secret.sign(message)

    def private_bytes(self) -> bytes:
        """The private key as `from_private_bytes` takes it. For keystores alone."""
        return self._secret.private_bytes()

    def private_jwk(self) -> dict[str, JsonValue]:
        """The private JWK of an Ed25519 or ECDSA key. Raises `ValidationError` for RSA."""
        if self.public.kind is KeyType.RSA:
            raise _no_key("private RSA keys are written as PKCS #8 only")
        return self.public.to_jwk() | {"d": to_base64url(self.private_bytes())}


def _no_key(detail: str) -> ValidationError:
    return invalid("key", detail, "")


class _EdSecret:
    __slots__ = ("_expanded", "_seed")

    def __init__(self, seed: bytes, expanded: bytes) -> None:
        self._seed = seed
        self._expanded = expanded

    def sign(self, message: bytes) -> bytes:
        return crypto_sign(message, self._expanded)[:64]

    def private_bytes(self) -> bytes:
        return self._seed


def _ed25519(seed: bytes) -> KeyPair:
    public, expanded = crypto_sign_seed_keypair(seed)
    return KeyPair(PublicKey.from_raw(KeyType.ED25519, public), _EdSecret(seed, expanded))


class _EcSecret:
    __slots__ = ("_algorithm", "_key", "_size")

    def __init__(self, key: ec.EllipticCurvePrivateKey, curve: Curve) -> None:
        self._key = key
        self._algorithm = ec.ECDSA(curve.hash, deterministic_signing=True)
        self._size = curve.size

    def sign(self, message: bytes) -> bytes:
        r, s = decode_dss_signature(self._key.sign(message, self._algorithm))
        return r.to_bytes(self._size, "big") + s.to_bytes(self._size, "big")

    def private_bytes(self) -> bytes:
        return self._key.private_numbers().private_value.to_bytes(self._size, "big")


def _ecdsa(kind: KeyType, key: ec.EllipticCurvePrivateKey) -> KeyPair:
    form = (serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    public = PublicKey.from_raw(kind, key.public_key().public_bytes(*form))
    return KeyPair(public, _EcSecret(key, CURVES[kind]))


class _RsaSecret:
    __slots__ = ("_key",)

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self._key = key

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message, padding.PKCS1v15(), hashes.SHA256())

    def private_bytes(self) -> bytes:
        return self._key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )


def _rsa(key: rsa.RSAPrivateKey) -> KeyPair:
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return KeyPair(PublicKey.from_raw(KeyType.RSA, key.public_key().public_bytes(*form)), _RsaSecret(key))
