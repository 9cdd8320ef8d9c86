"""What is signed: the pinned vectors, eth-account, our builder and the contract's code agree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eth_account.messages import encode_typed_data
from eth_utils import keccak

from registry.chain import typed_data
from registry.chain.abi import load_artifact
from registry.encoding import Address, Root
from registry.model.chain import Change
from tests.contract.support import Bench, Person

VECTORS = json.loads(
    (Path(__file__).parent.parent / "vectors" / "eip712" / "rootmark-v1.json").read_text(encoding="utf-8")
)
CASES: dict[str, dict[str, Any]] = {case["primaryType"]: case for case in VECTORS["cases"]}
DOMAIN = typed_data.Domain(
    chain_id=VECTORS["domain"]["chainId"],
    registry=Address(bytes.fromhex(VECTORS["domain"]["verifyingContract"][2:])),
)


def _build(name: str, message: dict[str, Any]) -> dict[str, Any]:
    """Our typed data for a vector's message."""
    fields: dict[str, Any] = {
        "issuer": Address(bytes.fromhex(message["issuer"][2:])),
        "deadline": int(message["deadline"]),
    }
    for number in ("roles", "reason", "nonce"):
        if number in message:
            fields[number] = int(message[number])
    if "key" in message:
        fields["key"] = Address(bytes.fromhex(message["key"][2:]))
    if "root" in message:
        fields["root"] = Root(bytes.fromhex(message["root"][2:]))
    if "changes" in message:
        changes = [Change(int(change["word"]), int(change["mask"])) for change in message["changes"]]
        return typed_data.status_change(DOMAIN, name, changes=changes, **fields)  # type: ignore[arg-type]
    if name == "RetireKey":
        return typed_data.retire_key(DOMAIN, valid_until=int(message["validUntil"]), **fields)
    if name in ("Withdraw", "AnnulWithdrawal"):
        return typed_data.withdrawal(DOMAIN, name, **fields)  # type: ignore[arg-type]
    builders = {
        "KeyConsent": typed_data.key_consent,
        "AddKey": typed_data.add_key,
        "Anchor": typed_data.anchor,
    }
    return builders[name](DOMAIN, **fields)


def test_the_vectors_cover_every_type() -> None:
    assert set(CASES) == set(typed_data.FIELDS)


@pytest.mark.parametrize("name", CASES)
def test_our_typed_data_has_the_pinned_digest(name: str) -> None:
    case = CASES[name]
    data = _build(name, case["message"])
    assert typed_data.encode_type(name) == case["encodeType"]
    message = encode_typed_data(full_message=data)
    assert "0x" + message.header.hex() == VECTORS["domainSeparator"]
    assert "0x" + message.body.hex() == case["structHash"]
    assert "0x" + keccak(b"\x19\x01" + message.header + message.body).hex() == case["digest"]


@pytest.mark.parametrize("name", CASES)
def test_our_typed_data_survives_json_with_double_precision_numbers(name: str) -> None:
    data = _build(name, CASES[name]["message"])
    rounded = json.loads(json.dumps(data), parse_int=lambda text: int(float(text)))
    assert rounded == data


@pytest.mark.parametrize("name", CASES)
def test_the_contract_holds_the_type_hash(name: str) -> None:
    code = load_artifact().deployed_code
    assert bytes.fromhex(CASES[name]["typeHash"][2:]) in code
    assert keccak(text=CASES[name]["encodeType"]).hex() == CASES[name]["typeHash"][2:]


def test_the_contract_holds_the_domains_hashes() -> None:
    code = load_artifact().deployed_code
    for expected in (VECTORS["domainTypeHash"], VECTORS["changeTypeHash"]):
        assert bytes.fromhex(expected[2:]) in code
    assert keccak(text="Rootmark") in code
    assert keccak(text="1") in code


def test_an_empty_list_of_changes_is_signed_like_any_other(
    bench: Bench, issuer: Person, key: Person, root: bytes, stranger: Person
) -> None:
    signature = bench.sign_status("Revoke", key, issuer, root, [], 0)
    call = bench.functions.revokeBySig(key.address, issuer.address, root, [], 0, 2**256 - 1, signature)
    bench.send(call, stranger)
    assert bench.nonce(key) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"issuer": b"\x01" * 19},
        {"issuer": b"\x01" * 32},
        {"root": b"\x01" * 31},
        {"nonce": -1},
        {"nonce": 2**256},
        {"deadline": 2**256},
    ],
)
def test_values_that_no_type_holds_are_refused(fields: dict[str, Any]) -> None:
    good = {"issuer": b"\x01" * 20, "root": b"\x02" * 32, "nonce": 0, "deadline": 0}
    typed_data.anchor(DOMAIN, **good)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"bytes|range"):
        typed_data.anchor(DOMAIN, **(good | fields))
    with pytest.raises(ValueError, match="range"):
        typed_data.status_change(
            DOMAIN,
            "Revoke",
            issuer=Address(b"\x01" * 20),
            root=Root(b"\x02" * 32),
            changes=[Change(2**64, 1)],
            reason=0,
            nonce=0,
            deadline=0,
        )
