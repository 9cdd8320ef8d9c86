"""proofValues of Blockcerts: published ones, our own, and hostile ones."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import base58
import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.credentials.merkle_proof_2019 import (
    MAX_TEXT,
    Ledger,
    MerkleProof2019,
    ProofAnchor,
    anchor_proof,
    decode_proof_value,
    encode_proof_value,
    full_path,
    inclusion_proof_of,
    is_merkle_proof_2019,
)
from registry.encoding import DigestMethod, Root, TxHash
from registry.errors import MalformedProofError, ValidationError
from registry.merkle import (
    InclusionFailure,
    InclusionPass,
    Side,
    chainpoint_path,
    proof_from_json,
    verify_inclusion,
)

VECTORS = Path(__file__).resolve().parents[3] / "vectors" / "merkle-proof-2019"
PUBLISHED: list[dict[str, Any]] = json.loads((VECTORS / "published.json").read_text())
OURS: dict[str, Any] = json.loads((VECTORS / "ours.json").read_text())
PROOF = replace(proof_from_json(OURS["proof"]), sides=None)
KEYMAP = {
    "btc:testnet": (Ledger.BITCOIN, 3),
    "eth:ropsten": (Ledger.ETHEREUM, 3),
    "eth:sepolia": (Ledger.ETHEREUM, 11155111),
}
ROOT = bytes([1]) * 32
TARGET = bytes([2]) * 32
ANCHOR = ProofAnchor(Ledger.ETHEREUM, 1, bytes([3]) * 32)


def text(value: object) -> str:
    return "z" + base58.b58encode(cbor2.dumps(value)).decode()


def wrapped(digits: str) -> bytes:
    return cbor2.dumps(digits)


def members(**other: object) -> list[list[object]]:
    """A good proof as CBOR pairs, with members replaced by their names, or left out where None."""
    good: dict[str, object] = {
        "root": wrapped(ROOT.hex()),
        "target": wrapped(TARGET.hex()),
        "anchors": [[[0, 1], [1, 1], [2, wrapped("0x" + "03" * 32)]]],
        "path": [[0, wrapped("04" * 32)]],
    }
    good.update(other)
    return [[number, value] for number, value in enumerate(good.values()) if value is not None]


def refused(value: object) -> str:
    with pytest.raises(ValidationError) as caught:
        decode_proof_value(value, pointer="/proof/proofValue")
    (fault,) = caught.value.faults
    assert (fault.code, fault.pointer) == ("proof-value", "/proof/proofValue")
    return fault.detail


# --- hostile ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param("9b1000000000000000", id="a list of 2^60"),
        pytest.param("5b1000000000000000", id="bytes of 2^60"),
        pytest.param("bb1000000000000000", id="a map of 2^60"),
        pytest.param("81" * 3000 + "00", id="3000 lists in one another"),
        pytest.param("c5821b7fffffffffffffff01", id="2 to the 2^63"),
        pytest.param("c4821a3fffffff01", id="10 to the 2^30"),
        pytest.param("d81c81d81d00", id="a list that holds itself"),
        pytest.param("c25903e8" + "ff" * 1000, id="a big number"),
        pytest.param("9f9f9f9f9f", id="lists without end"),
        pytest.param("d823603030", id="a pattern"),
        pytest.param("", id="nothing"),
        pytest.param("ff", id="a break alone"),
        pytest.param("f97e00", id="not a number"),
    ],
)
def test_cbor_bomb_is_refused_at_once(raw: str) -> None:
    begun = time.monotonic()
    value = "z" + base58.b58encode(bytes.fromhex(raw)).decode() if raw else "z"
    refused(value)
    assert time.monotonic() - begun < 1


@pytest.mark.parametrize("value", [None, 7, ["z"], {"z": 1}, "", "z", "m" + "A" * 8, "z0OIl", "zA\n", "zÄ"])
def test_what_is_not_base58btc_text_is_refused(value: object) -> None:
    refused(value)


def test_longer_text_than_the_cap_is_refused_before_it_is_read() -> None:
    assert "at most" in refused("z" + "2" * MAX_TEXT)


@pytest.mark.parametrize(
    ("other", "detail"),
    [
        ({"root": wrapped("01" * 31)}, "the root is not 32 bytes"),
        ({"root": wrapped("01" * 33)}, "the root is not 32 bytes"),
        ({"root": wrapped("0x" + "01" * 32)}, "the root is not hexadecimal"),
        ({"root": wrapped("01" * 31 + "0")}, "the root is not hexadecimal"),
        ({"root": "01" * 32}, "the root is a short byte string"),
        ({"root": bytes(32)}, "the proofValue holds CBOR that is not plain and shortest"),
        ({"root": cbor2.dumps(7)}, "the root is not 1 to 64 bytes"),
        ({"root": wrapped("01" * 32) + b"\x00"}, "the proofValue holds CBOR that is not plain and shortest"),
        ({"root": None}, "the proof has a root, a target, anchors and a path, once each"),
        ({"path": [[2, wrapped("04" * 32)]]}, "a path entry stands left (0) or right (1)"),
        ({"path": [[True, wrapped("04" * 32)]]}, "the path is made of pairs of a number and a value"),
        ({"path": [[0, wrapped("04" * 32), 1]]}, "the path is made of pairs of a number and a value"),
        ({"path": [[0, wrapped("04" * 65)]]}, "a path entry is not 1 to 64 bytes"),
        ({"path": [[0, wrapped("04" * 70)]]}, "a path entry is a short byte string"),
        ({"path": [[0, wrapped("")]]}, "a path entry is not hexadecimal"),
        ({"path": [[0, wrapped("04" * 32)]] * 65}, "there are more than 64 entries in the path"),
        ({"path": {0: 1}}, "there is no list for the path"),
        ({"anchors": []}, "there is no anchor"),
        ({"anchors": [[[0, -1], [1, -1]]] * 9}, "there are more than 8 entries in the anchors"),
        ({"anchors": [[[0, 9], [1, 1], [2, wrapped("03" * 32)]]]}, "an anchor names no known blockchain"),
        (
            {"anchors": [[[0, 1], [1, 1]]]},
            "an anchor has a blockchain, a network and a transaction",
        ),
        (
            {"anchors": [[[0, 1], [1, -1], [2, wrapped("03" * 32)]]]},
            "an anchor has a blockchain, a network and a transaction",
        ),
        ({"anchors": [[[0, 1], [1, 1], [2, wrapped("03" * 31)]]]}, "a transaction is not 32 bytes"),
        ({"anchors": [[[0, 1], [0, 1], [2, wrapped("03" * 32)]]]}, "an anchor says a thing twice"),
    ],
)
def test_wrong_member_is_refused_and_named(other: dict[str, object], detail: str) -> None:
    assert refused(text(members(**other))) == detail


def test_member_that_comes_twice_is_refused() -> None:
    assert refused(text([*members(), [0, wrapped(TARGET.hex())]])) == "the proof says a thing twice"


@pytest.mark.parametrize("suffix", ["00", "f6"])
def test_bytes_after_the_proof_are_refused(suffix: str) -> None:
    raw = cbor2.dumps(members()) + bytes.fromhex(suffix)
    refused("z" + base58.b58encode(raw).decode())


def test_longer_form_of_a_number_is_refused() -> None:
    raw = cbor2.dumps(members())
    assert raw[:3] == bytes.fromhex("848200")
    refused("z" + base58.b58encode(bytes.fromhex("84821800") + raw[3:]).decode())


# --- published ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", PUBLISHED, ids=lambda vector: vector["name"])
def test_published_proof_decodes_as_by_the_reference(vector: dict[str, Any]) -> None:
    proof = decode_proof_value(vector["proofValue"])
    decoded = vector["decoded"]
    assert proof.root.hex() == decoded["merkleRoot"]
    assert proof.target.hex() == decoded["targetHash"]
    assert [{side.value: entry.hex()} for side, entry in proof.path] == decoded["path"]
    (anchor,) = proof.anchors
    _, chain, network, *transaction = decoded["anchors"][0].split(":")
    if chain == "mocknet":
        assert anchor == ProofAnchor(Ledger.MOCK, None, None)
        return
    assert (anchor.ledger, anchor.network) == KEYMAP[f"{chain}:{network}"]
    assert anchor.transaction == bytes.fromhex(transaction[0].removeprefix("0x"))
    assert anchor.chain_id == (anchor.network if chain == "eth" else None)


@pytest.mark.parametrize("vector", PUBLISHED, ids=lambda vector: vector["name"])
def test_path_of_a_published_proof_leads_to_its_root(vector: dict[str, Any]) -> None:
    proof = decode_proof_value(vector["proofValue"])
    assert proof.computed_root() == proof.root


# --- our own ------------------------------------------------------------------------------------------------


def test_own_proof_decodes_by_the_reference_as_meant() -> None:
    decoded = OURS["decoded"]
    assert decoded["merkleRoot"] == PROOF.root.hex()
    assert decoded["targetHash"] == PROOF.digest.hex()
    assert decoded["path"] == chainpoint_path(PROOF)
    transaction = sha256(b"transaction").hexdigest()
    assert decoded["anchors"] == [f"blink:eth:sepolia:0x{transaction}"]


def test_own_proof_is_written_as_the_vector() -> None:
    assert exported() == OURS["exported"]
    assert is_merkle_proof_2019(exported())


def exported(**other: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "proof": PROOF,
        "transaction": TxHash(sha256(b"transaction").digest()),
        "chain_id": 11155111,
        "created": datetime(2026, 11, 25, tzinfo=UTC),
        "verification_method": "https://issuer.example/did.json#chain-1",
    }
    given.update(other)
    return anchor_proof(given.pop("proof"), **given)


def test_own_proof_leads_back_to_the_inclusion_proof() -> None:
    decoded = decode_proof_value(exported()["proofValue"])
    claim = inclusion_proof_of(decoded)
    assert claim is not None
    assert replace(claim, sides=None) == replace(PROOF, registry=None, anchor=None)
    assert isinstance(verify_inclusion(claim), InclusionPass)
    assert decoded.computed_root() == PROOF.root


def test_proof_is_not_exported_for_a_digest_of_another_method() -> None:
    with pytest.raises(MalformedProofError, match="rdfc-sha256"):
        exported(proof=replace(PROOF, method=DigestMethod.JCS_SHA256))


def test_proof_that_does_not_hold_is_not_exported() -> None:
    with pytest.raises(MalformedProofError, match="another root"):
        exported(proof=replace(PROOF, root=Root(bytes(32))))


def test_proof_is_not_exported_for_a_chain_that_no_verifier_reads() -> None:
    with pytest.raises(ValueError, match="chain"):
        exported(chain_id=31337)


OWN = MerkleProof2019(PROOF.root, PROOF.digest, full_path(PROOF), (ANCHOR,))


def with_step(position: int, side: Side, entry: bytes) -> MerkleProof2019:
    steps = list(OWN.path)
    steps[position] = (side, entry)
    return replace(OWN, path=tuple(steps))


PREFIX = OWN.path[1][1]
SIZE = OWN.path[-1][1]


@pytest.mark.parametrize(
    "foreign",
    [
        pytest.param(replace(OWN, path=()), id="empty"),
        pytest.param(replace(OWN, path=OWN.path[:2]), id="two entries"),
        pytest.param(replace(OWN, path=OWN.path[1:]), id="without salt"),
        pytest.param(replace(OWN, path=OWN.path[:-1]), id="without size"),
        pytest.param(with_step(0, Side.LEFT, bytes(32)), id="salt on the left"),
        pytest.param(with_step(0, Side.RIGHT, bytes(31)), id="a short salt"),
        pytest.param(with_step(1, Side.RIGHT, PREFIX), id="prefix on the right"),
        pytest.param(with_step(1, Side.LEFT, b"\x09" + PREFIX[1:]), id="an unknown method"),
        pytest.param(with_step(4, Side.LEFT, bytes(29)), id="a short node"),
        pytest.param(with_step(-1, Side.LEFT, b"\xfe" + SIZE[1:]), id="another tag"),
        pytest.param(with_step(-1, Side.LEFT, b"\xff" + bytes(8)), id="size 0"),
        pytest.param(with_step(-1, Side.LEFT, b"\xff" * 9), id="size 2^64-1"),
        pytest.param(with_step(-1, Side.RIGHT, SIZE), id="size on the right"),
    ],
)
def test_path_of_another_shape_makes_no_claim(foreign: MerkleProof2019) -> None:
    assert inclusion_proof_of(foreign) is None


def test_claim_fails_when_an_index_outside_the_batch_is_written_into_the_path() -> None:
    claim = inclusion_proof_of(with_step(1, Side.LEFT, PREFIX[:21] + (500).to_bytes(8, "big")))
    assert claim is not None
    assert isinstance(verify_inclusion(claim), InclusionFailure)


def test_claim_fails_when_a_side_is_not_the_one_of_its_index() -> None:
    side, entry = OWN.path[2]
    claim = inclusion_proof_of(with_step(2, Side.RIGHT if side is Side.LEFT else Side.LEFT, entry))
    assert claim is not None
    assert isinstance(verify_inclusion(claim), InclusionFailure)


@pytest.mark.parametrize(
    "anchor",
    [ANCHOR, ProofAnchor(Ledger.BITCOIN, 1, bytes([5]) * 32), ProofAnchor(Ledger.MOCK, None, None)],
)
def test_encoded_proof_decodes_to_itself(anchor: ProofAnchor) -> None:
    proof = replace(OWN, anchors=(anchor, anchor))
    assert decode_proof_value(encode_proof_value(proof)) == proof


TAGGED = st.recursive(
    st.one_of(
        st.integers(-(2**64), 2**64), st.binary(max_size=40), st.text(max_size=10), st.floats(), st.none()
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.integers(0, 4), inner, max_size=3),
        st.builds(cbor2.CBORTag, st.sampled_from([0, 1, 2, 4, 5, 28, 30, 35, 258, 260, 9999]), inner),
    ),
    max_leaves=12,
)


def decodes_or_is_refused(value: str) -> None:
    try:
        decode_proof_value(value)
    except ValidationError:
        return


@settings(max_examples=60)
@given(TAGGED)
def test_no_cbor_makes_the_decoder_raise_anything_else(value: object) -> None:
    try:
        raw = cbor2.dumps(value)
    except cbor2.CBORError:
        return
    decodes_or_is_refused("z" + base58.b58encode(raw).decode())


@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=3))
def test_no_change_of_a_good_proof_makes_the_decoder_raise_anything_else(place: int, change: bytes) -> None:
    raw = bytearray(cbor2.dumps(members()))
    place %= len(raw)
    raw[place : place + len(change)] = change
    decodes_or_is_refused("z" + base58.b58encode(bytes(raw)).decode())
