"""Reading JSON-RPC parameters: hex at this edge, bytes and integers inside (EIP-1474, execution-apis).

Every function raises `RpcError` -32602 for a wrong type or form, naming the parameter, never repeating its
value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth_typing import Address

from registry.chain.embedded.errors import invalid_params

_QUANTITY: Final = re.compile(r"0x(0|[1-9a-fA-F][0-9a-fA-F]{0,63})")
_DATA: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
TAGS: Final = ("latest", "pending", "safe", "finalized", "earliest")


@dataclass(frozen=True, slots=True)
class ByHash:
    """A block named by its hash (EIP-1898)."""

    block_hash: bytes


AccessList = tuple[tuple[Address, tuple[int, ...]], ...]
"""Addresses, each with storage positions."""

BlockId = str | int | ByHash
"""A tag of `TAGS`, a number, or a hash."""


def arguments(params: Sequence[Any], least: int, most: int) -> list[Any]:
    """The positional parameters, filled up with None to ``most``."""
    if not least <= len(params) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise invalid_params(f"{wanted} expected, {len(params)} given")
    return [*params, *[None] * (most - len(params))]


def quantity(value: Any, name: str, bits: int = 256) -> int:
    """A hex quantity without leading zeros."""
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise invalid_params(f"{name} must be a hex quantity, 0x first, without leading zeros")
    number = int(value, 16)
    if number.bit_length() > bits:
        raise invalid_params(f"{name} must fit {bits} bits")
    return number


def data(value: Any, name: str, length: int | None = None) -> bytes:
    """Hex bytes; ``length`` in bytes if fixed."""
    if not isinstance(value, str) or not _DATA.fullmatch(value):
        raise invalid_params(f"{name} must be hex bytes, 0x first, two digits each")
    raw = bytes.fromhex(value[2:])
    if length is not None and len(raw) != length:
        raise invalid_params(f"{name} must be {length} bytes")
    return raw


def address(value: Any, name: str = "address") -> Address:
    """A 20-byte address; mixed case is not checked here, as in nodes."""
    return Address(data(value, name, 20))


def slot(value: Any) -> int:
    """A storage position: a quantity, or up to 32 bytes with leading zeros."""
    if not isinstance(value, str) or not re.fullmatch(r"0x[0-9a-fA-F]{1,64}", value):
        raise invalid_params("storage position must be hex, at most 32 bytes")
    return int(value, 16)


def flag(value: Any, name: str) -> bool:
    """A boolean; absent is false."""
    if value is None:
        return False
    if not isinstance(value, bool):
        raise invalid_params(f"{name} must be a boolean")
    return value


def block_id(value: Any, default: str = "latest") -> BlockId:
    """A tag, a hex number, or an EIP-1898 object. ``requireCanonical`` is implied: nothing else is answered
    here."""
    if value is None:
        return default
    if isinstance(value, Mapping):
        if "blockHash" in value and "blockNumber" not in value:
            flag(value.get("requireCanonical"), "requireCanonical")
            return ByHash(data(value["blockHash"], "blockHash", 32))
        if "blockNumber" in value and "blockHash" not in value:
            return block_id(value["blockNumber"])
        raise invalid_params("a block object has exactly one of blockHash and blockNumber")
    if isinstance(value, str) and value in TAGS:
        return value
    if isinstance(value, str) and len(value) == 66:
        return ByHash(data(value, "block hash", 32))
    return quantity(value, "block number", bits=63)


@dataclass(frozen=True, slots=True)
class CallParams:
    """The object of eth_call and eth_estimateGas. ``to`` is empty for a creation; ``gas`` None when not
    given."""

    sender: Address
    to: Address
    data: bytes
    value: int
    gas: int | None
    access_list: AccessList


_IGNORED_QUANTITIES: Final = ("gasPrice", "maxFeePerGas", "maxPriorityFeePerGas", "nonce", "chainId", "type")


def call_object(value: Any) -> CallParams:
    """Read a call object. Fees and nonce are checked for their form and have no effect."""
    if not isinstance(value, Mapping):
        raise invalid_params("the call must be an object")
    for name in _IGNORED_QUANTITIES:
        if value.get(name) is not None:
            quantity(value[name], name)
    payloads = [data(value[name], name) for name in ("input", "data") if value.get(name) is not None]
    if len(payloads) == 2 and payloads[0] != payloads[1]:
        raise invalid_params("data and input are both given and differ")
    target = value.get("to")
    gas = value.get("gas")
    return CallParams(
        sender=address(value["from"], "from") if value.get("from") is not None else Address(bytes(20)),
        to=Address(b"") if target in (None, "0x") else address(target, "to"),
        data=payloads[0] if payloads else b"",
        value=quantity(value["value"], "value") if value.get("value") is not None else 0,
        gas=quantity(gas, "gas", bits=64) if gas is not None else None,
        access_list=_access_list(value.get("accessList")),
    )


def _access_list(value: Any) -> AccessList:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise invalid_params("accessList must be an array")
    entries = []
    for entry in value:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("storageKeys"), list):
            raise invalid_params("an accessList entry has address and storageKeys")
        keys = tuple(int.from_bytes(data(key, "storage key", 32), "big") for key in entry["storageKeys"])
        entries.append((address(entry.get("address")), keys))
    return tuple(entries)


@dataclass(frozen=True, slots=True)
class LogFilter:
    """The object of eth_getLogs. A topic position is None for any value, else the values that match."""

    first: BlockId
    last: BlockId
    block: ByHash | None
    addresses: tuple[bytes, ...]
    topics: tuple[tuple[bytes, ...] | None, ...]


MAX_TOPIC_CHOICES: Final = 1_000


def log_filter(value: Any) -> LogFilter:
    """Read a filter object."""
    if not isinstance(value, Mapping):
        raise invalid_params("the filter must be an object")
    by_hash = value.get("blockHash")
    if by_hash is not None and (value.get("fromBlock") is not None or value.get("toBlock") is not None):
        raise invalid_params("cannot specify both blockHash and fromBlock/toBlock, choose one or the other")
    return LogFilter(
        first=_range_end(value.get("fromBlock")),
        last=_range_end(value.get("toBlock")),
        block=ByHash(data(by_hash, "blockHash", 32)) if by_hash is not None else None,
        addresses=_addresses(value.get("address")),
        topics=_topics(value.get("topics")),
    )


def _range_end(value: Any) -> BlockId:
    end = block_id(value)
    if isinstance(end, ByHash):
        raise invalid_params("fromBlock and toBlock must be numbers or tags")
    return end


def _addresses(value: Any) -> tuple[bytes, ...]:
    if value is None:
        return ()
    choices = value if isinstance(value, list) else [value]
    if len(choices) > MAX_TOPIC_CHOICES:
        raise invalid_params(f"at most {MAX_TOPIC_CHOICES} addresses")
    return tuple(address(choice) for choice in choices)


def _topics(value: Any) -> tuple[tuple[bytes, ...] | None, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > 4:
        raise invalid_params("topics must be an array of at most 4")
    positions: list[tuple[bytes, ...] | None] = []
    for choice in value:
        choices = choice if isinstance(choice, list) else [choice]
        if len(choices) > MAX_TOPIC_CHOICES:
            raise invalid_params(f"at most {MAX_TOPIC_CHOICES} values for one topic")
        if not choices or None in choices:
            positions.append(None)
        else:
            positions.append(tuple(data(one, "topic", 32) for one in choices))
    return tuple(positions)
