"""`EmbeddedChain`: an EVM chain in this process that answers Ethereum JSON-RPC and keeps its state on disk.

eth-tester's chain on py-evm, Prague rules, chain id 31337, fixed genesis time. It is a test chain with one
node, this one: whoever can write its files can rewrite its history. Use a public chain where that matters.

Thread-safe: one lock around every request. One process at a time: a lock on the directory.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

from eth_account.signers.local import LocalAccount
from eth_typing import Address
from eth_utils.address import to_checksum_address

from registry.chain.embedded import evm
from registry.chain.embedded.engine import Engine
from registry.chain.embedded.errors import (
    EmbeddedChainMismatchError,
    EmbeddedStorageError,
    RpcError,
    method_not_found,
)
from registry.chain.embedded.fees import SUGGESTED_TIP_WEI
from registry.chain.embedded.genesis import load_or_make_faucet
from registry.chain.embedded.lock import DirectoryLock
from registry.chain.embedded.methods import METHODS
from registry.chain.embedded.store import ChainStore

EMBEDDED_CHAIN_ID: Final = 31337
_SCHEMA_VERSION: Final = b"1"


class EmbeddedChain:
    """The chain in one data directory, open from construction to `close`."""

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], float] = time.time,
        chain_id: int = EMBEDDED_CHAIN_ID,
        busy_timeout_seconds: float = 5.0,
    ) -> None:
        """Open the chain in the directory ``path``, or begin one there.

        Args:
            path: made if missing, mode 700. Holds ``chain.sqlite3``, ``chain.lock`` and ``faucet.key``.
            clock: Unix time in seconds; block times follow it.
            chain_id: fixed when the chain begins.
            busy_timeout_seconds: how long a write waits for another connection's lock.

        Raises:
            DataDirectoryLockedError: the directory is in use.
            EmbeddedChainMismatchError: it holds a chain with another id or of another version, or lacks the
            faucet's key. EmbeddedStorageError: the database cannot be read or written.
        """
        self._guard = threading.RLock()
        self._doubtful = False
        self._lock: DirectoryLock | None = None
        self._store: ChainStore | None = None
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = DirectoryLock(path)
            file = path / "chain.sqlite3"
            file.touch(mode=0o600)
            self._store = ChainStore(file, busy_timeout_seconds=busy_timeout_seconds)
            begun = self._store.meta("chain_id") is not None
            self._faucet = load_or_make_faucet(path, make=not begun)
            self._engine = self._begin_or_continue(self._store, begun, chain_id, clock)
        except OSError as error:
            self.close()
            reason = error.strerror or "I/O error"
            raise EmbeddedStorageError(f"the embedded chain in {path} cannot be opened: {reason}") from error
        except BaseException:
            self.close()
            raise

    def _begin_or_continue(
        self, store: ChainStore, begun: bool, chain_id: int, clock: Callable[[], float]
    ) -> Engine:
        faucet = Address(bytes.fromhex(self._faucet.address[2:]))
        kind = evm.chain_class(chain_id, faucet)
        facts = {"schema": _SCHEMA_VERSION, "chain_id": str(chain_id).encode(), "faucet": faucet}
        if begun:
            for name, value in facts.items():
                if store.meta(name) != value:
                    raise EmbeddedChainMismatchError(
                        f"the data directory's chain was begun with another {name}"
                    )
        else:
            evm.create_chain(kind, store, faucet)
            for name, value in facts.items():
                store.set_meta(name, value)
            store.commit()
        return Engine(store, kind, clock)

    # --- use ---

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        """Answer one JSON-RPC call.

        Args:
            method: a name of `registry.chain.embedded.methods.METHODS`.
            params: positional parameters as JSON values.

        Returns:
            the JSON value of ``result``.

        Raises:
            RpcError: with code, message and data of the JSON-RPC error object.
            EmbeddedStorageError: the database failed, or the chain is closed; nothing was acknowledged.
        """
        function = METHODS.get(method)
        if function is None:
            raise method_not_found(method)
        with self.exclusively() as engine:
            engine.advance()
            return function(engine, params)

    def fund(self, address: str, wei: int) -> str:
        """Send ether from the faucet to a plain account.

        Returns:
            the transaction's hash, 0x hex; mined at once or within a second.
        """
        with self.exclusively() as engine:
            faucet: LocalAccount = self._faucet
            nonce = int(self.request("eth_getTransactionCount", [faucet.address, "pending"]), 16)
            signed = faucet.sign_transaction(
                {
                    "type": 2,
                    "chainId": engine.chain.chain_id,
                    "nonce": nonce,
                    "to": to_checksum_address(address),
                    "value": wei,
                    "gas": 21_000,
                    "maxPriorityFeePerGas": SUGGESTED_TIP_WEI,
                    "maxFeePerGas": SUGGESTED_TIP_WEI + 2 * engine.next_base_fee(),
                }
            )
            answer: str = self.request("eth_sendRawTransaction", ["0x" + bytes(signed.raw_transaction).hex()])
            return answer

    @property
    def faucet(self) -> LocalAccount:
        """The account that the genesis block funds; its key belongs to this data directory alone."""
        return self._faucet

    @contextmanager
    def exclusively(self) -> Iterator[Engine]:
        """The engine, while nobody else uses it.

        What an error left uncommitted is forgotten; after any but a refusal, the engine is read again from
        the database, since a failed commit may or may not have been written.

        Raises:
            EmbeddedStorageError: the chain is closed.
        """
        with self._guard:
            if self._store is None:
                raise EmbeddedStorageError("the embedded chain is closed")
            try:
                if self._doubtful:
                    self._engine.reload()
                    self._doubtful = False
                yield self._engine
            except RpcError:
                self._store.discard()
                raise
            except BaseException:
                self._doubtful = True
                self._store.discard()
                raise

    def close(self) -> None:
        """Release the files and the directory. A second call does nothing."""
        with self._guard:
            store, self._store = self._store, None
            try:
                if store is not None:
                    store.close()
            finally:
                if self._lock is not None:
                    self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
