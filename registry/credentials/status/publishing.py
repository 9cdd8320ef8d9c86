"""The status lists that this server publishes, as signed credentials.

A list is made when it is asked for and kept; each time it is asked for again the issuer's history heads are
compared, so it is never older than the index. It is signed anew only when bits, address or validity change.
Invariants: bits are never published from an index that is stale, or that contradicts the chain for the issuer
(then nothing is answered); of concurrent requests for a list one signs, and the others wait for it.

Source: Bitstring Status List 1.0, section 2.2 (``BitstringStatusListCredential``).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256

from registry.credentials.identity import IdentityService
from registry.credentials.keys import KeyType
from registry.credentials.status.bitstring import encode, new_bitstring
from registry.credentials.status.lists import Purpose, list_url, read_public_id
from registry.credentials.status.standing import (
    Heads,
    Standing,
    read_heads,
    read_standing,
    require_index,
)
from registry.credentials.suites.signing import CREDENTIALS_V2_CONTEXT, ProofOptions, add_proof
from registry.encoding import Address, JsonValue, canonical_json, format_time
from registry.errors import ConfigurationError, NotFoundError, UnavailableError
from registry.model.chain import IndexPosition
from registry.model.status_lists import StatusList
from registry.ports.clock import Clock
from registry.ports.documents import Canonicalizer
from registry.ports.store import Store, Unit

TTL_SECONDS = 5
"""How long a verifier, or a cache on the way, may use its copy of a list."""

VALID_SECONDS = 3_600
"""How long a signature counts. A list handed out has at least half of it left, so that an old list, shown
again after a change, is soon worth nothing."""

ALLOWED_BEHIND_SECONDS = 60
"""A list counts from this long before it is made: for verifiers whose clock is behind, and for verifications
here that began before the list which they ask for was made."""

KEPT_LISTS = 512
KEPT_ISSUERS = 64
CRYPTOSUITE = "eddsa-rdfc-2022"


@dataclass(frozen=True, slots=True)
class PublishedList:
    """A list as it is handed out: JSON, and a tag that changes with it."""

    body: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class _Made:
    """A signed list, and what it was made of."""

    published: PublishedList
    heads: Heads
    bits: bytes
    base: str
    valid_from: datetime

    def serves(self, bits: bytes, base: str, now: datetime) -> bool:
        """Whether it says the same, and will for a while."""
        age = now - self.valid_from
        fresh = timedelta(0) <= age < timedelta(seconds=VALID_SECONDS / 2)
        return fresh and self.bits == bits and self.base == base


@dataclass(slots=True)
class _Slot:
    """Where the signed form of one list is kept. Whoever looks at it or fills it holds the lock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    made: _Made | None = None


class StatusListPublisher:
    """Safe to call from several threads."""

    def __init__(
        self,
        store: Store,
        identity: IdentityService,
        canonicalizer: Canonicalizer,
        clock: Clock,
        max_index_age_seconds: float,
    ) -> None:
        self._store = store
        self._identity = identity
        self._canonicalizer = canonicalizer
        self._clock = clock
        self._max_index_age_seconds = max_index_age_seconds
        self._slots: OrderedDict[str, _Slot] = OrderedDict()
        self._standings: OrderedDict[Address, Standing] = OrderedDict()
        self._lock = threading.Lock()

    def published(self, public_id: str) -> PublishedList:
        """The list under the last segment of its address.

        Raises:
            NotFoundError: no such list.
            IndexStaleError, UnavailableError: the index may say nothing about the issuer now, or the server
                has another address than its lists.
            SignerError: the issuer's key cannot be read.
        """
        named = read_public_id(public_id)
        if named is None:
            raise NotFoundError("no such status list")
        list_id, purpose = named
        with self._store.read() as unit:
            found = unit.status_lists.get(list_id)
        if found is None:
            raise NotFoundError("no such status list")
        slot = self._slot(public_id)
        with slot.lock:
            slot.made = self._current(found, purpose, slot.made)
            return slot.made.published

    def _slot(self, public_id: str) -> _Slot:
        with self._lock:
            slot = self._slots.setdefault(public_id, _Slot())
            self._slots.move_to_end(public_id)
            if len(self._slots) > KEPT_LISTS:
                self._slots.popitem(last=False)
        return slot

    def _current(self, found: StatusList, purpose: Purpose, made: _Made | None) -> _Made:
        with self._store.read() as unit:
            position = require_index(unit, found.issuer, self._clock, self._max_index_age_seconds)
            base = self._base(unit)
            heads = read_heads(unit, found.issuer, position)
            if made is not None and made.heads == heads:
                bits = made.bits
            else:
                bits = self._bits(unit, found, purpose, position, heads)
        now = self._clock.now()
        if made is not None and made.serves(bits, base, now):
            return made if made.heads == heads else replace(made, heads=heads)
        valid_from = now.replace(microsecond=0) - timedelta(seconds=ALLOWED_BEHIND_SECONDS)
        body = self._signed(found, purpose, base, bits, valid_from)
        etag = sha256(body).hexdigest()[:32]
        return _Made(PublishedList(body, etag), heads, bits, base, valid_from)

    def _base(self, unit: Unit) -> str:
        try:
            return self._identity.base_in(unit)
        except ConfigurationError as error:
            raise UnavailableError("this server has no address that lasts", part="address") from error

    def _bits(
        self, unit: Unit, found: StatusList, purpose: Purpose, position: IndexPosition, heads: Heads
    ) -> bytes:
        standing = self._standing(unit, found.issuer, position, heads)
        if purpose is Purpose.REVOCATION:
            places, batches = standing.places(unit, standing.revoked), standing.void_batches(unit)
        else:
            places, batches = standing.places(unit, standing.suspended), {}
        marks = unit.awards.marked(found.issuer, places, batches, status_list=found.id)
        indices = {mark.status_index for mark in marks if mark.status_index is not None}
        return new_bitstring(found.size, indices)

    def _standing(self, unit: Unit, issuer: Address, position: IndexPosition, heads: Heads) -> Standing:
        """An issuer's lists share it."""
        with self._lock:
            known = self._standings.get(issuer)
        if known is not None and known.heads == heads:
            return known
        read = read_standing(unit, issuer, position)
        with self._lock:
            self._standings[issuer] = read
            self._standings.move_to_end(issuer)
            if len(self._standings) > KEPT_ISSUERS:
                self._standings.popitem(last=False)
        return read

    def _signed(
        self, found: StatusList, purpose: Purpose, base: str, bits: bytes, valid_from: datetime
    ) -> bytes:
        try:
            signer = self._identity.signer(found.issuer)
        except ConfigurationError as error:
            raise UnavailableError("this server's address has changed", part="address") from error
        document = list_credential(
            list_url(base, found.id, purpose),
            signer.did,
            purpose,
            bits,
            valid_from,
            valid_from + timedelta(seconds=VALID_SECONDS),
        )
        options = ProofOptions(CRYPTOSUITE, KeyType.ED25519, signer.method, valid_from)
        return canonical_json(add_proof(document, options, signer.signer.sign, self._canonicalizer).document)


def list_credential(
    url: str, issuer: str, purpose: Purpose, bits: bytes, valid_from: datetime, valid_until: datetime
) -> dict[str, JsonValue]:
    """The credential that a list is published as, without proof."""
    return {
        "@context": [CREDENTIALS_V2_CONTEXT],
        "id": url,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer,
        "validFrom": format_time(valid_from),
        "validUntil": format_time(valid_until),
        "credentialSubject": {
            "id": f"{url}#list",
            "type": "BitstringStatusList",
            "statusPurpose": purpose.value,
            "encodedList": encode(bits),
            "ttl": TTL_SECONDS * 1_000,
        },
    }
