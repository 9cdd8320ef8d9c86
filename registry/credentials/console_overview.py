"""What an issuer sees first: how much there is, what is on its way, what came last. Read-only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from registry.credentials.awards import AwardView, award_views
from registry.errors import ForbiddenError
from registry.model.awards import Achievement, AwardFilter
from registry.model.batches import Batch, BatchState
from registry.model.issuers import Caller
from registry.model.operations import RequestState, StatusRequest
from registry.ports.store import Store

LAST = 8
MOST_ON_THEIR_WAY = 20
ON_THE_WAY = (BatchState.OPEN, BatchState.SEALED, BatchState.SUBMITTED, BatchState.MINED, BatchState.FAILED)
"""Batches that somebody may want to look after."""


@dataclass(frozen=True, slots=True)
class Overview:
    """``totals`` are batches and credentials by state; ``open_requests`` are status requests that are not
    final."""

    totals: Mapping[BatchState, tuple[int, int]]
    batches: Sequence[Batch]
    awards: Sequence[AwardView]
    open_requests: Sequence[StatusRequest]


class ConsoleOverview:
    """Several threads may use one."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, caller: Caller) -> Overview:
        """The overview of the caller's issuer. Raises `ForbiddenError`."""
        if caller.issuer is None:
            raise ForbiddenError("this needs an issuer's API key")
        with self._store.read() as unit:
            batches: list[Batch] = []
            for state in ON_THE_WAY:
                batches += unit.batches.page(caller.issuer, state, None, MOST_ON_THEIR_WAY)
            requests = unit.outbox.requests_of(caller.issuer, MOST_ON_THEIR_WAY)
            return Overview(
                totals=unit.batches.totals(caller.issuer),
                batches=sorted(batches, key=lambda batch: -batch.seq)[:MOST_ON_THEIR_WAY],
                awards=award_views(unit, unit.awards.matching(caller.issuer, AwardFilter(), limit=LAST)),
                open_requests=[one for one in requests if one.state is not RequestState.FINAL],
            )

    def requests(self, caller: Caller, limit: int) -> Sequence[StatusRequest]:
        """The issuer's status requests, newest first. Raises `ForbiddenError`."""
        if caller.issuer is None:
            raise ForbiddenError("this needs an issuer's API key")
        with self._store.read() as unit:
            return list(unit.outbox.requests_of(caller.issuer, limit))

    def names(self, achievement_ids: Collection[str]) -> Mapping[str, Achievement]:
        """The newest versions of achievements, by id."""
        with self._store.read() as unit:
            return unit.achievements.newest(achievement_ids)
