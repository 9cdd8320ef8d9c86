"""When blocks are made, what they look like, and how they are named."""

from __future__ import annotations

from typing import Any

import pytest
import rlp
from eth_utils.crypto import keccak
from web3 import Web3

from registry.chain.embedded import EmbeddedChain, RpcError

from .conftest import START, ManualClock, Sender

HEADER_ORDER = """
    parentHash sha3Uncles miner stateRoot transactionsRoot receiptsRoot logsBloom difficulty number gasLimit
    gasUsed timestamp extraData mixHash nonce baseFeePerGas withdrawalsRoot blobGasUsed excessBlobGas
    parentBeaconBlockRoot requestsHash
"""
HEADER_NUMBERS = "difficulty number gasLimit gasUsed timestamp baseFeePerGas blobGasUsed excessBlobGas"


def header_hash(block: dict[str, Any]) -> str:
    """Keccak-256 of the header's RLP, from the JSON alone (EIPs 1559, 4399, 4895, 4844, 4788, 7685)."""
    numbers = HEADER_NUMBERS.split()
    fields: list[int | bytes] = [
        int(block[name], 16) if name in numbers else bytes.fromhex(block[name][2:])
        for name in HEADER_ORDER.split()
    ]
    return "0x" + keccak(rlp.encode(fields)).hex()


def test_block_hash_can_be_recomputed_from_the_header_fields(chain: EmbeddedChain, sender: Sender) -> None:
    sender.send()
    for number in ("0x0", "0x1", "0x2"):
        block = chain.request("eth_getBlockByNumber", [number, False])
        assert block["number"] == number
        assert header_hash(block) == block["hash"]


def test_first_transaction_after_a_pause_is_mined_at_once(chain: EmbeddedChain, sender: Sender) -> None:
    transaction_hash = sender.send()
    receipt = chain.request("eth_getTransactionReceipt", [transaction_hash])
    assert receipt["blockNumber"] == "0x2"


def test_transactions_within_one_second_share_a_block(
    chain: EmbeddedChain, sender: Sender, clock: ManualClock
) -> None:
    first, *rest = [sender.send() for _ in range(5)]
    assert chain.request("eth_getTransactionReceipt", [first]) is not None
    assert [chain.request("eth_getTransactionReceipt", [one]) for one in rest] == [None] * 4
    clock.tick()
    blocks = {chain.request("eth_getTransactionReceipt", [one])["blockNumber"] for one in rest}
    assert blocks == {"0x3"}


def test_block_time_is_the_clock_and_never_ahead_of_it(
    chain: EmbeddedChain, sender: Sender, clock: ManualClock
) -> None:
    times = [int(chain.request("eth_getBlockByNumber", ["0x1"])["timestamp"], 16)]
    assert times == [START]
    for pause in (0, 0.4, 0.5, 0.2, 1, 60, 0):
        clock.tick(pause)
        sender.send()
        head = chain.request("eth_getBlockByNumber", ["latest"])
        assert (
            int(head["timestamp"], 16) <= clock.seconds + 1
        )  # the fixture moved the chain's clock by one second
        times.append(int(head["timestamp"], 16))
    assert times == sorted(times)
    numbers = range(1, int(chain.request("eth_blockNumber"), 16) + 1)
    stamps = [chain.request("eth_getBlockByNumber", [hex(n)])["timestamp"] for n in numbers]
    assert len(set(stamps)) == len(stamps)


def test_clock_set_back_makes_transactions_wait_until_it_has_caught_up(
    chain: EmbeddedChain, sender: Sender, clock: ManualClock
) -> None:
    sender.send()
    clock.tick(-10)
    waiting = sender.send()
    clock.tick(9)
    assert chain.request("eth_getTransactionReceipt", [waiting]) is None
    clock.tick(2)
    assert chain.request("eth_getTransactionReceipt", [waiting])["status"] == "0x1"


def test_idle_chain_grows_no_blocks(chain: EmbeddedChain, clock: ManualClock) -> None:
    clock.tick(3600)
    assert chain.request("eth_blockNumber") == "0x0"


def test_genesis_time_is_fixed_and_chain_id_is_31337(chain: EmbeddedChain, web3: Web3) -> None:
    assert int(chain.request("eth_getBlockByNumber", ["earliest"])["timestamp"], 16) == 1_735_689_600
    assert chain.request("eth_chainId") == "0x7a69"
    assert chain.request("net_version") == "31337"
    assert web3.eth.chain_id == 31337
    assert "py-evm" in web3.client_version


def test_head_answers_for_latest_safe_and_finalized(chain: EmbeddedChain, sender: Sender) -> None:
    sender.send()
    by_number = chain.request("eth_getBlockByNumber", ["0x2", True])
    for tag in ("latest", "safe", "finalized"):
        assert chain.request("eth_getBlockByNumber", [tag, True]) == by_number
    assert chain.request("eth_getBlockByHash", [by_number["hash"], True]) == by_number


def test_full_block_carries_the_transactions_that_the_light_one_names(
    chain: EmbeddedChain, sender: Sender, clock: ManualClock
) -> None:
    sender.send()
    hashes = [sender.send(value=n) for n in range(3)]
    clock.tick()
    assert chain.request("eth_getBlockByNumber", ["latest", False])["transactions"] == hashes
    full = chain.request("eth_getBlockByNumber", ["latest", True])["transactions"]
    assert full == [chain.request("eth_getTransactionByHash", [one]) for one in hashes]


def test_pending_block_holds_what_waits_and_has_no_hash(chain: EmbeddedChain, sender: Sender) -> None:
    sender.send()
    waiting = [sender.send(), sender.send()]
    pending = chain.request("eth_getBlockByNumber", ["pending", False])
    assert pending["hash"] is None
    assert pending["nonce"] is None
    assert pending["number"] == "0x3"
    assert pending["transactions"] == waiting
    assert chain.request("eth_blockNumber") == "0x2"


def test_unknown_blocks_are_null(chain: EmbeddedChain) -> None:
    assert chain.request("eth_getBlockByNumber", ["0x1"]) is None
    assert chain.request("eth_getBlockByHash", ["0x" + "ab" * 32]) is None


def test_hash_of_a_state_trie_node_is_no_block(chain: EmbeddedChain) -> None:
    state_root = chain.request("eth_getBlockByNumber", ["0x0"])["stateRoot"]
    assert chain.request("eth_getBlockByHash", [state_root]) is None


def test_reading_at_an_unknown_block_is_an_error(chain: EmbeddedChain) -> None:
    for block in ("0x5", {"blockHash": "0x" + "ab" * 32}, {"blockNumber": "0x5"}):
        with pytest.raises(RpcError, match="unknown block") as caught:
            chain.request("eth_getBalance", [chain.faucet.address, block])
        assert caught.value.code == -32001


def test_unknown_method_and_get_proof_are_refused_by_name(chain: EmbeddedChain) -> None:
    with pytest.raises(RpcError, match="eth_sendTransaction does not exist") as unknown:
        chain.request("eth_sendTransaction", [{}])
    with pytest.raises(RpcError, match="not supported by the embedded chain") as proof:
        chain.request("eth_getProof", [chain.faucet.address, [], "latest"])
    assert unknown.value.code == proof.value.code == -32601


def test_number_method_takes_no_hash_and_hash_method_no_number(chain: EmbeddedChain) -> None:
    for method, block in (("eth_getBlockByNumber", "0x" + "ab" * 32), ("eth_getBlockByHash", "0x1")):
        with pytest.raises(RpcError) as caught:
            chain.request(method, [block, False])
        assert caught.value.code == -32602


def test_chain_has_no_accounts_of_its_own(chain: EmbeddedChain) -> None:
    assert chain.request("eth_accounts") == []
    assert chain.request("eth_syncing") is False
