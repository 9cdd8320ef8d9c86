"""Hexadecimal text at the edges: ``0x`` required, any case in, lower case out, exact lengths.

Addresses may be written in lower case, in upper case, or with the mixed-case checksum of EIP-55; mixed case
with a wrong checksum is refused, since a mistyped address must not become another issuer.
"""

from __future__ import annotations

from registry.encoding.bytetypes import Address, BlockHash, Digest, Root, Salt, TxHash
from registry.errors import Fault, ValidationError

DIGEST_BYTES = 32
ADDRESS_BYTES = 20


def invalid(code: str, detail: str, pointer: str) -> ValidationError:
    """Build the error for one wrong value at ``pointer`` (RFC 6901). ``detail`` holds no value."""
    where = f" at {pointer}" if pointer else ""
    return ValidationError(f"{detail}{where}", faults=[Fault(code=code, detail=detail, pointer=pointer)])


def to_hex(value: bytes) -> str:
    """``0x`` and two lower-case digits for each byte."""
    return "0x" + value.hex()


def parse_hex(text: object, length: int, *, pointer: str = "") -> bytes:
    """Read ``0x`` and exactly ``2 * length`` hexadecimal digits of any case.

    Args:
        text: the value as it came from JSON; anything but a string is refused.
        length: number of bytes.
        pointer: RFC 6901 pointer to the value, for the error.

    Raises:
        ValidationError: code ``type``, ``hex-prefix``, ``hex-length`` or ``hex-digits``.
    """
    if not isinstance(text, str):
        raise invalid("type", "a hexadecimal string is expected", pointer)
    if not text.startswith("0x"):
        raise invalid("hex-prefix", "a hexadecimal value starts with 0x", pointer)
    if len(text) != 2 + 2 * length:
        raise invalid(
            "hex-length", f"{length} bytes are expected, that is 0x and {2 * length} digits", pointer
        )
    try:
        value = bytes.fromhex(text[2:])
    except ValueError:
        value = b""
    if len(value) != length:  # bytes.fromhex skips white space, which then shows as a missing byte
        raise invalid("hex-digits", "there is a character that is not a hexadecimal digit", pointer)
    return value


def parse_digest(text: object, *, pointer: str = "") -> Digest:
    """Read a credential's digest, 32 bytes. Raises ValidationError like `parse_hex`."""
    return Digest(parse_hex(text, DIGEST_BYTES, pointer=pointer))


def parse_salt(text: object, *, pointer: str = "") -> Salt:
    """Read a salt, 32 bytes. Raises ValidationError like `parse_hex`."""
    return Salt(parse_hex(text, DIGEST_BYTES, pointer=pointer))


def parse_root(text: object, *, pointer: str = "") -> Root:
    """Read a root, 32 bytes. Raises ValidationError like `parse_hex`."""
    return Root(parse_hex(text, DIGEST_BYTES, pointer=pointer))


def parse_tx_hash(text: object, *, pointer: str = "") -> TxHash:
    """Read a transaction hash, 32 bytes. Raises ValidationError like `parse_hex`."""
    return TxHash(parse_hex(text, DIGEST_BYTES, pointer=pointer))


def parse_block_hash(text: object, *, pointer: str = "") -> BlockHash:
    """Read a block hash, 32 bytes. Raises ValidationError like `parse_hex`."""
    return BlockHash(parse_hex(text, DIGEST_BYTES, pointer=pointer))


def to_checksum(address: Address) -> str:
    """Write an address in the mixed case of EIP-55."""
    from eth_hash.auto import keccak  # it searches the installed packages, which a tree has no use for

    digits = address.hex()
    selector = keccak(digits.encode()).hex()
    cased = (d.upper() if s >= "8" else d for d, s in zip(digits, selector, strict=False))
    return "0x" + "".join(cased)


def parse_address(text: object, *, pointer: str = "") -> Address:
    """Read an address: all lower case, all upper case, or the correct EIP-55 mixture.

    Raises:
        ValidationError: as `parse_hex`, or code ``address-checksum``.
    """
    address = Address(parse_hex(text, ADDRESS_BYTES, pointer=pointer))
    assert isinstance(text, str)
    digits = text[2:]
    if digits not in (digits.lower(), digits.upper()) and text != to_checksum(address):
        raise invalid(
            "address-checksum", "the mixed case is not the EIP-55 checksum of this address", pointer
        )
    return address
