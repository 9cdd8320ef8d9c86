"""Blocks taken off the chain: same heights, other hashes, and nothing answers from what was taken off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from web3 import Web3

from registry.chain.embedded import EmbeddedChain, RpcError
from registry.chain.embedded.testing import EmbeddedTesting

from .conftest import STORE_AND_LOG, ManualClock, Sender


def test_block_mined_after_a_revert_has_the_same_height_and_another_hash(
    chain: EmbeddedChain, sender: Sender, testing: EmbeddedTesting
) -> None:
    start = testing.snapshot()
    testing.mine(3)
    old = [chain.request("eth_getBlockByNumber", [hex(start.number + n)]) for n in (1, 2, 3)]
    testing.revert(start)
    assert chain.request("eth_blockNumber") == hex(start.number)
    testing.mine(4)
    new = [chain.request("eth_getBlockByNumber", [hex(start.number + n)]) for n in (1, 2, 3, 4)]
    assert [block["number"] for block in new[:3]] == [block["number"] for block in old]
    assert not {block["hash"] for block in new} & {block["hash"] for block in old}
    assert new[0]["parentHash"] == old[0]["parentHash"] == "0x" + start.block_hash.hex()


def test_block_mined_at_the_same_second_as_the_one_it_replaces_has_another_hash(
    chain: EmbeddedChain, sender: Sender, testing: EmbeddedTesting, clock: ManualClock
) -> None:
    start = testing.snapshot()
    raw = sender.sign(0)
    hashes = set()
    for _ in range(2):
        chain.request("eth_sendRawTransaction", [raw])
        hashes.add(chain.request("eth_getBlockByNumber", ["latest"])["hash"])
        testing.revert(start)
    assert len(hashes) == 2


def test_orphaned_transactions_are_unknown_until_they_are_sent_again(
    chain: EmbeddedChain, sender: Sender, testing: EmbeddedTesting
) -> None:
    start = testing.snapshot()
    hashes = [sender.send(), sender.send()]
    testing.mine()
    orphaned = testing.revert(start)
    assert [chain.request("eth_getTransactionByHash", [one]) for one in hashes] == [None, None]
    assert [chain.request("eth_getTransactionReceipt", [one]) for one in hashes] == [None, None]
    assert chain.request("eth_getTransactionCount", [sender.address, "pending"]) == "0x0"
    assert [chain.request("eth_sendRawTransaction", [raw]) for raw in orphaned] == hashes
    testing.mine()
    assert {chain.request("eth_getTransactionReceipt", [one])["status"] for one in hashes} == {"0x1"}


def test_reads_by_the_hash_of_an_orphaned_block_fail(
    chain: EmbeddedChain, sender: Sender, testing: EmbeddedTesting, web3: Web3
) -> None:
    contract = sender.deploy(STORE_AND_LOG)
    start = testing.snapshot()
    sender.send(to=contract, data="0x" + f"{7:064x}" * 3)
    orphan = chain.request("eth_getBlockByNumber", ["latest"])
    by_hash: Any = {"blockHash": orphan["hash"]}
    assert len(chain.request("eth_getLogs", [by_hash])) == 1
    testing.revert(start)
    testing.mine(2)
    for method, params in (
        ("eth_call", [{"to": contract}, by_hash]),
        ("eth_getStorageAt", [contract, "0x0", by_hash]),
        ("eth_getBalance", [contract, by_hash]),
        ("eth_getCode", [contract, by_hash]),
        ("eth_getTransactionCount", [contract, by_hash]),
        ("eth_getLogs", [by_hash]),
    ):
        with pytest.raises(RpcError, match="unknown block"):
            chain.request(method, params)
    assert chain.request("eth_getBlockByHash", [orphan["hash"]]) is None
    assert chain.request("eth_getLogs", [{"fromBlock": "0x0"}]) == []
    assert chain.request("eth_getStorageAt", [contract, "0x0"]) == "0x" + "00" * 32


def test_reorganised_chain_survives_a_restart(
    chain: EmbeddedChain, directory: Path, sender: Sender, testing: EmbeddedTesting, clock: ManualClock
) -> None:
    start = testing.snapshot()
    sender.send(value=1)
    testing.mine(3)
    testing.revert(start)
    other = chain.request("eth_sendRawTransaction", [sender.sign(0, value=2)])
    testing.mine(2)
    head = chain.request("eth_getBlockByNumber", ["latest", True])
    chain.close()
    clock.tick(60)
    with EmbeddedChain(directory, clock=clock) as again:
        assert again.request("eth_getBlockByNumber", ["latest", True]) == head
        assert again.request("eth_getTransactionReceipt", [other])["status"] == "0x1"
        again.fund(sender.address, 1)
        assert again.request("eth_blockNumber") == hex(int(head["number"], 16) + 1)


def test_revert_to_a_block_that_is_gone_is_an_error(chain: EmbeddedChain, testing: EmbeddedTesting) -> None:
    start = testing.snapshot()
    testing.mine()
    gone = testing.snapshot()
    testing.revert(start)
    with pytest.raises(RpcError, match="unknown block"):
        testing.revert(gone)


def test_waiting_transactions_still_wait_after_a_revert(
    chain: EmbeddedChain, sender: Sender, testing: EmbeddedTesting
) -> None:
    start = testing.snapshot()
    sender.send()
    waiting = sender.send()
    orphaned = testing.revert(start)
    assert chain.request("eth_getTransactionByHash", [waiting])["blockHash"] is None
    chain.request("eth_sendRawTransaction", orphaned)
    testing.mine()
    assert chain.request("eth_getTransactionReceipt", [waiting])["status"] == "0x1"


def test_transaction_whose_funds_were_reorganised_away_waits_for_them(
    chain: EmbeddedChain, testing: EmbeddedTesting, new_sender: Any
) -> None:
    start = testing.snapshot()
    poor = new_sender()
    chain.fund(poor.address, 10**18)
    testing.mine()
    waiting = poor.send()
    (funding,) = testing.revert(start)
    testing.advance_clock(1)
    assert chain.request("eth_getTransactionByHash", [waiting])["blockHash"] is None
    assert chain.request("eth_blockNumber") == "0x0"
    chain.request("eth_sendRawTransaction", [funding])
    testing.mine(2)
    assert chain.request("eth_getTransactionReceipt", [waiting])["status"] == "0x1"
