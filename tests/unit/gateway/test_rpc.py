"""JSON-RPC values and refusals, and what `Node` makes of the words that nodes use."""

from __future__ import annotations

from typing import Any

import pytest
from eth_hash.auto import keccak
from web3.providers.base import JSONBaseProvider

from registry.chain.abi import error_selectors
from registry.chain.header_rlp import encode_header
from registry.chain.node import Node
from registry.chain.provider import node_name
from registry.chain.rpc import BadAnswer, Refusal, array, data, mapping, printable, quantity, refusal_of
from registry.errors import (
    ChainUnavailableError,
    ConfigurationError,
    ContractRevertedError,
    UnknownBlockError,
    UnsupportedByNodeError,
)


@pytest.fixture
def node() -> Node:
    return Node(JSONBaseProvider(), "n")


@pytest.mark.parametrize(
    "value", [None, 1, True, "", "0x", "1", "0xg", "0x" + "1" * 65, "-0x1", " 0x1", "0x1\n", [], {}]
)
def test_what_is_no_quantity_is_refused(value: Any) -> None:
    with pytest.raises(BadAnswer):
        quantity(value, "it")


def test_quantities_may_have_leading_zeros() -> None:
    assert (quantity("0x0", "it"), quantity("0x00ff", "it"), quantity("0x" + "f" * 64, "it")) == (
        0,
        255,
        2**256 - 1,
    )


@pytest.mark.parametrize("value", [None, 1, "", "0x1", "0xzz", "00", "0x 1", b"0x00", "0x00\n"])
def test_what_is_no_data_is_refused(value: Any) -> None:
    with pytest.raises(BadAnswer):
        data(value, "it")


def test_data_of_another_length_is_refused() -> None:
    assert data("0x", "it") == b""
    with pytest.raises(BadAnswer):
        data("0x00", "it", 32)
    with pytest.raises(BadAnswer):
        mapping([], "it")
    with pytest.raises(BadAnswer):
        array({}, "it")


def test_a_nodes_words_are_cut_and_made_printable() -> None:
    assert printable("a\x1b[31m\nb" + "x" * 1000) == "a [31m b" + "x" * 152
    assert printable("\n") == "no message"


@pytest.mark.parametrize(
    ("error", "code", "revert"),
    [
        ({"code": 3, "message": "execution reverted", "data": "0x1234"}, 3, b"\x12\x34"),
        ({"code": -32015, "message": "VM execution error.", "data": "Reverted 0x1234"}, -32015, b"\x12\x34"),
        ({"code": -32000, "message": "x", "data": {"data": "0x1234"}}, -32000, b"\x12\x34"),
        ({"code": -32000, "message": "x", "data": {"other": 1}}, -32000, b""),
        ({"code": "3", "message": None}, 0, b""),
        ("words", 0, b""),
        ([1], 0, b""),
    ],
)
def test_refusals_are_read_however_odd(error: Any, code: int, revert: bytes) -> None:
    refusal = refusal_of(error)
    assert (refusal.code, refusal.data) == (code, revert)


UNKNOWN = [
    (-32000, "unknown block"),
    (-32000, "header not found"),
    (-32000, "header for hash not found"),
    (-32000, "hash 0x12 is not currently canonical"),
    (-32001, "Resource not found"),
    (-32602, "BlockOutOfRangeError: block height is 0 but requested was 5"),
    (-39001, "Unknown block"),
    (-32000, "block not found: hash 0x12"),
]


@pytest.mark.parametrize(("code", "words"), UNKNOWN)
def test_words_for_an_unknown_block(node: Node, code: int, words: str) -> None:
    assert isinstance(node.error_of("eth_call", Refusal(code, words)), UnknownBlockError)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (-32601, "Method not found"),
        (-32601, "the method debug_getRawHeader does not exist/is not available"),
        (-32004, "method not supported"),
        (-32000, "Unsupported method: eth_getProof"),
        (-32600, "rpc method is not supported"),
    ],
)
def test_words_for_a_method_that_is_not_there(node: Node, code: int, words: str) -> None:
    assert isinstance(node.error_of("eth_getProof", Refusal(code, words)), UnsupportedByNodeError)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (-32000, "missing trie node 12 state is pruned"),
        (-32005, "limit exceeded"),
        (-32603, "internal error"),
        (0, "?"),
    ],
)
def test_other_refusals_leave_the_answer_unknown(node: Node, code: int, words: str) -> None:
    error = node.error_of("eth_call", Refusal(code, words))
    assert isinstance(error, ChainUnavailableError)
    assert words in str(error)


def test_a_revert_has_the_name_of_the_contracts_error(node: Node) -> None:
    selector = next(selector for selector, name in error_selectors().items() if name == "ZeroRoot")
    named = node.error_of("eth_estimateGas", Refusal(3, "execution reverted", selector))
    unnamed = node.error_of("eth_estimateGas", Refusal(-32000, "execution reverted"))
    assert isinstance(named, ContractRevertedError)
    assert isinstance(unnamed, ContractRevertedError)
    assert (named.name, unnamed.name) == ("ZeroRoot", None)


def test_what_a_foreign_provider_raises_is_unavailable() -> None:
    class Broken(JSONBaseProvider):
        def make_request(self, method: Any, params: Any) -> Any:
            raise ConnectionResetError("gone")

    with pytest.raises(ChainUnavailableError) as caught:
        Node(Broken(), "n").ask("eth_chainId")
    assert isinstance(caught.value.__cause__, ConnectionResetError)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://mainnet.example.org/v3/0123456789abcdef", "mainnet.example.org"),
        ("https://user:secret@node.example.org:8545/?key=secret", "node.example.org:8545"),
        ("http://[::1]:8545", "[::1]:8545"),
    ],
)
def test_a_nodes_name_holds_no_secret(url: str, name: str) -> None:
    assert node_name(url) == name


def test_what_is_no_http_url_is_a_configuration_error() -> None:
    for url in ("", "ws://h", "http://", "http://h:99999999/", "http://[::1"):
        with pytest.raises(ConfigurationError):
            node_name(url)


# --- headers ------------------------------------------------------------------------------------------------

MAINNET_GENESIS = {
    "number": "0x0",
    "hash": "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
    "parentHash": "0x" + "00" * 32,
    "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
    "miner": "0x" + "00" * 20,
    "stateRoot": "0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544",
    "transactionsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "receiptsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "logsBloom": "0x" + "00" * 256,
    "difficulty": "0x400000000",
    "gasLimit": "0x1388",
    "gasUsed": "0x0",
    "timestamp": "0x0",
    "extraData": "0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa",
    "mixHash": "0x" + "00" * 32,
    "nonce": "0x0000000000000042",
}
"""Block 0 of eip155:1, whose hash is known to everybody."""


def test_the_header_of_mainnets_first_block_has_its_hash() -> None:
    assert "0x" + keccak(encode_header(MAINNET_GENESIS)).hex() == MAINNET_GENESIS["hash"]


def test_a_header_that_skips_a_fork_is_refused() -> None:
    with pytest.raises(BadAnswer):
        encode_header(MAINNET_GENESIS | {"withdrawalsRoot": "0x" + "00" * 32})
    with pytest.raises(BadAnswer):
        encode_header({key: value for key, value in MAINNET_GENESIS.items() if key != "nonce"})
