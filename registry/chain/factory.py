"""How a process gets its chain: an embedded one, or one behind JSON-RPC. What they return implements
registry.ports.chain.Chain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from registry.chain.deploy import DeployedRegistry, deploy_registry
from registry.chain.embedded import EMBEDDED_CHAIN_ID, EmbeddedChain, EmbeddedProvider, handle_jsonrpc
from registry.chain.gateway import Deployment, Web3Gateway, open_gateway
from registry.chain.keystore import LocalSigner
from registry.chain.node import Node
from registry.chain.nodes import PATIENCE_SECONDS
from registry.chain.provider import TIMEOUT_SECONDS, HttpProvider
from registry.encoding import Address
from registry.errors import ConfigurationError
from registry.ports.signer import Signer

__all__ = [
    "EmbeddedGateway",
    "deploy_by_rpc",
    "http_nodes",
    "open_embedded",
    "open_rpc",
]


class EmbeddedGateway(Web3Gateway):
    """The port over an embedded chain that it owns, with what only such a chain has: a funder, and JSON-RPC
    to serve."""

    def __init__(self, chain: EmbeddedChain, gateway: Web3Gateway) -> None:
        super().__init__(gateway._nodes, gateway.info)  # noqa: SLF001 - its own base class
        self._chain = chain
        self._funder = LocalSigner(bytes(chain.faucet.key))

    @property
    def chain(self) -> EmbeddedChain:
        """The chain itself."""
        return self._chain

    @property
    def funder(self) -> Signer:
        """The account with the chain's ether; its key belongs to this data directory."""
        return self._funder

    def jsonrpc(self, body: Any) -> Any:
        """Answer a parsed JSON-RPC body (EIP-1474); None when nothing may be answered. Never raises."""
        return handle_jsonrpc(self._chain, body)

    def close(self) -> None:
        """Release the chain's files and its lock."""
        super().close()
        self._chain.close()


def open_embedded(directory: Path, *, chain_id: int = EMBEDDED_CHAIN_ID) -> EmbeddedGateway:
    """Open the embedded chain in ``directory``, or begin one there, with the registry on it.

    Raises:
        ConfigurationError: the directory is in use, or holds another chain.
        ChainUnavailableError: the chain's database cannot be read or written.
    """
    chain = EmbeddedChain(directory, chain_id=chain_id)
    try:
        node = Node(EmbeddedProvider(chain), "embedded")
        deployed = deploy_registry(node, LocalSigner(bytes(chain.faucet.key)))
        deployment = Deployment(chain_id=chain_id, registry=deployed.address, has_finalized_tag=False)
        return EmbeddedGateway(chain, open_gateway([node], deployment))
    except BaseException:
        chain.close()
        raise


def open_rpc(
    urls: Sequence[str],
    *,
    chain_id: int | None = None,
    registry: Address | None = None,
    deployed_block: int | None = None,
    has_finalized_tag: bool | None = None,
    quorum: int = 1,
    timeout_seconds: float = TIMEOUT_SECONDS,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Web3Gateway:
    """Open a registry behind one or several nodes; see `Deployment` and `open_gateway` for the arguments.

    Raises:
        ConfigurationError: no URL, one that is none, or a node serves another chain or registry.
        ChainUnavailableError: too few nodes answer.
    """
    nodes = http_nodes(urls, timeout_seconds=timeout_seconds)
    deployment = Deployment(chain_id, registry, deployed_block, has_finalized_tag)
    try:
        return open_gateway(nodes, deployment, quorum=quorum, patience_seconds=patience_seconds)
    except BaseException:
        for node in nodes:
            node.close()
        raise


def deploy_by_rpc(
    urls: Sequence[str], signer: Signer, *, expected_chain_id: int | None = None
) -> DeployedRegistry:
    """Deploy the registry through the first of the nodes; arguments and errors as of `deploy_registry`."""
    nodes = http_nodes(urls[:1])
    try:
        return deploy_registry(nodes[0], signer, expected_chain_id=expected_chain_id)
    finally:
        nodes[0].close()


def http_nodes(urls: Sequence[str], *, timeout_seconds: float = TIMEOUT_SECONDS) -> list[Node]:
    """Nodes behind HTTP, unchecked; those on one host and port get a number after it.

    Raises:
        ConfigurationError: no URL, or one that is none.
    """
    if not urls:
        raise ConfigurationError("RPC_URL names no node")
    providers = [HttpProvider(url, timeout_seconds=timeout_seconds) for url in urls]
    times = Counter(provider.name for provider in providers)
    seen: Counter[str] = Counter()
    nodes = []
    for provider in providers:
        seen[provider.name] += 1
        number = f"#{seen[provider.name]}" if times[provider.name] > 1 else ""
        nodes.append(Node(provider, provider.name + number))
    return nodes
