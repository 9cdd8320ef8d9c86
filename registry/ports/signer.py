"""Keys that sign, wherever they lie: an encrypted keystore, a KMS, an HSM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from registry.encoding import Address
from registry.model.chain import SignedTransaction, UnsignedTransaction
from registry.model.signing_keys import SigningKeyKind


class Signer(Protocol):
    """One secp256k1 key. Every method may raise `SignerError`."""

    @property
    def address(self) -> Address:
        """The account of the key."""
        ...

    @property
    def public_key(self) -> bytes:
        """The compressed point, 33 bytes (SEC 1, section 2.3.3): an account does not give it away."""
        ...

    def sign_transaction(self, transaction: UnsignedTransaction) -> SignedTransaction:
        """Sign an EIP-1559 transaction."""
        ...

    def sign_typed_data(self, typed_data: Mapping[str, Any]) -> bytes:
        """Sign EIP-712 typed data; 65 bytes r || s || v with low s and v of 27 or 28."""
        ...


class Keystore(Protocol):
    """A set of signers. Every method may raise `SignerError`."""

    def create(self) -> Signer:
        """Make a new key and store it durably before returning."""
        ...

    def get(self, address: Address) -> Signer:
        """The signer of ``address``; `SignerError` when it is not in this keystore."""
        ...

    def addresses(self) -> frozenset[Address]:
        """All accounts of this keystore."""
        ...


class CredentialSigner(Protocol):
    """One key that signs credentials. Every method may raise `SignerError`."""

    @property
    def kind(self) -> SigningKeyKind:
        """What the key is, and so how it signs."""
        ...

    @property
    def public_key(self) -> bytes:
        """As `registry.model.signing_keys.SigningKey` has it."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The signature over ``message`` itself (it is not hashed before), in its kind's form."""
        ...


class CredentialKeystore(Protocol):
    """A set of keys that sign credentials. Every method may raise `SignerError`."""

    def create(self, kind: SigningKeyKind) -> CredentialSigner:
        """Make a new key and store it durably before returning."""
        ...

    def get(self, public_key: bytes) -> CredentialSigner:
        """The signer of ``public_key``; `SignerError` when it is not in this keystore."""
        ...
