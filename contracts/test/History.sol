// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredentialRegistry} from "../ICredentialRegistry.sol";
import {Base, Vm} from "./Base.sol";

/// @notice A reader that knows the registry's events and nothing else, and rebuilds the registry's state from them.
/// @dev Also notes who was allowed to cause each event, by the state before it; `violations` counts what should not be.
abstract contract History is Base {
    mapping(address key => ICredentialRegistry.Key) internal seenKeys;
    mapping(address issuer => mapping(bytes32 root => ICredentialRegistry.Batch)) internal seenBatches;
    mapping(address issuer => bytes32) internal seenHeads;
    mapping(uint8 kind => mapping(address issuer => mapping(bytes32 root => mapping(uint64 word => uint256)))) internal
        seenBits;
    mapping(address issuer => address) internal seenAdmins;
    mapping(address issuer => address) internal seenPending;
    mapping(bytes32 topic => uint256) public seenEvents;

    uint256 public violations;
    string public violation;

    function note(bool fine, string memory what) internal {
        if (fine) return;
        violations++;
        violation = what;
    }

    function seenAdminOf(address issuer) internal view returns (address) {
        return seenAdmins[issuer] == address(0) ? issuer : seenAdmins[issuer];
    }

    function mayAct(address issuer, address key, uint16 role) internal view returns (bool) {
        ICredentialRegistry.Key storage record = seenKeys[key];
        return record.issuer == issuer && block.timestamp < record.validUntil && record.roles & role != 0;
    }

    /// @param actor Whose call or signature caused these logs.
    function replay(Vm.Log[] memory logs, address actor) internal {
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != address(registry)) continue;
            seenEvents[logs[i].topics[0]]++;
            address issuer = address(uint160(uint256(logs[i].topics[1])));
            bytes32 head = logs[i].topics.length == 4
                ? _replayOnBatch(logs[i], issuer, actor)
                : _replayOnIssuer(logs[i], issuer, actor);
            note(head == seenHeads[issuer], "the event's head is not what its data fold into");
        }
    }

    function _fold(address issuer, bytes memory encoded) private {
        seenHeads[issuer] = keccak256(abi.encode(seenHeads[issuer], keccak256(encoded)));
    }

    function _replayOnIssuer(Vm.Log memory log, address issuer, address actor) private returns (bytes32 head) {
        bytes32 topic = log.topics[0];
        uint40 time;
        if (topic == ICredentialRegistry.ProfileSet.selector) {
            string memory uri;
            (uri, time, head) = abi.decode(log.data, (string, uint40, bytes32));
            note(actor == seenAdminOf(issuer), "a profile was not set by the admin");
            _fold(issuer, abi.encode(topic, issuer, uri, time));
            return head;
        }
        address subject = address(uint160(uint256(log.topics[2])));
        if (topic == ICredentialRegistry.KeyAdded.selector) {
            uint16 roles;
            (roles, time, head) = abi.decode(log.data, (uint16, uint40, bytes32));
            note(actor == seenAdminOf(issuer), "a key was not added by the admin");
            note(seenKeys[subject].issuer == address(0), "a key was added twice");
            note(roles > 0 && roles < 16, "a key has roles that do not exist");
            seenKeys[subject] = ICredentialRegistry.Key(issuer, UNTIL_RETIRED, 0, roles);
            _fold(issuer, abi.encode(topic, issuer, subject, roles, time));
        } else if (topic == ICredentialRegistry.KeyRetired.selector) {
            uint40 validUntil;
            uint16 reason;
            (validUntil, reason, time, head) = abi.decode(log.data, (uint40, uint16, uint40, bytes32));
            note(actor == seenAdminOf(issuer), "a key was not retired by the admin");
            note(seenKeys[subject].issuer == issuer, "a stranger's key was retired");
            note(validUntil < seenKeys[subject].validUntil, "a retirement moved forward");
            note(validUntil <= block.timestamp, "a retirement lies in the future");
            (seenKeys[subject].validUntil, seenKeys[subject].retiredAt) = (validUntil, time);
            _fold(issuer, abi.encode(topic, issuer, subject, validUntil, reason, time));
        } else {
            (time, head) = abi.decode(log.data, (uint40, bytes32));
            if (topic == ICredentialRegistry.AdminProposed.selector) {
                note(actor == seenAdminOf(issuer), "an admin was not proposed by the admin");
                note(subject != seenPending[issuer], "an event without an effect");
                seenPending[issuer] = subject;
            } else {
                note(topic == ICredentialRegistry.AdminChanged.selector, "an unknown event");
                note(actor == seenPending[issuer] && actor == subject, "an admin was not the proposed one");
                (seenAdmins[issuer], seenPending[issuer]) = (subject, address(0));
            }
            _fold(issuer, abi.encode(topic, issuer, subject, time));
        }
        note(time == block.timestamp, "an event carries another time");
    }

    function _replayOnBatch(Vm.Log memory log, address issuer, address actor) private returns (bytes32 head) {
        (bytes32 topic, bytes32 root) = (log.topics[0], log.topics[2]);
        address subject = address(uint160(uint256(log.topics[3])));
        note(subject == actor, "an event names another actor");
        ICredentialRegistry.Batch storage batch = seenBatches[issuer][root];
        uint40 time;
        uint16 reason;
        if (topic == ICredentialRegistry.BatchAnchored.selector) {
            (time, head) = abi.decode(log.data, (uint40, bytes32));
            note(mayAct(issuer, actor, ANCHOR), "an anchor was not made by a key that may");
            note(
                batch.anchoredAt == 0 || batch.anchoredAt >= seenKeys[batch.key].validUntil,
                "a trusted anchor was taken over"
            );
            (batch.key, batch.anchoredAt) = (subject, time);
            _fold(issuer, abi.encode(topic, issuer, root, subject, time));
            return head;
        }
        note(batch.anchoredAt != 0, "a batch that is not anchored was changed");
        if (topic == ICredentialRegistry.BatchWithdrawn.selector) {
            (reason, time, head) = abi.decode(log.data, (uint16, uint40, bytes32));
            note(mayAct(issuer, actor, WITHDRAW), "a withdrawal was not made by a key that may");
            note(batch.withdrawnAt == 0, "a batch was withdrawn twice");
            (batch.withdrawnAt, batch.reason) = (time, reason);
            _fold(issuer, abi.encode(topic, issuer, root, subject, reason, time));
        } else if (topic == ICredentialRegistry.WithdrawalAnnulled.selector) {
            (reason, time, head) = abi.decode(log.data, (uint16, uint40, bytes32));
            note(actor == seenAdminOf(issuer), "a withdrawal was not annulled by the admin");
            note(batch.withdrawnAt != 0, "nothing was annulled");
            (batch.withdrawnAt, batch.reason) = (0, 0);
            _fold(issuer, abi.encode(topic, issuer, root, subject, reason, time));
        } else {
            ICredentialRegistry.Change[] memory changes;
            (changes, reason, time, head) =
                abi.decode(log.data, (ICredentialRegistry.Change[], uint16, uint40, bytes32));
            _replayChanges(topic, issuer, root, actor, changes);
            _fold(issuer, abi.encode(topic, issuer, root, subject, changes, reason, time));
        }
        note(time == block.timestamp, "an event carries another time");
    }

    function _replayChanges(
        bytes32 topic,
        address issuer,
        bytes32 root,
        address actor,
        ICredentialRegistry.Change[] memory changes
    ) private {
        bool changed = false;
        bool sets = topic == ICredentialRegistry.Revoked.selector || topic == ICredentialRegistry.Suspended.selector;
        uint8 kind = SUSPENDED;
        if (topic == ICredentialRegistry.RevocationAnnulled.selector) {
            note(actor == seenAdminOf(issuer), "a revocation was not annulled by the admin");
            kind = REVOKED;
        } else if (topic == ICredentialRegistry.Revoked.selector) {
            note(mayAct(issuer, actor, REVOKE), "a revocation was not made by a key that may");
            kind = REVOKED;
        } else {
            note(sets || topic == ICredentialRegistry.Reinstated.selector, "an unknown event");
            note(mayAct(issuer, actor, SUSPEND), "a suspension was not changed by a key that may");
        }
        for (uint256 i = 0; i < changes.length; ++i) {
            uint256 before = seenBits[kind][issuer][root][changes[i].word];
            uint256 result = sets ? before | changes[i].mask : before & ~changes[i].mask;
            if (result != before) changed = true;
            seenBits[kind][issuer][root][changes[i].word] = result;
        }
        note(changed, "an event without an effect");
    }
}
