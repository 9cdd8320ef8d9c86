"""Restarts, kills, two openers, many threads: what was acknowledged stays."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from registry.chain.embedded import (
    DataDirectoryLockedError,
    EmbeddedChain,
    EmbeddedChainMismatchError,
    EmbeddedStorageError,
    evm,
)
from registry.chain.embedded.testing import EmbeddedTesting

from .conftest import STORE_AND_LOG, ManualClock, Sender

REPOSITORY = Path(__file__).parents[4]


def everything(chain: EmbeddedChain) -> list[Any]:
    """All blocks with their receipts, and all logs."""
    head = int(chain.request("eth_blockNumber"), 16)
    blocks = [chain.request("eth_getBlockByNumber", [hex(number), True]) for number in range(head + 1)]
    receipts = [
        chain.request("eth_getTransactionReceipt", [entry["hash"]])
        for block in blocks
        for entry in block["transactions"]
    ]
    return [blocks, receipts, chain.request("eth_getLogs", [{"fromBlock": "0x0"}])]


# --- restart ---


def test_reopened_chain_answers_as_before_and_goes_on(
    chain: EmbeddedChain, directory: Path, sender: Sender, clock: ManualClock, new_sender: Any
) -> None:
    contract = sender.deploy(STORE_AND_LOG)
    sender.send(to=contract, data="0x" + f"{7:064x}" * 3)
    waiting = sender.send()
    before = everything(chain)
    chain.close()
    with EmbeddedChain(directory, clock=clock) as again:
        assert again.faucet.address == chain.faucet.address
        assert everything(again) == before
        assert again.request("eth_getTransactionByHash", [waiting])["blockHash"] is None
        clock.tick(10)
        assert again.request("eth_getTransactionReceipt", [waiting])["status"] == "0x1"
        clock.tick()
        after = new_sender(sender.account, on=again).send()
        assert again.request("eth_getTransactionReceipt", [after])["status"] == "0x1"


def test_reopening_after_a_thousand_transactions_executes_none_of_them(
    chain: EmbeddedChain,
    directory: Path,
    sender: Sender,
    testing: EmbeddedTesting,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    testing.mine()
    for nonce in range(1000):
        chain.request("eth_sendRawTransaction", [sender.sign(nonce, gas=21_000)])
        if nonce % 100 == 99:
            testing.mine()
    head = chain.request("eth_getBlockByNumber", ["latest"])
    chain.close()

    def refuse(*_: object) -> None:
        raise AssertionError("a block was built while opening")

    monkeypatch.setattr(evm, "build_block", refuse)
    with EmbeddedChain(directory, clock=clock) as again:
        assert again.request("eth_getBlockByNumber", ["latest"]) == head
        assert again.request("eth_getTransactionCount", [sender.address]) == hex(1000)


def test_files_are_readable_by_their_owner_only(chain: EmbeddedChain, directory: Path) -> None:
    for name in ("faucet.key", "chain.sqlite3", "chain.lock"):
        assert stat.S_IMODE((directory / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_each_directory_has_its_own_faucet_and_genesis(chain: EmbeddedChain, tmp_path: Path) -> None:
    with EmbeddedChain(tmp_path / "other") as other:
        assert other.faucet.address != chain.faucet.address
        first, second = (one.request("eth_getBlockByNumber", ["0x0"]) for one in (chain, other))
    assert first["hash"] != second["hash"]
    assert first["timestamp"] == second["timestamp"]


def test_other_chain_id_refuses_to_open(chain: EmbeddedChain, directory: Path) -> None:
    chain.close()
    with pytest.raises(EmbeddedChainMismatchError, match="chain_id"):
        EmbeddedChain(directory, chain_id=1)
    with EmbeddedChain(directory) as again:
        assert again.request("eth_chainId") == "0x7a69"


@pytest.mark.parametrize("content", [None, "", "zz", "00" * 32, "01" * 31])
def test_missing_or_broken_faucet_key_refuses_to_open(
    chain: EmbeddedChain, directory: Path, content: str | None
) -> None:
    chain.close()
    key = directory / "faucet.key"
    if content is None:
        key.unlink()
    else:
        key.write_text(content)
    with pytest.raises(EmbeddedChainMismatchError, match=r"faucet\.key"):
        EmbeddedChain(directory)


def test_foreign_faucet_key_refuses_to_open(chain: EmbeddedChain, directory: Path) -> None:
    chain.close()
    (directory / "faucet.key").write_text("01" * 32)
    with pytest.raises(EmbeddedChainMismatchError, match="faucet"):
        EmbeddedChain(directory)


def test_file_that_is_no_database_is_a_storage_error(directory: Path) -> None:
    directory.mkdir()
    (directory / "chain.sqlite3").write_bytes(
        b"this is not a database, and long enough to be taken for one" * 20
    )
    with pytest.raises(EmbeddedStorageError):
        EmbeddedChain(directory)


def test_directory_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(EmbeddedStorageError, match="cannot be opened"):
            EmbeddedChain(path)


# --- two openers ---


def test_second_opener_is_told_who_holds_the_directory(chain: EmbeddedChain, directory: Path) -> None:
    with pytest.raises(DataDirectoryLockedError, match=f"in use by process {os.getpid()}"):
        EmbeddedChain(directory)
    assert chain.request("eth_blockNumber") == "0x0"


def test_other_process_cannot_open_and_lock_dies_with_its_holder(
    chain: EmbeddedChain, directory: Path, tmp_path: Path
) -> None:
    program = (
        "import sys, pathlib\n"
        "from registry.chain.embedded import EmbeddedChain\n"
        "EmbeddedChain(pathlib.Path(sys.argv[1]))\n"
        "print('open', flush=True)\n"
        "sys.stdin.read()\n"
    )
    refused = subprocess.run(
        [sys.executable, "-c", program, str(directory)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        input="",
        timeout=60,
        check=False,
    )
    assert refused.returncode != 0
    assert "DataDirectoryLockedError" in refused.stderr
    other = tmp_path / "other"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(other)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(DataDirectoryLockedError, match=f"process {holder.pid}"):
            EmbeddedChain(other)
        holder.kill()
    EmbeddedChain(other).close()


# --- kills ---

SENDER_PROGRAM = """
import json, os, pathlib, signal, sys, time
from eth_account import Account
from registry.chain.embedded import EmbeddedChain
from registry.chain.embedded.store import ChainStore

directory, speed, when, nth = pathlib.Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3], int(sys.argv[4])
chain = EmbeddedChain(directory, clock=lambda: time.time() * speed)
commit, seen = ChainStore.commit, 0

def die_at_commit(store):
    global seen
    seen += 1
    if when == "before" and seen == nth:
        os.kill(os.getpid(), signal.SIGKILL)
    commit(store)
    if when == "after" and seen == nth:
        os.kill(os.getpid(), signal.SIGKILL)

ChainStore.commit = die_at_commit
while True:
    transaction_hash = chain.fund(Account.create().address, 1)
    print(json.dumps(transaction_hash), flush=True)
"""
SPEED = 50
"""The chain's clock runs faster than real time, so that many blocks are sealed before a kill."""


def acknowledged_until_killed(directory: Path, when: str, nth: int, after_seconds: float) -> list[str]:
    """Run the sender until it kills itself at a commit, or is killed; the hashes that it was given."""
    with subprocess.Popen(
        [sys.executable, "-c", SENDER_PROGRAM, str(directory), str(SPEED), when, str(nth)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        if when == "never":
            first = process.stdout.readline()
            time.sleep(after_seconds)
            process.kill()
            lines = [first, *process.stdout]
        else:
            lines = list(process.stdout)
        assert process.wait(timeout=60) == -signal.SIGKILL
    return [json.loads(line) for line in lines if line.endswith("\n")]


def assert_nothing_lost(directory: Path, acknowledged: list[str]) -> None:
    with EmbeddedChain(directory, clock=lambda: time.time() * SPEED) as chain:
        known = [chain.request("eth_getTransactionByHash", [one]) for one in acknowledged]
        assert None not in known
        EmbeddedTesting(chain).mine()
        receipts = [chain.request("eth_getTransactionReceipt", [one]) for one in acknowledged]
        assert {receipt["status"] for receipt in receipts} <= {"0x1"}
        sent = int(chain.request("eth_getTransactionCount", [chain.faucet.address]), 16)
        assert len(acknowledged) <= sent
        mined = [entry for block in everything(chain)[0] for entry in block["transactions"]]
        assert [int(entry["nonce"], 16) for entry in mined] == list(range(sent))
        assert set(acknowledged) <= {entry["hash"] for entry in mined}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", [1, 2, 7])
def test_kill_at_a_commit_loses_nothing_acknowledged(directory: Path, when: str, nth: int) -> None:
    acknowledged = acknowledged_until_killed(directory, when, nth, 0)
    assert_nothing_lost(directory, acknowledged)


@pytest.mark.slow
def test_kill_at_any_moment_loses_nothing_acknowledged(directory: Path) -> None:
    acknowledged: list[str] = []
    for pause in (0.013, 0.21, 0.087, 0.4):
        acknowledged += acknowledged_until_killed(directory, "never", 0, pause)
        assert_nothing_lost(directory, acknowledged)
    assert len(acknowledged) >= 4


# --- threads ---


def test_eight_threads_send_and_read_without_loss(
    chain: EmbeddedChain, testing: EmbeddedTesting, new_sender: Any, clock: ManualClock
) -> None:
    senders = [new_sender() for _ in range(8)]
    for one in senders:
        chain.fund(one.address, 10**18)
    testing.mine()
    hashes: list[str] = []

    def work(one: Sender) -> None:
        for nonce in range(6):
            sent = chain.request("eth_sendRawTransaction", [one.sign(nonce, gas=21_000)])
            hashes.append(sent)
            assert chain.request("eth_getTransactionByHash", [sent])["nonce"] == hex(nonce)
            head = chain.request("eth_getBlockByNumber", ["latest"])
            assert chain.request("eth_getBlockByHash", [head["hash"]]) is not None
            if nonce % 3 == 2:
                testing.mine()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, senders))
    testing.mine()
    assert len(set(hashes)) == 48
    assert {chain.request("eth_getTransactionReceipt", [one])["status"] for one in hashes} == {"0x1"}
    assert {chain.request("eth_getTransactionCount", [one.address]) for one in senders} == {"0x6"}


def test_fund_from_many_threads_uses_each_nonce_once(chain: EmbeddedChain, testing: EmbeddedTesting) -> None:
    targets = [f"0xaa{number:038x}" for number in range(16)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda target: chain.fund(target, 5), targets))
    testing.mine()
    balances = {chain.request("eth_getBalance", [target]) for target in targets}
    assert balances == {"0x5"}
