"""Nonces and signed bytes. A row is committed before anything is sent, and a nonce that was given out is
never given out again: the unique index on (sender, nonce) decides between processes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row as ResultRow
from sqlalchemy import func, insert, select, update

from registry.encoding import Address, TxHash
from registry.errors import ConflictError
from registry.model.chain import SendMode
from registry.model.operations import Attempt, OutboxTransaction, TransactionState
from registry.store.database import Database
from registry.store.repositories.counters import COUNTERS, take_numbers
from registry.store.rows import AttemptRow, TransactionRow, table
from registry.store.values import instant, maybe_instant, maybe_micros, micros, unique_chunks

TRANSACTIONS = table(TransactionRow)
ATTEMPTS = table(AttemptRow)

_GAS = "gas_used"


def _attempt(row: ResultRow[Any]) -> Attempt:
    return Attempt(
        hash=TxHash(row.hash),
        raw=row.raw,
        max_fee_per_gas_wei=int(row.max_fee_per_gas_wei),
        max_priority_fee_per_gas_wei=int(row.max_priority_fee_per_gas_wei),
        signed_at=instant(row.signed_at),
        sent_at=maybe_instant(row.sent_at),
    )


def _transaction(row: ResultRow[Any], attempts: Iterable[Attempt]) -> OutboxTransaction:
    return OutboxTransaction(
        id=row.id,
        operation_id=row.operation_id,
        sender=Address(row.sender),
        nonce=row.nonce,
        mode=SendMode(row.mode),
        to=Address(row.receiver),
        data=row.data,
        gas_limit=row.gas_limit,
        value_wei=int(row.value_wei),
        state=TransactionState(row.state),
        attempts=tuple(attempts),
    )


class Transactions:
    """The transactions of `registry.ports.store.OutboxRepository`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def next_nonce(self, sender: Address, floor: int) -> int:
        """The lowest nonce from ``floor`` on that lies above all that this server gave out for the sender."""
        highest: int | None = self._db.scalar(
            select(func.max(TRANSACTIONS.c.nonce)).where(TRANSACTIONS.c.sender == sender)
        )
        return floor if highest is None else max(floor, highest + 1)

    def add_transaction(
        self,
        operation_id: int,
        sender: Address,
        nonce: int,
        mode: SendMode,
        to: Address,
        data: bytes,
        gas_limit: int,
        value_wei: int,
        attempt: Attempt,
    ) -> OutboxTransaction:
        """Take the nonce for good, with its first signed bytes.

        Raises:
            ConflictError: (sender, nonce) is taken: another process signed meanwhile.
        """
        statement = (
            self._db.insert(TRANSACTIONS)
            .values(
                operation_id=operation_id,
                sender=sender,
                nonce=nonce,
                mode=mode.value,
                receiver=to,
                data=data,
                gas_limit=gas_limit,
                value_wei=str(value_wei),
                state=TransactionState.SIGNED.value,
            )
            .on_conflict_do_nothing(index_elements=[TRANSACTIONS.c.sender, TRANSACTIONS.c.nonce])
            .returning(TRANSACTIONS.c.id)
        )
        transaction_id: int | None = self._db.scalar(statement)
        if transaction_id is None:
            raise ConflictError("the nonce is taken by another transaction of this sender")
        self.add_attempt(transaction_id, attempt)
        return OutboxTransaction(
            id=transaction_id,
            operation_id=operation_id,
            sender=sender,
            nonce=nonce,
            mode=mode,
            to=to,
            data=data,
            gas_limit=gas_limit,
            value_wei=value_wei,
            state=TransactionState.SIGNED,
            attempts=(attempt,),
        )

    def add_attempt(self, transaction_id: int, attempt: Attempt) -> None:
        """Store further signed bytes for the same nonce."""
        self._db.run(
            insert(ATTEMPTS).values(
                transaction_id=transaction_id,
                hash=attempt.hash,
                raw=attempt.raw,
                max_fee_per_gas_wei=str(attempt.max_fee_per_gas_wei),
                max_priority_fee_per_gas_wei=str(attempt.max_priority_fee_per_gas_wei),
                signed_at=micros(attempt.signed_at),
                sent_at=maybe_micros(attempt.sent_at),
            )
        )

    def mark_sent(self, attempt_hash: TxHash, at: datetime) -> None:
        """The attempt was handed to the node; a later time replaces an earlier one. Raises
        `NotFoundError`."""
        statement = update(ATTEMPTS).where(ATTEMPTS.c.hash == attempt_hash).values(sent_at=micros(at))
        self._db.must(statement, "the signed transaction")

    def transactions(
        self,
        *,
        states: Collection[TransactionState],
        sender: Address | None = None,
        limit: int = 1000,
    ) -> Sequence[OutboxTransaction]:
        """In order of sender and nonce, with their attempts."""
        query = (
            select(TRANSACTIONS)
            .where(TRANSACTIONS.c.state.in_([state.value for state in states]))
            .order_by(TRANSACTIONS.c.sender, TRANSACTIONS.c.nonce)
            .limit(limit)
        )
        if sender is not None:
            query = query.where(TRANSACTIONS.c.sender == sender)
        return self._with_attempts(self._db.rows(query))

    def transactions_of(self, operation_ids: Collection[int]) -> Sequence[OutboxTransaction]:
        """In order of sender and nonce, with their attempts."""
        rows: list[ResultRow[Any]] = []
        for chunk in unique_chunks(operation_ids):
            query = select(TRANSACTIONS).where(TRANSACTIONS.c.operation_id.in_(chunk))
            rows += self._db.rows(query)
        rows.sort(key=lambda row: (row.sender, row.nonce))
        return self._with_attempts(rows)

    def _with_attempts(self, rows: Sequence[ResultRow[Any]]) -> Sequence[OutboxTransaction]:
        attempts: dict[int, list[Attempt]] = defaultdict(list)
        for chunk in unique_chunks([row.id for row in rows]):
            query = select(ATTEMPTS).where(ATTEMPTS.c.transaction_id.in_(chunk)).order_by(ATTEMPTS.c.id)
            for row in self._db.rows(query):
                attempts[row.transaction_id].append(_attempt(row))
        return [_transaction(row, attempts[row.id]) for row in rows]

    def set_transaction(self, transaction_id: int, state: TransactionState, *, gas_used: int = 0) -> None:
        """``gas_used`` is added to the total when the transaction becomes `final`, once. Raises
        `NotFoundError`."""
        this = update(TRANSACTIONS).where(TRANSACTIONS.c.id == transaction_id)
        if state is TransactionState.FINAL and gas_used:
            newly = this.where(TRANSACTIONS.c.state != state.value).values(state=state.value)
            if self._db.run(newly) > 0:
                take_numbers(self._db, _GAS, gas_used)
                return
        self._db.must(this.values(state=state.value), "the transaction")

    def gas_used_total(self) -> int:
        """Gas of all transactions that are final."""
        query = select(COUNTERS.c.value).where(COUNTERS.c.name == _GAS)
        return int(self._db.scalar(query) or 0)
