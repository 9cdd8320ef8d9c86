"""The embedded chain's state machine: accept a transaction, seal a block when one is due, answer for any
block.

No locks: `EmbeddedChain` holds one around every call.

When a block is sealed: whenever anything is asked, if transactions wait and the clock has passed the last
block's second, all that can be executed go into one block of the present second. So the first transaction
after a pause is mined while it is sent, those that follow within the same second share the next block, no
block time is ahead of the clock, and an idle chain grows no blocks. There is no timer: nobody can observe a
block that nobody asks for.

Invariants:
    - a transaction is in the database, as waiting or mined, before its sender learns that it was accepted;
    - a block, its state, its logs and the emptying of the pool are one SQLite transaction;
    - block times increase strictly; if the clock is set back, sealing waits until it has passed the last
      block's time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eth.abc import BlockAPI, BlockHeaderAPI, SignedTransactionAPI, StateAPI
from eth.chains.base import MiningChain
from eth.exceptions import TransactionNotFound
from eth_typing import BlockNumber, Hash32

from registry.chain.embedded import evm, serialize
from registry.chain.embedded.errors import rejected, unknown_block
from registry.chain.embedded.params import BlockId, ByHash
from registry.chain.embedded.pool import Pool, Waiting, decode
from registry.chain.embedded.store import ChainStore

_log = logging.getLogger(__name__)

_INSERT_LOG = f"INSERT INTO logs ({serialize.LOG_COLUMNS}) VALUES ({', '.join('?' * 11)})"  # noqa: S608


@dataclass(frozen=True, slots=True)
class View:
    """A block to read at, and the chain object that can read it (a scratch one for the pending block)."""

    chain: MiningChain
    header: BlockHeaderAPI
    tag: str | None
    """How it was named, if by a tag."""

    @property
    def pending(self) -> bool:
        """Whether this is the block being put together now."""
        return self.tag == "pending"

    def state(self) -> StateAPI:
        """The state after the block."""
        return evm.state_after(self.chain, self.header)

    def block(self) -> BlockAPI:
        """The block with its transactions."""
        return self.chain.get_block_by_header(self.header)


class Engine:
    """One open chain over one store."""

    def __init__(self, store: ChainStore, kind: type[MiningChain], clock: Callable[[], float]) -> None:
        self.store = store
        self.kind = kind
        self.clock = clock
        self.clock_offset_seconds = 0
        self.pool = Pool()
        self.chain = evm.open_chain(kind, store)
        self.head = self.chain.get_canonical_head()
        self._nothing_due: tuple[bytes, int] | None = None
        self._pending: tuple[tuple[bytes, int, int], View] | None = None
        self.reload()
        behind = self.head.timestamp - self.now()
        if behind > 0:
            _log.warning(
                "the clock is %d s behind the embedded chain's last block; no block until it has passed",
                behind,
            )

    def now(self) -> int:
        """The clock, in whole seconds; ahead of it by what `registry.chain.embedded.testing` asked for."""
        return int(self.clock()) + self.clock_offset_seconds

    # --- writing ---

    def submit(self, raw: bytes) -> bytes:
        """Accept a signed transaction, durably.

        Returns:
            its hash.

        Raises:
            RpcError: it is refused, with geth's words.
            EmbeddedStorageError: it could not be written, and was not accepted.
        """
        item = self._decode(raw)
        if self.pool.get(item.hash) is not None or self.find(item.hash) is not None:
            raise rejected("already known")
        replaced = self.pool.check(item, evm.state_after(self.chain, self.head), self.head.gas_limit)
        if replaced is not None:
            self.store.execute("DELETE FROM pool WHERE hash = ?", (replaced.hash,))
        self.store.execute("INSERT INTO pool (hash, raw) VALUES (?, ?)", (item.hash, item.raw))
        self.store.commit()
        self.pool.add(item)
        self.advance()
        return item.hash

    def advance(self) -> None:
        """Seal a block if one is due.

        Raises:
            EmbeddedStorageError: it could not be written; the transactions still wait.
        """
        due = (self.head.hash, self.pool.version)
        if not self.pool or self._nothing_due == due or self.now() <= self.head.timestamp:
            return
        if self.seal(self.now()) is None:
            self._nothing_due = due

    def seal(self, timestamp: int, *, empty: bool = False) -> BlockHeaderAPI | None:
        """Build a block of what waits and write it.

        Args:
            timestamp: seconds, greater than the last block's.
            empty: build one even of nothing.

        Returns:
            its header, or None when there is nothing to put into it.
        """
        while True:
            candidates = self._candidates(self.chain)
            if not candidates and not empty:
                return None
            try:
                return self._build_and_write(candidates, timestamp, empty=empty)
            except evm.ExecutionFailure as failure:
                self._evict(failure)

    def _build_and_write(
        self, candidates: list[SignedTransactionAPI], timestamp: int, *, empty: bool
    ) -> BlockHeaderAPI | None:
        try:
            sealed = evm.build_block(self.chain, candidates, timestamp)
            if not sealed.block.transactions and not empty:
                self.recover()
                return None
            for row in serialize.log_rows(sealed.block, sealed.receipts):
                self.store.execute(_INSERT_LOG, row)
            gone = self.pool.stale(evm.state_after(self.chain, sealed.block.header))
            for item in gone:
                self.store.execute("DELETE FROM pool WHERE hash = ?", (item.hash,))
            self.store.commit()
        except BaseException:
            self.recover()
            raise
        for item in gone:
            self.pool.remove(item)
        self.head = sealed.block.header
        return self.head

    def _evict(self, failure: evm.ExecutionFailure) -> None:
        """Drop a transaction on which the EVM breaks: left in the pool, it would stop the chain for ever."""
        _log.error("%s; it is dropped", failure, exc_info=failure)
        self.recover()
        item = self.pool.get(failure.transaction_hash)
        if item is not None:
            self.store.execute("DELETE FROM pool WHERE hash = ?", (item.hash,))
            self.store.commit()
            self.pool.remove(item)

    def rewind(self, block_hash: bytes) -> list[bytes]:
        """Take the blocks above ``block_hash`` off the chain; for tests of reorganisations.

        Returns:
            the raw transactions that were in them, oldest first; they do not wait, but may be sent again.
        """
        target = evm.canonical_header(self.chain, block_hash)
        if target is None:
            raise unknown_block()
        try:
            orphaned = [transaction.encode() for transaction in evm.rewind(self.chain, target)]
            self.store.execute("DELETE FROM logs WHERE block_number > ?", (target.block_number,))
            self.store.commit()
        finally:
            self.recover()
        return orphaned

    def recover(self) -> None:
        """Forget what was not committed and read the head again."""
        self.store.discard()
        self.chain = evm.open_chain(self.kind, self.store)
        self.head = self.chain.get_canonical_head()
        self._pending = None

    def reload(self) -> None:
        """Read everything again from the database: what a failed commit did may not be known.

        Raises:
            EmbeddedStorageError: it cannot be read.
        """
        self.recover()
        pool = Pool()
        for _, raw in self.store.rows("SELECT arrival, raw FROM pool ORDER BY arrival"):
            pool.add(self._decode(bytes(raw)))
        self.pool, self._nothing_due = pool, None

    # --- reading ---

    def resolve(self, block: BlockId) -> View:
        """The block of an id.

        Raises:
            RpcError: "unknown block": too high, never seen, or no longer on the chain.
        """
        if isinstance(block, ByHash):
            header = evm.canonical_header(self.chain, block.block_hash)
            if header is None:
                raise unknown_block()
            return View(self.chain, header, None)
        if block == "pending":
            return self._pending_view()
        if block in ("latest", "safe", "finalized"):
            return View(self.chain, self.head, str(block))
        number = 0 if block == "earliest" else int(block)
        if number > self.head.block_number:
            raise unknown_block()
        return View(self.chain, self.chain.get_canonical_block_header_by_number(BlockNumber(number)), None)

    def find(self, transaction_hash: bytes) -> tuple[View, int] | None:
        """The block that a transaction is in and its index there, or None if it is not mined."""
        try:
            number, index = self.chain.get_canonical_transaction_index(Hash32(transaction_hash))
        except TransactionNotFound:
            return None
        return self.resolve(number), index

    def next_base_fee(self) -> int:
        """Wei per gas that the next block will burn."""
        header: Any = self.chain.create_header_from_parent(self.head)
        return int(header.base_fee_per_gas)

    def _pending_view(self) -> View:
        timestamp = max(self.now(), self.head.timestamp + 1)
        key = (self.head.hash, self.pool.version, timestamp)
        if self._pending is None or self._pending[0] != key:
            scratch = evm.scratch_chain(self.kind, self.store)
            try:
                sealed = evm.build_block(scratch, self._candidates(scratch), timestamp)
            except evm.ExecutionFailure as failure:
                self._evict(failure)
                return self._pending_view()
            self._pending = (key, View(scratch, sealed.block.header, "pending"))
        return self._pending[1]

    def _candidates(self, chain: MiningChain) -> list[SignedTransactionAPI]:
        if not self.pool:
            return []
        return self.pool.executable(evm.state_after(chain, self.head), self.next_base_fee())

    def _decode(self, raw: bytes) -> Waiting:
        return decode(raw, self.chain.get_vm().get_transaction_builder(), self.chain.chain_id)
