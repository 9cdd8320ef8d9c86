"""Histories and events as public JSON, the same from a server and from the chain alone."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from registry.encoding import canonical_json, format_time, to_checksum, to_hex
from registry.model.chain import EventKind, RegistryEvent, Role
from registry.model.reasons import reason_from_code
from registry.services.auditing.consistency import Difference
from registry.services.auditing.history import IssuerAudit

_WITHOUT_REASON = (
    EventKind.KEY_ADDED,
    EventKind.PROFILE_SET,
    EventKind.ADMIN_PROPOSED,
    EventKind.ADMIN_CHANGED,
    EventKind.BATCH_ANCHORED,
)
WITH_REASON = tuple(kind for kind in EventKind if kind not in _WITHOUT_REASON)
"""Events that say why."""


def chain_time(seconds: int) -> str:
    """A block time in seconds as RFC 3339."""
    return format_time(datetime.fromtimestamp(seconds, UTC))


def far_time(seconds: int) -> str | None:
    """A key's validUntil: None when it lies beyond the calendar, that is: unbounded."""
    return None if seconds > 253402300799 else chain_time(seconds)


def shown_text(text: str) -> str:
    """A text of a stranger's: what is no UTF-8 on chain, here lone surrogates, as U+FFFD."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def role_names(roles: int) -> list[str]:
    """The names of a key's roles."""
    return [role.name.lower() for role in Role if roles & role and role.name is not None]


def event_json(event: RegistryEvent) -> dict[str, Any]:
    """A contract event, with those parameters that its kind has."""
    shown: dict[str, Any] = {
        "kind": event.kind.value,
        "issuer": to_checksum(event.issuer),
        "at": chain_time(event.at),
        "block_number": event.block_number,
        "block_hash": to_hex(event.block_hash),
        "transaction": to_hex(event.transaction),
        "log_index": event.log_index,
        "head": to_hex(event.head),
    }
    if event.root is not None:
        shown["root"] = to_hex(event.root)
    if event.account is not None:
        name = "key" if event.kind.value in ("KeyAdded", "KeyRetired", "BatchAnchored") else "actor"
        shown["admin" if event.kind.value.startswith("Admin") else name] = to_checksum(event.account)
    if event.kind.value == "KeyAdded":
        shown["roles"] = role_names(event.roles)
    if event.kind.value == "KeyRetired":
        shown["valid_until"] = far_time(event.valid_until)
    if event.kind.value == "ProfileSet":
        shown["uri"] = shown_text(event.uri)
    if event.kind in WITH_REASON:
        shown["reason"] = reason_from_code(event.reason).label
    if event.changes:
        shown["changes"] = [{"word": str(c.word), "mask": f"0x{c.mask:064x}"} for c in event.changes]
    return shown


def audit_json(audit: IssuerAudit) -> dict[str, Any]:
    """An issuer's audit: events, head check, totals, and the anchors that a key's retirement voids;
    ``sha256`` is that of the events as RFC 8785 writes their list."""
    events = [event_json(event) for event in audit.events]
    return {
        "issuer": to_checksum(audit.issuer),
        "block_number": audit.block.number,
        "block_hash": to_hex(audit.block.hash),
        "events": events,
        "head": {
            "replayed": to_hex(audit.head_replayed),
            "on_chain": to_hex(audit.head_on_chain),
            "match": audit.match,
        },
        "problems": [
            {"block_number": p.block_number, "log_index": p.log_index, "detail": p.detail}
            for p in audit.history.problems
        ],
        "voided": [
            {
                "root": to_hex(voided.root),
                "anchored_at": chain_time(voided.anchored_at),
                "key": to_checksum(voided.key.key),
                "valid_until": far_time(voided.key.valid_until),
                "retired_at": chain_time(voided.key.retired_at),
            }
            for voided in audit.voided
        ],
        "totals": audit.totals,
        "sha256": sha256(canonical_json(events)).hexdigest(),
    }


def difference_json(difference: Difference) -> dict[str, Any]:
    """One difference between a server and the chain."""
    return {
        "kind": difference.kind,
        "issuer": to_checksum(difference.issuer),
        "detail": difference.detail,
        "batch": difference.batch_id,
        "root": None if difference.root is None else to_hex(difference.root),
        "transaction": None if difference.transaction is None else to_hex(difference.transaction),
    }
