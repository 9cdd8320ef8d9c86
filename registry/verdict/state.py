"""What the contract stores, rebuilt from its events. Pure: no I/O.

`RegistryState` holds all of the contract's storage but nonces and heads, and for each status the event that
caused it. Invariants, the contract's own:

- a bit that is already set keeps the time, reason and actor of the event that set it;
- a second anchor of a root overwrites key and time, and leaves withdrawal and bits as they are;
- a key's `valid_until` and `retired_at` are those of its last retirement.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from registry.encoding import Address, BlockHash, Root, TxHash
from registry.model.chain import UNBOUNDED_VALID_UNTIL, WORD_BITS, BitKind, EventKind, RegistryEvent
from registry.verdict.heads import given


@dataclass(frozen=True, slots=True)
class StatusFact:
    """The event that caused a status. ``at`` in seconds; ``reason`` as on chain (any uint16); ``actor`` is
    the key or admin that did it, None where the contract does not say (a key's retirement)."""

    at: int
    reason: int
    actor: Address | None
    transaction: TxHash
    block_number: int
    block_hash: BlockHash


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """A key as the contract stores it, with the events behind it. An anchor is trusted iff
    ``anchored_at < valid_until``."""

    key: Address
    issuer: Address
    roles: int
    valid_until: int
    retired_at: int
    added: StatusFact
    retirement: StatusFact | None


@dataclass(frozen=True, slots=True)
class BatchFacts:
    """A batch as the contract stores it, with the events behind it. ``anchor.actor`` is the key."""

    issuer: Address
    root: Root
    key: Address
    anchored_at: int
    anchor: StatusFact
    withdrawal: StatusFact | None


def fact_of(event: RegistryEvent) -> StatusFact:
    """What to remember of the event that caused a status."""
    return StatusFact(
        at=event.at,
        reason=event.reason,
        actor=None if event.kind is EventKind.KEY_RETIRED else event.account,
        transaction=event.transaction,
        block_number=event.block_number,
        block_hash=event.block_hash,
    )


_BitsKey = tuple[BitKind, Address, Root, int]

_SETTING = {EventKind.REVOKED: BitKind.REVOKED, EventKind.SUSPENDED: BitKind.SUSPENDED}
_CLEARING = {EventKind.REVOCATION_ANNULLED: BitKind.REVOKED, EventKind.REINSTATED: BitKind.SUSPENDED}


_ChangeWord = Callable[[_BitsKey, int, StatusFact], bool]


class RegistryState:
    """The contract's storage, rebuilt from events. Takes the events of several issuers, and also a subset
    that lacks what concerns other batches and words."""

    def __init__(self) -> None:
        self._keys: dict[Address, KeyFacts] = {}
        self._batches: dict[tuple[Address, Root], BatchFacts] = {}
        self._bits: dict[_BitsKey, list[tuple[int, StatusFact]]] = {}
        self._admins: dict[Address, Address] = {}
        self._pending_admins: dict[Address, Address] = {}
        self._profiles: dict[Address, str] = {}

    # --- reading

    def batch(self, issuer: Address, root: Root) -> BatchFacts | None:
        """`batchOf`; None for a root that the issuer never anchored."""
        return self._batches.get((issuer, root))

    def key(self, key: Address) -> KeyFacts | None:
        """`keyOf`; None for a key that was never added."""
        return self._keys.get(key)

    def bit(self, kind: BitKind, issuer: Address, root: Root, index: int) -> StatusFact | None:
        """What set the bit of leaf ``index``, or None while it is not set."""
        marks = self._bits.get((kind, issuer, root, index // WORD_BITS))
        if not marks:
            return None
        bit = 1 << (index % WORD_BITS)
        return next((fact for mask, fact in marks if mask & bit), None)

    def word(self, kind: BitKind, issuer: Address, root: Root, word: int) -> int:
        """`bitsOf`: a word of a bitmap."""
        return sum(mask for mask, _ in self._bits.get((kind, issuer, root, word), ()))

    def count(self, kind: BitKind) -> int:
        """How many bits of ``kind`` are set, over all batches."""
        return sum(
            mask.bit_count() for place, marks in self._bits.items() if place[0] is kind for mask, _ in marks
        )

    def admin(self, issuer: Address) -> Address:
        """`adminOf`: the issuer itself until it handed over."""
        return self._admins.get(issuer, issuer)

    def pending_admin(self, issuer: Address) -> Address | None:
        """The proposed admin, None when there is none."""
        return self._pending_admins.get(issuer)

    def profile(self, issuer: Address) -> str | None:
        """The URI last set, None when none was."""
        return self._profiles.get(issuer)

    def keys(self) -> tuple[KeyFacts, ...]:
        """All keys, in the order in which they were added."""
        return tuple(self._keys.values())

    def batches(self) -> tuple[BatchFacts, ...]:
        """All batches, in the order in which they were first anchored."""
        return tuple(self._batches.values())

    def words(self, kind: BitKind, issuer: Address, root: Root) -> dict[int, int]:
        """All words of one bitmap that ever had a bit set."""
        return {
            key[3]: self.word(*key) for key in self._bits if key[0] is kind and key[1:3] == (issuer, root)
        }

    # --- replaying

    def apply(self, event: RegistryEvent) -> bool:
        """Take the next event in. Order is the caller's to keep.

        Returns:
            Whether it changed anything. The contract emits no event without effect; one that refers to a key
            or batch that this state does not know changes nothing either.
        """
        if event.kind in _SETTING:
            return self._change_bits(_SETTING[event.kind], event, self._set)
        if event.kind in _CLEARING:
            return self._change_bits(_CLEARING[event.kind], event, self._clear)
        match event.kind:
            case EventKind.BATCH_ANCHORED:
                return self._anchor(event)
            case EventKind.BATCH_WITHDRAWN | EventKind.WITHDRAWAL_ANNULLED:
                return self._withdraw(event)
            case EventKind.KEY_ADDED:
                return self._add_key(event)
            case EventKind.KEY_RETIRED:
                return self._retire_key(event)
            case _:
                return self._administer(event)

    def _change_bits(self, kind: BitKind, event: RegistryEvent, change_word: _ChangeWord) -> bool:
        fact = fact_of(event)
        changed = False
        for change in event.changes:
            key = (kind, event.issuer, Root(given(event.root)), change.word)
            changed |= change_word(key, change.mask, fact)
        return changed

    def _set(self, key: _BitsKey, mask: int, fact: StatusFact) -> bool:
        new = mask & ~self.word(*key)
        if new:
            self._bits.setdefault(key, []).append((new, fact))
        return new != 0

    def _clear(self, key: _BitsKey, mask: int, _fact: StatusFact) -> bool:
        if not self.word(*key) & mask:
            return False
        left = ((old & ~mask, fact) for old, fact in self._bits[key])
        self._bits[key] = [(rest, fact) for rest, fact in left if rest]
        return True

    def _anchor(self, event: RegistryEvent) -> bool:
        root, key = Root(given(event.root)), Address(given(event.account))
        before = self._batches.get((event.issuer, root))
        self._batches[event.issuer, root] = BatchFacts(
            issuer=event.issuer,
            root=root,
            key=key,
            anchored_at=event.at,
            anchor=fact_of(event),
            withdrawal=before.withdrawal if before else None,
        )
        return True

    def _withdraw(self, event: RegistryEvent) -> bool:
        place = (event.issuer, Root(given(event.root)))
        batch = self._batches.get(place)
        withdrawn = event.kind is EventKind.BATCH_WITHDRAWN
        if batch is None or (batch.withdrawal is not None) == withdrawn:
            return False
        self._batches[place] = replace(batch, withdrawal=fact_of(event) if withdrawn else None)
        return True

    def _add_key(self, event: RegistryEvent) -> bool:
        key = Address(given(event.account))
        if key in self._keys:
            return False
        self._keys[key] = KeyFacts(
            key=key,
            issuer=event.issuer,
            roles=event.roles,
            valid_until=UNBOUNDED_VALID_UNTIL,
            retired_at=0,
            added=fact_of(event),
            retirement=None,
        )
        return True

    def _retire_key(self, event: RegistryEvent) -> bool:
        key = self._keys.get(Address(given(event.account)))
        if key is None or key.issuer != event.issuer or event.valid_until >= key.valid_until:
            return False
        self._keys[key.key] = replace(
            key, valid_until=event.valid_until, retired_at=event.at, retirement=fact_of(event)
        )
        return True

    def _administer(self, event: RegistryEvent) -> bool:
        if event.kind is EventKind.PROFILE_SET:
            self._profiles[event.issuer] = event.uri
            return True
        admin = Address(given(event.account))
        before = self._pending_admins.pop(event.issuer, None)
        if event.kind is EventKind.ADMIN_CHANGED:
            self._admins[event.issuer] = admin
            return before == admin
        if any(admin):
            self._pending_admins[event.issuer] = admin
        return before != self._pending_admins.get(event.issuer)
