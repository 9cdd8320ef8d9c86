"""A holder's collection: all credentials whose pages they claimed, as one record, and the way out.

What a holder has deleted is erased as if its issuer had done so (`IssuingService.erase`): document, salt,
digest and copies are gone, root and index stay, and so does every file that was handed out before. The right
to it is the holder's own; the issuer sees in the access log that it happened.

Invariants: a session reaches its own holder's credentials alone; deleting all leaves nothing of the holder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from registry.credentials.exporting import JSON_TYPE, AwardExports, Exported
from registry.credentials.holding.held import Held, Stored, stored, with_word
from registry.credentials.holding.own_records import own_record
from registry.credentials.holding.pages import issuer_itself
from registry.credentials.holding.sessions import holder_of, new_return_link, require_holder
from registry.errors import Fault, NotFoundError, ValidationError, WrongStateError
from registry.model.issuers import Caller, Scope
from registry.model.pages import CredentialPage
from registry.model.shares import Share
from registry.ports.clock import Clock
from registry.ports.documents import Canonicalizer
from registry.ports.store import Store, Unit
from registry.services.access import token_sha256
from registry.services.issuing import IssuingService
from registry.services.verification import VerificationService
from registry.verdict.report import Outcome

MAX_CHOSEN = 100
"""Credentials that are shown, shared, recorded or deleted at once."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A holder's credentials, newest page first, and their shares in force.

    Attributes:
        total: how many there are.
        following: id of the page to go on after; None at the end.
    """

    held: Sequence[Held]
    total: int
    following: str | None
    shares: Sequence[Share]


class CollectionService:
    """Safe to call from several threads. ``session`` is a holder's token."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        verification: VerificationService,
        exports: AwardExports,
        issuing: IssuingService,
        canonicalizer: Canonicalizer,
    ) -> None:
        self._store = store
        self._clock = clock
        self._verification = verification
        self._exports = exports
        self._issuing = issuing
        self._canonicalizer = canonicalizer

    def of(self, session: str | None, after: str | None = None) -> Collection | None:
        """The session's collection, up to `MAX_CHOSEN` credentials of it; None without a session in force.

        Args:
            after: id of the page that was shown last.

        Raises:
            NotFoundError: ``after`` is no page of theirs.
        """
        now = self._clock.now()
        with self._store.read() as unit:
            holder = holder_of(unit, session, now)
            if holder is None:
                return None
            place = None
            if after is not None:
                last = unit.pages.get(after)
                if last is None or last.holder != holder:
                    raise NotFoundError("the list changed; start at its beginning")
                place = (last.created_at, last.id)
            pages = unit.pages.of_holder(holder, before=place, limit=MAX_CHOSEN + 1)
            shown = pages[:MAX_CHOSEN]
            found = stored(unit, shown)
            total = unit.pages.count_of_holder(holder)
            shares = unit.shares.of_holder(holder, now)
        held = with_word(self._verification, found, show_name=True, is_holder=True)
        return Collection(held, total, shown[-1].id if len(pages) > MAX_CHOSEN else None, shares)

    def chosen(self, session: str | None, page_ids: Sequence[str]) -> list[Held]:
        """Some credentials of the collection.

        Raises:
            ForbiddenError: no session in force.
            ValidationError: none, or too many.
            NotFoundError: one is not in the collection.
        """
        found, _ = self._chosen(session, page_ids)
        return with_word(self._verification, found, show_name=True, is_holder=True)

    def record(self, session: str | None, page_ids: Sequence[str], *, show_name: bool) -> Exported:
        """The chosen credentials that are in force, as one ClrCredential.

        Args:
            show_name: whether the recipient's name, where an issuer gave one, stands on the record itself;
                whether it stands in the credentials was their issuers' choice.

        Raises:
            ForbiddenError, ValidationError, NotFoundError: as in `chosen`.
            WrongStateError: none of them is in force.
            ChainUnavailableError, SignerError: as for exports.
        """
        found, total = self._chosen(session, page_ids)
        held = with_word(self._verification, found, show_name=True, is_holder=True)
        good = [one for one in held if one.report.outcome is Outcome.VALID and not one.view.superseded]
        if not good:
            raise WrongStateError("none of the chosen credentials is in force, and a record holds such alone")
        documents = [self._exports.document(issuer_itself(one.award.issuer), one.award.id) for one in good]
        names = [name for one in good if (name := one.award.recipient_name) is not None]
        record = own_record(
            documents,
            self._clock.now(),
            self._canonicalizer,
            name=names[0] if show_name and names else None,
            partial=len(good) < total,
        )
        return Exported(JSON_TYPE, "learner-record.json", orjson.dumps(record))

    def new_return_link(self, session: str) -> str:
        """A new return link's token, told once. The one before works no longer, and all other sessions end:
        whoever asks may have lost a link, or a device.

        Raises:
            ForbiddenError: no session in force.
        """
        now = self._clock.now()
        with self._store.write() as unit:
            holder = require_holder(unit, session, now)
            unit.pages.remove_sessions(holder, keep=token_sha256(session))
            return new_return_link(unit, holder, now)

    # --- deleting -------------------------------------------------------------------------------------------

    def delete(self, session: str | None, page_ids: Sequence[str]) -> int:
        """Erase chosen credentials; how many. They come back in no way.

        Raises:
            ForbiddenError, ValidationError, NotFoundError: as in `chosen`.
            StoreUnavailableError: some may be erased, the others not; repeat it.
        """
        found, _ = self._chosen(session, page_ids)
        return sum(self._erase(one) for one in found)

    def delete_all(self, session: str | None) -> int:
        """Erase all credentials of the holder, and everything about them: sessions, return link, shares.

        Raises:
            ForbiddenError: no session in force.
            StoreUnavailableError: some may be erased, the others not; the session lasts, so repeat it.
        """
        with self._store.read() as unit:
            holder = require_holder(unit, session, self._clock.now())
            found = stored(unit, unit.pages.of_holder(holder))
        count = sum(self._erase(one) for one in found)
        with self._store.write() as unit:
            unit.pages.remove_holder(holder)
        return count

    def _erase(self, one: Stored) -> int:
        """Each in a transaction of its own: what was erased stays so whatever happens to the next."""
        holder = Caller("holder", None, one.award.issuer, frozenset({Scope.BATCH}))
        try:
            self._issuing.erase(holder, one.entry.digest)
        except NotFoundError:  # its issuer was quicker
            return 0
        return 1

    def _chosen(self, session: str | None, page_ids: Sequence[str]) -> tuple[list[Stored], int]:
        """Those credentials, and how many the holder has."""
        wanted = list(dict.fromkeys(page_ids))
        with self._store.read() as unit:
            holder = require_holder(unit, session, self._clock.now())
            pages = own_pages(unit, holder, wanted)
            return stored(unit, pages), unit.pages.count_of_holder(holder)


def own_pages(unit: Unit, holder: str, wanted: Sequence[str]) -> list[CredentialPage]:
    """The holder's pages of those ids, in their order.

    Raises:
        ValidationError: none, or more than `MAX_CHOSEN`.
        NotFoundError: one is not the holder's, or not there any more.
    """
    if not 1 <= len(wanted) <= MAX_CHOSEN:
        detail = f"choose 1 to {MAX_CHOSEN} credentials"
        raise ValidationError(detail, faults=[Fault("count", detail, "/page")])
    found = {page.id: page for page in unit.pages.by_ids(wanted) if page.holder == holder}
    if len(found) < len(wanted):
        raise NotFoundError("one of the chosen credentials is not in your collection any more; reload it")
    return [found[page_id] for page_id in wanted]
