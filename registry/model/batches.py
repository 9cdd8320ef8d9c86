"""Batches and their entries: what the server keeps to prove each credential."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from registry.encoding import Address, BlockHash, Digest, DigestMethod, Root, Salt, TxHash
from registry.model.chain import SendMode

MAX_BATCH_SIZE = 2_000_000
"""Entries one request may bring (an NDJSON body's line limit)."""


class BatchState(StrEnum):
    """`receiving` is internal: rows still arriving, nothing acknowledged, shown to nobody."""

    RECEIVING = "receiving"
    OPEN = "open"
    SEALED = "sealed"
    SUBMITTED = "submitted"
    MINED = "mined"
    FINAL = "final"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a root stands on chain, as last read from there."""

    transaction: TxHash
    block_number: int
    block_hash: BlockHash
    anchored_at: datetime
    gas_used: int
    fee_wei: int
    sender: Address
    mode: SendMode


@dataclass(frozen=True, slots=True)
class Batch:
    """``seq`` is the store's own number, for joins; ``id`` is the public name."""

    seq: int
    id: str
    issuer: Address
    state: BatchState
    size: int
    root: Root | None
    created_at: datetime
    sealed_at: datetime | None
    anchor: Anchor | None
    error: str | None
    awaiting_approval_of: str | None = None
    """Id of the API key that published it, when a second key must approve before it is signed."""


class NewEntry(NamedTuple):
    """One credential on its way in; a tuple because a batch may have a million."""

    digest: Digest
    method: DigestMethod
    salt: Salt
    external_id: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    document: bytes | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A stored entry together with what identifies its batch."""

    batch_seq: int
    batch_id: str
    batch_state: BatchState
    issuer: Address
    root: Root | None
    size: int
    index: int
    digest: Digest
    method: DigestMethod
    salt: Salt
    external_id: str | None
    valid_from: datetime | None
    valid_until: datetime | None
