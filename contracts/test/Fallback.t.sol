// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CredentialRegistry} from "../CredentialRegistry.sol";
import {ICredentialRegistry} from "../ICredentialRegistry.sol";
import {Base, Vm} from "./Base.sol";

/// @notice Call data that is the root itself, and call data that is nothing.
contract FallbackTest is Base {
    uint256 private constant ISSUER = 31;
    address private issuer;

    function setUp() external {
        registry = new CredentialRegistry();
        vm.warp(1_800_000_000);
        issuer = vm.addr(ISSUER);
        vm.prank(issuer);
        registry.addKey(issuer, issuer, ANCHOR, 0, "");
    }

    function _send(bytes memory data) private returns (bool success, bytes memory answer) {
        vm.prank(issuer);
        return address(registry).call(data);
    }

    function testFuzz_thirtyTwoBytesAnchorLikeTheFunction(bytes32 root) external {
        vm.assume(root != 0 && !_isSelector(bytes4(root)));
        CredentialRegistry twin = new CredentialRegistry();
        vm.prank(issuer);
        twin.addKey(issuer, issuer, ANCHOR, 0, "");
        vm.prank(issuer);
        twin.anchor(root);
        (bool success, bytes memory answer) = _send(abi.encodePacked(root));
        check(success && answer.length == 0, "anchored");
        same(registry.headOf(issuer), twin.headOf(issuer), "head");
        same(registry.batchOf(issuer, root).anchoredAt, block.timestamp, "time");
    }

    /// @dev Every function takes at least one argument, so 32 bytes never suffice for one: nothing happens silently.
    function testFuzz_aRootThatStartsWithASelectorReverts(uint8 which, bytes28 rest) external {
        bytes4[] memory all = _selectors();
        (bool success,) = _send(abi.encodePacked(all[which % all.length], rest));
        check(!success, "a function took 28 bytes of arguments");
    }

    function testFuzz_otherCallDataIsRefused(bytes calldata data) external {
        vm.assume(data.length != 32 && !_isSelector(bytes4(data)));
        (bool success, bytes memory answer) = _send(data);
        check(!success && bytes4(answer) == ICredentialRegistry.UnknownCall.selector, "refused");
    }

    function test_etherIsRefused() external {
        (bool success,) = address(registry).call{value: 1}("");
        check(!success, "a bare transfer");
        (success,) = address(registry).call{value: 1}(abi.encode(keccak256("root")));
        check(!success, "ether with a root");
        (success,) = address(registry).call{value: 1}(abi.encodeCall(registry.anchor, (keccak256("root"))));
        check(!success, "ether with a call");
        same(address(registry).balance, 0, "balance");
    }

    function test_theZeroRootIsRefused() external {
        (bool success, bytes memory answer) = _send(abi.encode(bytes32(0)));
        check(!success && bytes4(answer) == ICredentialRegistry.ZeroRoot.selector, "refused");
    }

    function _isSelector(bytes4 first) private pure returns (bool) {
        bytes4[] memory all = _selectors();
        for (uint256 i = 0; i < all.length; ++i) {
            if (all[i] == first) return true;
        }
        return false;
    }

    function _selectors() private pure returns (bytes4[] memory all) {
        bytes4[30] memory known = [
            ICredentialRegistry.addKey.selector,
            ICredentialRegistry.retireKey.selector,
            ICredentialRegistry.setProfile.selector,
            ICredentialRegistry.proposeAdmin.selector,
            ICredentialRegistry.acceptAdmin.selector,
            ICredentialRegistry.annul.selector,
            ICredentialRegistry.annulWithdrawal.selector,
            ICredentialRegistry.anchor.selector,
            ICredentialRegistry.revoke.selector,
            ICredentialRegistry.suspend.selector,
            ICredentialRegistry.reinstate.selector,
            ICredentialRegistry.withdraw.selector,
            ICredentialRegistry.addKeyBySig.selector,
            ICredentialRegistry.retireKeyBySig.selector,
            ICredentialRegistry.anchorBySig.selector,
            ICredentialRegistry.revokeBySig.selector,
            ICredentialRegistry.suspendBySig.selector,
            ICredentialRegistry.reinstateBySig.selector,
            ICredentialRegistry.annulBySig.selector,
            ICredentialRegistry.withdrawBySig.selector,
            ICredentialRegistry.annulWithdrawalBySig.selector,
            ICredentialRegistry.batchOf.selector,
            ICredentialRegistry.keyOf.selector,
            ICredentialRegistry.adminOf.selector,
            ICredentialRegistry.pendingAdminOf.selector,
            ICredentialRegistry.headOf.selector,
            ICredentialRegistry.nonceOf.selector,
            ICredentialRegistry.bitsOf.selector,
            ICredentialRegistry.statusOf.selector,
            ICredentialRegistry.verify.selector
        ];
        all = new bytes4[](known.length);
        for (uint256 i = 0; i < known.length; ++i) {
            all[i] = known[i];
        }
    }
}
