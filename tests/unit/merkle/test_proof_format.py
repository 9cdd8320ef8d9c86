"""docs/proof-format.md says what the code does: its worked example and form of a proof are computed again."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from eth_hash.auto import keccak

from registry.encoding import canonical_json
from registry.merkle import proof_from_json, proof_to_json

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "proof-format.md").read_text("utf-8")
VECTOR: dict[str, Any] = json.loads(
    (ROOT / "tests" / "vectors" / "proofs" / "good-worked-example.json").read_text("utf-8")
)
PROOF = proof_from_json(VECTOR["proof"])
KEY = bytes.fromhex("8617e340b3d01fa5f11f306f4090fd50e238070d")
NUMBERS = dict(re.findall(r"^(\w+)  +([0-9a-f]{64})\b", TEXT, re.MULTILINE))
PREFIXES = re.findall(r"^prefix  ([0-9a-f]+)$", TEXT, re.MULTILINE)


def _word(value: bytes | int) -> bytes:
    return value.rjust(32, b"\0") if isinstance(value, bytes) else value.to_bytes(32, "big")


def _json_blocks() -> list[Any]:
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)]


def test_json_form_is_that_of_the_vector() -> None:
    proof, credential = _json_blocks()
    assert proof == VECTOR["proof"]
    assert list(proof) == list(proof_to_json(PROOF))
    assert credential == VECTOR["credential"]


def test_canonical_form_is_shown() -> None:
    unsigned = {name: value for name, value in VECTOR["credential"].items() if name != "proof"}
    canonical = canonical_json(unsigned)
    assert canonical.decode() in TEXT
    assert f"{len(canonical)} bytes of UTF-8" in TEXT
    assert sha256(canonical).hexdigest() == NUMBERS["digest"] == PROOF.digest.hex()


def test_hashes_are_those_of_the_text() -> None:
    number = {name: bytes.fromhex(text) for name, text in NUMBERS.items()}
    leaf_prefix, root_prefix = map(bytes.fromhex, PREFIXES)
    assert number["salt"] == PROOF.salt
    assert number["salted"] == sha256(number["digest"] + number["salt"]).digest()
    assert leaf_prefix == b"\x01" + PROOF.issuer + bytes(7) + b"\x01"
    assert number["leaf"] == sha256(leaf_prefix + number["salted"]).digest()
    assert number["node"] == sha256(number["left"] + number["leaf"]).digest()
    assert number["top"] == sha256(number["node"] + number["right"]).digest()
    assert root_prefix == b"\xff" + bytes(7) + b"\x03"
    assert number["root"] == sha256(root_prefix + number["top"]).digest() == PROOF.root


@pytest.mark.parametrize("name", ["batch", "revoked", "suspended", "head", "key"])
def test_storage_slots_are_those_of_the_text(name: str) -> None:
    issuer, root = _word(PROOF.issuer), PROOF.root

    def bits(kind: int) -> bytes:
        return keccak(
            _word(PROOF.index >> 8) + keccak(root + keccak(issuer + keccak(_word(kind) + _word(3))))
        )

    slots = {
        "batch": keccak(root + keccak(issuer + _word(1))),
        "revoked": bits(1),
        "suspended": bits(2),
        "head": keccak(issuer + _word(2)),
        "key": keccak(_word(KEY) + _word(0)),
    }
    assert "0x" + KEY.hex() in TEXT
    assert slots[name].hex() == NUMBERS[name]
