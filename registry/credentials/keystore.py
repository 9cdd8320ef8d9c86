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
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from registry.credentials.key_pairs import KeyPair
from registry.credentials.keys import CURVES, KeyType
from registry.errors import SignerError
from registry.files import write_durably
from registry.model.signing_keys import SigningKeyKind
from registry.ports.signer import CredentialSigner

MAX_FILE_BYTES: Final = 16_384
RSA_BITS: Final = 2048
_EXPONENT: Final = 65_537
_CURVES: Final = {
    ec.SECP256R1.name: (SigningKeyKind.P256, KeyType.P256),
    ec.SECP384R1.name: (SigningKeyKind.P384, KeyType.P384),
}

_PrivateKey: TypeAlias = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class _Signer:
    """`registry.ports.signer.CredentialSigner` with the key in memory."""

    __slots__ = ("_kind", "_pair")

    def __init__(self, kind: SigningKeyKind, pair: KeyPair) -> None:
        self._kind = kind
        self._pair = pair

    @property
    def kind(self) -> SigningKeyKind:
        """What the key is."""
        return self._kind

    @property
    def public_key(self) -> bytes:
        """As `registry.model.signing_keys.SigningKey` has it."""
        return self._pair.public.raw

    def sign(self, message: bytes) -> bytes:
        """The signature over ``message``, in its kind's form; the same every time."""
        return self._pair.sign(message)

    def __repr__(self) -> str:
        return f"{self._kind.value} signer({sha256(self.public_key).hexdigest()[:16]})"

    def __reduce__(self) -> Any:
        raise TypeError("a signer is not copied or pickled")


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
        return known if known is not None else self._remember(self._open(_file_name(public_key)))

    def examine(self, most: int) -> None:
        """Open up to ``most`` keys, to see whether they can be opened. Raises `SignerError` for the first
        that cannot."""
        try:
            names = sorted(path.name for path in self._directory.glob("*.pem"))
        except OSError as error:
            raise SignerError(f"the keystore {self._directory.name} cannot be read") from error
        for name in names[:most]:
            self._open(name)

    def __repr__(self) -> str:
        return f"EncryptedCredentialKeystore({self._directory.name})"

    def __reduce__(self) -> Any:
        raise TypeError("a keystore is not copied or pickled")

    def _remember(self, signer: CredentialSigner) -> CredentialSigner:
        with self._guard:
            return self._signers.setdefault(signer.public_key, signer)

    def _open(self, name: str) -> CredentialSigner:
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
            # `KeyPair` checks an RSA key's numbers; once is enough, it takes a tenth of a second.
            key = serialization.load_pem_private_key(
                content, self._password, unsafe_skip_rsa_key_validation=True
            )
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise SignerError(
                f"the key file {name} cannot be opened: it was changed, or the password is another one"
            ) from error
        if not isinstance(key, _PrivateKey):
            raise SignerError(f"the key file {name} holds no signing key")
        signer = _signer(key)
        if _file_name(signer.public_key) != name:
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
        case SigningKeyKind.P384:
            return ec.generate_private_key(ec.SECP384R1())
        case SigningKeyKind.RSA2048:
            return rsa.generate_private_key(_EXPONENT, RSA_BITS)


def _signer(key: _PrivateKey) -> CredentialSigner:
    """Raises `SignerError` for a key of a curve or size that is not used here."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        seed = key.private_bytes_raw()
        return _Signer(SigningKeyKind.ED25519, KeyPair.from_private_bytes(KeyType.ED25519, seed))
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size == RSA_BITS:
        form = (serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        pair = KeyPair.from_private_bytes(KeyType.RSA, key.private_bytes(*form))
        return _Signer(SigningKeyKind.RSA2048, pair)
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        kind, type_ = _CURVES[key.curve.name]
        scalar = key.private_numbers().private_value.to_bytes(CURVES[type_].size, "big")
        return _Signer(kind, KeyPair.from_private_bytes(type_, scalar))
    raise SignerError("a key of a kind that is not used here")
