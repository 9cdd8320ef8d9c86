"""The body of POST /v1/batches, as JSON or as NDJSON, into a stream of items.

Written by hand and not as a model, because a batch may have a million items: an item that is a bare digest
costs one
regular expression. What is wrong comes out as a `Fault` in the stream, in place of its item, and the service
refuses the whole batch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from registry.encoding import (
    Digest,
    DigestMethod,
    JsonValue,
    parse_digest,
    parse_digest_method,
    parse_json,
    parse_time,
)
from registry.errors import Fault, MalformedInputError, ValidationError
from registry.services.items import NewItem

T = TypeVar("T")

MAX_EXTERNAL_ID = 200
_BARE_LINE = re.compile(rb'[ \t]*"0x([0-9a-fA-F]{64})"[ \t]*')
_DIGEST_MEMBERS = frozenset({"digest", "external_id", "valid_from", "valid_until"})
_CREDENTIAL_MEMBERS = frozenset({"credential", "external_id"})

CredentialReader = Callable[..., NewItem]
"""`IssuingService.item_from_credential`: (credential, external_id=..., pointer=...) -> NewItem."""


def usable_method(name: str | None) -> DigestMethod:
    """The method of given digests; `opaque` unless named.

    Raises:
        UnsupportedDigestMethodError: unknown.
    """
    return DigestMethod.OPAQUE if name is None else parse_digest_method(name, pointer="/digest_method")


def items_of_json(body: JsonValue, read_credential: CredentialReader) -> Iterator[NewItem | Fault]:
    """Items of `{"digests": [...], "digest_method"?}` or `{"credentials": [...]}`.

    Raises:
        ValidationError: the object around the list is wrong. (Faults of items come out in the stream.)
    """
    if not isinstance(body, dict):
        raise _invalid("type", "an object with digests or credentials is expected", "")
    lists = [name for name in ("digests", "credentials") if name in body]
    unknown = set(body) - {"digests", "credentials", "digest_method"}
    if len(lists) != 1 or unknown:
        raise _invalid("members", "either digests (with digest_method) or credentials is expected", "")
    name = lists[0]
    values = body[name]
    if not isinstance(values, list) or not values:
        raise _invalid("empty", "a list with at least one item is expected", f"/{name}")
    if name == "credentials":
        if "digest_method" in body:
            raise _invalid("digest-method", "digest_method belongs to digests", "/digest_method")
        return _credentials(values, read_credential)
    method_name = body.get("digest_method", "opaque")
    method = usable_method(method_name if isinstance(method_name, str) else "")
    return _digests(values, method)


def _credentials(values: list[JsonValue], read: CredentialReader) -> Iterator[NewItem | Fault]:
    for index, value in enumerate(values):
        yield _caught(lambda v=value, i=index: _credential(v, None, f"/credentials/{i}", read))  # type: ignore[misc]


def _digests(values: list[JsonValue], method: DigestMethod) -> Iterator[NewItem | Fault]:
    for index, value in enumerate(values):
        yield _caught(lambda v=value, i=index: _digest_item(v, method, f"/digests/{i}"))  # type: ignore[misc]


def items_of_lines(
    lines: Iterable[tuple[int, bytes]], method: DigestMethod, read_credential: CredentialReader
) -> Iterator[NewItem | Fault]:
    """Items of an NDJSON body; faults name the line."""
    for number, line in lines:
        bare = _BARE_LINE.fullmatch(line)
        if bare is not None:
            yield NewItem(Digest(bytes.fromhex(bare[1].decode())), method)
            continue
        item = _caught(lambda text=line: _line(text, method, read_credential))  # type: ignore[misc]
        if isinstance(item, Fault):
            at = f" at {item.pointer}" if item.pointer else ""
            item = Fault(item.code, item.detail + at, None, number)
        yield item


def _line(text: bytes, method: DigestMethod, read_credential: CredentialReader) -> NewItem:
    value = parse_json(text)
    if isinstance(value, dict) and "credential" in value:
        _only(value, _CREDENTIAL_MEMBERS, "")
        return _credential(value["credential"], _external_id(value, ""), "/credential", read_credential)
    return _digest_item(value, method, "")


def _credential(value: JsonValue, external_id: str | None, pointer: str, read: CredentialReader) -> NewItem:
    if not isinstance(value, dict):
        raise _invalid("type", "a credential is an object", pointer)
    return read(value, external_id=external_id, pointer=pointer)


def _digest_item(value: JsonValue, method: DigestMethod, pointer: str) -> NewItem:
    if isinstance(value, str):
        return NewItem(parse_digest(value, pointer=pointer), method)
    if not isinstance(value, dict):
        raise _invalid("type", "a digest, or an object with a digest, is expected", pointer)
    _only(value, _DIGEST_MEMBERS, pointer)
    if "digest" not in value:
        raise _invalid("missing", "digest is missing", pointer)
    times = {
        name: parse_time(value[name], pointer=f"{pointer}/{name}")
        for name in ("valid_from", "valid_until")
        if name in value
    }
    return NewItem(
        parse_digest(value["digest"], pointer=f"{pointer}/digest"),
        method,
        external_id=_external_id(value, pointer),
        valid_from=times.get("valid_from"),
        valid_until=times.get("valid_until"),
    )


def _external_id(value: Mapping[str, Any], pointer: str) -> str | None:
    if "external_id" not in value:
        return None
    text = value["external_id"]
    if not isinstance(text, str) or not 1 <= len(text) <= MAX_EXTERNAL_ID:
        raise _invalid(
            "external-id", f"a string of 1 to {MAX_EXTERNAL_ID} characters", f"{pointer}/external_id"
        )
    return text


def _only(value: Mapping[str, Any], allowed: frozenset[str], pointer: str) -> None:
    if not set(value) <= allowed:
        raise _invalid("members", f"only {', '.join(sorted(allowed))} may stand here", pointer)


def _caught(read: Callable[[], NewItem]) -> NewItem | Fault:
    try:
        return read()
    except MalformedInputError as error:
        return error.faults[0] if error.faults else Fault("invalid", str(error), "")


def _invalid(code: str, detail: str, pointer: str) -> ValidationError:
    return ValidationError(
        f"{detail}{f' at {pointer}' if pointer else ''}", faults=[Fault(code, detail, pointer)]
    )
