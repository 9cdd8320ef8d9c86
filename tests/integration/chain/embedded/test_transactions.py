"""What eth_sendRawTransaction takes and refuses, and how transactions and receipts read afterwards."""

from __future__ import annotations

from typing import Any

import pytest
import rlp
from eth_account import Account
from eth_utils.crypto import keccak
from web3 import Web3

from registry.chain.embedded import EmbeddedChain, RpcError
from registry.chain.embedded.testing import EmbeddedTesting

from .conftest import FACTORY, INVALID, STORE_AND_LOG, ManualClock, Sender, init_code

SECP256K1_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def refused(chain: EmbeddedChain, raw: str) -> str:
    with pytest.raises(RpcError) as caught:
        chain.request("eth_sendRawTransaction", [raw])
    assert caught.value.code == -32000
    return caught.value.message


def test_sending_twice_is_already_known_while_waiting_and_when_mined(
    chain: EmbeddedChain, sender: Sender, clock: ManualClock
) -> None:
    sender.send()
    raw = sender.sign(1)
    chain.request("eth_sendRawTransaction", [raw])
    assert refused(chain, raw) == "already known"
    clock.tick()
    assert chain.request("eth_getTransactionCount", [sender.address]) == "0x2"
    assert refused(chain, raw) == "already known"


def test_used_nonce_is_too_low(chain: EmbeddedChain, sender: Sender) -> None:
    sender.send()
    assert refused(chain, sender.sign(0, value=1)) == "nonce too low: next nonce 1, tx nonce 0"


def test_nonce_gap_waits_until_it_is_filled(chain: EmbeddedChain, sender: Sender, clock: ManualClock) -> None:
    later = chain.request("eth_sendRawTransaction", [sender.sign(1)])
    clock.tick()
    assert chain.request("eth_getTransactionByHash", [later])["blockHash"] is None
    assert chain.request("eth_getTransactionCount", [sender.address, "pending"]) == "0x0"
    chain.request("eth_sendRawTransaction", [sender.sign(0)])
    assert chain.request("eth_getTransactionCount", [sender.address, "latest"]) == "0x2"
    assert chain.request("eth_getTransactionByHash", [later])["blockNumber"] == "0x2"


def test_replacement_needs_ten_percent_more_in_both_fees(
    chain: EmbeddedChain, sender: Sender, clock: ManualClock
) -> None:
    sender.send()
    first = chain.request("eth_sendRawTransaction", [sender.sign(1)])
    for fee, tip in ((5.4, 1.2), (6, 1.09), (5, 1)):
        raw = sender.sign(1, maxFeePerGas=int(fee * 10**9), maxPriorityFeePerGas=int(tip * 10**9), value=1)
        assert refused(chain, raw) == "replacement transaction underpriced"
    bumped = sender.sign(1, maxFeePerGas=5_500_000_000, maxPriorityFeePerGas=1_100_000_000, value=1)
    second = chain.request("eth_sendRawTransaction", [bumped])
    assert chain.request("eth_getTransactionByHash", [first]) is None
    clock.tick()
    assert chain.request("eth_getTransactionReceipt", [second])["status"] == "0x1"
    assert chain.request("eth_getTransactionReceipt", [first]) is None


def test_fee_cap_below_the_base_fee_waits_and_can_be_bumped(chain: EmbeddedChain, sender: Sender) -> None:
    stuck = sender.send(maxFeePerGas=10, maxPriorityFeePerGas=1)
    assert chain.request("eth_getTransactionReceipt", [stuck]) is None
    bumped = sender.sign(0, maxFeePerGas=3 * 10**9, maxPriorityFeePerGas=2)
    winner = chain.request("eth_sendRawTransaction", [bumped])
    assert chain.request("eth_getTransactionReceipt", [winner])["status"] == "0x1"
    assert chain.request("eth_getTransactionByHash", [stuck]) is None


def test_sender_without_funds_is_refused(chain: EmbeddedChain, new_sender: Any) -> None:
    assert refused(chain, new_sender().sign(0)).startswith(
        "insufficient funds for gas * price + value: balance 0"
    )


def test_waiting_transactions_count_against_the_balance(chain: EmbeddedChain, sender: Sender) -> None:
    sender.send()
    sender.send(value=600 * 10**18)
    raw = sender.sign(2, value=600 * 10**18)
    assert "queued cost" in refused(chain, raw)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"gas": 20_999}, "intrinsic gas too low: gas 20999, minimum needed 21000"),
        ({"data": "0x" + "01" * 100, "gas": 24_000}, "insufficient gas for floor data gas cost"),
        ({"gas": 30_029_123}, "exceeds block gas limit"),
        ({"chainId": 1}, "invalid chain id for signer: have 1 want 31337"),
        ({"maxPriorityFeePerGas": 6 * 10**9}, "max priority fee per gas higher than max fee per gas"),
        ({"data": "0x" + "00" * 131_072, "gas": 10_000_000}, "oversized data"),
        ({"to": None, "data": "0x" + "00" * 49_153, "gas": 10_000_000}, "max initcode size exceeded"),
    ],
)
def test_transaction_that_breaks_a_rule_is_refused_in_geths_words(
    chain: EmbeddedChain, sender: Sender, fields: dict[str, Any], message: str
) -> None:
    assert refused(chain, sender.sign(0, **fields)).startswith(message)
    assert chain.request("eth_getTransactionCount", [sender.address, "pending"]) == "0x0"


def test_unprotected_legacy_transaction_is_refused(chain: EmbeddedChain, sender: Sender) -> None:
    raw = sender.sign(0, type=None, chainId=None, gasPrice=3 * 10**9)
    assert refused(chain, raw) == "only replay-protected (EIP-155) transactions allowed over RPC"


def test_high_s_signature_is_refused(chain: EmbeddedChain, sender: Sender) -> None:
    raw = bytes.fromhex(sender.sign(0)[2:])
    fields = rlp.decode(raw[1:])
    fields[-1] = (SECP256K1_N - int.from_bytes(fields[-1], "big")).to_bytes(32, "big")
    fields[-3] = b"" if fields[-3] else b"\x01"
    assert refused(chain, "0x02" + rlp.encode(fields).hex()).startswith("invalid sender")


@pytest.mark.parametrize(
    "raw", ["0x", "0x02", "0x00", "0xc0", "0x02c0", "0x7f01", "0xdeadbeef", "0x04c0", "0x03c0"]
)
def test_bytes_that_are_no_transaction_are_refused(chain: EmbeddedChain, raw: str) -> None:
    assert refused(chain, raw).startswith(("invalid raw transaction", "transaction type not supported"))


def test_trailing_bytes_are_refused(chain: EmbeddedChain, sender: Sender) -> None:
    assert refused(chain, sender.sign(0) + "00").startswith("invalid raw transaction")


@pytest.mark.parametrize("params", [[], ["0x1"], ["xyz"], [5], [None], ["0x", "0x"]])
def test_malformed_parameters_are_invalid_params(chain: EmbeddedChain, params: list[Any]) -> None:
    with pytest.raises(RpcError) as caught:
        chain.request("eth_sendRawTransaction", params)
    assert caught.value.code == -32602


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"type": None, "gasPrice": 2 * 10**9}, "0x0"),
        (
            {
                "type": 1,
                "gasPrice": 2 * 10**9,
                "accessList": [{"address": FACTORY, "storageKeys": ["0x" + "01" * 32]}],
            },
            "0x1",
        ),
        ({}, "0x2"),
    ],
)
def test_transaction_of_each_type_is_mined_and_reads_back(
    chain: EmbeddedChain, sender: Sender, fields: dict[str, Any], kind: str
) -> None:
    if "accessList" in fields:
        fields = {
            **fields,
            "accessList": [{**fields["accessList"][0], "address": Web3.to_checksum_address(FACTORY)}],
        }
    transaction_hash = sender.send(value=7, data="0x00", **fields)
    found = chain.request("eth_getTransactionByHash", [transaction_hash])
    receipt = chain.request("eth_getTransactionReceipt", [transaction_hash])
    assert found["type"] == receipt["type"] == kind
    assert found["hash"] == receipt["transactionHash"] == transaction_hash
    assert found["from"] == found["to"] == receipt["from"] == sender.address
    assert (found["value"], found["input"], found["chainId"], found["nonce"]) == (
        "0x7",
        "0x00",
        "0x7a69",
        "0x0",
    )
    assert (
        found["blockHash"] == receipt["blockHash"] == chain.request("eth_getBlockByNumber", ["0x2"])["hash"]
    )
    assert receipt["effectiveGasPrice"] == found["gasPrice"]
    assert receipt["status"] == "0x1"
    if kind == "0x1":
        assert found["accessList"] == [{"address": FACTORY, "storageKeys": ["0x" + "01" * 32]}]


def test_raw_transaction_can_be_rebuilt_from_the_signature_fields(
    chain: EmbeddedChain, sender: Sender
) -> None:
    transaction_hash = sender.send()
    found = chain.request("eth_getTransactionByHash", [transaction_hash])
    assert found["yParity"] == found["v"]
    assert int(found["r"], 16) > 0
    assert 0 < int(found["s"], 16) <= SECP256K1_N // 2


def test_set_code_transaction_delegates_an_account(chain: EmbeddedChain, sender: Sender) -> None:
    authority = Account.create()
    signed = authority.sign_authorization(
        {"chainId": 31337, "address": Web3.to_checksum_address(FACTORY), "nonce": 0}
    )
    transaction_hash = sender.send(type=4, to=authority.address, authorizationList=[signed])
    assert chain.request("eth_getTransactionReceipt", [transaction_hash])["type"] == "0x4"
    assert chain.request("eth_getCode", [authority.address]) == "0xef0100" + FACTORY[2:]
    assert (
        chain.request("eth_getTransactionByHash", [transaction_hash])["authorizationList"][0]["address"]
        == FACTORY
    )


def test_waiting_transaction_has_no_block_and_no_receipt(chain: EmbeddedChain, sender: Sender) -> None:
    sender.send()
    waiting = sender.send()
    found = chain.request("eth_getTransactionByHash", [waiting])
    assert found["blockHash"] is found["blockNumber"] is found["transactionIndex"] is None
    assert chain.request("eth_getTransactionReceipt", [waiting]) is None


def test_unknown_transaction_is_null(chain: EmbeddedChain) -> None:
    assert chain.request("eth_getTransactionByHash", ["0x" + "12" * 32]) is None
    assert chain.request("eth_getTransactionReceipt", ["0x" + "12" * 32]) is None


def test_transaction_count_tells_latest_pending_and_earlier_blocks_apart(
    chain: EmbeddedChain, sender: Sender, clock: ManualClock
) -> None:
    for _ in range(3):
        sender.send()

    def count(block: Any) -> str:
        answer: str = chain.request("eth_getTransactionCount", [sender.address, block])
        return answer

    assert (count("latest"), count("pending"), count("0x1"), count("earliest")) == (
        "0x1",
        "0x3",
        "0x0",
        "0x0",
    )
    block_hash = chain.request("eth_getBlockByNumber", ["0x2"])["hash"]
    clock.tick()
    assert (count("latest"), count({"blockHash": block_hash}), count(block_hash)) == ("0x3", "0x1", "0x1")


def test_creation_receipt_names_the_contract(chain: EmbeddedChain, sender: Sender) -> None:
    address = sender.deploy(STORE_AND_LOG)
    assert chain.request("eth_getCode", [address, "latest"]) == "0x" + STORE_AND_LOG
    assert chain.request("eth_getCode", [address, "0x1"]) == "0x"


def test_failed_transaction_has_status_zero_and_uses_gas(chain: EmbeddedChain, sender: Sender) -> None:
    contract = sender.deploy("fe")
    transaction_hash = sender.send(to=contract, gas=50_000)
    receipt = chain.request("eth_getTransactionReceipt", [transaction_hash])
    assert (receipt["status"], receipt["gasUsed"], receipt["logs"]) == ("0x0", "0xc350", [])


def test_receipts_of_a_block_add_up(chain: EmbeddedChain, sender: Sender, testing: EmbeddedTesting) -> None:
    contract = sender.deploy(STORE_AND_LOG)
    testing.mine()
    hashes = [sender.send(to=contract, data="0x" + f"{n:064x}" * 3) for n in (1, 2, 3)]
    testing.mine()
    receipts = [chain.request("eth_getTransactionReceipt", [one]) for one in hashes]
    assert len({receipt["blockHash"] for receipt in receipts}) == 1
    assert [receipt["transactionIndex"] for receipt in receipts] == ["0x0", "0x1", "0x2"]
    assert [receipt["logs"][0]["logIndex"] for receipt in receipts] == ["0x0", "0x1", "0x2"]
    used = [int(receipt["gasUsed"], 16) for receipt in receipts]
    assert [int(receipt["cumulativeGasUsed"], 16) for receipt in receipts] == [
        used[0],
        sum(used[:2]),
        sum(used),
    ]


def test_block_that_is_full_leaves_the_rest_for_the_next(
    chain: EmbeddedChain, sender: Sender, testing: EmbeddedTesting
) -> None:
    burner = sender.deploy(INVALID)
    testing.mine()
    for _ in range(5):
        sender.send(to=burner, gas=12_000_000)
    counts = []
    for _ in range(3):
        testing.advance_clock(1)
        counts.append(len(chain.request("eth_getBlockByNumber", ["latest"])["transactions"]))
    assert counts == [2, 2, 1]


def test_factory_deploys_to_the_address_that_create2_gives(chain: EmbeddedChain, sender: Sender) -> None:
    code, salt = bytes.fromhex(init_code(STORE_AND_LOG)), b"\x07" * 32
    expected = "0x" + keccak(b"\xff" + bytes.fromhex(FACTORY[2:]) + salt + keccak(code))[12:].hex()
    sender.send(to=FACTORY, data="0x" + (salt + code).hex(), gas=500_000)
    assert chain.request("eth_getCode", [expected]) == "0x" + STORE_AND_LOG


def test_factory_code_is_what_its_published_deployment_leaves(chain: EmbeddedChain) -> None:
    """The creation code of the transaction that put the factory on public chains, run here."""
    creation = (
        "0x604580600e600039806000f350fe7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
        "e03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
    )
    assert chain.request("eth_call", [{"data": creation}]) == chain.request("eth_getCode", [FACTORY])
