"""What is wrong with each node, for a person who sets a server up: one finding for each, none raised.

The checks are those of `registry.chain.gateway.open_gateway`, node by node, with the kind of the fault
beside the text, and what tells of a stuck node, a wrong clock or an empty account.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from eth_hash.auto import keccak

from registry.chain.abi import load_artifact
from registry.chain.blocks import LATEST, code_at, header_at
from registry.chain.chains import LOCAL_CHAINS
from registry.chain.factory import http_nodes
from registry.chain.gateway import chain_id_of
from registry.chain.node import Node
from registry.chain.rpc import quantity
from registry.encoding import Address, to_checksum, to_hex
from registry.errors import ChainError, ChainUnavailableError
from registry.model.chain import Header

INTERVAL_BLOCKS = 10
"""The time between blocks is the mean over so many."""


class NodeFault(StrEnum):
    """The first of these that applies to a node."""

    UNREACHABLE = "unreachable"
    WRONG_CHAIN_ID = "wrong_chain_id"
    NO_CODE = "no_code"
    OTHER_CODE = "other_code"


@dataclass(frozen=True, slots=True)
class NodeFinding:
    """One node. ``fault`` is None for a good one; the rest as far as it could be read.

    Attributes:
        latest: its newest block.
        block_seconds: mean time between its newest blocks; None on local chains, where they come at will.
        balance_wei: of the account that was asked about.
    """

    node: str
    fault: NodeFault | None
    detail: str
    chain_id: int | None = None
    latest: Header | None = None
    block_seconds: float | None = None
    balance_wei: int | None = None


def examine_nodes(
    urls: Sequence[str],
    *,
    chain_id: int | None = None,
    registry: Address | None = None,
    account: Address | None = None,
) -> tuple[NodeFinding, ...]:
    """Look at every node.

    Args:
        urls: http or https.
        chain_id: that the settings name; None is no check.
        registry: the contract's address; None takes the one that the CREATE2 factory gives it.
        account: whose balance to read.

    Raises:
        ConfigurationError: no URL, or one that is none.
    """
    nodes = http_nodes(urls)
    try:
        return tuple(
            examine_node(node, chain_id=chain_id, registry=registry, account=account) for node in nodes
        )
    finally:
        for node in nodes:
            node.close()


def examine_node(
    node: Node,
    *,
    chain_id: int | None = None,
    registry: Address | None = None,
    account: Address | None = None,
) -> NodeFinding:
    """Look at one node; arguments as of `examine_nodes`."""
    artifact = load_artifact()
    address = registry or artifact.create2_address
    try:
        found_id = chain_id_of(node)
        latest = header_at(node, LATEST)
        code = code_at(node, address)
        seconds = None if found_id in LOCAL_CHAINS else _block_seconds(node, latest)
        balance = None if account is None else _balance(node, account)
    except (ChainError, ChainUnavailableError) as error:
        return NodeFinding(node.name, NodeFault.UNREACHABLE, str(error))
    fault: NodeFault | None = None
    detail = f"serves chain {found_id}, block {latest.number}"
    if chain_id not in (None, found_id):
        fault = NodeFault.WRONG_CHAIN_ID
        detail = f"expected chain id {chain_id}, found {found_id}"
    elif not code:
        fault = NodeFault.NO_CODE
        detail = f"there is no contract at {to_checksum(address)}; deploy the registry first"
    elif keccak(code) != artifact.code_hash:
        fault = NodeFault.OTHER_CODE
        detail = (
            f"the contract at {to_checksum(address)} is not this registry: "
            f"expected code hash {to_hex(artifact.code_hash)}, found {to_hex(keccak(code))}"
        )
    return NodeFinding(node.name, fault, detail, found_id, latest, seconds, balance)


def _block_seconds(node: Node, latest: Header) -> float | None:
    first = max(latest.number - INTERVAL_BLOCKS, 0)
    if first == latest.number:
        return None
    return (latest.timestamp - header_at(node, first).timestamp) / (latest.number - first)


def _balance(node: Node, account: Address) -> int:
    found = node.ask("eth_getBalance", to_hex(account), LATEST)
    return node.reading("eth_getBalance", lambda: quantity(found, "balance"))
