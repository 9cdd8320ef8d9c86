"""The bundle's JSON form: docs/bundle-format.md. Reading is strict, and every flaw is a
`MalformedEvidenceError`: what is missing from a bundle must never read as absent from the chain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from registry.encoding import (
    MAX_SAFE_INTEGER,
    AccountId,
    Address,
    BlockHash,
    Digest,
    JsonValue,
    Root,
    TxHash,
    parse_account_id,
    parse_digest,
    parse_hex,
    to_hex,
)
from registry.errors import MalformedEvidenceError, ValidationError
from registry.merkle import InclusionProof, proof_from_json
from registry.model.chain import Change, EventKind, RegistryEvent

BUNDLE_TYPE = "RootmarkBundle/v1"
SLOT_NAMES = ("key", "batch", "head", "revoked", "suspended")
MAX_EVENTS = 1_000_000
MAX_TIME = 2**40 - 1
MAX_REASON = 2**16 - 1

T = TypeVar("T")

_HASHES = {"transaction": 32, "blockHash": 32, "head": 32}


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle, read and not yet believed."""

    registry: AccountId
    credential: Mapping[str, JsonValue] | None
    digest: Digest
    proof: InclusionProof
    header: bytes
    account_proof: tuple[bytes, ...]
    storage_proofs: Mapping[str, tuple[bytes, ...]]
    events: tuple[RegistryEvent, ...]


def bundle_from_json(value: JsonValue) -> Bundle:
    """Read a bundle as `parse_json` returned it.

    Raises:
        MalformedEvidenceError: it lacks a part, or a part has another form.
    """
    if not isinstance(value, Mapping) or value.get("type") != BUNDLE_TYPE:
        raise MalformedEvidenceError(f"a bundle is an object of type {BUNDLE_TYPE}")
    credential = value.get("credential")
    if credential is not None and not isinstance(credential, Mapping):
        raise MalformedEvidenceError("the bundle's credential is not an object")
    proof = _wellformed(lambda: proof_from_json(value.get("proof"), pointer="/proof"))
    slots = value.get("storageProofs")
    if not isinstance(slots, Mapping) or set(slots) != set(SLOT_NAMES):
        raise MalformedEvidenceError(f"storageProofs needs exactly {', '.join(SLOT_NAMES)}")
    events = value.get("events")
    if not isinstance(events, list) or len(events) > MAX_EVENTS:
        raise MalformedEvidenceError("the bundle has no list of events")
    return Bundle(
        registry=_wellformed(lambda: parse_account_id(value.get("registry"), pointer="/registry")),
        credential=credential,
        digest=_wellformed(lambda: parse_digest(value.get("digest"), pointer="/digest")),
        proof=proof,
        header=_data(value.get("header"), "/header"),
        account_proof=_nodes(value.get("accountProof"), "/accountProof"),
        storage_proofs={name: _nodes(slots[name], f"/storageProofs/{name}") for name in SLOT_NAMES},
        events=tuple(_event(event, proof.issuer, f"/events/{number}") for number, event in enumerate(events)),
    )


def event_to_json(event: RegistryEvent) -> dict[str, Any]:
    """One event; the issuer is the proof's, and parameters that the kind does not have are left out."""
    fields: dict[str, Any] = {
        "kind": event.kind.value,
        "at": event.at,
        "head": to_hex(event.head),
        "blockNumber": event.block_number,
        "blockHash": to_hex(event.block_hash),
        "transaction": to_hex(event.transaction),
        "logIndex": event.log_index,
    }
    if event.root is not None:
        fields["root"] = to_hex(event.root)
    if event.account is not None:
        fields["account"] = to_hex(event.account)
    if event.kind in _WITH_REASON:
        fields["reason"] = event.reason
    if event.kind is EventKind.KEY_ADDED:
        fields["roles"] = event.roles
    if event.kind is EventKind.KEY_RETIRED:
        fields["validUntil"] = event.valid_until
    if event.kind is EventKind.PROFILE_SET:
        fields["uri"] = to_hex(event.uri.encode("utf-8", "surrogateescape"))
    if event.changes:
        fields["changes"] = [
            {"word": str(change.word), "mask": f"0x{change.mask:064x}"} for change in event.changes
        ]
    return fields


_WITHOUT_REASON = frozenset(
    {
        EventKind.KEY_ADDED,
        EventKind.PROFILE_SET,
        EventKind.ADMIN_PROPOSED,
        EventKind.ADMIN_CHANGED,
        EventKind.BATCH_ANCHORED,
    }
)
_WITH_REASON = frozenset(EventKind) - _WITHOUT_REASON


def _event(value: JsonValue, issuer: Address, pointer: str) -> RegistryEvent:
    if not isinstance(value, Mapping):
        raise MalformedEvidenceError(f"an event is an object, at {pointer}")
    kind = next((kind for kind in EventKind if kind.value == value.get("kind")), None)
    if kind is None:
        raise MalformedEvidenceError(f"an event of a kind that the contract does not have, at {pointer}")

    def number(name: str, limit: int, default: int | None = None) -> int:
        return _number(value.get(name, default), limit, f"{pointer}/{name}")

    def data(name: str, length: int) -> bytes:
        return _wellformed(lambda: parse_hex(value.get(name), length, pointer=f"{pointer}/{name}"))

    uri = _data(value.get("uri", "0x"), f"{pointer}/uri").decode("utf-8", "surrogateescape")
    return RegistryEvent(
        kind=kind,
        issuer=issuer,
        at=number("at", MAX_TIME),
        head=data("head", 32),
        block_number=number("blockNumber", MAX_SAFE_INTEGER),
        block_hash=BlockHash(data("blockHash", 32)),
        transaction=TxHash(data("transaction", 32)),
        log_index=number("logIndex", MAX_SAFE_INTEGER),
        root=Root(data("root", 32)) if "root" in value else None,
        account=Address(data("account", 20)) if "account" in value else None,
        reason=number("reason", MAX_REASON, 0),
        roles=number("roles", MAX_REASON, 0),
        valid_until=number("validUntil", MAX_TIME, 0),
        uri=uri,
        changes=_changes(value.get("changes", []), f"{pointer}/changes"),
    )


def _changes(value: JsonValue, pointer: str) -> tuple[Change, ...]:
    if not isinstance(value, list):
        raise MalformedEvidenceError(f"changes are a list, at {pointer}")
    changes: list[Change] = []
    for position, change in enumerate(value):
        where = f"{pointer}/{position}"
        word = change.get("word") if isinstance(change, Mapping) else None
        decimal = isinstance(word, str) and word.isascii() and word.isdecimal() and len(word) <= 20
        if not isinstance(change, Mapping) or not decimal:
            raise MalformedEvidenceError(f"a change has a word, a decimal string, and a mask, at {where}")
        mask = _mask(change, where)
        changes.append(Change(int(str(word)), mask))
    return tuple(changes)


def _mask(change: Mapping[str, JsonValue], pointer: str) -> int:
    mask = _wellformed(lambda: parse_hex(change.get("mask"), 32, pointer=f"{pointer}/mask"))
    return int.from_bytes(mask, "big")


def _number(value: object, limit: int, pointer: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= limit:
        raise MalformedEvidenceError(f"an integer from 0 to {limit} is expected at {pointer}")
    return value


def _nodes(value: JsonValue, pointer: str) -> tuple[bytes, ...]:
    if not isinstance(value, list):
        raise MalformedEvidenceError(f"a proof is a list of nodes, at {pointer}")
    return tuple(_data(node, f"{pointer}/{number}") for number, node in enumerate(value))


def _data(value: JsonValue, pointer: str) -> bytes:
    """Hexadecimal of any whole number of bytes."""
    if not isinstance(value, str):
        raise MalformedEvidenceError(f"a hexadecimal string is expected at {pointer}")
    return _wellformed(lambda: parse_hex(value, max(len(value) - 2, 0) // 2, pointer=pointer))


def _wellformed(read: Callable[[], T]) -> T:
    try:
        return read()
    except ValidationError as error:
        raise MalformedEvidenceError(f"bundle: {error}", faults=error.faults) from error
