"""The keystore of credential-signing keys: what is refused, what is kept, and how it signs."""

from __future__ import annotations

import copy
import logging
import pickle
import stat
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from registry.credentials.keystore import MAX_FILE_BYTES, EncryptedCredentialKeystore
from registry.errors import SignerError
from registry.model.signing_keys import SigningKeyKind

PASSWORD = b"5a" * 32
MESSAGE = b"what is signed"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "inner"


@pytest.fixture
def keystore(directory: Path) -> EncryptedCredentialKeystore:
    return EncryptedCredentialKeystore(directory, PASSWORD)


def reopened(directory: Path, password: bytes = PASSWORD) -> EncryptedCredentialKeystore:
    return EncryptedCredentialKeystore(directory, password)


def stored(directory: Path, public_key: bytes) -> Path:
    return directory / f"{sha256(public_key).hexdigest()}.pem"


def pkcs8(key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(PASSWORD),
    )


# --- what is refused ----------------------------------------------------------------------------------------


def test_key_that_is_not_here_is_an_error_and_no_new_key(keystore: EncryptedCredentialKeystore) -> None:
    with pytest.raises(SignerError, match="no such signing key"):
        keystore.get(b"\x01" * 32)


def test_another_password_opens_nothing_and_is_not_named(
    keystore: EncryptedCredentialKeystore, directory: Path
) -> None:
    signer = keystore.create(SigningKeyKind.ED25519)
    with pytest.raises(SignerError) as caught:
        reopened(directory, b"66" * 32).get(signer.public_key)
    assert "66" * 32 not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 300,
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
        b"x" * (MAX_FILE_BYTES + 1),
    ],
)
def test_damaged_file_is_an_error_of_the_keystore(
    keystore: EncryptedCredentialKeystore, directory: Path, content: bytes
) -> None:
    public_key = keystore.create(SigningKeyKind.ED25519).public_key
    stored(directory, public_key).write_bytes(content)
    with pytest.raises(SignerError, match="pem"):
        reopened(directory).get(public_key)


def test_file_with_one_changed_byte_is_an_error(
    keystore: EncryptedCredentialKeystore, directory: Path
) -> None:
    public_key = keystore.create(SigningKeyKind.ED25519).public_key
    path = stored(directory, public_key)
    lines = path.read_bytes().splitlines()
    lines[-2] = (b"A" if lines[-2][:1] != b"A" else b"B") + lines[-2][1:]
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(SignerError):
        reopened(directory).get(public_key)


def test_file_with_another_key_under_the_name_is_an_error(
    keystore: EncryptedCredentialKeystore, directory: Path
) -> None:
    first, second = (keystore.create(SigningKeyKind.ED25519).public_key for _ in range(2))
    stored(directory, second).replace(stored(directory, first))
    with pytest.raises(SignerError, match="another key"):
        reopened(directory).get(first)


@pytest.mark.parametrize(
    "key",
    [ec.generate_private_key(ec.SECP521R1()), rsa.generate_private_key(65_537, 1024)],
    ids=["P-384", "RSA"],
)
def test_key_of_another_curve_or_size_is_an_error(
    keystore: EncryptedCredentialKeystore,
    directory: Path,
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
) -> None:
    public_key = keystore.create(SigningKeyKind.ED25519).public_key
    stored(directory, public_key).write_bytes(pkcs8(key))
    with pytest.raises(SignerError, match="not used here"):
        reopened(directory).get(public_key)


def test_key_without_encryption_is_an_error(keystore: EncryptedCredentialKeystore, directory: Path) -> None:
    public_key = keystore.create(SigningKeyKind.ED25519).public_key
    bare = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    stored(directory, public_key).write_bytes(bare)
    with pytest.raises(SignerError):
        reopened(directory).get(public_key)


def test_directory_that_cannot_be_written_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file where the directory should be")
    with pytest.raises(SignerError, match="cannot be written"):
        EncryptedCredentialKeystore(tmp_path / "keys", PASSWORD).create(SigningKeyKind.ED25519)
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


@pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy, pickle.dumps])
def test_neither_signer_nor_keystore_is_copied(keystore: EncryptedCredentialKeystore, copier: object) -> None:
    assert callable(copier)
    for kind in SigningKeyKind:
        with pytest.raises(TypeError):
            copier(keystore.create(kind))
    with pytest.raises(TypeError):
        copier(keystore)


# --- what is kept -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SigningKeyKind)
def test_key_is_found_again_by_another_process(
    keystore: EncryptedCredentialKeystore, directory: Path, kind: SigningKeyKind
) -> None:
    made = keystore.create(kind)
    found = reopened(directory).get(made.public_key)
    assert (found.kind, found.public_key) == (kind, made.public_key)
    assert found.sign(MESSAGE) == made.sign(MESSAGE)
    assert keystore.get(made.public_key) is made


def test_files_are_their_owners_alone_encrypted_and_without_drafts(
    keystore: EncryptedCredentialKeystore, directory: Path
) -> None:
    made = [keystore.create(kind) for kind in SigningKeyKind]
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    paths = sorted(directory.iterdir())
    assert paths == sorted(stored(directory, signer.public_key) for signer in made)
    for path in paths:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")


def test_nothing_shows_a_secret(
    keystore: EncryptedCredentialKeystore, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    made = keystore.create(SigningKeyKind.ED25519)
    content = stored(directory, made.public_key).read_bytes()
    key = serialization.load_pem_private_key(content, PASSWORD)
    assert isinstance(key, ed25519.Ed25519PrivateKey)
    secret = key.private_bytes_raw()
    shown = f"{keystore!r} {keystore} {made!r} {made} {caplog.text}"
    for hidden in (PASSWORD.decode(), secret.hex(), repr(secret)):
        assert hidden not in shown


# --- how it signs -------------------------------------------------------------------------------------------


def test_ed25519_signs_the_message_itself(keystore: EncryptedCredentialKeystore) -> None:
    signer = keystore.create(SigningKeyKind.ED25519)
    assert len(signer.public_key) == 32
    signature = signer.sign(MESSAGE)
    ed25519.Ed25519PublicKey.from_public_bytes(signer.public_key).verify(signature, MESSAGE)
    assert len(signature) == 64


def test_p256_signs_with_sha256_in_64_bytes_the_same_every_time(
    keystore: EncryptedCredentialKeystore,
) -> None:
    signer = keystore.create(SigningKeyKind.P256)
    signature = signer.sign(MESSAGE)
    assert len(signature) == 64
    assert signer.sign(MESSAGE) == signature
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), signer.public_key)
    der = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    point.verify(der, MESSAGE, ec.ECDSA(hashes.SHA256()))
    assert len(signer.public_key) == 33


def test_rsa_signs_as_rs256(keystore: EncryptedCredentialKeystore) -> None:
    signer = keystore.create(SigningKeyKind.RSA2048)
    signature = signer.sign(MESSAGE)
    public_key = serialization.load_der_public_key(signer.public_key)
    assert isinstance(public_key, rsa.RSAPublicKey)
    public_key.verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    assert len(signature) == 256


# --- the doctor's look --------------------------------------------------------------------------------------


def test_examining_finds_the_key_that_cannot_be_opened(
    keystore: EncryptedCredentialKeystore, directory: Path
) -> None:
    keystore.examine(20)  # nothing there yet
    for kind in SigningKeyKind:
        keystore.create(kind)
    reopened(directory).examine(20)
    with pytest.raises(SignerError, match="password"):
        reopened(directory, b"66" * 32).examine(20)
    reopened(directory, b"66" * 32).examine(0)
