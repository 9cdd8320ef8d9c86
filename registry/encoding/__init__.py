"""Bytes and texts: strict JSON, canonical bytes, digests, hexadecimal, multibase, times, chain names.

Pure: no I/O. Imports nothing of Rootmark but its errors. The rules are those of docs/proof-format.md.
"""

from registry.encoding.bytetypes import Address, BlockHash, Digest, Leaf, Node, Root, Salt, Salted, TxHash
from registry.encoding.caip import AccountId, ChainId, parse_account_id, parse_chain_id
from registry.encoding.canonical import JsonValue, canonical_json
from registry.encoding.digests import DigestMethod, credential_digest, parse_digest_method
from registry.encoding.hexes import (
    invalid,
    parse_address,
    parse_block_hash,
    parse_digest,
    parse_hex,
    parse_root,
    parse_salt,
    parse_tx_hash,
    to_checksum,
    to_hex,
)
from registry.encoding.identifiers import require_unguessable_id
from registry.encoding.multibase import parse_base58btc, parse_base64url, to_base58btc, to_base64url
from registry.encoding.numbers import MAX_SAFE_INTEGER
from registry.encoding.strict_json import MAX_DEPTH, StrictJsonError, parse_json
from registry.encoding.times import format_time, parse_time

__all__ = [
    "MAX_DEPTH",
    "MAX_SAFE_INTEGER",
    "AccountId",
    "Address",
    "BlockHash",
    "ChainId",
    "Digest",
    "DigestMethod",
    "JsonValue",
    "Leaf",
    "Node",
    "Root",
    "Salt",
    "Salted",
    "StrictJsonError",
    "TxHash",
    "canonical_json",
    "credential_digest",
    "format_time",
    "invalid",
    "parse_account_id",
    "parse_address",
    "parse_base58btc",
    "parse_base64url",
    "parse_block_hash",
    "parse_chain_id",
    "parse_digest",
    "parse_digest_method",
    "parse_hex",
    "parse_json",
    "parse_root",
    "parse_salt",
    "parse_time",
    "parse_tx_hash",
    "require_unguessable_id",
    "to_base58btc",
    "to_base64url",
    "to_checksum",
    "to_hex",
]
