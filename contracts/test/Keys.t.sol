// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CredentialRegistry} from "../CredentialRegistry.sol";
import {ICredentialRegistry} from "../ICredentialRegistry.sol";
import {Base} from "./Base.sol";

/// @notice Keys: who may add and retire them, what they may do, and what a thief of one can and cannot.
contract KeysTest is Base {
    uint256 private constant ISSUER = 11;
    uint256 private constant KEY = 12;
    uint256 private constant OTHER = 13;
    bytes32 private constant ROOT = keccak256("root");

    address private issuer;

    function setUp() external {
        registry = new CredentialRegistry();
        vm.warp(1_800_000_000);
        issuer = vm.addr(ISSUER);
    }

    function testFuzz_aKeyDoesWhatItsRolesSayAndNothingElse(uint16 roles, uint8 what) external {
        roles = uint16(bounded(roles, 1, 15));
        address anchorer = giveKey(issuer, OTHER, 15);
        vm.prank(anchorer);
        registry.anchor(ROOT);
        address key = giveKey(issuer, KEY, roles);
        uint16 needed = [ANCHOR, REVOKE, SUSPEND, SUSPEND, WITHDRAW][what % 5];
        if (roles & needed == 0) {
            vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.RoleMissing.selector, key, needed));
        }
        vm.prank(key);
        if (what % 5 == 0) registry.anchor(keccak256("another"));
        else if (what % 5 == 1) registry.revoke(ROOT, oneChange(0, 1), 1);
        else if (what % 5 == 2) registry.suspend(ROOT, oneChange(0, 1), 7);
        else if (what % 5 == 3) registry.reinstate(ROOT, oneChange(0, 1), 0);
        else registry.withdraw(ROOT, 1);
    }

    function testFuzz_retirementIsStoredAsTheRuleSays(uint40 first, uint40 second, uint16 reason) external {
        address key = giveKey(issuer, KEY, 15);
        uint40 time = uint40(block.timestamp);
        vm.prank(issuer);
        registry.retireKey(issuer, key, first, reason);
        uint40 stored = first < time ? first : time;
        _expectKey(key, stored, time);
        vm.warp(block.timestamp + 10);
        uint40 wanted = second < time + 10 ? second : time + 10;
        bool moves = second != UNTIL_RETIRED && wanted < stored;
        if (second != UNTIL_RETIRED && wanted > stored) {
            vm.expectRevert(
                abi.encodeWithSelector(ICredentialRegistry.RetirementMovedForward.selector, key, wanted, stored)
            );
        }
        vm.prank(issuer);
        registry.retireKey(issuer, key, second, reason);
        if (moves) _expectKey(key, wanted, time + 10);
        else _expectKey(key, stored, time);
    }

    function testFuzz_anAnchorIsTrustedExactlyIfMadeBeforeValidUntil(uint40 anchoredAt, uint40 validUntil) external {
        anchoredAt = uint40(bounded(anchoredAt, 1_800_000_000, 1_800_000_999));
        validUntil = uint40(bounded(validUntil, 1_800_000_000 - 5, 1_800_001_005));
        address key = giveKey(issuer, KEY, 15);
        vm.warp(anchoredAt);
        vm.prank(key);
        registry.anchor(ROOT);
        vm.warp(1_800_001_005);
        vm.prank(issuer);
        registry.retireKey(issuer, key, validUntil, 6);
        bool trusted = anchoredAt < validUntil;
        check(
            statusOf(issuer, ROOT, 0)
                == (trusted ? ICredentialRegistry.Status.GOOD : ICredentialRegistry.Status.DISTRUSTED),
            "trust"
        );
    }

    /// @dev The thief anchors the root that the issuer is about to; the issuer disowns the thief's time and anchors it.
    function testFuzz_aThiefCannotOccupyARoot(bytes32 root, uint40 back) external {
        vm.assume(root != 0);
        address stolen = giveKey(issuer, KEY, 15);
        address fresh = giveKey(issuer, OTHER, ANCHOR);
        vm.prank(stolen);
        registry.anchor(root);
        uint40 thefts = uint40(block.timestamp);
        vm.warp(block.timestamp + 100);
        vm.prank(issuer);
        registry.retireKey(issuer, stolen, uint40(bounded(back, 0, thefts)), 6);
        check(statusOf(issuer, root, 0) == ICredentialRegistry.Status.DISTRUSTED, "distrusted");
        vm.prank(fresh);
        registry.anchor(root);
        ICredentialRegistry.Batch memory batch = registry.batchOf(issuer, root);
        same(batch.key, fresh, "key");
        same(batch.anchoredAt, block.timestamp, "time");
        check(statusOf(issuer, root, 0) == ICredentialRegistry.Status.GOOD, "good");
    }

    /// @dev Whoever copies a pending anchor writes under an issuer of their own.
    function testFuzz_aFrontRunnerCannotOccupyARoot(uint256 stranger, bytes32 root) external {
        vm.assume(root != 0);
        stranger = bounded(stranger, 100, CURVE - 1);
        address theirs = vm.addr(stranger);
        vm.prank(theirs);
        registry.addKey(theirs, theirs, 15, 0, "");
        vm.prank(theirs);
        registry.anchor(root);
        check(statusOf(issuer, root, 0) == ICredentialRegistry.Status.NOT_ANCHORED, "not ours");
        address key = giveKey(issuer, KEY, ANCHOR);
        vm.prank(key);
        registry.anchor(root);
        same(registry.batchOf(issuer, root).key, key, "key");
        same(registry.batchOf(theirs, root).key, theirs, "theirs");
    }

    function testFuzz_oneBitIsOneCredential(uint64 index, uint64 other, bool revoked) external {
        vm.assume(other != index);
        address key = giveKey(issuer, KEY, 15);
        vm.prank(key);
        registry.anchor(ROOT);
        vm.prank(key);
        if (revoked) registry.revoke(ROOT, oneChange(index / 256, 1 << (index % 256)), 1);
        else registry.suspend(ROOT, oneChange(index / 256, 1 << (index % 256)), 7);
        ICredentialRegistry.Status expected =
            revoked ? ICredentialRegistry.Status.REVOKED : ICredentialRegistry.Status.SUSPENDED;
        check(statusOf(issuer, ROOT, index) == expected, "the one");
        uint64[5] memory others = [other, index ^ 1, index ^ 128, index ^ 256, index ^ (1 << 63)];
        for (uint256 i = 0; i < others.length; ++i) {
            check(statusOf(issuer, ROOT, others[i]) == ICredentialRegistry.Status.GOOD, "another");
        }
    }

    function test_takingOverKeepsWithdrawalAndBits() external {
        address stolen = giveKey(issuer, KEY, 15);
        address fresh = giveKey(issuer, OTHER, 15);
        vm.prank(stolen);
        registry.anchor(ROOT);
        vm.prank(stolen);
        registry.revoke(ROOT, oneChange(0, 1), 3);
        vm.prank(stolen);
        registry.withdraw(ROOT, 2);
        uint40 withdrawnAt = uint40(block.timestamp);
        vm.warp(block.timestamp + 5);
        vm.prank(issuer);
        registry.retireKey(issuer, stolen, 1, 6);
        vm.prank(fresh);
        registry.anchor(ROOT);
        bytes32 stored = vm.load(address(registry), slotOfBatch(issuer, ROOT));
        same(stored, packKey(fresh, withdrawnAt + 5, withdrawnAt, 2), "batch");
        same(registry.bitsOf(REVOKED, issuer, ROOT, 0), 1, "bits");
        vm.prank(issuer);
        registry.annulWithdrawal(issuer, ROOT, 0);
        stored = vm.load(address(registry), slotOfBatch(issuer, ROOT));
        same(stored, packKey(fresh, withdrawnAt + 5, 0, 0), "annulled");
        check(statusOf(issuer, ROOT, 0) == ICredentialRegistry.Status.REVOKED, "revoked");
    }

    function test_aRetiredKeyNeverReturnsNorMovesToAnotherIssuer() external {
        address key = giveKey(issuer, KEY, ANCHOR);
        vm.prank(issuer);
        registry.retireKey(issuer, key, UNTIL_RETIRED, 0);
        bytes memory consent = consentOf(KEY, issuer, 15);
        vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.KeyTaken.selector, key, issuer));
        vm.prank(issuer);
        registry.addKey(issuer, key, 15, NO_DEADLINE, consent);
        vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.KeyTaken.selector, key, issuer));
        vm.prank(key);
        registry.addKey(key, key, 15, 0, "");
    }

    function testFuzz_nobodyClaimsAnothersKey(uint256 signer, uint16 roles, address claimant) external {
        signer = bounded(signer, 1, CURVE - 1);
        vm.assume(signer != KEY && claimant != address(0) && claimant != vm.addr(KEY));
        roles = uint16(bounded(roles, 1, 15));
        address key = vm.addr(KEY);
        // Another's signature, and the key's own for another issuer.
        bytes[2] memory consents = [consentOf(signer, claimant, roles), consentOf(KEY, address(1), roles)];
        vm.assume(claimant != address(1));
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.InvalidConsent.selector, key));
            vm.prank(claimant);
            registry.addKey(claimant, key, roles, NO_DEADLINE, consents[i]);
        }
    }

    function _expectKey(address key, uint40 validUntil, uint40 retiredAt) private view {
        bytes32 stored = vm.load(address(registry), slotOf(0, key));
        same(stored, packKey(issuer, validUntil, retiredAt, 15), "key");
    }
}
