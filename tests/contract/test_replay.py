"""The domain's replay of events, and its storage layout, against the contract itself."""

from __future__ import annotations

from typing import Any

from eth_utils import to_canonical_address

from registry.chain.decode import decode_log
from registry.encoding import Root
from registry.model.chain import BitKind, RegistryEvent
from registry.verdict import history, storage_layout
from tests.contract.story import ROOTS, tell_a_story
from tests.contract.support import Bench, Person


def _events(bench: Bench) -> list[RegistryEvent]:
    """All events, read the way that the gateway reads a node's answer."""
    logs = bench.w3.eth.get_logs({"fromBlock": 0, "toBlock": "latest", "address": bench.contract.address})
    return [decode_log(_json(log), bench.domain.registry) for log in logs]


def _json(log: Any) -> dict[str, Any]:
    """A log as JSON-RPC writes it."""
    return {
        "address": log["address"],
        "topics": ["0x" + bytes(topic).hex() for topic in log["topics"]],
        "data": "0x" + bytes(log["data"]).hex(),
        "blockNumber": hex(log["blockNumber"]),
        "blockHash": "0x" + bytes(log["blockHash"]).hex(),
        "transactionHash": "0x" + bytes(log["transactionHash"]).hex(),
        "logIndex": hex(log["logIndex"]),
        "removed": False,
    }


def test_the_domains_replay_gives_the_contracts_head_and_state(
    bench: Bench, issuer: Person, key: Person, stranger: Person
) -> None:
    tell_a_story(bench, issuer, key, stranger)
    events = _events(bench)
    for person in (issuer, stranger):
        replayed = history.replay(event for event in events if event.issuer == person.raw)
        assert replayed.problems == ()
        assert replayed.head == bench.functions.headOf(person.address).call()
        _assert_state(bench, replayed.state)
        assert replayed.state.admin(person.raw) == _raw(bench.functions.adminOf(person.address).call())
        pending = replayed.state.pending_admin(person.raw) or bytes(20)
        assert pending == _raw(bench.functions.pendingAdminOf(person.address).call())


def _assert_state(bench: Bench, state: history.RegistryState) -> None:
    keys = state.keys()
    assert keys
    assert state.batches()
    for key in keys:
        issuer, *rest = bench.functions.keyOf(key.key).call()
        assert [_raw(issuer), *rest] == [key.issuer, key.valid_until, key.retired_at, key.roles]
    for batch in state.batches():
        account, *rest = bench.functions.batchOf(batch.issuer, batch.root).call()
        withdrawal = (batch.withdrawal.at, batch.withdrawal.reason) if batch.withdrawal else (0, 0)
        assert [_raw(account), *rest] == [batch.key, batch.anchored_at, *withdrawal]
        for kind, number in storage_layout.KIND_NUMBERS.items():
            for word, mask in state.words(kind, batch.issuer, batch.root).items():
                assert bench.functions.bitsOf(number, batch.issuer, batch.root, word).call() == mask


def test_the_domains_storage_layout_is_the_contracts(
    bench: Bench, issuer: Person, key: Person, stranger: Person
) -> None:
    tell_a_story(bench, issuer, key, stranger)
    f, root = bench.functions, Root(ROOTS[0])
    at = bench.storage_at
    for person in (key, stranger):
        stored = storage_layout.unpack_key(at(storage_layout.slot_of_key(person.raw)))
        owner, *rest = f.keyOf(person.address).call()
        assert [stored.issuer, stored.valid_until, stored.retired_at, stored.roles] == [_raw(owner), *rest]
    batch = storage_layout.unpack_batch(at(storage_layout.slot_of_batch(issuer.raw, root)))
    account, *rest = f.batchOf(issuer.address, root).call()
    assert [batch.key, batch.anchored_at, batch.withdrawn_at, batch.reason] == [_raw(account), *rest]
    assert at(storage_layout.slot_of_head(issuer.raw)).to_bytes(32) == f.headOf(issuer.address).call()
    assert at(storage_layout.slot_of_admin(issuer.raw)).to_bytes(20) == _raw(f.adminOf(issuer.address).call())
    for kind in BitKind:
        number = storage_layout.KIND_NUMBERS[kind]
        expected = f.bitsOf(number, issuer.address, root, 0).call()
        assert expected != 0
        assert at(storage_layout.slot_of_bits(kind, issuer.raw, root, 0)) == expected


def _raw(address: str) -> bytes:
    return to_canonical_address(address)
