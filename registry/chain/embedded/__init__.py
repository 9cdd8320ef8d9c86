"""The embedded chain: an EVM in this process with its state on disk, spoken to in Ethereum JSON-RPC.

`EmbeddedChain` is the chain, `EmbeddedProvider` web3's way to it, `handle_jsonrpc` what serves it to other
processes.
"""

from registry.chain.embedded.chain import EMBEDDED_CHAIN_ID, EmbeddedChain
from registry.chain.embedded.errors import (
    DataDirectoryLockedError,
    EmbeddedChainMismatchError,
    EmbeddedStorageError,
    RpcError,
)
from registry.chain.embedded.jsonrpc import handle_jsonrpc, parse_error_response, rpc_methods_allowed
from registry.chain.embedded.provider import EmbeddedProvider

__all__ = [
    "EMBEDDED_CHAIN_ID",
    "DataDirectoryLockedError",
    "EmbeddedChain",
    "EmbeddedChainMismatchError",
    "EmbeddedProvider",
    "EmbeddedStorageError",
    "RpcError",
    "handle_jsonrpc",
    "parse_error_response",
    "rpc_methods_allowed",
]
