"""The tables as row classes, one module per aggregate. Rows never leave `registry.store`."""

from __future__ import annotations

from sqlalchemy import MetaData

from registry.store.rows.awards import AchievementImageRow, AchievementRow, AwardRow, EndorsementRow
from registry.store.rows.base import Row, table
from registry.store.rows.batches import BatchRow, EntryDetailRow, EntryRow, TileRow
from registry.store.rows.console import ConsoleDraftRow, ConsoleSessionRow
from registry.store.rows.events import EventRow, EventWordRow, HeaderRow, MismatchRow, PositionRow
from registry.store.rows.issuers import AccessRow, ApiKeyRow, IssuerRow
from registry.store.rows.outbox import (
    AttemptRow,
    OperationRow,
    SkippedDigestRow,
    StatusRequestRow,
    TransactionRow,
)
from registry.store.rows.pages import (
    CertificateDesignRow,
    ClaimLinkRow,
    CredentialPageRow,
    HolderRow,
    HolderTokenRow,
    SharedPageRow,
    ShareRow,
)
from registry.store.rows.running import (
    CounterRow,
    FeedCursorRow,
    FeedRow,
    IdempotencyRow,
    LeaseRow,
    MetaRow,
)
from registry.store.rows.signing_keys import SigningKeyRow
from registry.store.rows.status_lists import StatusListRow
from registry.store.rows.webhooks import WebhookDeliveryRow, WebhookRow

METADATA: MetaData = Row.metadata
"""All tables of the registry, and no other's."""

__all__ = [
    "METADATA",
    "AccessRow",
    "AchievementImageRow",
    "AchievementRow",
    "ApiKeyRow",
    "AttemptRow",
    "AwardRow",
    "BatchRow",
    "CertificateDesignRow",
    "ClaimLinkRow",
    "ConsoleDraftRow",
    "ConsoleSessionRow",
    "CounterRow",
    "CredentialPageRow",
    "EndorsementRow",
    "EntryDetailRow",
    "EntryRow",
    "EventRow",
    "EventWordRow",
    "FeedCursorRow",
    "FeedRow",
    "HeaderRow",
    "HolderRow",
    "HolderTokenRow",
    "IdempotencyRow",
    "IssuerRow",
    "LeaseRow",
    "MetaRow",
    "MismatchRow",
    "OperationRow",
    "PositionRow",
    "ShareRow",
    "SharedPageRow",
    "SigningKeyRow",
    "SkippedDigestRow",
    "StatusListRow",
    "StatusRequestRow",
    "TileRow",
    "TransactionRow",
    "WebhookDeliveryRow",
    "WebhookRow",
    "table",
]
