"""The registry's events from one node: of one block by its hash, or of a range of blocks.

Invariant: what is returned are events of the registry that fit the block they are said to be in (hash,
    number, time, order),
and that block was on the node's chain. A node can still leave events out: only heads and other nodes show
that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

from registry.chain.blocks import parse_header
from registry.chain.decode import decode_log
from registry.chain.node import Call, Node
from registry.chain.provider import AnswerTooLargeError
from registry.chain.rpc import BadAnswer, Refusal, array, hexed
from registry.encoding import Address
from registry.errors import ChainUnavailableError, NodeMismatchError, UnknownBlockError
from registry.model.chain import Header, RegistryEvent

MAX_RANGE_BLOCKS: Final = 10_000
"""First try for a range; many public nodes take no more."""


def read_logs(node: Node, logs: Any, registry: Address) -> tuple[RegistryEvent, ...]:
    """Decode a list of the registry's logs.

    Raises:
        ChainUnavailableError: not a list. NodeMismatchError: a log that the registry cannot have emitted.
    """
    listed = node.reading("logs", lambda: array(logs, "logs"))
    try:
        return tuple(decode_log(log, registry) for log in listed)
    except BadAnswer as error:
        raise NodeMismatchError(
            f"node {node.name} gives the registry a log that it cannot have emitted: {error}"
        ) from error


def events_of_block(node: Node, registry: Address, header: Header) -> tuple[RegistryEvent, ...]:
    """The events of exactly that block. Raises UnknownBlockError when it is not on the node's chain."""
    wanted = {"address": hexed(registry), "blockHash": hexed(header.hash)}
    calls: list[Call] = [("eth_getLogs", (wanted,)), ("eth_getBlockByNumber", (hex(header.number), False))]
    logs, block = node.ask_all(calls)
    # An empty list may also mean that the node does not have the block (any more), so it is looked at too.
    _require_on_chain(node, block, header)
    events = read_logs(node, logs, registry)
    for event in events:
        if event.block_hash != header.hash:
            raise NodeMismatchError(
                f"node {node.name} answers with a log of another block than the one asked for"
            )
        if event.block_number != header.number or event.at != header.timestamp:
            raise NodeMismatchError(f"node {node.name} gives a log that does not fit its block")
    _require_order(node, events)
    return events


def _require_on_chain(node: Node, block: Any, header: Header) -> None:
    if block is None or node.reading("a block", lambda: parse_header(node, block)).hash != header.hash:
        raise UnknownBlockError(f"node {node.name} does not have that block on its chain")


def _require_order(node: Node, events: Sequence[RegistryEvent]) -> None:
    if any(later.position <= earlier.position for earlier, later in pairwise(events)):
        raise NodeMismatchError(f"node {node.name} gives logs out of order, or one twice")


def events_of_range(
    node: Node, registry: Address, first: int, last: int, issuer: Address | None
) -> tuple[RegistryEvent, ...]:
    """The events of the blocks ``first`` to ``last``, in order. Raises UnknownBlockError beyond the node's
    head."""
    events: list[RegistryEvent] = []
    for part in _parts(node, registry, first, last, issuer):
        events.extend(part)
    _require_order(node, events)
    hashes: dict[int, tuple[bytes, int]] = {}
    for event in events:
        of_block = (event.block_hash, event.at)
        if (
            not first <= event.block_number <= last
            or hashes.setdefault(event.block_number, of_block) != of_block
        ):
            raise NodeMismatchError(f"node {node.name} gives a log that does not fit its block")
        if issuer is not None and event.issuer != issuer:
            raise NodeMismatchError(
                f"node {node.name} answers with another issuer's log than the one asked for"
            )
    return tuple(events)


def _parts(
    node: Node, registry: Address, first: int, last: int, issuer: Address | None
) -> Iterator[tuple[RegistryEvent, ...]]:
    """Spans of blocks, halved when a node refuses or answers too much, doubled again when it does not."""
    span = MAX_RANGE_BLOCKS
    while first <= last:
        until = min(last, first + span - 1)
        try:
            part = _span(node, registry, first, until, issuer)
        except (AnswerTooLargeError, _RangeRefused) as error:
            if until == first:
                raise ChainUnavailableError(f"node {node.name} refuses the logs of block {first}") from error
            span = (until - first + 1) // 2
            continue
        yield part
        first = until + 1
        span = min(2 * span, MAX_RANGE_BLOCKS)


class _RangeRefused(Exception):  # noqa: N818 - asks for a smaller range
    """The node took the request and would not answer it. Whether the range is why, a smaller one shows."""


def _span(
    node: Node, registry: Address, first: int, last: int, issuer: Address | None
) -> tuple[RegistryEvent, ...]:
    wanted: dict[str, Any] = {"address": hexed(registry), "fromBlock": hex(first), "toBlock": hex(last)}
    if issuer is not None:
        wanted["topics"] = [None, hexed(issuer.rjust(32, b"\0"))]
    # A node that does not have the blocks yet would answer with an empty list.
    if node.ask("eth_getBlockByNumber", hex(last), False) is None:
        raise UnknownBlockError(f"node {node.name} has no block {last}")
    try:
        logs = node.ask("eth_getLogs", wanted)
    except AnswerTooLargeError:
        raise
    except ChainUnavailableError as error:
        if isinstance(error.__cause__, Refusal):
            raise _RangeRefused from error
        raise
    return read_logs(node, logs, registry)
