"""What the services need from a store: repositories inside a unit of work.

One `with store.write() as unit:` is one database transaction: it commits when the block ends, rolls back on
any
exception, and is durable when it returned. `store.read()` is a snapshot for reading. Every method may raise
`StoreUnavailableError` (locked, full, unreachable), in which case nothing of the unit was stored. Methods on
many things take many things: there is no query per row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from registry.encoding import Address, BlockHash, Digest, DigestMethod, Root, Salt, TxHash
from registry.model.batches import Anchor, Batch, BatchState, Entry, NewEntry
from registry.model.chain import (
    CallKind,
    ContractCall,
    EventKind,
    Header,
    IndexPosition,
    RegistryEvent,
    SendMode,
)
from registry.model.figures import AnchoredBatch, StatusCount
from registry.model.issuers import AccessRecord, ApiKey, Issuer, IssuerState
from registry.model.operations import (
    Attempt,
    Operation,
    OperationState,
    OutboxTransaction,
    RequestKind,
    StatusRequest,
    TransactionState,
)
from registry.ports.award_store import (
    AchievementImageRepository,
    AchievementRepository,
    AwardRepository,
    EndorsementRepository,
)
from registry.ports.console_store import ConsoleRepository
from registry.ports.credential_store import SigningKeyRepository, StatusListRepository
from registry.ports.page_store import DesignRepository, PageRepository, ShareRepository
from registry.ports.webhooks import WebhookRepository


class IssuerRepository(Protocol):
    """Issuers hosted here."""

    def add(self, issuer: Issuer) -> None:
        """Raises `ConflictError` when the address is taken."""
        ...

    def get(self, address: Address) -> Issuer | None: ...

    def by_addresses(self, addresses: Collection[Address]) -> Mapping[Address, Issuer]: ...

    def page(self, after: Address | None, limit: int) -> Sequence[Issuer]:
        """In order of address."""
        ...

    def set_state(self, address: Address, state: IssuerState) -> None: ...

    def set_key(self, address: Address, key: Address) -> None:
        """Let another operating key sign for the issuer from now on."""
        ...

    def lock(self, address: Address) -> None:
        """Hold the issuer's row until the unit ends: serialises everything that must not race for one
        issuer."""
        ...


class AccessRepository(Protocol):
    """API keys and the append-only access log."""

    def add_key(self, key: ApiKey, token_sha256: bytes) -> None: ...

    def key_by_token(self, token_sha256: bytes) -> ApiKey | None:
        """Expired and revoked keys too; the service decides."""
        ...

    def key(self, key_id: str) -> ApiKey | None:
        """Expired and revoked keys too."""
        ...

    def keys_of(self, issuer: Address) -> Sequence[ApiKey]:
        """Oldest first."""
        ...

    def revoke_key(self, issuer: Address, key_id: str, at: datetime) -> bool:
        """False when the issuer has no such key."""
        ...

    def log(self, at: datetime, actor: str, action: str, subject: str, detail: str) -> None: ...

    def records(self, after: int, limit: int) -> Sequence[AccessRecord]:
        """Oldest first, ``id`` greater than ``after``."""
        ...

    def records_about(self, subject: str, actions: Collection[str], limit: int) -> Sequence[AccessRecord]:
        """Newest first: of these actions, those about ``subject`` or something below it
        (`<subject>/<name>`)."""
        ...


class BatchRepository(Protocol):
    """Batches, their tiles, and where they stand."""

    def create(self, issuer: Address, state: BatchState, at: datetime, *, allow_duplicate: bool) -> Batch: ...

    def by_id(self, batch_id: str) -> Batch | None:
        """Never one that is still `receiving`."""
        ...

    def by_seq(self, seq: int) -> Batch | None: ...

    def by_roots(self, roots: Collection[tuple[Address, Root]]) -> Sequence[Batch]: ...

    def page(
        self, issuer: Address | None, state: BatchState | None, before: int | None, limit: int
    ) -> Sequence[Batch]:
        """Newest first, ``seq`` less than ``before``; never `receiving`."""
        ...

    def open_batch(self, issuer: Address) -> Batch | None:
        """The issuer's one open batch; its row stays locked until the unit ends."""
        ...

    def open_due(self, created_before: datetime, size_from: int) -> Sequence[Batch]:
        """Open, non-empty batches that are old enough or large enough to seal."""
        ...

    def seal(
        self,
        seq: int,
        root: Root,
        tiles: Iterable[tuple[int, int, bytes]],
        at: datetime,
        *,
        awaiting_approval_of: str | None = None,
    ) -> None:
        """Store root and tiles (level, index, flat bytes) and go to `sealed`. Raises `WrongStateError`
        unless the batch is open or receiving."""
        ...

    def read_tiles(
        self, seq: int, wanted: Collection[tuple[int, int]]
    ) -> Mapping[tuple[int, int], bytes]: ...

    def set_state(self, seq: int, state: BatchState, *, anchor: Anchor | None, error: str | None) -> None:
        """Replaces anchor and error too."""
        ...

    def approve(self, seq: int) -> None:
        """Clear `awaiting_approval_of`."""
        ...

    def touch(self, seq: int, at: datetime) -> None:
        """Say that a receiving batch is still being filled."""
        ...

    def abandoned(self, untouched_since: datetime) -> Sequence[int]:
        """Receiving batches whose writer is gone."""
        ...

    def discard(self, seq: int) -> None:
        """Remove a receiving batch, its entries and their awards. Raises `WrongStateError` for any other
        state."""
        ...

    def count_by_state(self) -> Mapping[BatchState, int]: ...

    def totals(self, issuer: Address) -> Mapping[BatchState, tuple[int, int]]:
        """The issuer's batches and their entries by state; `receiving` ones not."""
        ...

    def anchored(self, issuer: Address | None, up_to_block: int, limit: int) -> Sequence[AnchoredBatch]:
        """Batches whose anchor's block is not above a height, newest first."""
        ...

    def oldest_unanchored(self) -> datetime | None:
        """When the oldest sealed or submitted batch was sealed."""
        ...


class EntryRepository(Protocol):
    """Entries of batches."""

    def add(self, batch: Batch, first_index: int, entries: Sequence[NewEntry]) -> None:
        """Append in bulk and set the batch's size to ``first_index + len(entries)``. Raises
        `ExternalIdConflictError` with faults whose pointer is `/<position in entries>`."""
        ...

    def leaf_inputs(self, seq: int) -> Iterator[tuple[Digest, DigestMethod, Salt]]:
        """In index order, streamed; erased ones are left out, so that fewer than the batch's size may
        come."""
        ...

    def set_salt(self, seq: int, index: int, salt: Salt) -> None: ...

    def repeated_in(self, seq: int, limit: int) -> Sequence[tuple[Digest, tuple[int, ...]]]:
        """Digests that stand more than once in the batch, with their indices (at most 5 each)."""
        ...

    def already_anchored(self, seq: int, limit: int) -> Sequence[tuple[int, str]]:
        """(index in this batch, id of the other batch) where the same issuer has the digest in another batch
        that has neither failed nor is receiving."""
        ...

    def by_digests(self, digests: Collection[Digest], *, issuer: Address | None = None) -> Sequence[Entry]:
        """All entries with these digests; erased ones and those of receiving batches are not there."""
        ...

    def by_external_ids(self, issuer: Address, external_ids: Collection[str]) -> Sequence[Entry]: ...

    def by_indices(self, wanted: Collection[tuple[int, int]]) -> Sequence[Entry]:
        """By (batch seq, index)."""
        ...

    def of_batch(self, seq: int, first_index: int, limit: int) -> Sequence[Entry]:
        """In index order; erased ones are left out."""
        ...

    def document(self, seq: int, index: int) -> bytes | None: ...

    def documents(self, wanted: Collection[tuple[int, int]]) -> Mapping[tuple[int, int], bytes]:
        """By (batch seq, index), those that are stored."""
        ...

    def erase(self, issuer: Address, digest: Digest, *, keep_credential_ids: bool = False) -> int:
        """Remove digest, salt, document, dates and external id of the issuer's entries with that digest,
        what their awards say of the recipient, and the ids of their credentials unless those are to be kept;
        root, tiles and index stay. Also removes the digest from idempotency
        answers, feed payloads and the skipped digests of status requests. Returns how many entries. Raises
        `NotSealedError` while one of them stands in an open batch, whose tree still needs it."""
        ...


class OutboxRepository(Protocol):
    """Operations, status requests, nonces and signed bytes."""

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
    ) -> Operation: ...

    def operations(
        self,
        *,
        states: Collection[OperationState],
        issuer: Address | None = None,
        limit: int = 1000,
    ) -> Sequence[Operation]:
        """Oldest first."""
        ...

    def operation(self, operation_id: int) -> Operation | None: ...

    def operations_of_batch(self, seq: int) -> Sequence[Operation]: ...

    def operations_of_request(self, request_id: str) -> Sequence[Operation]: ...

    def operations_of_kind(self, issuer: Address, kind: CallKind) -> Sequence[Operation]:
        """The issuer's operations of a kind that is rare, in any state, oldest first."""
        ...

    def pending_for_roots(self, roots: Collection[tuple[Address, Root]]) -> Sequence[Operation]:
        """Status operations on these batches that are held, queued or submitted: asked for and not mined."""
        ...

    def set_operation(
        self,
        operation_id: int,
        state: OperationState,
        *,
        error: str | None = None,
        effect: tuple[int, BlockHash, TxHash | None] | None = None,
    ) -> None:
        """Replaces error and effect (block number, block hash, transaction)."""
        ...

    def next_nonce(self, sender: Address, floor: int) -> int:
        """The lowest nonce from ``floor`` on that no transaction of this sender here has, above all that
        have."""
        ...

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
        """Raises `ConflictError` when (sender, nonce) is taken: another process signed meanwhile."""
        ...

    def add_attempt(self, transaction_id: int, attempt: Attempt) -> None: ...

    def mark_sent(self, attempt_hash: TxHash, at: datetime) -> None: ...

    def transactions(
        self, *, states: Collection[TransactionState], sender: Address | None = None, limit: int = 1000
    ) -> Sequence[OutboxTransaction]:
        """In order of nonce, with their attempts."""
        ...

    def transactions_of(self, operation_ids: Collection[int]) -> Sequence[OutboxTransaction]: ...

    def set_transaction(self, transaction_id: int, state: TransactionState, *, gas_used: int = 0) -> None:
        """``gas_used`` is added to the total when the transaction becomes `final`, once. Raises
        `NotFoundError`."""
        ...

    def gas_used_total(self) -> int:
        """Gas of all transactions that are final, whatever they did. It never falls."""
        ...

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
    ) -> None: ...

    def request(self, request_id: str) -> StatusRequest | None:
        """State, transactions and error are derived from its operations; one without operations is
        `final`."""
        ...

    def requests_of(self, issuer: Address, limit: int) -> Sequence[StatusRequest]:
        """The issuer's requests, newest first."""
        ...

    def revoked_by_key(self, key_id: str, since: datetime) -> int:
        """How many credentials the API key has asked to revoke or withdraw from ``since`` on."""
        ...

    def requests_by_transactions(self, hashes: Collection[TxHash]) -> Mapping[TxHash, StatusRequest]: ...

    def approve_request(self, request_id: str) -> None:
        """Its held operations become queued."""
        ...


class LeaseRepository(Protocol):
    """Who may act for a sender or run the indexer. A fencing token grows with every change of hands."""

    def acquire(self, name: str, owner: str, ttl_seconds: float, now: datetime) -> int | None:
        """The token, for a free, expired or own lease (own: same token, renewed); None while another holds
        it."""
        ...

    def check(self, name: str, token: int) -> None:
        """Raises `LeaseLostError` when the token is not the newest. Called inside the unit that writes;
        locks the row."""
        ...

    def release(self, name: str, owner: str) -> None: ...


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An indexed event under the index's own increasing number."""

    id: int
    event: RegistryEvent


class EventRepository(Protocol):
    """The contract's events as indexed, and how far."""

    def position(self) -> IndexPosition | None: ...

    def set_position(self, position: IndexPosition) -> None: ...

    def recent_headers(self, limit: int) -> Sequence[Header]:
        """Newest first; at least those after the final block are kept."""
        ...

    def append(
        self, headers: Sequence[Header], events: Sequence[RegistryEvent], *, keep_headers: int
    ) -> None:
        """Add blocks in order with their events; drop headers older than the newest ``keep_headers``."""
        ...

    def rewind(self, above_block: int) -> Sequence[StoredEvent]:
        """Delete headers and events above a height, and the position if it lies above; returns the deleted
        events."""
        ...

    def head_of(self, issuer: Address, up_to_block: int | None = None) -> bytes:
        """Head after the issuer's last indexed event (not above a height); 32 zero bytes when there is
        none."""
        ...

    def of_issuer(
        self, issuer: Address, *, up_to_block: int | None = None, after: int = 0, limit: int | None = None
    ) -> Iterator[StoredEvent]:
        """In chain order, streamed."""
        ...

    def touching(
        self, targets: Collection[tuple[Address, Root, int]], *, up_to_block: int | None = None
    ) -> Sequence[RegistryEvent]:
        """All that decides the status of (issuer, root, word): the batch's anchor and withdrawal events, the
        bit events on
        that word with ``changes`` cut down to the words asked for, and all key and admin events of those
        issuers; in chain order."""
        ...

    def list(
        self,
        *,
        issuer: Address | None = None,
        kinds: Collection[EventKind] | None = None,
        reason: int | None = None,
        since: int | None = None,
        until: int | None = None,
        from_block: int = 0,
        up_to_block: int | None = None,
        after: int = 0,
        limit: int = 500,
    ) -> Sequence[StoredEvent]:
        """Chain order, ``id`` greater than ``after``; times in seconds, since inclusive, until exclusive;
        blocks both inclusive."""
        ...

    def at(self, block_number: int, log_index: int) -> RegistryEvent | None:
        """The event at a place on the chain."""
        ...

    def status_counts(self, issuer: Address | None, up_to_block: int, limit: int) -> Sequence[StatusCount]:
        """Changes of words by status events not above a height, newest first: a count for each word. What
        lies beyond the largest batch is not counted."""
        ...

    def issuers(self) -> Sequence[Address]:
        """Everyone who ever wrote to the contract."""
        ...

    def set_mismatch(self, issuer: Address, block_number: int, detail: str) -> None:
        """Remember that the index contradicts the chain for this issuer."""
        ...

    def clear_mismatch(self, issuer: Address) -> None: ...

    def mismatches(self) -> Mapping[Address, str]: ...


@dataclass(frozen=True, slots=True)
class FeedItem:
    """A domain event of this server, in the order of commits."""

    id: int
    at: datetime
    kind: str
    issuer: Address
    payload: Mapping[str, Any]


class FeedRepository(Protocol):
    """The ordered feed and its consumers' cursors."""

    def append(self, at: datetime, kind: str, issuer: Address, payload: Mapping[str, Any]) -> None:
        """Ids grow in commit order: nobody who read up to n can miss one below n later."""
        ...

    def after(
        self, after: int, limit: int, *, issuer: Address | None = None, since: datetime | None = None
    ) -> Sequence[FeedItem]:
        """Oldest first, ``id`` greater than ``after``, not from before ``since``."""
        ...

    def items(self, ids: Collection[int]) -> Sequence[FeedItem]: ...

    def newest(self) -> int:
        """Id of the newest item; 0 when there is none."""
        ...

    def cursor(self, consumer: str) -> int: ...

    def set_cursor(self, consumer: str, position: int) -> None: ...


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What the first request with an Idempotency-Key got. ``resource`` (such as `batch:<id>`) is set in the
    same transaction as the effect; ``status`` and ``body`` once the answer was sent, else None."""

    resource: str | None
    status: int | None
    headers: Mapping[str, str]
    body: bytes | None


class IdempotencyRepository(Protocol):
    """Keys of POST requests, per owner (an API key id or `admin`)."""

    def begin(
        self, owner: str, key: str, fingerprint: bytes, now: datetime, *, ttl_seconds: float
    ) -> StoredAnswer | None:
        """None: go ahead, the key is claimed until ``ttl_seconds`` pass. An answer: replay it.

        Raises `IdempotencyInFlightError`, or `IdempotencyMismatchError` for another fingerprint.
        """
        ...

    def bind(self, owner: str, key: str, resource: str) -> None: ...

    def finish(self, owner: str, key: str, status: int, headers: Mapping[str, str], body: bytes) -> None: ...

    def abandon(self, owner: str, key: str) -> None:
        """The request failed without effect: the key is free again (unless bound)."""
        ...

    def purge(self, older_than: datetime) -> int: ...


class MetaRepository(Protocol):
    """Single values: which chain and registry this database belongs to."""

    def get(self, name: str) -> str | None: ...

    def set(self, name: str, value: str) -> None: ...


class Unit(Protocol):
    """The repositories of one transaction."""

    @property
    def issuers(self) -> IssuerRepository: ...
    @property
    def access(self) -> AccessRepository: ...
    @property
    def batches(self) -> BatchRepository: ...
    @property
    def entries(self) -> EntryRepository: ...
    @property
    def achievements(self) -> AchievementRepository: ...
    @property
    def achievement_images(self) -> AchievementImageRepository: ...
    @property
    def awards(self) -> AwardRepository: ...
    @property
    def endorsements(self) -> EndorsementRepository: ...
    @property
    def outbox(self) -> OutboxRepository: ...
    @property
    def leases(self) -> LeaseRepository: ...
    @property
    def events(self) -> EventRepository: ...
    @property
    def feed(self) -> FeedRepository: ...
    @property
    def idempotency(self) -> IdempotencyRepository: ...
    @property
    def meta(self) -> MetaRepository: ...
    @property
    def signing_keys(self) -> SigningKeyRepository: ...
    @property
    def status_lists(self) -> StatusListRepository: ...
    @property
    def pages(self) -> PageRepository: ...

    @property
    def shares(self) -> ShareRepository: ...
    @property
    def designs(self) -> DesignRepository: ...
    @property
    def console(self) -> ConsoleRepository: ...
    @property
    def webhooks(self) -> WebhookRepository: ...


class Store(Protocol):
    """A database."""

    def write(self) -> AbstractContextManager[Unit]:
        """A read-write transaction (BEGIN IMMEDIATE on SQLite)."""
        ...

    def read(self) -> AbstractContextManager[Unit]:
        """A read-only snapshot."""
        ...

    def ping(self) -> None:
        """Raises `StoreUnavailableError` unless a write would work now (free space, not read-only,
        migrations current)."""
        ...

    def close(self) -> None: ...


__all__ = [
    "AccessRepository",
    "BatchRepository",
    "EntryRepository",
    "EventRepository",
    "FeedItem",
    "FeedRepository",
    "IdempotencyRepository",
    "IssuerRepository",
    "LeaseRepository",
    "MetaRepository",
    "OutboxRepository",
    "Store",
    "StoredAnswer",
    "StoredEvent",
    "Unit",
]
