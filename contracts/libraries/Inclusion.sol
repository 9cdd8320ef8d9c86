// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Inclusion proofs in a batch's Merkle tree
/// @notice All hashes are SHA-256, integers big-endian. docs/proof-format.md is the specification.
library Inclusion {
    uint64 internal constant MAX_SIZE = 1 << 32;

    /// @notice The leaf of one credential: 1 + 20 + 8 + 32 bytes hashed.
    function leafOf(uint8 method, address issuer, uint64 index, bytes32 salted) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(method, issuer, index, salted));
    }

    /// @notice Whether `leaf` stands at `index` in the tree of `size` leaves under `root`.
    /// @dev Sides and number of siblings follow from (index, size); a path that is longer or shorter is refused, as is
    ///      a size of 0 or above 2^32.
    function proves(bytes32 root, bytes32 leaf, uint64 index, uint64 size, bytes32[] calldata path)
        internal
        pure
        returns (bool)
    {
        if (size > MAX_SIZE || index >= size) return false;
        bytes32 node = leaf;
        uint256 used = 0;
        uint256 position = index;
        // `last` is the position of the level's last node; at 0 the node is the top.
        for (uint256 last = size - 1; last != 0; last >>= 1) {
            if (position != last || position & 1 == 1) {
                if (used == path.length) return false;
                bytes32 sibling = path[used++];
                node = position & 1 == 1
                    ? sha256(abi.encodePacked(sibling, node))
                    : sha256(abi.encodePacked(node, sibling));
            }
            position >>= 1;
        }
        return used == path.length && root == sha256(abi.encodePacked(bytes1(0xff), size, node));
    }
}
