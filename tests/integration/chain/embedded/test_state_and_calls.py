"""Reading state, calling, estimating and logs, at any block and by any name."""

from __future__ import annotations

from typing import Any

import pytest
from web3 import Web3
from web3.exceptions import ContractCustomError, ContractLogicError

from registry.chain.embedded import EmbeddedChain, EmbeddedProvider, EmbeddedStorageError, RpcError
from registry.chain.embedded.testing import EmbeddedTesting

from .conftest import ENDLESS, INVALID, REVERT_WITH_INPUT, STORE_AND_LOG, TIME_AND_NUMBER, ManualClock, Sender


def words(*values: int) -> str:
    return "0x" + "".join(f"{value:064x}" for value in values)


def topic(value: int) -> str:
    return f"0x{value:064x}"


# --- state ---


def test_storage_is_read_at_the_block_that_was_asked_for(
    chain: EmbeddedChain, sender: Sender, testing: EmbeddedTesting
) -> None:
    contract = sender.deploy(STORE_AND_LOG)
    blocks = []
    for value in (5, 6):
        sender.send(to=contract, data=words(value, 1, 2))
        testing.mine()
        blocks.append(chain.request("eth_getBlockByNumber", ["latest"]))

    def stored(block: Any) -> int:
        return int(chain.request("eth_getStorageAt", [contract, "0x0", block]), 16)

    assert [stored(block["number"]) for block in blocks] == [5, 6]
    assert [stored({"blockHash": block["hash"]}) for block in blocks] == [5, 6]
    assert [stored(tag) for tag in ("latest", "safe", "finalized", "pending", "earliest")] == [6, 6, 6, 6, 0]
    assert chain.request("eth_getStorageAt", [contract, "0x" + "00" * 32]) == topic(6)


def test_pending_state_includes_what_waits(
    chain: EmbeddedChain, sender: Sender, testing: EmbeddedTesting
) -> None:
    contract = sender.deploy(STORE_AND_LOG)
    testing.mine()
    sender.send(to=contract, data=words(9, 1, 2))
    sender.send(to=contract, data=words(10, 1, 2))
    assert chain.request("eth_getStorageAt", [contract, "0x0", "latest"]) == topic(0)
    assert chain.request("eth_getStorageAt", [contract, "0x0", "pending"]) == topic(10)
    assert chain.request("eth_getTransactionCount", [sender.address, "pending"]) == "0x3"


def test_balance_moves_with_the_block(chain: EmbeddedChain, sender: Sender) -> None:
    receiver = "0x" + "77" * 20
    sender.send(to=receiver, value=123)
    assert chain.request("eth_getBalance", [receiver]) == "0x7b"
    assert chain.request("eth_getBalance", [receiver, "0x1"]) == "0x0"


# --- calls ---


def test_call_at_a_block_sees_that_blocks_time_and_at_latest_the_clock(
    chain: EmbeddedChain, sender: Sender, clock: ManualClock
) -> None:
    contract = sender.deploy(TIME_AND_NUMBER)
    head = chain.request("eth_getBlockByNumber", ["latest"])
    clock.tick(1000)

    def context(block: Any) -> tuple[int, int]:
        answer = bytes.fromhex(chain.request("eth_call", [{"to": contract}, block])[2:])
        return int.from_bytes(answer[:32], "big"), int.from_bytes(answer[32:], "big")

    sealed, number = int(head["timestamp"], 16), int(head["number"], 16)
    assert context(head["number"]) == context({"blockHash": head["hash"]}) == (sealed, number)
    assert context("finalized") == (sealed, number)
    assert context("latest")[0] > sealed + 900
    assert context("pending")[0] == context("latest")[0]
    assert context("pending")[1] == number + 1


def test_custom_error_comes_back_as_code_3_with_its_data(chain: EmbeddedChain, sender: Sender) -> None:
    contract = sender.deploy(REVERT_WITH_INPUT)
    with pytest.raises(RpcError, match=r"^execution reverted$") as caught:
        chain.request("eth_call", [{"to": contract, "data": "0xdeadbeef"}])
    assert (caught.value.code, caught.value.data) == (3, "0xdeadbeef")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            "0x08c379a0" + f"{32:064x}{4:064x}" + b"nope".hex().ljust(64, "0"),
            "execution reverted: nope",
        ),
        ("0x4e487b71" + f"{0x11:064x}", "execution reverted: panic 0x11"),
        ("0x08c379a0ff", "execution reverted"),
        ("0x", "execution reverted"),
    ],
)
def test_revert_message_carries_the_reason_when_there_is_one(
    chain: EmbeddedChain, sender: Sender, data: str, message: str
) -> None:
    contract = sender.deploy(REVERT_WITH_INPUT)
    for method in ("eth_call", "eth_estimateGas"):
        with pytest.raises(RpcError) as caught:
            chain.request(method, [{"to": contract, "input": data}])
        assert (caught.value.code, caught.value.message, caught.value.data) == (3, message, data)


def test_web3_sees_reverts_as_it_does_from_a_node(chain: EmbeddedChain, sender: Sender, web3: Web3) -> None:
    contract = Web3.to_checksum_address(sender.deploy(REVERT_WITH_INPUT))
    with pytest.raises(ContractCustomError) as custom:
        web3.eth.call({"to": contract, "data": "0xdeadbeef"})
    assert custom.value.data == "0xdeadbeef"
    reason = "0x08c379a0" + f"{32:064x}{4:064x}" + b"nope".hex().ljust(64, "0")
    with pytest.raises(ContractLogicError, match="nope"):
        web3.eth.call({"to": contract, "data": reason})


@pytest.mark.parametrize(
    ("runtime", "message"),
    [
        (INVALID, "invalid opcode"),
        (ENDLESS, "out of gas"),
        ("5f56", "invalid jump destination"),
        ("50", "execution failed: InsufficientStack"),
    ],
)
def test_other_failures_are_server_errors_without_data(
    chain: EmbeddedChain, sender: Sender, runtime: str, message: str
) -> None:
    contract = sender.deploy(runtime)
    with pytest.raises(RpcError, match=message) as caught:
        chain.request("eth_call", [{"to": contract, "gas": "0x186a0"}])
    assert (caught.value.code, caught.value.data) == (-32000, None)


def test_call_leaves_no_trace(chain: EmbeddedChain, sender: Sender) -> None:
    contract = sender.deploy(STORE_AND_LOG)
    before = chain.request("eth_getBlockByNumber", ["latest"])
    chain.request("eth_call", [{"to": contract, "data": words(1, 2, 3)}])
    chain.request("eth_call", [{"to": contract, "data": words(1, 2, 3)}, "pending"])
    assert chain.request("eth_getStorageAt", [contract, "0x0"]) == topic(0)
    assert chain.request("eth_getBlockByNumber", ["latest"]) == before


def test_call_with_more_value_than_the_balance_is_refused(chain: EmbeddedChain) -> None:
    for method in ("eth_call", "eth_estimateGas"):
        with pytest.raises(RpcError, match="insufficient funds"):
            chain.request(method, [{"to": "0x" + "01" * 20, "value": "0x1"}])


def test_call_with_too_little_gas_is_refused(chain: EmbeddedChain) -> None:
    with pytest.raises(RpcError, match="intrinsic gas too low"):
        chain.request("eth_call", [{"to": "0x" + "01" * 20, "gas": "0x5207"}])


def test_fees_in_a_call_need_no_balance(chain: EmbeddedChain) -> None:
    call = {
        "to": "0x" + "01" * 20,
        "maxFeePerGas": hex(10**12),
        "maxPriorityFeePerGas": "0x1",
        "nonce": "0x5",
    }
    assert chain.request("eth_call", [call]) == "0x"


# --- gas ---


def test_estimate_of_a_plain_transfer_is_exact(chain: EmbeddedChain) -> None:
    assert (
        chain.request("eth_estimateGas", [{"from": chain.faucet.address, "to": "0x" + "01" * 20}]) == "0x5208"
    )


@pytest.mark.parametrize("values", [(0, 0, 0), (5, 1, 2), (2**255, 2**255, 2**255)])
def test_transaction_sent_with_the_estimate_succeeds(
    chain: EmbeddedChain, sender: Sender, values: tuple[int, int, int]
) -> None:
    contract = sender.deploy(STORE_AND_LOG)
    call = {"from": sender.address, "to": contract, "data": words(*values)}
    gas = int(chain.request("eth_estimateGas", [call]), 16)
    receipt = chain.request(
        "eth_getTransactionReceipt", [sender.send(to=contract, data=words(*values), gas=gas)]
    )
    assert receipt["status"] == "0x1"
    assert int(receipt["gasUsed"], 16) <= gas <= int(receipt["gasUsed"], 16) * 1.3


def test_estimate_covers_gas_that_is_refunded_at_the_end(chain: EmbeddedChain, sender: Sender) -> None:
    contract = sender.deploy(STORE_AND_LOG)
    sender.send(to=contract, data=words(5, 0, 0))
    EmbeddedTesting(chain).advance_clock(1)
    call = {"from": sender.address, "to": contract, "data": words(0, 0, 0)}
    gas = int(chain.request("eth_estimateGas", [call]), 16)
    receipt = chain.request(
        "eth_getTransactionReceipt", [sender.send(to=contract, data=words(0, 0, 0), gas=gas)]
    )
    assert receipt["status"] == "0x1"


def test_estimate_respects_a_gas_limit_that_is_too_low(chain: EmbeddedChain, sender: Sender) -> None:
    contract = sender.deploy(STORE_AND_LOG)
    with pytest.raises(RpcError, match="out of gas"):
        chain.request("eth_estimateGas", [{"to": contract, "data": words(1, 2, 3), "gas": "0x7530"}])


def test_estimate_for_a_call_that_needs_gas_left_over_at_a_check_succeeds(
    chain: EmbeddedChain, sender: Sender
) -> None:
    """The contract reverts below 100,000 gas and uses hardly any: gas used says little about gas needed."""
    contract = sender.deploy("620186a05a10600a5700" + "5b5f5ffd")
    call = {"from": sender.address, "to": contract}
    gas = int(chain.request("eth_estimateGas", [call]), 16)
    assert 121_000 < gas < 130_000
    receipt = chain.request("eth_getTransactionReceipt", [sender.send(to=contract, gas=gas)])
    assert receipt["status"] == "0x1"


def test_fee_methods_follow_the_base_fee(chain: EmbeddedChain, sender: Sender) -> None:
    sender.send(maxFeePerGas=9 * 10**9, maxPriorityFeePerGas=3 * 10**9)
    history = chain.request("eth_feeHistory", ["0x3", "latest", [0, 50.5, 100]])
    blocks = [chain.request("eth_getBlockByNumber", [hex(n)]) for n in range(3)]
    assert history["oldestBlock"] == "0x0"
    assert history["baseFeePerGas"][:3] == [block["baseFeePerGas"] for block in blocks]
    assert len(history["gasUsedRatio"]) == 3
    assert history["reward"] == [["0x0"] * 3, [hex(10**9)] * 3, [hex(3 * 10**9)] * 3]
    next_base_fee = int(history["baseFeePerGas"][3], 16)
    assert int(chain.request("eth_gasPrice"), 16) == next_base_fee + 10**9
    assert chain.request("eth_maxPriorityFeePerGas") == hex(10**9)
    pending = chain.request("eth_getBlockByNumber", ["pending"])
    assert int(pending["baseFeePerGas"], 16) == next_base_fee


def test_rewards_are_weighed_by_the_gas_used(
    chain: EmbeddedChain, sender: Sender, testing: EmbeddedTesting
) -> None:
    burner = sender.deploy(INVALID)
    testing.mine()
    for tip, gas in ((3, 900_000), (1, 50_000), (2, 50_000)):
        sender.send(to=burner, gas=gas, maxPriorityFeePerGas=tip * 10**8)
    testing.mine()
    (rewards,) = chain.request("eth_feeHistory", ["0x1", "latest", [0, 5, 6, 10, 11, 100]])["reward"]
    assert [int(reward, 16) // 10**8 for reward in rewards] == [1, 1, 2, 2, 3, 3]


def test_fee_history_takes_no_block_hash(chain: EmbeddedChain) -> None:
    with pytest.raises(RpcError, match="number or a tag"):
        chain.request("eth_feeHistory", ["0x1", "0x" + "ab" * 32])


def test_fee_history_reaches_back_no_further_than_genesis(chain: EmbeddedChain) -> None:
    history = chain.request("eth_feeHistory", ["0x400", "latest"])
    assert (history["oldestBlock"], len(history["baseFeePerGas"])) == ("0x0", 2)
    assert "reward" not in history
    assert chain.request("eth_feeHistory", ["0x0", "latest"]) == {"oldestBlock": "0x0", "gasUsedRatio": []}


@pytest.mark.parametrize("percentiles", [[101], [-1], [50, 10], ["5"], [True], "5", [0] * 101])
def test_wrong_percentiles_are_invalid_params(chain: EmbeddedChain, percentiles: Any) -> None:
    with pytest.raises(RpcError) as caught:
        chain.request("eth_feeHistory", ["0x1", "latest", percentiles])
    assert caught.value.code == -32602


# --- logs ---


@pytest.fixture
def logged(sender: Sender, testing: EmbeddedTesting) -> tuple[str, str]:
    """Two contracts that logged: first (1, 10, 20), (2, 10, 21) in one block, then the second (3, 11, 20)."""
    first, second = sender.deploy(STORE_AND_LOG), sender.deploy(STORE_AND_LOG)
    testing.mine()
    sender.send(to=first, data=words(1, 10, 20))
    sender.send(to=first, data=words(2, 10, 21))
    testing.mine()
    sender.send(to=second, data=words(3, 11, 20))
    testing.mine()
    return first, second


def found(chain: EmbeddedChain, **fields: Any) -> list[int]:
    wanted = {"fromBlock": "earliest", "toBlock": "latest", **fields}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    return [int(entry["data"], 16) for entry in chain.request("eth_getLogs", [wanted])]


def test_logs_are_found_by_address_and_topics(chain: EmbeddedChain, logged: tuple[str, str]) -> None:
    first, second = logged
    assert found(chain) == [1, 2, 3]
    assert found(chain, address=first) == [1, 2]
    assert found(chain, address=[first, second]) == [1, 2, 3]
    assert found(chain, address="0x" + "09" * 20) == []
    assert found(chain, topics=[topic(10)]) == [1, 2]
    assert found(chain, topics=[None, topic(20)]) == [1, 3]
    assert found(chain, topics=[[topic(10), topic(11)], topic(20)]) == [1, 3]
    assert found(chain, topics=[topic(10), [topic(20), topic(21)]]) == [1, 2]
    assert found(chain, topics=[[], None]) == [1, 2, 3]
    assert found(chain, topics=[None, None, None]) == []
    assert found(chain, address=second, topics=[topic(10)]) == []


def test_logs_are_found_by_range_and_block_hash(chain: EmbeddedChain, logged: tuple[str, str]) -> None:
    last = int(chain.request("eth_blockNumber"), 16)
    block = chain.request("eth_getBlockByNumber", [hex(last - 1)])
    assert found(chain, fromBlock=hex(last)) == [3]
    assert found(chain, toBlock=hex(last - 1)) == [1, 2]
    assert found(chain, fromBlock=None) == [3]
    assert found(chain, fromBlock="latest", toBlock="pending") == [3]
    assert found(chain, fromBlock=hex(last + 5), toBlock=hex(last + 9)) == []
    assert found(chain, fromBlock=None, toBlock=None, blockHash=block["hash"]) == [1, 2]


def test_log_entry_agrees_with_its_receipt(chain: EmbeddedChain, logged: tuple[str, str]) -> None:
    for entry in chain.request("eth_getLogs", [{"fromBlock": "0x0"}]):
        receipt = chain.request("eth_getTransactionReceipt", [entry["transactionHash"]])
        assert entry in receipt["logs"]
        assert entry["removed"] is False


@pytest.mark.parametrize(
    "wanted",
    [
        {"fromBlock": "0x2", "toBlock": "0x1"},
        {"blockHash": "0x" + "00" * 32, "fromBlock": "0x0"},
        {"fromBlock": 1},
        {"fromBlock": "0x" + "00" * 32},
        {"address": "0x12"},
        {"topics": "0x12"},
        {"topics": [topic(1)] * 5},
        {"topics": ["0x12"]},
        {"address": ["0x" + "01" * 20] * 1001},
        {"topics": [[topic(1)] * 1001]},
        [],
        None,
    ],
)
def test_malformed_filters_are_invalid_params(chain: EmbeddedChain, wanted: Any) -> None:
    with pytest.raises(RpcError) as caught:
        chain.request("eth_getLogs", [wanted])
    assert caught.value.code == -32602


def test_logs_of_an_unknown_block_are_an_error_and_not_an_empty_list(chain: EmbeddedChain) -> None:
    with pytest.raises(RpcError, match="unknown block"):
        chain.request("eth_getLogs", [{"blockHash": "0x" + "ab" * 32}])


# --- web3 ---


def test_web3_works_over_the_provider(web3: Web3, sender: Sender, testing: EmbeddedTesting) -> None:
    assert web3.is_connected()
    contract = Web3.to_checksum_address(sender.deploy(STORE_AND_LOG))
    transaction_hash = sender.send(to=contract, data=words(1, 2, 3))
    receipt = web3.eth.wait_for_transaction_receipt(transaction_hash)
    logs = web3.eth.get_logs({"blockHash": receipt["blockHash"]})
    assert logs == receipt["logs"]
    assert (
        web3.eth.get_block(receipt["blockHash"], full_transactions=True)["number"] == receipt["blockNumber"]
    )
    assert web3.eth.get_storage_at(contract, 0, receipt["blockNumber"]) == bytes(31) + b"\x01"
    assert web3.eth.get_transaction_count(Web3.to_checksum_address(sender.address), "pending") == 2
    assert web3.eth.fee_history(1, "latest", [50])["reward"] == [[10**9]]
    assert web3.eth.call({"to": contract, "data": words(0, 0, 0)}, receipt["blockNumber"]) == b""


def test_web3_batches_work_and_ccip_read_is_off(chain: EmbeddedChain, web3: Web3) -> None:
    assert web3.provider.global_ccip_read_enabled is False
    with web3.batch_requests() as batch:
        batch.add(web3.eth.get_block(0))
        batch.add(web3.eth.get_balance(chain.faucet.address))
        block, balance = batch.execute()
    assert block["number"] == 0
    assert balance == 10**27


def test_closed_chain_says_so(chain: EmbeddedChain) -> None:
    provider = EmbeddedProvider(chain)
    chain.close()
    assert provider.is_connected() is False
    with pytest.raises(EmbeddedStorageError, match="closed"):
        provider.is_connected(show_traceback=True)
    with pytest.raises(EmbeddedStorageError, match="closed"):
        provider.make_request("eth_blockNumber", [])  # type: ignore[arg-type]
