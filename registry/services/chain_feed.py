"""What the chain said, as items of the server's feed: each event of a hosted issuer once, when it is final.

The cursor is the number of the last block published. The events of an issuer whose indexed history
contradicts the chain are left out until the contradiction is resolved; then `publish_missed` brings what is
missing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from registry.encoding import Address, to_hex
from registry.model.chain import EventKind, RegistryEvent
from registry.ports.store import Unit
from registry.services.auditing.views import event_json

CURSOR = "indexer"
PAGE = 500
MAX_URI_CHARACTERS = 2048
"""A longer profile address stands in the list of events only, so that nobody can swell the feed with one."""

KINDS = {
    EventKind.REVOKED: "credential.revoked",
    EventKind.SUSPENDED: "credential.suspended",
    EventKind.REINSTATED: "credential.reinstated",
    EventKind.REVOCATION_ANNULLED: "credential.annulled",
    EventKind.BATCH_WITHDRAWN: "batch.withdrawn",
    EventKind.WITHDRAWAL_ANNULLED: "batch.withdrawal_annulled",
    EventKind.KEY_ADDED: "key.added",
    EventKind.KEY_RETIRED: "key.retired",
    EventKind.ADMIN_PROPOSED: "admin.proposed",
    EventKind.ADMIN_CHANGED: "admin.changed",
    EventKind.PROFILE_SET: "profile.set",
}


def publish_final(unit: Unit, final_block: int, now: datetime) -> None:
    """Append what became final since the cursor, as far as it is indexed, and move the cursor."""
    done = unit.feed.cursor(CURSOR)
    position = unit.events.position()
    upto = min(final_block, position.block.number if position else 0)
    if upto <= done:
        return
    doubtful = unit.events.mismatches()
    after = 0
    while True:
        page = unit.events.list(
            kinds=tuple(KINDS), from_block=done + 1, up_to_block=upto, after=after, limit=PAGE
        )
        hosted = unit.issuers.by_addresses({item.event.issuer for item in page})
        wanted = hosted.keys() - doubtful.keys()
        _publish(unit, [item.event for item in page if item.event.issuer in wanted], now)
        if len(page) < PAGE:
            break
        after = page[-1].id
    unit.feed.set_cursor(CURSOR, upto)


def publish_missed(unit: Unit, issuer: Address, events: Sequence[RegistryEvent], now: datetime) -> None:
    """Append those of a hosted issuer's events that should be in the feed by now and are not."""
    if issuer not in unit.issuers.by_addresses({issuer}):
        return
    done = unit.feed.cursor(CURSOR)
    due = [event for event in events if event.kind in KINDS and event.block_number <= done]
    there = _published(unit, issuer)
    _publish(unit, [event for event in due if _name(event) not in there], now)


def _publish(unit: Unit, events: Collection[RegistryEvent], now: datetime) -> None:
    roots = {(event.issuer, event.root) for event in events if event.root is not None}
    batches = {(batch.issuer, batch.root): batch.id for batch in unit.batches.by_roots(roots)}
    for event in events:
        payload = _payload(event, batches.get((event.issuer, event.root)))
        unit.feed.append(now, KINDS[event.kind], event.issuer, payload)


def _name(event: RegistryEvent) -> tuple[str, int]:
    return to_hex(event.transaction), event.log_index


def _published(unit: Unit, issuer: Address) -> set[tuple[str, int]]:
    """Transaction and log index of the issuer's events in the feed."""
    found: set[tuple[str, int]] = set()
    after = 0
    while items := unit.feed.after(after, PAGE, issuer=issuer):
        found |= {
            (item.payload["transaction"], item.payload["log_index"])
            for item in items
            if "log_index" in item.payload
        }
        after = items[-1].id
    return found


def _payload(event: RegistryEvent, batch_id: str | None) -> dict[str, Any]:
    """The event as the audit's lists have it, less what the item itself says, with the server's batch. Words
    are decimal strings: one may be any uint64, and JSON numbers end at 2^53-1 (RFC 7493, 2.2)."""
    payload = event_json(event)
    for name in ("kind", "issuer", "head"):
        del payload[name]
    if event.root is not None:
        payload["batch"] = batch_id
    if len(payload.get("uri", "")) > MAX_URI_CHARACTERS:
        payload["uri"] = None
    return payload
