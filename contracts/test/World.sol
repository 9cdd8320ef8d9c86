// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CredentialRegistry} from "../CredentialRegistry.sol";
import {ICredentialRegistry} from "../ICredentialRegistry.sol";
import {TypedData} from "../libraries/TypedData.sol";
import {Vm} from "./Base.sol";
import {History} from "./History.sol";

/// @notice Six people who try everything, allowed or not, directly or by signature, on two issuers and three roots.
/// @dev People 0 and 1 are the issuers; all of them may become keys or admins. After every attempt the logs are replayed.
contract World is History {
    uint256 internal constant PEOPLE = 6;
    address internal constant RELAYER = address(0xbeef);

    mapping(bytes4 selector => uint256) public relays;

    struct Attempt {
        uint256 who;
        address issuer;
        bytes32 root;
        bool bySig;
    }

    constructor() {
        registry = new CredentialRegistry();
        vm.warp(1_800_000_000);
        // Two keys each, so that the first steps find something to do.
        _start(0, 2, 15);
        _start(1, 3, 15);
        _start(0, 4, ANCHOR | SUSPEND);
        _start(1, 5, REVOKE | WITHDRAW);
    }

    function theRegistry() external view returns (CredentialRegistry) {
        return registry;
    }

    function person(uint256 i) public pure returns (address) {
        return vm.addr(i + 1);
    }

    function issuerAt(uint256 i) public pure returns (address) {
        return person(i % 2);
    }

    function rootAt(uint256 i) public pure returns (bytes32) {
        return keccak256(abi.encode("root", i % 3));
    }

    // ------------------------------------------------------------------------------------------------- the steps

    function addKey(uint256 seed, uint256 keySeed, uint16 roles, bool consents) external {
        Attempt memory a = _attempt(seed);
        roles = uint16(bounded(roles, 0, 17));
        address key = person(keySeed % PEOPLE);
        bytes memory consent = consentOf(keySeed % PEOPLE + 1, consents ? a.issuer : person(5), roles);
        bytes memory signature =
            signed(a.who + 1, TypedData.addKey(a.issuer, key, roles, _nonce(a), NO_DEADLINE));
        bool done = _go(
            a,
            abi.encodeCall(registry.addKey, (a.issuer, key, roles, NO_DEADLINE, consent)),
            _encodeAddKeyBySig(a, key, roles, consent, signature)
        );
        note(!done || consents || a.issuer == person(5) || key == person(a.who), "a key was claimed");
    }

    function _encodeAddKeyBySig(
        Attempt memory a,
        address key,
        uint16 roles,
        bytes memory consent,
        bytes memory signature
    ) private view returns (bytes memory) {
        return abi.encodeCall(
            registry.addKeyBySig,
            (person(a.who), a.issuer, key, roles, NO_DEADLINE, NO_DEADLINE, consent, signature)
        );
    }

    function retireKey(uint256 seed, uint256 keySeed, uint256 when, uint16 reason) external {
        Attempt memory a = _attempt(seed);
        address key = person(keySeed % PEOPLE);
        uint40 validUntil = when % 5 == 0 ? UNTIL_RETIRED : uint40(block.timestamp + 50 - when % 500);
        bytes32 structHash = TypedData.retireKey(a.issuer, key, validUntil, reason, _nonce(a), NO_DEADLINE);
        _go(
            a,
            abi.encodeCall(registry.retireKey, (a.issuer, key, validUntil, reason)),
            abi.encodeCall(
                registry.retireKeyBySig,
                (person(a.who), a.issuer, key, validUntil, reason, NO_DEADLINE, signed(a.who + 1, structHash))
            )
        );
    }

    function anchor(uint256 seed, bool bare) external {
        Attempt memory a = _attempt(seed);
        bytes32 structHash = TypedData.anchor(a.issuer, a.root, _nonce(a), NO_DEADLINE);
        bool done = _go(
            a,
            bare ? abi.encodePacked(a.root) : abi.encodeCall(registry.anchor, (a.root)),
            abi.encodeCall(
                registry.anchorBySig,
                (person(a.who), a.issuer, a.root, NO_DEADLINE, signed(a.who + 1, structHash))
            )
        );
        if (!done) return;
        address issuer = registry.keyOf(person(a.who)).issuer;
        ICredentialRegistry.Status status = statusOf(issuer, a.root, 0);
        note(
            status != ICredentialRegistry.Status.NOT_ANCHORED && status != ICredentialRegistry.Status.DISTRUSTED,
            "a valid key could not anchor a root"
        );
    }

    function changeStatus(uint256 seed, uint8 what, uint256 mask, uint16 reason) external {
        Attempt memory a = _attempt(seed);
        ICredentialRegistry.Change[] memory changes = new ICredentialRegistry.Change[](seed % 3);
        for (uint256 i = 0; i < changes.length; ++i) {
            changes[i] = ICredentialRegistry.Change(uint64((mask % 2 + i) % 2), (mask >> 8 | i) % 8);
        }
        what = what % 4;
        bytes memory signature = _signStatus(a, what, changes, reason);
        bytes4[4] memory direct = [
            registry.revoke.selector, registry.suspend.selector, registry.reinstate.selector, registry.annul.selector
        ];
        bytes4[4] memory relayed = [
            registry.revokeBySig.selector,
            registry.suspendBySig.selector,
            registry.reinstateBySig.selector,
            registry.annulBySig.selector
        ];
        _go(
            a,
            what == 3
                ? abi.encodeWithSelector(direct[what], a.issuer, a.root, changes, reason)
                : abi.encodeWithSelector(direct[what], a.root, changes, reason),
            abi.encodeWithSelector(
                relayed[what], person(a.who), a.issuer, a.root, changes, reason, NO_DEADLINE, signature
            )
        );
    }

    function _signStatus(
        Attempt memory a,
        uint8 what,
        ICredentialRegistry.Change[] memory changes,
        uint16 reason
    ) private view returns (bytes memory) {
        bytes32[4] memory types = [TypedData.REVOKE, TypedData.SUSPEND, TypedData.REINSTATE, TypedData.ANNUL];
        return signed(
            a.who + 1,
            TypedData.statusChange(
                types[what], a.issuer, a.root, this.hashOf(changes), reason, _nonce(a), NO_DEADLINE
            )
        );
    }

    function withdraw(uint256 seed, uint16 reason) external {
        Attempt memory a = _attempt(seed);
        bytes32 structHash =
            TypedData.withdrawal(TypedData.WITHDRAW, a.issuer, a.root, reason, _nonce(a), NO_DEADLINE);
        _go(
            a,
            abi.encodeCall(registry.withdraw, (a.root, reason)),
            abi.encodeCall(
                registry.withdrawBySig,
                (person(a.who), a.issuer, a.root, reason, NO_DEADLINE, signed(a.who + 1, structHash))
            )
        );
    }

    function annulWithdrawal(uint256 seed, uint16 reason) external {
        Attempt memory a = _attempt(seed);
        bytes32 structHash =
            TypedData.withdrawal(TypedData.ANNUL_WITHDRAWAL, a.issuer, a.root, reason, _nonce(a), NO_DEADLINE);
        _go(
            a,
            abi.encodeCall(registry.annulWithdrawal, (a.issuer, a.root, reason)),
            abi.encodeCall(
                registry.annulWithdrawalBySig,
                (person(a.who), a.issuer, a.root, reason, NO_DEADLINE, signed(a.who + 1, structHash))
            )
        );
    }

    function setProfile(uint256 seed, string calldata uri) external {
        Attempt memory a = _attempt(seed);
        a.bySig = false;
        _go(a, abi.encodeCall(registry.setProfile, (a.issuer, uri)), "");
    }

    function handOver(uint256 seed, uint256 to, bool accept) external {
        Attempt memory a = _attempt(seed);
        a.bySig = false;
        address admin = to % 4 == 0 ? address(0) : person(to % PEOPLE);
        _go(
            a,
            accept
                ? abi.encodeCall(registry.acceptAdmin, (a.issuer))
                : abi.encodeCall(registry.proposeAdmin, (a.issuer, admin)),
            ""
        );
    }

    function wait(uint256 duration) external {
        vm.warp(block.timestamp + duration % 100);
    }

    // ------------------------------------------------------------------------------------------------- comparison

    /// @notice Empty if the registry's storage, read at the pinned slots, is what its events say; else what differs.
    function difference() external view returns (string memory) {
        for (uint256 i = 0; i < PEOPLE; ++i) {
            address account = person(i);
            ICredentialRegistry.Key storage key = seenKeys[account];
            bytes32 expected = packKey(key.issuer, key.validUntil, key.retiredAt, key.roles);
            if (_read(slotOf(0, account)) != expected) return "a key";
        }
        for (uint256 i = 0; i < 2; ++i) {
            address issuer = issuerAt(i);
            if (_read(slotOf(2, issuer)) != seenHeads[issuer]) return "a head";
            if (_read(slotOf(4, issuer)) != bytes32(uint256(uint160(seenAdmins[issuer])))) return "an admin";
            if (_read(slotOf(5, issuer)) != bytes32(uint256(uint160(seenPending[issuer])))) return "a proposed admin";
            for (uint256 j = 0; j < 3; ++j) {
                bytes32 root = rootAt(j);
                ICredentialRegistry.Batch storage batch = seenBatches[issuer][root];
                bytes32 expected = packKey(batch.key, batch.anchoredAt, batch.withdrawnAt, batch.reason);
                if (_read(slotOfBatch(issuer, root)) != expected) return "a batch";
                for (uint64 word = 0; word < 2; ++word) {
                    if (!_sameBits(REVOKED, issuer, root, word)) return "a revoked bit";
                    if (!_sameBits(SUSPENDED, issuer, root, word)) return "a suspended bit";
                }
            }
        }
        return "";
    }

    function _sameBits(uint8 kind, address issuer, bytes32 root, uint64 word) private view returns (bool) {
        return uint256(_read(slotOfBits(kind, issuer, root, word))) == seenBits[kind][issuer][root][word];
    }

    function _read(bytes32 slot) private view returns (bytes32) {
        return vm.load(address(registry), slot);
    }

    // ------------------------------------------------------------------------------------------------- machinery

    /// @dev Half of the attempts are by the issuer, or by one of the keys that it began with.
    function _attempt(uint256 seed) private pure returns (Attempt memory a) {
        a.issuer = issuerAt(seed >> 16);
        a.root = rootAt(seed >> 24);
        a.bySig = seed >> 32 & 1 == 1;
        a.who = uint8(seed >> 8) % PEOPLE;
        if (seed >> 40 & 1 == 1) {
            a.issuer = issuerAt(a.who);
        }
    }

    function _nonce(Attempt memory a) private view returns (uint256) {
        return registry.nonceOf(person(a.who));
    }

    function _go(Attempt memory a, bytes memory direct, bytes memory relayed) private returns (bool success) {
        address actor = person(a.who);
        uint256 nonce = registry.nonceOf(actor);
        vm.recordLogs();
        vm.prank(a.bySig ? RELAYER : actor);
        (success,) = address(registry).call(a.bySig ? relayed : direct);
        replay(vm.getRecordedLogs(), actor);
        if (success && a.bySig) relays[bytes4(relayed)]++;
        note(registry.nonceOf(actor) == (success && a.bySig ? nonce + 1 : nonce), "a nonce is off");
    }

    function _start(uint256 issuer, uint256 key, uint16 roles) private {
        bytes memory consent = consentOf(key + 1, person(issuer), roles);
        vm.recordLogs();
        vm.prank(person(issuer));
        registry.addKey(person(issuer), person(key), roles, NO_DEADLINE, consent);
        replay(vm.getRecordedLogs(), person(issuer));
    }
}
