"""The Merkle tree of a batch: hashes, shape, tiles, inclusion proofs. Pure: no I/O, no chain, no database.

docs/proof-format.md is the specification, tests/vectors/proofs its examples; docs/adr/0001-own-merkle-tree.md
says why the tree is not a library's.
"""

from registry.merkle.builder import TileSink, TreeBuild, TreeBuilder, TreeSummary, build_tiles
from registry.merkle.chainpoint import chainpoint_path
from registry.merkle.hashing import (
    MAX_SIZE,
    NODE_BYTES,
    leaf_hash,
    leaf_prefix,
    node_hash,
    root_of,
    salted_digest,
    tree_top,
)
from registry.merkle.proof import (
    MAX_PATH_ENTRIES,
    AnchorHint,
    InclusionFailure,
    InclusionFault,
    InclusionPass,
    InclusionProof,
    InclusionResult,
    leaf_of_proof,
    root_from_proof,
    verify_inclusion,
)
from registry.merkle.proof_json import PROOF_TYPE, proof_from_json, proof_to_json
from registry.merkle.shape import Side, path_length, path_sides
from registry.merkle.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    CorruptTileError,
    TileReader,
    iter_paths,
    path_from_tiles,
    tile_bytes,
    tile_levels,
)

__all__ = [
    "MAX_PATH_ENTRIES",
    "MAX_SIZE",
    "NODE_BYTES",
    "PROOF_TYPE",
    "TILE_HEIGHT",
    "TILE_WIDTH",
    "AnchorHint",
    "CorruptTileError",
    "InclusionFailure",
    "InclusionFault",
    "InclusionPass",
    "InclusionProof",
    "InclusionResult",
    "Side",
    "TileReader",
    "TileSink",
    "TreeBuild",
    "TreeBuilder",
    "TreeSummary",
    "build_tiles",
    "chainpoint_path",
    "iter_paths",
    "leaf_hash",
    "leaf_of_proof",
    "leaf_prefix",
    "node_hash",
    "path_from_tiles",
    "path_length",
    "path_sides",
    "proof_from_json",
    "proof_to_json",
    "root_from_proof",
    "root_of",
    "salted_digest",
    "tile_bytes",
    "tile_levels",
    "tree_top",
    "verify_inclusion",
]
