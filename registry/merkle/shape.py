"""The shape of the tree: how long a path is and on which sides its entries stand. Pure arithmetic.

Nodes are paired from the left and an unpaired last node is carried up unchanged, which is the shape of RFC
9162, section 2.1.1. So (index, size) alone decides length and sides of a path.
"""

from __future__ import annotations

from enum import Enum

from registry.merkle.hashing import require_size


class Side(Enum):
    """On which side of the node below a path entry stands. ``value`` is its name in JSON."""

    LEFT = "left"
    RIGHT = "right"


def path_sides(index: int, size: int) -> tuple[Side, ...]:
    """Sides of the path entries of leaf ``index`` in a tree of ``size`` leaves, from the leaf upwards.

    Raises:
        ValueError: ``size`` is not in 1 to 2^32, or ``index`` not below it.
    """
    require_size(size)
    if not 0 <= index < size:
        raise ValueError("the index is outside the batch")
    sides = []
    while size > 1:
        if index & 1:
            sides.append(Side.LEFT)
        elif index + 1 < size:
            sides.append(Side.RIGHT)
        index >>= 1
        size = (size + 1) >> 1
    return tuple(sides)


def path_length(index: int, size: int) -> int:
    """Number of path entries of leaf ``index`` in a tree of ``size`` leaves, 0 to 32.

    Raises:
        ValueError: like `path_sides`.
    """
    return len(path_sides(index, size))
