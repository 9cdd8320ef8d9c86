"""Values for the store's tests, each distinct and recognisable."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from registry.encoding import Address, BlockHash, Digest, DigestMethod, Root, Salt, TxHash
from registry.model.batches import Anchor, Batch, BatchState, NewEntry
from registry.model.chain import EventKind, Header, RegistryEvent, SendMode
from registry.model.issuers import ApiKey, Issuer, IssuerState, Scope
from registry.model.operations import Attempt
from registry.ports.store import Unit

T0 = datetime(2026, 11, 23, 4, 0, 0, 123456, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def b32(name: object) -> bytes:
    return sha256(repr(name).encode()).digest()


def address(name: object) -> Address:
    return Address(b32(("address", name))[:20])


def digest(name: object) -> Digest:
    return Digest(b32(("digest", name)))


def salt(name: object) -> Salt:
    return Salt(b32(("salt", name)))


def root(name: object) -> Root:
    return Root(b32(("root", name)))


def tx_hash(name: object) -> TxHash:
    return TxHash(b32(("tx", name)))


def block_hash(number: int, fork: str = "") -> BlockHash:
    return BlockHash(b32(("block", number, fork)))


def header(number: int, fork: str = "", parent_fork: str | None = None) -> Header:
    parent = block_hash(number - 1, fork if parent_fork is None else parent_fork)
    return Header(number, block_hash(number, fork), parent, 1_700_000_000 + number)


def event(kind: EventKind, number: int, log_index: int = 0, **fields: object) -> RegistryEvent:
    values: dict[str, object] = {
        "kind": kind,
        "issuer": address("issuer"),
        "at": 1_700_000_000 + number,
        "head": b32(("head", number, log_index)),
        "block_number": number,
        "block_hash": block_hash(number),
        "transaction": tx_hash((number, log_index)),
        "log_index": log_index,
        "account": address("key"),
    }
    values.update(fields)
    return RegistryEvent(**values)  # type: ignore[arg-type]


def issuer(name: object = "issuer", state: IssuerState = IssuerState.ACTIVE) -> Issuer:
    return Issuer(
        address=address(name),
        name=f"Issuer {name}",
        url="https://issuer.example",
        state=state,
        key=address(("key", name)),
        hosted_admin=True,
        created_at=T0,
    )


def api_key(name: str, owner: object = "issuer", **fields: object) -> ApiKey:
    values: dict[str, object] = {
        "id": name,
        "issuer": address(owner),
        "label": f"key {name}",
        "scopes": frozenset({Scope.BATCH, Scope.READ}),
        "created_at": T0,
        "expires_at": None,
        "revoked_at": None,
    }
    values.update(fields)
    return ApiKey(**values)  # type: ignore[arg-type]


def entry(name: object, **fields: object) -> NewEntry:
    return NewEntry(digest(name), DigestMethod.OPAQUE, salt(name), **fields)  # type: ignore[arg-type]


def batch_with(
    unit: Unit,
    names: list[object],
    *,
    owner: object = "issuer",
    state: BatchState = BatchState.RECEIVING,
    **fields: object,
) -> Batch:
    """A batch with an entry for each name."""
    batch = unit.batches.create(address(owner), state, T0, allow_duplicate=False)
    unit.entries.add(batch, 0, [entry(name, **fields) for name in names])
    return batch


def sealed(unit: Unit, names: list[object], *, owner: object = "issuer") -> Batch:
    """As `batch_with`, sealed."""
    batch = batch_with(unit, names, owner=owner)
    unit.batches.seal(batch.seq, root(batch.seq), [(0, 0, b"\1" * 32)], T0)
    found = unit.batches.by_seq(batch.seq)
    assert found is not None
    return found


def anchor(name: object = "anchor", block: int = 7) -> Anchor:
    return Anchor(
        transaction=tx_hash(name),
        block_number=block,
        block_hash=block_hash(block),
        anchored_at=later(10),
        gas_used=55_003,
        fee_wei=2**70,
        sender=address("sender"),
        mode=SendMode.DIRECT,
    )


def attempt(name: object, **fields: object) -> Attempt:
    values: dict[str, object] = {
        "hash": tx_hash(name),
        "raw": b"\x02raw" + b32(name),
        "max_fee_per_gas_wei": 2**80,
        "max_priority_fee_per_gas_wei": 1,
        "signed_at": T0,
        "sent_at": None,
    }
    values.update(fields)
    return Attempt(**values)  # type: ignore[arg-type]
