"""Chains and accounts by name: CAIP-2 chain ids and CAIP-10 account ids, of the ``eip155`` namespace only."""

from __future__ import annotations

import re
from dataclasses import dataclass

from registry.encoding.bytetypes import Address
from registry.encoding.hexes import invalid, parse_address, to_hex

# CAIP-2 allows 32 characters of reference; eip155 uses the decimal chain id without leading zeros.
_CHAIN = re.compile(r"eip155:([1-9][0-9]{0,31})")


@dataclass(frozen=True, slots=True, order=True)
class ChainId:
    """An EVM chain. ``number`` is EIP-155's chain id, at least 1. ``str()`` gives ``eip155:31337``."""

    number: int

    def __str__(self) -> str:
        return f"eip155:{self.number}"


@dataclass(frozen=True, slots=True, order=True)
class AccountId:
    """An account or contract on one chain. ``str()`` gives ``eip155:31337:0x…`` in lower case."""

    chain: ChainId
    address: Address

    def __str__(self) -> str:
        return f"{self.chain}:{to_hex(self.address)}"


def parse_chain_id(text: object, *, pointer: str = "") -> ChainId:
    """Read a CAIP-2 id such as ``eip155:31337``.

    Raises:
        ValidationError: code ``type`` or ``chain-id``.
    """
    if not isinstance(text, str):
        raise invalid("type", "a chain id is a string", pointer)
    match = _CHAIN.fullmatch(text)
    if match is None:
        raise invalid("chain-id", "a chain is written as eip155: and its decimal number (CAIP-2)", pointer)
    return ChainId(int(match[1]))


def parse_account_id(text: object, *, pointer: str = "") -> AccountId:
    """Read a CAIP-10 id such as ``eip155:31337:0x…``; the address as `parse_address` takes it.

    Raises:
        ValidationError: code ``type``, ``account-id``, ``chain-id``, or one of `parse_address`.
    """
    if not isinstance(text, str):
        raise invalid("type", "an account id is a string", pointer)
    chain, separator, address = text.rpartition(":")
    if not separator or ":" not in chain:
        raise invalid("account-id", "an account is written as chain id, colon, address (CAIP-10)", pointer)
    return AccountId(parse_chain_id(chain, pointer=pointer), parse_address(address, pointer=pointer))
