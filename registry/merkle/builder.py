"""Building the tree of a batch, leaf by leaf, in memory that does not grow with it. Pure.

`TreeBuilder` keeps one open tile per tile level (the right frontier) and hands every tile to ``on_tile`` as
soon as it is complete, the last ones in `TreeBuilder.finish`. `build_tiles` keeps them all, for batches that
fit in memory.

Invariants: tiles of one level are handed out in order, each once; a tile's lengths and the levels that exist
are those of `registry.merkle.tiles`; after `finish` nothing can be added.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice

from registry.encoding import Address, DigestMethod, Leaf, Node, Root, Salted
from registry.merkle.hashing import MAX_SIZE, NODE_BYTES, require_size, root_of, tree_top
from registry.merkle.tiles import TILE_WIDTH

_TILE_BYTES = TILE_WIDTH * NODE_BYTES
_PORTION = 16 * TILE_WIDTH

TileSink = Callable[[int, int, bytes], None]
"""Receives (level, index, bytes) of one finished tile."""


@dataclass(frozen=True, slots=True)
class TreeSummary:
    """What is known of a finished tree.

    Attributes:
        size: number of leaves.
        top: of one leaf, the leaf.
        root: SHA-256(0xff || size || top), what is anchored.
    """

    size: int
    top: Node
    root: Root


@dataclass(frozen=True, slots=True)
class TreeBuild(TreeSummary):
    """A finished tree with all its tiles.

    Attributes:
        tiles: bytes by (level, index), see `registry.merkle.tiles`.
    """

    tiles: dict[tuple[int, int], bytes] = field(repr=False)

    def read_tile(self, level: int, index: int, /) -> bytes:
        """Read one tile; a `TileReader`. Raises KeyError when there is none."""
        return self.tiles[level, index]


class _Frontier:
    """Turns a stream of leaves into tiles."""

    def __init__(self, on_tile: TileSink) -> None:
        self._on_tile = on_tile
        self._open: list[bytearray] = [bytearray()]
        self._emitted: list[int] = [0]

    def extend(self, leaves: bytes | bytearray | memoryview) -> None:
        """Append flat leaves."""
        room = _TILE_BYTES - len(self._open[0])
        start = 0
        while len(leaves) - start >= room:
            self._open[0] += leaves[start : start + room]
            self._close(0)
            start += room
            room = _TILE_BYTES
        self._open[0] += leaves[start:]

    def finish(self) -> Node:
        """Hand out the unfinished tiles and return the top. At least one leaf was added."""
        level = 0
        while level == 0 or self._emitted[level] or len(self._open[level]) > NODE_BYTES:
            if self._open[level]:
                self._close(level)
            level += 1
        return Node(bytes(self._open[level]))

    def _close(self, level: int) -> None:
        tile = bytes(self._open[level])
        self._open[level].clear()
        self._on_tile(level, self._emitted[level], tile)
        self._emitted[level] += 1
        if level + 1 == len(self._open):
            self._open.append(bytearray())
            self._emitted.append(0)
        self._open[level + 1] += tree_top(tile)
        if len(self._open[level + 1]) == _TILE_BYTES:
            self._close(level + 1)


class TreeBuilder:
    """Builds one batch's tree from its salted digests in index order."""

    def __init__(self, issuer: Address, method: DigestMethod, on_tile: TileSink) -> None:
        """
        Args:
            issuer: 20 bytes; part of every leaf.
            method: of digests that are added without one of their own.
            on_tile: called with each finished tile; what it raises passes through and leaves the builder
                unusable.
        """
        self._issuer = issuer
        self._method = method
        self._frontier = _Frontier(on_tile)
        self._size = 0
        self._finished = False

    @property
    def size(self) -> int:
        """Leaves added so far; the index of the next one."""
        return self._size

    def add(self, salted: Salted, method: DigestMethod | None = None) -> int:
        """Append one leaf and return its index. Raises ValueError like `extend`."""
        index = self._size
        self.extend((salted,), method)
        return index

    def extend(self, salted_digests: Iterable[Salted], method: DigestMethod | None = None) -> None:
        """Append leaves that share a digest method, holding a few tiles' worth of them at a time.

        Raises:
            ValueError: the tree is finished, would pass 2^32 leaves, or a value is not 32 bytes long. `size`
                tells how many leaves were added before that.
        """
        if self._finished:
            raise ValueError("the tree is finished")
        head = (method or self._method).code.to_bytes(1, "big") + self._issuer
        remaining = iter(salted_digests)
        while part := list(islice(remaining, _PORTION)):
            if set(map(len, part)) != {NODE_BYTES}:
                raise ValueError("a salted digest has 32 bytes")
            if self._size + len(part) > MAX_SIZE:
                raise ValueError("a batch has at most 2^32 leaves")
            prefixed = zip(range(self._size, self._size + len(part)), part, strict=True)
            leaves = [sha256(head + index.to_bytes(8, "big") + salted).digest() for index, salted in prefixed]
            self._frontier.extend(b"".join(leaves))
            self._size += len(part)

    def finish(self) -> TreeSummary:
        """Hand out the remaining tiles and return size, top and root.

        Raises:
            ValueError: nothing was added, or the tree is finished already.
        """
        if self._finished or not self._size:
            raise ValueError("a tree is finished once, and an empty batch has no root")
        self._finished = True
        top = self._frontier.finish()
        return TreeSummary(self._size, top, root_of(self._size, top))


def build_tiles(leaves: Iterable[Leaf] | bytes | bytearray | memoryview) -> TreeBuild:
    """Build the tree over ``leaves`` and keep all tiles.

    Args:
        leaves: 1 to 2^32 leaves, one by one or flat (32 bytes each).

    Raises:
        ValueError: there is no leaf, or one is not 32 bytes long.
    """
    tiles: dict[tuple[int, int], bytes] = {}

    def keep(level: int, index: int, tile: bytes) -> None:
        tiles[level, index] = tile

    frontier = _Frontier(keep)
    count = 0
    for flat in (leaves,) if isinstance(leaves, bytes | bytearray | memoryview) else _in_tiles(leaves):
        if len(flat) % NODE_BYTES:
            raise ValueError("leaves have 32 bytes each")
        frontier.extend(flat)
        count += len(flat)
    size = count // NODE_BYTES
    require_size(size)
    top = frontier.finish()
    return TreeBuild(size, top, root_of(size, top), tiles)


def _in_tiles(leaves: Iterable[Leaf]) -> Iterator[bytes]:
    """The leaves flat, a tile's worth at a time, so that no second copy of all of them exists."""
    remaining = iter(leaves)
    while part := list(islice(remaining, TILE_WIDTH)):
        if any(len(leaf) != NODE_BYTES for leaf in part):
            raise ValueError("leaves have 32 bytes each")
        yield b"".join(part)
