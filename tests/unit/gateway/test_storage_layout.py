"""The pinned slots against the compiler's storage layout, and against numbers worked out by hand."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from eth_hash.auto import keccak

from registry.chain.abi import load_artifact
from registry.encoding import Address, Root
from registry.model.chain import BatchOnChain, BitKind, KeyOnChain
from registry.verdict import storage_layout as layout

ISSUER = Address(bytes(range(1, 21)))
ROOT = Root(bytes(range(100, 132)))
LAYOUT = """
const solc = require('solc');
const fs = require('fs');
const read = path => ({content: fs.readFileSync(path, 'utf8')});
const load = path => { const {content} = read(path); return {contents: content}; };
const main = 'contracts/CredentialRegistry.sol';
const settings = {evmVersion: 'prague', outputSelection: {'*': {'*': ['storageLayout']}}};
const input = {language: 'Solidity', sources: {[main]: read(main)}, settings};
const out = JSON.parse(solc.compile(JSON.stringify(input), {import: load}));
fs.writeSync(1, JSON.stringify(out.contracts[main].CredentialRegistry.storageLayout));
"""
REPOSITORY = Path(__file__).resolve().parents[3]


def test_the_slots_are_the_compilers() -> None:
    assert dict(load_artifact().storage_slots) == {
        "keys": layout.KEYS_SLOT,
        "batches": layout.BATCHES_SLOT,
        "heads": layout.HEADS_SLOT,
        "bits": layout.BITS_SLOT,
        "admins": layout.ADMINS_SLOT,
        "pendingAdmins": 5,
        "nonces": 6,
    }


def test_slots_follow_the_solidity_documentation() -> None:
    def entry(key: bytes, slot: bytes) -> bytes:
        return keccak(key + slot)

    issuer = bytes(12) + ISSUER
    word = (9).to_bytes(32, "big")
    numbers = [number.to_bytes(32, "big") for number in range(5)]
    expected = {
        layout.slot_of_key(ISSUER): entry(issuer, numbers[0]),
        layout.slot_of_batch(ISSUER, ROOT): entry(ROOT, entry(issuer, numbers[1])),
        layout.slot_of_head(ISSUER): entry(issuer, numbers[2]),
        layout.slot_of_admin(ISSUER): entry(issuer, numbers[4]),
        layout.slot_of_bits(BitKind.REVOKED, ISSUER, ROOT, 9): entry(
            word, entry(ROOT, entry(issuer, entry(numbers[1], numbers[3])))
        ),
        layout.slot_of_bits(BitKind.SUSPENDED, ISSUER, ROOT, 9): entry(
            word, entry(ROOT, entry(issuer, entry(numbers[2], numbers[3])))
        ),
    }
    assert {slot.to_bytes(32, "big"): slot.to_bytes(32, "big") for slot in expected} == {
        value: value for value in expected.values()
    }
    assert len(expected) == 6


def test_structs_are_unpacked_from_the_low_end() -> None:
    packed = int.from_bytes(bytes.fromhex("0007") + b"\x00\x00\x00\x00\x05" + b"\xff" * 5 + ISSUER, "big")
    assert layout.unpack_key(packed) == KeyOnChain(ISSUER, 2**40 - 1, 5, 7)
    assert layout.unpack_batch(packed) == BatchOnChain(ISSUER, 2**40 - 1, 5, 7)
    assert layout.unpack_key(0) == KeyOnChain(Address(bytes(20)), 0, 0, 0)


@pytest.mark.node
def test_the_packing_is_the_compilers() -> None:
    """solc says at which byte of the word each member lies."""
    done = subprocess.run(["node", "-e", LAYOUT], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    types = json.loads(done.stdout)["types"]
    members = {
        kind.split("(")[1].split(")")[0]: [(m["label"], m["slot"], m["offset"]) for m in value["members"]]
        for kind, value in types.items()
        if "members" in value
    }
    assert members == {
        "Key": [("issuer", "0", 0), ("validUntil", "0", 20), ("retiredAt", "0", 25), ("roles", "0", 30)],
        "Batch": [("key", "0", 0), ("anchoredAt", "0", 20), ("withdrawnAt", "0", 25), ("reason", "0", 30)],
    }
