"""`RootmarkProof/v1`, an inclusion proof as JSON: docs/proof-format.md, section 4.

Wrong types, lengths, names and ranges are `MalformedProofError` with a pointer; a path that contradicts
(index, size) is kept as it is, for `verify_inclusion` to refuse. Members that are not named here are ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from registry.encoding import (
    MAX_SAFE_INTEGER,
    JsonValue,
    format_time,
    invalid,
    parse_account_id,
    parse_address,
    parse_block_hash,
    parse_digest,
    parse_digest_method,
    parse_hex,
    parse_root,
    parse_salt,
    parse_time,
    parse_tx_hash,
    to_hex,
)
from registry.errors import MalformedProofError, ValidationError
from registry.merkle.hashing import MAX_SIZE, NODE_BYTES
from registry.merkle.proof import MAX_PATH_ENTRIES, AnchorHint, InclusionProof
from registry.merkle.shape import Side, path_sides

PROOF_TYPE = "RootmarkProof/v1"

_SIDES = {side.value: side for side in Side}

T = TypeVar("T")


def proof_to_json(proof: InclusionProof) -> dict[str, Any]:
    """Write a proof as the JSON object of docs/proof-format.md, section 4; hex in lower case.

    Raises:
        ValueError: the proof has no sides of its own, and its index is outside the batch or its path has
            another length than (index, size) demands.
    """
    sides = proof.sides if proof.sides is not None else path_sides(proof.index, proof.size)
    anchor = proof.anchor
    return {
        "type": PROOF_TYPE,
        "registry": None if proof.registry is None else str(proof.registry),
        "issuer": to_hex(proof.issuer),
        "digestMethod": proof.method.value,
        "digest": to_hex(proof.digest),
        "salt": to_hex(proof.salt),
        "index": proof.index,
        "size": proof.size,
        "path": [{side.value: to_hex(entry)} for side, entry in zip(sides, proof.path, strict=True)],
        "root": to_hex(proof.root),
        "anchor": None
        if anchor is None
        else {
            "transaction": to_hex(anchor.transaction),
            "blockNumber": anchor.block_number,
            "blockHash": to_hex(anchor.block_hash),
            "anchoredAt": format_time(anchor.anchored_at),
        },
    }


def proof_from_json(value: JsonValue, *, pointer: str = "") -> InclusionProof:
    """Read a proof.

    Args:
        value: as `parse_json` returned it.
        pointer: RFC 6901 pointer to the proof in the body, put before the places in errors.

    Raises:
        MalformedProofError: what is wrong first, with its pointer.
    """
    try:
        return _proof(value, pointer)
    except ValidationError as error:
        raise MalformedProofError(str(error), faults=error.faults) from error


def _proof(value: JsonValue, pointer: str) -> InclusionProof:
    members = _object(value, pointer, "a proof is an object")
    if members.get("type") != PROOF_TYPE:
        raise invalid("proof-type", f"the type must be {PROOF_TYPE}", f"{pointer}/type")

    def required(name: str, parse: Callable[..., T]) -> T:
        return parse(members.get(name), pointer=f"{pointer}/{name}")

    def optional(name: str, parse: Callable[..., T]) -> T | None:
        return None if members.get(name) is None else required(name, parse)

    entries = required("path", _path)
    return InclusionProof(
        registry=optional("registry", parse_account_id),
        issuer=required("issuer", parse_address),
        method=required("digestMethod", parse_digest_method),
        digest=required("digest", parse_digest),
        salt=required("salt", parse_salt),
        index=required("index", _index),
        size=required("size", _size),
        path=tuple(node for _, node in entries),
        sides=tuple(side for side, _ in entries),
        root=required("root", parse_root),
        anchor=optional("anchor", _anchor),
    )


def _object(value: object, pointer: str, detail: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid("type", detail, pointer)
    return value


def _integer(value: object, low: int, high: int, detail: str, pointer: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid("type", "an integer without fraction or exponent is expected", pointer)
    if not low <= value <= high:
        raise invalid("range", detail, pointer)
    return value


def _index(value: object, *, pointer: str) -> int:
    return _integer(value, 0, MAX_SAFE_INTEGER, "the index is not negative and at most 2^53-1", pointer)


def _size(value: object, *, pointer: str) -> int:
    return _integer(value, 1, MAX_SIZE, "the size is 1 to 2^32", pointer)


def _path(value: object, *, pointer: str) -> list[tuple[Side, bytes]]:
    if not isinstance(value, list):
        raise invalid("type", "a path is a list", pointer)
    if len(value) > MAX_PATH_ENTRIES:
        raise invalid("path-length", f"the path has more than {MAX_PATH_ENTRIES} entries", pointer)
    return [_entry(entry, f"{pointer}/{position}") for position, entry in enumerate(value)]


def _entry(value: object, pointer: str) -> tuple[Side, bytes]:
    detail = "a path entry is an object with one member, left or right"
    members = _object(value, pointer, detail)
    if len(members) == 1:
        ((name, entry),) = members.items()
        side = _SIDES.get(name)
        if side is not None:
            return side, parse_hex(entry, NODE_BYTES, pointer=f"{pointer}/{name}")
    raise invalid("path-entry", detail, pointer)


def _anchor(value: object, *, pointer: str) -> AnchorHint:
    members = _object(value, pointer, "an anchor is an object")
    block = members.get("blockNumber")
    return AnchorHint(
        transaction=parse_tx_hash(members.get("transaction"), pointer=f"{pointer}/transaction"),
        block_number=_integer(
            block, 0, MAX_SAFE_INTEGER, "a block number is not negative", f"{pointer}/blockNumber"
        ),
        block_hash=parse_block_hash(members.get("blockHash"), pointer=f"{pointer}/blockHash"),
        anchored_at=parse_time(members.get("anchoredAt"), pointer=f"{pointer}/anchoredAt"),
    )
