// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CredentialRegistry} from "../CredentialRegistry.sol";
import {ICredentialRegistry} from "../ICredentialRegistry.sol";
import {Base} from "./Base.sol";

/// @notice {CredentialRegistry-verify} against a tree that is built level by level, the plain way.
contract InclusionTest is Base {
    uint8 private constant METHOD = 1;
    address private issuer;

    function setUp() external {
        registry = new CredentialRegistry();
        vm.warp(1_800_000_000);
        issuer = giveKeyToSelf(5);
    }

    function giveKeyToSelf(uint256 privateKey) private returns (address account) {
        account = vm.addr(privateKey);
        vm.prank(account);
        registry.addKey(account, account, 15, 0, "");
    }

    function saltedAt(uint64 index) private pure returns (bytes32) {
        return sha256(abi.encode("salted", index));
    }

    function leafAt(uint64 index) private view returns (bytes32) {
        return sha256(abi.encodePacked(METHOD, issuer, index, saltedAt(index)));
    }

    /// @return root The root of `size` leaves.
    /// @return path What proves the leaf at `index`.
    function build(uint64 size, uint64 index) private view returns (bytes32 root, bytes32[] memory path) {
        bytes32[] memory level = new bytes32[](size);
        for (uint64 i = 0; i < size; ++i) {
            level[i] = leafAt(i);
        }
        bytes32[] memory siblings = new bytes32[](64);
        uint256 count = 0;
        uint256 position = index;
        while (level.length > 1) {
            if (position ^ 1 < level.length) siblings[count++] = level[position ^ 1];
            bytes32[] memory above = new bytes32[]((level.length + 1) / 2);
            for (uint256 i = 0; i < above.length; ++i) {
                above[i] = 2 * i + 1 < level.length
                    ? sha256(abi.encodePacked(level[2 * i], level[2 * i + 1]))
                    : level[2 * i];
            }
            (level, position) = (above, position / 2);
        }
        path = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            path[i] = siblings[i];
        }
        root = sha256(abi.encodePacked(bytes1(0xff), size, level[0]));
    }

    function anchored(uint64 size, uint64 index) private returns (bytes32 root, bytes32[] memory path) {
        (root, path) = build(size, index);
        vm.prank(issuer);
        registry.anchor(root);
    }

    function verified(bytes32 root, uint64 index, uint64 size, bytes32 salted, bytes32[] memory path)
        private
        view
        returns (bool)
    {
        (, ICredentialRegistry.Status status) = registry.verify(issuer, root, METHOD, index, size, salted, path);
        check(
            status == ICredentialRegistry.Status.GOOD || status == ICredentialRegistry.Status.BAD_PROOF,
            "another status"
        );
        return status == ICredentialRegistry.Status.GOOD;
    }

    function testFuzz_everyLeafVerifies(uint64 size, uint64 index) external {
        size = uint64(bounded(size, 1, 70));
        index = uint64(bounded(index, 0, size - 1));
        (bytes32 root, bytes32[] memory path) = anchored(size, index);
        check(verified(root, index, size, saltedAt(index), path), "a good proof is refused");
    }

    function testFuzz_noOtherIndexOrSizeVerifies(uint64 size, uint64 index, uint64 otherIndex, uint64 otherSize)
        external
    {
        size = uint64(bounded(size, 1, 40));
        index = uint64(bounded(index, 0, size - 1));
        (bytes32 root, bytes32[] memory path) = anchored(size, index);
        if (otherIndex != index) {
            check(!verified(root, otherIndex, size, saltedAt(index), path), "another index");
            otherIndex = uint64(bounded(otherIndex, 0, size - 1));
            if (otherIndex != index) check(!verified(root, otherIndex, size, saltedAt(index), path), "a near index");
        }
        if (otherSize == size) return;
        check(!verified(root, index, otherSize, saltedAt(index), path), "another size");
        otherSize = uint64(bounded(otherSize, 1, 80));
        if (otherSize != size) check(!verified(root, index, otherSize, saltedAt(index), path), "a near size");
    }

    function testFuzz_noChangedByteVerifies(uint64 size, uint64 index, uint256 where, uint8 flip) external {
        size = uint64(bounded(size, 1, 40));
        index = uint64(bounded(index, 0, size - 1));
        flip = uint8(bounded(flip, 1, 255));
        (bytes32 root, bytes32[] memory path) = anchored(size, index);
        bytes32 salted = saltedAt(index);
        bytes32 change = bytes32(uint256(flip) << 8 * (where % 32));
        uint256 which = (where >> 8) % (path.length + 1);
        if (which == path.length) salted ^= change;
        else path[which] ^= change;
        check(!verified(root, index, size, salted, path), "a changed byte");
    }

    function testFuzz_noLongerOrShorterPathVerifies(uint64 size, uint64 index, bytes32 extra) external {
        size = uint64(bounded(size, 2, 40));
        index = uint64(bounded(index, 0, size - 1));
        (bytes32 root, bytes32[] memory path) = anchored(size, index);
        bytes32[] memory longer = new bytes32[](path.length + 1);
        bytes32[] memory shorter = new bytes32[](path.length - 1);
        for (uint256 i = 0; i < path.length; ++i) {
            longer[i] = path[i];
            if (i < shorter.length) shorter[i] = path[i];
        }
        longer[path.length] = extra;
        check(!verified(root, index, size, saltedAt(index), longer), "a longer path");
        check(!verified(root, index, size, saltedAt(index), shorter), "a shorter path");
    }

    function test_sizesAtTheEdges() external {
        (bytes32 root, bytes32[] memory path) = anchored(1, 0);
        check(verified(root, 0, 1, saltedAt(0), path), "one leaf");
        check(!verified(root, 0, 0, saltedAt(0), path), "no leaf");
        check(!verified(root, 1, 1, saltedAt(0), path), "beyond the end");
        check(!verified(root, 0, type(uint64).max, saltedAt(0), path), "too large");

        // A tree of 2^32 leaves, the largest, in which all siblings of the last leaf are made up; and one leaf more.
        bytes32[] memory siblings = new bytes32[](32);
        uint64 last = uint64(1 << 32) - 1;
        bytes32 node = leafAt(last);
        for (uint256 i = 0; i < 32; ++i) {
            siblings[i] = keccak256(abi.encode(i));
            node = sha256(abi.encodePacked(siblings[i], node));
        }
        root = sha256(abi.encodePacked(bytes1(0xff), uint64(1 << 32), node));
        vm.prank(issuer);
        registry.anchor(root);
        check(verified(root, last, 1 << 32, saltedAt(last), siblings), "the largest size");

        bytes32[] memory one = new bytes32[](1);
        one[0] = node;
        root = sha256(abi.encodePacked(bytes1(0xff), uint64(1 << 32) + 1, sha256(abi.encodePacked(node, leafAt(1 << 32)))));
        vm.prank(issuer);
        registry.anchor(root);
        check(!verified(root, 1 << 32, (1 << 32) + 1, saltedAt(1 << 32), one), "one leaf more");
    }

    function test_anInnerNodeIsNoCredential() external {
        (bytes32 root,) = anchored(4, 0);
        bytes32 left = sha256(abi.encodePacked(leafAt(0), leafAt(1)));
        bytes32 right = sha256(abi.encodePacked(leafAt(2), leafAt(3)));
        bytes32[] memory path = new bytes32[](1);
        path[0] = right;
        check(!verified(root, 0, 2, left, path), "an inner node as a leaf");
        check(!verified(root, 0, 4, left, path), "an inner node as a leaf of the same size");
    }

    function test_aProofIsBoundToItsIssuerAndMethod() external {
        (bytes32 root, bytes32[] memory path) = anchored(3, 1);
        address thief = giveKeyToSelf(6);
        vm.prank(thief);
        registry.anchor(root);
        (, ICredentialRegistry.Status status) = registry.verify(thief, root, METHOD, 1, 3, saltedAt(1), path);
        check(status == ICredentialRegistry.Status.BAD_PROOF, "another issuer");
        (, status) = registry.verify(issuer, root, 0, 1, 3, saltedAt(1), path);
        check(status == ICredentialRegistry.Status.BAD_PROOF, "another method");
    }

    function test_verifyAndStatusOfSayTheFirstThatApplies() external {
        (bytes32 root, bytes32[] memory path) = build(3, 1);
        _expect(root, path, ICredentialRegistry.Status.NOT_ANCHORED, 0);
        vm.prank(issuer);
        registry.anchor(root);
        uint40 time = uint40(block.timestamp);
        _expect(root, path, ICredentialRegistry.Status.GOOD, time);
        vm.prank(issuer);
        registry.suspend(root, oneChange(0, 2), 7);
        _expect(root, path, ICredentialRegistry.Status.SUSPENDED, time);
        vm.prank(issuer);
        registry.revoke(root, oneChange(0, 2), 1);
        _expect(root, path, ICredentialRegistry.Status.REVOKED, time);
        vm.prank(issuer);
        registry.withdraw(root, 1);
        _expect(root, path, ICredentialRegistry.Status.WITHDRAWN, time);
        vm.prank(issuer);
        registry.retireKey(issuer, issuer, time, 6);
        _expect(root, path, ICredentialRegistry.Status.DISTRUSTED, time);
        path[0] ^= bytes32(uint256(1));
        (uint40 anchoredAt, ICredentialRegistry.Status status) =
            registry.verify(issuer, root, METHOD, 1, 3, saltedAt(1), path);
        check(status == ICredentialRegistry.Status.BAD_PROOF && anchoredAt == 0, "a bad proof comes first");
    }

    function _expect(bytes32 root, bytes32[] memory path, ICredentialRegistry.Status expected, uint40 time)
        private
        view
    {
        (uint40 anchoredAt, ICredentialRegistry.Status status) =
            registry.verify(issuer, root, METHOD, 1, 3, saltedAt(1), path);
        check(status == expected && anchoredAt == time, "verify");
        (anchoredAt, status) = registry.statusOf(issuer, root, 1);
        check(status == expected && anchoredAt == time, "statusOf");
    }
}
