"""What auditors ask of a server: revocations, events, an issuer's history with its head check, consistency.

Everything about the chain comes from the index, and what an issuer's history is held against is read from
the contract.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from registry.encoding import Address, Root, format_time
from registry.errors import Fault, IndexStaleError, UnknownBlockError, ValidationError
from registry.model.batches import Batch, Entry
from registry.model.chain import EventKind, Header, IndexPosition, RegistryEvent
from registry.model.issuers import Caller
from registry.model.reasons import reason_from_code
from registry.ports.chain import ChainReader
from registry.ports.store import FeedItem, Store, StoredEvent, Unit
from registry.services.access import may_see_private
from registry.services.auditing.consistency import Difference, differences
from registry.services.auditing.history import IssuerAudit, audit_events
from registry.services.auditing.revocations import Cursor, RevocationLine, Selection, page
from registry.services.auditing.states import entry_states

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


class AuditService:
    """Read-only; several threads may use one."""

    def __init__(self, store: Store, chain: ChainReader) -> None:
        self._store = store
        self._chain = chain

    # --- revocations ----------------------------------------------------------------------------------------

    def revocations(
        self,
        caller: Caller | None,
        selection: Selection,
        cursor: str | None,
        limit: int,
        as_of: int | datetime | None = None,
    ) -> tuple[list[RevocationLine], str | None]:
        """A page of status changes in chain order, and the next page's cursor. Who requested one is shown to
        its issuer and to scope `audit` alone.

        Raises:
            ValidationError: a cursor that is not ours, or ``as_of`` in the future.
            ChainUnavailableError: ``as_of`` is a time and the node cannot be read.
        """
        start = Cursor.parse(cursor)
        if as_of is not None:
            selection = replace(selection, up_to_block=self.block_at(as_of))
        with self._store.read() as unit:
            lines, following = page(unit, selection, start, limit, self._final_block(unit))
        shown = [
            line if may_see_private(caller, line.issuer) else replace(line, requested_by=None)
            for line in lines
        ]
        return shown, str(following) if following else None

    def block_at(self, as_of: int | datetime) -> int:
        """The block that ``as_of`` means: itself, or the last one not later. Raises `ValidationError` for
        the future."""
        latest = self._chain.latest()
        if isinstance(as_of, int):
            number = as_of
        else:
            number = self._block_at_time(int(as_of.timestamp()), latest)
        if number > latest.number:
            fault = Fault("future", "as_of lies in the future of the chain", "/as_of")
            raise ValidationError("as_of lies in the future of the chain", faults=[fault])
        return number

    def _block_at_time(self, seconds: int, latest: Header) -> int:
        if seconds >= latest.timestamp:
            return latest.number
        try:
            return self._chain.block_at_time(seconds).number
        except UnknownBlockError as error:
            fault = Fault("past", "as_of lies before the chain's first block", "/as_of")
            raise ValidationError("as_of lies before the chain's first block", faults=[fault]) from error

    # --- events ---------------------------------------------------------------------------------------------

    def events(
        self,
        *,
        issuer: Address | None,
        kinds: Collection[EventKind] | None,
        since: int | None,
        until: int | None,
        after: int,
        limit: int,
    ) -> Sequence[StoredEvent]:
        """Contract events in chain order, ``after`` the index's own number."""
        with self._store.read() as unit:
            return unit.events.list(
                issuer=issuer, kinds=kinds, since=since, until=until, after=after, limit=limit
            )

    def feed(self, caller: Caller | None, after: int, limit: int) -> Sequence[FeedItem]:
        """The server's own events. Its administrator sees all, an issuer's key its own, others none."""
        with self._store.read() as unit:
            if caller is not None and caller.is_server_admin:
                return unit.feed.after(after, limit)
            if caller is not None and caller.issuer is not None:
                return unit.feed.after(after, limit, issuer=caller.issuer)
        return ()

    # --- histories ------------------------------------------------------------------------------------------

    def issuer(self, issuer: Address) -> IssuerAudit:
        """An issuer's indexed history, held against the contract's head at the indexed block.

        Raises:
            ChainUnavailableError, UnknownBlockError: the contract cannot be read at that block.
            IndexStaleError: nothing is indexed yet.
        """
        with self._store.read() as unit:
            position = self._position(unit)
            return self._audit(unit, issuer, position)

    def consistency(self) -> Consistency:
        """Hold all hosted issuers' records against their histories on chain. Raises like `issuer`."""
        with self._store.read() as unit:
            position = self._position(unit)
            audits = (self._audit(unit, address, position) for address in _hosted(unit))
            return Consistency(position.block.number, differences(unit, audits, position.final_block))

    def _audit(self, unit: Unit, issuer: Address, position: IndexPosition) -> IssuerAudit:
        events: list[RegistryEvent] = [
            item.event for item in unit.events.of_issuer(issuer, up_to_block=position.block.number)
        ]
        head = self._chain.head_of(issuer, position.block.hash)
        return audit_events(issuer, events, position.block, head)

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

    @staticmethod
    def _final_block(unit: Unit) -> int:
        position = unit.events.position()
        return position.final_block if position else 0


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
