"""Transactions and calls of the configured chain, for credentials of other systems."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from registry.chain.abi import function_selectors
from registry.chain.calls import encode_call
from registry.chain.factory import open_rpc
from registry.chain.ledgers import ChainLedgers
from registry.chain.rpc import hexed
from registry.encoding import Address
from registry.errors import UnavailableSourceError
from registry.ports.ledgers import Ledgers
from tests.support import hostile_node as hostile
from tests.support.chains import NOBODY, DrivenChain, root_of
from tests.support.hostile_node import Answer, Backend, HostileNode, Rule, hostile_node

LOOKUP = "0x556f1830" + "00" * 31 + "20" + "00" * 32  # OffchainLookup(address,string[],bytes,bytes4,bytes)


def ledgers_of(chain: DrivenChain, confirmations: int = 1) -> Ledgers:
    return chain.gateway.ledgers(confirmations=confirmations)


@contextmanager
def through(chain: DrivenChain) -> Iterator[tuple[ChainLedgers, HostileNode, HostileNode]]:
    """Two servers before one chain, honest until rules are added."""
    with hostile_node(chain.backend()) as first, hostile_node(chain.backend()) as second:
        gateway = open_rpc([first.url, second.url], patience_seconds=0.0, timeout_seconds=2.0)
        try:
            yield gateway.ledgers(confirmations=1), first, second
        finally:
            gateway.close()


def changed(method: str, **members: object) -> Rule:
    """The node's answer to a method, with members replaced."""

    def rule(asked: str, params: list[object], rest: Backend) -> Answer:
        return {"result": rest(asked, params)["result"] | members}

    return hostile.only(method, rule)


# --- what cannot be said ------------------------------------------------------------------------------------


@pytest.mark.parametrize("chain_id", [1, 11155111, 0, -1])
def test_another_chain_is_unavailable_and_named(embedded: DrivenChain, chain_id: int) -> None:
    ledgers = ledgers_of(embedded)
    with pytest.raises(UnavailableSourceError, match=f"eip155:{chain_id} "):
        ledgers.transaction(chain_id, bytes(32))
    with pytest.raises(UnavailableSourceError, match=f"eip155:{chain_id} "):
        ledgers.call(chain_id, NOBODY, b"")


@pytest.mark.parametrize(
    ("method", "members"),
    [
        ("eth_getTransactionByHash", {"input": "0x" + "ab" * 32}),
        ("eth_getTransactionByHash", {"from": "0x" + "11" * 20}),
        ("eth_getTransactionByHash", {"hash": "0x" + "22" * 32}),
        ("eth_getTransactionByHash", {"blockHash": "0x" + "33" * 32}),
        ("eth_getTransactionByHash", {"blockNumber": "0x1"}),
        ("eth_getTransactionReceipt", {"status": "0x0"}),
        ("eth_getTransactionReceipt", {"from": "0x" + "11" * 20}),
        ("eth_getTransactionReceipt", {"transactionHash": "0x" + "22" * 32}),
    ],
)
def test_transaction_is_unavailable_when_one_node_changes_it(
    embedded: DrivenChain, method: str, members: dict[str, object]
) -> None:
    embedded.make_issuer()
    sent = embedded.anchor(root_of(1)).transaction
    chain_id = embedded.gateway.info.chain_id
    with through(embedded) as (ledgers, _, liar):
        liar.add(changed(method, **members))
        with pytest.raises(UnavailableSourceError, match=f"eip155:{chain_id} could not be read"):
            ledgers.transaction(chain_id, sent)
        liar.behave()
        assert ledgers.transaction(chain_id, sent) is not None


@pytest.mark.parametrize("method", ["eth_getTransactionByHash", "eth_getTransactionReceipt"])
def test_transaction_is_unavailable_while_one_node_does_not_have_it(
    embedded: DrivenChain, method: str
) -> None:
    embedded.make_issuer()
    sent = embedded.anchor(root_of(1)).transaction
    with through(embedded) as (ledgers, _, late):
        late.add(hostile.returns(method, None))
        with pytest.raises(UnavailableSourceError, match="does not have"):
            ledgers.transaction(embedded.gateway.info.chain_id, sent)


@pytest.mark.parametrize(
    ("method", "members"),
    [("eth_getTransactionByHash", {"input": "nothing"}), ("eth_getTransactionReceipt", {"status": None})],
)
def test_node_that_answers_nonsense_counts_as_silent(
    embedded: DrivenChain, method: str, members: dict[str, object]
) -> None:
    embedded.make_issuer()
    sent = embedded.anchor(root_of(1)).transaction
    with through(embedded) as (ledgers, first, second):
        first.add(changed(method, **members))
        assert ledgers.transaction(embedded.gateway.info.chain_id, sent) is not None
        second.add(changed(method, **members))
        with pytest.raises(UnavailableSourceError, match="too few nodes answer"):
            ledgers.transaction(embedded.gateway.info.chain_id, sent)


def test_transaction_is_unavailable_when_no_node_answers(embedded: DrivenChain) -> None:
    with through(embedded) as (ledgers, first, second):
        first.add(hostile.drops())
        second.add(hostile.drops())
        with pytest.raises(UnavailableSourceError, match="too few nodes answer"):
            ledgers.transaction(embedded.gateway.info.chain_id, bytes(32))


def test_call_is_unavailable_when_nodes_answer_differently(embedded: DrivenChain) -> None:
    info = embedded.gateway.info
    selector = hexed(function_selectors()["nonceOf"])
    with through(embedded) as (ledgers, _, liar):
        liar.add(hostile.call_returns(selector, "0x" + "11" * 32))
        with pytest.raises(UnavailableSourceError, match="disagree about a call"):
            ledgers.call(info.chain_id, info.address, encode_call("nonceOf", ("address", NOBODY)))


# --- what is not there --------------------------------------------------------------------------------------


def test_unknown_transaction_is_none(chain: DrivenChain) -> None:
    assert ledgers_of(chain).transaction(chain.gateway.info.chain_id, b"\x11" * 32) is None


def test_reverted_transaction_is_none(chain: DrivenChain) -> None:
    receipt = chain.mined(chain.sign(chain.gateway.info.address, bytes(32)))
    assert receipt.status == 0
    assert ledgers_of(chain).transaction(chain.gateway.info.chain_id, receipt.transaction) is None


@pytest.mark.parametrize("member", ["eth_getTransactionByHash", "eth_getTransactionReceipt"])
def test_transaction_without_a_block_is_none(embedded: DrivenChain, member: str) -> None:
    embedded.make_issuer()
    sent = embedded.anchor(root_of(1)).transaction
    with through(embedded) as (ledgers, first, second):
        for node in (first, second):
            node.add(changed(member, blockHash=None))
        assert ledgers.transaction(embedded.gateway.info.chain_id, sent) is None


def test_transaction_of_a_block_that_left_the_chain_is_none(embedded: DrivenChain) -> None:
    embedded.make_issuer()
    sent = embedded.anchor(root_of(1)).transaction
    chain_id = embedded.gateway.info.chain_id
    assert ledgers_of(embedded).transaction(chain_id, sent) is not None
    embedded.replace(1)
    assert ledgers_of(embedded).transaction(chain_id, sent) is None


def test_call_of_an_account_without_code_is_empty(chain: DrivenChain) -> None:
    assert ledgers_of(chain).call(chain.gateway.info.chain_id, NOBODY, bytes(4)) == b""


def test_call_that_reverts_is_empty(chain: DrivenChain) -> None:
    info = chain.gateway.info
    assert ledgers_of(chain).call(info.chain_id, info.address, bytes.fromhex("ffffffff")) == b""


def test_offchain_lookup_of_a_contract_is_not_followed(embedded: DrivenChain) -> None:
    info = embedded.gateway.info
    with through(embedded) as (ledgers, first, second):
        for node in (first, second):
            node.add(hostile.refuses("eth_call", 3, "execution reverted", LOOKUP))
        assert ledgers.call(info.chain_id, info.address, bytes(4)) == b""
        assert {method for method, _ in first.asked} <= {
            "eth_blockNumber",
            "eth_call",
            "eth_chainId",
            "eth_getBlockByHash",
            "eth_getBlockByNumber",
            "eth_getCode",
        }


# --- what is there ------------------------------------------------------------------------------------------


def test_transaction_shows_sender_input_and_the_time_of_its_block(chain: DrivenChain) -> None:
    chain.make_issuer()
    receipt = chain.anchor(root_of(1))
    info = chain.gateway.info
    found = ledgers_of(chain).transaction(info.chain_id, receipt.transaction)
    assert found is not None
    header = chain.gateway.header(receipt.block_number)
    assert (found.sender, found.to, found.input) == (chain.issuer, info.address, root_of(1))
    assert (found.block_number, found.at) == (header.number, datetime.fromtimestamp(header.timestamp, UTC))


def test_transaction_is_final_once_it_has_the_confirmations(chain: DrivenChain) -> None:
    chain.make_issuer()
    sent = chain.anchor(root_of(1)).transaction
    ledgers = ledgers_of(chain, confirmations=3)
    chain_id = chain.gateway.info.chain_id
    chain.mine(1)
    found = ledgers.transaction(chain_id, sent)
    assert found is not None
    assert not found.final
    chain.mine(1)
    found = ledgers.transaction(chain_id, sent)
    assert found is not None
    assert found.final


def test_call_gives_what_the_contract_returns(chain: DrivenChain) -> None:
    info = chain.gateway.info
    answer = ledgers_of(chain).call(
        info.chain_id, Address(info.address), encode_call("nonceOf", ("address", NOBODY))
    )
    assert answer == bytes(32)
