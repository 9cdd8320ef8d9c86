"""The EVM beneath the embedded chain: eth-tester's chain class on a persistent database.

eth-tester's front end reads by integer block number only, scans the whole chain for a transaction, and
re-executes a block for each transaction sent (55 ms). Its chain class and genesis are used here; blocks are
built, and states read and simulated, through py-evm itself (3 ms), which can do so at any header. No locks
and no commits: the callers' part.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

import rlp  # type: ignore[import-untyped, unused-ignore]
from eth.abc import BlockAPI, BlockHeaderAPI, ComputationAPI, ReceiptAPI, SignedTransactionAPI, StateAPI
from eth.chains.base import MiningChain
from eth.db.atomic import AtomicDB
from eth.db.backends.base import BaseDB
from eth.db.batch import BatchDB
from eth.db.chain_gaps import GENESIS_CHAIN_GAPS
from eth.db.schema import SchemaV1
from eth.exceptions import HeaderNotFound
from eth.rlp.sedes import chain_gaps
from eth.vm.forks.prague import PragueVM
from eth.vm.spoof import SpoofTransaction
from eth_tester.backends.pyevm.main import PyEVMBackend  # type: ignore[import-untyped, unused-ignore]
from eth_typing import Address, BlockNumber, Hash32
from eth_utils.exceptions import ValidationError

from registry.chain.embedded.errors import EmbeddedStorageError
from registry.chain.embedded.genesis import genesis_parameters, genesis_state

ZERO_ADDRESS: Final = Address(bytes(20))


@dataclass(frozen=True, slots=True)
class Call:
    """A message to simulate. ``to`` is empty for a creation; gas prices are zero, so that no balance is
    needed for gas."""

    sender: Address
    to: Address
    data: bytes
    value: int
    gas: int
    access_list: tuple[tuple[Address, tuple[int, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Sealed:
    """A block that was built: its transactions in order and their receipts."""

    block: BlockAPI
    receipts: tuple[ReceiptAPI, ...]


def chain_class(chain_id: int, faucet: Address) -> type[MiningChain]:
    """eth-tester's chain class, its rules pinned to Prague, with another chain id than its own."""
    backend = PyEVMBackend(genesis_parameters=genesis_parameters(), genesis_state=genesis_state(faucet))
    pinned = {"chain_id": chain_id, "vm_configuration": ((0, PragueVM),)}
    return cast(type[MiningChain], type("EmbeddedEvmChain", (type(backend.chain),), pinned))


def create_chain(kind: type[MiningChain], database: BaseDB, faucet: Address) -> MiningChain:
    """Write the genesis block into an empty database; the caller commits."""
    return cast(
        MiningChain, kind.from_genesis(AtomicDB(database), genesis_parameters(), genesis_state(faucet))
    )


def open_chain(kind: type[MiningChain], database: BaseDB) -> MiningChain:
    """The chain whose head the database holds."""
    return kind(AtomicDB(database))


def scratch_chain(kind: type[MiningChain], database: BaseDB) -> MiningChain:
    """The same chain over a layer in memory: what is built on it never reaches the database."""
    return kind(AtomicDB(BatchDB(database)))


class ExecutionFailure(Exception):  # noqa: N818  (not an error of the caller; the engine acts on it)
    """py-evm broke on a transaction instead of failing it. ``transaction_hash`` names it."""

    def __init__(self, transaction_hash: bytes) -> None:
        super().__init__(f"the EVM broke on transaction 0x{transaction_hash.hex()}")
        self.transaction_hash = transaction_hash


def build_block(chain: MiningChain, transactions: Iterable[SignedTransactionAPI], timestamp: int) -> Sealed:
    """Execute what can be executed on top of the head, in the given order, and append the block.

    A transaction that the head's state does not allow (nonce, balance, fee, room) is left out, not an error:
    the caller sees which ones by comparing. ``timestamp`` is in seconds, greater than the parent's.
    """
    header = chain.create_header_from_parent(
        chain.get_canonical_head(), timestamp=timestamp, coinbase=ZERO_ADDRESS, mix_hash=os.urandom(32)
    )
    vm = chain.get_vm(header)
    taken: list[SignedTransactionAPI] = []
    receipts: list[ReceiptAPI] = []
    for transaction in transactions:
        try:
            receipt, _ = vm.apply_transaction(header, transaction)
        except ValidationError:
            continue
        except EmbeddedStorageError:
            raise
        except Exception as error:
            raise ExecutionFailure(transaction.hash) from error
        header = vm.add_receipt_to_header(header, receipt)
        taken.append(transaction)
        receipts.append(receipt)
    filled = vm.set_block_transactions_and_withdrawals(vm.get_block(), header, tuple(taken), tuple(receipts))
    block = vm.mine_block(filled).block
    chain.persist_block(block)
    chain.header = chain.create_header_from_parent(block.header)
    return Sealed(block, tuple(receipts))


def rewind(chain: MiningChain, target: BlockHeaderAPI) -> list[SignedTransactionAPI]:
    """Make ``target``, an ancestor of the head, the head again.

    Returns:
        the transactions of the blocks taken off, oldest first. The blocks stay readable by hash in the
        database, but nothing canonical (number, transaction lookup) leads to them.
    """
    database = chain.chaindb.db
    orphaned: list[SignedTransactionAPI] = []
    for height in range(target.block_number + 1, chain.get_canonical_head().block_number + 1):
        number = BlockNumber(height)
        block = chain.get_block_by_hash(chain.get_canonical_block_hash(number))
        for transaction in block.transactions:
            orphaned.append(transaction)
            database.delete(SchemaV1.make_transaction_hash_to_block_lookup_key(transaction.hash))
        database.delete(SchemaV1.make_block_number_to_hash_lookup_key(number))
    gaps = rlp.encode((GENESIS_CHAIN_GAPS[0], target.block_number + 1), sedes=chain_gaps)
    database.set(SchemaV1.make_chain_gaps_lookup_key(), gaps)
    database.set(SchemaV1.make_header_chain_gaps_lookup_key(), gaps)
    database.set(SchemaV1.make_canonical_head_hash_lookup_key(), target.hash)
    chain.header = chain.create_header_from_parent(target)
    return orphaned


def canonical_header(chain: MiningChain, block_hash: bytes) -> BlockHeaderAPI | None:
    """The header with that hash if it is on the chain now, else None."""
    try:
        header = chain.chaindb.get_block_header_by_hash(Hash32(block_hash))
        if chain.get_canonical_block_hash(header.block_number) != block_hash:
            return None
    except (HeaderNotFound, rlp.exceptions.RLPException, ValueError):
        return None
    return header


def state_after(chain: MiningChain, header: BlockHeaderAPI) -> StateAPI:
    """The state after a block, with the block's own number and time as context."""
    return chain.get_vm(header).state


def simulation_header(header: BlockHeaderAPI, timestamp: int) -> BlockHeaderAPI:
    """The context of a simulation: the block's, at another time, with no base fee to pay."""
    changed: Any = header.copy(timestamp=timestamp, base_fee_per_gas=0)
    return cast(BlockHeaderAPI, changed)


@contextmanager
def reverted(state: StateAPI) -> Iterator[None]:
    """Undo what happens to the state inside."""
    snapshot = state.snapshot()
    try:
        yield
    finally:
        state.revert(snapshot)


def simulate(chain: MiningChain, state: StateAPI, call: Call) -> ComputationAPI:
    """Execute a call and undo it.

    Raises:
        ValidationError: of eth_utils; the sender's balance is below ``value``, or the gas below the intrinsic
        gas.
    """
    builder: Any = chain.get_vm().get_transaction_builder()
    unsigned = builder.new_unsigned_dynamic_fee_transaction(
        chain_id=chain.chain_id,
        nonce=state.get_nonce(call.sender),
        max_priority_fee_per_gas=0,
        max_fee_per_gas=0,
        gas=call.gas,
        to=call.to,
        value=call.value,
        data=call.data,
        access_list=call.access_list,
    )
    with reverted(state):
        return state.apply_transaction(
            cast(SignedTransactionAPI, SpoofTransaction(unsigned, from_=call.sender))
        )
