"""The outbox: what shall happen on chain, the nonces given to it, and the signed bytes of each attempt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from registry.encoding import Address, BlockHash, Digest, TxHash
from registry.model.chain import ContractCall, SendMode


class OperationState(StrEnum):
    """`held` waits for a second key's approval. An operation whose effect is on chain already, whoever
    caused it, goes to `mined` without a transaction."""

    HELD = "held"
    QUEUED = "queued"
    SUBMITTED = "submitted"
    MINED = "mined"
    FINAL = "final"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Operation:
    """One wished-for contract call. ``batch_seq`` is set for everything that concerns a batch.

    ``effect_*`` name the block where the effect was seen, whoever caused it; they are cleared by a reorg.
    """

    id: int
    issuer: Address
    actor: Address
    call: ContractCall
    state: OperationState
    batch_seq: int | None
    request_id: str | None
    created_at: datetime
    error: str | None
    effect_block: int | None
    effect_hash: BlockHash | None
    effect_transaction: TxHash | None


class TransactionState(StrEnum):
    """State of one nonce of one sender. `replaced`: finally consumed by a transaction that this server did
    not make."""

    SIGNED = "signed"
    MINED = "mined"
    FINAL = "final"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One signed form of a transaction; fee bumps add further ones under the same nonce."""

    hash: TxHash
    raw: bytes
    max_fee_per_gas_wei: int
    max_priority_fee_per_gas_wei: int
    signed_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class OutboxTransaction:
    """A (chain, sender, nonce) that this server committed itself to fill; attempts oldest first."""

    id: int
    operation_id: int
    sender: Address
    nonce: int
    mode: SendMode
    to: Address
    data: bytes
    gas_limit: int
    value_wei: int
    state: TransactionState
    attempts: tuple[Attempt, ...]


class RequestKind(StrEnum):
    """The public kinds of status requests."""

    REVOCATION = "revocation"
    SUSPENSION = "suspension"
    REINSTATEMENT = "reinstatement"
    ANNULMENT = "annulment"
    WITHDRAWAL = "withdrawal"
    WITHDRAWAL_ANNULMENT = "withdrawal_annulment"
    KEY_RETIREMENT = "key_retirement"
    KEY_ADDITION = "key_addition"


class RequestState(StrEnum):
    """The worst state among a request's operations; `awaiting_approval` before a second key approved."""

    AWAITING_APPROVAL = "awaiting_approval"
    SUBMITTED = "submitted"
    MINED = "mined"
    FINAL = "final"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StatusRequest:
    """A request to change statuses, and what became of it. ``note`` is private to the issuer and auditors."""

    id: str
    kind: RequestKind
    issuer: Address
    reason: int
    note: str | None
    requested_by: str
    requested_by_key: str | None
    created_at: datetime
    state: RequestState
    count: int
    skipped: tuple[Digest, ...]
    transactions: tuple[TxHash, ...]
    error: str | None
