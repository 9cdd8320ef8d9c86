"""From achievements and awards to their public JSON shapes."""

from __future__ import annotations

from typing import Any

import orjson

from api.problems import fault_json
from api.views import time_of
from registry.credentials.award_quote import Quote
from registry.credentials.awarding import Listed
from registry.credentials.awards import AwardView, Preview
from registry.encoding import format_time, to_checksum, to_hex
from registry.model.awards import Achievement

AWARD_COLUMNS = (
    "id",
    "external_id",
    "recipient_name",
    "recipient",
    "achievement_id",
    "achievement_version",
    "issued_on",
    "expires_on",
    "state",
    "status",
    "batch",
    "index",
    "digest",
    "supersedes",
    "superseded_by",
    "created_at",
)


def achievement_json(achievement: Achievement) -> dict[str, Any]:
    """One version of an achievement."""
    return {
        "id": achievement.id,
        "issuer": to_checksum(achievement.issuer),
        "version": achievement.version,
        "created_at": format_time(achievement.created_at),
        **achievement.document,
    }


def award_json(view: AwardView) -> dict[str, Any]:
    """An award without its credential."""
    award, entry = view.award, view.entry
    return {
        "id": award.id,
        "issuer": to_checksum(award.issuer),
        "achievement_id": award.achievement_id,
        "achievement_version": award.achievement_version,
        "external_id": None if entry is None else entry.external_id,
        "recipient": award.recipient,
        "issued_on": None if entry is None else time_of(entry.valid_from),
        "expires_on": None if entry is None else time_of(entry.valid_until),
        "batch": award.batch_id,
        "index": award.index,
        "state": award.batch_state.value,
        "status": view.status,
        "digest": None if entry is None else to_hex(entry.digest),
        "supersedes": award.supersedes,
        "superseded_by": award.superseded_by,
        "created_at": format_time(award.created_at),
    }


def award_row(view: AwardView) -> dict[str, Any]:
    """An award as a line of a table: ``recipient`` is the address, DID or URL."""
    shown = award_json(view)
    recipient = shown["recipient"] or {}
    address = next((recipient[name] for name in ("email", "did", "url") if name in recipient), None)
    return shown | {"recipient": address, "recipient_name": recipient.get("name")}


def credential_json(document: bytes | None) -> Any:
    """A credential as it was secured: an object, or text where it is a compact token."""
    if document is None:
        return None
    return orjson.loads(document) if document.startswith(b"{") else document.decode("ascii")


def listed_json(listed: Listed, batch_id: str | None) -> dict[str, Any]:
    """What became of a row."""
    made: dict[str, Any] = {
        "id": listed.award_id,
        "batch": listed.batch_id or batch_id,
        "index": listed.index,
        "replayed": listed.batch_id is not None,
    }
    if listed.place.line is not None:
        made["line"] = listed.place.line
    elif listed.place.pointer is not None:
        made["pointer"] = listed.place.pointer
    return made


def preview_json(preview: Preview) -> dict[str, Any]:
    """What would become of a row."""
    place: dict[str, Any] = (
        {"pointer": preview.place.pointer} if preview.place.line is None else {"line": preview.place.line}
    )
    return place | {
        "ok": not preview.problems,
        "problems": [fault_json(fault) for fault in preview.problems],
        "replays": preview.replays,
        "credential": preview.document,
    }


def quote_json(quote: Quote | None) -> dict[str, Any] | None:
    """What anchoring would cost."""
    if quote is None:
        return None
    return {
        "awards": quote.awards,
        "transactions": 1,
        "gas": quote.gas,
        "estimated": quote.estimated,
        "fee_per_gas_wei": str(quote.fee_per_gas_wei),
        "fee_wei": str(quote.fee_wei),
        "fee_per_credential_wei": str(quote.fee_per_credential_wei),
    }
