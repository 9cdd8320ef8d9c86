"""What a message says, and how it is signed.

A body is made anew at each attempt, from the feed and from what is stored now: of a credential that was
erased meanwhile it says nothing. It has the members `type`, `timestamp` and `data`, and stays below 20 kB.

Source: Standard Webhooks, "Payload structure" and "Webhook headers".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import orjson
from standardwebhooks import Webhook as Signer

from registry.encoding import format_time, parse_root, to_checksum, to_hex
from registry.model.batches import Entry
from registry.model.chain import WORD_BITS
from registry.model.webhooks import TEST_KIND, Delivery, Webhook
from registry.ports.store import FeedItem, Unit

MAX_CREDENTIALS = 50
"""So many are named in a message; `count` says how many there are."""

CONTENT_TYPE = "application/json"


def bodies(unit: Unit, deliveries: Sequence[Delivery], webhooks: Mapping[str, Webhook]) -> dict[int, bytes]:
    """The bodies of ``deliveries``, by their ``seq``. One whose feed item is not there has none."""
    feed = {item.id: item for item in unit.feed.items({one.feed_id for one in deliveries if one.feed_id})}
    named = _named(unit, feed.values())
    found: dict[int, bytes] = {}
    for one in deliveries:
        if one.kind == TEST_KIND:
            issuer = to_checksum(webhooks[one.webhook_id].issuer)
            said = _body(TEST_KIND, one.created_at, {"issuer": issuer, "webhook": one.webhook_id})
        elif one.feed_id in feed:
            item = feed[one.feed_id]
            said = _body(item.kind, item.at, _data(item, named))
        else:
            continue
        found[one.seq] = orjson.dumps(said)
    return found


def headers(message_id: str, at: datetime, body: bytes, secrets: Iterable[bytes]) -> dict[str, str]:
    """The headers of an attempt at a time, signed with each secret."""
    text = body.decode()
    signatures = " ".join(Signer(secret).sign(message_id, at, text) for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signatures,
        "Content-Type": CONTENT_TYPE,
        "User-Agent": "rootmark",
    }


def _body(kind: str, at: datetime, data: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": kind, "timestamp": format_time(at), "data": data}


def _data(item: FeedItem, named: Mapping[tuple[str, int], Entry]) -> dict[str, Any]:
    payload = {name: value for name, value in item.payload.items() if name != "changes"}
    data: dict[str, Any] = {"event": item.id, "issuer": to_checksum(item.issuer)} | payload
    changes = item.payload.get("changes")
    if changes is None:
        return data
    batch = item.payload.get("batch")
    entries = [named.get((batch, index)) for index in _first(changes)] if batch else []
    data["count"] = sum(int(change["mask"], 16).bit_count() for change in changes)
    data["credentials"] = [
        {"index": entry.index, "digest": to_hex(entry.digest), "external_id": entry.external_id}
        for entry in entries
        if entry is not None
    ]
    return data


def _named(unit: Unit, items: Iterable[FeedItem]) -> dict[tuple[str, int], Entry]:
    """The credentials that the items' messages name, by batch and index."""
    wanted: dict[tuple[Any, Any], set[int]] = {}
    for item in items:
        changes, root = item.payload.get("changes"), item.payload.get("root")
        if changes and root and item.payload.get("batch"):
            wanted.setdefault((item.issuer, parse_root(root)), set()).update(_first(changes))
    places = [
        (batch.seq, index)
        for batch in unit.batches.by_roots(wanted.keys())
        for index in wanted[batch.issuer, batch.root]
    ]
    return {(entry.batch_id, entry.index): entry for entry in unit.entries.by_indices(places)}


def _first(changes: Sequence[Mapping[str, str]]) -> list[int]:
    return list(islice(_indices(changes), MAX_CREDENTIALS))


def _indices(changes: Sequence[Mapping[str, str]]) -> Iterator[int]:
    for change in changes:
        word, mask = int(change["word"]), int(change["mask"], 16)
        if word >= 2**32 // WORD_BITS:
            continue  # no batch is that large
        while mask:
            bit = mask & -mask
            yield word * WORD_BITS + bit.bit_length() - 1
            mask ^= bit
