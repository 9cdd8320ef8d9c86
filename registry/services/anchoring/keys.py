"""The keys this server signs with: operating keys, admin keys of hosted issuers, the relayer."""

from __future__ import annotations

from registry.encoding import Address
from registry.errors import SignerError
from registry.ports.signer import Keystore, Signer


class Keys:
    """Finds the signer of an account. Admin keys lie in a keystore of their own."""

    def __init__(self, operating: Keystore, admins: Keystore, relayer: Signer | None) -> None:
        self._operating = operating
        self._admins = admins
        self.relayer = relayer

    def signer(self, account: Address) -> Signer:
        """Raises `SignerError` when the key is not here or cannot be read."""
        if self.relayer is not None and account == self.relayer.address:
            return self.relayer
        for keystore in (self._operating, self._admins):
            if account in keystore.addresses():
                return keystore.get(account)
        raise SignerError("the key of this account is not in any keystore here")

    def holds(self, account: Address) -> bool:
        """Whether the account's key is here."""
        if self.relayer is not None and account == self.relayer.address:
            return True
        return account in self._operating.addresses() or account in self._admins.addresses()
