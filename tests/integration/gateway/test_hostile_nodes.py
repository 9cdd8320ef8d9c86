"""Nodes that lie, stall or speak another dialect, before the embedded chain: what the gateway makes of
them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from registry.chain.abi import event_topics, function_selectors
from registry.chain.factory import open_rpc
from registry.chain.gateway import Web3Gateway
from registry.chain.provider import HttpProvider
from registry.chain.rpc import hexed
from registry.errors import (
    ChainUnavailableError,
    NodeMismatchError,
    TransactionRejectedError,
    UnknownBlockError,
    UnsupportedByNodeError,
)
from registry.model.chain import BitKind, CallKind, ContractCall, ContractStatus
from registry.verdict.heads import EMPTY_HEAD, fold
from tests.support import hostile_node as hostile
from tests.support.chains import DrivenChain, root_of
from tests.support.hostile_node import HostileNode, hostile_node

ANCHORED = hexed(event_topics()["BatchAnchored"])


@pytest.fixture
def story(embedded: DrivenChain) -> DrivenChain:
    """An issuer with an anchor and a revocation, in three blocks after the deployment."""
    embedded.make_issuer()
    embedded.anchor(root_of(1))
    embedded.revoke(root_of(1), 1)
    return embedded


@contextmanager
def through(
    chain: DrivenChain, count: int = 1, **options: object
) -> Iterator[tuple[Web3Gateway, list[HostileNode]]]:
    """A gateway over so many servers before one chain, honest until rules are added."""
    with (
        hostile_node(chain.backend()) as first,
        hostile_node(chain.backend()) as second,
    ):
        nodes = [first, second][:count]
        options = {"patience_seconds": 0.0, "timeout_seconds": 2.0} | options
        gateway = open_rpc([node.url for node in nodes], **options)  # type: ignore[arg-type]
        try:
            yield gateway, nodes
        finally:
            gateway.close()


def name_of(node: HostileNode) -> str:
    return node.url.removeprefix("http://")


# --- two nodes: one lies ------------------------------------------------------------------------------------


def test_two_honest_nodes_agree_on_everything(story: DrivenChain) -> None:
    with through(story, 2) as (gateway, _):
        latest = gateway.latest()
        assert latest == story.gateway.latest()
        assert gateway.events_in_range(0, latest.number) == story.gateway.events_in_range(0, latest.number)
        assert gateway.events(latest) == story.gateway.events(latest)
        assert gateway.head_of(story.issuer, latest.hash) == story.gateway.head_of(story.issuer, latest.hash)
        assert gateway.bits_of(BitKind.REVOKED, story.issuer, root_of(1), [0], latest.hash) == {0: 1}
        assert gateway.unavailable == {}


def test_a_hidden_event_is_a_mismatch_that_names_both_nodes(story: DrivenChain) -> None:
    with through(story, 2) as (gateway, (honest, liar)):
        liar.add(hostile.hide_event(ANCHORED))
        latest = gateway.latest()
        with pytest.raises(NodeMismatchError) as caught:
            gateway.events_in_range(0, latest.number)
        assert name_of(honest) in str(caught.value)
        assert name_of(liar) in str(caught.value)
        with pytest.raises(NodeMismatchError):
            gateway.events(gateway.header(latest.number - 1))


def test_an_invented_event_is_a_mismatch(story: DrivenChain) -> None:
    log = story_log(story)
    with through(story, 2) as (gateway, (_, liar)):
        number = gateway.latest().number
        liar.add(hostile.invent_event(log | {"logIndex": "0x7"}))
        with pytest.raises(NodeMismatchError):
            gateway.events_in_range(0, number)


def story_log(story: DrivenChain) -> dict[str, object]:
    """The log of the story's last block, as the node gives it."""
    block = hexed(story.gateway.latest().hash)
    answer = story.backend()("eth_getLogs", [{"blockHash": block}])
    (log,) = answer["result"]
    return dict(log)


def test_an_old_chain_is_a_mismatch_that_names_the_node_behind(story: DrivenChain) -> None:
    with through(story, 2) as (gateway, (_, liar)):
        liar.add(hostile.old_head(story.gateway.latest().number - 1))
        with pytest.raises(NodeMismatchError) as caught:
            gateway.latest()
        assert name_of(liar) in str(caught.value)


def test_a_node_that_catches_up_in_time_is_waited_for(story: DrivenChain) -> None:
    with through(story, 2, patience_seconds=20.0) as (gateway, (_, late)):
        behind = hostile.old_head(story.gateway.latest().number - 1)
        asked: list[str] = []

        def rule(method, params, rest):  # type: ignore[no-untyped-def]
            asked.append(method)
            return (behind if asked.count("eth_getBlockByHash") < 2 else lambda m, p, r: r(m, p))(
                method, params, rest
            )

        late.add(rule)
        assert gateway.latest() == story.gateway.latest()


def test_an_old_history_head_is_a_mismatch(story: DrivenChain) -> None:
    with through(story, 2) as (gateway, (_, liar)):
        selector = hexed(function_selectors()["headOf"])
        liar.add(hostile.call_returns(selector, "0x" + "11" * 32))
        with pytest.raises(NodeMismatchError, match="headOf"):
            gateway.head_of(story.issuer, gateway.latest().hash)


def test_hidden_status_bits_are_a_mismatch(story: DrivenChain) -> None:
    with through(story, 2) as (gateway, (_, liar)):
        liar.add(hostile.returns("eth_getStorageAt", "0x" + "00" * 32))
        with pytest.raises(NodeMismatchError):
            gateway.bits_of(BitKind.REVOKED, story.issuer, root_of(1), [0], gateway.latest().hash)


def test_a_node_that_does_not_offer_a_reading_which_another_has_is_a_mismatch(story: DrivenChain) -> None:
    with through(story, 2, quorum=2) as (gateway, (_, liar)):
        liar.add(hostile.without("eth_getLogs"))
        with pytest.raises(NodeMismatchError):
            gateway.events(gateway.latest())


def test_a_block_that_only_one_node_has_is_a_mismatch_that_names_both(story: DrivenChain) -> None:
    latest = story.gateway.latest()
    ahead = story.backend()("eth_getBlockByNumber", [hex(latest.number), False])["result"]
    ahead |= {"number": hex(latest.number + 9), "hash": "0x" + "12" * 32, "extra": "0x"}
    with through(story, 2) as (gateway, (honest, liar)):
        liar.add(hostile.returns("eth_getBlockByNumber", ahead))
        with pytest.raises(NodeMismatchError) as caught:
            gateway.latest()
        assert name_of(honest) in str(caught.value)
        assert name_of(liar) in str(caught.value)


def test_a_node_that_denies_a_block_which_another_has_is_a_mismatch(story: DrivenChain) -> None:
    with through(story, 2) as (gateway, (_, liar)):
        latest = gateway.latest()
        liar.add(hostile.missing_blocks(latest.number))
        with pytest.raises(NodeMismatchError):
            gateway.header(latest.number)
        with pytest.raises(NodeMismatchError):
            gateway.events(latest)


def test_a_receipt_that_one_node_denies_is_a_mismatch_once_it_has_the_block(story: DrivenChain) -> None:
    receipt = story.anchor(root_of(2))
    with through(story, 2) as (gateway, (_, liar)):
        liar.add(hostile.returns("eth_getTransactionReceipt", None))
        with pytest.raises(NodeMismatchError, match=name_of(liar)):
            gateway.receipt(receipt.transaction)


def test_a_receipt_that_one_node_cannot_have_yet_is_none(story: DrivenChain) -> None:
    receipt = story.anchor(root_of(2))
    with through(story, 2) as (gateway, (_, late)):
        late.add(
            hostile.returns("eth_getTransactionReceipt", None), hostile.old_head(receipt.block_number - 1)
        )
        assert gateway.receipt(receipt.transaction) is None
        late.behave()
        assert gateway.receipt(receipt.transaction) == receipt


# --- two nodes: one is away ---------------------------------------------------------------------------------


def test_a_dead_node_among_two_is_named_and_reading_goes_on(story: DrivenChain) -> None:
    with through(story, 2) as (gateway, (_, dead)):
        dead.add(hostile.drops())
        assert gateway.latest() == story.gateway.latest()
        assert list(gateway.unavailable) == [name_of(dead)]
        dead.behave()
        gateway.latest()
        assert gateway.unavailable == {}


def test_a_dead_node_below_the_quorum_makes_the_chain_unavailable(story: DrivenChain) -> None:
    with through(story, 2, quorum=2) as (gateway, (_, dead)):
        dead.add(hostile.drops())
        with pytest.raises(ChainUnavailableError, match=name_of(dead)):
            gateway.latest()


def test_a_node_that_was_dead_at_the_start_is_checked_before_it_is_believed(story: DrivenChain) -> None:
    with hostile_node(story.backend()) as honest, hostile_node(story.backend(), hostile.drops()) as late:
        gateway = open_rpc([honest.url, late.url], patience_seconds=0)
        try:
            late.behave()
            late.add(hostile.returns("eth_chainId", "0x1"))
            with pytest.raises(NodeMismatchError, match="expected chain id 31337, found 1"):
                gateway.latest()
            late.behave()
            assert gateway.latest() == story.gateway.latest()
        finally:
            gateway.close()


# --- one node -----------------------------------------------------------------------------------------------


def test_a_single_node_cannot_pass_a_foreign_log_off_as_the_registrys(story: DrivenChain) -> None:
    log = story_log(story)
    lies = {
        "address": {"address": "0x" + "12" * 20},
        "block": {"blockHash": "0x" + "12" * 32},
        "number": {"blockNumber": "0x1"},
        "topic": {"topics": ["0x" + "12" * 32]},
        "topics": {"topics": log["topics"][:2]},  # type: ignore[index]
        "data": {"data": log["data"][:-64]},  # type: ignore[index]
        "more data": {"data": log["data"] + "00" * 32},  # type: ignore[operator]
        "removed": {"removed": True},
        "order": {"logIndex": "0x0"},
    }
    with through(story) as (gateway, (node,)):
        latest = gateway.latest()
        for lie in lies.values():
            node.behave()
            node.add(hostile.invent_event(log | {"logIndex": "0x5"} | lie))
            with pytest.raises(NodeMismatchError):
                gateway.events(latest)


def test_an_event_with_another_time_than_its_block_is_a_mismatch(story: DrivenChain) -> None:
    latest = story.gateway.latest()
    with through(story) as (gateway, _), pytest.raises(NodeMismatchError):
        gateway.events(type(latest)(latest.number, latest.hash, latest.parent_hash, latest.timestamp + 1))


def test_a_block_with_an_invented_hash_or_content_is_a_mismatch(story: DrivenChain) -> None:
    def lies(name: str, value: str):  # type: ignore[no-untyped-def]
        def rule(method, params, rest):  # type: ignore[no-untyped-def]
            answer = rest(method, params)
            return {"result": answer["result"] | {name: value}}

        return hostile.only("eth_getBlockByNumber", rule)

    for name, value in (
        ("hash", "0x" + "12" * 32),
        ("timestamp", "0x1"),
        ("parentHash", "0x" + "12" * 32),
        ("stateRoot", "0x" + "12" * 32),
    ):
        with through(story) as (gateway, (node,)):
            node.add(lies(name, value))
            with pytest.raises(NodeMismatchError):
                gateway.latest()


def test_another_block_than_the_one_asked_for_is_a_mismatch(story: DrivenChain) -> None:
    first = story.backend()("eth_getBlockByNumber", ["0x0", False])["result"]
    with through(story) as (gateway, (node,)):
        latest = gateway.latest()
        node.add(hostile.returns("eth_getBlockByNumber", first), hostile.returns("eth_getBlockByHash", first))
        with pytest.raises(NodeMismatchError):
            gateway.header(1)
        with pytest.raises(NodeMismatchError):
            gateway.header_by_hash(latest.hash)


def test_an_empty_list_for_blocks_that_are_not_there_yet_is_not_believed(story: DrivenChain) -> None:
    with through(story) as (gateway, (node,)):
        latest = gateway.latest()
        node.add(hostile.missing_blocks(latest.number))
        with pytest.raises(UnknownBlockError):
            gateway.events(latest)
        with pytest.raises(UnknownBlockError):
            gateway.events_in_range(0, latest.number)


def test_an_event_that_one_node_hides_shows_in_the_history_head(story: DrivenChain) -> None:
    """One node alone can leave events out; what it cannot do is make the rest fold to the head on chain."""
    with through(story) as (gateway, (node,)):
        node.add(hostile.hide_event(ANCHORED))
        latest = gateway.latest()
        head = EMPTY_HEAD
        for event in gateway.events_in_range(0, latest.number, issuer=story.issuer):
            head = fold(head, event)
        assert head != gateway.head_of(story.issuer, latest.hash)


# --- dialects -----------------------------------------------------------------------------------------------


def test_a_node_without_block_objects_is_read_by_number_between_two_looks_at_the_hash(
    story: DrivenChain,
) -> None:
    with hostile_node(story.backend(), hostile.without_block_objects()) as node:
        gateway = open_rpc([node.url])
        try:
            latest = gateway.latest()
            assert gateway.status_of(story.issuer, root_of(1), 0, latest.hash)[1] is ContractStatus.REVOKED
            assert gateway.bits_of(BitKind.REVOKED, story.issuer, root_of(1), [0, 1], latest.hash) == {
                0: 1,
                1: 0,
            }
            story.replace(1)
            with pytest.raises(UnknownBlockError):
                gateway.head_of(story.issuer, latest.hash)
        finally:
            gateway.close()


def test_a_reorg_between_the_two_looks_is_an_unknown_block(story: DrivenChain) -> None:
    with hostile_node(story.backend(), hostile.without_block_objects()) as node:
        gateway = open_rpc([node.url])
        try:
            latest = gateway.latest()

            def reorg_first(method, params, rest):  # type: ignore[no-untyped-def]
                if gateway.nodes and story.gateway.latest().hash == latest.hash:
                    story.replace(1)
                return rest(method, params)

            node.add(hostile.only("eth_call", reorg_first))
            with pytest.raises(UnknownBlockError):
                gateway.head_of(story.issuer, latest.hash)
        finally:
            gateway.close()


def test_a_node_that_takes_no_batches_is_asked_one_by_one(story: DrivenChain) -> None:
    with through(story) as (gateway, _):
        sent: list[int] = []
        provider = gateway.nodes[0]._provider
        assert isinstance(provider, HttpProvider)
        original = provider.make_batch_request

        def refuse_batches(requests):  # type: ignore[no-untyped-def]
            sent.append(len(requests))
            if len(requests) > 1:
                return [{"error": {"code": -32600, "message": "batches are not allowed"}}] * len(requests)
            return original(requests)

        provider.make_batch_request = refuse_batches  # type: ignore[method-assign]
        assert len(gateway.headers(0, gateway.latest().number)) == gateway.latest().number + 1
        assert max(sent) > 1
        assert set(sent[sent.index(max(sent)) + 1 :]) == {1}


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_ranges_that_a_node_refuses_are_split(story: DrivenChain, limit: int) -> None:
    story.mine(10)
    expected = story.gateway.events_in_range(0, story.gateway.latest().number)
    with through(story) as (gateway, (node,)):
        node.add(hostile.refuses_ranges_over(limit))
        assert gateway.events_in_range(0, gateway.latest().number) == expected


def test_a_range_whose_answer_is_too_large_is_split(story: DrivenChain) -> None:
    expected = story.gateway.events_in_range(0, story.gateway.latest().number)

    def too_large(method, params, rest):  # type: ignore[no-untyped-def]
        if params[0]["fromBlock"] != params[0]["toBlock"]:
            raise hostile.Reply(b"<html>", 413, "text/html")
        return rest(method, params)

    with through(story) as (gateway, (node,)):
        node.add(hostile.only("eth_getLogs", too_large))
        assert gateway.events_in_range(0, gateway.latest().number) == expected


def test_logs_that_a_node_refuses_for_one_block_too_are_unavailable(story: DrivenChain) -> None:
    with through(story) as (gateway, (node,)):
        node.add(hostile.refuses("eth_getLogs", -32005, "limit exceeded"))
        with pytest.raises(ChainUnavailableError):
            gateway.events_in_range(0, gateway.latest().number)
        assert node.count("eth_getLogs") <= 4


def test_a_node_without_proofs_says_so(story: DrivenChain) -> None:
    with pytest.raises(UnsupportedByNodeError):
        story.gateway.proof([0], story.gateway.latest().hash)


# --- faults -------------------------------------------------------------------------------------------------

FAULTS = {
    "closed connection": hostile.drops(),
    "html": hostile.html(),
    "html with status 200": hostile.html(200),
    "empty": hostile.replies(b""),
    "not json": hostile.replies(b"{"),
    "not utf-8": hostile.replies(b'{"jsonrpc":"2.0","id":1,"result":"\xff"}'),
    "number": hostile.replies(b"1"),
    "list": hostile.replies(b"[]"),
    "neither result nor error": hostile.replies(b'{"jsonrpc":"2.0","id":1}'),
    "another id": hostile.replies(b'{"jsonrpc":"2.0","id":99,"result":"0x1"}'),
    "id that is text": hostile.replies(b'{"jsonrpc":"2.0","id":"1","result":"0x1"}'),
    "deep nesting": hostile.replies(b"[" * 100_000),
    "redirect": hostile.replies(b"", 302),
    "busy": hostile.replies(b"", 429),
    "error that is text": hostile.replies(b'{"jsonrpc":"2.0","id":1,"error":"no"}'),
    "error of another form": hostile.replies(
        b'{"jsonrpc":"2.0","id":1,"error":{"code":"x","message":{"a":[]}}}'
    ),
    "result of another type": hostile.replies(b'{"jsonrpc":"2.0","id":1,"result":[1,2]}'),
    "result that is text": hostile.replies(b'{"jsonrpc":"2.0","id":1,"result":"0xzz"}'),
    "block without members": hostile.replies(b'{"jsonrpc":"2.0","id":1,"result":{}}'),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_nonsense_is_an_answer_to_no_call(embedded: DrivenChain, fault: hostile.Rule) -> None:
    latest = embedded.gateway.latest()
    signed = embedded.sign_call(
        ContractCall(CallKind.ADD_KEY, embedded.issuer, account=embedded.issuer, roles=1)
    )
    with through(embedded) as (gateway, (node,)):
        node.add(fault)
        for call in (
            gateway.latest,
            lambda: gateway.header(1),
            lambda: gateway.header_by_hash(latest.hash),
            lambda: gateway.headers(0, 1),
            lambda: gateway.events(latest),
            lambda: gateway.events_in_range(0, 1),
            lambda: gateway.head_of(embedded.issuer, latest.hash),
            lambda: gateway.batch_of(embedded.issuer, root_of(1), latest.hash),
            lambda: gateway.bits_of(BitKind.REVOKED, embedded.issuer, root_of(1), [0], latest.hash),
            lambda: gateway.balance_wei(embedded.issuer),
            lambda: gateway.transaction_count(embedded.issuer),
            lambda: gateway.receipt(signed.hash),
            gateway.fee_quote,
            lambda: gateway.estimate_gas(embedded.issuer, embedded.issuer, b""),
        ):
            with pytest.raises((ChainUnavailableError, NodeMismatchError)):
                call()


def test_a_node_that_says_nothing_runs_into_the_timeout(embedded: DrivenChain) -> None:
    with through(embedded, timeout_seconds=0.3) as (gateway, (node,)):
        node.add(hostile.hangs(30))
        with pytest.raises(ChainUnavailableError, match="in time"):
            gateway.latest()


def test_a_node_that_timed_out_does_not_hold_up_the_readings_after(embedded: DrivenChain) -> None:
    with through(embedded, 2, timeout_seconds=0.3) as (gateway, (_, stuck)):
        stuck.add(hostile.hangs(30))
        gateway.latest()
        asked = len(stuck.asked)
        for _ in range(5):
            assert gateway.header(0).number == 0
        assert len(stuck.asked) == asked
        assert list(gateway.unavailable) == [name_of(stuck)]


def test_a_node_that_timed_out_is_asked_where_the_quorum_needs_it(embedded: DrivenChain) -> None:
    with through(embedded, 2, quorum=2, timeout_seconds=0.3) as (gateway, (_, stuck)):
        stuck.add(hostile.hangs(30))
        for _ in range(2):
            with pytest.raises(ChainUnavailableError, match=name_of(stuck)):
                gateway.header(0)
        stuck.behave()
        assert gateway.header(0).number == 0


def test_a_node_that_refuses_one_method_is_still_asked_for_the_others(story: DrivenChain) -> None:
    with through(story, 2) as (gateway, (_, pruned)):
        pruned.add(hostile.refuses("eth_call", -32000, "missing trie node"))
        gateway.head_of(story.issuer, gateway.latest().hash)
        pruned.add(hostile.returns("eth_getStorageAt", "0x" + "00" * 32))
        with pytest.raises(NodeMismatchError):
            gateway.bits_of(BitKind.REVOKED, story.issuer, root_of(1), [0], gateway.latest().hash)


def test_requests_are_never_repeated_behind_the_callers_back(embedded: DrivenChain) -> None:
    with through(embedded) as (gateway, (node,)):
        node.add(hostile.drops())
        node.asked.clear()
        with pytest.raises(ChainUnavailableError):
            gateway.header(0)
        assert node.count("eth_getBlockByNumber") == 1


# --- sending ------------------------------------------------------------------------------------------------


@pytest.fixture
def signed(embedded: DrivenChain):  # type: ignore[no-untyped-def]
    return embedded.sign_call(
        ContractCall(CallKind.ADD_KEY, embedded.issuer, account=embedded.issuer, roles=1)
    )


@pytest.mark.parametrize(
    "words",
    [
        "already known",
        "AlreadyKnown",
        "ALREADY_EXISTS: already known",
        "Transaction already imported",
        "transaction already imported",
        "known transaction: 0xabc",
        "Known transaction",
        "tx already in mempool",
    ],
)
def test_a_transaction_that_the_node_calls_known_counts_as_sent(embedded, signed, words: str) -> None:  # type: ignore[no-untyped-def]
    with through(embedded) as (gateway, (node,)):
        node.add(hostile.refuses("eth_sendRawTransaction", -32000, words))
        gateway.send_raw(signed.raw)


@pytest.mark.parametrize(
    "words", ["nonce too low", "OldNonce", "replacement transaction underpriced", "txpool is full"]
)
def test_a_refused_transaction_that_the_node_has_counts_as_sent(embedded, signed, words: str) -> None:  # type: ignore[no-untyped-def]
    with through(embedded) as (gateway, (node,)):
        node.add(hostile.takes_and_says("eth_sendRawTransaction", -32000, words))
        gateway.send_raw(signed.raw)
        assert gateway.is_known(signed.hash)


@pytest.mark.parametrize(
    "words",
    ["nonce too low", "replacement transaction underpriced", "unknown transaction type", "unknown account"],
)
def test_a_refused_transaction_that_the_node_does_not_have_is_rejected(embedded, signed, words: str) -> None:  # type: ignore[no-untyped-def]
    with through(embedded) as (gateway, (node,)):
        node.add(hostile.refuses("eth_sendRawTransaction", -32000, words))
        with pytest.raises(TransactionRejectedError):
            gateway.send_raw(signed.raw)


def test_a_lost_answer_leaves_it_unknown_whether_it_arrived(embedded, signed) -> None:  # type: ignore[no-untyped-def]
    with through(embedded) as (gateway, (node,)):
        node.add(hostile.takes_and_drops("eth_sendRawTransaction"))
        with pytest.raises(ChainUnavailableError):
            gateway.send_raw(signed.raw)
        assert gateway.is_known(signed.hash)


def test_another_hash_than_that_of_the_bytes_is_not_success(embedded, signed) -> None:  # type: ignore[no-untyped-def]
    with through(embedded) as (gateway, (node,)):
        node.add(hostile.returns("eth_sendRawTransaction", "0x" + "12" * 32))
        with pytest.raises(ChainUnavailableError):
            gateway.send_raw(signed.raw)


def test_a_transaction_goes_to_every_node_and_one_that_takes_it_is_enough(embedded, signed) -> None:  # type: ignore[no-untyped-def]
    for fault in (hostile.drops(), hostile.refuses("eth_sendRawTransaction", -32000, "txpool is full")):
        with through(embedded, 2, quorum=1) as (gateway, (taker, other)):
            other.add(fault)
            gateway.send_raw(signed.raw)
            assert taker.count("eth_sendRawTransaction") == other.count("eth_sendRawTransaction") == 1


def test_one_refusal_and_one_silence_leave_it_unknown(embedded, signed) -> None:  # type: ignore[no-untyped-def]
    with through(embedded, 2) as (gateway, (refuser, silent)):
        refuser.add(hostile.refuses("eth_sendRawTransaction", -32000, "txpool is full"))
        silent.add(hostile.drops("eth_sendRawTransaction"))
        with pytest.raises(ChainUnavailableError, match=name_of(silent)):
            gateway.send_raw(signed.raw)


def test_fees_are_quoted_by_nodes_without_fee_history(embedded: DrivenChain) -> None:
    with through(embedded) as (gateway, (node,)):
        node.add(hostile.without("eth_feeHistory"), hostile.without("eth_maxPriorityFeePerGas"))
        quote = gateway.fee_quote()
        assert quote.base_fee_wei >= gateway_base_fee(embedded)
        assert quote.priority_fee_wei == 1_000_000_000


def gateway_base_fee(chain: DrivenChain) -> int:
    return chain.gateway.fee_quote().base_fee_wei


def test_the_highest_fees_and_the_lowest_balance_count(embedded: DrivenChain) -> None:
    with through(embedded, 2) as (gateway, (_, other)):
        other.add(
            hostile.returns("eth_getBalance", "0x5"),
            hostile.returns("eth_maxPriorityFeePerGas", hex(10**12)),
            hostile.returns("eth_estimateGas", hex(10**6)),
        )
        assert gateway.balance_wei(embedded.issuer) == 5
        assert gateway.fee_quote().priority_fee_wei == 10**12
        assert gateway.estimate_gas(embedded.issuer, embedded.issuer, b"") == 10**6
