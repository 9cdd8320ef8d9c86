"""A block header's RLP from the members of a JSON-RPC block object. Pure.

Order of the fields: Ethereum Yellow Paper section 4.3, then as the forks added them: EIP-1559 (base fee),
EIP-4895 (withdrawals), EIP-4844 (blob gas, excess blob gas), EIP-4788 (beacon root), EIP-7685 (requests).
Whether a chain has other fields shows in the hash, which the caller compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import rlp

from registry.chain.rpc import BadAnswer, data, quantity

_BYTES: Final = "bytes"
_INTEGER: Final = "integer"

_FIELDS: Final = (
    ("parentHash", _BYTES),
    ("sha3Uncles", _BYTES),
    ("miner", _BYTES),
    ("stateRoot", _BYTES),
    ("transactionsRoot", _BYTES),
    ("receiptsRoot", _BYTES),
    ("logsBloom", _BYTES),
    ("difficulty", _INTEGER),
    ("number", _INTEGER),
    ("gasLimit", _INTEGER),
    ("gasUsed", _INTEGER),
    ("timestamp", _INTEGER),
    ("extraData", _BYTES),
    ("mixHash", _BYTES),
    ("nonce", _BYTES),
)
_LATER_FIELDS: Final = (
    ("baseFeePerGas", _INTEGER),
    ("withdrawalsRoot", _BYTES),
    ("blobGasUsed", _INTEGER),
    ("excessBlobGas", _INTEGER),
    ("parentBeaconBlockRoot", _BYTES),
    ("requestsHash", _BYTES),
)


def encode_header(block: Mapping[str, Any]) -> bytes:
    """RLP of the header.

    Raises:
        BadAnswer: a field is missing or malformed, or a later fork's field is there without the earlier
            ones'.
    """
    present = [field for field in _LATER_FIELDS if block.get(field[0]) is not None]
    if tuple(present) != _LATER_FIELDS[: len(present)]:
        raise BadAnswer("the header lacks a field")
    items = [_item(block.get(name), name, kind) for name, kind in (*_FIELDS, *present)]
    return bytes(rlp.encode(items))


def _item(value: object, name: str, kind: str) -> bytes:
    if kind == _BYTES:
        return data(value, name)
    number = quantity(value, name)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
