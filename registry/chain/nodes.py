"""One or several nodes read as one: they must agree.

Rules:
- A reading that a verdict may rest on is taken from every node that answers, and all answers must be the
  same; otherwise `NodeMismatchError` names the sides, and nothing is returned.
- A node that cannot be reached is left out and named in `unavailable`. Fewer answers than the quorum is
  `ChainUnavailableError`. One that let a request time out is not asked for `REST_SECONDS`, while the others
  make up the quorum: otherwise every reading would wait for it.
- A node is read only after it was found to serve the configured chain and registry, at its first answer.
- Transactions are handed to every node.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Generic, TypeVar

from registry.chain.blocks import FINALIZED, LATEST, header_at, header_by_hash
from registry.chain.node import Node
from registry.chain.provider import TimedOutError
from registry.errors import (
    ChainError,
    ChainUnavailableError,
    ConfigurationError,
    NodeMismatchError,
    RootmarkError,
    UnknownBlockError,
)
from registry.model.chain import Header

_log = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE_SECONDS: Final = 3.0
"""So long a node may be behind the newest block that another one has."""
REST_SECONDS: Final = 5.0
_READERS: Final = 8
"""So many readings of several nodes go on at the same time."""
_PAUSE_SECONDS: Final = 0.25


class Answer(Generic[T]):
    """What one node said: a value, or an error of this package's."""

    def __init__(self, node: Node, value: T | None, error: RootmarkError | None) -> None:
        self.node = node
        self.error = error
        self._value = value

    def get(self) -> T:
        """The value; raises the error."""
        if self.error is not None:
            raise self.error
        return self._value  # type: ignore[return-value]

    def same_as(self, other: Answer[T]) -> bool:
        """Whether two nodes said the same: equal values, or the same kind of refusal."""
        if self.error is not None or other.error is not None:
            return type(self.error) is type(other.error)
        return bool(self._value == other._value)


class NodeSet:
    """Nodes of one chain. Thread-safe."""

    def __init__(
        self,
        nodes: Sequence[Node],
        *,
        quorum: int = 1,
        vet: Callable[[Node], None] | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
        rest_seconds: float = REST_SECONDS,
    ) -> None:
        """Put nodes together.

        Args:
            nodes: at least one, with different names.
            quorum: so many nodes must answer a reading, 1 to the number of nodes.
            vet: raises ConfigurationError for a node of another chain or registry; called once for each node.
            patience_seconds: see `latest`.
            rest_seconds: how long a node is left alone that let a request time out.
        """
        if not 1 <= quorum <= len(nodes):
            raise ConfigurationError("the quorum of nodes is between 1 and their number")
        self._nodes = tuple(nodes)
        self._quorum = quorum
        self._vet = vet
        self._patience_seconds = patience_seconds
        self._rest_seconds = rest_seconds
        self._unavailable: dict[str, str] = {}
        self._resting: dict[str, float] = {}
        self._guard = threading.Lock()
        self._pool = ThreadPoolExecutor(_READERS * len(nodes), "rootmark-node") if len(nodes) > 1 else None

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All of them, in the configured order."""
        return self._nodes

    @property
    def unavailable(self) -> dict[str, str]:
        """Nodes that did not answer when they were last asked, by name, and why."""
        with self._guard:
            return dict(self._unavailable)

    def close(self) -> None:
        """Close all connections."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        for node in self._nodes:
            node.close()

    # --- asking ---------------------------------------------------------------------------------------------

    def ask(self, read: Callable[[Node], T], *, quorum: int | None = None) -> list[Answer[T]]:
        """The answers of the nodes that gave one, at least the quorum. A refusal is an answer, silence is
        none.

        Args:
            read: asks one node.
            quorum: another one than that of the set, and every node is asked; 0 where the caller decides what
                too few answers mean.

        Raises:
            ChainUnavailableError: too few answered; its cause is what the first silent node ran into.
        """
        if self._pool is None:
            answers = [self._ask_one(self._nodes[0], read)]
        else:
            asked = self._nodes if quorum is not None else self._awake()
            answers = list(self._pool.map(lambda node: self._ask_one(node, read), asked))
        given = [answer for answer in answers if not isinstance(answer.error, ChainUnavailableError)]
        if len(given) < (self._quorum if quorum is None else quorum):
            silent = next(answer for answer in answers if answer not in given)
            if len(self._nodes) == 1:
                silent.get()
            names = ", ".join(answer.node.name for answer in answers if answer not in given)
            raise ChainUnavailableError(f"too few nodes answer; not: {names}") from silent.error
        return given

    def _awake(self) -> Sequence[Node]:
        """The nodes that do not rest, or all of them where those would be fewer than the quorum."""
        now = time.monotonic()
        with self._guard:
            awake = [node for node in self._nodes if self._resting.get(node.name, 0) <= now]
        return awake if len(awake) >= self._quorum else self._nodes

    def _ask_one(self, node: Node, read: Callable[[Node], T]) -> Answer[T]:
        try:
            self._ensure_vetted(node)
            answer: Answer[T] = Answer(node, read(node), None)
        except (ChainError, ChainUnavailableError) as error:
            answer = Answer(node, None, error)
        self._note(answer)
        return answer

    def _ensure_vetted(self, node: Node) -> None:
        if node.vetted or self._vet is None:
            return
        try:
            self._vet(node)
        except ConfigurationError as error:
            raise NodeMismatchError(str(error)) from error

    def _note(self, answer: Answer[T]) -> None:
        name = answer.node.name
        with self._guard:
            if not isinstance(answer.error, ChainUnavailableError):
                if self._unavailable.pop(name, None) is not None:
                    _log.info("node %s answers again", name)
            else:
                if name not in self._unavailable:
                    _log.warning("%s", answer.error)
                self._unavailable[name] = str(answer.error)
            if isinstance(answer.error, TimedOutError):
                self._resting[name] = time.monotonic() + self._rest_seconds

    def agreed(self, what: str, read: Callable[[Node], T]) -> T:
        """One reading on which all nodes that answer agree.

        Raises:
            NodeMismatchError: they disagree about ``what``. Also whatever ``read`` raises, if all raise it.
        """
        answers = self.ask(read)
        for answer in answers:
            if isinstance(answer.error, NodeMismatchError):
                answer.get()
        first = answers[0]
        others = [answer.node.name for answer in answers if not answer.same_as(first)]
        if others:
            same = [answer.node.name for answer in answers if answer.same_as(first)]
            raise NodeMismatchError(
                f"nodes disagree about {what}: {', '.join(same)} against {', '.join(others)}"
            )
        return first.get()

    def first(self, read: Callable[[Node], T]) -> T:
        """The first answer that is no error, for what proves itself.

        Raises:
            the first node's error, when none has an answer.
        """
        errors: list[RootmarkError] = []
        for node in self._nodes:
            answer = self._ask_one(node, read)
            if answer.error is None:
                return answer.get()
            errors.append(answer.error)
        raise errors[0]

    def every(self, read: Callable[[Node], T]) -> list[T]:
        """All values, for what may differ a little between nodes (balances, fees). Errors as by `agreed`.

        Raises:
            the first error that a node gave.
        """
        return [answer.get() for answer in self.ask(read)]

    # --- the newest block all have --------------------------------------------------------------------------

    def latest(self) -> Header:
        """The newest block that any node has, once every node that answers has it too.

        Nodes hear of a block at different moments, so those behind are given `PATIENCE_SECONDS`. After that
        a node that is behind, or on another branch, is a disagreement: an old head would hide what happened
        since.
        """
        deadline = time.monotonic() + self._patience_seconds
        while True:
            heads = self.ask(lambda node: header_at(node, LATEST))
            first = max(heads, key=lambda answer: answer.get().number)
            newest = first.get()
            if len(self._nodes) == 1:
                return newest
            behind = self._without(newest)
            if not behind:
                return newest
            if time.monotonic() >= deadline:
                raise NodeMismatchError(
                    f"nodes disagree about the newest block: {first.node.name} has block {newest.number}, "
                    f"which {', '.join(behind)} does not have"
                )
            time.sleep(_PAUSE_SECONDS)

    def _without(self, block: Header) -> list[str]:
        """Names of the nodes that do not have that block on their chain."""
        answers = self.ask(lambda node: header_by_hash(node, block.hash))
        behind = [answer for answer in answers if isinstance(answer.error, UnknownBlockError)]
        for answer in answers:
            if answer not in behind and answer.get() != block:
                raise NodeMismatchError(f"nodes disagree about block {block.number}: {answer.node.name}")
        return [answer.node.name for answer in behind]

    def finalized(self) -> Header:
        """The newest block that every node that answers holds final. Raises UnknownBlockError where one has
        none."""
        heads = self.every(lambda node: header_at(node, FINALIZED))
        oldest = min(heads, key=lambda header: header.number)
        if len(heads) == 1:
            return oldest
        return self.agreed("the finalized block", lambda node: header_at(node, oldest.number))
