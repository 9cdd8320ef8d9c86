"""A unit of work: the repositories over one transaction."""

from __future__ import annotations

from sqlalchemy import column, select, table

from registry.store.database import Database
from registry.store.repositories.achievement_images import AchievementImages
from registry.store.repositories.achievements import Achievements
from registry.store.repositories.awards import Awards
from registry.store.repositories.batches import Batches
from registry.store.repositories.console import Console
from registry.store.repositories.designs import Designs
from registry.store.repositories.endorsements import Endorsements
from registry.store.repositories.entries import Entries
from registry.store.repositories.events import Events
from registry.store.repositories.feed import Feed
from registry.store.repositories.issuers import Access, Issuers
from registry.store.repositories.outbox import Outbox
from registry.store.repositories.pages import Pages
from registry.store.repositories.running import Idempotency, Leases, Meta
from registry.store.repositories.shares import Shares
from registry.store.repositories.signing_keys import SigningKeys
from registry.store.repositories.status_lists import StatusLists
from registry.store.repositories.webhooks import Webhooks
from registry.store.schema import VERSION_TABLE

_VERSION = select(table(VERSION_TABLE, column("version_num")).c.version_num)


class SqlUnit:
    """`registry.ports.store.Unit`. Must not be used after its block ended."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.issuers = Issuers(database)
        self.access = Access(database)
        self.batches = Batches(database)
        self.feed = Feed(database)
        self.entries = Entries(database, self.feed)
        self.achievements = Achievements(database)
        self.achievement_images = AchievementImages(database)
        self.awards = Awards(database)
        self.endorsements = Endorsements(database)
        self.outbox = Outbox(database)
        self.leases = Leases(database)
        self.events = Events(database)
        self.idempotency = Idempotency(database)
        self.meta = Meta(database)
        self.signing_keys = SigningKeys(database)
        self.status_lists = StatusLists(database)
        self.pages = Pages(database)
        self.shares = Shares(database)
        self.designs = Designs(database)
        self.console = Console(database)
        self.webhooks = Webhooks(database)

    def schema_version(self) -> str | None:
        """The version that migrations noted."""
        version: str | None = self._database.scalar(_VERSION)
        return version

    def finish(self) -> None:
        """What has to happen last before the commit."""
        self.feed.flush()
