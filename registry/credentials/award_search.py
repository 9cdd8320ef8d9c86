"""Finding awards of one issuer: by what somebody typed, by achievement, batch, state and date.

What was typed is an award's id, a credential's digest, an e-mail address, or an external_id; which of them it
is follows from its form. A state that only the index knows (revoked, suspended) is looked for by going
through the awards, so one question looks at a bounded number of them and says where the next one goes on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from registry.credentials.awards import AwardView, award_views
from registry.encoding import Address, Digest
from registry.errors import ForbiddenError, NotFoundError
from registry.model.awards import Award, AwardFilter
from registry.model.batches import BatchState
from registry.model.issuers import Caller
from registry.ports.store import Store, Unit

LOOKED_AT_ONCE = 500
MOST_LOOKED_AT = 5_000
_AWARD_ID = re.compile(r"[0-9a-f]{32}")
_DIGEST = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")

Place = tuple[int, int]


class AwardState(StrEnum):
    """Where an award stands, as people ask for it. ``pending``: on its way to the chain; ``active``: final or
    mined, and neither revoked, suspended nor withdrawn; ``unknown``: the index cannot say."""

    PENDING = "pending"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"
    FAILED = "failed"
    ERASED = "erased"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Found:
    """Awards, newest first, and where to go on; ``looked_at`` awards were looked at."""

    views: Sequence[AwardView]
    following: Place | None
    looked_at: int


def state_of(view: AwardView) -> AwardState:
    """The state of an award as it was read."""
    if view.entry is None:
        return AwardState.ERASED
    if view.award.batch_state is BatchState.FAILED:
        return AwardState.FAILED
    return AwardState.PENDING if view.status is None else AwardState(view.status)


class AwardSearch:
    """Read-only."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def named(self, caller: Caller, text: str) -> Sequence[AwardView]:
        """The issuer's awards that ``text`` names, oldest first.

        Raises:
            ForbiddenError: not an issuer's key.
        """
        issuer = _reader(caller)
        with self._store.read() as unit:
            return award_views(unit, list(_named(unit, issuer, text.strip())))

    def matching(
        self,
        caller: Caller,
        wanted: AwardFilter,
        state: AwardState | None = None,
        *,
        batch_id: str | None = None,
        before: Place | None = None,
        limit: int = 50,
    ) -> Found:
        """The issuer's awards that a filter lets through, newest first.

        Args:
            batch_id: a batch's public name, which is looked up for ``wanted``.

        Raises:
            ForbiddenError: as in `named`.
            NotFoundError: the issuer has no such batch.
        """
        issuer = _reader(caller)
        shown: list[AwardView] = []
        looked_at = 0
        with self._store.read() as unit:
            wanted = in_batch(unit, issuer, wanted, batch_id)
            step = limit + 1 if state is None else LOOKED_AT_ONCE
            while looked_at < MOST_LOOKED_AT:
                awards = unit.awards.matching(issuer, wanted, before=before, limit=step)
                for view in award_views(unit, awards):
                    if len(shown) == limit:
                        return Found(shown, before, looked_at)
                    looked_at += 1
                    before = (view.award.batch_seq, view.award.index)
                    if state is None or state_of(view) is state:
                        shown.append(view)
                if len(awards) < step:
                    return Found(shown, None, looked_at)
        return Found(shown, before, looked_at)


def in_batch(unit: Unit, issuer: Address, wanted: AwardFilter, batch_id: str | None) -> AwardFilter:
    """The filter, for one batch alone where that is named. Raises `NotFoundError`."""
    if batch_id is None:
        return wanted
    batch = unit.batches.by_id(batch_id)
    if batch is None or batch.issuer != issuer:
        raise NotFoundError("no such batch of this issuer")
    return AwardFilter(
        wanted.achievement_id, batch.seq, wanted.batch_states, wanted.issued_from, wanted.issued_before
    )


def _reader(caller: Caller) -> Address:
    """Whose awards the caller reads: those of its key's issuer, whatever the key may do."""
    if caller.issuer is None:
        raise ForbiddenError("this needs an issuer's API key")
    return caller.issuer


def _named(unit: Unit, issuer: Address, text: str) -> Iterator[Award]:
    if _AWARD_ID.fullmatch(text):
        award = unit.awards.get(text)
        if award is not None and award.issuer == issuer:
            yield award
    digest = _DIGEST.fullmatch(text)
    if digest is not None:
        entries = unit.entries.by_digests([Digest(bytes.fromhex(digest[1]))], issuer=issuer)
        yield from unit.awards.by_places([(entry.batch_seq, entry.index) for entry in entries])
        return
    if _ADDRESS.fullmatch(text):
        yield from unit.awards.to_recipient(issuer, "email", text)
    if text:
        entries = unit.entries.by_external_ids(issuer, [text])
        yield from unit.awards.by_places([(entry.batch_seq, entry.index) for entry in entries])
