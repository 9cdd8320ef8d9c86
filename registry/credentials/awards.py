"""Awards: issued in batches, looked at, superseded.

One request makes one sealed batch; its awards are stored in the very transactions that store and seal their
entries (`registry.services.items.Companion`). Who was awarded is the issuer's to see alone. Invariants: an
award is superseded once, in the transaction that seals the one which replaces it, and that transaction asks
for the old one's revocation too; whatever is refused leaves no batch, no award and no revocation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain as joined
from typing import Any

from registry.credentials.award_quote import Quote, quote
from registry.credentials.award_values import AwardRequest, Place, Recipient, Row
from registry.credentials.awarding import (
    AwardMaker,
    AwardOptions,
    Listed,
    Securer,
    StatusAssigner,
)
from registry.credentials.badges import Profile
from registry.encoding import Address, Digest
from registry.errors import Fault, ForbiddenError, NotFoundError, ValidationError, WrongStateError
from registry.model.awards import Award
from registry.model.batches import Batch, BatchState, Entry
from registry.model.issuers import Caller, Issuer, Scope
from registry.model.operations import RequestKind
from registry.model.reasons import Reason
from registry.ports.chain import Chain
from registry.ports.clock import Clock
from registry.ports.store import Store, Unit
from registry.services.access import may_see_private, require, require_issuer
from registry.services.auditing.states import entry_states
from registry.services.idempotency import IdempotencyRef
from registry.services.issuing import IssuingService
from registry.services.items import NewItem
from registry.services.policy import Policy
from registry.services.status import StatusService

STORED_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Awarded:
    """What a request made. ``batch`` is None when every row stood for an award that was there already."""

    batch: Batch | None
    made: int
    replayed: int
    listed: Sequence[Listed]


@dataclass(frozen=True, slots=True)
class Preview:
    """What would become of a row: its problems, the award that it repeats, or its credential unsecured."""

    place: Place
    problems: tuple[Fault, ...]
    replays: str | None
    document: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class AwardView:
    """An award as its issuer sees it. ``entry`` is None once erased; ``status`` is the index's word."""

    award: Award
    entry: Entry | None
    status: str | None


@dataclass(frozen=True, slots=True)
class Superseded:
    """The new award, and the request that revokes the old one; None when told again later."""

    award_id: str
    batch_id: str
    index: int
    revocation: str | None


class AwardService:
    """Awards of the issuers hosted here."""

    def __init__(
        self,
        store: Store,
        chain: Chain,
        clock: Clock,
        policy: Policy,
        issuing: IssuingService,
        status: StatusService,
        securer: Securer,
        identify: Callable[[Address], str],
        assigner: StatusAssigner | None = None,
    ) -> None:
        """``identify`` gives an issuer's DID; without an ``assigner`` credentials name no status list."""
        self._store = store
        self._chain = chain
        self._clock = clock
        self._policy = policy
        self._issuing = issuing
        self._status = status
        self._securer = securer
        self._identify = identify
        self._assigner = assigner

    # --- issuing --------------------------------------------------------------------------------------------

    def create(
        self,
        caller: Caller,
        rows: Iterable[Row],
        options: AwardOptions,
        *,
        idempotency: IdempotencyRef | None = None,
    ) -> Awarded:
        """Issue an award for each row as one sealed batch; rows may be a stream.

        Raises:
            ForbiddenError: not an issuer's key with scope `batch`.
            ValidationError: no row; rows that are wrong (up to 20 places are named).
            ExternalIdConflictError: an external_id is taken by other content.
            TooLargeError: more than 100,000 rows.
            SignerError: the credentials cannot be signed.
        """
        issuer = require_issuer(caller, Scope.BATCH)
        maker = self._maker(issuer, options)
        batch = self._issue(caller, maker, rows, idempotency)
        if batch is None and idempotency is not None:
            with self._store.write() as unit:
                idempotency.bind(unit, "rows:")
        return Awarded(batch, maker.made, maker.replayed, maker.listed)

    def _maker(self, issuer: Address, options: AwardOptions, supersedes: str | None = None) -> AwardMaker:
        found = self._issuer(issuer)
        return AwardMaker(
            store=self._store,
            securer=self._securer,
            assigner=self._assigner,
            issuer=issuer,
            profile=Profile(self._identify(issuer), found.name, found.url),
            options=options,
            now=self._now(),
            supersedes=supersedes,
        )

    def _issuer(self, address: Address) -> Issuer:
        with self._store.read() as unit:
            found = unit.issuers.get(address)
        if found is None:
            raise NotFoundError("no such issuer here")
        return found

    def _now(self) -> datetime:
        return self._clock.now().replace(microsecond=0)

    def _issue(
        self,
        caller: Caller,
        maker: AwardMaker,
        rows: Iterable[Row],
        idempotency: IdempotencyRef | None,
        on_sealed: Callable[[Unit], None] | None = None,
    ) -> Batch | None:
        """The sealed batch; None when every row is a repetition."""
        items = maker.items(rows)
        first = next(items, None)
        if first is None:
            if maker.replayed:
                return None
            fault = Fault("empty", "at least one award is expected", "")
            raise ValidationError("there is nothing to award", faults=[fault])
        return self._issuing.create_batch(
            caller,
            joined([first], items),
            position=maker.position,
            idempotency=idempotency,
            companion=_Recorder(on_sealed),
        )

    # --- trying ---------------------------------------------------------------------------------------------

    def previews(self, caller: Caller, rows: Iterable[Row], options: AwardOptions) -> Iterator[Preview]:
        """What would become of each row. Nothing is stored, signed or taken from a status list.

        Raises:
            ForbiddenError, TooLargeError: as in `create`; the former at once.
        """
        issuer = require_issuer(caller, Scope.BATCH)
        maker = self._maker(issuer, options)
        return (
            Preview(
                draft.place,
                draft.problems,
                None if draft.replays is None else draft.replays.id,
                None if draft.badge is None else maker.document(draft),
            )
            for drafts in maker.drafts(rows)
            for draft in drafts
        )

    def quote(self, caller: Caller, awards: int) -> Quote | None:
        """The cost of anchoring so many awards now. Raises `ForbiddenError`."""
        return quote(self._chain, self._issuer(require_issuer(caller, Scope.BATCH)), awards)

    # --- looking --------------------------------------------------------------------------------------------

    def get(self, caller: Caller, award_id: str) -> tuple[AwardView, bytes | None]:
        """An award and its credential as secured; None once erased. Another issuer's is as unknown as none.

        Raises:
            NotFoundError: no such award of the caller's issuer.
        """
        with self._store.read() as unit:
            award = _visible(unit, caller, award_id)
            (view,) = award_views(unit, [award])
            return view, unit.entries.document(award.batch_seq, award.index)

    def page(
        self,
        caller: Caller,
        *,
        achievement_id: str | None = None,
        batch_id: str | None = None,
        external_id: str | None = None,
        before: tuple[int, int] | None = None,
        limit: int = 50,
    ) -> Sequence[AwardView]:
        """The issuer's awards, newest first; all issuers' for the server's administrator. Of an external_id
        there is one at most, and it stands alone.

        Raises:
            ForbiddenError: the caller is neither.
            NotFoundError: no such batch.
        """
        if caller.issuer is None and not caller.is_server_admin:
            raise ForbiddenError("this needs an issuer's API key")
        with self._store.read() as unit:
            if external_id is not None:
                return _named(unit, caller, external_id, achievement_id, batch_id)
            batch = None if batch_id is None else unit.batches.by_id(batch_id)
            if batch_id is not None and batch is None:
                raise NotFoundError("no such batch")
            found = unit.awards.page(
                caller.issuer,
                achievement_id=achievement_id,
                batch_seq=None if batch is None else batch.seq,
                before=before,
                limit=limit,
            )
            return award_views(unit, found)

    def of_batch(self, caller: Caller, batch: Batch, limit: int) -> Sequence[Listed]:
        """The first awards of a batch of the caller's issuer, in order."""
        places = [(batch.seq, index) for index in range(min(batch.size, limit))]
        with self._store.read() as unit:
            found = unit.awards.by_places(places)
        return [
            Listed(Place(), award.id, award.index) for award in found if may_see_private(caller, award.issuer)
        ]

    # --- superseding ----------------------------------------------------------------------------------------

    def supersede(
        self,
        caller: Caller,
        award_id: str,
        request: AwardRequest,
        options: AwardOptions,
        note: str | None = None,
        *,
        idempotency: IdempotencyRef | None = None,
    ) -> Superseded:
        """Issue ``request`` in the place of an award, and revoke that one with the reason `superseded`.

        What the request leaves open, recipient and achievement, is taken from the old award. The same request
        again gives the award that it made. Where the operator wants approvals, new batch and revocation wait
        for one each.

        Raises:
            ForbiddenError: not an issuer's key with the scopes `batch` and `status`.
            NotFoundError: the issuer has no such award.
            WrongStateError: it is erased, its batch has failed, or another award supersedes it.
            ValidationError, ExternalIdConflictError, SignerError: as in `create`.
        """
        issuer = require_issuer(caller, Scope.BATCH)
        require(caller, Scope.STATUS)
        with self._store.read() as unit:
            old = _visible(unit, caller, award_id)
            entries = unit.entries.by_indices([(old.batch_seq, old.index)])
            new = None if old.superseded_by is None else unit.awards.get(old.superseded_by)
        if old.recipient is None or not entries:
            raise WrongStateError("the award is erased")
        if old.batch_state is BatchState.FAILED:
            raise WrongStateError("the award's batch has failed: try it again instead")
        request = replace(
            request,
            recipient=request.recipient or Recipient.from_json(old.recipient),
            achievement_id=request.achievement_id or old.achievement_id,
        )
        maker = self._maker(issuer, options, supersedes=old.id)
        if old.superseded_by is not None:
            if new is None or new.fingerprint != maker.fingerprint(request):
                raise WrongStateError("another award supersedes this one")
            return Superseded(new.id, new.batch_id, new.index, None)
        asked: list[str] = []

        def link(unit: Unit) -> None:
            if not unit.awards.supersede(old.id, maker.listed[0].award_id):
                raise WrongStateError("another award supersedes this one")
            asked.append(self._revoke(unit, caller, entries[0].digest, note))

        batch = self._issue(caller, maker, [request], idempotency, link)
        if batch is None:
            raise WrongStateError("the external_id belongs to another award")
        return Superseded(maker.listed[0].award_id, batch.id, 0, asked[0])

    def _revoke(self, unit: Unit, caller: Caller, digest: Digest, note: str | None) -> str:
        hold = self._policy.require_approval
        kind, reason = RequestKind.REVOCATION, Reason.SUPERSEDED
        return self._status.change_in(unit, caller, kind, [digest], reason, note, hold=hold).id


class _Recorder:
    """A `registry.services.items.Companion`: stores the awards attached to a batch's items."""

    chunk_size = STORED_AT_ONCE

    def __init__(self, on_sealed: Callable[[Unit], None] | None) -> None:
        self._on_sealed = on_sealed

    def store(self, unit: Unit, batch: Batch, first_index: int, items: Sequence[NewItem]) -> None:
        unit.awards.add(batch, first_index, [item.attached for item in items])

    def sealed(self, unit: Unit, batch: Batch) -> None:
        del batch
        if self._on_sealed is not None:
            self._on_sealed(unit)


def _visible(unit: Unit, caller: Caller, award_id: str) -> Award:
    award = unit.awards.get(award_id)
    if award is None or not may_see_private(caller, award.issuer):
        raise NotFoundError("no such award of this issuer")
    return award


def _named(
    unit: Unit, caller: Caller, external_id: str, achievement_id: str | None, batch_id: str | None
) -> list[AwardView]:
    if caller.issuer is None:
        raise ForbiddenError("an external_id is known to its issuer's keys alone")
    entries = unit.entries.by_external_ids(caller.issuer, [external_id])
    found = unit.awards.by_places([(entry.batch_seq, entry.index) for entry in entries])
    wanted = [
        award
        for award in found
        if achievement_id in (None, award.achievement_id) and batch_id in (None, award.batch_id)
    ]
    return award_views(unit, wanted)


def award_views(unit: Unit, awards: Sequence[Award]) -> list[AwardView]:
    """The awards with their entries and what the index says of them, in the same order."""
    entries = unit.entries.by_indices([(award.batch_seq, award.index) for award in awards])
    states = dict(
        zip(
            ((entry.batch_seq, entry.index) for entry in entries),
            zip(entries, entry_states(unit, entries), strict=True),
            strict=True,
        )
    )
    views = []
    for award in awards:
        entry, (status, _) = states.get((award.batch_seq, award.index), (None, (None, None)))
        views.append(AwardView(award, entry, status))
    return views
