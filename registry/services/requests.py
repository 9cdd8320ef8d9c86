"""Status requests: one for each POST that asks for something on chain, whatever number of operations it
takes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from registry.encoding import Address, Digest, to_hex
from registry.errors import Fault, RootmarkError, ValidationError
from registry.model.chain import ContractCall
from registry.model.issuers import Caller
from registry.model.operations import OperationState, RequestKind, StatusRequest
from registry.ports.store import Unit
from registry.services.idempotency import IdempotencyRef, bind

MAX_NOTE_CHARACTERS = 2_000


def check_note(note: str | None) -> str | None:
    """The note without surrounding space, or None. Raises `ValidationError` when it is too long."""
    note = (note or "").strip()
    if len(note) > MAX_NOTE_CHARACTERS:
        detail = f"a note has at most {MAX_NOTE_CHARACTERS} characters"
        raise ValidationError(detail, faults=[Fault("note", detail, "/note")])
    return note or None


class RequestBuilder:
    """Writes a request and its operations into one unit."""

    def __init__(
        self,
        unit: Unit,
        caller: Caller,
        issuer: Address,
        kind: RequestKind,
        now: datetime,
        *,
        held: bool = False,
    ) -> None:
        self.id = str(uuid.uuid4())
        self._unit = unit
        self._caller = caller
        self._issuer = issuer
        self._kind = kind
        self._now = now
        self._held = held

    def open(self, reason: int, note: str | None, count: int, skipped: Sequence[Digest] = ()) -> None:
        """Store the request itself; its operations follow."""
        self._unit.outbox.add_request(
            self.id,
            self._kind,
            self._issuer,
            reason,
            note,
            self._caller.label,
            self._caller.key_id,
            count,
            skipped,
            self._now,
            awaiting_approval=self._held,
        )

    def operation(self, actor: Address, call: ContractCall, batch_seq: int | None = None) -> None:
        """One wished-for call of the request."""
        state = OperationState.HELD if self._held else OperationState.QUEUED
        self._unit.outbox.add_operation(
            self._issuer, actor, call, state, self._now, batch_seq=batch_seq, request_id=self.id
        )

    def log(self, detail: str) -> None:
        """A line in the access log, for what only an admin may do or what ends many credentials at once."""
        self._unit.access.log(
            self._now, self._caller.label, f"{self._kind.value}.requested", to_hex(self._issuer), detail
        )

    def close(self, idempotency: IdempotencyRef | None) -> StatusRequest:
        """Bind the Idempotency-Key and read the request back."""
        bind(self._unit, idempotency, f"request:{self.id}")
        request = self._unit.outbox.request(self.id)
        if request is None:
            raise RootmarkError("the request was not stored")
        return request
