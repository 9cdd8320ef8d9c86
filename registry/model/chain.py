"""What is read from and sent to a chain, free of any client library's types."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntFlag, StrEnum

from registry.encoding import Address, BlockHash, Root, TxHash

WORD_BITS = 256
"""Status bits in one storage word: word = index >> 8, bit = index & 255 (docs/proof-format.md)."""

MAX_WORDS_PER_TRANSACTION = 650
"""Words of status bits one transaction may change and stay under EIP-7825's gas cap of 16,777,216."""

UNBOUNDED_VALID_UNTIL = 2**40 - 1
"""`validUntil` of a key that nobody retired."""


class Role(IntFlag):
    """What a key may do for its issuer; the numbers are the contract's."""

    ANCHOR = 1
    SUSPEND = 2
    REVOKE = 4
    WITHDRAW = 8


class BitKind(StrEnum):
    """The two bitmaps of a batch."""

    REVOKED = "revoked"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Header:
    """A block as far as it is needed here; ``timestamp`` in seconds since the epoch."""

    number: int
    hash: BlockHash
    parent_hash: BlockHash
    timestamp: int


class EventKind(StrEnum):
    """The contract's events, by their Solidity names."""

    KEY_ADDED = "KeyAdded"
    KEY_RETIRED = "KeyRetired"
    PROFILE_SET = "ProfileSet"
    ADMIN_PROPOSED = "AdminProposed"
    ADMIN_CHANGED = "AdminChanged"
    BATCH_ANCHORED = "BatchAnchored"
    BATCH_WITHDRAWN = "BatchWithdrawn"
    WITHDRAWAL_ANNULLED = "WithdrawalAnnulled"
    REVOKED = "Revoked"
    SUSPENDED = "Suspended"
    REINSTATED = "Reinstated"
    REVOCATION_ANNULLED = "RevocationAnnulled"


BIT_EVENTS = frozenset(
    {EventKind.REVOKED, EventKind.SUSPENDED, EventKind.REINSTATED, EventKind.REVOCATION_ANNULLED}
)
STATUS_EVENTS = BIT_EVENTS | {EventKind.BATCH_WITHDRAWN, EventKind.WITHDRAWAL_ANNULLED}
KEY_EVENTS = frozenset({EventKind.KEY_ADDED, EventKind.KEY_RETIRED})


@dataclass(frozen=True, slots=True)
class Change:
    """Bits of one word of a bitmap: ``mask`` is a 256-bit integer."""

    word: int
    mask: int


@dataclass(frozen=True, slots=True)
class RegistryEvent:
    """One event of the contract with all its parameters; those the kind does not have keep their default.

    ``account`` is the key of key events and of BatchAnchored, the admin of admin events, and the actor of
    the others. ``at`` is the block time in seconds. ``head`` is the issuer's history head after this event.
    ``uri`` is read as UTF-8; what is none, since anyone may write any bytes there, stands as surrogate
    escapes (PEP 383), so that encoding it the same way gives the bytes back.
    """

    kind: EventKind
    issuer: Address
    at: int
    head: bytes
    block_number: int
    block_hash: BlockHash
    transaction: TxHash
    log_index: int
    root: Root | None = None
    account: Address | None = None
    reason: int = 0
    roles: int = 0
    valid_until: int = 0
    uri: str = ""
    changes: tuple[Change, ...] = ()

    @property
    def position(self) -> tuple[int, int]:
        """Total order of events on one chain: block number, log index."""
        return (self.block_number, self.log_index)


class CallKind(StrEnum):
    """A state-changing function of the contract, or a plain transfer that funds a key on a test chain."""

    ANCHOR = "anchor"
    REVOKE = "revoke"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    WITHDRAW = "withdraw"
    ANNUL = "annul"
    ANNUL_WITHDRAWAL = "annul_withdrawal"
    ADD_KEY = "add_key"
    RETIRE_KEY = "retire_key"
    SET_PROFILE = "set_profile"
    FUND = "fund"


BIT_CALLS = frozenset({CallKind.REVOKE, CallKind.SUSPEND, CallKind.REINSTATE, CallKind.ANNUL})
STATUS_CALLS = BIT_CALLS | {CallKind.WITHDRAW, CallKind.ANNUL_WITHDRAWAL}
ADMIN_CALLS = frozenset(
    {
        CallKind.ADD_KEY,
        CallKind.RETIRE_KEY,
        CallKind.SET_PROFILE,
        CallKind.ANNUL,
        CallKind.ANNUL_WITHDRAWAL,
    }
)
UNRELAYABLE_CALLS = frozenset({CallKind.SET_PROFILE, CallKind.FUND})
"""Calls without a form by signature: the acting account sends them itself, and needs ether for it."""


@dataclass(frozen=True, slots=True)
class ContractCall:
    """What shall happen on chain, before it is decided who sends it.

    ``uri`` is the profile of SET_PROFILE.
    ``account`` is the key of key calls and the receiver of FUND; ``value_wei`` belongs to FUND alone.
    ``consent`` is the new key's KeyConsent signature (65 bytes, or empty where the contract waives it).
    ``signature`` is the acting account's own signature over this call, made elsewhere and valid until
    ``deadline``
    (seconds): such a call can only be relayed, exactly as signed. Empty when the server holds the acting key.
    """

    kind: CallKind
    issuer: Address
    root: Root | None = None
    changes: tuple[Change, ...] = ()
    reason: int = 0
    account: Address | None = None
    roles: int = 0
    valid_until: int = 0
    consent_deadline: int = 0
    consent: bytes = b""
    value_wei: int = 0
    signature: bytes = b""
    deadline: int = 0
    uri: str | None = None


class SendMode(StrEnum):
    """Who pays: the acting key itself, or the server's relayer with the key's signature."""

    DIRECT = "direct"
    RELAYED = "relayed"


@dataclass(frozen=True, slots=True)
class UnsignedTransaction:
    """An EIP-1559 transaction before signing."""

    chain_id: int
    nonce: int
    to: Address
    data: bytes
    gas_limit: int
    max_fee_per_gas_wei: int
    max_priority_fee_per_gas_wei: int
    value_wei: int = 0


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """Signed bytes and the hash by which every node knows them."""

    hash: TxHash
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a node says about a mined transaction. Says nothing about success: compare ``events`` or state."""

    transaction: TxHash
    block_number: int
    block_hash: BlockHash
    status: int
    gas_used: int
    effective_gas_price_wei: int
    sender: Address
    events: tuple[RegistryEvent, ...]


@dataclass(frozen=True, slots=True)
class FeeQuote:
    """Fees for the next block: base fee and a tip that gets a transaction in."""

    base_fee_wei: int
    priority_fee_wei: int


@dataclass(frozen=True, slots=True)
class BatchOnChain:
    """`batchOf`: zero times mean "not"."""

    key: Address
    anchored_at: int
    withdrawn_at: int
    reason: int


@dataclass(frozen=True, slots=True)
class KeyOnChain:
    """`keyOf`: zero issuer means the key was never added."""

    issuer: Address
    valid_until: int
    retired_at: int
    roles: int


class ContractStatus(StrEnum):
    """The contract's own `Status`, in its order."""

    NONE = "none"
    BAD_PROOF = "bad_proof"
    NOT_ANCHORED = "not_anchored"
    DISTRUSTED = "distrusted"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"
    SUSPENDED = "suspended"
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class RegistryInfo:
    """The deployment a process works with. ``genesis_hash`` tells two chains with the same id apart."""

    chain_id: int
    address: Address
    code_hash: bytes
    deployed_block: int
    test_chain: bool
    genesis_hash: BlockHash
    has_finalized_tag: bool


@dataclass(frozen=True, slots=True)
class AccountProof:
    """`eth_getProof` (EIP-1186) of the registry at one block, with that block's RLP header."""

    header_rlp: bytes
    account_proof: tuple[bytes, ...]
    storage_proofs: tuple[tuple[int, tuple[bytes, ...]], ...]


@dataclass(frozen=True, slots=True)
class IndexPosition:
    """How far the index has followed the chain. ``read_at`` is when the node was last read successfully."""

    block: Header
    final_block: int
    read_at: datetime
