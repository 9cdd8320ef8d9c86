"""The JSON-RPC methods of the embedded chain (execution-apis; EIP-1474, EIP-1898), apart from simulation and
fees.

Each takes the engine and the positional parameters and returns plain JSON values. Errors: `RpcError`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, Final, NoReturn

from registry.chain.embedded import fees, params, serialize, simulation
from registry.chain.embedded.engine import Engine, View
from registry.chain.embedded.errors import METHOD_NOT_FOUND, RpcError, invalid_params
from registry.chain.embedded.serialize import hexed, qty

Method = Callable[[Engine, Sequence[Any]], Any]


def _chain_id(engine: Engine, given: Sequence[Any]) -> str:
    params.arguments(given, 0, 0)
    return qty(engine.chain.chain_id)


def _network(engine: Engine, given: Sequence[Any]) -> str:
    params.arguments(given, 0, 0)
    return str(engine.chain.chain_id)


def _client_version(_engine: Engine, given: Sequence[Any]) -> str:
    params.arguments(given, 0, 0)
    return f"rootmark-embedded/eth-tester-{version('eth-tester')}/py-evm-{version('py-evm')}"


def _no_accounts(_engine: Engine, given: Sequence[Any]) -> list[str]:
    params.arguments(given, 0, 0)
    return []


def _not_syncing(_engine: Engine, given: Sequence[Any]) -> bool:
    params.arguments(given, 0, 0)
    return False


def _block_number(engine: Engine, given: Sequence[Any]) -> str:
    params.arguments(given, 0, 0)
    return qty(engine.head.block_number)


def _block_or_none(engine: Engine, block: params.BlockId) -> View | None:
    try:
        return engine.resolve(block)
    except RpcError:
        return None


def _block_by(engine: Engine, block: params.BlockId, full: bool) -> dict[str, Any] | None:
    view = _block_or_none(engine, block)
    return None if view is None else serialize.block(view.block(), full=full, pending=view.pending)


def _block_by_number(engine: Engine, given: Sequence[Any]) -> dict[str, Any] | None:
    number, full = params.arguments(given, 1, 2)
    block = params.block_id(number)
    if isinstance(block, params.ByHash):
        raise invalid_params("block number or tag expected")
    return _block_by(engine, block, params.flag(full, "full transactions"))


def _block_by_hash(engine: Engine, given: Sequence[Any]) -> dict[str, Any] | None:
    block_hash, full = params.arguments(given, 1, 2)
    block = params.ByHash(params.data(block_hash, "block hash", 32))
    return _block_by(engine, block, params.flag(full, "full transactions"))


def _transaction_by_hash(engine: Engine, given: Sequence[Any]) -> dict[str, Any] | None:
    transaction_hash = params.data(params.arguments(given, 1, 1)[0], "transaction hash", 32)
    waiting = engine.pool.get(transaction_hash)
    if waiting is not None:
        return serialize.transaction(waiting.transaction, None, None, base_fee=0)
    found = engine.find(transaction_hash)
    if found is None:
        return None
    view, index = found
    header: Any = view.header
    return serialize.transaction(
        view.block().transactions[index], header, index, base_fee=header.base_fee_per_gas
    )


def _receipt(engine: Engine, given: Sequence[Any]) -> dict[str, Any] | None:
    found = engine.find(params.data(params.arguments(given, 1, 1)[0], "transaction hash", 32))
    if found is None:
        return None
    view, index = found
    block = view.block()
    return serialize.receipt(block, block.get_receipts(view.chain.chaindb), index)


def _transaction_count(engine: Engine, given: Sequence[Any]) -> str:
    account, block = params.arguments(given, 1, 2)
    address, view = params.address(account), engine.resolve(params.block_id(block))
    if view.pending:
        mined = engine.resolve("latest").state().get_nonce(address)
        return qty(engine.pool.next_nonce(address, mined))
    return qty(view.state().get_nonce(address))


def _balance(engine: Engine, given: Sequence[Any]) -> str:
    account, block = params.arguments(given, 1, 2)
    address = params.address(account)
    return qty(engine.resolve(params.block_id(block)).state().get_balance(address))


def _code(engine: Engine, given: Sequence[Any]) -> str:
    account, block = params.arguments(given, 1, 2)
    address = params.address(account)
    return hexed(engine.resolve(params.block_id(block)).state().get_code(address))


def _storage(engine: Engine, given: Sequence[Any]) -> str:
    account, position, block = params.arguments(given, 2, 3)
    address, slot = params.address(account), params.slot(position)
    return serialize.word(engine.resolve(params.block_id(block)).state().get_storage(address, slot))


def _logs(engine: Engine, given: Sequence[Any]) -> list[dict[str, Any]]:
    wanted = params.log_filter(params.arguments(given, 1, 1)[0])
    if wanted.block is not None:
        first = last = int(engine.resolve(wanted.block).header.block_number)
    else:
        first, last = _number_of(engine, wanted.first), _number_of(engine, wanted.last)
        if first > last:
            raise invalid_params("invalid block range params")
    conditions, values = ["block_number BETWEEN ? AND ?"], [first, last]
    _add_choice(conditions, values, "address", wanted.addresses)
    for position, choices in enumerate(wanted.topics):
        conditions.append(f"topic{position} IS NOT NULL")
        _add_choice(conditions, values, f"topic{position}", choices or ())
    sql = (
        f"SELECT {serialize.LOG_COLUMNS} FROM logs"  # noqa: S608  (columns only; the values are bound)
        f" WHERE {' AND '.join(conditions)} ORDER BY block_number, log_index"
    )
    return [serialize.log(row) for row in engine.store.rows(sql, tuple(values))]


def _add_choice(conditions: list[str], values: list[Any], column: str, choices: tuple[bytes, ...]) -> None:
    if choices:
        conditions.append(f"{column} IN ({', '.join('?' * len(choices))})")
        values.extend(choices)


def _number_of(engine: Engine, block: params.BlockId) -> int:
    """A number as given, even above the head; a tag's number, ``pending`` being the head: its logs are not
    mined."""
    if isinstance(block, int):
        return block
    return int(engine.resolve("latest" if block == "pending" else block).header.block_number)


def _send_raw(engine: Engine, given: Sequence[Any]) -> str:
    return hexed(engine.submit(params.data(params.arguments(given, 1, 1)[0], "raw transaction")))


def _no_proof(_engine: Engine, _given: Sequence[Any]) -> NoReturn:
    raise RpcError(METHOD_NOT_FOUND, "eth_getProof is not supported by the embedded chain")


METHODS: Final[dict[str, Method]] = {
    "web3_clientVersion": _client_version,
    "net_version": _network,
    "eth_chainId": _chain_id,
    "eth_accounts": _no_accounts,
    "eth_syncing": _not_syncing,
    "eth_blockNumber": _block_number,
    "eth_getBlockByNumber": _block_by_number,
    "eth_getBlockByHash": _block_by_hash,
    "eth_getTransactionByHash": _transaction_by_hash,
    "eth_getTransactionReceipt": _receipt,
    "eth_getTransactionCount": _transaction_count,
    "eth_getBalance": _balance,
    "eth_getCode": _code,
    "eth_getStorageAt": _storage,
    "eth_getLogs": _logs,
    "eth_call": simulation.call,
    "eth_estimateGas": simulation.estimate_gas,
    "eth_gasPrice": fees.gas_price,
    "eth_maxPriorityFeePerGas": fees.max_priority_fee,
    "eth_feeHistory": fees.fee_history,
    "eth_getProof": _no_proof,
    "eth_sendRawTransaction": _send_raw,
}
"""Every method of the embedded chain: reads, and the one write. Nothing signs, nothing administers."""
