"""What auditors ask of a server: revocations, events, an issuer's history with its head check, consistency.

Everything about the chain comes from the index, and what an issuer's history is held against is read from
the contract.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from registry.encoding import Address, Root, format_time
from registry.errors import ChainError, ChainUnavailableError, IndexStaleError, NotFoundError
from registry.model.batches import Batch, Entry
from registry.model.chain import EventKind, Header, IndexPosition, RegistryEvent
from registry.model.issuers import Caller
from registry.model.reasons import reason_from_code
from registry.ports.chain import ChainReader
from registry.ports.clock import Clock
from registry.ports.store import FeedItem, Store, Unit
from registry.services.access import may_see_private
from registry.services.auditing.consistency import Difference, differences
from registry.services.auditing.figures import Figures, figures_of
from registry.services.auditing.history import IssuerAudit, audit_events
from registry.services.auditing.revocations import Cursor, RevocationLine, Selection, page
from registry.services.auditing.states import entry_states
from registry.services.auditing.story import story_of
from registry.services.moments import block_of, refuse_future
from registry.verdict.views import LaterFact, Target

T = TypeVar("T")

BatchView = Callable[[Batch, int | None], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Consistency:
    """The differences between server and chain at a block."""

    block_number: int
    differences: Sequence[Difference]

    @property
    def consistent(self) -> bool:
        """Whether there is none."""
        return not self.differences


@dataclass(frozen=True, slots=True)
class Heads:
    """Whether the index leads to the contract's heads at a block; None: not known now."""

    block: Header
    match: Mapping[Address, bool | None]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list, the cursor of the next part, and how far the index was when it was read."""

    items: Sequence[T]
    next_cursor: str | None
    position: IndexPosition | None


class AuditService:
    """Read-only; several threads may use one."""

    def __init__(self, store: Store, chain: ChainReader, clock: Clock) -> None:
        self._store = store
        self._chain = chain
        self._clock = clock

    # --- lists ----------------------------------------------------------------------------------------------

    def revocations(
        self,
        caller: Caller | None,
        selection: Selection,
        cursor: str | None,
        limit: int,
        as_of: int | datetime | None = None,
    ) -> Page[RevocationLine]:
        """Status changes in chain order. Who requested one is shown to its issuer and to scope `audit` alone.

        Raises:
            ValidationError: a cursor that is not ours, or ``as_of`` in the future or before the chain.
            IndexStaleError: ``as_of`` is given, and nothing is indexed yet.
            ChainUnavailableError, ChainError: ``as_of`` is given, and the node that knows it cannot be read.
        """
        start = Cursor.parse(cursor)
        refuse_future(as_of, self._clock.now())
        with self._store.read() as unit:
            position = unit.events.position()
            if as_of is not None:
                selection = replace(selection, up_to_block=self._block(unit, as_of).number)
            final = position.final_block if position else 0
            lines, following = page(unit, selection, start, limit, final)
        shown = [
            line if may_see_private(caller, line.issuer) else replace(line, requested_by=None)
            for line in lines
        ]
        return Page(shown, str(following) if following else None, position)

    def events(
        self,
        *,
        issuer: Address | None,
        kinds: Collection[EventKind] | None,
        since: int | None,
        until: int | None,
        after: int,
        limit: int,
        reason: int | None = None,
        as_of: int | datetime | None = None,
    ) -> Page[RegistryEvent]:
        """Contract events in chain order, ``after`` the index's own number. Raises as `revocations` does for
        ``as_of``."""
        refuse_future(as_of, self._clock.now())
        with self._store.read() as unit:
            position = unit.events.position()
            stored = unit.events.list(
                issuer=issuer,
                kinds=kinds,
                reason=reason,
                since=since,
                until=until,
                up_to_block=None if as_of is None else self._block(unit, as_of).number,
                after=after,
                limit=limit + 1,
            )
        shown = stored[:limit]
        following = str(shown[-1].id) if len(stored) > limit else None
        return Page([item.event for item in shown], following, position)

    def event(self, block_number: int, log_index: int) -> tuple[RegistryEvent, bool]:
        """The event at a place on the chain, and whether its block is final.

        Raises:
            NotFoundError: there is none, as far as the chain is indexed.
        """
        with self._store.read() as unit:
            position = unit.events.position()
            found = unit.events.at(block_number, log_index)
        if found is None:
            raise NotFoundError(
                "there is no event of the registry at this place, as far as the chain was read"
            )
        return found, position is not None and block_number <= position.final_block

    def figures(self, issuer: Address | None, as_of: int | datetime | None = None) -> Figures:
        """See `registry.services.auditing.figures`. Raises as `issuer` does."""
        refuse_future(as_of, self._clock.now())
        with self._store.read() as unit:
            block = self._position(unit).block if as_of is None else self._block(unit, as_of)
            return figures_of(unit, issuer, block)

    def heads(self, issuers: Sequence[Address]) -> Heads:
        """The issuers' indexed heads, and the contract's at the same block; None where it cannot be read
        now. Raises `IndexStaleError`."""
        with self._store.read() as unit:
            block = self._position(unit).block
            indexed = {issuer: unit.events.head_of(issuer, block.number) for issuer in issuers}
        try:
            there = {issuer: self._chain.head_of(issuer, block.hash) for issuer in issuers}
        except (ChainUnavailableError, ChainError):
            return Heads(block, dict.fromkeys(issuers))
        return Heads(block, {issuer: indexed[issuer] == there[issuer] for issuer in issuers})

    def feed(self, caller: Caller | None, after: int, limit: int) -> Sequence[FeedItem]:
        """The server's own events. Its administrator sees all, an issuer's key its own, others none."""
        with self._store.read() as unit:
            if caller is not None and caller.is_server_admin:
                return unit.feed.after(after, limit)
            if caller is not None and caller.issuer is not None:
                return unit.feed.after(after, limit, issuer=caller.issuer)
        return ()

    # --- histories ------------------------------------------------------------------------------------------

    def issuer(self, issuer: Address, as_of: int | datetime | None = None) -> IssuerAudit:
        """An issuer's indexed history up to the indexed block or the one that ``as_of`` names, held against
        the contract's head there.

        Raises:
            ChainUnavailableError, ChainError: the contract cannot be read at that block.
            IndexStaleError: nothing is indexed yet.
            ValidationError: ``as_of`` lies in the future, or before the chain.
        """
        refuse_future(as_of, self._clock.now())
        with self._store.read() as unit:
            block = self._position(unit).block if as_of is None else self._block(unit, as_of)
            return self._audit(unit, issuer, block)

    def story(self, target: Target, up_to_block: int | None = None) -> tuple[LaterFact, ...]:
        """What happened to one credential, oldest first; until a block, or all that is indexed."""
        with self._store.read() as unit:
            return story_of(unit, target, up_to_block)

    def consistency(self) -> Consistency:
        """Hold all hosted issuers' records against their histories on chain. Raises like `issuer`."""
        with self._store.read() as unit:
            position = self._position(unit)
            audits = (self._audit(unit, address, position.block) for address in _hosted(unit))
            return Consistency(position.block.number, differences(unit, audits, position.final_block))

    def _audit(self, unit: Unit, issuer: Address, block: Header) -> IssuerAudit:
        events: list[RegistryEvent] = [
            item.event for item in unit.events.of_issuer(issuer, up_to_block=block.number)
        ]
        return audit_events(issuer, events, block, self._chain.head_of(issuer, block.hash))

    def _block(self, unit: Unit, as_of: int | datetime) -> Header:
        return block_of(as_of, self._position(unit), unit, self._chain, self._clock.now())

    # --- small reads ----------------------------------------------------------------------------------------

    def position(self) -> IndexPosition | None:
        """How far the index is."""
        with self._store.read() as unit:
            return unit.events.position()

    def entry_states(self, entries: Sequence[Entry]) -> list[tuple[str | None, int | None]]:
        """See `registry.services.auditing.states.entry_states`."""
        with self._store.read() as unit:
            return entry_states(unit, entries)

    def batch_views(self, batches: Sequence[Batch], view: BatchView) -> list[dict[str, Any]]:
        """Batches as ``view`` shows them, with their withdrawal as the index has it."""
        roots = [(batch.issuer, batch.root) for batch in batches if batch.root is not None]
        with self._store.read() as unit:
            position = unit.events.position()
            withdrawn = _withdrawals(unit, roots)
        latest = position.block.number if position else None
        return [
            view(batch, latest) | {"withdrawn": withdrawn.get((batch.issuer, batch.root))}
            for batch in batches
        ]

    @staticmethod
    def _position(unit: Unit) -> IndexPosition:
        position = unit.events.position()
        if position is None:
            raise IndexStaleError("nothing is indexed yet; try again shortly")
        return position


def _hosted(unit: Unit) -> Iterator[Address]:
    after: Address | None = None
    while found := unit.issuers.page(after, 500):
        for issuer in found:
            yield issuer.address
        after = found[-1].address


def _withdrawals(
    unit: Unit, roots: Sequence[tuple[Address, Root]]
) -> dict[tuple[Address, Root | None], dict[str, Any] | None]:
    found: dict[tuple[Address, Root | None], dict[str, Any] | None] = {}
    for event in unit.events.touching([(issuer, root, 0) for issuer, root in roots]):
        if event.kind is EventKind.BATCH_WITHDRAWN:
            found[event.issuer, event.root] = {
                "at": format_time(datetime.fromtimestamp(event.at, UTC)),
                "reason": reason_from_code(event.reason).label,
                "transaction": "0x" + event.transaction.hex(),
            }
        elif event.kind is EventKind.WITHDRAWAL_ANNULLED:
            found[event.issuer, event.root] = None
    return found
