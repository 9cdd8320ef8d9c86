"""py-evm's objects as JSON-RPC answers (execution-apis, schemas): hex quantities, lower-case hex, null for
absent.

Every header field is given as it stands in the header, so that a reader can recompute the block hash.
"""

from __future__ import annotations

from typing import Any, Final

import rlp  # type: ignore[import-untyped, unused-ignore]
from eth._utils.address import generate_contract_address
from eth.abc import BlockAPI, BlockHeaderAPI, ReceiptAPI

LogRow = tuple[
    int, int, int, bytes, bytes, bytes, bytes | None, bytes | None, bytes | None, bytes | None, bytes
]
"""A row of the log index, in the order of `LOG_COLUMNS`."""

LOG_COLUMNS: Final = (
    "block_number, log_index, transaction_index, block_hash, transaction_hash, address, "
    "topic0, topic1, topic2, topic3, data"
)


def qty(value: int) -> str:
    """A hex quantity."""
    return hex(value)


def hexed(value: bytes) -> str:
    """Hex bytes."""
    return "0x" + bytes(value).hex()


def word(value: int) -> str:
    """32 hex bytes."""
    return hexed(value.to_bytes(32, "big"))


def header_fields(header: Any) -> dict[str, Any]:
    """The header's own fields, without its hash."""
    return {
        "number": qty(header.block_number),
        "parentHash": hexed(header.parent_hash),
        "nonce": hexed(header.nonce),
        "sha3Uncles": hexed(header.uncles_hash),
        "logsBloom": hexed(header.bloom.to_bytes(256, "big")),
        "transactionsRoot": hexed(header.transaction_root),
        "stateRoot": hexed(header.state_root),
        "receiptsRoot": hexed(header.receipt_root),
        "miner": hexed(header.coinbase),
        "difficulty": qty(header.difficulty),
        "extraData": hexed(header.extra_data),
        "gasLimit": qty(header.gas_limit),
        "gasUsed": qty(header.gas_used),
        "timestamp": qty(header.timestamp),
        "mixHash": hexed(header.mix_hash),
        "baseFeePerGas": qty(header.base_fee_per_gas),
        "withdrawalsRoot": hexed(header.withdrawals_root),
        "blobGasUsed": qty(header.blob_gas_used),
        "excessBlobGas": qty(header.excess_blob_gas),
        "parentBeaconBlockRoot": hexed(header.parent_beacon_block_root),
        "requestsHash": hexed(header.requests_hash),
    }


def block(value: BlockAPI, *, full: bool, pending: bool) -> dict[str, Any]:
    """A block; the pending one has no hash, as it will be another when it is sealed."""
    fields = header_fields(value.header)
    fields["hash"] = None if pending else hexed(value.hash)
    if pending:
        fields["nonce"] = None
    fields["size"] = qty(len(rlp.encode(value)))
    fields["uncles"] = []
    fields["withdrawals"] = []
    fields["transactions"] = [
        transaction(item, None if pending else value.header, index, base_fee=_base_fee(value.header))
        if full
        else hexed(item.hash)
        for index, item in enumerate(value.transactions)
    ]
    return fields


def transaction(
    item: Any, header: BlockHeaderAPI | None, index: int | None, *, base_fee: int
) -> dict[str, Any]:
    """A transaction; ``header`` is None while it waits."""
    kind = item.type_id or 0
    fields: dict[str, Any] = {
        "hash": hexed(item.hash),
        "type": qty(kind),
        "nonce": qty(item.nonce),
        "from": hexed(item.sender),
        "to": hexed(item.to) if item.to else None,
        "value": qty(item.value),
        "gas": qty(item.gas),
        "input": hexed(item.data),
        "r": qty(item.r),
        "s": qty(item.s),
        "v": qty(item.y_parity if kind else item.v),
        "chainId": qty(item.chain_id),
        "blockHash": hexed(header.hash) if header else None,
        "blockNumber": qty(header.block_number) if header else None,
        "transactionIndex": qty(index) if header and index is not None else None,
    }
    if kind:
        fields["yParity"] = qty(item.y_parity)
        fields["accessList"] = [
            {"address": hexed(address), "storageKeys": [word(key) for key in keys]}
            for address, keys in item.access_list
        ]
    if kind >= 2:
        fields["maxFeePerGas"] = qty(item.max_fee_per_gas)
        fields["maxPriorityFeePerGas"] = qty(item.max_priority_fee_per_gas)
        fields["gasPrice"] = qty(effective_price(item, base_fee) if header else item.max_fee_per_gas)
    else:
        fields["gasPrice"] = qty(item.gas_price)
    if kind == 4:
        fields["authorizationList"] = [_authorization(entry) for entry in item.authorization_list]
    return fields


def receipt(value: BlockAPI, receipts: tuple[ReceiptAPI, ...], index: int) -> dict[str, Any]:
    """The receipt of the ``index``-th transaction of a sealed block."""
    item: Any = value.transactions[index]
    own = receipts[index]
    before = receipts[index - 1].gas_used if index else 0
    created = None if item.to else hexed(generate_contract_address(item.sender, item.nonce))
    return {
        "transactionHash": hexed(item.hash),
        "transactionIndex": qty(index),
        "blockHash": hexed(value.hash),
        "blockNumber": qty(value.number),
        "from": hexed(item.sender),
        "to": hexed(item.to) if item.to else None,
        "contractAddress": created,
        "cumulativeGasUsed": qty(own.gas_used),
        "gasUsed": qty(own.gas_used - before),
        "effectiveGasPrice": qty(effective_price(item, _base_fee(value.header))),
        "status": qty(int.from_bytes(own.state_root, "big")),
        "type": qty(item.type_id or 0),
        "logsBloom": hexed(own.bloom.to_bytes(256, "big")),
        "logs": [log(row) for row in log_rows(value, receipts) if row[2] == index],
    }


def log_rows(value: BlockAPI, receipts: tuple[ReceiptAPI, ...]) -> list[LogRow]:
    """All logs of a block as rows of the log index."""
    rows: list[LogRow] = []
    for index, (item, own) in enumerate(zip(value.transactions, receipts, strict=True)):
        for entry in own.logs:
            topics: list[bytes | None] = [topic.to_bytes(32, "big") for topic in entry.topics]
            t0, t1, t2, t3 = (topics + [None] * 4)[:4]
            rows.append(
                (
                    value.number,
                    len(rows),
                    index,
                    value.hash,
                    item.hash,
                    entry.address,
                    t0,
                    t1,
                    t2,
                    t3,
                    entry.data,
                )
            )
    return rows


def log(row: LogRow) -> dict[str, Any]:
    """A mined log."""
    number, log_index, transaction_index, block_hash, transaction_hash, address, t0, t1, t2, t3, payload = row
    return {
        "address": hexed(address),
        "topics": [hexed(topic) for topic in (t0, t1, t2, t3) if topic is not None],
        "data": hexed(payload),
        "blockNumber": qty(number),
        "blockHash": hexed(block_hash),
        "transactionHash": hexed(transaction_hash),
        "transactionIndex": qty(transaction_index),
        "logIndex": qty(log_index),
        "removed": False,
    }


def effective_price(item: Any, base_fee: int) -> int:
    """Wei per gas that the sender pays in a block with that base fee (EIP-1559)."""
    return int(min(item.max_fee_per_gas, item.max_priority_fee_per_gas + base_fee))


def _base_fee(header: Any) -> int:
    return int(header.base_fee_per_gas)


def _authorization(entry: Any) -> dict[str, str]:
    return {
        "chainId": qty(entry.chain_id),
        "address": hexed(entry.address),
        "nonce": qty(entry.nonce),
        "yParity": qty(entry.y_parity),
        "r": qty(entry.r),
        "s": qty(entry.s),
    }
