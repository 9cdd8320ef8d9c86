"""Tiles hold what the paths need; merkletools, of the same tree shape, is the oracle of top and paths."""

from __future__ import annotations

from hashlib import sha256

import pytest
from merkletools import MerkleTools

from registry.encoding import Address, DigestMethod, Leaf, Salted
from registry.merkle import (
    CorruptTileError,
    TreeBuild,
    TreeBuilder,
    build_tiles,
    iter_paths,
    leaf_hash,
    path_from_tiles,
    root_of,
    tile_bytes,
    tile_levels,
    tree_top,
)

ISSUER = Address(b"\x11" * 20)
SIZES = [
    *range(1, 20),
    31,
    32,
    33,
    127,
    255,
    256,
    257,
    511,
    512,
    513,
    767,
    1000,
    65_535,
    65_536,
    65_537,
    65_793,
]


def _leaves(size: int) -> list[Leaf]:
    return [Leaf(sha256(b"leaf %d" % number).digest()) for number in range(size)]


def _oracle(leaves: list[Leaf]) -> MerkleTools:
    tools = MerkleTools()
    tools.leaves = [bytearray(leaf) for leaf in leaves]
    tools.make_tree()
    return tools


@pytest.mark.parametrize("size", SIZES)
def test_top_and_paths_are_those_of_merkletools(size: int) -> None:
    leaves = _leaves(size)
    build = build_tiles(leaves)
    oracle = _oracle(leaves)
    assert build.top.hex() == oracle.get_merkle_root()
    assert build.top == tree_top(b"".join(leaves))
    assert build.root == root_of(size, build.top)
    paths = list(iter_paths(size, build.read_tile))
    assert len(paths) == size
    chosen = range(size) if size <= 1000 else {0, 1, 255, 256, 257, size // 2, size - 2, size - 1}
    for index in chosen:
        expected = [bytes.fromhex(entry) for step in oracle.get_proof(index) for entry in step.values()]
        assert paths[index] == expected
        assert path_from_tiles(index, size, build.read_tile) == expected


@pytest.mark.parametrize("size", SIZES)
def test_tiles_have_the_stated_levels_and_lengths(size: int) -> None:
    build = build_tiles(_leaves(size))
    levels = {level for level, _ in build.tiles}
    assert levels == set(range(tile_levels(size)))
    for (level, index), tile in build.tiles.items():
        assert len(tile) == tile_bytes(size, level, index)
    for level in levels:
        indexes = [index for tile_level, index in build.tiles if tile_level == level]
        assert indexes == list(range(len(indexes)))


@pytest.mark.parametrize(
    ("size", "levels"),
    [(1, 1), (256, 1), (257, 2), (65_536, 2), (65_537, 3), (2**24, 3), (2**24 + 1, 4), (2**32, 4)],
)
def test_tile_levels_exist_while_they_have_more_than_one_node(size: int, levels: int) -> None:
    assert tile_levels(size) == levels


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 600, 65_537])
def test_leaves_may_be_given_flat_or_one_by_one(size: int) -> None:
    leaves = _leaves(size)
    flat = b"".join(leaves)
    assert (
        build_tiles(iter(leaves))
        == build_tiles(flat)
        == build_tiles(bytearray(flat))
        == build_tiles(memoryview(flat))
    )


@pytest.mark.parametrize("leaves", [[], b"", b"x" * 33, [b"x" * 31], [b"x" * 32, b"x" * 33]])
def test_no_leaf_or_one_of_another_length_is_refused(leaves: list[Leaf] | bytes) -> None:
    with pytest.raises(ValueError, match=r"32 bytes|1 to 2\^32"):
        build_tiles(leaves)


def _reading(build: TreeBuild, level: int, index: int, tile: bytes) -> TreeBuild:
    return TreeBuild(build.size, build.top, build.root, {**build.tiles, (level, index): tile})


@pytest.mark.parametrize("broken", [b"", b"x" * 31, b"x" * 64, b"x" * 8192 + b"x" * 32])
def test_tile_of_another_length_is_reported_as_damage(broken: bytes) -> None:
    build = build_tiles(_leaves(257))
    for damaged in (_reading(build, 0, 1, broken), _reading(build, 1, 0, broken + b"y")):
        with pytest.raises(CorruptTileError, match="wrong length"):
            path_from_tiles(256, 257, damaged.read_tile)
        with pytest.raises(CorruptTileError, match="wrong length"):
            list(iter_paths(257, damaged.read_tile))


def test_errors_of_the_reader_pass_through() -> None:
    with pytest.raises(KeyError):
        path_from_tiles(256, 300, build_tiles(_leaves(255)).read_tile)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3), (0, 2**32 + 1)])
def test_leaf_outside_the_batch_has_no_path(index: int, size: int) -> None:
    build = build_tiles(_leaves(3))
    with pytest.raises(ValueError, match="batch"):
        path_from_tiles(index, size, build.read_tile)


@pytest.mark.parametrize("size", [0, 2**32 + 1])
def test_batch_of_an_impossible_size_has_no_paths(size: int) -> None:
    with pytest.raises(ValueError, match="1 to 2\\^32"):
        iter_paths(size, build_tiles(_leaves(3)).read_tile)


@pytest.mark.parametrize("size", [1, 5, 256, 257, 65_536, 66_000])
def test_all_paths_read_each_tile_once(size: int) -> None:
    build = build_tiles(_leaves(size))
    reads: list[tuple[int, int]] = []

    def read_tile(level: int, index: int) -> bytes:
        reads.append((level, index))
        return build.tiles[level, index]

    assert sum(1 for _ in iter_paths(size, read_tile)) == size
    assert sorted(reads) == sorted(build.tiles)


def test_one_path_reads_one_tile_a_level() -> None:
    size = 66_000
    build = build_tiles(_leaves(size))
    reads: list[tuple[int, int]] = []

    def read_tile(level: int, index: int) -> bytes:
        reads.append((level, index))
        return build.tiles[level, index]

    path_from_tiles(65_900, size, read_tile)
    assert reads == [(0, 257), (1, 1), (2, 0)]


# --- the streaming builder ------------------------------------------------------------------------------


class _Sink(dict[tuple[int, int], bytes]):
    def __call__(self, level: int, index: int, tile: bytes) -> None:
        assert (level, index) not in self
        self[level, index] = tile


def _salted(size: int) -> list[Salted]:
    return [Salted(sha256(b"salted %d" % number).digest()) for number in range(size)]


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 513, 65_536, 65_793])
@pytest.mark.parametrize("chunk", [1, 100, 256, 10_000])
def test_builder_gives_the_same_tiles_in_any_portions(size: int, chunk: int) -> None:
    salted = _salted(size)
    expected = build_tiles(
        [leaf_hash(DigestMethod.JCS_SHA256, ISSUER, index, value) for index, value in enumerate(salted)]
    )
    sink = _Sink()
    builder = TreeBuilder(ISSUER, DigestMethod.JCS_SHA256, sink)
    for start in range(0, size, chunk):
        builder.extend(salted[start : start + chunk])
    summary = builder.finish()
    assert (summary.size, summary.top, summary.root) == (size, expected.top, expected.root)
    assert sink == expected.tiles


def test_builder_hands_out_full_tiles_as_it_goes() -> None:
    sink = _Sink()
    builder = TreeBuilder(ISSUER, DigestMethod.OPAQUE, sink)
    builder.extend(_salted(600))
    assert list(sink) == [(0, 0), (0, 1)]
    builder.finish()
    assert list(sink) == [(0, 0), (0, 1), (0, 2), (1, 0)]


def test_builder_numbers_leaves_and_takes_a_method_for_each() -> None:
    first, second = _salted(2)
    builder = TreeBuilder(ISSUER, DigestMethod.OPAQUE, _Sink())
    assert builder.add(first) == 0
    assert builder.add(second, DigestMethod.JCS_SHA256) == 1
    assert builder.size == 2
    leaves = [
        leaf_hash(DigestMethod.OPAQUE, ISSUER, 0, first),
        leaf_hash(DigestMethod.JCS_SHA256, ISSUER, 1, second),
    ]
    assert builder.finish().root == build_tiles(leaves).root


def test_builder_that_was_given_nothing_has_no_root() -> None:
    with pytest.raises(ValueError, match="empty batch"):
        TreeBuilder(ISSUER, DigestMethod.OPAQUE, _Sink()).finish()


def test_finished_builder_takes_nothing_more() -> None:
    builder = TreeBuilder(ISSUER, DigestMethod.OPAQUE, _Sink())
    builder.extend(_salted(1))
    builder.finish()
    with pytest.raises(ValueError, match="finished"):
        builder.add(_salted(1)[0])
    with pytest.raises(ValueError, match="finished"):
        builder.finish()


def test_value_of_another_length_stops_the_portion_that_it_is_in() -> None:
    builder = TreeBuilder(ISSUER, DigestMethod.OPAQUE, _Sink())
    with pytest.raises(ValueError, match="32 bytes"):
        builder.extend([*_salted(3), Salted(b"short")])
    assert builder.size == 0
    builder.extend(_salted(3))
    with pytest.raises(ValueError, match="32 bytes"):
        builder.extend([*_salted(4096), Salted(b"x" * 33)])
    assert builder.size == 4099
    assert builder.finish().size == 4099


def test_builder_stops_at_the_largest_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.merkle.builder.MAX_SIZE", 3)
    builder = TreeBuilder(ISSUER, DigestMethod.OPAQUE, _Sink())
    builder.extend(_salted(3))
    with pytest.raises(ValueError, match="at most"):
        builder.add(_salted(1)[0])
    assert builder.finish().size == 3


def test_error_of_the_sink_passes_through() -> None:
    def full(level: int, index: int, tile: bytes) -> None:
        raise OSError("no space")

    builder = TreeBuilder(ISSUER, DigestMethod.OPAQUE, full)
    with pytest.raises(OSError, match="no space"):
        builder.extend(_salted(256))
