"""Shares: a holder shows some credentials to whoever has the address, until a day that they chose.

A share gives what it shows and no more: not the addresses of the credentials' own pages, which would outlast
it, and in none of its files either. It shows a credential whatever its own page says, since the holder chose
it for this; but what was erased, or claimed by somebody else, is gone from it.
"""

from __future__ import annotations

import secrets
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import timedelta

from registry.credentials.carriers.images import Picture
from registry.credentials.exporting import AwardExports, Exported, ExportFormat
from registry.credentials.holding.collection import own_pages
from registry.credentials.holding.held import Held, Stored, stored, with_word
from registry.credentials.holding.pages import ID_BYTES, PageView, exported, pictured
from registry.credentials.holding.sessions import require_holder
from registry.errors import ConflictError, Fault, NotFoundError, ValidationError
from registry.model.shares import Share
from registry.ports.clock import Clock
from registry.ports.store import Store, Unit
from registry.services.verification import VerificationService

DAYS = (1, 7, 30, 90, 365)
"""How long a share may last."""
MAX_SHARES = 100
MAX_TITLE = 100


@dataclass(frozen=True, slots=True)
class SharedSet:
    """A share as whoever has its address sees it: each credential with its number."""

    share: Share
    held: Sequence[tuple[int, Held]]


class ShareService:
    """Safe to call from several threads. ``session`` is a holder's token."""

    def __init__(
        self, store: Store, clock: Clock, verification: VerificationService, exports: AwardExports
    ) -> None:
        self._store = store
        self._clock = clock
        self._verification = verification
        self._exports = exports

    # --- the holder -----------------------------------------------------------------------------------------

    def create(
        self, session: str | None, page_ids: Sequence[str], *, title: str, days: int, show_name: bool
    ) -> Share:
        """Show credentials of the session's holder, in the given order, for that many days.

        Raises:
            ForbiddenError: no session in force.
            ValidationError, NotFoundError: as in `own_pages`; a title too long, days that are not of `DAYS`.
            ConflictError: the holder has `MAX_SHARES` in force.
        """
        if len(title) > MAX_TITLE:
            raise _fault("title", f"at most {MAX_TITLE} characters")
        if days not in DAYS:
            raise _fault("days", f"one of {', '.join(map(str, DAYS))}")
        now = self._clock.now()
        with self._store.write() as unit:
            holder = require_holder(unit, session, now)
            pages = own_pages(unit, holder, list(dict.fromkeys(page_ids)))
            if len(unit.shares.of_holder(holder, now)) >= MAX_SHARES:
                raise ConflictError(f"you have {MAX_SHARES} shares already; end one first")
            share = Share(
                id=secrets.token_urlsafe(ID_BYTES),
                holder=holder,
                title=title,
                show_name=show_name,
                created_at=now,
                expires_at=now + timedelta(days=days),
                pages={number: page.id for number, page in enumerate(pages, 1)},
            )
            unit.shares.add(share)
        return share

    def end(self, session: str | None, share_id: str) -> None:
        """End a share now.

        Raises:
            ForbiddenError: no session in force.
            NotFoundError: the holder has no such share.
        """
        with self._store.write() as unit:
            holder = require_holder(unit, session, self._clock.now())
            if not unit.shares.remove(holder, share_id):
                raise _no_share()

    # --- whoever has the address ----------------------------------------------------------------------------

    def view(self, share_id: str) -> SharedSet:
        """All that is shown.

        Raises:
            NotFoundError: there is no such share, or it is over.
            StoreUnavailableError: the registry cannot be read.
        """
        with self._store.read() as unit:
            share, found = self._read(unit, share_id)
        numbers = {page_id: number for number, page_id in share.pages.items()}
        held = with_word(self._verification, found, show_name=share.show_name, is_holder=False)
        return SharedSet(share, [(numbers[one.view.page.id], one) for one in held])

    def credential(self, share_id: str, number: int) -> tuple[Share, PageView]:
        """One credential of a share. Raises `NotFoundError` as `view`, and for a number that is not there."""
        with self._store.read() as unit:
            share, found = self._read(unit, share_id, {number})
        if not found:
            raise _no_share()
        return share, found[0].view(show_name=share.show_name)

    def export(self, share_id: str, number: int, wanted: ExportFormat) -> Exported:
        """A file of one credential, which names no page. Raises as `credential` and `exported`."""
        _, view = self.credential(share_id, number)
        return exported(self._exports, view, wanted, show_page=False)

    def picture(self, share_id: str, number: int) -> Picture:
        """A badge's picture. Raises as `credential`, and as `AwardExports.export`."""
        _, view = self.credential(share_id, number)
        return pictured(self._exports, view)

    def _read(
        self, unit: Unit, share_id: str, numbers: Container[int] | None = None
    ) -> tuple[Share, list[Stored]]:
        share = unit.shares.get(share_id, self._clock.now())
        if share is None:
            raise _no_share()
        wanted = [page_id for number, page_id in share.pages.items() if numbers is None or number in numbers]
        pages = {page.id: page for page in unit.pages.by_ids(wanted)}
        return share, stored(unit, [pages[page_id] for page_id in wanted])


def _no_share() -> NotFoundError:
    return NotFoundError("there is no such share: the address is wrong, or it has expired or was ended")


def _fault(name: str, detail: str) -> ValidationError:
    return ValidationError(detail, faults=[Fault("choice", detail, f"/{name}")])
