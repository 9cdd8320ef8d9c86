"""The committed artifact, and what is read from it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from eth_abi.abi import encode
from eth_utils import keccak, to_checksum_address

from registry.chain import abi


def test_the_code_hash_is_the_runtime_codes() -> None:
    artifact = abi.load_artifact()
    assert artifact.code_hash == keccak(artifact.deployed_code)
    assert artifact.bytecode.endswith(artifact.deployed_code)
    assert len(artifact.deployed_code) < 24_576  # EIP-170


def test_storage_is_at_the_pinned_slots() -> None:
    assert dict(abi.load_artifact().storage_slots) == {
        "keys": 0,
        "batches": 1,
        "heads": 2,
        "bits": 3,
        "admins": 4,
        "pendingAdmins": 5,
        "nonces": 6,
    }


def test_the_create2_address_follows_from_the_bytecode() -> None:
    artifact = abi.load_artifact()
    preimage = b"\xff" + artifact.create2_factory + artifact.create2_salt + keccak(artifact.bytecode)
    assert keccak(preimage)[12:] == artifact.create2_address


def test_the_documented_address_and_code_hash_are_the_artifacts() -> None:
    artifact = abi.load_artifact()
    text = (Path(__file__).parents[2] / "docs" / "contract.md").read_text(encoding="utf-8")
    assert f"    {to_checksum_address(artifact.create2_address)}\n" in text
    assert f"    0x{artifact.code_hash.hex()}\n" in text


def test_the_creation_code_is_the_same_everywhere() -> None:
    """No constructor arguments; what is deployed does not depend on where."""
    kinds = {entry["type"] for entry in abi.load_artifact().abi}
    assert kinds == {"function", "event", "error", "fallback"}


def test_topics_are_those_of_the_signatures() -> None:
    changes = "(uint64,uint256)[]"
    assert abi.event_topics() == {
        name: keccak(text=f"{name}({types})")
        for name, types in {
            "KeyAdded": "address,address,uint16,uint40,bytes32",
            "KeyRetired": "address,address,uint40,uint16,uint40,bytes32",
            "ProfileSet": "address,string,uint40,bytes32",
            "AdminProposed": "address,address,uint40,bytes32",
            "AdminChanged": "address,address,uint40,bytes32",
            "BatchAnchored": "address,bytes32,address,uint40,bytes32",
            "BatchWithdrawn": "address,bytes32,address,uint16,uint40,bytes32",
            "WithdrawalAnnulled": "address,bytes32,address,uint16,uint40,bytes32",
            "Revoked": f"address,bytes32,address,{changes},uint16,uint40,bytes32",
            "Suspended": f"address,bytes32,address,{changes},uint16,uint40,bytes32",
            "Reinstated": f"address,bytes32,address,{changes},uint16,uint40,bytes32",
            "RevocationAnnulled": f"address,bytes32,address,{changes},uint16,uint40,bytes32",
        }.items()
    }


def test_selectors_are_told_from_roots() -> None:
    assert abi.is_selector(keccak(text="anchor(bytes32)")[:4])
    assert abi.is_selector(keccak(text="revoke(bytes32,(uint64,uint256)[],uint16)") + b"more")
    assert not abi.is_selector(b"\x00\x00\x00\x00")
    assert not abi.is_selector(b"")


def test_an_error_is_read_with_its_arguments() -> None:
    selector = keccak(text="KeyNotValid(address,uint40)")[:4]
    error = abi.decode_custom_error(selector + encode(["address", "uint40"], ["0x" + "ab" * 20, 7]))
    assert error == abi.CustomError("KeyNotValid", {"key": "0x" + "ab" * 20, "validUntil": 7})


def test_soliditys_own_errors_are_read_too() -> None:
    panic = abi.decode_custom_error(keccak(text="Panic(uint256)")[:4] + encode(["uint256"], [0x11]))
    message = abi.decode_custom_error(keccak(text="Error(string)")[:4] + encode(["string"], ["no"]))
    assert panic == abi.CustomError("Panic", {"code": 0x11})
    assert message == abi.CustomError("Error", {"message": "no"})


@pytest.mark.parametrize("name", [*sorted(set(abi.error_selectors().values())), "Error", "Panic"])
def test_revert_data_that_is_cut_short_or_garbled_is_never_half_read(name: str) -> None:
    dice = random.Random(name)
    known = {name: selector for selector, name in abi.error_selectors().items()}
    known |= {"Error": keccak(text="Error(string)")[:4], "Panic": keccak(text="Panic(uint256)")[:4]}
    for length in (0, 1, 31, 32, 33, 63, 64, 96, 200):
        data = known[name] + dice.randbytes(length)
        error = abi.decode_custom_error(data)
        assert error is None or error.name == name
    assert abi.decode_custom_error(known[name][:3]) is None
    assert abi.decode_custom_error(b"\xff" * 36) is None
