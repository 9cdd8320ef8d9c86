"""Length and sides of a path follow from index and size."""

from __future__ import annotations

import pytest

from registry.merkle import Side, path_length, path_sides

L, R = Side.LEFT, Side.RIGHT


@pytest.mark.parametrize(
    ("index", "size", "sides"),
    [
        (0, 1, ()),
        (0, 2, (R,)),
        (1, 2, (L,)),
        (0, 3, (R, R)),
        (2, 3, (L,)),
        (4, 5, (L,)),
        (4, 7, (R, R, L)),
        (6, 7, (L, L)),
        (2**32 - 1, 2**32, (L,) * 32),
        (2**32 - 1 - 1, 2**32 - 1, (L,) * 31),
        (2**31, 2**31 + 1, (L,)),
    ],
)
def test_sides_are_those_of_the_tree(index: int, size: int, sides: tuple[Side, ...]) -> None:
    assert path_sides(index, size) == sides
    assert path_length(index, size) == len(sides)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 5), (5, 5), (0, 2**32 + 1)])
def test_leaf_outside_the_tree_has_no_path(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="batch"):
        path_sides(index, size)
