"""History heads: the hash chain over an issuer's events. Pure: no I/O.

docs/contract.md, "Events and history heads":

    entry = keccak256(abi.encode(topic0, every parameter in order except head))
    head' = keccak256(abi.encode(head, entry)), starting from 32 zero bytes

The encoding is the Solidity ABI specification's, "Formal Specification of the Encoding", for the few types
that occur.
"""

from __future__ import annotations

from functools import cache

from eth_hash.auto import keccak

from registry.model.chain import Change, EventKind, RegistryEvent

EMPTY_HEAD = bytes(32)
"""Head of an issuer that never wrote."""

_WORD_BYTES = 32

_ADMIN = "address,address,uint40,bytes32"
_WITHDRAWAL = "address,bytes32,address,uint16,uint40,bytes32"
_BITS = "address,bytes32,address,(uint64,uint256)[],uint16,uint40,bytes32"
_PARAMETER_TYPES = {
    EventKind.KEY_ADDED: "address,address,uint16,uint40,bytes32",
    EventKind.KEY_RETIRED: "address,address,uint40,uint16,uint40,bytes32",
    EventKind.PROFILE_SET: "address,string,uint40,bytes32",
    EventKind.ADMIN_PROPOSED: _ADMIN,
    EventKind.ADMIN_CHANGED: _ADMIN,
    EventKind.BATCH_ANCHORED: "address,bytes32,address,uint40,bytes32",
    EventKind.BATCH_WITHDRAWN: _WITHDRAWAL,
    EventKind.WITHDRAWAL_ANNULLED: _WITHDRAWAL,
    EventKind.REVOKED: _BITS,
    EventKind.SUSPENDED: _BITS,
    EventKind.REINSTATED: _BITS,
    EventKind.REVOCATION_ANNULLED: _BITS,
}


@cache
def topic0(kind: EventKind) -> bytes:
    """Keccak-256 of the event's canonical signature (Solidity ABI specification, "Events")."""
    return keccak(f"{kind.value}({_PARAMETER_TYPES[kind]})".encode())


def entry_digest(event: RegistryEvent) -> bytes:
    """Keccak-256 of the ABI encoding of topic0 and all parameters but the head.

    Raises:
        ValueError: the event lacks a parameter of its kind, or one does not fit its type.
    """
    return keccak(_encode([topic0(event.kind), *_parameters(event)]))


def fold(head: bytes, event: RegistryEvent) -> bytes:
    """The head after ``event``, from the 32-byte head before it. ``event.head`` is not looked at.

    Raises:
        ValueError: like `entry_digest`.
    """
    return keccak(head + entry_digest(event))


def _parameters(event: RegistryEvent) -> list[int | bytes | str | tuple[Change, ...]]:
    """Every parameter in the order of the declaration, except head."""
    match event.kind:
        case EventKind.KEY_ADDED:
            return [event.issuer, given(event.account), event.roles, event.at]
        case EventKind.KEY_RETIRED:
            return [event.issuer, given(event.account), event.valid_until, event.reason, event.at]
        case EventKind.PROFILE_SET:
            return [event.issuer, event.uri, event.at]
        case EventKind.ADMIN_PROPOSED | EventKind.ADMIN_CHANGED:
            return [event.issuer, given(event.account), event.at]
        case EventKind.BATCH_ANCHORED:
            return [event.issuer, given(event.root), given(event.account), event.at]
        case EventKind.BATCH_WITHDRAWN | EventKind.WITHDRAWAL_ANNULLED:
            return [event.issuer, given(event.root), given(event.account), event.reason, event.at]
        case _:
            actor = given(event.account)
            return [event.issuer, given(event.root), actor, event.changes, event.reason, event.at]


def given(value: bytes | None) -> bytes:
    """The value, which an event of this kind must have. Raises ValueError when it is missing."""
    if value is None:
        raise ValueError("the event lacks a parameter of its kind")
    return value


def _encode(values: list[int | bytes | str | tuple[Change, ...]]) -> bytes:
    """`abi.encode`: a word for each value; for a text or a list its offset, its content after all words."""
    words: list[bytes] = []
    content = b""
    for value in values:
        if isinstance(value, str | tuple):
            words.append(_word(len(values) * _WORD_BYTES + len(content)))
            content += _text(value) if isinstance(value, str) else _changes(value)
        else:
            words.append(_word(value))
    return b"".join(words) + content


def _word(value: int | bytes) -> bytes:
    """Numbers and addresses are right-aligned; a 32-byte value fills the word."""
    try:
        return (
            value.to_bytes(_WORD_BYTES, "big") if isinstance(value, int) else value.rjust(_WORD_BYTES, b"\0")
        )
    except OverflowError as error:
        raise ValueError("a number does not fit its type") from error


def _text(text: str) -> bytes:
    raw = text.encode("utf-8", "surrogateescape")  # bytes that are no UTF-8 come as lone surrogates
    return _word(len(raw)) + raw + bytes(-len(raw) % _WORD_BYTES)


def _changes(changes: tuple[Change, ...]) -> bytes:
    return _word(len(changes)) + b"".join(_word(change.word) + _word(change.mask) for change in changes)
