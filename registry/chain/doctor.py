"""What is wrong with each node, for a person who sets a server up: one finding for each, none raised.

The checks are those of `registry.chain.gateway.open_gateway`, node by node, with the kind of the fault
beside the text, and the age of the newest block, which tells a stuck node or a wrong clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from eth_hash.auto import keccak

from registry.chain.abi import load_artifact
from registry.chain.blocks import LATEST, code_at, header_at
from registry.chain.factory import http_nodes
from registry.chain.gateway import chain_id_of
from registry.chain.node import Node
from registry.encoding import Address, to_checksum, to_hex
from registry.errors import ChainError, ChainUnavailableError
from registry.model.chain import Header


class NodeFault(StrEnum):
    """The first of these that applies to a node."""

    UNREACHABLE = "unreachable"
    WRONG_CHAIN_ID = "wrong_chain_id"
    NO_CODE = "no_code"
    OTHER_CODE = "other_code"


@dataclass(frozen=True, slots=True)
class NodeFinding:
    """One node. ``fault`` is None for a good one; ``latest`` its newest block, where it could be read."""

    node: str
    fault: NodeFault | None
    detail: str
    chain_id: int | None = None
    latest: Header | None = None


def examine_nodes(
    urls: Sequence[str], *, chain_id: int | None = None, registry: Address | None = None
) -> tuple[NodeFinding, ...]:
    """Look at every node.

    Args:
        urls: http or https.
        chain_id: that the settings name; None is no check.
        registry: the contract's address; None takes the one that the CREATE2 factory gives it.

    Raises:
        ConfigurationError: no URL, or one that is none.
    """
    nodes = http_nodes(urls)
    try:
        return tuple(examine_node(node, chain_id=chain_id, registry=registry) for node in nodes)
    finally:
        for node in nodes:
            node.close()


def examine_node(node: Node, *, chain_id: int | None = None, registry: Address | None = None) -> NodeFinding:
    """Look at one node; arguments as of `examine_nodes`."""
    artifact = load_artifact()
    address = registry or artifact.create2_address
    try:
        found_id = chain_id_of(node)
        latest = header_at(node, LATEST)
        code = code_at(node, address)
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
    return NodeFinding(node.name, fault, detail, found_id, latest)
