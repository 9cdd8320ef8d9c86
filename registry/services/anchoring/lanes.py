"""One sender at a time per account: leases with fencing tokens, and what a round of work knows of the
chain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from registry.encoding import Address, BlockHash, to_hex
from registry.errors import UnknownBlockError
from registry.model.chain import Header
from registry.ports.chain import Chain
from registry.ports.clock import Clock
from registry.ports.store import Store, Unit
from registry.services.policy import Policy


@dataclass(frozen=True, slots=True)
class Lane:
    """The right to sign for one sender, as long as ``token`` is the newest."""

    store: Store
    name: str
    sender: Address
    token: int

    @contextmanager
    def write(self) -> Iterator[Unit]:
        """A write unit that is fenced: `LeaseLostError` when another process has taken the sender over."""
        with self.store.write() as unit:
            unit.leases.check(self.name, self.token)
            yield unit


class Lanes:
    """The lanes of one process."""

    def __init__(self, store: Store, chain_id: int, clock: Clock, policy: Policy, owner: str) -> None:
        self._store = store
        self._chain_id = chain_id
        self._clock = clock
        self._policy = policy
        self._owner = owner
        self._held: dict[Address, Lane] = {}

    def name(self, sender: Address) -> str:
        """The lease's name."""
        return f"sender:{self._chain_id}:{to_hex(sender)}"

    def acquire(self, sender: Address) -> Lane | None:
        """The lane, its lease taken or renewed; None while another process holds it."""
        name = self.name(sender)
        with self._store.write() as unit:
            token = unit.leases.acquire(name, self._owner, self._policy.lease_ttl_seconds, self._clock.now())
        if token is None:
            self._held.pop(sender, None)
            return None
        self._held[sender] = Lane(self._store, name, sender, token)
        return self._held[sender]

    def release_all(self) -> None:
        """Let others have the senders at once."""
        if not self._held:
            return
        with self._store.write() as unit:
            for lane in self._held.values():
                unit.leases.release(lane.name, self._owner)
        self._held.clear()


@dataclass(slots=True)
class View:
    """What one round knows of the chain: its newest block, up to which height blocks are final, and up to
    which the index has them (None where nothing indexes).

    Headers by number are remembered for the round; ``latest`` was read before any of them.
    """

    chain: Chain
    latest: Header
    final_block: int
    indexed_block: int | None = None
    _headers: dict[int, Header] = field(default_factory=dict)

    def is_indexed(self, number: int) -> bool:
        """Whether the index has that block: nothing is called mined before a verdict can know of it."""
        return self.indexed_block is None or number <= self.indexed_block

    def is_canonical(self, number: int, block_hash: BlockHash) -> bool:
        """Whether the block at that height is the one with this hash."""
        if number not in self._headers:
            try:
                self._headers[number] = self.chain.header(number)
            except UnknownBlockError:
                return False
        return self._headers[number].hash == block_hash


def look(chain: Chain, policy: Policy, indexed_block: int | None) -> View:
    """Read the chain's end. The `finalized` tag counts where the chain has one, else the number of
    confirmations.

    Raises:
        ChainUnavailableError, NodeMismatchError: nothing can be said now.
    """
    latest = chain.latest()
    finalized = chain.finalized()
    final = finalized.number if finalized is not None else latest.number - policy.confirmations + 1
    return View(chain, latest, final, indexed_block)
