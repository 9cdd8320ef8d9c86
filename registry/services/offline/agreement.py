"""What several nodes of one chain agree on. A node that cannot be read, or says something else, ends the
agreement: the `Disagreement` says which and about what, and no `valid` comes out of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from registry.encoding import Address, invalid, to_hex
from registry.errors import ChainError, ChainUnavailableError, UnknownBlockError
from registry.model.chain import ContractStatus, Header, RegistryEvent
from registry.ports.chain import ChainReader
from registry.verdict.history import IssuerHistory, replay
from registry.verdict.views import Target

T = TypeVar("T")


class Disagreement(Exception):  # noqa: N818 - not an error: it becomes part of a report
    """Why the nodes' answers cannot be used, as a clause."""


class Nodes:
    """Several readers of the same registry on the same chain, by their number from 1."""

    def __init__(self, chains: Sequence[ChainReader]) -> None:
        self._chains = chains
        first = chains[0].info
        for number, chain in enumerate(chains, 1):
            if (chain.info.genesis_hash, chain.info.code_hash) != (first.genesis_hash, first.code_hash):
                raise Disagreement(f"node {number} is on another chain with the same id, or has other code")

    def common_block(self) -> Header:
        """The newest block that every node has."""
        return self.block_at(min(self._all(lambda chain: chain.latest().number)))

    def block_at(self, number: int) -> Header:
        """The block at a height, the same for every node."""
        headers = self._all(lambda chain: chain.header(number))
        return self._same(headers, f"block {number}", lambda header: to_hex(header.hash))

    def number_at_time(self, instant: datetime) -> int:
        """Height of the last block not later. Raises ValidationError, code ``as-of``, before the chain's
        first."""
        second = int(instant.timestamp())
        try:
            return self._ask(1, lambda chain: chain.block_at_time(second)).number
        except Disagreement as error:
            if isinstance(error.__cause__, UnknownBlockError):
                raise invalid("as-of", "there was no block at that time yet", "/as_of") from error
            raise

    def final_number(self, block: Header, confirmations: int) -> int:
        """Height up to which events count as final, by every node's word."""
        tags = self._all(lambda chain: chain.finalized())
        heights = [
            max(block.number - confirmations + 1, 0) if tag is None else min(tag.number, block.number)
            for tag in tags
        ]
        return min(heights)

    def history(self, issuer: Address, block: Header) -> Sequence[RegistryEvent]:
        """The issuer's events up to ``block``: those of the first node whose list gives the head that every
        node's contract holds at that block."""
        heads = self._all(lambda chain: chain.head_of(issuer, block.hash))
        head = self._same(heads, f"the issuer's history head at block {block.number}", to_hex)
        deployed = min(chain.info.deployed_block for chain in self._chains)
        for number in range(1, len(self._chains) + 1):
            events = self._ask(
                number, lambda chain: chain.events_in_range(deployed, block.number, issuer=issuer)
            )
            history = _replayed(events)
            if history is not None and history.head == head and not history.problems:
                return events
        raise Disagreement(
            "no node gives a list of the issuer's events that leads to the history head at block "
            f"{block.number}"
        )

    def require_status(self, target: Target, block: Header, status: ContractStatus) -> None:
        """Hold what the events say against the contract's own word, at ``block`` and at each node's newest
        block."""
        for number in range(1, len(self._chains) + 1):
            newest = self._ask(number, lambda chain: chain.latest())
            for header in {block, newest}:
                said = self._ask(number, _status_at(target, header))
                if said is not status:
                    raise Disagreement(
                        f"at block {header.number} node {number} says {said.value}, "
                        f"where the events up to block {block.number} say {status.value}"
                    )

    # --- asking ---

    def _ask(self, number: int, question: Callable[[ChainReader], T]) -> T:
        try:
            return question(self._chains[number - 1])
        except ChainUnavailableError as error:
            raise Disagreement(f"node {number} could not be read ({error})") from error
        except UnknownBlockError as error:
            raise Disagreement(
                f"node {number} does not have a block that it should have ({error})"
            ) from error
        except ChainError as error:
            raise Disagreement(f"node {number} gave an answer that cannot be used ({error})") from error

    def _all(self, question: Callable[[ChainReader], T]) -> list[T]:
        return [self._ask(number, question) for number in range(1, len(self._chains) + 1)]

    def _same(self, answers: Sequence[T], what: str, text: Callable[[T], str]) -> T:
        for number, answer in enumerate(answers[1:], 2):
            if answer != answers[0]:
                raise Disagreement(
                    f"the nodes disagree about {what}: node 1 says {text(answers[0])}, "
                    f"node {number} says {text(answer)}"
                )
        return answers[0]


def _status_at(target: Target, header: Header) -> Callable[[ChainReader], ContractStatus]:
    return lambda chain: chain.status_of(target.issuer, target.root, target.index, header.hash)[1]


def _replayed(events: Sequence[RegistryEvent]) -> IssuerHistory | None:
    """None for events that lack a parameter of their kind."""
    try:
        return replay(events)
    except ValueError:
        return None


def require_order(events: Sequence[RegistryEvent], header: Header) -> None:
    """Heads commit to an event's time, not to its block. So a node could move an event to the other side of
    ``header``; the times give that away, except among blocks of the same second."""
    for event in events:
        before = event.block_number <= header.number
        if event.at > header.timestamp if before else event.at < header.timestamp:
            raise Disagreement(
                f"an event is said to be of block {event.block_number}, which its time contradicts"
            )
