// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredentialRegistry} from "../ICredentialRegistry.sol";
import {Base} from "./Base.sol";
import {World} from "./World.sol";

/// @notice Whatever anybody tries, the events tell the whole story, and nobody changes what they may not.
contract InvariantsTest is Base {
    World private world;

    function setUp() external {
        world = new World();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(world);
    }

    function invariant_replayedEventsReproduceTheStateAtThePinnedSlots() external view {
        same(bytes(world.difference()).length, 0, world.difference());
    }

    /// @dev {History} notes a violation for an event that its actor was not allowed to cause, REVOKED bits cleared by
    ///      anything but an annulment of the admin included, and {World} for a root that a valid key could not anchor.
    function invariant_onlyValidKeysAndTheAdminChangeAnIssuer() external view {
        same(world.violations(), 0, world.violation());
    }

    /// @notice The same with fixed numbers, and proof that the steps do reach every event.
    function test_everyEventHappensInALongRun() external {
        uint256 random = 7;
        for (uint256 i = 0; i < 1500; ++i) {
            random = uint256(keccak256(abi.encode(random)));
            _step(random % 12, uint256(keccak256(abi.encode(random, "seed"))), random >> 32);
        }
        same(bytes(world.difference()).length, 0, world.difference());
        same(world.violations(), 0, world.violation());
        bytes32[12] memory topics = [
            ICredentialRegistry.KeyAdded.selector,
            ICredentialRegistry.KeyRetired.selector,
            ICredentialRegistry.ProfileSet.selector,
            ICredentialRegistry.AdminProposed.selector,
            ICredentialRegistry.AdminChanged.selector,
            ICredentialRegistry.BatchAnchored.selector,
            ICredentialRegistry.BatchWithdrawn.selector,
            ICredentialRegistry.WithdrawalAnnulled.selector,
            ICredentialRegistry.Revoked.selector,
            ICredentialRegistry.Suspended.selector,
            ICredentialRegistry.Reinstated.selector,
            ICredentialRegistry.RevocationAnnulled.selector
        ];
        for (uint256 i = 0; i < topics.length; ++i) {
            check(world.seenEvents(topics[i]) > 0, "an event never happened");
        }
        bytes4[9] memory relayed = [
            ICredentialRegistry.addKeyBySig.selector,
            ICredentialRegistry.retireKeyBySig.selector,
            ICredentialRegistry.anchorBySig.selector,
            ICredentialRegistry.revokeBySig.selector,
            ICredentialRegistry.suspendBySig.selector,
            ICredentialRegistry.reinstateBySig.selector,
            ICredentialRegistry.annulBySig.selector,
            ICredentialRegistry.withdrawBySig.selector,
            ICredentialRegistry.annulWithdrawalBySig.selector
        ];
        for (uint256 i = 0; i < relayed.length; ++i) {
            check(world.relays(relayed[i]) > 0, "a signature was never accepted");
        }
    }

    function _step(uint256 what, uint256 seed, uint256 more) private {
        if (what == 0) world.addKey(seed, more, uint16(more >> 8), more >> 24 & 3 != 0);
        else if (what == 1 && more & 7 == 0) world.retireKey(seed, more >> 3, more >> 8, uint16(more >> 40));
        else if (what <= 3) world.anchor(seed, more & 1 == 0);
        else if (what <= 6) world.changeStatus(seed, uint8(more), more >> 8, uint16(more >> 40));
        else if (what == 7) world.withdraw(seed, uint16(more));
        else if (what == 8) world.annulWithdrawal(seed, uint16(more));
        else if (what == 9) world.setProfile(seed, "https://example.org/profile");
        else if (what == 10) world.handOver(seed, more >> 1, more & 1 == 0);
        else world.wait(more);
    }
}
