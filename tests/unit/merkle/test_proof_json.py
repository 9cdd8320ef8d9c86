"""RootmarkProof/v1: every vector reads as stated, and what is written is read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from registry.encoding import parse_json, to_hex
from registry.errors import MalformedProofError, ValidationError
from registry.merkle import InclusionProof, proof_from_json, proof_to_json

VECTORS = Path(__file__).parents[2] / "vectors" / "proofs"


def _load(pattern: str) -> list[Any]:
    return [
        pytest.param(json.loads(path.read_text("utf-8")), id=path.stem)
        for path in sorted(VECTORS.glob(pattern))
    ]


@pytest.mark.parametrize("vector", _load("malformed-*.json"))
def test_malformed_proof_is_refused_with_its_pointer(vector: dict[str, Any]) -> None:
    with pytest.raises(MalformedProofError) as caught:
        proof_from_json(vector["proof"], pointer="/items/3/proof")
    (fault,) = caught.value.faults
    assert fault.pointer == "/items/3/proof" + vector["expect"]["pointer"]
    assert isinstance(caught.value, ValidationError)


@pytest.mark.parametrize("vector", _load("good-*.json") + _load("fail-*.json"))
def test_well_formed_proof_is_written_as_it_was_read(vector: dict[str, Any]) -> None:
    proof = proof_from_json(vector["proof"])
    written = proof_to_json(proof)
    assert proof_from_json(parse_json(json.dumps(written).encode())) == proof
    for name, value in written.items():
        given = vector["proof"].get(name)
        assert value == (given.lower() if isinstance(given, str) and given.startswith("0x") else given)


def test_sides_are_written_from_index_and_size_when_none_were_claimed() -> None:
    vector = json.loads((VECTORS / "good-middle-of-three-tiles.json").read_text("utf-8"))["proof"]
    claimed = proof_from_json(vector)
    members = {name: getattr(claimed, name) for name in InclusionProof.__slots__ if name != "sides"}
    assert proof_to_json(InclusionProof(**members)) == vector
    with pytest.raises(ValueError, match="outside the batch"):
        proof_to_json(InclusionProof(**{**members, "index": 10**6}))
    with pytest.raises(ValueError, match=r"shorter|longer"):
        proof_to_json(InclusionProof(**{**members, "path": ()}))


def test_hex_is_written_in_lower_case() -> None:
    vector = json.loads((VECTORS / "good-upper-case-hex.json").read_text("utf-8"))["proof"]
    proof = proof_from_json(vector)
    assert vector["digest"] != vector["digest"].lower()
    assert proof_to_json(proof)["digest"] == to_hex(proof.digest) == vector["digest"].lower()


def test_order_of_members_is_that_of_the_specification() -> None:
    vector = json.loads((VECTORS / "good-single-leaf.json").read_text("utf-8"))["proof"]
    assert list(proof_to_json(proof_from_json(vector))) == [
        "type",
        "registry",
        "issuer",
        "digestMethod",
        "digest",
        "salt",
        "index",
        "size",
        "path",
        "root",
        "anchor",
    ]
