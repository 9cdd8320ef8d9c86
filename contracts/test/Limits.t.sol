// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CredentialRegistry} from "../CredentialRegistry.sol";
import {ICredentialRegistry} from "../ICredentialRegistry.sol";
import {TypedData} from "../libraries/TypedData.sol";
import {Base} from "./Base.sol";

/// @notice The second at which something begins or ends, and the one before it.
contract LimitsTest is Base {
    uint256 private constant ISSUER = 31;
    uint256 private constant KEY = 32;
    uint256 private constant OTHER = 33;
    bytes32 private constant ROOT = keccak256("root");
    uint40 private constant TIME = 1_800_000_000;

    address private issuer;
    address private key;

    function setUp() external {
        registry = new CredentialRegistry();
        vm.warp(TIME);
        issuer = vm.addr(ISSUER);
        key = giveKey(issuer, KEY, 15);
    }

    function _retire(uint40 validUntil) private {
        vm.prank(issuer);
        registry.retireKey(issuer, key, validUntil, 6);
    }

    function test_aKeyActsNoMoreInTheSecondOfItsEnd() external {
        _retire(TIME);
        vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.KeyNotValid.selector, key, TIME));
        vm.prank(key);
        registry.anchor(ROOT);
        bytes memory signature = signed(KEY, TypedData.anchor(issuer, ROOT, 0, NO_DEADLINE));
        vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.KeyNotValid.selector, key, TIME));
        registry.anchorBySig(key, issuer, ROOT, NO_DEADLINE, signature);
    }

    function test_anAnchorOfTheSecondOfTheEndDoesNotCountAndOneOfTheSecondBeforeDoes() external {
        vm.prank(key);
        registry.anchor(ROOT);
        vm.warp(TIME + 1);
        _retire(TIME + 1);
        check(statusOf(issuer, ROOT, 0) == ICredentialRegistry.Status.GOOD, "the second before");
        _retire(TIME);
        check(statusOf(issuer, ROOT, 0) == ICredentialRegistry.Status.DISTRUSTED, "the same second");
        address fresh = giveKey(issuer, OTHER, ANCHOR);
        vm.prank(fresh);
        registry.anchor(ROOT);
        same(registry.batchOf(issuer, ROOT).key, fresh, "taken over");
    }

    function test_aSignatureAndAConsentCountInTheSecondOfTheirDeadline() external {
        bytes memory signature = signed(KEY, TypedData.anchor(issuer, ROOT, 0, TIME));
        address other = vm.addr(OTHER);
        bytes memory consent = signed(OTHER, TypedData.keyConsent(issuer, other, 15, TIME));
        vm.warp(TIME + 1);
        vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.SignatureExpired.selector, TIME));
        registry.anchorBySig(key, issuer, ROOT, TIME, signature);
        vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.SignatureExpired.selector, TIME));
        vm.prank(issuer);
        registry.addKey(issuer, other, 15, TIME, consent);
        vm.warp(TIME);
        registry.anchorBySig(key, issuer, ROOT, TIME, signature);
        vm.prank(issuer);
        registry.addKey(issuer, other, 15, TIME, consent);
        same(registry.batchOf(issuer, ROOT).anchoredAt, TIME, "anchored");
        same(registry.keyOf(other).roles, 15, "added");
    }

    function test_theLargestSizeIsTakenAndOneMoreIsNot() external {
        bytes32 salted = keccak256("salted");
        bytes32[] memory path = new bytes32[](32);
        for (uint64 size = 1 << 32; size <= (1 << 32) + 1; ++size) {
            bytes32 node = sha256(abi.encodePacked(uint8(0), issuer, uint64(0), salted));
            // Index 0 has a sibling on the right at each level: 32 of them below 2^32 + 1, 33 above.
            if (size > 1 << 32) path = new bytes32[](33);
            for (uint256 i = 0; i < path.length; ++i) node = sha256(abi.encodePacked(node, path[i]));
            bytes32 root = sha256(abi.encodePacked(bytes1(0xff), size, node));
            vm.prank(key);
            registry.anchor(root);
            (, ICredentialRegistry.Status status) = registry.verify(issuer, root, 0, 0, size, salted, path);
            check(
                status
                    == (
                        size == 1 << 32
                            ? ICredentialRegistry.Status.GOOD
                            : ICredentialRegistry.Status.BAD_PROOF
                    ),
                "size"
            );
        }
    }
}
