"""`Web3Gateway`: the registry on an EVM chain, through one or several nodes. Implements
registry.ports.chain.Chain.

Opening it checks what settings claim against what nodes serve: chain id, genesis, and the exact code at the
registry's address. A difference is `ConfigurationError`, naming what was expected and what was found.
CCIP-Read (EIP-3668) is off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_hash.auto import keccak

from registry.chain.abi import load_artifact
from registry.chain.blocks import (
    FINALIZED,
    LATEST,
    code_at,
    hashes_to,
    header_at,
    parse_header,
    takes_block_hashes,
)
from registry.chain.calls import RegistryCallEncoder
from registry.chain.chains import LOCAL_CHAINS, is_test_chain
from registry.chain.ledgers import ChainLedgers
from registry.chain.node import Node
from registry.chain.nodes import PATIENCE_SECONDS, NodeSet
from registry.chain.reading import RegistryReader
from registry.chain.rpc import mapping, quantity
from registry.chain.sending import TransactionSender
from registry.encoding import Address, BlockHash, to_checksum, to_hex
from registry.errors import (
    ChainError,
    ChainUnavailableError,
    ConfigurationError,
)
from registry.model.chain import RegistryInfo


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the settings say of the registry.

    Attributes:
        chain_id: EIP-155; None takes what the nodes say.
        registry: None takes the address that the CREATE2 factory gives the contract on every chain.
        deployed_block: None looks for it, which needs a node with old state; 0 reads events from the
            beginning.
        has_finalized_tag: whether the chain's `finalized` tag means something; None: on all but local
            chains, if the first node that answers knows the tag.
    """

    chain_id: int | None = None
    registry: Address | None = None
    deployed_block: int | None = None
    has_finalized_tag: bool | None = None


class Web3Gateway(RegistryReader, TransactionSender):
    """The port over nodes that were checked. Made by `open_gateway`. Thread-safe."""

    def __init__(self, nodes: NodeSet, info: RegistryInfo) -> None:
        RegistryReader.__init__(self, nodes, info)
        TransactionSender.__init__(self, nodes, info)
        self._encoder = RegistryCallEncoder(info.chain_id, info.address)

    @property
    def encoder(self) -> RegistryCallEncoder:
        """The contract's calling conventions."""
        return self._encoder

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes behind it, in the configured order."""
        return self._nodes.nodes

    def ledgers(self, *, confirmations: int) -> ChainLedgers:
        """Any transaction and contract of the same chain, through the same nodes; valid until `close`."""
        return ChainLedgers(self._nodes, self.info, confirmations=confirmations)

    def close(self) -> None:
        """Release connections."""
        self._nodes.close()


def open_gateway(
    nodes: Sequence[Node],
    deployment: Deployment,
    *,
    quorum: int = 1,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Web3Gateway:
    """Check the nodes and put the gateway over them.

    Nodes that cannot be reached now are checked when they first answer; at least the quorum must answer now.

    Raises:
        ConfigurationError: another chain, another genesis, no code or other code at the registry's address.
        ChainUnavailableError: too few nodes answer.
    """
    check = _Check(deployment)
    silent: list[ChainUnavailableError] = []
    for node in nodes:
        try:
            check(node)
        except ChainUnavailableError as error:
            silent.append(error)
    if len(nodes) - len(silent) < quorum:
        raise silent[0]
    answering = next(node for node in nodes if node.vetted)
    node_set = NodeSet(nodes, quorum=quorum, vet=check, patience_seconds=patience_seconds)
    return Web3Gateway(node_set, check.info(answering))


class _Check:
    """Holds a node against the settings, and against the first node that passed."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._artifact = load_artifact()
        self.registry = deployment.registry or self._artifact.create2_address
        self._chain_id = deployment.chain_id
        self._genesis: BlockHash | None = None

    def __call__(self, node: Node) -> None:
        """Raises ConfigurationError, ChainUnavailableError."""
        chain_id = chain_id_of(node)
        if self._chain_id is not None and chain_id != self._chain_id:
            raise ConfigurationError(
                f"node {node.name} is on another chain: expected chain id {self._chain_id}, found {chain_id}"
            )
        try:
            genesis = header_at(node, 0).hash
            code = code_at(node, self.registry)
            if self._genesis is not None and genesis != self._genesis:
                raise ConfigurationError(
                    f"node {node.name} is on another chain of the same id: expected the first block "
                    f"{to_hex(self._genesis)}, found {to_hex(genesis)}"
                )
            self._check_code(node, code)
            node.reads_by_hash = takes_block_hashes(node, self.registry)
            node.block_fields = _hashable_fields(node)
        except ChainError as error:
            raise ChainUnavailableError(f"node {node.name} does not serve the chain: {error}") from error
        self._chain_id = chain_id
        self._genesis = genesis
        node.vetted = True

    def _check_code(self, node: Node, code: bytes) -> None:
        where = f"at {to_checksum(self.registry)} on chain {self._chain_id or chain_id_of(node)}"
        if not code:
            raise ConfigurationError(
                f"there is no contract {where}, says node {node.name}; deploy the registry first"
            )
        found, expected = keccak(code), self._artifact.code_hash
        if found != expected:
            raise ConfigurationError(
                f"the contract {where} is not this registry, says node {node.name}: "
                f"expected code hash {to_hex(expected)}, found {to_hex(found)}"
            )

    def info(self, node: Node) -> RegistryInfo:
        """What is known of the deployment, once ``node`` has passed."""
        assert self._chain_id is not None
        assert self._genesis is not None
        deployed = self._deployment.deployed_block
        test_chain = is_test_chain(self._chain_id)
        return RegistryInfo(
            chain_id=self._chain_id,
            address=self.registry,
            code_hash=self._artifact.code_hash,
            deployed_block=find_deployed_block(node, self.registry) if deployed is None else deployed,
            test_chain=test_chain,
            genesis_hash=self._genesis,
            has_finalized_tag=self._is_tagged(node),
        )

    def _is_tagged(self, node: Node) -> bool:
        if self._deployment.has_finalized_tag is not None:
            return self._deployment.has_finalized_tag
        return self._chain_id not in LOCAL_CHAINS and _knows_finalized(node)


def chain_id_of(node: Node) -> int:
    """The chain id that the node says it serves."""
    found = node.ask("eth_chainId")
    return node.reading("eth_chainId", lambda: quantity(found, "chain id"))


def find_deployed_block(node: Node, registry: Address) -> int:
    """The first block after which the registry is there, by halving; 0 where the node does not keep old
    state."""
    low, high = 0, header_at(node, LATEST).number
    while low < high:
        middle = (low + high) // 2
        try:
            there = bool(code_at(node, registry, middle))
        except (ChainError, ChainUnavailableError):
            return 0
        low, high = (low, middle) if there else (middle + 1, high)
    return low


def _hashable_fields(node: Node) -> frozenset[str] | None:
    """The names of a block's members, if its hash can be recomputed from them, in the newest block."""
    block = node.ask("eth_getBlockByNumber", LATEST, False)
    fields = node.reading("a block", lambda: mapping(block, "block"))
    header = node.reading("a block", lambda: parse_header(node, fields))
    return frozenset(fields) if hashes_to(fields, header) else None


def _knows_finalized(node: Node) -> bool:
    try:
        header_at(node, FINALIZED)
    except (ChainError, ChainUnavailableError):
        return False
    return True
