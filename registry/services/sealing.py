"""From the rows of a batch to its root and tiles, and back: building, sealing, and checking before anything
is signed.

Invariants: a sealed batch has root, all tiles and one queued (or held) ANCHOR operation, stored in one
transaction; a root never starts with a function selector of the contract, because an anchor is sent as its 32
bare bytes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import groupby
from operator import itemgetter

from registry.encoding import Address, Digest, DigestMethod, Root, Salt, Salted, to_hex
from registry.errors import RootmarkError
from registry.merkle import CorruptTileError, InclusionProof, TreeBuilder, path_from_tiles, root_from_proof
from registry.merkle.hashing import next_row, root_of
from registry.merkle.tiles import tile_levels
from registry.model.batches import Batch, BatchState, Entry
from registry.model.chain import CallKind, ContractCall
from registry.model.issuers import Issuer
from registry.model.operations import OperationState
from registry.ports.chain import CallEncoder
from registry.ports.store import Unit

Checkpoint = Callable[[str], None]
"""Called at the boundaries between steps, with the boundary's name; tests stop the process there."""

SALT_BYTES = 32
_MAX_REDRAWS = 8


def no_checkpoint(_name: str) -> None:
    """The checkpoint outside of tests: nothing happens."""


def new_salts(count: int) -> list[Salt]:
    """32 random bytes each; drawn at once, since a batch may need a million."""
    drawn = secrets.token_bytes(SALT_BYTES * count)
    return [Salt(drawn[start : start + SALT_BYTES]) for start in range(0, len(drawn), SALT_BYTES)]


@dataclass(frozen=True, slots=True)
class BuiltTree:
    """A root with all tiles (level, index, flat nodes) below it."""

    root: Root
    size: int
    tiles: Sequence[tuple[int, int, bytes]]


def build_tree(
    issuer: Address,
    leaves: Iterable[tuple[Digest, DigestMethod, Salt]],
    *,
    keep_tiles: bool = True,
) -> BuiltTree:
    """Hash (digest, method, salt) rows in index order; memory is the tiles, 33 bytes a leaf, or none.

    Raises:
        ValueError: there is no row.
    """
    tiles: list[tuple[int, int, bytes]] = []

    def keep(level: int, index: int, tile: bytes) -> None:
        if keep_tiles:
            tiles.append((level, index, tile))

    builder = TreeBuilder(issuer, DigestMethod.OPAQUE, keep)
    for method, rows in groupby(leaves, key=itemgetter(1)):
        builder.extend((Salted(sha256(digest + salt).digest()) for digest, _, salt in rows), method)
    summary = builder.finish()
    return BuiltTree(summary.root, summary.size, tiles)


def build_anchorable(unit: Unit, batch: Batch, encoder: CallEncoder) -> tuple[BuiltTree, Salt | None]:
    """Build the tree of a batch's stored rows so that its root can be anchored.

    Returns:
        The tree, and the salt that the last entry must get first, when the stored one leads to a root that
        the contract would take for a function call.

    Raises:
        ValueError: the batch is empty.
        RootmarkError: no anchorable root was found, which says that the encoder is broken.
    """
    redrawn: Salt | None = None
    for _ in range(_MAX_REDRAWS):
        rows = unit.entries.leaf_inputs(batch.seq)
        tree = build_tree(batch.issuer, _with_last_salt(rows, redrawn) if redrawn else rows)
        if not encoder.is_selector(tree.root[:4]):
            return tree, redrawn
        (redrawn,) = new_salts(1)
    raise RootmarkError("no salt leads to a root that can be anchored")


def _with_last_salt(
    rows: Iterable[tuple[Digest, DigestMethod, Salt]], salt: Salt
) -> Iterator[tuple[Digest, DigestMethod, Salt]]:
    rows = iter(rows)
    last = next(rows)
    for row in rows:
        yield last
        last = row
    yield last[0], last[1], salt


def seal_in(
    unit: Unit,
    batch: Batch,
    tree: BuiltTree,
    redrawn: Salt | None,
    issuer: Issuer,
    now: datetime,
    *,
    awaiting_approval_of: str | None = None,
) -> None:
    """Seal ``batch`` inside ``unit``: salt, root, tiles, the operation that anchors it, and the feed.

    Raises:
        RootmarkError: the tree does not have the batch's size.
        WrongStateError: the batch is sealed already.
    """
    if tree.size != batch.size:
        raise RootmarkError("the stored entries are not those that were counted")
    if redrawn is not None:
        unit.entries.set_salt(batch.seq, batch.size - 1, redrawn)
    unit.batches.seal(batch.seq, tree.root, tree.tiles, now, awaiting_approval_of=awaiting_approval_of)
    unit.outbox.add_operation(
        batch.issuer,
        issuer.key,
        ContractCall(CallKind.ANCHOR, batch.issuer, root=tree.root),
        OperationState.HELD if awaiting_approval_of else OperationState.QUEUED,
        now,
        batch_seq=batch.seq,
    )
    payload = {"batch": batch.id, "size": batch.size, "root": to_hex(tree.root)}
    unit.feed.append(now, "batch.sealed", batch.issuer, payload)


def find_damage(unit: Unit, batch: Batch, sample_size: int) -> str | None:
    """Recompute a sealed batch's root and some proofs from the stored rows; what is wrong, or None.

    Where entries were erased since, the root is recomputed from the stored leaves instead of from the
    digests.
    """
    if batch.state in (BatchState.OPEN, BatchState.RECEIVING) or batch.root is None:
        return "the batch has no root"
    try:
        tree = build_tree(batch.issuer, unit.entries.leaf_inputs(batch.seq), keep_tiles=False)
        size, root = tree.size, tree.root
    except ValueError:
        size, root = 0, Root(b"")
    if size != batch.size:
        root = _root_from_stored_leaves(unit, batch)
    if root != batch.root:
        return "the stored entries do not lead to the batch's root"
    for entry in _sample(unit, batch, sample_size):
        try:
            proved = root_from_proof(inclusion_proof(unit, entry))
        except CorruptTileError:
            proved = None
        if proved != batch.root:
            return f"the stored tiles do not prove entry {entry.index}"
    return None


def _root_from_stored_leaves(unit: Unit, batch: Batch) -> Root:
    count = -(-batch.size // 256)
    row = b""
    for first in range(0, count, 1024):
        wanted = [(0, index) for index in range(first, min(first + 1024, count))]
        found = unit.batches.read_tiles(batch.seq, wanted)
        row += b"".join(found.get(name, b"") for name in wanted)
    if len(row) != 32 * batch.size:
        return Root(b"")
    while len(row) > 32:
        row = next_row(row)
    return root_of(batch.size, row)  # type: ignore[arg-type]


def _sample(unit: Unit, batch: Batch, sample_size: int) -> Sequence[Entry]:
    """First, last and random entries; erased ones are left out by the store."""
    indices = {0, batch.size - 1}
    indices.update(secrets.randbelow(batch.size) for _ in range(sample_size))
    return unit.entries.by_indices([(batch.seq, index) for index in sorted(indices)])


def inclusion_proof(unit: Unit, entry: Entry) -> InclusionProof:
    """The proof of one entry of a sealed batch, from its tiles.

    Raises:
        CorruptTileError: a tile is missing or has the wrong length.
    """
    assert entry.root is not None
    levels = range(tile_levels(entry.size))
    tiles = unit.batches.read_tiles(
        entry.batch_seq, [(level, entry.index >> (8 * (level + 1))) for level in levels]
    )
    path = path_from_tiles(entry.index, entry.size, lambda level, index: tiles.get((level, index), b""))
    return InclusionProof(
        index=entry.index,
        size=entry.size,
        path=tuple(path),
        method=entry.method,
        digest=entry.digest,
        salt=entry.salt,
        issuer=entry.issuer,
        root=entry.root,
    )
