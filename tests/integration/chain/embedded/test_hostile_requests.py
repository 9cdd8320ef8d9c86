"""Whatever is asked, the answer is a result or a refusal, never an internal error, and the chain goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rlp
from eth_account import Account
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.chain.embedded import EmbeddedChain, handle_jsonrpc, rpc_methods_allowed
from registry.chain.embedded.testing import EmbeddedTesting

from .conftest import ENDLESS, ManualClock, Sender

CALL_ITSELF = "5f5f5f5f5f305af1"
"""Calls itself with all gas."""


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sender]:
    """A chain that all examples share, with a funded sender."""
    directory: Path = tmp_path_factory.mktemp("hostile") / "chain"
    with EmbeddedChain(directory, clock=ManualClock()) as chain:
        sender = Sender(chain, Account.create())
        chain.fund(sender.address, 10**24)
        EmbeddedTesting(chain).mine(2)
        yield sender


def code_of(chain: EmbeddedChain, method: str, params: Any) -> int | None:
    answer = handle_jsonrpc(chain, {"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    assert isinstance(answer, dict)
    error = answer.get("error")
    return None if error is None else int(error["code"])


def hexes(least: int, most: int) -> st.SearchStrategy[str]:
    return st.binary(min_size=least, max_size=most).map(lambda raw: "0x" + raw.hex())


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(["latest", "pending", "safe", "finalized", "earliest", "0x0", "0x1", "0x2", "0x"])
    | hexes(0, 40)
    | hexes(32, 32)
    | hexes(20, 20)
    | st.integers(0, 2**260).map(hex)
)
NAMES = """
    from to gas gasPrice maxFeePerGas value data input nonce accessList blockHash blockNumber requireCanonical
    fromBlock toBlock address topics storageKeys
"""
names = st.sampled_from(NAMES.split())
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(names, inner, max_size=5),
    max_leaves=12,
)
call_objects = st.fixed_dictionaries(
    {},
    optional={
        "from": hexes(20, 20),
        "to": hexes(20, 20) | st.integers(0, 20).map(lambda n: f"0x{n:040x}"),
        "data": hexes(0, 100),
        "gas": st.integers(0, 200_000).map(hex),
        "value": st.integers(0, 2**256 - 1).map(hex),
    },
)


@settings(max_examples=400, deadline=None)
@given(method=st.sampled_from(sorted(rpc_methods_allowed)), params=st.lists(values, max_size=4))
def test_no_parameters_cause_an_internal_error(target: Sender, method: str, params: list[Any]) -> None:
    assert code_of(target.chain, method, params) != -32603


@settings(max_examples=200, deadline=None)
@given(call=call_objects, block=st.sampled_from(["latest", "pending", "0x0", "0x1"]))
def test_no_call_causes_an_internal_error(target: Sender, call: dict[str, Any], block: str) -> None:
    for method in ("eth_call", "eth_estimateGas"):
        assert code_of(target.chain, method, [call, block]) in (None, 3, -32000)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_no_changed_transaction_causes_an_internal_error(target: Sender, data: st.DataObject) -> None:
    raw = bytearray.fromhex(target.sign(target.nonce(), data="0x1234")[2:])
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(raw) - 1))
        raw[position] = data.draw(st.integers(0, 255))
    raw = raw[: data.draw(st.integers(0, len(raw)) | st.just(len(raw)))]
    assert code_of(target.chain, "eth_sendRawTransaction", ["0x" + raw.hex()]) in (None, -32000)


wide = st.integers(0, 2**16) | st.sampled_from([2**63, 2**64 - 1, 2**64, 2**255, 2**256 - 1, 2**256, 2**300])
addresses = st.binary(min_size=20, max_size=20) | st.sampled_from(
    [b"", b"\x01" * 19, b"\x01" * 21, bytes(19) + b"\x04"]
)


@settings(max_examples=200, deadline=None)
@given(
    nonce=st.just(0) | wide,
    tip=wide,
    fee=st.just(5 * 10**9) | wide,
    gas=st.integers(21_000, 100_000) | wide,
    to=addresses,
    value=wide,
    payload=st.binary(max_size=40),
    access=st.sampled_from(
        [[], [[b"\x01" * 20, [b"\x02" * 32]], [[b"\x01" * 20, []]]], [[b"\x01" * 19, []]], [[b"", b""]]]
    ),
)
def test_no_signed_transaction_with_odd_fields_causes_an_internal_error(
    target: Sender,
    nonce: int,
    tip: int,
    fee: int,
    gas: int,
    to: bytes,
    value: int,
    payload: bytes,
    access: Any,
) -> None:
    ahead = target.nonce() + nonce
    fields = [31337, ahead, tip, fee, gas, to, value, payload, access]
    signature = target.account.unsafe_sign_hash(keccak(b"\x02" + rlp.encode(fields)))
    raw = b"\x02" + rlp.encode([*fields, signature.v - 27, signature.r, signature.s])
    assert code_of(target.chain, "eth_sendRawTransaction", ["0x" + raw.hex()]) in (None, -32000)
    assert code_of(target.chain, "eth_getBlockByNumber", ["pending", True]) is None
    EmbeddedTesting(target.chain).mine()


def test_chain_still_mines_after_all_that(target: Sender) -> None:
    EmbeddedTesting(target.chain).mine(2)
    transaction_hash = target.chain.fund("0x" + "77" * 20, 1)
    EmbeddedTesting(target.chain).mine()
    assert target.chain.request("eth_getTransactionReceipt", [transaction_hash])["status"] == "0x1"


def test_contract_that_calls_itself_to_the_end_neither_breaks_the_call_nor_the_chain(
    chain: EmbeddedChain, sender: Sender
) -> None:
    contract = sender.deploy(CALL_ITSELF)
    assert chain.request("eth_call", [{"to": contract, "gas": hex(50_000_000)}]) == "0x"
    transaction_hash = sender.send(to=contract, gas=29_000_000)
    assert chain.request("eth_getTransactionReceipt", [transaction_hash])["status"] == "0x1"


def test_endless_contract_ends_with_its_gas(chain: EmbeddedChain, sender: Sender) -> None:
    contract = sender.deploy(ENDLESS)
    transaction_hash = sender.send(to=contract, gas=300_000)
    receipt = chain.request("eth_getTransactionReceipt", [transaction_hash])
    assert (receipt["status"], receipt["gasUsed"]) == ("0x0", hex(300_000))
