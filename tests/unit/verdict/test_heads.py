"""History heads against the ABI library and the committed artifact."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_abi.abi import encode
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from registry.chain.abi import event_topics
from registry.encoding import Address, BlockHash, Root, TxHash
from registry.model.chain import Change, EventKind, RegistryEvent
from registry.verdict.heads import entry_digest, fold, topic0

WORD = st.binary(min_size=32, max_size=32)
ADDRESS = st.binary(min_size=20, max_size=20)
UINT40 = st.integers(0, 2**40 - 1)
UINT16 = st.integers(0, 2**16 - 1)
CHANGES = st.lists(st.builds(Change, st.integers(0, 2**64 - 1), st.integers(0, 2**256 - 1)), max_size=4).map(
    tuple
)

EVENTS = st.builds(
    RegistryEvent,
    kind=st.sampled_from(EventKind),
    issuer=ADDRESS.map(Address),
    at=UINT40,
    head=WORD,
    block_number=st.just(1),
    block_hash=WORD.map(BlockHash),
    transaction=WORD.map(TxHash),
    log_index=st.just(0),
    root=WORD.map(Root),
    account=ADDRESS.map(Address),
    reason=UINT16,
    roles=UINT16,
    valid_until=UINT40,
    uri=st.text(max_size=80).filter(lambda text: text.isprintable()),
    changes=CHANGES,
)


def by_library(event: RegistryEvent) -> bytes:
    """The same, by eth-abi and the declarations in the contract's interface."""
    issuer, root, account = event.issuer, event.root, event.account
    changes = [(change.word, change.mask) for change in event.changes]
    bits = (
        ["address", "bytes32", "address", "(uint64,uint256)[]", "uint16", "uint40"],
        [issuer, root, account, changes, event.reason, event.at],
    )
    batch = (
        ["address", "bytes32", "address", "uint16", "uint40"],
        [issuer, root, account, event.reason, event.at],
    )
    admin = (["address", "address", "uint40"], [issuer, account, event.at])
    types, values = {
        EventKind.KEY_ADDED: (
            ["address", "address", "uint16", "uint40"],
            [issuer, account, event.roles, event.at],
        ),
        EventKind.KEY_RETIRED: (
            ["address", "address", "uint40", "uint16", "uint40"],
            [issuer, account, event.valid_until, event.reason, event.at],
        ),
        EventKind.PROFILE_SET: (["address", "string", "uint40"], [issuer, event.uri, event.at]),
        EventKind.ADMIN_PROPOSED: admin,
        EventKind.ADMIN_CHANGED: admin,
        EventKind.BATCH_ANCHORED: (
            ["address", "bytes32", "address", "uint40"],
            [issuer, root, account, event.at],
        ),
        EventKind.BATCH_WITHDRAWN: batch,
        EventKind.WITHDRAWAL_ANNULLED: batch,
    }.get(event.kind, bits)
    topic = event_topics()[event.kind.value]
    return keccak(encode(["bytes32", *types], [topic, *values]))


@given(EVENTS)
def test_entry_digest_equals_the_abi_librarys(event: RegistryEvent) -> None:
    assert entry_digest(event) == by_library(event)


@given(EVENTS, WORD)
def test_head_folds_the_entry_digest_into_the_head_before(event: RegistryEvent, head: bytes) -> None:
    assert fold(head, event) == keccak(encode(["bytes32", "bytes32"], [head, by_library(event)]))


def test_topics_are_those_of_the_committed_artifact() -> None:
    assert {kind.value: topic0(kind) for kind in EventKind} == event_topics()


def event(kind: EventKind, **fields: object) -> RegistryEvent:
    sample = RegistryEvent(kind, Address(bytes(20)), 1, b"", 1, BlockHash(bytes(32)), TxHash(bytes(32)), 0)
    return replace(sample, **fields)


def test_event_without_a_parameter_of_its_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks a parameter"):
        entry_digest(event(EventKind.BATCH_ANCHORED, account=Address(bytes(20))))


def test_number_that_does_not_fit_a_word_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        entry_digest(event(EventKind.PROFILE_SET, at=2**256))
