"""Status requests. What became of one is derived from its operations each time, so that it cannot contradict
them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row as ResultRow
from sqlalchemy import func, insert, select, update

from registry.encoding import Address, Digest, TxHash
from registry.model.operations import (
    OperationState,
    RequestKind,
    RequestState,
    StatusRequest,
)
from registry.store.database import Database
from registry.store.repositories.operations import OPERATIONS
from registry.store.repositories.transactions import ATTEMPTS, TRANSACTIONS
from registry.store.rows import SkippedDigestRow, StatusRequestRow, table
from registry.store.values import instant, micros, unique_chunks

REQUESTS = table(StatusRequestRow)
SKIPPED = table(SkippedDigestRow)

_WORST_FIRST = (
    (OperationState.FAILED, RequestState.FAILED),
    (OperationState.HELD, RequestState.AWAITING_APPROVAL),
    (OperationState.QUEUED, RequestState.SUBMITTED),
    (OperationState.SUBMITTED, RequestState.SUBMITTED),
    (OperationState.MINED, RequestState.MINED),
)


def request_state(awaiting_approval: bool, operations: Iterable[OperationState]) -> RequestState:
    """The worst state among a request's operations. A request without any had nothing to do: `final`."""
    if awaiting_approval:
        return RequestState.AWAITING_APPROVAL
    states = set(operations)
    for state, outcome in _WORST_FIRST:
        if state in states:
            return outcome
    return RequestState.FINAL


class Requests:
    """The status requests of `registry.ports.store.OutboxRepository`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add_request(
        self,
        request_id: str,
        kind: RequestKind,
        issuer: Address,
        reason: int,
        note: str | None,
        requested_by: str,
        requested_by_key: str | None,
        count: int,
        skipped: Sequence[Digest],
        at: datetime,
        *,
        awaiting_approval: bool = False,
    ) -> None:
        """Store a request; its operations name it by ``request_id``."""
        self._db.run(
            insert(REQUESTS).values(
                id=request_id,
                kind=kind.value,
                issuer=issuer,
                reason=int(reason),
                note=note,
                requested_by=requested_by,
                requested_by_key=requested_by_key,
                created_at=micros(at),
                entry_count=count,
                awaiting_approval=awaiting_approval,
            )
        )
        rows = ((request_id, position, digest) for position, digest in enumerate(skipped))
        self._db.insert_many(SKIPPED, ("request_id", "position", "digest"), rows)

    def request(self, request_id: str) -> StatusRequest | None:
        """State, transactions and error are derived from its operations."""
        return self._load([request_id]).get(request_id)

    def requests_of(self, issuer: Address, limit: int) -> Sequence[StatusRequest]:
        """The issuer's requests, newest first."""
        query = (
            select(REQUESTS.c.id)
            .where(REQUESTS.c.issuer == issuer)
            .order_by(REQUESTS.c.created_at.desc(), REQUESTS.c.id)
            .limit(limit)
        )
        names = [row.id for row in self._db.rows(query)]
        found = self._load(names)
        return [found[name] for name in names]

    def revoked_by_key(self, key_id: str, since: datetime) -> int:
        """Credentials that the key asked to revoke or withdraw and that wait for nobody's approval."""
        query = select(func.coalesce(func.sum(REQUESTS.c.entry_count), 0)).where(
            REQUESTS.c.requested_by_key == key_id,
            REQUESTS.c.created_at >= micros(since),
            REQUESTS.c.kind.in_((RequestKind.REVOCATION.value, RequestKind.WITHDRAWAL.value)),
            REQUESTS.c.awaiting_approval.is_(False),
        )
        return int(self._db.scalar(query))

    def requests_by_transactions(self, hashes: Collection[TxHash]) -> Mapping[TxHash, StatusRequest]:
        """The request that led to each transaction; only transactions that this server signed."""
        names: dict[bytes, str] = {}
        for chunk in unique_chunks(hashes):
            query = (
                select(ATTEMPTS.c.hash, OPERATIONS.c.request_id)
                .join_from(ATTEMPTS, TRANSACTIONS, TRANSACTIONS.c.id == ATTEMPTS.c.transaction_id)
                .join(OPERATIONS, OPERATIONS.c.id == TRANSACTIONS.c.operation_id)
                .where(ATTEMPTS.c.hash.in_(chunk), OPERATIONS.c.request_id.is_not(None))
            )
            names.update(dict(self._db.rows(query)))
        requests = self._load(names.values())
        return {TxHash(hash_): requests[name] for hash_, name in names.items() if name in requests}

    def approve_request(self, request_id: str) -> None:
        """Its held operations become queued. Raises `NotFoundError`."""
        statement = update(REQUESTS).where(REQUESTS.c.id == request_id).values(awaiting_approval=False)
        self._db.must(statement, "the request")
        self._db.run(
            update(OPERATIONS)
            .where(OPERATIONS.c.request_id == request_id, OPERATIONS.c.state == OperationState.HELD.value)
            .values(state=OperationState.QUEUED.value)
        )

    def _load(self, request_ids: Collection[str]) -> Mapping[str, StatusRequest]:
        loaded: dict[str, StatusRequest] = {}
        for chunk in unique_chunks(request_ids):
            rows = self._db.rows(select(REQUESTS).where(REQUESTS.c.id.in_(chunk)))
            skipped = self._skipped(chunk)
            operations = self._operations(chunk)
            hashes = self._hashes([row.id for group in operations.values() for row in group])
            for row in rows:
                loaded[row.id] = _request(row, skipped[row.id], operations[row.id], hashes)
        return loaded

    def _skipped(self, request_ids: Collection[str]) -> Mapping[str, list[Digest]]:
        found: dict[str, list[Digest]] = defaultdict(list)
        query = (
            select(SKIPPED.c.request_id, SKIPPED.c.digest)
            .where(SKIPPED.c.request_id.in_(request_ids))
            .order_by(SKIPPED.c.request_id, SKIPPED.c.position)
        )
        for request_id, digest in self._db.rows(query):
            found[request_id].append(Digest(digest))
        return found

    def _operations(self, request_ids: Collection[str]) -> Mapping[str, list[ResultRow[Any]]]:
        found: dict[str, list[ResultRow[Any]]] = defaultdict(list)
        columns = ("id", "request_id", "state", "error", "effect_transaction")
        query = (
            select(*(OPERATIONS.c[name] for name in columns))
            .where(OPERATIONS.c.request_id.in_(request_ids))
            .order_by(OPERATIONS.c.id)
        )
        for row in self._db.rows(query):
            found[row.request_id].append(row)
        return found

    def _hashes(self, operation_ids: Collection[int]) -> Mapping[int, TxHash]:
        """The newest signed transaction of each operation."""
        newest: dict[int, TxHash] = {}
        for chunk in unique_chunks(operation_ids):
            query = (
                select(TRANSACTIONS.c.operation_id, ATTEMPTS.c.hash)
                .join_from(TRANSACTIONS, ATTEMPTS, ATTEMPTS.c.transaction_id == TRANSACTIONS.c.id)
                .where(TRANSACTIONS.c.operation_id.in_(chunk))
                .order_by(ATTEMPTS.c.id)
            )
            newest.update({operation_id: TxHash(hash_) for operation_id, hash_ in self._db.rows(query)})
        return newest


def _request(
    row: ResultRow[Any],
    skipped: Sequence[Digest],
    operations: Sequence[ResultRow[Any]],
    hashes: Mapping[int, TxHash],
) -> StatusRequest:
    sent = (
        TxHash(operation.effect_transaction) if operation.effect_transaction else hashes.get(operation.id)
        for operation in operations
    )
    states = [OperationState(operation.state) for operation in operations]
    return StatusRequest(
        id=row.id,
        kind=RequestKind(row.kind),
        issuer=Address(row.issuer),
        reason=row.reason,
        note=row.note,
        requested_by=row.requested_by,
        requested_by_key=row.requested_by_key,
        created_at=instant(row.created_at),
        state=request_state(bool(row.awaiting_approval), states),
        count=row.entry_count,
        skipped=tuple(skipped),
        transactions=tuple(dict.fromkeys(hash_ for hash_ in sent if hash_ is not None)),
        error=next((operation.error for operation in operations if operation.error), None),
    )
