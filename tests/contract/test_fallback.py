"""The root alone as call data: how Blockcerts verifiers find a root in a transaction's input."""

from __future__ import annotations

import pytest
from eth_tester.exceptions import TransactionFailed

from registry.chain.abi import function_selectors, is_selector
from tests.contract.support import Bench, Person

ROOT = b"\x33" * 32


def test_thirty_two_bytes_anchor_and_the_input_is_the_root(bench: Bench, issuer: Person, key: Person) -> None:
    receipt = bench.send_data(ROOT, key)
    transaction = bench.w3.eth.get_transaction(receipt["transactionHash"])
    assert bytes(transaction["input"]) == ROOT
    event = bench.decode(receipt["logs"][0])
    assert (event["event"], event["args"]["root"], event["args"]["key"]) == (
        "BatchAnchored",
        ROOT,
        key.address,
    )
    assert bench.functions.batchOf(issuer.address, ROOT).call() == (key.address, bench.time, 0, 0)


def test_strangers_cannot_use_it(bench: Bench, stranger: Person) -> None:
    error = bench.refusal_of_data(ROOT, stranger)
    assert error is not None
    assert error.name == "NotKeyOf"


def test_ether_is_refused_with_it_and_without(bench: Bench, key: Person) -> None:
    for data in (ROOT, b""):
        with pytest.raises((TransactionFailed, AssertionError)):
            bench.send_data(data, key, value=1)
    assert bench.w3.eth.get_balance(bench.contract.address) == 0


@pytest.mark.parametrize("name", sorted(function_selectors()))
def test_a_root_that_starts_with_a_selector_reverts_instead_of_doing_something(
    name: str, bench: Bench, key: Person
) -> None:
    root = function_selectors()[name] + b"\x00" * 28
    assert is_selector(root[:4])
    assert bench.refusal_of_data(root, key) is None
