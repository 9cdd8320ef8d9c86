"""The credentials behind pages, read together, with what the registry says of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from registry.credentials.holding.pages import PageView, view_of
from registry.credentials.readable import Badge, readable
from registry.errors import RootmarkError
from registry.model.awards import Award
from registry.model.batches import Entry
from registry.model.pages import CredentialPage
from registry.ports.store import Unit
from registry.services.verification import VerificationService, VerifyRequest
from registry.verdict.report import Report


@dataclass(frozen=True, slots=True)
class Stored:
    """A page's credential as it is stored."""

    page: CredentialPage
    award: Award
    entry: Entry
    document: bytes

    def view(self, *, show_name: bool, is_holder: bool = False) -> PageView:
        """As a reader sees it."""
        document = orjson.loads(self.document)
        return view_of(self.page, self.award, document, show_name=show_name, is_holder=is_holder)


@dataclass(frozen=True, slots=True)
class Held:
    """A credential as its page or a share shows it, with the registry's word on its digest."""

    view: PageView
    award: Award
    badge: Badge
    report: Report


def stored(unit: Unit, pages: Sequence[CredentialPage]) -> list[Stored]:
    """The credentials of pages, in their order; erased ones are left out."""
    awards = {award.id: award for award in unit.awards.by_ids([page.award_id for page in pages])}
    places = [(award.batch_seq, award.index) for award in awards.values()]
    entries = {(entry.batch_seq, entry.index): entry for entry in unit.entries.by_indices(places)}
    documents = unit.entries.documents(places)
    found = []
    for page in pages:
        award = awards.get(page.award_id)
        place = None if award is None else (award.batch_seq, award.index)
        if award is not None and place in entries and place in documents and not award.is_erased:
            found.append(Stored(page, award, entries[place], documents[place]))
    return found


def with_word(
    verification: VerificationService, credentials: Sequence[Stored], *, show_name: bool, is_holder: bool
) -> list[Held]:
    """The credentials with the registry's word on each, asked in one go.

    Raises:
        StoreUnavailableError: the registry cannot be read.
    """
    asked = [VerifyRequest(one.entry.digest, issuer=one.entry.issuer) for one in credentials]
    held = []
    for one, report in zip(credentials, verification.verify_many(asked), strict=True):
        if isinstance(report, RootmarkError):
            raise report
        view = one.view(show_name=show_name, is_holder=is_holder)
        held.append(Held(view, one.award, readable(view.document), report))
    return held
