"""Public keys out of signatures: a secp256k1 signature over a known message gives its key away. Pure.

An account is only a hash of its public key; whoever needs the key itself (a verification method of a DID
document) gets it from something that the account signed. Source: SEC 1, section 4.1.6; EIP-712.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eth_account.messages import encode_typed_data
from eth_hash.auto import keccak
from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError as BadValue

from registry.encoding import Address


def recover_public_key(typed_data: Mapping[str, Any], signature: bytes, account: Address) -> bytes | None:
    """The compressed public key (33 bytes) of ``account``, which signed the typed data.

    Args:
        signature: 65 bytes r || s || v with v of 27 or 28.

    Returns:
        None when the signature is another's or is none, such as that of a contract account (ERC-1271).
    """
    if len(signature) != 65 or signature[64] not in (27, 28):
        return None
    signable = encode_typed_data(full_message=dict(typed_data))
    digest = keccak(b"\x19" + signable.version + signable.header + signable.body)
    try:
        recoverable = Signature(signature[:64] + bytes([signature[64] - 27]))
        public_key = recoverable.recover_public_key_from_msg_hash(digest)
    except (BadSignature, BadValue):
        return None
    return public_key.to_compressed_bytes() if public_key.to_canonical_address() == account else None
