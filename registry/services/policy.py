"""Limits and choices of the operator that the services obey. Values only; `registry.bootstrap` fills them
from the settings."""

from __future__ import annotations

from dataclasses import dataclass

MAX_TRANSACTION_GAS = 16_777_216
"""EIP-7825: no transaction may ask for more gas."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Defaults are those of an embedded chain with nothing set.

    Attributes:
        confirmations: blocks until final where the chain has no `finalized` tag; the including block counts
            as one.
        approval_threshold: with ``require_approval``, revoking more credentials than this waits for a second
            key.
        max_fee_per_gas_wei: no transaction offers more; while the base fee is above it, nothing new is
            signed.
        bump_after_seconds: a transaction that waits longer than this since its last attempt gets a higher
            fee.
        resend_after_seconds: bytes that no node knows any more are sent again this long after the last
            sending.
        max_transactions: an operation whose transactions all came to nothing is given up after this many.
        lease_ttl_seconds: how long another process waits for a sender whose process has gone silent.
        relay_deadline_seconds: how long a signature for a relayed call can be used.
        funding_wei: what a hosted issuer's operating key gets on a test chain.
        abandoned_after_seconds: a batch whose rows stopped arriving is discarded after this time.
        chunk_size: entries written in one database transaction while a batch arrives.
        sample_size: proofs recomputed from the stored rows before a root is signed.
    """

    batch_max_age_seconds: int = 300
    batch_max_size: int = 10_000
    confirmations: int = 1
    store_documents: bool = False
    require_approval: bool = False
    approval_threshold: int = 100
    max_fee_per_gas_wei: int = 500 * 10**9
    bump_after_seconds: int = 60
    resend_after_seconds: int = 15
    max_transactions: int = 5
    lease_ttl_seconds: float = 30.0
    relay_deadline_seconds: int = 86_400
    consent_deadline_seconds: int = 30 * 86_400
    funding_wei: int = 10**18
    abandoned_after_seconds: int = 600
    chunk_size: int = 50_000
    sample_size: int = 8
