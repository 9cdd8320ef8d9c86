"""Checkpoint files: signed by the configured key, or refused whole."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_hash.auto import keccak

from registry.chain.keystore import LocalSigner
from registry.encoding import Address, parse_json, to_hex
from registry.errors import MalformedEvidenceError
from registry.services.offline import make_checkpoints, read_checkpoints
from registry.services.offline.checkpoints import signing_digest, typed_data
from tests.unit.verdict.samples import header

SIGNER = LocalSigner(b"\x11" * 32)
ISSUED = datetime(2026, 11, 23, 4, 0, 0, 123456, tzinfo=UTC)
BLOCKS = [header(7), header(9)]
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def file() -> dict[str, Any]:
    return make_checkpoints(SIGNER, 5, BLOCKS, ISSUED)


def test_signed_file_is_read_back() -> None:
    checkpoints = read_checkpoints(file(), SIGNER.address)
    assert checkpoints.signed == {(5, BLOCKS[0].hash), (5, BLOCKS[1].hash)}
    assert checkpoints.trusts(5, BLOCKS[0].hash)
    assert not checkpoints.trusts(1, BLOCKS[0].hash)
    assert not checkpoints.trusts(5, header(8).hash)


def test_file_is_strict_json_and_survives_it() -> None:
    import json

    assert read_checkpoints(parse_json(json.dumps(file()).encode()), SIGNER.address).signed


def test_empty_list_can_be_signed() -> None:
    empty = make_checkpoints(SIGNER, 5, [], ISSUED)
    assert read_checkpoints(empty, SIGNER.address).signed == frozenset()


def test_digest_is_that_of_eip_712_by_another_library() -> None:
    pairs = [(block.number, block.hash) for block in BLOCKS]
    message = encode_typed_data(full_message=typed_data(5, 1_700_000_000, pairs))
    expected = keccak(b"\x19" + message.version + message.header + message.body)
    assert signing_digest(5, 1_700_000_000, pairs) == expected


def high_s(signature: str) -> str:
    raw = bytes.fromhex(signature[2:])
    flipped = ORDER - int.from_bytes(raw[32:64], "big")
    return to_hex(raw[:32] + flipped.to_bytes(32, "big") + bytes([55 - raw[64]]))


def change(**members: Any) -> Any:
    return lambda content: content.update(members)


FLAWS: dict[str, Any] = {
    "another chain": change(chain="eip155:1"),
    "another time": change(issuedAt="2026-11-23T04:00:01Z"),
    "time before 1970": change(issuedAt="1969-12-31T23:59:59Z"),
    "block added": lambda content: content["blocks"].append({"number": 8, "hash": "0x" + "11" * 32}),
    "block removed": lambda content: content["blocks"].pop(),
    "number changed": lambda content: content["blocks"][0].update(number=6),
    "number missing": lambda content: content["blocks"][0].pop("number"),
    "number a truth value": lambda content: content["blocks"][0].update(number=True),
    "number negative": lambda content: content["blocks"][0].update(number=-1),
    "hash cut": lambda content: content["blocks"][0].update(hash="0x12"),
    "block no object": lambda content: content["blocks"].insert(0, "0x12"),
    "no list": change(blocks={}),
    "no chain": lambda content: content.pop("chain"),
    "no signature": lambda content: content.pop("signature"),
    "signature cut": change(signature="0x" + "11" * 64),
    "signature zero": change(signature="0x" + "00" * 65),
    "signature of nothing": change(signature="0x" + "ff" * 32 + "11" * 32 + "1b"),
    "recovery id 0": lambda content: content.update(signature=content["signature"][:-2] + "00"),
    "high s": lambda content: content.update(signature=high_s(content["signature"])),
    "signer malformed": change(signer="me"),
    "other type": change(type="RootmarkCheckpoints/v2"),
}


@pytest.mark.parametrize("name", FLAWS)
def test_flawed_file_is_refused_whole(name: str) -> None:
    content = copy.deepcopy(file())
    FLAWS[name](content)
    with pytest.raises(MalformedEvidenceError):
        read_checkpoints(content, SIGNER.address)


def test_what_is_no_object_is_refused() -> None:
    with pytest.raises(MalformedEvidenceError):
        read_checkpoints([], SIGNER.address)


def test_signer_named_in_the_file_does_not_count() -> None:
    """Signed by another key than the configured one, whatever it says."""
    other = LocalSigner(b"\x22" * 32)
    content = make_checkpoints(other, 5, BLOCKS, ISSUED)
    with pytest.raises(MalformedEvidenceError, match="configured key"):
        read_checkpoints(content | {"signer": to_hex(SIGNER.address)}, SIGNER.address)


def test_wallets_sign_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signature made by eth-account over the published typed data is accepted."""
    pairs = [(block.number, block.hash) for block in BLOCKS]
    account = Account.from_key(b"\x33" * 32)
    message = encode_typed_data(full_message=typed_data(5, int(ISSUED.timestamp()), pairs))
    content = file() | {
        "signature": to_hex(account.sign_message(message).signature),
        "signer": account.address,
    }
    assert read_checkpoints(content, Address(bytes.fromhex(account.address[2:]))).signed
