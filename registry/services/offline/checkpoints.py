"""Blocks that bundles may rest on: docs/bundle-format.md, "Checkpoints".

Anyone can invent a block header with accounts and storage that agree with each other. So a bundle counts
only if its block's hash is one that the verifier trusts: given by hand, or listed in a file that a
configured key has signed (EIP-712 typed data, secp256k1). A file with any other signature is refused whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from eth_hash.auto import keccak

from registry.encoding import (
    MAX_SAFE_INTEGER,
    Address,
    BlockHash,
    ChainId,
    JsonValue,
    format_time,
    parse_address,
    parse_block_hash,
    parse_chain_id,
    parse_hex,
    parse_time,
    to_hex,
)
from registry.errors import MalformedEvidenceError, ValidationError
from registry.model.chain import Header
from registry.ports.signer import Signer

CHECKPOINTS_TYPE = "RootmarkCheckpoints/v1"
DOMAIN_NAME = "Rootmark checkpoints"
DOMAIN_VERSION = "1"
MAX_CHECKPOINTS = 100_000

_BLOCK_FIELDS = "uint64 number,bytes32 hash"
_LIST_FIELDS = "uint64 issuedAt,Block[] blocks"
_DOMAIN_FIELDS = "string name,string version,uint256 chainId"
_BLOCK_TYPE_HASH = keccak(f"Block({_BLOCK_FIELDS})".encode())
_LIST_TYPE_HASH = keccak(f"Checkpoints({_LIST_FIELDS})Block({_BLOCK_FIELDS})".encode())
_DOMAIN_TYPE_HASH = keccak(f"EIP712Domain({_DOMAIN_FIELDS})".encode())
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Trusted blocks.

    Attributes:
        by_hand: hashes that the user named; of whichever chain the user had in mind.
        signed: (chain id, hash) from a signed file.
    """

    by_hand: frozenset[BlockHash] = frozenset()
    signed: frozenset[tuple[int, BlockHash]] = frozenset()

    def trusts(self, chain_id: int, block_hash: BlockHash) -> bool:
        """Whether a block of that chain is among them."""
        return block_hash in self.by_hand or (chain_id, block_hash) in self.signed

    def __or__(self, other: Checkpoints) -> Checkpoints:
        return Checkpoints(self.by_hand | other.by_hand, self.signed | other.signed)


def make_checkpoints(
    signer: Signer, chain_id: int, blocks: Sequence[Header], issued_at: datetime
) -> dict[str, Any]:
    """Sign a list of blocks.

    Returns:
        The file's JSON object.

    Raises:
        SignerError: the key does not sign.
    """
    pairs = [(block.number, block.hash) for block in blocks]
    seconds = int(issued_at.timestamp())
    signature = signer.sign_typed_data(typed_data(chain_id, seconds, pairs))
    return {
        "type": CHECKPOINTS_TYPE,
        "chain": str(ChainId(chain_id)),
        "issuedAt": format_time(datetime.fromtimestamp(seconds, UTC)),
        "blocks": [{"number": number, "hash": to_hex(block_hash)} for number, block_hash in pairs],
        "signer": to_hex(signer.address),
        "signature": to_hex(signature),
    }


def typed_data(chain_id: int, issued_at: int, blocks: Iterable[tuple[int, BlockHash]]) -> dict[str, Any]:
    """What is signed, as EIP-712 typed data. ``issued_at`` in seconds."""

    def members(fields: str) -> list[dict[str, str]]:
        pairs = [field.split(" ") for field in fields.split(",")]
        return [{"name": name, "type": type_} for type_, name in pairs]

    return {
        "types": {
            "EIP712Domain": members(_DOMAIN_FIELDS),
            "Block": members(_BLOCK_FIELDS),
            "Checkpoints": members(_LIST_FIELDS),
        },
        "primaryType": "Checkpoints",
        "domain": {"name": DOMAIN_NAME, "version": DOMAIN_VERSION, "chainId": chain_id},
        "message": {
            "issuedAt": issued_at,
            "blocks": [{"number": number, "hash": to_hex(block_hash)} for number, block_hash in blocks],
        },
    }


def signing_digest(chain_id: int, issued_at: int, blocks: Iterable[tuple[int, BlockHash]]) -> bytes:
    """The 32 bytes that `typed_data` is signed as (EIP-712, "Specification")."""
    entries = [keccak(_BLOCK_TYPE_HASH + _word(number) + block_hash) for number, block_hash in blocks]
    content = keccak(_LIST_TYPE_HASH + _word(issued_at) + keccak(b"".join(entries)))
    names = keccak(DOMAIN_NAME.encode()) + keccak(DOMAIN_VERSION.encode())
    domain = keccak(_DOMAIN_TYPE_HASH + names + _word(chain_id))
    return keccak(b"\x19\x01" + domain + content)


def read_checkpoints(value: JsonValue, key: Address) -> Checkpoints:
    """Read a checkpoint file and check its signature.

    Args:
        value: the file, as `parse_json` returned it.
        key: the account that must have signed it; what the file says about its signer is not looked at.

    Raises:
        MalformedEvidenceError: the file does not have its form, or is not signed by ``key``.
    """
    try:
        chain_id, issued_at, blocks, signature = _parts(value)
    except ValidationError as error:
        raise MalformedEvidenceError(f"checkpoint file: {error}", faults=error.faults) from error
    if _signer_of(signing_digest(chain_id, issued_at, blocks), signature) != key:
        raise MalformedEvidenceError("the checkpoint file is not signed by the configured key")
    return Checkpoints(signed=frozenset((chain_id, block_hash) for _, block_hash in blocks))


def _parts(value: JsonValue) -> tuple[int, int, list[tuple[int, BlockHash]], bytes]:
    if not isinstance(value, Mapping) or value.get("type") != CHECKPOINTS_TYPE:
        raise MalformedEvidenceError(f"a checkpoint file is an object of type {CHECKPOINTS_TYPE}")
    listed = value.get("blocks")
    if not isinstance(listed, list) or len(listed) > MAX_CHECKPOINTS:
        raise MalformedEvidenceError(f"blocks is a list of at most {MAX_CHECKPOINTS} checkpoints")
    blocks: list[tuple[int, BlockHash]] = []
    for position, block in enumerate(listed):
        number = block.get("number") if isinstance(block, Mapping) else None
        if not isinstance(block, Mapping) or not _is_height(number):
            raise MalformedEvidenceError(f"checkpoint {position} has no block number")
        assert isinstance(number, int)
        blocks.append((number, parse_block_hash(block.get("hash"), pointer=f"/blocks/{position}/hash")))
    parse_address(value.get("signer"), pointer="/signer")
    return (
        parse_chain_id(value.get("chain"), pointer="/chain").number,
        int(parse_time(value.get("issuedAt"), pointer="/issuedAt").timestamp()),
        blocks,
        parse_hex(value.get("signature"), 65, pointer="/signature"),
    )


def _is_height(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= MAX_SAFE_INTEGER


def _word(number: int) -> bytes:
    if number < 0:
        raise MalformedEvidenceError("the checkpoint file's time lies before 1970")
    return number.to_bytes(32, "big")


def _signer_of(digest: bytes, signature: bytes) -> Address | None:
    """The account behind r || s || v with low s and v of 27 or 28; None when there is none."""
    from eth_keys.datatypes import Signature
    from eth_keys.exceptions import BadSignature
    from eth_utils.exceptions import ValidationError as BadValue

    r, s, v = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"), signature[64]
    if v not in (27, 28) or s > _HALF_ORDER:
        return None
    try:
        key = Signature(vrs=(v - 27, r, s)).recover_public_key_from_msg_hash(digest)
    except (BadSignature, BadValue):
        return None
    return Address(key.to_canonical_address())
