"""The contract as it is committed: ABI, code, selectors, storage slots, and what its errors mean.

Reads one JSON file of this package (written by scripts/compile_contracts); knows no node and no network.
Selectors are the first 4 bytes, topics the 32 bytes, of Keccak-256 of the canonical signature (Solidity ABI
specification, "Function Selector" and "Events").
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_hash.auto import keccak

from registry.encoding import Address

AbiEntry = Mapping[str, Any]

SELECTOR_BYTES: Final = 4
_PANIC: Final = keccak(b"Panic(uint256)")[:SELECTOR_BYTES]
_ERROR: Final = keccak(b"Error(string)")[:SELECTOR_BYTES]


@dataclass(frozen=True, slots=True)
class Artifact:
    """One compiled contract. The factory puts it at ``create2_address``, on any chain that has it."""

    abi: Sequence[AbiEntry]
    bytecode: bytes
    deployed_code: bytes
    code_hash: bytes
    create2_factory: Address
    create2_salt: bytes
    create2_address: Address
    storage_slots: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class CustomError:
    """A revert that the contract raised on purpose: its error's name, and the arguments by name.

    Addresses are ``0x`` hex in lower case, as eth-abi gives them; 32-byte values are bytes.
    """

    name: str
    arguments: Mapping[str, Any]


@cache
def load_artifact() -> Artifact:
    """The registry contract's artifact."""
    text = (
        files("registry.chain").joinpath("artifacts", "CredentialRegistry.json").read_text(encoding="utf-8")
    )
    raw = json.loads(text)
    return Artifact(
        abi=tuple(raw["abi"]),
        bytecode=_unhex(raw["bytecode"]),
        deployed_code=_unhex(raw["deployedBytecode"]),
        code_hash=_unhex(raw["codeHash"]),
        create2_factory=Address(_unhex(raw["create2"]["factory"])),
        create2_salt=_unhex(raw["create2"]["salt"]),
        create2_address=Address(_unhex(raw["create2"]["address"])),
        storage_slots=MappingProxyType({entry["name"]: entry["slot"] for entry in raw["storage"]}),
    )


def signature_of(entry: AbiEntry) -> str:
    """Canonical signature of a function, event or error, such as ``withdraw(bytes32,uint16)``."""
    return f"{entry['name']}({','.join(_canonical(parameter) for parameter in entry['inputs'])})"


@cache
def event_topics() -> Mapping[str, bytes]:
    """topic0 of every event, by name."""
    return MappingProxyType({e["name"]: keccak(signature_of(e).encode()) for e in _entries("event")})


@cache
def function_selectors() -> Mapping[str, bytes]:
    """Selector of every function, by name. No name is overloaded."""
    return MappingProxyType({e["name"]: _selector(e) for e in _entries("function")})


@cache
def error_selectors() -> Mapping[bytes, str]:
    """Name of every typed error, by selector."""
    return MappingProxyType({_selector(e): e["name"] for e in _entries("error")})


def is_selector(first_four: bytes) -> bool:
    """Whether call data that starts so calls a function: such a root must not go through the fallback."""
    return bytes(first_four[:SELECTOR_BYTES]) in function_selectors().values()


def decode_custom_error(data: bytes) -> CustomError | None:
    """Read revert data.

    Returns:
        The contract's error, or Solidity's own ``Error`` or ``Panic``. None for data that is none of these,
        empty, or cut short.
    """
    selector, body = bytes(data[:SELECTOR_BYTES]), bytes(data[SELECTOR_BYTES:])
    entry = _errors_by_selector().get(selector)
    if entry is None:
        return None
    names = [parameter["name"] for parameter in entry["inputs"]]
    types = [_canonical(parameter) for parameter in entry["inputs"]]
    try:
        values = decode(types, body)
    except (DecodingError, UnicodeDecodeError):
        return None
    return CustomError(name=entry["name"], arguments=MappingProxyType(dict(zip(names, values, strict=True))))


@cache
def _errors_by_selector() -> Mapping[bytes, AbiEntry]:
    own = {_selector(entry): entry for entry in _entries("error")}
    return own | {
        _ERROR: {"name": "Error", "inputs": [{"name": "message", "type": "string"}]},
        _PANIC: {"name": "Panic", "inputs": [{"name": "code", "type": "uint256"}]},
    }


def _entries(kind: str) -> list[AbiEntry]:
    return [entry for entry in load_artifact().abi if entry["type"] == kind]


def _selector(entry: AbiEntry) -> bytes:
    return keccak(signature_of(entry).encode())[:SELECTOR_BYTES]


def _canonical(parameter: AbiEntry) -> str:
    """Type of a parameter with tuples written out: ``(uint64,uint256)[]`` for an array of changes."""
    type_: str = parameter["type"]
    if not type_.startswith("tuple"):
        return type_
    members = ",".join(_canonical(component) for component in parameter["components"])
    return f"({members}){type_.removeprefix('tuple')}"


def _unhex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
