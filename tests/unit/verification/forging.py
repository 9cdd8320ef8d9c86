"""A wholly fabricated block: header, account and storage that agree with each other and with some events.

What anyone can make. With its hash among the checkpoints it stands for an honest one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import rlp
from eth_hash.auto import keccak
from trie import HexaryTrie

from registry.encoding import (
    AccountId,
    Address,
    BlockHash,
    ChainId,
    DigestMethod,
    Salt,
    credential_digest,
    to_hex,
)
from registry.merkle import InclusionProof, leaf_hash, proof_to_json, root_of, salted_digest
from registry.model.chain import BitKind
from registry.services.offline import Checkpoints, Trust
from registry.services.offline.bundle_json import event_to_json
from registry.verdict.history import replay
from registry.verdict.storage_layout import slot_of_batch, slot_of_bits, slot_of_head, slot_of_key
from tests.unit.verdict.samples import BASE, ISSUER, REGISTRY, SECONDS, History

CODE_HASH = keccak(b"the registry's code")
CHAIN_ID = 1
CREDENTIAL: dict[str, Any] = {"id": "urn:uuid:3d3b1f0e-7c0a-4f5e-9a51-6f2d8c4b7a90", "name": "Welding"}
BLOCK = 50
NOW = datetime.fromtimestamp(BASE + SECONDS * BLOCK + 3600, UTC)


def proof_of(
    document: dict[str, Any] = CREDENTIAL, method: DigestMethod = DigestMethod.JCS_SHA256
) -> InclusionProof:
    digest = credential_digest(document, DigestMethod.JCS_SHA256)
    salt = Salt(b"\5" * 32)
    root = root_of(1, leaf_hash(method, ISSUER, 0, salted_digest(digest, salt)))
    return InclusionProof(0, 1, (), method, digest, salt, ISSUER, root)


PROOF = proof_of()


def history() -> History:
    """The batch of the one credential, anchored in block 2."""
    return History().add_key().anchor(PROOF.root)


def pack(account: Address, first: int, second: int, last: int) -> int:
    return int.from_bytes(account, "big") | first << 160 | second << 200 | last << 240


@dataclass
class Forgery:
    """Makes the bundle. What is set here wins over what the events say."""

    events: History
    proof: InclusionProof = PROOF
    credential: dict[str, Any] | None = field(default_factory=lambda: dict(CREDENTIAL))
    code_hash: bytes = CODE_HASH
    timestamp: int = BASE + SECONDS * BLOCK
    storage: dict[int, int] = field(default_factory=dict)
    chain_id: int = CHAIN_ID
    registry: Address = REGISTRY

    def slots(self) -> dict[str, int]:
        state = replay(self.events.events).state
        batch = state.batch(self.proof.issuer, self.proof.root)
        issuer, root = self.proof.issuer, self.proof.root
        return {
            "key": slot_of_key(batch.key if batch else Address(bytes(20))),
            "batch": slot_of_batch(issuer, root),
            "head": slot_of_head(issuer),
            "revoked": slot_of_bits(BitKind.REVOKED, issuer, root, self.proof.index // 256),
            "suspended": slot_of_bits(BitKind.SUSPENDED, issuer, root, self.proof.index // 256),
        }

    def words(self) -> dict[int, int]:
        """Storage as the contract would have it after the events."""
        result = replay(self.events.events)
        state, slots = result.state, self.slots()
        issuer, root = self.proof.issuer, self.proof.root
        batch = state.batch(issuer, root)
        words = {slots["head"]: int.from_bytes(result.head, "big")}
        known = state.keys()
        for key in known:
            words[slot_of_key(key.key)] = pack(key.issuer, key.valid_until, key.retired_at, key.roles)
        if batch is not None:
            withdrawal = batch.withdrawal
            at, reason = (withdrawal.at, withdrawal.reason) if withdrawal else (0, 0)
            words[slots["batch"]] = pack(batch.key, batch.anchored_at, at, reason)
        for kind in BitKind:
            words[slots[kind.value]] = state.word(kind, issuer, root, self.proof.index // 256)
        return words | self.storage

    def bundle(self) -> dict[str, Any]:
        storage = HexaryTrie({})
        for slot, value in self.words().items():
            if value:
                storage[keccak(slot.to_bytes(32, "big"))] = rlp.encode(value)
        accounts = HexaryTrie({})
        accounts[keccak(b"somebody else")] = rlp.encode([1, 2, keccak(b""), keccak(b"")])
        account = [1, 0, storage.root_hash, self.code_hash]
        accounts[keccak(self.registry)] = rlp.encode(account)
        bundle = {
            "type": "RootmarkBundle/v1",
            "registry": str(AccountId(ChainId(self.chain_id), self.registry)),
            "credential": self.credential,
            "digest": to_hex(self.proof.digest),
            "proof": proof_to_json(self.proof),
            "header": to_hex(self.header(accounts.root_hash)),
            "accountProof": path(accounts, keccak(self.registry)),
            "storageProofs": {
                name: path(storage, keccak(slot.to_bytes(32, "big"))) for name, slot in self.slots().items()
            },
            "events": [event_to_json(event) for event in self.events.events],
        }
        return {name: value for name, value in bundle.items() if value is not None}

    def header(self, state_root: bytes) -> bytes:
        """A header of the London form."""
        word = bytes(32)
        fields = [word, word, bytes(20), state_root, word, word, bytes(256), 0, BLOCK, 30_000_000, 0]
        return rlp.encode([*fields, self.timestamp, b"", word, bytes(8), 7])


def path(trie: HexaryTrie, key: bytes) -> list[str]:
    """The proof's nodes as eth_getProof gives them: without those that lie inside their parent."""
    nodes = [rlp.encode(node) for node in trie.get_proof(key)]
    return [to_hex(node) for number, node in enumerate(nodes) if number == 0 or len(node) >= 32]


def hash_of(bundle: dict[str, Any]) -> BlockHash:
    return BlockHash(keccak(bytes.fromhex(bundle["header"][2:])))


def trusting(bundle: dict[str, Any]) -> Checkpoints:
    """The bundle's own block, named by hand."""
    return Checkpoints(by_hand=frozenset({hash_of(bundle)}))


def trust(**changes: Any) -> Trust:
    return replace(Trust(issuers={ISSUER: "University"}, code_hash=CODE_HASH), **changes)
