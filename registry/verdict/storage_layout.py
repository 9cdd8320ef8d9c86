"""Where the registry contract keeps what, and how it packs it: docs/proof-format.md, section 7. Pure.

The layout is a public format, the same in every deployment. Mappings lie as the Solidity documentation's
"Layout of State Variables in Storage" says: the value of ``key`` in the mapping at ``p`` is at
keccak256(pad32(key) || pad32(p)). Members of a struct that fit one word are packed from the low-order end.
"""

from __future__ import annotations

from typing import Final

from eth_hash.auto import keccak

from registry.encoding import Address, Root
from registry.model.chain import BatchOnChain, BitKind, KeyOnChain

KEYS_SLOT: Final = 0
BATCHES_SLOT: Final = 1
HEADS_SLOT: Final = 2
BITS_SLOT: Final = 3
ADMINS_SLOT: Final = 4

KIND_NUMBERS: Final = {BitKind.REVOKED: 1, BitKind.SUSPENDED: 2}

_ADDRESS_BITS: Final = 160
_TIME_BITS: Final = 40


def _entry(key: bytes, mapping_slot: int) -> int:
    """Slot of ``key`` in the mapping at ``mapping_slot``."""
    return int.from_bytes(keccak(key.rjust(32, b"\0") + mapping_slot.to_bytes(32, "big")), "big")


def slot_of_key(key: Address) -> int:
    """Slot of ``keys[key]``; unpack with `unpack_key`."""
    return _entry(key, KEYS_SLOT)


def slot_of_batch(issuer: Address, root: Root) -> int:
    """Slot of ``batches[issuer][root]``; unpack with `unpack_batch`."""
    return _entry(root, _entry(issuer, BATCHES_SLOT))


def slot_of_head(issuer: Address) -> int:
    """Slot of ``heads[issuer]``: the history head as a 256-bit integer."""
    return _entry(issuer, HEADS_SLOT)


def slot_of_bits(kind: BitKind, issuer: Address, root: Root, word: int) -> int:
    """Slot of ``bits[kind][issuer][root][word]``; bit i is the credential ``word * 256 + i``."""
    of_kind = _entry(bytes([KIND_NUMBERS[kind]]), BITS_SLOT)
    return _entry(word.to_bytes(8, "big"), _entry(root, _entry(issuer, of_kind)))


def slot_of_admin(issuer: Address) -> int:
    """Slot of ``admins[issuer]``: the admin as an integer, 0 while that is the issuer itself."""
    return _entry(issuer, ADMINS_SLOT)


def unpack_key(value: int) -> KeyOnChain:
    """``{ address issuer; uint40 validUntil; uint40 retiredAt; uint16 roles }``."""
    issuer, valid_until, retired_at, roles = _unpack(value)
    return KeyOnChain(issuer=issuer, valid_until=valid_until, retired_at=retired_at, roles=roles)


def unpack_batch(value: int) -> BatchOnChain:
    """``{ address key; uint40 anchoredAt; uint40 withdrawnAt; uint16 reason }``."""
    key, anchored_at, withdrawn_at, reason = _unpack(value)
    return BatchOnChain(key=key, anchored_at=anchored_at, withdrawn_at=withdrawn_at, reason=reason)


def _unpack(value: int) -> tuple[Address, int, int, int]:
    """An address, two uint40 and a uint16, from the low-order end of a word."""
    time_mask = (1 << _TIME_BITS) - 1
    account = Address((value & ((1 << _ADDRESS_BITS) - 1)).to_bytes(20, "big"))
    rest = value >> _ADDRESS_BITS
    return account, rest & time_mask, (rest >> _TIME_BITS) & time_mask, rest >> (2 * _TIME_BITS)
