"""Keys that sign, wherever they lie: an encrypted keystore, a KMS, an HSM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from registry.encoding import Address
from registry.model.chain import SignedTransaction, UnsignedTransaction


class Signer(Protocol):
    """One secp256k1 key. Every method may raise `SignerError`."""

    @property
    def address(self) -> Address:
        """The account of the key."""
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
