"""web3's way to the embedded chain, so that one gateway works over it and over any node.

Requests are turned into JSON and back, as on the way to a node: what web3 passes here is what a node would
get.
"""

from __future__ import annotations

import json
from typing import Any, cast

from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from registry.chain.embedded.chain import EmbeddedChain
from registry.chain.embedded.errors import EmbeddedStorageError, RpcError


class EmbeddedProvider(JSONBaseProvider):
    """A synchronous provider. Thread-safe, as the chain is. Signs nothing: the chain has no accounts of its
    own.

    JSON-RPC errors come as error responses, which web3 turns into its exceptions; `EmbeddedStorageError` is
    raised as it is, like a connection error of an HTTP provider.
    """

    global_ccip_read_enabled = False

    def __init__(self, chain: EmbeddedChain) -> None:
        super().__init__()
        self._chain = chain

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Answer one request with a JSON-RPC response object."""
        sent = json.loads(self.encode_rpc_request(method, params))
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": sent["id"]}
        try:
            answer["result"] = self._chain.request(sent["method"], sent["params"])
        except RpcError as error:
            answer["error"] = error.as_object()
        return cast(RPCResponse, answer)

    def make_batch_request(self, requests: list[tuple[RPCEndpoint, Any]]) -> list[RPCResponse]:
        """Answer several requests, in order."""
        return [self.make_request(method, params) for method, params in requests]

    def is_connected(self, show_traceback: bool = False) -> bool:
        """Whether the chain is open and its database answers."""
        try:
            return super().is_connected(show_traceback)
        except EmbeddedStorageError:
            if show_traceback:
                raise
            return False
