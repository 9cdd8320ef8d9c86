"""Histories and evidence to test verdicts with. Blocks are 10 seconds apart, block 0 at BASE."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256

from registry.encoding import Address, BlockHash, Digest, DigestMethod, Root, TxHash
from registry.model.chain import Change, EventKind, Header, RegistryEvent
from registry.verdict.evidence import (
    Candidate,
    DocumentCheck,
    Evidence,
    Inclusion,
    Known,
    Reading,
)
from registry.verdict.heads import EMPTY_HEAD, fold
from registry.verdict.report import Source
from registry.verdict.state import KeyFacts, StatusFact
from registry.verdict.views import EntryView, Target, views_at

BASE = 1_800_000_000
SECONDS = 10


def filled(text: str, length: int = 32) -> bytes:
    return sha256(text.encode()).digest()[:length]


ISSUER = Address(filled("issuer", 20))
OTHER = Address(filled("other issuer", 20))
KEY = Address(filled("key", 20))
KEY_2 = Address(filled("second key", 20))
ADMIN = Address(filled("admin", 20))
ROOT = Root(filled("root"))
ROOT_2 = Root(filled("second root"))
DIGEST = Digest(filled("digest"))
REGISTRY = Address(filled("registry", 20))


def block_hash(number: int) -> BlockHash:
    return BlockHash(filled(f"block {number}"))


def header(number: int) -> Header:
    return Header(number, block_hash(number), block_hash(number - 1), BASE + SECONDS * number)


@dataclass
class History:
    """Builds events as the contract would emit them, with heads per issuer; one event a block."""

    events: list[RegistryEvent] = field(default_factory=list)
    heads: dict[Address, bytes] = field(default_factory=dict)
    block: int = 0

    def add(
        self, kind: EventKind, *, issuer: Address = ISSUER, block: int | None = None, **fields: object
    ) -> History:
        self.block = block if block is not None else self.block + 1
        event = RegistryEvent(
            kind=kind,
            issuer=issuer,
            at=BASE + SECONDS * self.block,
            head=b"",
            block_number=self.block,
            block_hash=block_hash(self.block),
            transaction=TxHash(filled(f"transaction {len(self.events)}")),
            log_index=len(self.events),
            **fields,
        )
        self.heads[issuer] = fold(self.heads.get(issuer, EMPTY_HEAD), event)
        self.events.append(replace(event, head=self.heads[issuer]))
        return self

    def add_key(self, key: Address = KEY, roles: int = 15, **rest) -> History:
        return self.add(EventKind.KEY_ADDED, account=key, roles=roles, **rest)

    def retire_key(self, key: Address = KEY, valid_until: int = BASE, reason: int = 6, **rest) -> History:
        return self.add(EventKind.KEY_RETIRED, account=key, valid_until=valid_until, reason=reason, **rest)

    def anchor(self, root: Root = ROOT, key: Address = KEY, **rest) -> History:
        return self.add(EventKind.BATCH_ANCHORED, root=root, account=key, **rest)

    def withdraw(self, root: Root = ROOT, key: Address = KEY, reason: int = 1, **rest) -> History:
        return self.add(EventKind.BATCH_WITHDRAWN, root=root, account=key, reason=reason, **rest)

    def annul_withdrawal(self, root: Root = ROOT, actor: Address = ISSUER, **rest) -> History:
        return self.add(EventKind.WITHDRAWAL_ANNULLED, root=root, account=actor, **rest)

    def change(
        self, kind: EventKind, *indices: int, root: Root = ROOT, actor: Address = KEY, reason: int = 3, **rest
    ):
        return self.add(kind, root=root, account=actor, reason=reason, changes=changes(*indices), **rest)

    def revoke(self, *indices: int, **rest) -> History:
        return self.change(EventKind.REVOKED, *indices, **rest)

    def suspend(self, *indices: int, **rest) -> History:
        return self.change(EventKind.SUSPENDED, *indices, **rest)

    def reinstate(self, *indices: int, **rest) -> History:
        return self.change(EventKind.REINSTATED, *indices, **rest)

    def annul(self, *indices: int, actor: Address = ISSUER, **rest) -> History:
        return self.change(EventKind.REVOCATION_ANNULLED, *indices, actor=actor, **rest)


def changes(*indices: int) -> tuple[Change, ...]:
    words: dict[int, int] = {}
    for index in indices:
        words[index // 256] = words.get(index // 256, 0) | 1 << index % 256
    return tuple(Change(word, mask) for word, mask in words.items())


def anchored() -> History:
    """A key in block 1, the batch in block 2."""
    return History().add_key().anchor()


def view(
    history: History, index: int = 17, block: int = 10**6, issuer: Address = ISSUER, root: Root = ROOT
) -> EntryView:
    target = Target(issuer, root, index)
    return views_at(history.events, [(block, target)])[block, target]


def fact(at: int = BASE + 50, reason: int = 3, block: int = 5) -> StatusFact:
    return StatusFact(at, reason, KEY, TxHash(filled("fact")), block, block_hash(block))


GOOD = view(anchored())
REVOKED = view(anchored().revoke(17))
SUSPENDED = view(anchored().suspend(17))
WITHDRAWN = view(anchored().withdraw())
DISTRUSTED = view(anchored().retire_key(valid_until=BASE + 15))
assert isinstance(GOOD.key, KeyFacts)


def candidate(**fields) -> Candidate:
    latest = fields.pop("latest", GOOD)
    given = {
        "issuer": ISSUER,
        "method": DigestMethod.JCS_SHA256,
        "root": ROOT,
        "index": 17,
        "size": 500,
        "batch_id": "b1",
        "latest": latest,
        "final": fields.pop("final", latest),
        "name": "University",
        "known": Known.HOSTED,
    }
    return Candidate(**(given | fields))


def reading(**fields) -> Reading:
    given = {
        "chain_id": 31337,
        "registry": REGISTRY,
        "test_chain": True,
        "source": Source.INDEX,
        "block": header(100),
        "final_block": 100,
        "age_seconds": 1.0,
        "limit_seconds": 60.0,
    }
    return Reading(**(given | fields))


NOW = datetime.fromtimestamp(BASE + 1000, UTC)


def evidence(*candidates: Candidate, **fields) -> Evidence:
    given = {
        "digest": DIGEST,
        "document": DocumentCheck.MATCH,
        "method": DigestMethod.JCS_SHA256,
        "inclusion": Inclusion.PROVED,
        "inclusion_detail": "",
        "candidates": candidates,
        "named_issuer": None,
        "reading": reading(),
        "instant": NOW,
    }
    return Evidence(**(given | fields))
