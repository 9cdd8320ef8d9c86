"""Changing the status of many credentials: chosen, counted, confirmed, carried out.

What is confirmed is what is changed: the draft holds the digests, not the question that found them. An award
whose batch has failed, or that is erased, has no status; it is left out and counted. A file that names
something the issuer does not have is wrong as a whole, and says where.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from registry.credentials.award_search import in_batch
from registry.credentials.awards import AwardView, award_views
from registry.credentials.change_csv import Naming, credentials_of_csv
from registry.credentials.drafts import DraftShelf, first_faults
from registry.encoding import Address, Digest
from registry.errors import (
    Fault,
    NotFoundError,
    TooLargeError,
    ValidationError,
    WrongStateError,
)
from registry.model.awards import AwardFilter
from registry.model.batches import BatchState, Entry
from registry.model.console import Draft, DraftKind
from registry.model.issuers import Caller, Scope
from registry.model.operations import RequestKind, StatusRequest
from registry.model.reasons import Reason
from registry.ports.store import Store, Unit
from registry.services.access import require_issuer
from registry.services.idempotency import IdempotencyRef
from registry.services.status import StatusService

MOST = 100_000
"""Credentials that one request changes."""

KINDS: Mapping[RequestKind, DraftKind] = {
    RequestKind.REVOCATION: DraftKind.REVOCATION,
    RequestKind.SUSPENSION: DraftKind.SUSPENSION,
    RequestKind.REINSTATEMENT: DraftKind.REINSTATEMENT,
}
SHOWN = 10
_NAMES = ("name", "email", "did", "url")
_READ_AT_ONCE = 2_000
_DIGEST_BYTES = 32


@dataclass(slots=True)
class _Chosen:
    """Digests that were chosen, once each, and what was left out."""

    digests: dict[Digest, None] = field(default_factory=dict)
    examples: list[AwardView] = field(default_factory=list)
    failed: int = 0
    erased: int = 0
    faults: list[Fault] = field(default_factory=list)

    def take(self, views: Iterable[AwardView]) -> None:
        """Choose awards."""
        for view in views:
            if view.entry is None:
                self.erased += 1
            elif view.award.batch_state is BatchState.FAILED:
                self.failed += 1
            else:
                self.digests[view.entry.digest] = None
                if len(self.examples) < SHOWN:
                    self.examples.append(view)
        if len(self.digests) > MOST:
            raise TooLargeError(f"these are more than {MOST} credentials; choose fewer at once")


class ChangeDrafts:
    """Drafts of revocations, suspensions and reinstatements. Every method raises `ForbiddenError` for what is
    not an issuer's key with scope `status`, and `TooLargeError` for more than 100,000 credentials."""

    def __init__(self, store: Store, shelf: DraftShelf, status: StatusService) -> None:
        self._store = store
        self._shelf = shelf
        self._status = status

    # --- choosing -------------------------------------------------------------------------------------------

    def of_awards(self, caller: Caller, kind: RequestKind, award_ids: Sequence[str]) -> Draft:
        """Awards that were ticked.

        Raises:
            ValidationError: none was.
            NotFoundError: the issuer has one of them not.
        """
        issuer = require_issuer(caller, Scope.STATUS)
        if not award_ids:
            fault = Fault("empty", "tick at least one credential", "/award")
            raise ValidationError("no credential is chosen", faults=[fault])
        chosen = _Chosen()
        with self._store.read() as unit:
            own = [award for award in unit.awards.by_ids(award_ids) if award.issuer == issuer]
            if len(own) < len(set(award_ids)):
                raise NotFoundError("no such award of this issuer")
            chosen.take(award_views(unit, own))
        return self._keep(caller, issuer, kind, "", {"by": "selected"}, chosen)

    def of_filter(
        self,
        caller: Caller,
        kind: RequestKind,
        wanted: AwardFilter,
        batch_id: str | None,
        source: Mapping[str, Any],
    ) -> Draft:
        """All awards that a filter lets through; ``source`` describes it.

        Raises:
            NotFoundError: no such batch.
        """
        issuer = require_issuer(caller, Scope.STATUS)
        chosen = _Chosen()
        with self._store.read() as unit:
            wanted = in_batch(unit, issuer, wanted, batch_id)
            before: tuple[int, int] | None = None
            while awards := unit.awards.matching(issuer, wanted, before=before, limit=_READ_AT_ONCE):
                chosen.take(award_views(unit, awards))
                before = (awards[-1].batch_seq, awards[-1].index)
        return self._keep(caller, issuer, kind, "", {"by": "filter", **source}, chosen)

    def of_csv(self, caller: Caller, kind: RequestKind, file_name: str, data: bytes) -> Draft:
        """The credentials that a file names. What is wrong with it stands in the draft's summary."""
        issuer = require_issuer(caller, Scope.STATUS)
        chosen = _Chosen()
        rows: list[Naming] = []
        try:
            for row in credentials_of_csv(data):
                if isinstance(row, Fault):
                    chosen.faults.append(row)
                else:
                    rows.append(row)
        except ValidationError as error:
            chosen.faults += error.faults
        if len(rows) > MOST:
            raise TooLargeError(f"the file names more than {MOST} credentials; cut it into several")
        with self._store.read() as unit:
            for start in range(0, len(rows), _READ_AT_ONCE):
                _choose(unit, issuer, rows[start : start + _READ_AT_ONCE], chosen)
        if not rows and not chosen.faults:
            chosen.faults.append(Fault("empty", "there is no row below the header", None, 1))
        chosen.faults.sort(key=lambda fault: fault.line or 0)
        return self._keep(caller, issuer, kind, file_name, {"by": "csv"}, chosen)

    def _keep(
        self,
        caller: Caller,
        issuer: Address,
        kind: RequestKind,
        title: str,
        source: Mapping[str, Any],
        chosen: _Chosen,
    ) -> Draft:
        digests = [] if chosen.faults else list(chosen.digests)
        count = already = 0
        if digests:
            foreseen = self._status.foresee(caller, kind, digests)
            count, already = foreseen.count, foreseen.already
        summary: dict[str, Any] = {
            "source": dict(source),
            "count": count,
            "already": already,
            "failed": chosen.failed,
            "erased": chosen.erased,
            "problem_count": len(chosen.faults),
            "problems": first_faults(chosen.faults),
            "examples": [_example(view) for view in chosen.examples],
        }
        data = b"".join(digests) if count else b""
        return self._shelf.keep(caller, issuer, KINDS[kind], title, summary, data)

    # --- carrying out ---------------------------------------------------------------------------------------

    def carry_out(
        self,
        caller: Caller,
        draft_id: str,
        reason: Reason,
        note: str | None,
        *,
        idempotency: IdempotencyRef | None = None,
    ) -> StatusRequest:
        """Ask for the change that a draft describes.

        Raises:
            NotFoundError: no such draft of this key.
            WrongStateError: there is nothing to change, or it was carried out already.
            ValidationError: a credential was erased meanwhile; nothing was changed.
        """
        draft = self._shelf.get(caller, draft_id)
        data = self._shelf.data(draft)
        kind = next((one for one, of_draft in KINDS.items() if of_draft is draft.kind), None)
        if kind is None or draft.made is not None or not data:
            raise WrongStateError("there is nothing to change in this draft")
        digests = [Digest(data[at : at + _DIGEST_BYTES]) for at in range(0, len(data), _DIGEST_BYTES)]
        made = self._status.change(caller, kind, digests, reason, note, idempotency=idempotency)
        if not isinstance(made, StatusRequest):
            raise WrongStateError("this change needs the issuer's own signature")
        self._shelf.finish(draft, f"request:{made.id}")
        return made


def _choose(unit: Unit, issuer: Address, rows: Sequence[Naming], chosen: _Chosen) -> None:
    """The credentials of some rows; a fault for each row that names none of the issuer's."""
    by_digest = {row.digest for row in rows if row.digest is not None}
    entries = {entry.digest: entry for entry in unit.entries.by_digests(by_digest, issuer=issuer)}
    names = {row.external_id for row in rows if row.external_id is not None}
    named = {entry.external_id: entry for entry in unit.entries.by_external_ids(issuer, names)}
    awarded = _entries_of_awards(unit, issuer, {row.award_id for row in rows if row.award_id is not None})
    for row in rows:
        entry = entries.get(row.digest) if row.digest is not None else named.get(row.external_id)
        if row.award_id is not None:
            entry = awarded.get(row.award_id)
        fault = _fault(row, entry)
        if fault is not None:
            chosen.faults.append(fault)
        elif entry is not None and entry.batch_state is BatchState.FAILED:
            chosen.failed += 1
        elif entry is not None:
            chosen.digests[entry.digest] = None
    _show(unit, chosen, [*entries.values(), *named.values(), *awarded.values()])


def _entries_of_awards(unit: Unit, issuer: Address, ids: Collection[str]) -> dict[str, Entry]:
    awards = [award for award in unit.awards.by_ids(ids) if award.issuer == issuer]
    places = {(award.batch_seq, award.index): award.id for award in awards}
    return {places[one.batch_seq, one.index]: one for one in unit.entries.by_indices(places)}


def _fault(row: Naming, entry: Entry | None) -> Fault | None:
    if entry is None:
        column = "digest" if row.digest else "external_id" if row.external_id else "id"
        return Fault("unknown", f"column {column}: this issuer has no such credential", None, row.line)
    if entry.root is None and entry.batch_state is not BatchState.FAILED:
        return Fault("not-sealed", "its batch is still open; seal it first", None, row.line)
    return None


def _show(unit: Unit, chosen: _Chosen, entries: Iterable[Entry]) -> None:
    missing = SHOWN - len(chosen.examples)
    places = [(one.batch_seq, one.index) for one in entries if one.digest in chosen.digests][:missing]
    if places:
        chosen.examples += award_views(unit, unit.awards.by_places(places))


def _example(view: AwardView) -> dict[str, Any]:
    recipient = view.award.recipient or {}
    return {
        "id": view.award.id,
        "achievement_id": view.award.achievement_id,
        "title": next((str(recipient[name]) for name in _NAMES if name in recipient), view.award.id),
        "external_id": None if view.entry is None else view.entry.external_id,
    }
