"""Following the contract's events into the store.

The index is a copy of the chain's log, never of this server's intentions. Invariants:

- Blocks are appended in order, each linked to its parent by hash; a reorg rewinds headers and events in one
  transaction. A node whose chain merely ends earlier is behind: the index stays where it is and grows old.
- Near the head, events are fetched by block hash, because a load-balanced node answers a range it does not
  have yet with an empty list. Old ranges are fetched by number and then held against the contract's own
  history heads.
- The index counts as read (`read_at`) only when it has the node's newest block, so nothing is answered as of
  the present while it is still catching up.
- After each range the replayed head of an issuer must equal `headOf` at the range's last block. Until it
  does, the issuer stands in the list of mismatches and nothing is answered for it from the index. Issuers
  without new events are compared in turn, all of them after the last block that came.
- A feed item about the chain is written once, when its block is final, in the transaction that moves the
  cursor; for an issuer with a mismatch, when that is resolved.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from registry.encoding import Address, to_hex
from registry.errors import ChainError, IndexStaleError, NodeMismatchError, UnknownBlockError
from registry.model.chain import Header, IndexPosition, RegistryEvent
from registry.ports.chain import ChainReader
from registry.ports.clock import Clock
from registry.ports.store import Store, Unit
from registry.services.chain_feed import publish_final, publish_missed
from registry.verdict.history import EMPTY_HEAD, fold

log = logging.getLogger(__name__)

LEASE = "indexer"
LEASE_SECONDS = 15.0
NEAR_BLOCKS = 64
"""So many newest blocks are fetched one by one, by hash."""
RANGE_BLOCKS = 2_000
KEPT_HEADERS = 512
"""Deeper reorgs than this restart the index from the deployment."""
HEADS_PER_ROUND = 25
"""So many issuers without new events are compared with the chain in each round."""
RETRY_SECONDS = 10
"""So often the events of a contradicted issuer are fetched anew."""
NEVER = datetime.fromtimestamp(0, UTC)
"""`read_at` of an index that never had the node's newest block."""


@dataclass(frozen=True, slots=True)
class _Range:
    """Blocks to append: the headers that are kept, and all events of the range in chain order."""

    headers: Sequence[Header]
    events: Sequence[RegistryEvent]

    @property
    def last(self) -> Header:
        return self.headers[-1]


class Indexer:
    """Brings the store's events up to the node's chain. Safe to call from several threads and processes: a
    lease lets one process write, a lock one thread."""

    def __init__(
        self, store: Store, chain: ChainReader, clock: Clock, *, confirmations: int, owner: str
    ) -> None:
        self._store = store
        self._chain = chain
        self._clock = clock
        self._confirmations = confirmations
        self._owner = owner
        self._lock = threading.Lock()
        self._hosted: list[Address] = []
        self._strangers: list[Address] = []
        self._next_retry = NEVER
        self._behind = False

    def step(self) -> bool:
        """One round: look at the node, rewind if it left our chain, append what is new.

        Returns:
            True when more work is waiting, so that the caller need not sleep.

        Raises:
            ChainUnavailableError, StoreUnavailableError: nothing was changed in this round, or only whole
            ranges.
        """
        with self._lock:
            with self._store.write() as unit:
                token = unit.leases.acquire(LEASE, self._owner, LEASE_SECONDS, self._clock.now())
            return token is not None and self._round(token)

    def catch_up(self, timeout_seconds: float = 20.0) -> IndexPosition:
        """Index up to the block that is the node's latest now, and say where that is.

        Raises:
            ChainUnavailableError: the node cannot be read.
            NodeMismatchError: the node is behind the index, so its newest block is none.
            IndexStaleError: another process holds the lease and did not get there in time.
        """
        goal = self._chain.latest()
        deadline = time.monotonic() + timeout_seconds
        while True:
            more = self.step()
            with self._store.read() as unit:
                position = unit.events.position()
            if position is not None and position.block.number >= goal.number:
                if position.block.number > goal.number:
                    self._require_not_behind(position.block)
                return position
            if time.monotonic() > deadline:
                raise IndexStaleError("the index does not reach the node's latest block; try again shortly")
            if not more:
                time.sleep(0.05)

    def _require_not_behind(self, indexed: Header) -> None:
        """A block may have come since the goal was read; a node that has not got it is behind."""
        if self._chain.latest().number < indexed.number:
            raise NodeMismatchError(f"the node is behind block {indexed.number}, which was indexed before")

    def close(self) -> None:
        """Give the lease back, so that the next process need not wait for it to expire."""
        with self._store.write() as unit:
            unit.leases.release(LEASE, self._owner)

    # --- one round ------------------------------------------------------------------------------------------

    def _round(self, token: int) -> bool:
        latest = self._chain.latest()
        final_block = self._final_block(latest)
        with self._store.read() as unit:
            position = unit.events.position()
            kept = unit.events.recent_headers(KEPT_HEADERS)
        if position is not None and not self._still_on_chain(position.block, latest):
            if self._is_behind(position, kept, latest):
                return False
            self._rewind(token, position, kept, latest)
            return True
        self._behind = False
        first = self._chain.info.deployed_block if position is None else position.block.number + 1
        if first <= latest.number:
            fetched = self._fetch(first, latest, position.block if position else None)
            self._append(token, fetched, position, final_block, reached=fetched.last == latest)
            if fetched.last != latest:
                return fetched.last.number < latest.number
        elif position is not None:
            self._record_reading(token, position, final_block)
        self._look_again(token)
        return False

    def _final_block(self, latest: Header) -> int:
        finalized = self._chain.finalized()
        if finalized is not None:
            return finalized.number
        return max(latest.number - self._confirmations + 1, 0)

    def _still_on_chain(self, block: Header, latest: Header) -> bool:
        if block.number > latest.number:
            return False
        try:
            return self._chain.header(block.number).hash == block.hash
        except UnknownBlockError:
            return False

    def _is_behind(self, position: IndexPosition, kept: Sequence[Header], latest: Header) -> bool:
        """Whether the node's chain ends earlier than the index and is otherwise the same, as far as one can
        tell. To follow it back would hide what happened since."""
        if latest.number >= position.block.number:
            return False
        known = next((header for header in kept if header.number <= latest.number), None)
        if known is not None and not self._still_on_chain(known, latest):
            return False
        if not self._behind:
            log.warning(
                "the node is behind the index",
                extra={"node_block": latest.number, "indexed_block": position.block.number},
            )
        self._behind = True
        return True

    def _rewind(self, token: int, position: IndexPosition, kept: Sequence[Header], latest: Header) -> None:
        """Drop what the node's chain no longer has, down to the newest header that both have."""
        common = next((header for header in kept if self._still_on_chain(header, latest)), None)
        with self._store.write() as unit:
            unit.leases.check(LEASE, token)
            dropped = unit.events.rewind(common.number if common else -1)
            if common is not None:
                final_block = min(position.final_block, common.number)
                unit.events.set_position(IndexPosition(common, final_block, position.read_at))
        log.warning(
            "reorg: index rewound",
            extra={"to_block": common.number if common else None, "events_dropped": len(dropped)},
        )

    def _record_reading(self, token: int, position: IndexPosition, final_block: int) -> None:
        with self._store.write() as unit:
            unit.leases.check(LEASE, token)
            unit.events.set_position(IndexPosition(position.block, final_block, self._now_after(position)))
            publish_final(unit, final_block, self._clock.now())

    def _now_after(self, position: IndexPosition | None) -> datetime:
        """The present, but later than the last reading: an equal position promises an equal index."""
        now = self._clock.now()
        return now if position is None else max(now, position.read_at + timedelta(microseconds=1))

    # --- fetching -------------------------------------------------------------------------------------------

    def _fetch(self, first: int, latest: Header, parent: Header | None) -> _Range:
        if latest.number - first >= NEAR_BLOCKS:
            last = min(first + RANGE_BLOCKS - 1, latest.number - NEAR_BLOCKS)
            header = self._chain.header(last)
            events = self._chain.events_in_range(first, last)
            if self._chain.header(last).hash != header.hash:
                raise NodeMismatchError(f"the chain changed while blocks up to {last} were read")
            return _Range((header,), events)
        headers = tuple(self._chain.headers(first, latest.number))
        chained = (parent, *headers) if parent is not None else headers
        for before, after in pairwise(chained):
            if after.parent_hash != before.hash or after.number != before.number + 1:
                raise NodeMismatchError(
                    f"block {after.number} does not follow block {before.number}; will look again"
                )
        return _Range(headers, tuple(event for header in headers for event in self._chain.events(header)))

    # --- storing --------------------------------------------------------------------------------------------

    def _append(
        self,
        token: int,
        fetched: _Range,
        before: IndexPosition | None,
        final_block: int,
        *,
        reached: bool,
    ) -> None:
        mismatches = self._check_heads(fetched)
        read_at = self._now_after(before) if reached else before.read_at if before else NEVER
        with self._store.write() as unit:
            unit.leases.check(LEASE, token)
            unit.events.append(fetched.headers, fetched.events, keep_headers=KEPT_HEADERS)
            unit.events.set_position(IndexPosition(fetched.last, final_block, read_at))
            _record_mismatches(unit, mismatches, fetched.last.number)
            publish_final(unit, final_block, self._clock.now())

    def _check_heads(self, fetched: _Range) -> dict[Address, str]:
        """Replay the range's heads, and hold the result against the contract at the range's last block."""
        with self._store.read() as unit:
            heads = {event.issuer: unit.events.head_of(event.issuer) for event in fetched.events}
            self._ask_for_all(unit)
            heads |= {issuer: unit.events.head_of(issuer) for issuer in self._next_to_compare()}
        problems: dict[Address, str] = {}
        for event in fetched.events:
            heads[event.issuer] = fold(heads[event.issuer], event)
            if heads[event.issuer] != event.head:
                problems.setdefault(
                    event.issuer,
                    f"the history breaks before block {event.block_number}, log {event.log_index}",
                )
                heads[event.issuer] = event.head
        compared = {issuer: head for issuer, head in heads.items() if issuer not in problems}
        return problems | self._compared(compared, fetched.last)

    def _compared(self, heads: Mapping[Address, bytes], block: Header) -> dict[Address, str]:
        """Hold heads against the contract; what is wrong, by issuer."""
        problems = {
            issuer: f"the contract's history head at block {block.number} is another"
            for issuer, head in heads.items()
            if self._chain.head_of(issuer, block.hash) != head
        }
        self._hosted = [issuer for issuer in self._hosted if issuer not in heads]
        self._strangers = [issuer for issuer in self._strangers if issuer not in heads]
        return problems

    def _ask_for_all(self, unit: Unit) -> None:
        """Put every issuer on the lists of those to compare, after those that wait since earlier blocks."""
        hosted = set(_hosted(unit))
        strangers = set(unit.events.issuers()) - hosted
        self._hosted += sorted(hosted.difference(self._hosted))
        self._strangers += sorted(strangers.difference(self._strangers))

    def _next_to_compare(self) -> list[Address]:
        """Half of a round at least for those hosted here, whom any number of strangers must not delay."""
        hosted = self._hosted[: (HEADS_PER_ROUND + 1) // 2]
        return hosted + self._strangers[: HEADS_PER_ROUND - len(hosted)]

    def _look_again(self, token: int) -> None:
        """At the node's newest block: compare further issuers with the contract, so that an event which the
        node hides entirely is noticed too, and see whether a contradiction has resolved itself."""
        with self._store.read() as unit:
            position = unit.events.position()
            heads = {issuer: unit.events.head_of(issuer) for issuer in self._next_to_compare()}
            mismatched = list(unit.events.mismatches())
        if position is None:
            return
        if problems := self._compared(heads, position.block):
            with self._store.write() as unit:
                unit.leases.check(LEASE, token)
                _record_mismatches(unit, problems, position.block.number)
                read_at = self._now_after(position)
                unit.events.set_position(IndexPosition(position.block, position.final_block, read_at))
        if mismatched and self._clock.now() >= self._next_retry:
            self._next_retry = self._clock.now() + timedelta(seconds=RETRY_SECONDS)
            for issuer in mismatched:
                self._retry(token, issuer, position.block)

    def _retry(self, token: int, issuer: Address, block: Header) -> None:
        """Fetch a contradicted issuer's events anew; where the node now gives a history that fits, it takes
        the place of the indexed one."""
        try:
            fresh = self._chain.events_in_range(self._chain.info.deployed_block, block.number, issuer=issuer)
            head = EMPTY_HEAD
            for event in fresh:
                head = fold(head, event)
            agrees = head == self._chain.head_of(issuer, block.hash)
        except ChainError as error:
            log.warning("a contradicted history cannot be read: %s", error)
            return
        if agrees:
            self._replace(token, issuer, fresh, block)

    def _replace(self, token: int, issuer: Address, fresh: Sequence[RegistryEvent], block: Header) -> None:
        """Put ``fresh`` in the place of an issuer's indexed events up to ``block``, which must be the newest
        indexed one still."""
        with self._store.write() as unit:
            unit.leases.check(LEASE, token)
            position = unit.events.position()
            if position is None or position.block != block:
                return
            first = _first_difference([item.event for item in unit.events.of_issuer(issuer)], fresh)
            if first is not None:
                kept = [h for h in unit.events.recent_headers(KEPT_HEADERS) if h.number >= first]
                others = [item.event for item in unit.events.rewind(first - 1) if item.event.issuer != issuer]
                newer = [event for event in fresh if event.block_number >= first]
                unit.events.append(kept[::-1], [*others, *newer], keep_headers=KEPT_HEADERS)
            unit.events.clear_mismatch(issuer)
            read_at = self._now_after(position)
            unit.events.set_position(IndexPosition(block, position.final_block, read_at))
            publish_missed(unit, issuer, fresh, self._clock.now())
        log.warning("index agrees with the chain again", extra={"issuer": to_hex(issuer)})


def _record_mismatches(unit: Unit, mismatches: Mapping[Address, str], block_number: int) -> None:
    for issuer, detail in mismatches.items():
        unit.events.set_mismatch(issuer, block_number, detail)
        log.error("index contradicts the chain", extra={"issuer": to_hex(issuer), "detail": detail})


def _hosted(unit: Unit) -> Iterable[Address]:
    after: Address | None = None
    while page := unit.issuers.page(after, 500):
        yield from (issuer.address for issuer in page)
        after = page[-1].address


def _first_difference(stored: Sequence[RegistryEvent], fresh: Sequence[RegistryEvent]) -> int | None:
    """Block from which two histories differ, or None when they are equal."""
    for old, new in zip(stored, fresh, strict=False):
        if old != new:
            return min(old.block_number, new.block_number)
    rest = stored[len(fresh) :] or fresh[len(stored) :]
    return rest[0].block_number if rest else None
