"""JSON-RPC values as bytes and integers (EIP-1474), read strictly; and what a node may refuse. Pure: no I/O.

A value that does not have its form raises `BadAnswer`, whose text names the field and never repeats the
value: a node is not trusted to send printable or short text. Both exceptions here stay inside this package;
    `registry.chain.node` turns
them into the errors of `registry.errors`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

METHOD_NOT_FOUND: Final = -32601
EXECUTION_REVERTED: Final = 3
RESOURCE_NOT_FOUND: Final = -32001

_QUANTITY: Final = re.compile(r"0x[0-9a-fA-F]{1,64}")
_DATA: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
_MAX_MESSAGE: Final = 160


class BadAnswer(Exception):  # noqa: N818 - not an error of the program but a finding about a node
    """The answer is not what the method returns."""


@dataclass
class Refusal(Exception):  # noqa: N818 - as above
    """A JSON-RPC error object. ``data`` is the revert data, or empty. ``message`` is cut and printable."""

    code: int
    message: str
    data: bytes = b""

    def __post_init__(self) -> None:
        super().__init__(self.message)

    @property
    def words(self) -> str:
        """The message for comparing: lower case."""
        return self.message.lower()


def refusal_of(error: object) -> Refusal:
    """Read an ``error`` member, however odd it is."""
    if not isinstance(error, Mapping):
        return Refusal(0, printable(error))
    code = error.get("code")
    return Refusal(
        code=code if isinstance(code, int) else 0,
        message=printable(error.get("message")),
        data=_revert_data(error.get("data")),
    )


def printable(text: object) -> str:
    """At most 160 printable characters of what a node said."""
    shown = "".join(c if c.isprintable() else " " for c in str(text)[:_MAX_MESSAGE])
    return shown.strip() or "no message"


def _revert_data(value: object) -> bytes:
    """Revert data as geth and anvil give it (hex), or as some wrap it (a mapping, or a text that ends in
    hex)."""
    if isinstance(value, Mapping):
        value = value.get("data") or value.get("result")
    if isinstance(value, str):
        found = _DATA.fullmatch(value.removeprefix("Reverted ").strip())
        if found:
            return bytes.fromhex(found[0][2:])
    return b""


def quantity(value: object, name: str) -> int:
    """A hex quantity. Leading zeros are let pass: several nodes send them."""
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise BadAnswer(f"{name} is not a hex quantity")
    return int(value, 16)


def data(value: object, name: str, length: int | None = None) -> bytes:
    """Hex bytes; ``length`` in bytes where it is fixed."""
    if not isinstance(value, str) or not _DATA.fullmatch(value):
        raise BadAnswer(f"{name} is not hex bytes")
    raw = bytes.fromhex(value[2:])
    if length is not None and len(raw) != length:
        raise BadAnswer(f"{name} is not {length} bytes")
    return raw


def mapping(value: object, name: str) -> Mapping[str, Any]:
    """A JSON object."""
    if not isinstance(value, Mapping):
        raise BadAnswer(f"{name} is not an object")
    return value


def array(value: object, name: str) -> Sequence[Any]:
    """A JSON array."""
    if not isinstance(value, list):
        raise BadAnswer(f"{name} is not an array")
    return value


def hexed(value: bytes) -> str:
    """Bytes as a parameter."""
    return "0x" + value.hex()


def word(value: int) -> str:
    """A storage position as a parameter: 32 bytes, which every node reads alike."""
    return f"0x{value:064x}"
