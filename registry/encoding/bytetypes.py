"""Names for byte strings, so that a digest cannot be passed where a root is wanted. No behaviour.

Inside Rootmark values are bytes; ``0x`` hex appears at the edges only (`hexes`). The lengths are the
invariant that the parsers in `hexes` establish; a NewType does not check them.
"""

from __future__ import annotations

from typing import NewType

Digest = NewType("Digest", bytes)
"""32 bytes: the hash of one credential, by a `DigestMethod`."""

Salt = NewType("Salt", bytes)
"""32 random bytes, one per credential."""

Salted = NewType("Salted", bytes)
"""32 bytes: SHA-256(digest || salt)."""

Leaf = NewType("Leaf", bytes)
"""32 bytes: SHA-256(method || issuer || index || salted)."""

Node = NewType("Node", bytes)
"""32 bytes: a leaf, or SHA-256(left || right)."""

Root = NewType("Root", bytes)
"""32 bytes: SHA-256(0xff || size || top). What the contract stores."""

Address = NewType("Address", bytes)
"""20 bytes: an account or a contract of an EVM chain."""

TxHash = NewType("TxHash", bytes)
"""32 bytes: Keccak-256 of a signed transaction."""

BlockHash = NewType("BlockHash", bytes)
"""32 bytes: Keccak-256 of a block header."""
