"""Keys on this machine: `LocalSigner`, and `EncryptedKeystore` over Web3 Secret Storage files, version 3.

A key is durable before anything is signed with it: written to a temporary file, synced, renamed, directory
synced. Files have mode 600, the directory 700. Neither passwords nor keys appear in a repr, an error or a
log; errors name files by name only.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_keyfile.keyfile import create_keyfile_json, decode_keyfile_json
from eth_keys.datatypes import PrivateKey
from eth_utils.exceptions import ValidationError
from rlp.exceptions import RLPException

from registry.encoding import Address, TxHash, to_checksum
from registry.errors import SignerError
from registry.files import write_durably
from registry.model.chain import SignedTransaction, UnsignedTransaction
from registry.ports.signer import Signer

SECP256K1_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
LIGHT_ITERATIONS: Final = 4_096
"""PBKDF2 rounds for a password that is 256 random bits already: nothing is gained by more."""
STRONG_ITERATIONS: Final = 1_000_000
"""PBKDF2-HMAC-SHA256 rounds for a password that a person chose; OWASP's advice is 600,000 or more."""
MAX_FILE_BYTES: Final = 16_384

_FILE_NAME: Final = re.compile(r"(?:UTC--.*--)?([0-9a-f]{40})(?:\.json)?")

_DAMAGES: Final = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    NotImplementedError,  # a cipher or key derivation that the file names and nobody here has
    RecursionError,
    MemoryError,
)
"""What is wrong inside a damaged file shows as any of these."""


class LocalSigner:
    """`registry.ports.signer.Signer` with the key in memory. Signatures are deterministic (RFC 6979) with
    low s."""

    def __init__(self, private_key: bytes) -> None:
        """Take a key.

        Args:
            private_key: 32 bytes, 1 to the order of secp256k1 minus 1.

        Raises:
            SignerError: not a private key.
        """
        if len(private_key) != 32 or not 0 < int.from_bytes(private_key, "big") < SECP256K1_ORDER:
            raise SignerError("not a private key")
        self._account = Account.from_key(private_key)
        public_key = PrivateKey(private_key).public_key
        self._public_key: bytes = public_key.to_compressed_bytes()
        self._address = Address(public_key.to_canonical_address())

    @property
    def address(self) -> Address:
        """The account of the key."""
        return self._address

    @property
    def public_key(self) -> bytes:
        """The compressed point, 33 bytes (SEC 1, section 2.3.3)."""
        return self._public_key

    def sign_transaction(self, transaction: UnsignedTransaction) -> SignedTransaction:
        """Sign an EIP-1559 transaction. Raises SignerError when a field is out of range."""
        fields = {
            "type": 2,
            "chainId": transaction.chain_id,
            "nonce": transaction.nonce,
            "to": transaction.to,
            "data": transaction.data,
            "value": transaction.value_wei,
            "gas": transaction.gas_limit,
            "maxFeePerGas": transaction.max_fee_per_gas_wei,
            "maxPriorityFeePerGas": transaction.max_priority_fee_per_gas_wei,
            "accessList": [],
        }
        try:
            signed = self._account.sign_transaction(fields)
        except (ValueError, TypeError, ValidationError, RLPException) as error:
            raise SignerError("the transaction cannot be signed: a field is out of range") from error
        _require_low_s(signed.s)
        return SignedTransaction(hash=TxHash(bytes(signed.hash)), raw=bytes(signed.raw_transaction))

    def sign_typed_data(self, typed_data: Mapping[str, Any]) -> bytes:
        """Sign EIP-712 typed data; 65 bytes r || s || v. Raises SignerError when the data is not typed
        data."""
        try:
            signable = encode_typed_data(full_message=dict(typed_data))
            signed = self._account.sign_message(signable)
        except (ValueError, TypeError, KeyError, AttributeError, ValidationError) as error:
            raise SignerError("the typed data cannot be signed: it does not have its form") from error
        _require_low_s(signed.s)
        return bytes(signed.signature)

    def __repr__(self) -> str:
        return f"LocalSigner({to_checksum(self._address)})"

    def __reduce__(self) -> Any:
        raise TypeError("a signer is not copied or pickled")


def _require_low_s(s: int) -> None:
    """The contract takes low s only (EIP-2)."""
    if s > SECP256K1_ORDER // 2:
        raise SignerError("the signature has a high s")


class EncryptedKeystore:
    """`registry.ports.signer.Keystore` in one directory, under one password. Thread-safe; several processes
    may share it.

    Files that other tools wrote (geth: ``UTC--…--address``) are read too. Decrypted keys stay in memory.
    """

    def __init__(self, directory: Path, password: bytes, *, strong_kdf: bool = True) -> None:
        """Open the keystore; the directory is made on the first `create`.

        Args:
            directory: where the files lie.
            password: of all files in it.
            strong_kdf: for new files, whether the password needs stretching; no for 256 random bits.
        """
        self._directory = directory
        self._password = password
        self._iterations = STRONG_ITERATIONS if strong_kdf else LIGHT_ITERATIONS
        self._signers: dict[Address, LocalSigner] = {}
        self._guard = threading.Lock()

    def create(self) -> Signer:
        """Make a new key and store it durably before returning."""
        return self.add(_random_key())

    def add(self, private_key: bytes) -> Signer:
        """Store a key that exists already. One that is here is left as it is."""
        signer = LocalSigner(private_key)
        if signer.address not in self.addresses():
            content = create_keyfile_json(
                private_key, self._password, version=3, kdf="pbkdf2", iterations=self._iterations
            )
            self._write(f"{signer.address.hex()}.json", json.dumps(content).encode())
        with self._guard:
            return self._signers.setdefault(signer.address, signer)

    def get(self, address: Address) -> Signer:
        """The signer of ``address``.

        Raises:
            SignerError: it is not here, or the file cannot be read, was changed, or has another password.
        """
        with self._guard:
            known = self._signers.get(address)
        if known is not None:
            return known
        path = self._files().get(address)
        if path is None:
            raise SignerError(f"the keystore has no key for {to_checksum(address)}")
        signer = self._open(path, address)
        with self._guard:
            return self._signers.setdefault(address, signer)

    def addresses(self) -> frozenset[Address]:
        """All accounts of this keystore, by the names of the files."""
        return frozenset(self._files())

    def __repr__(self) -> str:
        return f"EncryptedKeystore({self._directory.name})"

    def _files(self) -> dict[Address, Path]:
        """The keystore's files by account; other files are not looked at."""
        try:
            paths = sorted(self._directory.iterdir())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise SignerError(f"the keystore {self._directory.name} cannot be read") from error
        found = {}
        for path in paths:
            name = _FILE_NAME.fullmatch(path.name)
            if name:
                found[Address(bytes.fromhex(name[1]))] = path
        return found

    def _open(self, path: Path, address: Address) -> LocalSigner:
        try:
            with path.open("rb") as file:
                raw = file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            raise SignerError(f"the key file {path.name} cannot be read") from error
        if len(raw) > MAX_FILE_BYTES:
            raise SignerError(f"the key file {path.name} is not a key file")
        try:
            private_key = decode_keyfile_json(json.loads(raw), self._password)
        except _DAMAGES as error:
            raise SignerError(
                f"the key file {path.name} cannot be opened: it was changed, or the password is another one"
            ) from error
        try:
            signer = LocalSigner(private_key)
        except SignerError as error:
            raise SignerError(f"the key file {path.name} holds no private key") from error
        if signer.address != address:
            raise SignerError(f"the key file {path.name} holds another account's key")
        return signer

    def _write(self, name: str, content: bytes) -> None:
        """Make the file durable under its name, or not at all."""
        try:
            write_durably(self._directory, name, content)
        except OSError as error:
            raise SignerError(f"the key file {name} cannot be written") from error


def _random_key() -> bytes:
    """A private key, uniform over 1 to the order minus 1."""
    return (1 + secrets.randbelow(SECP256K1_ORDER - 1)).to_bytes(32, "big")
