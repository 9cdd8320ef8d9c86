"""From an OpenAttestation document to its target hash, and from that to its root. Pure: no I/O, no chain.

Version 2.0: every value is a text ``uuid:type:value``; each field is hashed as JSON ``{"path":"value"}``.
Version 3.0: values stand plain, their salts beside them in ``proof.salts``, each with the path of its field;
a field is hashed as ``{"path":"salt:value"}``. Both: the target hash is the hash of the JSON list of all
these hashes and of those of hidden fields (obfuscated data), sorted as text; the root is reached by hashing
sorted pairs. All hashes are Keccak-256.

Source: npm @govtechsg/open-attestation 6.9.7 (2.0/digest, 3.0/digest, shared/merkle).

Stricter than the source where that lets something through: each plain field of a 3.0 document must have
exactly one salt and each salt its field (the source compares numbers only, so that a salt for a missing field
lets a field be added). What the format itself leaves open: whether a 3.0 value is a text or a number, and
empty lists and objects of 3.0.

Invariant: nothing here follows a path that a document names; paths are only compared.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from eth_hash.auto import keccak

from registry.encoding import JsonValue, canonical_json, invalid, parse_json
from registry.errors import MalformedJsonError, ValidationError

MAX_FIELDS: Final = 20_000
"""Fields, plain and hidden, that one document may have."""
MAX_PROOFS: Final = 32
"""Hashes between a document and its root: each may cost a call to a contract. 2^32 documents need no more."""
MAX_SALTS_TEXT: Final = 4 * 1024 * 1024

_HASH: Final = re.compile(r"[0-9a-f]{64}")
_SALTED: Final = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-4[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}:"
    r"(string|number|boolean|null|undefined):(.*)",
    re.DOTALL,
)
_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?(?:e[+-]?[0-9]{1,3})?")
_BOOLEANS: Final = {"true": True, "false": False}


def wrong(detail: str, pointer: str) -> ValidationError:
    """The error for a document that does not have the form."""
    return invalid("open-attestation", detail, pointer)


def parse_hash(value: object, pointer: str) -> bytes:
    """A hash as these documents write it: 64 lower-case digits without 0x. Raises ValidationError."""
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise wrong("a hash has 64 lower-case hexadecimal digits", pointer)
    return bytes.fromhex(value)


def parse_hashes(value: object, most: int, pointer: str) -> tuple[bytes, ...]:
    """A list of hashes; none where the member is missing. Raises ValidationError."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise wrong("hashes stand in a list", pointer)
    if len(value) > most:
        raise wrong(f"there are more than {most} hashes", pointer)
    return tuple(parse_hash(entry, f"{pointer}/{position}") for position, entry in enumerate(value))


# --- the tree -----------------------------------------------------------------------------------------------


def hashes_on_the_way(target: bytes, proofs: Sequence[bytes]) -> list[bytes]:
    """The target hash, and every hash above it up to the root."""
    way = [target]
    for other in proofs:
        way.append(keccak(b"".join(sorted((way[-1], other)))))
    return way


# --- version 2.0 --------------------------------------------------------------------------------------------


def target_of_v2(data: Mapping[str, JsonValue], hidden: Sequence[bytes]) -> bytes:
    """The target hash of the salted ``data`` and the hashes of hidden fields.

    Raises:
        ValidationError: a name that would make paths ambiguous, or too many fields.
    """
    fields = [_field_hash(path, value) for path, value in _fields_of_v2(data, "")]
    return _target(fields, hidden)


def _fields_of_v2(value: JsonValue, path: str) -> Iterator[tuple[str, JsonValue]]:
    """Path and value of every field; lists count by position, and an empty list or object is a value."""
    members: list[tuple[str, JsonValue]]
    if isinstance(value, Mapping) and value:
        members = list(value.items())
    elif isinstance(value, list) and value:
        members = [(str(position), entry) for position, entry in enumerate(value)]
    else:
        yield path, value
        return
    for name, member in members:
        if not name or "." in name:
            raise wrong("a name is empty or has a period in it", "/data")
        yield from _fields_of_v2(member, f"{path}.{name}" if path else name)


def unsalted(value: JsonValue) -> JsonValue:
    """The values of salted data, in the same shape; what carries no salt stays as it is.

    Raises:
        ValidationError: a value is not of the type that stands beside it.
    """
    if isinstance(value, Mapping):
        return {name: unsalted(member) for name, member in value.items()}
    if isinstance(value, list):
        return [unsalted(member) for member in value]
    match = _SALTED.fullmatch(value) if isinstance(value, str) else None
    return value if match is None else _typed(match[1], match[2].strip())


def _typed(kind: str, text: str) -> JsonValue:
    if kind == "string":
        return text
    if kind == "number" and _NUMBER.fullmatch(text):
        number = float(text)
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    if kind == "boolean" and text in _BOOLEANS:
        return _BOOLEANS[text]
    if kind in ("null", "undefined"):
        return None
    raise wrong("a value is not of the type that stands beside it", "/data")


# --- version 3.0 --------------------------------------------------------------------------------------------


def target_of_v3(
    document: Mapping[str, JsonValue], salts: Mapping[str, str], hidden: Sequence[bytes]
) -> bytes:
    """The target hash of a document without its ``proof``.

    Args:
        salts: by path, from `parse_salts`.

    Raises:
        ValidationError: a field without salt, a salt without field, a name that would make paths
            ambiguous, or too many fields.
    """
    fields = []
    left = dict(salts)
    for path, text in _fields_of_v3(document, ""):
        salt = left.pop(path, None)
        if salt is None:
            raise wrong("a field has no salt of its own", "/proof/salts")
        fields.append(_field_hash(path, f"{salt}:{text}"))
    if left:
        raise wrong("a salt is for a field that is not there", "/proof/salts")
    return _target(fields, hidden)


def _fields_of_v3(value: JsonValue, path: str) -> Iterator[tuple[str, str]]:
    """Path and text of every field, as ``a.b[0].c``; empty lists and objects have none."""
    if isinstance(value, Mapping):
        for name, member in value.items():
            if not name or any(mark in name for mark in ".[]"):
                raise wrong("a name is empty or has a period or a bracket in it", "")
            yield from _fields_of_v3(member, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for position, member in enumerate(value):
            yield from _fields_of_v3(member, f"{path}[{position}]")
    else:
        yield path, value if isinstance(value, str) else canonical_json(value).decode()


def parse_salts(value: object, pointer: str) -> dict[str, str]:
    """The salts of a 3.0 document by path: base64 of a JSON list of ``{"value", "path"}``.

    Raises:
        ValidationError: another form, a salt that is not 32 bytes, or two for one path.
    """
    if not isinstance(value, str) or len(value) > MAX_SALTS_TEXT:
        raise wrong("the salts are a text in base64", pointer)
    try:
        listed: Any = parse_json(base64.b64decode(value, validate=True))
    except (binascii.Error, ValueError, MalformedJsonError) as error:
        raise wrong("the salts are not JSON in base64", pointer) from error
    if not isinstance(listed, list) or len(listed) > MAX_FIELDS:
        raise wrong(f"the salts are a list of at most {MAX_FIELDS}", pointer)
    salts: dict[str, str] = {}
    for entry in listed:
        if not isinstance(entry, dict) or set(entry) != {"value", "path"}:
            raise wrong("a salt has a value and a path", pointer)
        path, salt = entry["path"], entry["value"]
        if not isinstance(path, str) or not isinstance(salt, str) or not _HASH.fullmatch(salt):
            raise wrong("a salt is 32 bytes, and its path a text", pointer)
        if path in salts:
            raise wrong("a field has two salts", pointer)
        salts[path] = salt
    return salts


# --- both ---------------------------------------------------------------------------------------------------


def _field_hash(path: str, value: JsonValue) -> str:
    # RFC 8785 writes one member as JSON.stringify does.
    return keccak(canonical_json({path: value})).hex()


def _target(fields: Sequence[str], hidden: Sequence[bytes]) -> bytes:
    if len(fields) + len(hidden) > MAX_FIELDS:
        raise wrong(f"the document has more than {MAX_FIELDS} fields", "")
    hashes = sorted([*fields, *(digest.hex() for digest in hidden)])
    return keccak(canonical_json(hashes))
