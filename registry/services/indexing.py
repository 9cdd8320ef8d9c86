"""Following the contract's events into the store.

The index is a copy of the chain's log, never of this server's intentions. Invariants:

- Blocks are appended in order, each linked to its parent by hash; a reorg rewinds headers and events in one
transaction.
- Near the head, events are fetched by block hash, because a load-balanced node answers a range it does not
have yet with
  an empty list. Old ranges are fetched by number and then held against the contract's own history heads.
- After each range the replayed head of an issuer must equal `headOf` at the range's last block. Until it
does, the issuer
  stands in the list of mismatches and nothing is answered for it from the index.
- A feed item about the chain is written once, when its block is final, in the transaction that moves the
cursor.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from registry.encoding import Address, to_hex
from registry.errors import IndexStaleError, NodeMismatchError, UnknownBlockError
from registry.model.chain import EventKind, Header, IndexPosition, RegistryEvent
from registry.model.reasons import reason_from_code
from registry.ports.chain import ChainReader
from registry.ports.clock import Clock
from registry.ports.store import Store, Unit
from registry.verdict.history import fold

log = logging.getLogger(__name__)

LEASE = "indexer"
LEASE_SECONDS = 15.0
NEAR_BLOCKS = 64
"""So many newest blocks are fetched one by one, by hash."""
RANGE_BLOCKS = 2_000
KEPT_HEADERS = 512
"""Deeper reorgs than this restart the index from the deployment."""
HEADS_PER_ROUND = 25
"""So many issuers without new events are compared with the chain in each round that brought blocks."""
FEED_CURSOR = "indexer"
FEED_PAGE = 500

_FEED_KINDS = {
    EventKind.REVOKED: "credential.revoked",
    EventKind.SUSPENDED: "credential.suspended",
    EventKind.REINSTATED: "credential.reinstated",
    EventKind.REVOCATION_ANNULLED: "credential.annulled",
    EventKind.BATCH_WITHDRAWN: "batch.withdrawn",
    EventKind.WITHDRAWAL_ANNULLED: "batch.withdrawal_annulled",
    EventKind.KEY_ADDED: "key.added",
    EventKind.KEY_RETIRED: "key.retired",
}


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
        self._next_head_check = 0

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
            IndexStaleError: another process holds the lease and did not get there in time.
        """
        goal = self._chain.latest()
        deadline = time.monotonic() + timeout_seconds
        while True:
            more = self.step()
            with self._store.read() as unit:
                position = unit.events.position()
            if position is not None and position.block.number >= goal.number:
                return position
            if time.monotonic() > deadline:
                raise IndexStaleError("the index does not reach the node's latest block; try again shortly")
            if not more:
                time.sleep(0.05)

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
            self._rewind(token, kept, latest, final_block)
            return True
        first = self._chain.info.deployed_block if position is None else position.block.number + 1
        if first > latest.number:
            if position is not None:
                self._record_reading(token, IndexPosition(position.block, final_block, self._clock.now()))
            return False
        fetched = self._fetch(first, latest, position.block if position else None)
        self._append(token, fetched, final_block)
        return fetched.last.number < latest.number

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

    def _rewind(self, token: int, kept: Sequence[Header], latest: Header, final_block: int) -> None:
        """Drop what the node's chain no longer has, down to the newest header that both have."""
        common = next((header for header in kept if self._still_on_chain(header, latest)), None)
        with self._store.write() as unit:
            unit.leases.check(LEASE, token)
            dropped = unit.events.rewind(common.number if common else -1)
            if common is not None:
                unit.events.set_position(IndexPosition(common, final_block, self._clock.now()))
        log.warning(
            "reorg: index rewound",
            extra={"to_block": common.number if common else None, "events_dropped": len(dropped)},
        )

    def _record_reading(self, token: int, position: IndexPosition) -> None:
        with self._store.write() as unit:
            unit.leases.check(LEASE, token)
            unit.events.set_position(position)
            self._publish_final(unit, position.final_block)
        self._retry_mismatches(token, position)

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

    def _append(self, token: int, fetched: _Range, final_block: int) -> None:
        mismatches = self._check_heads(fetched)
        position = IndexPosition(fetched.last, final_block, self._clock.now())
        with self._store.write() as unit:
            unit.leases.check(LEASE, token)
            unit.events.append(fetched.headers, fetched.events, keep_headers=KEPT_HEADERS)
            unit.events.set_position(position)
            for issuer, detail in mismatches.items():
                unit.events.set_mismatch(issuer, fetched.last.number, detail)
                log.error("index contradicts the chain", extra={"issuer": to_hex(issuer), "detail": detail})
            self._publish_final(unit, final_block)

    def _check_heads(self, fetched: _Range) -> dict[Address, str]:
        """Replay the range's heads, and hold the result against the contract at the range's last block."""
        with self._store.read() as unit:
            heads = {event.issuer: unit.events.head_of(event.issuer) for event in fetched.events}
            others = self._some_issuers(unit, skip=heads)
            heads |= {issuer: unit.events.head_of(issuer) for issuer in others}
        problems: dict[Address, str] = {}
        for event in fetched.events:
            heads[event.issuer] = fold(heads[event.issuer], event)
            if heads[event.issuer] != event.head:
                problems.setdefault(
                    event.issuer,
                    f"the history breaks before block {event.block_number}, log {event.log_index}",
                )
                heads[event.issuer] = event.head
        for issuer, head in heads.items():
            if issuer not in problems and self._chain.head_of(issuer, fetched.last.hash) != head:
                problems[issuer] = f"the contract's history head at block {fetched.last.number} is another"
        return problems

    def _some_issuers(self, unit: Unit, skip: Iterable[Address]) -> list[Address]:
        """A few issuers in turn, so that an event which the node hides entirely is noticed too."""
        hosted = [issuer.address for issuer in unit.issuers.page(None, 500)]
        known = sorted({*hosted, *unit.events.issuers()} - set(skip))
        if not known:
            return []
        start = self._next_head_check % len(known)
        self._next_head_check = start + HEADS_PER_ROUND
        return (known + known)[start : start + min(HEADS_PER_ROUND, len(known))]

    def _retry_mismatches(self, token: int, position: IndexPosition) -> None:
        """Fetch a contradicted issuer's events anew; where the node now gives a history that fits, index
        from the first difference again."""
        with self._store.read() as unit:
            mismatched = list(unit.events.mismatches())
        for issuer in mismatched:
            fresh = self._chain.events_in_range(
                self._chain.info.deployed_block, position.block.number, issuer=issuer
            )
            head = bytes(32)
            for event in fresh:
                head = fold(head, event)
            if head != self._chain.head_of(issuer, position.block.hash):
                continue
            with self._store.write() as unit:
                unit.leases.check(LEASE, token)
                stored = [item.event for item in unit.events.of_issuer(issuer)]
                unit.events.clear_mismatch(issuer)
                block = _first_difference(stored, fresh)
                if block is not None:
                    unit.events.rewind(block - 1)
                    self._reset_position(unit, block - 1, position)
            log.warning("index agrees with the chain again", extra={"issuer": to_hex(issuer)})

    def _reset_position(self, unit: Unit, block_number: int, position: IndexPosition) -> None:
        header = self._chain.header(max(block_number, 0))
        unit.events.append((header,), (), keep_headers=KEPT_HEADERS)
        unit.events.set_position(IndexPosition(header, position.final_block, self._clock.now()))

    # --- feed -----------------------------------------------------------------------------------------------

    def _publish_final(self, unit: Unit, final_block: int) -> None:
        """Append to the feed what became final since the cursor. The cursor is a block number."""
        done = unit.feed.cursor(FEED_CURSOR)
        position = unit.events.position()
        upto = min(final_block, position.block.number if position else 0)
        if upto <= done:
            return
        after = 0
        while True:
            page = unit.events.list(
                kinds=tuple(_FEED_KINDS), from_block=done + 1, up_to_block=upto, after=after, limit=FEED_PAGE
            )
            hosted = unit.issuers.by_addresses({item.event.issuer for item in page})
            roots = {
                (item.event.issuer, item.event.root)
                for item in page
                if item.event.root is not None and item.event.issuer in hosted
            }
            batches = {(batch.issuer, batch.root): batch.id for batch in unit.batches.by_roots(roots)}
            for item in page:
                event = item.event
                if event.issuer in hosted:
                    batch_id = batches.get((event.issuer, event.root))
                    unit.feed.append(
                        self._clock.now(),
                        _FEED_KINDS[event.kind],
                        event.issuer,
                        _feed_payload(event, batch_id),
                    )
            if len(page) < FEED_PAGE:
                break
            after = page[-1].id
        unit.feed.set_cursor(FEED_CURSOR, upto)


def _first_difference(stored: Sequence[RegistryEvent], fresh: Sequence[RegistryEvent]) -> int | None:
    """Block from which two histories differ, or None when they are equal."""
    for old, new in zip(stored, fresh, strict=False):
        if old != new:
            return min(old.block_number, new.block_number)
    rest = stored[len(fresh) :] or fresh[len(stored) :]
    return rest[0].block_number if rest else None


def _feed_payload(event: RegistryEvent, batch_id: str | None) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "transaction": to_hex(event.transaction),
        "block_number": event.block_number,
        "block_hash": to_hex(event.block_hash),
        "at": event.at,
        "reason": reason_from_code(event.reason).label,
    }
    if event.account is not None:
        payload["key" if event.root is None else "actor"] = to_hex(event.account)
    if event.root is not None:
        payload |= {"root": to_hex(event.root), "batch": batch_id}
    if event.changes:
        payload["changes"] = [
            {"word": change.word, "mask": f"0x{change.mask:064x}"} for change in event.changes
        ]
    return payload
