"""Reading JSON-RPC parameters."""

from __future__ import annotations

from typing import Any

import pytest

from registry.chain.embedded import RpcError, params

HASH = "0x" + "ab" * 32
ADDRESS = "0x" + "0c" * 20


def refuses(function: Any, *values: Any) -> None:
    with pytest.raises(RpcError) as caught:
        function(*values)
    assert caught.value.code == -32602
    assert HASH not in caught.value.message


@pytest.mark.parametrize(
    "value", ["0x", "0x00", "0x01", "1", 1, None, True, "0xg", "0X1", " 0x1", "0x1 ", "-0x1", "0x" + "1" * 65]
)
def test_wrong_quantity_is_refused(value: Any) -> None:
    refuses(params.quantity, value, "n")


def test_quantity_beyond_its_width_is_refused() -> None:
    assert params.quantity("0xff", "n", 8) == 255
    refuses(params.quantity, "0x100", "n", 8)


@pytest.mark.parametrize("value", ["0x1", "ab", "0xgg", 5, None, "0xab\n", b"ab", ["0x"]])
def test_wrong_bytes_are_refused(value: Any) -> None:
    refuses(params.data, value, "d")


def test_bytes_of_another_length_are_refused() -> None:
    refuses(params.address, "0x" + "00" * 19)
    refuses(params.data, "0x" + "00" * 33, "d", 32)
    assert params.data("0xABcd", "d") == b"\xab\xcd"


@pytest.mark.parametrize("value", ["0x" + "0" * 65, "0x", "1", 1, None])
def test_wrong_storage_position_is_refused(value: Any) -> None:
    refuses(params.slot, value)


def test_storage_position_may_have_leading_zeros() -> None:
    assert params.slot("0x" + "00" * 31 + "05") == params.slot("0x5") == 5


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "latest"),
        ("pending", "pending"),
        ("0x10", 16),
        (HASH, params.ByHash(bytes.fromhex("ab" * 32))),
        (HASH.upper().replace("X", "x"), params.ByHash(bytes.fromhex("ab" * 32))),
        ({"blockHash": HASH}, params.ByHash(bytes.fromhex("ab" * 32))),
        ({"blockHash": HASH, "requireCanonical": False}, params.ByHash(bytes.fromhex("ab" * 32))),
        ({"blockNumber": "0x1"}, 1),
        ({"blockNumber": "safe"}, "safe"),
    ],
)
def test_block_is_read_from_each_form(value: Any, expected: Any) -> None:
    assert params.block_id(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "newest",
        5,
        -1,
        1.0,
        [],
        {},
        {"blockHash": HASH, "blockNumber": "0x1"},
        {"blockHash": "0x12"},
        {"blockHash": HASH, "requireCanonical": "yes"},
        "0x" + "f" * 17,
    ],
)
def test_wrong_block_is_refused(value: Any) -> None:
    refuses(params.block_id, value)


def test_call_object_takes_input_or_data_and_fills_in_the_rest() -> None:
    call = params.call_object({"to": ADDRESS, "input": "0x01", "data": "0x01"})
    assert (call.data, call.sender, call.value, call.gas) == (b"\x01", bytes(20), 0, None)
    assert params.call_object({}).to == b""


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {"data": "0x01", "input": "0x02"},
        {"to": "0x12"},
        {"from": 5},
        {"value": "1"},
        {"gas": "0x" + "f" * 17},
        {"gasPrice": "cheap"},
        {"accessList": {}},
        {"accessList": [5]},
        {"accessList": [{"address": ADDRESS}]},
        {"accessList": [{"address": ADDRESS, "storageKeys": ["0x1"]}]},
    ],
)
def test_wrong_call_object_is_refused(value: Any) -> None:
    refuses(params.call_object, value)


def test_access_list_is_read() -> None:
    call = params.call_object({"accessList": [{"address": ADDRESS, "storageKeys": [HASH]}]})
    assert call.access_list == ((bytes.fromhex("0c" * 20), (int("ab" * 32, 16),)),)


@pytest.mark.parametrize(("given", "least", "most"), [([], 1, 1), ([1, 2], 1, 1), ([1, 2, 3], 0, 2)])
def test_wrong_number_of_parameters_is_refused(given: list[Any], least: int, most: int) -> None:
    refuses(params.arguments, given, least, most)
