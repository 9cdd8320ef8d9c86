"""What the embedded chain refuses, and how: JSON-RPC errors with the codes and words that nodes use.

Codes: JSON-RPC 2.0, section 5.1 (-32700 to -32600); EIP-1474 (-32000 server error, -32001 resource not
found); 3 for a reverted execution, as geth does. Storage failures are no JSON-RPC errors: they are raised as
`EmbeddedStorageError`, since nothing was decided about the request.
"""

from __future__ import annotations

from typing import Final

from registry.errors import ChainError, ChainUnavailableError, ConfigurationError

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
SERVER_ERROR: Final = -32000
RESOURCE_NOT_FOUND: Final = -32001
EXECUTION_REVERTED: Final = 3


class RpcError(ChainError):
    """A JSON-RPC error object. ``message`` follows geth's words; ``data`` is 0x-hex or None."""

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    def as_object(self) -> dict[str, object]:
        """The ``error`` member of a JSON-RPC response."""
        fields: dict[str, object] = {"code": self.code, "message": self.message}
        if self.data is not None:
            fields["data"] = self.data
        return fields


class EmbeddedStorageError(ChainUnavailableError):
    """The chain's database is full, locked or unreadable. Nothing was acknowledged; the same request may
    succeed later."""


class DataDirectoryLockedError(ConfigurationError):
    """Another process, or another chain in this one, has the data directory open."""


class EmbeddedChainMismatchError(ConfigurationError):
    """The data directory holds another chain than the one asked for, or a part of it is missing."""


def invalid_params(message: str) -> RpcError:
    """The parameters have the wrong number, type or form."""
    return RpcError(INVALID_PARAMS, f"invalid params: {message}")


def method_not_found(method: str) -> RpcError:
    """The method is unknown here. Only the name is repeated, shortened."""
    return RpcError(METHOD_NOT_FOUND, f"the method {method[:64]} does not exist or is not available")


def unknown_block() -> RpcError:
    """The block was never here, or a reorganisation took it off the chain (EIP-1898)."""
    return RpcError(RESOURCE_NOT_FOUND, "unknown block")


def rejected(message: str) -> RpcError:
    """A transaction or a call that cannot be taken."""
    return RpcError(SERVER_ERROR, message)
