"""A world made up from nothing: a storage, an account with it, a state with the account, and a header over
that.

Everything in it proves everything else in it, and nothing of it was ever on a chain. The tries are built
with py-trie.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import rlp
from eth_hash.auto import keccak
from trie import HexaryTrie

from registry.encoding import Address, BlockHash
from registry.model.chain import AccountProof
from registry.verdict.storage_proofs import EMPTY_CODE_HASH, EMPTY_TRIE_ROOT

SOME_ACCOUNTS = {
    Address(bytes([n]) * 20): (n, 10**18, EMPTY_TRIE_ROOT, EMPTY_CODE_HASH) for n in range(1, 40)
}


@dataclass
class World:
    """A fabricated block. ``storage`` maps slots to words, ``proof`` proves any slots, there or not."""

    address: Address
    code_hash: bytes
    storage: Mapping[int, int]
    number: int = 1_000
    timestamp: int = 1_700_000_000
    later_fields: int = 6

    def proof(self, *slots: int) -> AccountProof:
        """Header, account proof and storage proofs."""
        return AccountProof(
            header_rlp=self.header_rlp,
            account_proof=_prove(self.state_trie, keccak(self.address)),
            storage_proofs=tuple((slot, _prove(self.storage_trie, _slot_key(slot))) for slot in slots),
        )

    @property
    def header_rlp(self) -> bytes:
        """The header: 15 fields of Frontier and those of later forks."""
        later = [7, bytes(32), 0, 0, bytes(32), bytes(32)][: self.later_fields]
        fields = [
            b"\x01" * 32,
            b"\x02" * 32,
            b"\x03" * 20,
            self.state_trie.root_hash,
            b"\x04" * 32,
            b"\x05" * 32,
            bytes(256),
            0,
            self.number,
            30_000_000,
            21_000,
            self.timestamp,
            b"made up",
            bytes(32),
            bytes(8),
        ]
        return bytes(rlp.encode([*fields, *later]))

    @property
    def block_hash(self) -> BlockHash:
        """Hash of the header."""
        return BlockHash(keccak(self.header_rlp))

    @property
    def storage_root(self) -> bytes:
        """Root of the account's storage."""
        return bytes(self.storage_trie.root_hash)

    @property
    def state_root(self) -> bytes:
        """Root of the state."""
        return bytes(self.state_trie.root_hash)

    def with_storage(self, storage: Mapping[int, int]) -> World:
        """Another world, with other words."""
        return replace(self, storage=storage)

    @cached_property
    def storage_trie(self) -> HexaryTrie:
        """The account's storage."""
        trie = HexaryTrie({})
        for slot, value in self.storage.items():
            trie[_slot_key(slot)] = rlp.encode(value)
        return trie

    @cached_property
    def state_trie(self) -> HexaryTrie:
        """The state with the account in it."""
        trie = HexaryTrie({})
        for address, account in SOME_ACCOUNTS.items():
            trie[keccak(address)] = rlp.encode(list(account))
        trie[keccak(self.address)] = rlp.encode([1, 0, self.storage_root, self.code_hash])
        return trie


def _slot_key(slot: int) -> bytes:
    return keccak(slot.to_bytes(32, "big"))


def _prove(trie: HexaryTrie, key: bytes) -> tuple[bytes, ...]:
    """The nodes as `eth_getProof` gives them: those that are not inside another."""
    nodes = trie.get_proof(key)
    encoded = [bytes(rlp.encode(node)) for node in nodes]
    return tuple(node for number, node in enumerate(encoded) if number == 0 or len(node) >= 32)
