"""Wished-for contract calls and what became of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row as ResultRow
from sqlalchemy import bindparam, insert, select, update

from registry.encoding import Address, BlockHash, Root, TxHash
from registry.model.chain import STATUS_CALLS, CallKind, ContractCall
from registry.model.operations import Operation, OperationState
from registry.store.database import Database
from registry.store.prepared import Prepared
from registry.store.rows import OperationRow, table
from registry.store.values import instant, micros, pack_changes, unpack_changes

OPERATIONS = table(OperationRow)

_UNMINED = tuple(
    state.value for state in (OperationState.HELD, OperationState.QUEUED, OperationState.SUBMITTED)
)
_STATUS_KINDS = tuple(sorted(kind.value for kind in STATUS_CALLS))

_UNMINED_ON = Prepared(
    select(OPERATIONS).where(
        OPERATIONS.c.call_root.in_(bindparam("roots", expanding=True)),
        OPERATIONS.c.state.in_(_UNMINED),
        OPERATIONS.c.call_kind.in_(_STATUS_KINDS),
    )
)


def _call_values(call: ContractCall) -> dict[str, Any]:
    return {
        "call_kind": call.kind.value,
        "call_issuer": call.issuer,
        "call_root": call.root,
        "call_changes": pack_changes(call.changes),
        "call_reason": call.reason,
        "call_account": call.account,
        "call_roles": int(call.roles),
        "call_valid_until": call.valid_until,
        "call_consent_deadline": str(call.consent_deadline),
        "call_consent": call.consent,
        "call_value_wei": str(call.value_wei),
        "call_signature": call.signature,
        "call_deadline": str(call.deadline),
        "call_uri": call.uri,
    }


def _call(row: ResultRow[Any]) -> ContractCall:
    return ContractCall(
        kind=CallKind(row.call_kind),
        issuer=Address(row.call_issuer),
        root=None if row.call_root is None else Root(row.call_root),
        changes=unpack_changes(row.call_changes),
        reason=row.call_reason,
        account=None if row.call_account is None else Address(row.call_account),
        roles=row.call_roles,
        valid_until=row.call_valid_until,
        consent_deadline=int(row.call_consent_deadline),
        consent=row.call_consent,
        value_wei=int(row.call_value_wei),
        signature=row.call_signature,
        deadline=int(row.call_deadline),
        uri=row.call_uri,
    )


def operation_of(row: ResultRow[Any]) -> Operation:
    """The domain's form of a row."""
    return Operation(
        id=row.id,
        issuer=Address(row.issuer),
        actor=Address(row.actor),
        call=_call(row),
        state=OperationState(row.state),
        batch_seq=row.batch_seq,
        request_id=row.request_id,
        created_at=instant(row.created_at),
        error=row.error,
        effect_block=row.effect_block,
        effect_hash=None if row.effect_hash is None else BlockHash(row.effect_hash),
        effect_transaction=None if row.effect_transaction is None else TxHash(row.effect_transaction),
    )


class Operations:
    """The operations of `registry.ports.store.OutboxRepository`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add_operation(
        self,
        issuer: Address,
        actor: Address,
        call: ContractCall,
        state: OperationState,
        at: datetime,
        *,
        batch_seq: int | None = None,
        request_id: str | None = None,
    ) -> Operation:
        """Store what shall happen."""
        statement = (
            insert(OPERATIONS)
            .values(
                issuer=issuer,
                actor=actor,
                state=state.value,
                batch_seq=batch_seq,
                request_id=request_id,
                created_at=micros(at),
                **_call_values(call),
            )
            .returning(OPERATIONS.c.id)
        )
        return Operation(
            id=self._db.scalar(statement),
            issuer=issuer,
            actor=actor,
            call=call,
            state=state,
            batch_seq=batch_seq,
            request_id=request_id,
            created_at=at,
            error=None,
            effect_block=None,
            effect_hash=None,
            effect_transaction=None,
        )

    def operations(
        self,
        *,
        states: Collection[OperationState],
        issuer: Address | None = None,
        limit: int = 1000,
    ) -> Sequence[Operation]:
        """Oldest first."""
        query = (
            select(OPERATIONS)
            .where(OPERATIONS.c.state.in_([state.value for state in states]))
            .order_by(OPERATIONS.c.id)
            .limit(limit)
        )
        if issuer is not None:
            query = query.where(OPERATIONS.c.issuer == issuer)
        return [operation_of(row) for row in self._db.rows(query)]

    def operation(self, operation_id: int) -> Operation | None:
        """One, or None."""
        row = self._db.first(select(OPERATIONS).where(OPERATIONS.c.id == operation_id))
        return None if row is None else operation_of(row)

    def operations_of_batch(self, seq: int) -> Sequence[Operation]:
        """Oldest first."""
        query = select(OPERATIONS).where(OPERATIONS.c.batch_seq == seq).order_by(OPERATIONS.c.id)
        return [operation_of(row) for row in self._db.rows(query)]

    def operations_of_request(self, request_id: str) -> Sequence[Operation]:
        """Oldest first."""
        query = select(OPERATIONS).where(OPERATIONS.c.request_id == request_id).order_by(OPERATIONS.c.id)
        return [operation_of(row) for row in self._db.rows(query)]

    def operations_of_kind(self, issuer: Address, kind: CallKind) -> Sequence[Operation]:
        """The issuer's operations of a kind that is rare, in any state, oldest first."""
        query = (
            select(OPERATIONS)
            .where(OPERATIONS.c.issuer == issuer, OPERATIONS.c.call_kind == kind.value)
            .order_by(OPERATIONS.c.id)
        )
        return [operation_of(row) for row in self._db.rows(query)]

    def pending_for_roots(self, roots: Collection[tuple[Address, Root]]) -> Sequence[Operation]:
        """Status operations on these batches that are held, queued or submitted: asked for and not mined.
        Oldest first."""
        wanted = set(roots)
        rows = self._db.fetch_all(_UNMINED_ON, "roots", {root for _, root in roots})
        rows.sort(key=lambda row: row.id)
        return [operation_of(row) for row in rows if (row.call_issuer, row.call_root) in wanted]

    def set_operation(
        self,
        operation_id: int,
        state: OperationState,
        *,
        error: str | None = None,
        effect: tuple[int, BlockHash, TxHash | None] | None = None,
    ) -> None:
        """Replaces error and effect (block number, block hash, transaction). Raises `NotFoundError`."""
        block, block_hash, transaction = effect or (None, None, None)
        statement = (
            update(OPERATIONS)
            .where(OPERATIONS.c.id == operation_id)
            .values(
                state=state.value,
                error=error,
                effect_block=block,
                effect_hash=block_hash,
                effect_transaction=transaction,
            )
        )
        self._db.must(statement, "the operation")
