"""Keys that sign credentials, on this machine: encrypted PKCS #8 files (RFC 5958) in one directory.

A key is durable before anything names it: written to a temporary file, synced, renamed, directory synced.
Files have mode 600, the directory 700; a file is named by the SHA-256 of its public key. The password is 256
random bits, so that OpenSSL's few rounds of PBKDF2 are enough and opening a key takes about a millisecond.
Neither passwords nor keys appear in a repr, an error or a log; signers are not copied or pickled. Opened keys
stay in memory.
"""

from __future__ import annotations

import threading
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from nacl.signing import SigningKey as NaclKey

from registry.errors import SignerError
from registry.files import write_durably
from registry.model.signing_keys import SigningKeyKind
from registry.ports.signer import CredentialSigner

MAX_FILE_BYTES: Final = 16_384
RSA_BITS: Final = 2048
_EXPONENT: Final = 65_537
_SHA256: Final = hashes.SHA256()

_PrivateKey: TypeAlias = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class _Signer:
    """What the three kinds share."""

    def __init__(self, kind: SigningKeyKind, public_key: bytes) -> None:
        self._kind = kind
        self._public_key = public_key

    @property
    def kind(self) -> SigningKeyKind:
        """What the key is."""
        return self._kind

    @property
    def public_key(self) -> bytes:
        """As `registry.model.signing_keys.SigningKey` has it."""
        return self._public_key

    def __repr__(self) -> str:
        return f"{type(self).__name__}({sha256(self._public_key).hexdigest()[:16]})"

    def __reduce__(self) -> Any:
        raise TypeError("a signer is not copied or pickled")


class _Ed25519Signer(_Signer):
    def __init__(self, key: ed25519.Ed25519PrivateKey, public_key: bytes) -> None:
        super().__init__(SigningKeyKind.ED25519, public_key)
        self._key = NaclKey(key.private_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """64 bytes (RFC 8032, section 5.1.6)."""
        return self._key.sign(message).signature


class _P256Signer(_Signer):
    def __init__(self, key: ec.EllipticCurvePrivateKey, public_key: bytes) -> None:
        super().__init__(SigningKeyKind.P256, public_key)
        self._key = key
        self._how = ec.ECDSA(_SHA256, deterministic_signing=True)  # RFC 6979: no nonce to go wrong

    def sign(self, message: bytes) -> bytes:
        """r || s, 64 bytes, of ECDSA over SHA-256."""
        r, s = decode_dss_signature(self._key.sign(message, self._how))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class _RsaSigner(_Signer):
    def __init__(self, key: rsa.RSAPrivateKey, public_key: bytes) -> None:
        super().__init__(SigningKeyKind.RSA2048, public_key)
        self._key = key

    def sign(self, message: bytes) -> bytes:
        """256 bytes of RSASSA-PKCS1-v1_5 over SHA-256."""
        return self._key.sign(message, padding.PKCS1v15(), _SHA256)


class EncryptedCredentialKeystore:
    """`registry.ports.signer.CredentialKeystore` in one directory, under one password. Thread-safe; several
    processes may share it."""

    def __init__(self, directory: Path, password: bytes) -> None:
        """Open the keystore; the directory is made on the first `create`.

        Args:
            password: of all files in it; 256 random bits, since it is hardly stretched.
        """
        self._directory = directory
        self._password = password
        self._signers: dict[bytes, CredentialSigner] = {}
        self._guard = threading.Lock()

    def create(self, kind: SigningKeyKind) -> CredentialSigner:
        """Make a new key and store it durably before returning.

        Raises:
            SignerError: the file cannot be written.
        """
        key = _new_key(kind)
        signer = _signer(key)
        name = _file_name(signer.public_key)
        content = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(self._password),
        )
        try:
            write_durably(self._directory, name, content)
        except OSError as error:
            raise SignerError(f"the key file {name} cannot be written") from error
        return self._remember(signer)

    def get(self, public_key: bytes) -> CredentialSigner:
        """The signer of ``public_key``.

        Raises:
            SignerError: it is not here, or the file cannot be read, was changed, or has another password.
        """
        with self._guard:
            known = self._signers.get(public_key)
        return known if known is not None else self._remember(self._open(public_key))

    def __repr__(self) -> str:
        return f"EncryptedCredentialKeystore({self._directory.name})"

    def __reduce__(self) -> Any:
        raise TypeError("a keystore is not copied or pickled")

    def _remember(self, signer: CredentialSigner) -> CredentialSigner:
        with self._guard:
            return self._signers.setdefault(signer.public_key, signer)

    def _open(self, public_key: bytes) -> CredentialSigner:
        name = _file_name(public_key)
        try:
            with (self._directory / name).open("rb") as file:
                content = file.read(MAX_FILE_BYTES + 1)
        except FileNotFoundError as error:
            raise SignerError("the keystore has no such signing key") from error
        except OSError as error:
            raise SignerError(f"the key file {name} cannot be read") from error
        if len(content) > MAX_FILE_BYTES:
            raise SignerError(f"the key file {name} is not a key file")
        try:
            key = serialization.load_pem_private_key(content, self._password)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise SignerError(
                f"the key file {name} cannot be opened: it was changed, or the password is another one"
            ) from error
        if not isinstance(key, _PrivateKey):
            raise SignerError(f"the key file {name} holds no signing key")
        signer = _signer(key)
        if signer.public_key != public_key:
            raise SignerError(f"the key file {name} holds another key")
        return signer


def _file_name(public_key: bytes) -> str:
    return f"{sha256(public_key).hexdigest()}.pem"


def _new_key(kind: SigningKeyKind) -> _PrivateKey:
    match kind:
        case SigningKeyKind.ED25519:
            return ed25519.Ed25519PrivateKey.generate()
        case SigningKeyKind.P256:
            return ec.generate_private_key(ec.SECP256R1())
        case SigningKeyKind.RSA2048:
            return rsa.generate_private_key(_EXPONENT, RSA_BITS)


def _signer(key: _PrivateKey) -> CredentialSigner:
    """Raises `SignerError` for a key of a curve or size that is not used here."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return _Ed25519Signer(key, key.public_key().public_bytes_raw())
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size == RSA_BITS:
        public_key = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return _RsaSigner(key, public_key)
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        point = key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint
        )
        return _P256Signer(key, point)
    raise SignerError("a key of a kind that is not used here")
