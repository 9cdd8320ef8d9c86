"""The registry's logs and return values as domain types. Pure: no I/O.

Strict: the registry at our code hash emits the events of its ABI in canonical encoding and nothing else, so
    a log that reads
otherwise was not emitted by it, and a return value that reads otherwise did not come from it. Both are
`BadAnswer` here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError

from registry.chain.abi import event_topics, load_artifact
from registry.chain.rpc import BadAnswer, array, data, mapping, quantity
from registry.encoding import Address, BlockHash, Root, TxHash
from registry.model.chain import (
    BatchOnChain,
    Change,
    ContractStatus,
    EventKind,
    KeyOnChain,
    RegistryEvent,
)

_STATUSES: Final = tuple(ContractStatus)
_ADDRESS_PADDING: Final = bytes(12)
_CHANGES: Final = "(uint64,uint256)[]"


@dataclass(frozen=True, slots=True)
class _Shape:
    """How an event is laid out: names of its indexed parameters, names and types of the others."""

    kind: EventKind
    indexed: tuple[str, ...]
    names: tuple[str, ...]
    types: tuple[str, ...]


@cache
def _shapes() -> Mapping[bytes, _Shape]:
    """The shape of each event, by topic0."""
    topics = event_topics()
    shapes = {}
    for entry in load_artifact().abi:
        if entry["type"] != "event":
            continue
        indexed = tuple(p["name"] for p in entry["inputs"] if p["indexed"])
        plain = [p for p in entry["inputs"] if not p["indexed"]]
        # A text is read as bytes, which are laid out alike: the contract does not check that it is UTF-8.
        types = tuple({"tuple[]": _CHANGES, "string": "bytes"}.get(p["type"], p["type"]) for p in plain)
        shape = _Shape(EventKind(entry["name"]), indexed, tuple(p["name"] for p in plain), types)
        shapes[topics[entry["name"]]] = shape
    return shapes


def decode_log(log: Any, registry: Address) -> RegistryEvent:
    """Read a log object of `eth_getLogs` or of a receipt.

    Raises:
        BadAnswer: not a mined log of the registry, or not one of its events in canonical encoding.
    """
    fields = mapping(log, "log")
    if data(fields.get("address"), "log address", 20) != registry:
        raise BadAnswer("a log is another contract's")
    if fields.get("removed"):
        raise BadAnswer("a log was removed by a reorganisation")
    topics = [data(topic, "log topic", 32) for topic in array(fields.get("topics"), "log topics")]
    shape = _shapes().get(topics[0]) if topics else None
    if shape is None or len(topics) != len(shape.indexed) + 1:
        raise BadAnswer("a log is none of the registry's events")
    values: dict[str, Any] = dict(zip(shape.indexed, topics[1:], strict=True))
    values |= _data_of(shape, data(fields.get("data"), "log data"))
    return RegistryEvent(
        kind=shape.kind,
        issuer=_address(values["issuer"]),
        at=values["at"],
        head=values["head"],
        block_number=quantity(fields.get("blockNumber"), "log block number"),
        block_hash=BlockHash(data(fields.get("blockHash"), "log block hash", 32)),
        transaction=TxHash(data(fields.get("transactionHash"), "log transaction hash", 32)),
        log_index=quantity(fields.get("logIndex"), "log index"),
        root=Root(values["root"]) if "root" in values else None,
        account=_account(values),
        reason=values.get("reason", 0),
        roles=values.get("roles", 0),
        valid_until=values.get("validUntil", 0),
        uri=values.get("uri", b"").decode("utf-8", "surrogateescape"),
        changes=tuple(Change(word, mask) for word, mask in values.get("changes", ())),
    )


def _data_of(shape: _Shape, raw: bytes) -> dict[str, Any]:
    """The parameters that are not indexed. Only the one canonical encoding is taken."""
    try:
        values = decode(shape.types, raw)
        canonical = encode(shape.types, values) == raw
    except (DecodingError, EncodingError) as error:
        raise BadAnswer("a log's data cannot be decoded") from error
    if not canonical:
        raise BadAnswer("a log's data is not in canonical encoding")
    return dict(zip(shape.names, values, strict=True))


def _account(values: Mapping[str, Any]) -> Address | None:
    for name in ("key", "admin", "actor"):
        if name in values:
            return _address(values[name])
    return None


def _address(topic: bytes) -> Address:
    if topic[:12] != _ADDRESS_PADDING:
        raise BadAnswer("an address in a log has more than 20 bytes")
    return Address(topic[12:])


# --- return values ------------------------------------------------------------------------------------------


def _values(types: Sequence[str], raw: bytes) -> tuple[Any, ...]:
    """Static values of one word each."""
    if len(raw) != 32 * len(types):
        raise BadAnswer("the registry's answer has another length")
    try:
        return tuple(decode(types, raw))
    except DecodingError as error:
        raise BadAnswer("the registry's answer cannot be decoded") from error


def _hex_address(text: str) -> Address:
    return Address(bytes.fromhex(text.removeprefix("0x")))


def decode_batch(raw: bytes) -> BatchOnChain:
    """What `batchOf` returned."""
    key, anchored_at, withdrawn_at, reason = _values(("address", "uint40", "uint40", "uint16"), raw)
    return BatchOnChain(_hex_address(key), anchored_at, withdrawn_at, reason)


def decode_key(raw: bytes) -> KeyOnChain:
    """What `keyOf` returned."""
    issuer, valid_until, retired_at, roles = _values(("address", "uint40", "uint40", "uint16"), raw)
    return KeyOnChain(_hex_address(issuer), valid_until, retired_at, roles)


def decode_address(raw: bytes) -> Address:
    """What `adminOf` returned."""
    (address,) = _values(("address",), raw)
    return _hex_address(address)


def decode_bytes32(raw: bytes) -> bytes:
    """What `headOf` returned."""
    (value,) = _values(("bytes32",), raw)
    return bytes(value)


def decode_uint(raw: bytes) -> int:
    """What `nonceOf` returned."""
    (value,) = _values(("uint256",), raw)
    return int(value)


def decode_status(raw: bytes) -> tuple[int, ContractStatus]:
    """What `statusOf` returned: anchoredAt in seconds, and the status."""
    anchored_at, number = _values(("uint40", "uint8"), raw)
    if number >= len(_STATUSES):
        raise BadAnswer("the registry's answer is no status")
    return anchored_at, _STATUSES[number]
