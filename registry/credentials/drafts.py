"""Drafts: what a person uploaded or chose, looked at, and kept until it is confirmed.

A draft is its API key's: no other key knows of it. It is carried out once, under its own id as the
Idempotency-Key; afterwards it holds nothing but what it became. One that is wrong keeps no data at all.
"""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from registry.encoding import Address, JsonValue
from registry.errors import MAX_FAULTS, Fault, NotFoundError
from registry.model.console import DRAFTS_KEPT, DRAFTS_OF_A_KEY, Draft, DraftKind
from registry.model.issuers import Caller
from registry.ports.clock import Clock
from registry.ports.store import Store

MAX_TITLE = 100
SHOWN_ROWS = 10
_SHOWN_CELL = 100
_SHOWN_BYTES = 64 * 1024


class DraftShelf:
    """Keeps drafts."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def keep(
        self,
        caller: Caller,
        issuer: Address,
        kind: DraftKind,
        title: str,
        summary: Mapping[str, JsonValue],
        data: bytes,
    ) -> Draft:
        """Store a draft. ``title`` may be a stranger's text: what cannot be shown of it is left out."""
        shown = "".join(character for character in title if character.isprintable())[:MAX_TITLE]
        draft = Draft(
            id=secrets.token_hex(16),
            issuer=issuer,
            key_id=caller.key_id or "",
            kind=kind,
            title=shown,
            summary=summary,
            created_at=self._clock.now(),
        )
        with self._store.write() as unit:
            unit.console.add_draft(draft, data, keep=DRAFTS_OF_A_KEY)
        return draft

    def get(self, caller: Caller, draft_id: str) -> Draft:
        """A draft of the caller's key. Raises `NotFoundError`, also for one that is too old."""
        with self._store.read() as unit:
            draft = unit.console.draft(draft_id)
        if draft is None or draft.key_id != caller.key_id:
            raise NotFoundError("there is no such draft; it may be more than a day old")
        if draft.made is None and self._clock.now() - draft.created_at >= DRAFTS_KEPT:
            raise NotFoundError("there is no such draft; it may be more than a day old")
        return draft

    def data(self, draft: Draft) -> bytes:
        """What a draft is made of."""
        with self._store.read() as unit:
            return unit.console.draft_data(draft.id)

    def waiting(self, caller: Caller, limit: int = DRAFTS_OF_A_KEY) -> list[Draft]:
        """The key's drafts that nobody confirmed yet, newest first."""
        oldest = self._clock.now() - DRAFTS_KEPT
        with self._store.read() as unit:
            drafts = unit.console.drafts_of(caller.key_id or "", limit)
        return [draft for draft in drafts if draft.created_at > oldest]

    def finish(self, draft: Draft, made: str) -> None:
        """Remember what a draft became, and forget its data."""
        with self._store.write() as unit:
            unit.console.finish_draft(draft.id, made)

    def discard(self, caller: Caller, draft_id: str) -> None:
        """Throw a draft away. Raises `NotFoundError`."""
        draft = self.get(caller, draft_id)
        with self._store.write() as unit:
            unit.console.remove_draft(draft.id)


def fault_json(fault: Fault) -> dict[str, JsonValue]:
    """A fault of a file, as a summary keeps it."""
    return {"line": fault.line, "code": fault.code, "detail": fault.detail}


def first_faults(faults: Iterable[Fault]) -> list[JsonValue]:
    """As many as are shown."""
    return [fault_json(fault) for _, fault in zip(range(MAX_FAULTS), faults, strict=False)]


def first_rows(data: bytes) -> list[JsonValue]:
    """The first rows of a file as they stand in it, each with its line; long cells are cut off. For looking
    at: what cannot be read ends it."""
    text = data[:_SHOWN_BYTES].decode("utf-8-sig", "replace")
    reader = csv.reader(io.StringIO(text, newline=""))
    rows: list[Any] = []
    before = 0
    try:
        for cells in reader:
            if cells:
                rows.append({"line": before + 1, "cells": [cell[:_SHOWN_CELL] for cell in cells]})
            before = reader.line_num
            if len(rows) > SHOWN_ROWS:
                break
    except csv.Error:
        pass
    return rows
