"""One node: asking it, and turning what goes wrong into the errors that the port promises.

A node's error texts differ (geth, nethermind, anvil, …), so they are used only to tell kinds of refusal
apart, never to decide what happened to a transaction. What cannot be told is `ChainUnavailableError`: the
answer is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeVar

from web3 import Web3
from web3.exceptions import Web3Exception
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from registry.chain.abi import decode_custom_error
from registry.chain.rpc import (
    EXECUTION_REVERTED,
    METHOD_NOT_FOUND,
    RESOURCE_NOT_FOUND,
    BadAnswer,
    Refusal,
    refusal_of,
)
from registry.errors import (
    ChainError,
    ChainUnavailableError,
    ContractRevertedError,
    RootmarkError,
    UnknownBlockError,
    UnsupportedByNodeError,
)

T = TypeVar("T")
Call = tuple[str, Sequence[Any]]

BATCH_SIZE: Final = 100
"""Requests in one batch; public nodes take between 100 and 1,000."""

_METHOD_NOT_SUPPORTED: Final = -32004
_UNKNOWN_BLOCK_WORDS: Final = (
    "unknown block",
    "header not found",
    "header for hash not found",
    "block not found",
    "could not find block",
    "cannot find block",
    "not currently canonical",
    "is not canonical",
    "resource not found",
    "blockoutofrange",
)
_UNSUPPORTED_WORDS: Final = ("method not found", "not supported", "unsupported method", "is not available")
_REVERT_WORDS: Final = ("revert", "vm execution error")


class Node:
    """A provider and what is known of the node behind it. Thread-safe as the provider is.

    Attributes:
        name: how errors and logs call it; holds no secret.
        web3: web3 over this provider, without middleware; CCIP-Read is off.
        reads_by_hash: whether it takes EIP-1898 block objects.
        block_fields: names of a block's members, if its hash could be recomputed from them; else None.
        vetted: whether it was found to serve the chain and registry that are configured.
    """

    def __init__(self, provider: JSONBaseProvider, name: str) -> None:
        provider.global_ccip_read_enabled = False
        self.name = name
        self.web3 = Web3(provider, middleware=[])
        self.reads_by_hash = True
        self.block_fields: frozenset[str] | None = None
        self.vetted = False
        self._provider = provider
        self._takes_batches = True

    def __repr__(self) -> str:
        return f"Node({self.name})"

    def ask(self, method: str, *params: Any) -> Any:
        """The ``result`` of one request.

        Raises:
            ChainUnavailableError, and `ChainError`s as `error_of` tells them apart.
        """
        try:
            return self.raw(method, *params)
        except Refusal as refusal:
            raise self.error_of(method, refusal) from refusal

    def raw(self, method: str, *params: Any) -> Any:
        """Like `ask`, but what the node refuses comes as `Refusal`, for callers that look closer."""
        return _result(self._answer(RPCEndpoint(method), list(params)))

    def ask_all(self, calls: Iterable[Call]) -> list[Any]:
        """The results of several requests, in order; the first error is raised as by `ask`."""
        listed = list(calls)
        results = []
        for (method, _), answer in zip(listed, self._answers(listed), strict=True):
            try:
                results.append(_result(answer))
            except Refusal as refusal:
                raise self.error_of(method, refusal) from refusal
        return results

    def reading(self, what: str, read: Callable[[], T]) -> T:
        """Run code that takes an answer apart; a malformed one becomes ChainUnavailableError."""
        try:
            return read()
        except BadAnswer as error:
            raise ChainUnavailableError(f"node {self.name} answered {what} wrongly: {error}") from error

    def error_of(self, method: str, refusal: Refusal) -> RootmarkError:
        """What a refusal of that method means."""
        words = refusal.words
        if refusal.code == EXECUTION_REVERTED or refusal.data or _says(words, _REVERT_WORDS):
            return self.revert_of(refusal)
        if refusal.code == METHOD_NOT_FOUND or refusal.code == _METHOD_NOT_SUPPORTED:
            return UnsupportedByNodeError(f"node {self.name} does not offer {method}")
        if refusal.code == RESOURCE_NOT_FOUND or _says(words, _UNKNOWN_BLOCK_WORDS):
            return UnknownBlockError(f"node {self.name} does not have that block on its chain")
        if _says(words, _UNSUPPORTED_WORDS):
            return UnsupportedByNodeError(f"node {self.name} does not offer {method}")
        return ChainUnavailableError(f"node {self.name} refused {method}: {refusal.message}")

    def revert_of(self, refusal: Refusal) -> ChainError:
        """A revert, with the name of the contract's error where the node passes the data on."""
        found = decode_custom_error(refusal.data)
        name = found.name if found else None
        return ContractRevertedError(f"the call reverts{f' with {name}' if name else ''}", name=name)

    def close(self) -> None:
        """Close the provider's connections, if it has any."""
        close = getattr(self._provider, "close", None)
        if close is not None:
            close()

    def _answers(self, calls: list[Call]) -> list[RPCResponse]:
        """Response objects in order, in batches where the node takes them."""
        answers: list[RPCResponse] = []
        for start in range(0, len(calls), BATCH_SIZE):
            part = [
                (RPCEndpoint(method), list(params)) for method, params in calls[start : start + BATCH_SIZE]
            ]
            answers.extend(self._answers_of_part(part))
        return answers

    def _answers_of_part(self, part: list[tuple[RPCEndpoint, Any]]) -> list[RPCResponse]:
        if self._takes_batches and len(part) > 1:
            answers = self._guarded(lambda: self._provider.make_batch_request(part))
            if isinstance(answers, list) and not all(answer is answers[0] for answer in answers):
                return answers
            self._takes_batches = False
        return [self._answer(method, params) for method, params in part]

    def _answer(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        return self._guarded(lambda: self._provider.make_request(method, params))

    def _guarded(self, action: Callable[[], T]) -> T:
        """Run a provider's method. Ours raise our errors already; this is for what web3's own might raise."""
        try:
            return action()
        except (OSError, ValueError, TypeError, KeyError, Web3Exception) as error:
            raise ChainUnavailableError(f"node {self.name} cannot be read") from error


def _result(answer: RPCResponse) -> Any:
    error = answer.get("error")
    if error is not None:
        raise refusal_of(error)
    return answer.get("result")


def _says(words: str, phrases: Sequence[str]) -> bool:
    return any(phrase in words for phrase in phrases)
