"""Field types that several bodies share: hexadecimal, times, reasons. Errors carry no input."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from api.context import parse_as_of
from registry.encoding import Address, Digest, parse_address, parse_digest, parse_hex, parse_time
from registry.errors import ValidationError
from registry.model.reasons import REASON_LABELS, Reason

T = TypeVar("T")


class Body(BaseModel):
    """Base of all bodies: no unknown members, no conversions between types."""

    model_config = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True)


def reader(parse: Callable[[Any], T]) -> Callable[[Any], T]:
    """A validator out of one of the edge's parsers; its fault keeps code and sentence."""

    def read(value: Any) -> T:
        try:
            return parse(value)
        except ValidationError as error:
            fault = error.faults[0]
            raise PydanticCustomError(fault.code.replace("-", "_"), fault.detail) from error

    return read


def _reason(value: Any) -> Reason:
    if not isinstance(value, str) or value not in REASON_LABELS:
        raise PydanticCustomError("reason", f"one of {', '.join(REASON_LABELS)}")
    return Reason[value.upper()]


MAX_SIGNATURE_BYTES = 2_048


def _signature(value: Any) -> bytes:
    """65 bytes of ECDSA, or what a contract account (ERC-1271, such as a Safe) takes."""
    if not isinstance(value, str) or len(value) % 2 or not 132 <= len(value) <= 2 + 2 * MAX_SIGNATURE_BYTES:
        return parse_hex(value, 65)
    return parse_hex(value, len(value) // 2 - 1)


def _as_of(value: Any) -> int | datetime:
    return parse_as_of(value, "")


def printable(value: str) -> str:
    """A text that may have several lines, and no other control characters."""
    if any(unicodedata.category(character) == "Cc" and character not in "\t\r\n" for character in value):
        raise PydanticCustomError("characters", "control characters are not allowed")
    return value


def _one_line(value: str) -> str:
    """A text that is shown in lists: refused, and not trimmed, when it begins or ends with white space."""
    if value != value.strip() or any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in value):
        raise PydanticCustomError(
            "characters", "control characters, and white space at the ends, are not allowed"
        )
    return value


_HEX = "^0x[0-9a-fA-F]{%d}$"

DigestField = Annotated[
    Digest,
    BeforeValidator(reader(parse_digest)),
    WithJsonSchema({"type": "string", "pattern": _HEX % 64, "examples": ["0x" + "5a" * 32]}),
]
AddressField = Annotated[
    Address,
    BeforeValidator(reader(parse_address)),
    WithJsonSchema({"type": "string", "pattern": _HEX % 40, "examples": ["0x" + "11" * 20]}),
]
SignatureField = Annotated[
    bytes,
    BeforeValidator(reader(_signature)),
    WithJsonSchema({"type": "string", "pattern": "^0x([0-9a-fA-F]{2}){65,2048}$"}),
]
TimeField = Annotated[
    datetime,
    BeforeValidator(reader(parse_time)),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-23T04:00:00Z"]}),
]
AsOfField = Annotated[
    int | datetime,
    BeforeValidator(reader(_as_of)),
    WithJsonSchema(
        {
            "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string"}],
            "description": "A block number, or an RFC 3339 time.",
        }
    ),
]
ReasonField = Annotated[
    Reason, BeforeValidator(_reason), WithJsonSchema({"type": "string", "enum": list(REASON_LABELS)})
]
Note = Annotated[
    str,
    Field(max_length=2000, description="Private: shown to the issuer and to auditors only."),
    AfterValidator(printable),
]
Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_one_line)]
Label = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_one_line)]
