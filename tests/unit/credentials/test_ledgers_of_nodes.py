"""Anchors of other systems from the nodes that a verifier gave."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from registry.credentials.registries import LedgersOfNodes
from registry.encoding import Address
from registry.errors import UnavailableSourceError

NOBODY = Address(bytes(20))


class Node:
    """A chain whose ledger answers one thing."""

    def __init__(self, chain_id: int, answer: Any) -> None:
        self.info = SimpleNamespace(chain_id=chain_id)
        self._answer = answer

    def ledgers(self, *, confirmations: int) -> Node:
        assert confirmations == 12
        return self

    def transaction(self, chain_id: int, transaction: bytes) -> Any:
        assert (chain_id, len(transaction)) == (self.info.chain_id, 32)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    def call(self, chain_id: int, to: bytes, data: bytes) -> Any:
        assert chain_id == self.info.chain_id
        return self._answer


def ledgers(*nodes: Node) -> LedgersOfNodes:
    return LedgersOfNodes(nodes, 12)  # type: ignore[arg-type]


def test_chain_without_a_node_is_open_and_names_the_option() -> None:
    with pytest.raises(UnavailableSourceError, match=r"eip155:5 with --rpc"):
        ledgers(Node(1, "a")).transaction(5, bytes(32))
    with pytest.raises(UnavailableSourceError):
        ledgers().call(1, NOBODY, b"")


def test_nodes_that_disagree_leave_it_open() -> None:
    with pytest.raises(UnavailableSourceError, match="disagree"):
        ledgers(Node(1, "a"), Node(1, None)).transaction(1, bytes(32))
    with pytest.raises(UnavailableSourceError, match="disagree"):
        ledgers(Node(1, b"a"), Node(1, b"b")).call(1, NOBODY, b"")


def test_node_that_cannot_be_read_leaves_it_open() -> None:
    with pytest.raises(UnavailableSourceError, match="down"):
        ledgers(Node(1, "a"), Node(1, UnavailableSourceError("down"))).transaction(1, bytes(32))


def test_nodes_of_other_chains_have_no_say() -> None:
    both = ledgers(Node(1, "a"), Node(5, "b"), Node(1, "a"))
    assert (both.transaction(1, bytes(32)), both.transaction(5, bytes(32))) == ("a", "b")
