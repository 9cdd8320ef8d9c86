"""Failing storage and a failing EVM: what failed was not acknowledged, and the chain goes on."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from registry.chain.embedded import EmbeddedChain, EmbeddedStorageError, RpcError
from registry.chain.embedded.testing import EmbeddedTesting

from .conftest import ManualClock, Sender


def test_locked_database_acknowledges_nothing(chain: EmbeddedChain, directory: Path, sender: Sender) -> None:
    raw = sender.sign(0)
    other = sqlite3.connect(directory / "chain.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(EmbeddedStorageError, match="locked"):
        chain.request("eth_sendRawTransaction", [raw])
    assert chain.request("eth_getTransactionCount", [sender.address, "pending"]) == "0x0"
    other.close()
    transaction_hash = chain.request("eth_sendRawTransaction", [raw])
    assert chain.request("eth_getTransactionReceipt", [transaction_hash])["status"] == "0x1"


def test_full_disk_acknowledges_nothing_and_reads_go_on(
    chain: EmbeddedChain, directory: Path, sender: Sender, clock: ManualClock
) -> None:
    store = chain._store
    assert store is not None
    # SQLite raises the limit to the present size, so that no page can be added.
    store._sql.execute("PRAGMA max_page_count = 1")
    raws = [sender.sign(nonce, to=None, data="0x" + "5b" * 20_000, gas=8_000_000) for nonce in range(3)]
    for raw in raws:
        with pytest.raises(EmbeddedStorageError, match="full"):
            chain.request("eth_sendRawTransaction", [raw])
    assert chain.request("eth_getTransactionCount", [sender.address, "pending"]) == "0x0"
    assert chain.request("eth_blockNumber") == "0x1"
    store._sql.execute("PRAGMA max_page_count = 1000000")
    for raw in raws:
        chain.request("eth_sendRawTransaction", [raw])
    chain.close()
    clock.tick(2)
    with EmbeddedChain(directory, clock=clock) as again:
        assert again.request("eth_getTransactionCount", [sender.address]) == "0x3"


def test_block_that_cannot_be_written_leaves_its_transactions_waiting(
    chain: EmbeddedChain, sender: Sender, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = chain._store
    assert store is not None
    commit, calls = store.commit, []

    def fail_second() -> None:
        calls.append(None)
        if len(calls) == 2:
            store.discard()
            raise EmbeddedStorageError("the embedded chain's database failed: disk I/O error")
        commit()

    monkeypatch.setattr(store, "commit", fail_second)
    raw = sender.sign(0)
    with pytest.raises(EmbeddedStorageError):
        chain.request("eth_sendRawTransaction", [raw])
    assert chain.request("eth_getTransactionCount", [sender.address, "latest"]) == "0x1"
    with pytest.raises(RpcError, match="already known"):
        chain.request("eth_sendRawTransaction", [raw])


def test_commit_that_was_written_but_reported_as_failed_is_seen_afterwards(
    chain: EmbeddedChain, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = chain._store
    assert store is not None
    commit = store.commit

    def written_and_failed() -> None:
        commit()
        raise EmbeddedStorageError("the embedded chain's database failed: disk I/O error")

    raw = sender.sign(0)
    with monkeypatch.context() as patch:
        patch.setattr(store, "commit", written_and_failed)
        with pytest.raises(EmbeddedStorageError):
            chain.request("eth_sendRawTransaction", [raw])
    assert chain.request("eth_getTransactionCount", [sender.address]) == "0x1"
    with pytest.raises(RpcError, match="already known"):
        chain.request("eth_sendRawTransaction", [raw])


@pytest.mark.parametrize("look", ["latest", "pending"])
def test_transaction_on_which_the_evm_breaks_is_dropped_and_the_chain_goes_on(
    chain: EmbeddedChain,
    sender: Sender,
    testing: EmbeddedTesting,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    look: str,
) -> None:
    testing.mine()
    good, poison, after = sender.send(), sender.send(data="0x666666"), sender.send()
    builder = type(chain._engine.chain.get_vm())
    apply = builder.apply_transaction

    def break_on_poison(vm: Any, header: Any, transaction: Any) -> Any:
        if transaction.data == b"fff":
            raise KeyError("a defect in the EVM")
        return apply(vm, header, transaction)

    monkeypatch.setattr(builder, "apply_transaction", break_on_poison)
    assert chain.request("eth_getBlockByNumber", [look]) is not None
    testing.mine()
    assert chain.request("eth_getTransactionReceipt", [good])["status"] == "0x1"
    assert chain.request("eth_getTransactionByHash", [poison]) is None
    assert chain.request("eth_getTransactionByHash", [after])["blockHash"] is None
    assert "is dropped" in caplog.text


def test_storage_that_fails_while_a_block_is_built_drops_nothing(
    chain: EmbeddedChain, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise EmbeddedStorageError("the embedded chain's database failed: disk I/O error")

    raw = sender.sign(0)
    with monkeypatch.context() as patch:
        patch.setattr(type(chain._engine.chain.get_vm()), "apply_transaction", fail)
        with pytest.raises(EmbeddedStorageError):
            chain.request("eth_sendRawTransaction", [raw])
    assert chain.request("eth_getTransactionCount", [sender.address]) == "0x1"
