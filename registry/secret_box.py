"""Secrets that have to be read again, sealed with a key that is not in the database.

ChaCha20-Poly1305 (RFC 8439) with a random nonce of 12 bytes in front; a secret's name is authenticated with
it, so that one cannot be put in another's place. The key never reaches a repr, an error or a log.
"""

from __future__ import annotations

import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from registry.errors import SignerError

_NONCE_BYTES = 12


class SealedWithKey:
    """`registry.ports.webhooks.SecretBox`. Thread-safe."""

    def __init__(self, key: bytes) -> None:
        """Args:
        key: 32 random bytes.
        """
        self._cipher = ChaCha20Poly1305(key)

    def seal(self, secret: bytes, name: str) -> bytes:
        """The secret, to be opened under the same name."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, name.encode())

    def open(self, sealed: bytes, name: str) -> bytes:
        """Undo `seal`. Raises `SignerError`."""
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, rest, name.encode())
        except (InvalidTag, ValueError) as error:
            raise SignerError("a sealed secret cannot be opened: its key is another one") from error

    def __reduce__(self) -> Any:
        raise TypeError("a key is not copied or pickled")
