"""The same requests to the embedded chain and to anvil: where two EVM nodes must agree, these two do."""

from __future__ import annotations

import itertools
import json
import subprocess
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import Web3

from registry.chain.abi import load_artifact
from registry.chain.embedded import EmbeddedChain, handle_jsonrpc
from registry.chain.embedded.testing import EmbeddedTesting

from .conftest import (
    FACTORY,
    REVERT_WITH_INPUT,
    START,
    STORE_AND_LOG,
    TIME_AND_NUMBER,
    ManualClock,
    init_code,
)

ANVIL = Path(__file__).parents[4] / "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
GAS = 6_000_000

pytestmark = pytest.mark.node
Answer = dict[str, Any]


class Side:
    """One of the two nodes. ``ask`` gives the whole response object; ``mine`` seals what waits."""

    def __init__(
        self, ask: Callable[[Answer], Answer], mine: Callable[[], None], account: LocalAccount
    ) -> None:
        self._ask = ask
        self.mine = mine
        self._account = account
        self._ids = itertools.count(1)
        self._nonce = 0
        self.address = account.address.lower()

    def ask(self, method: str, *params: Any) -> Answer:
        return self._ask({"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": list(params)})

    def result(self, method: str, *params: Any) -> Any:
        answer = self.ask(method, *params)
        assert "error" not in answer, answer
        return answer["result"]

    def error(self, method: str, *params: Any) -> Answer:
        error: Answer = self.ask(method, *params)["error"]
        return error

    def sign(self, nonce: int, **fields: Any) -> str:
        transaction = {
            "type": 2,
            "chainId": 31337,
            "nonce": nonce,
            "value": 0,
            "gas": GAS,
            "maxFeePerGas": 5 * 10**9,
            "maxPriorityFeePerGas": 10**9,
            **fields,
        }
        return "0x" + bytes(self._account.sign_transaction(transaction).raw_transaction).hex()

    def send(self, **fields: Any) -> Answer:
        """Send, mine, and give the receipt."""
        transaction_hash = self.result("eth_sendRawTransaction", self.sign(self._nonce, **fields))
        self._nonce += 1
        self.mine()
        receipt: Answer = self.result("eth_getTransactionReceipt", transaction_hash)
        return receipt

    def deploy(self, runtime: str) -> str:
        address: str = self.send(data="0x" + init_code(runtime))["contractAddress"]
        return address


@pytest.fixture(scope="module")
def anvil_url() -> Iterator[str]:
    command = [
        ANVIL,
        "--port",
        "0",
        "--chain-id",
        "31337",
        "--hardfork",
        "prague",
        "--no-mining",
        "--timestamp",
        START,
    ]
    with subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        listening = next(line for line in process.stdout if line.startswith("Listening on "))
        drain = threading.Thread(target=process.stdout.read)
        drain.start()
        yield "http://" + listening.removeprefix("Listening on ").strip()
        process.kill()
        drain.join(timeout=30)


@pytest.fixture
def sides(anvil_url: str, chain: EmbeddedChain, clock: ManualClock) -> tuple[Side, Side]:
    """The embedded chain and anvil, with the same funded account at nonce 0."""
    account: LocalAccount = Account.create()

    def ask_anvil(body: Answer) -> Answer:
        request = urllib.request.Request(
            anvil_url, json.dumps(body).encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            answer: Answer = json.load(response)
            return answer

    def ask_embedded(body: Answer) -> Answer:
        answer = handle_jsonrpc(chain, json.loads(json.dumps(body)))
        assert isinstance(answer, dict)
        return answer

    testing = EmbeddedTesting(chain)
    embedded = Side(ask_embedded, lambda: [testing.mine(), None][1], account)
    anvil = Side(ask_anvil, lambda: [anvil.result("anvil_mine", "0x1"), None][1], account)
    anvil.result("anvil_setBalance", account.address, hex(1_000 * 10**18))
    chain.fund(account.address, 1_000 * 10**18)
    testing.mine()
    return embedded, anvil


def words(*values: int) -> str:
    return "0x" + "".join(f"{value:064x}" for value in values)


def test_registry_costs_the_same_gas_on_both(sides: tuple[Side, Side]) -> None:
    artifact = load_artifact()
    contract = Web3().eth.contract(abi=list(artifact.abi))
    registry = Web3.to_checksum_address(bytes(artifact.create2_address))
    used = []
    for side in sides:
        me = Web3.to_checksum_address(side.address)
        payload = bytes(artifact.create2_salt) + bytes(artifact.bytecode)
        if side.result("eth_getCode", registry, "latest") == "0x":
            assert side.send(to=Web3.to_checksum_address(FACTORY), data=payload)["status"] == "0x1"
        assert side.result("eth_getCode", registry, "latest") == "0x" + bytes(artifact.deployed_code).hex()
        root = b"\x5a" * 32
        calls: list[Any] = [
            contract.encode_abi("addKey", [me, me, 15, 2**40, b""]),
            root,
            contract.encode_abi("revoke", [root, [(0, 2**255 + 1)], 1]),
            contract.encode_abi("withdraw", [root, 1]),
            contract.encode_abi("withdraw", [b"\x01" * 32, 1]),
        ]
        receipts = [side.send(to=registry, data=data) for data in calls]
        used.append([(receipt["status"], receipt["gasUsed"], len(receipt["logs"])) for receipt in receipts])
    assert used[0] == used[1]
    assert [status for status, _, _ in used[0]] == ["0x1", "0x1", "0x1", "0x1", "0x0"]


def test_storage_logs_and_receipts_agree(sides: tuple[Side, Side]) -> None:
    seen = []
    for side in sides:
        contract = side.deploy(STORE_AND_LOG)
        receipt = side.send(to=Web3.to_checksum_address(contract), data=words(7, 8, 9))
        by_hash = side.result("eth_getLogs", {"blockHash": receipt["blockHash"]})
        assert by_hash == side.result(
            "eth_getLogs", {"fromBlock": receipt["blockNumber"], "address": contract}
        )
        log = dict(by_hash[0])
        seen.append(
            {
                "contract": contract,
                "log": {name: log[name] for name in ("address", "topics", "data", "logIndex", "removed")},
                "receipt": {
                    name: receipt[name]
                    for name in ("status", "gasUsed", "type", "to", "from", "transactionHash")
                },
                "bloom": receipt["logsBloom"],
                "stored": side.result(
                    "eth_getStorageAt", contract, "0x0", {"blockHash": receipt["blockHash"]}
                ),
                "code": side.result("eth_getCode", contract, "latest"),
                "count": side.result("eth_getTransactionCount", side.address, "latest"),
            }
        )
    assert seen[0] == seen[1]


def test_members_of_the_answers_are_those_of_a_node(sides: tuple[Side, Side]) -> None:
    """anvil gives a few more (blockTimestamp in logs, totalDifficulty, blob prices)."""
    embedded, anvil = ([], [])
    for side, members in zip(sides, (embedded, anvil), strict=True):
        contract = side.deploy(STORE_AND_LOG)
        receipt = side.send(to=Web3.to_checksum_address(contract), data=words(7, 8, 9))
        block = side.result("eth_getBlockByHash", receipt["blockHash"], True)
        members.extend(set(part) for part in (block, block["transactions"][0], receipt, receipt["logs"][0]))
    extra = {"totalDifficulty", "blockTimestamp", "blobGasPrice", "blobGasUsed"}
    for ours, theirs in zip(embedded, anvil, strict=True):
        assert theirs - ours <= extra
        assert ours - theirs == set()


@pytest.mark.parametrize(
    "data", ["0xdeadbeef", "0x", "0x08c379a0" + f"{32:064x}{4:064x}" + b"nope".hex().ljust(64, "0")]
)
def test_reverts_have_the_same_code_and_data(sides: tuple[Side, Side], data: str) -> None:
    for method in ("eth_call", "eth_estimateGas"):
        errors = []
        for side in sides:
            contract = side.deploy(REVERT_WITH_INPUT)
            error = side.error(method, {"from": side.address, "to": contract, "data": data}, "latest")
            assert error["message"].startswith("execution reverted")
            errors.append((error["code"], error["data"]))
        assert errors[0] == errors[1] == (3, data)


def test_refusals_use_the_same_words(sides: tuple[Side, Side]) -> None:
    for side in sides:
        side.send(to=Web3.to_checksum_address(FACTORY), data="0x" + "00" * 32)
        refusals = {
            "nonce too low": side.sign(0, to=Web3.to_checksum_address(FACTORY)),
            "insufficient funds": side.sign(1, value=10**24, to=Web3.to_checksum_address(FACTORY)),
            "intrinsic gas too low": side.sign(1, gas=20_000, to=Web3.to_checksum_address(FACTORY)),
            "max priority fee per gas higher than max fee per gas": side.sign(
                1, maxPriorityFeePerGas=10**10, to=Web3.to_checksum_address(FACTORY)
            ),
        }
        for message, raw in refusals.items():
            assert side.error("eth_sendRawTransaction", raw)["message"].lower().startswith(message)


def test_calls_at_a_block_see_its_time_and_number(sides: tuple[Side, Side]) -> None:
    for side in sides:
        contract = side.deploy(TIME_AND_NUMBER)
        block = side.result("eth_getBlockByNumber", "latest", False)
        expected = words(int(block["timestamp"], 16), int(block["number"], 16))
        side.mine()
        for name in (block["number"], {"blockHash": block["hash"]}):
            assert side.result("eth_call", {"to": contract}, name) == expected


def test_unknown_things_are_null_on_both(sides: tuple[Side, Side]) -> None:
    unknown = "0x" + "ab" * 32
    for side in sides:
        for method in ("eth_getTransactionByHash", "eth_getTransactionReceipt"):
            assert side.result(method, unknown) is None
        assert side.result("eth_getBlockByHash", unknown, False) is None
        assert side.result("eth_getBlockByNumber", "0xffffff", False) is None
        assert "error" in side.ask("eth_call", {"to": FACTORY}, {"blockHash": unknown})
        assert "error" in side.ask("eth_getLogs", {"blockHash": unknown})


def test_estimates_of_the_same_call_are_close(sides: tuple[Side, Side]) -> None:
    estimates = []
    for side in sides:
        contract = side.deploy(STORE_AND_LOG)
        call = {"from": side.address, "to": contract, "data": words(1, 2, 3)}
        estimates.append(int(side.result("eth_estimateGas", call), 16))
    assert abs(estimates[0] - estimates[1]) <= max(estimates) * 0.02
