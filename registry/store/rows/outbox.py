"""Rows of the outbox: operations, transactions with their signed attempts, and status requests."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Text
from sqlmodel import Field

from registry.store.rows.base import SERIAL, Row


class OperationRow(Row, table=True):
    """A wished-for contract call. ``call_*`` are the call's fields; ``call_changes`` is word (8 bytes) and
    mask (32) of each change, flat. Wei and deadlines are decimal text (uint256)."""

    __tablename__ = "operations"
    __table_args__ = (
        Index(None, "state", "id"),
        Index(None, "issuer", "state", "id"),
        Index(None, "batch_seq"),
        Index(None, "request_id"),
        Index(None, "call_root", "state"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=SERIAL)
    issuer: bytes
    actor: bytes
    state: str = Field(sa_type=Text)
    batch_seq: int | None = Field(default=None, sa_type=BigInteger)
    request_id: str | None = Field(default=None, sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)
    error: str | None = Field(default=None, sa_type=Text)
    effect_block: int | None = Field(default=None, sa_type=BigInteger)
    effect_hash: bytes | None = None
    effect_transaction: bytes | None = None
    call_kind: str = Field(sa_type=Text)
    call_issuer: bytes
    call_root: bytes | None = None
    call_changes: bytes
    call_reason: int = Field(sa_type=BigInteger)
    call_account: bytes | None = None
    call_roles: int = Field(sa_type=BigInteger)
    call_valid_until: int = Field(sa_type=BigInteger)
    call_consent_deadline: str = Field(sa_type=Text)
    call_consent: bytes
    call_value_wei: str = Field(sa_type=Text)
    call_signature: bytes
    call_deadline: str = Field(sa_type=Text)
    call_uri: str | None = Field(default=None, sa_type=Text)


class TransactionRow(Row, table=True):
    """A nonce of a sender, taken for good."""

    __tablename__ = "transactions"
    __table_args__ = (
        Index(None, "sender", "nonce", unique=True),
        Index(None, "state", "sender", "nonce"),
        Index(None, "operation_id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=SERIAL)
    operation_id: int = Field(sa_type=BigInteger, foreign_key="operations.id")
    sender: bytes
    nonce: int = Field(sa_type=BigInteger)
    mode: str = Field(sa_type=Text)
    receiver: bytes
    data: bytes
    gas_limit: int = Field(sa_type=BigInteger)
    value_wei: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)


class AttemptRow(Row, table=True):
    """Signed bytes of a transaction; what is here was committed before it was sent."""

    __tablename__ = "attempts"
    __table_args__ = (
        Index(None, "hash", unique=True),
        Index(None, "transaction_id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=SERIAL)
    transaction_id: int = Field(sa_type=BigInteger, foreign_key="transactions.id")
    hash: bytes
    raw: bytes
    max_fee_per_gas_wei: str = Field(sa_type=Text)
    max_priority_fee_per_gas_wei: str = Field(sa_type=Text)
    signed_at: int = Field(sa_type=BigInteger)
    sent_at: int | None = Field(default=None, sa_type=BigInteger)


class StatusRequestRow(Row, table=True):
    """A request to change statuses; its state follows from its operations."""

    __tablename__ = "status_requests"

    id: str = Field(primary_key=True, sa_type=Text)
    kind: str = Field(sa_type=Text)
    issuer: bytes
    reason: int = Field(sa_type=BigInteger)
    note: str | None = Field(default=None, sa_type=Text)
    requested_by: str = Field(sa_type=Text)
    requested_by_key: str | None = Field(default=None, sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)
    entry_count: int = Field(sa_type=BigInteger)
    awaiting_approval: bool


class SkippedDigestRow(Row, table=True):
    """A digest that a request skipped; by itself, so that erasing finds it."""

    __tablename__ = "skipped_digests"
    __table_args__ = (Index(None, "digest"),)

    request_id: str = Field(primary_key=True, sa_type=Text, foreign_key="status_requests.id")
    position: int = Field(primary_key=True, sa_type=BigInteger)
    digest: bytes
