"""JSON-RPC 2.0 over parsed JSON: requests in, response objects out. Knows no HTTP.

For serving the embedded chain on the loopback interface: the methods are those of the chain (reads, and
eth_sendRawTransaction), nothing that signs or administers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from registry.chain.embedded.errors import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    PARSE_ERROR,
    EmbeddedStorageError,
    RpcError,
    invalid_params,
    method_not_found,
)
from registry.chain.embedded.methods import METHODS

_log = logging.getLogger(__name__)

MAX_BATCH: Final = 100
rpc_methods_allowed: Final = frozenset(METHODS)
"""The methods that may be served to other processes."""

Response = dict[str, Any]


class RequestTarget(Protocol):
    """What answers: an `EmbeddedChain`."""

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        """Answer one call, or raise `RpcError` or `EmbeddedStorageError`."""


def handle_jsonrpc(chain: RequestTarget, body: Any) -> Response | list[Response] | None:
    """Answer a request or a batch.

    Args:
        chain: what answers.
        body: the parsed JSON body, of any type.

    Returns:
        a response object, a list of them for a batch, or None when nothing may be answered (notifications
        only). Malformed requests give error objects; nothing is raised.
    """
    if not isinstance(body, list):
        return _answer(chain, body)
    if not body:
        return error_response(None, RpcError(INVALID_REQUEST, "empty batch"))
    if len(body) > MAX_BATCH:
        return error_response(
            None, RpcError(INVALID_REQUEST, f"batch too large: at most {MAX_BATCH} requests")
        )
    return [answer for entry in body if (answer := _answer(chain, entry)) is not None] or None


def parse_error_response() -> Response:
    """The answer to a body that is not JSON."""
    return error_response(None, RpcError(PARSE_ERROR, "parse error"))


def error_response(request_id: Any, error: RpcError) -> Response:
    """A response object that carries an error."""
    return {"jsonrpc": "2.0", "id": request_id, "error": error.as_object()}


def _answer(chain: RequestTarget, body: Any) -> Response | None:
    request_id = body.get("id") if isinstance(body, Mapping) else None
    if isinstance(request_id, bool) or not isinstance(request_id, str | int | float | None):
        request_id = None
    try:
        method, params = _parse(body)
        result = _guarded(lambda: chain.request(method, params))
    except RpcError as error:
        well_formed = error.code != INVALID_REQUEST
        if well_formed and "id" not in body:
            return None
        return error_response(request_id, error)
    if "id" not in body:
        return None
    return {"jsonrpc": "2.0", "id": request_id, "result": result}


def _parse(body: Any) -> tuple[str, Sequence[Any]]:
    if not isinstance(body, Mapping):
        raise RpcError(INVALID_REQUEST, "invalid request: an object is expected")
    method = body.get("method")
    if body.get("jsonrpc") != "2.0" or not isinstance(method, str):
        raise RpcError(INVALID_REQUEST, "invalid request: jsonrpc must be 2.0 and method a string")
    found = body.get("id")
    if isinstance(found, bool) or not isinstance(found, str | int | float | None):
        raise RpcError(INVALID_REQUEST, "invalid request: id must be a string, a number or null")
    if method not in rpc_methods_allowed:
        raise method_not_found(method)
    params = body.get("params", [])
    if params is None:
        params = []
    if not isinstance(params, list):
        raise invalid_params("an array is expected")
    return method, params


def _guarded(action: Callable[[], Any]) -> Any:
    """Run; whatever is not a JSON-RPC error becomes the internal error, told to the log and not to the
    caller."""
    try:
        return action()
    except RpcError:
        raise
    except EmbeddedStorageError as error:
        _log.error("embedded chain: %s", error)
        raise RpcError(INTERNAL_ERROR, "storage is unavailable; nothing was accepted") from error
    except Exception as error:
        _log.exception("embedded chain: unexpected error")
        raise RpcError(INTERNAL_ERROR, "internal error") from error
