"""Inclusion paths from stored tiles. Pure: the rows come from a reader that is handed in.

A tile of height 8 (the idea of C2SP tlog-tiles): tile (level L, index i) holds, flat, the nodes number 256*i
to 256*i + 255 of tree level 8*L, as many as there are. Level 0 always exists; level L > 0 exists only when
tree level 8*L has more than one node. The seven levels between are computed again from a tile. Unlike in a
growing log, the last tile of each level may end with a node that was carried up, since a sealed batch never
grows.

A tree of 2^32 leaves has tile levels 0 to 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from registry.encoding import Node
from registry.errors import DefectError
from registry.merkle.hashing import NODE_BYTES, next_row, require_size

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
"""Nodes in a full tile; it has 8,192 bytes."""


class CorruptTileError(DefectError):
    """A stored tile has another length than the batch's size demands, so the store is damaged."""


class TileReader(Protocol):
    """Reads one tile of one batch. Errors of the store pass through unchanged."""

    def __call__(self, level: int, index: int, /) -> bytes:
        """Return the tile's bytes, 32 to 8,192 of them."""


def level_count(size: int, level: int) -> int:
    """Number of nodes that tree level ``8 * level`` has in a tree of ``size`` leaves."""
    return -(-size >> (TILE_HEIGHT * level))


def tile_levels(size: int) -> int:
    """Number of tile levels of a tree of ``size`` leaves, 1 to 4."""
    levels = 1
    while level_count(size, levels) > 1:
        levels += 1
    return levels


def tile_bytes(size: int, level: int, index: int) -> int:
    """Length in bytes that tile (level, index) has in a tree of ``size`` leaves."""
    return NODE_BYTES * min(TILE_WIDTH, level_count(size, level) - TILE_WIDTH * index)


def path_from_tiles(index: int, size: int, read_tile: TileReader) -> list[Node]:
    """The path of leaf ``index``, from the leaf's sibling upwards; one tile is read for each tile level.

    Raises:
        ValueError: ``size`` is not in 1 to 2^32, or ``index`` not below it.
        CorruptTileError: a tile has the wrong length.
    """
    require_size(size)
    if not 0 <= index < size:
        raise ValueError("the index is outside the batch")
    path: list[Node] = []
    for level in range(tile_levels(size)):
        row = _checked(size, level, index >> TILE_HEIGHT, read_tile)
        position = index % TILE_WIDTH
        while len(row) > NODE_BYTES:
            start = (position ^ 1) * NODE_BYTES
            if start < len(row):
                path.append(Node(row[start : start + NODE_BYTES]))
            row = next_row(row)
            position >>= 1
        index >>= TILE_HEIGHT
    return path


def iter_paths(size: int, read_tile: TileReader) -> Iterator[list[Node]]:
    """The paths of all leaves in index order. Each tile is read once; one tile per level is held.

    Raises:
        ValueError: ``size`` is not in 1 to 2^32.
        CorruptTileError: a tile has the wrong length.
    """
    require_size(size)
    return _level_paths(size, 0, tile_levels(size), read_tile)


def _level_paths(size: int, level: int, levels: int, read_tile: TileReader) -> Iterator[list[Node]]:
    """The paths of all nodes of tree level ``8 * level`` in order."""
    if level == levels:
        yield []
        return
    for index, upper in enumerate(_level_paths(size, level + 1, levels, read_tile)):
        yield from _tile_paths(_checked(size, level, index, read_tile), upper)


def _tile_paths(tile: bytes, upper: list[Node]) -> list[list[Node]]:
    """The paths of all nodes of one tile, built downwards from ``upper``, the path of its top."""
    rows = [tile]
    while len(rows[-1]) > NODE_BYTES:
        rows.append(next_row(rows[-1]))
    paths = [upper]
    for row in reversed(rows[:-1]):
        nodes = [Node(row[start : start + NODE_BYTES]) for start in range(0, len(row), NODE_BYTES)]
        below = []
        for left, right, parent in zip(nodes[::2], nodes[1::2], paths, strict=False):
            below.append([right, *parent])
            below.append([left, *parent])
        if len(nodes) % 2:
            below.append(paths[-1])
        paths = below
    return paths


def _checked(size: int, level: int, index: int, read_tile: TileReader) -> bytes:
    tile = read_tile(level, index)
    if len(tile) != tile_bytes(size, level, index):
        raise CorruptTileError(f"tile {index} of level {level} has the wrong length")
    return tile
