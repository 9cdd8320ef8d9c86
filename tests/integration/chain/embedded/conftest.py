"""An embedded chain with a clock that stands still until a test moves it, and small contracts to talk to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import Web3

from registry.chain.embedded import EmbeddedChain, EmbeddedProvider
from registry.chain.embedded.testing import EmbeddedTesting

START = 1_800_000_000
FACTORY = "0x4e59b44847b379578588920ca78fbf26c0b4956c"

REVERT_WITH_INPUT = "365f5f37365ffd"
"""Reverts with the call data."""
STORE_AND_LOG = "5f355f555f355f5260403560203560205fa200"
"""Takes three words: stores the first in slot 0 and emits it as data, with the others as topics."""
TIME_AND_NUMBER = "425f524360205260405ff3"
"""Returns block time and number, a word each."""
INVALID = "fe"
ENDLESS = "5b5f56"


class ManualClock:
    """Seconds that a test sets."""

    def __init__(self, seconds: float = START) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        return self.seconds

    def tick(self, seconds: float = 1) -> None:
        self.seconds += seconds


def init_code(runtime: str) -> str:
    """Code that returns ``runtime``: PUSH1 length, DUP1, PUSH1 9, PUSH0, CODECOPY, PUSH0, RETURN."""
    return f"60{len(runtime) // 2:02x}8060095f395ff3{runtime}"


@dataclass
class Sender:
    """An account that signs for itself, with fees that fit any base fee here."""

    chain: EmbeddedChain
    account: LocalAccount

    @property
    def address(self) -> str:
        return self.account.address.lower()

    def sign(self, nonce: int, **fields: Any) -> str:
        transaction: dict[str, Any] = {
            "type": 2,
            "chainId": 31337,
            "nonce": nonce,
            "to": self.account.address,
            "value": 0,
            "gas": 200_000,
            "maxFeePerGas": 5 * 10**9,
            "maxPriorityFeePerGas": 10**9,
        }
        transaction.update(fields)
        if "gasPrice" in fields:
            del transaction["maxFeePerGas"], transaction["maxPriorityFeePerGas"]
        transaction = {name: value for name, value in transaction.items() if value is not None}
        if isinstance(transaction.get("to"), str) and transaction["to"]:
            transaction["to"] = Web3.to_checksum_address(transaction["to"])
        return "0x" + bytes(self.account.sign_transaction(transaction).raw_transaction).hex()

    def nonce(self) -> int:
        return int(self.chain.request("eth_getTransactionCount", [self.address, "pending"]), 16)

    def send(self, **fields: Any) -> str:
        raw = self.sign(self.nonce(), **fields)
        answer: str = self.chain.request("eth_sendRawTransaction", [raw])
        return answer

    def deploy(self, runtime: str) -> str:
        """Deploy and mine; the contract's address. The next transaction is mined as it is sent."""
        transaction_hash = self.send(to=None, data="0x" + init_code(runtime), gas=500_000)
        EmbeddedTesting(self.chain).mine()
        EmbeddedTesting(self.chain).advance_clock(1)
        receipt = self.chain.request("eth_getTransactionReceipt", [transaction_hash])
        assert receipt["status"] == "0x1"
        address: str = receipt["contractAddress"]
        return address


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "chain"


@pytest.fixture
def chain(directory: Path, clock: ManualClock) -> Iterator[EmbeddedChain]:
    with EmbeddedChain(directory, clock=clock, busy_timeout_seconds=0.05) as opened:
        yield opened


@pytest.fixture
def testing(chain: EmbeddedChain) -> EmbeddedTesting:
    return EmbeddedTesting(chain)


@pytest.fixture
def web3(chain: EmbeddedChain) -> Web3:
    return Web3(EmbeddedProvider(chain))


@pytest.fixture
def sender(chain: EmbeddedChain, testing: EmbeddedTesting) -> Sender:
    """An account with 1,000 ether, funded in block 1; the clock stands a second after that block."""
    account: LocalAccount = Account.create()
    chain.fund(account.address, 1_000 * 10**18)
    testing.advance_clock(1)
    return Sender(chain, account)


@pytest.fixture
def new_sender(chain: EmbeddedChain) -> Any:
    """Makes senders for other chains or other accounts."""

    def make(account: LocalAccount | None = None, on: EmbeddedChain | None = None) -> Sender:
        return Sender(on or chain, account or Account.create())

    return make
