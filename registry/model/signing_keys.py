"""Keys with which an issuer signs credentials; its chain accounts are in `registry.model.chain`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from registry.encoding import Address


class SigningKeyKind(StrEnum):
    """What a key is, with the one way it signs.

    ED25519: Ed25519 (RFC 8032), 64 bytes. P256: ECDSA with SHA-256 (FIPS 186-5), r || s in 64 bytes. P384:
    the same with SHA-384, 96 bytes. RSA2048: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, section 8.2), 256
    bytes.
    """

    ED25519 = "Ed25519"
    P256 = "P-256"
    P384 = "P-384"
    RSA2048 = "RSA-2048"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key of an issuer, without its secret half.

    Attributes:
        public_key: 32 bytes (Ed25519), the compressed point in 33 (P-256) or 49 (P-384), or
            SubjectPublicKeyInfo in DER (RSA).
        retired_at: when another key took its place; what it signed before stays good.
    """

    issuer: Address
    public_key: bytes
    kind: SigningKeyKind
    created_at: datetime
    retired_at: datetime | None
