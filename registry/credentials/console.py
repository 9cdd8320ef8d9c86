"""What the issuers' console needs beside the services that the API has."""

from __future__ import annotations

from dataclasses import dataclass

from registry.credentials.award_drafts import AwardDrafts
from registry.credentials.award_search import AwardSearch
from registry.credentials.awards import AwardService
from registry.credentials.change_drafts import ChangeDrafts
from registry.credentials.console_overview import ConsoleOverview
from registry.credentials.drafts import DraftShelf
from registry.ports.clock import Clock
from registry.ports.store import Store
from registry.services.access import AccessService
from registry.services.sessions import SessionService
from registry.services.status import StatusService


@dataclass(frozen=True, slots=True)
class ConsoleServices:
    """Sessions, what the first page shows, search, and drafts of awards and of changes."""

    sessions: SessionService
    overview: ConsoleOverview
    search: AwardSearch
    shelf: DraftShelf
    awards: AwardDrafts
    changes: ChangeDrafts


def console_services(
    store: Store, clock: Clock, access: AccessService, awards: AwardService, status: StatusService
) -> ConsoleServices:
    """Put the services together."""
    shelf = DraftShelf(store, clock)
    return ConsoleServices(
        sessions=SessionService(store, clock, access),
        overview=ConsoleOverview(store),
        search=AwardSearch(store),
        shelf=shelf,
        awards=AwardDrafts(shelf, awards),
        changes=ChangeDrafts(store, shelf, status),
    )
