// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CredentialRegistry} from "../CredentialRegistry.sol";
import {ICredentialRegistry} from "../ICredentialRegistry.sol";
import {TypedData} from "../libraries/TypedData.sol";

/// @notice The cheat codes of forge that these tests use.
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function addr(uint256 privateKey) external pure returns (address);
    function assume(bool condition) external pure;
    function chainId(uint256 id) external;
    function etch(address target, bytes calldata code) external;
    function expectRevert(bytes calldata data) external;
    function getRecordedLogs() external returns (Log[] memory);
    function load(address target, bytes32 slot) external view returns (bytes32);
    function prank(address sender) external;
    function recordLogs() external;
    function sign(uint256 privateKey, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function warp(uint256 timestamp) external;
}

/// @notice What all tests of the registry share: a registry, people with keys, signing, and assertions.
abstract contract Base {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint256 internal constant HALF_CURVE = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;
    uint256 internal constant CURVE = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    uint40 internal constant UNTIL_RETIRED = type(uint40).max;
    uint256 internal constant NO_DEADLINE = type(uint256).max;
    uint16 internal constant ANCHOR = 1;
    uint16 internal constant SUSPEND = 2;
    uint16 internal constant REVOKE = 4;
    uint16 internal constant WITHDRAW = 8;
    uint8 internal constant REVOKED = 1;
    uint8 internal constant SUSPENDED = 2;

    CredentialRegistry internal registry;

    error AssertionFailed(string what);
    error Differs(string what, bytes32 found, bytes32 expected);

    function check(bool condition, string memory what) internal pure {
        if (!condition) revert AssertionFailed(what);
    }

    function same(bytes32 found, bytes32 expected, string memory what) internal pure {
        if (found != expected) revert Differs(what, found, expected);
    }

    function same(uint256 found, uint256 expected, string memory what) internal pure {
        same(bytes32(found), bytes32(expected), what);
    }

    function same(address found, address expected, string memory what) internal pure {
        same(bytes32(uint256(uint160(found))), bytes32(uint256(uint160(expected))), what);
    }

    function bounded(uint256 value, uint256 lowest, uint256 highest) internal pure returns (uint256) {
        return lowest + value % (highest - lowest + 1);
    }

    // ------------------------------------------------------------------------------------------------- signing

    function digestFor(address at_, bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Rootmark"),
                keccak256("1"),
                block.chainid,
                at_
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function signed(uint256 privateKey, bytes32 structHash) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(privateKey, digestFor(address(registry), structHash));
        return abi.encodePacked(r, s, v);
    }

    function consentOf(uint256 privateKey, address issuer, uint16 roles) internal view returns (bytes memory) {
        return signed(privateKey, TypedData.keyConsent(issuer, vm.addr(privateKey), roles, NO_DEADLINE));
    }

    /// @dev An external call of its own, since the library takes call data.
    function hashOf(ICredentialRegistry.Change[] calldata changes) external pure returns (bytes32) {
        return TypedData.hashOf(changes);
    }

    // ------------------------------------------------------------------------------------------------ shorthand

    function oneChange(uint64 word, uint256 mask) internal pure returns (ICredentialRegistry.Change[] memory changes) {
        changes = new ICredentialRegistry.Change[](1);
        changes[0] = ICredentialRegistry.Change({word: word, mask: mask});
    }

    function giveKey(address issuer, uint256 privateKey, uint16 roles) internal returns (address key) {
        key = vm.addr(privateKey);
        bytes memory consent = consentOf(privateKey, issuer, roles);
        vm.prank(issuer);
        registry.addKey(issuer, key, roles, NO_DEADLINE, consent);
    }

    function statusOf(address issuer, bytes32 root, uint64 index) internal view returns (ICredentialRegistry.Status s) {
        (, s) = registry.statusOf(issuer, root, index);
    }

    // ---------------------------------------------------------------------- the pinned slots, read without the ABI

    function slotOf(uint256 slot, address a) internal pure returns (bytes32) {
        return keccak256(abi.encode(a, slot));
    }

    function slotOfBatch(address issuer, bytes32 root) internal pure returns (bytes32) {
        return keccak256(abi.encode(root, slotOf(1, issuer)));
    }

    function slotOfBits(uint8 kind, address issuer, bytes32 root, uint64 word) internal pure returns (bytes32) {
        bytes32 perKind = keccak256(abi.encode(kind, uint256(3)));
        bytes32 perIssuer = keccak256(abi.encode(issuer, perKind));
        bytes32 perRoot = keccak256(abi.encode(root, perIssuer));
        return keccak256(abi.encode(word, perRoot));
    }

    function packKey(address issuer, uint40 validUntil, uint40 retiredAt, uint16 roles)
        internal
        pure
        returns (bytes32)
    {
        return bytes32(
            uint256(uint160(issuer)) | uint256(validUntil) << 160 | uint256(retiredAt) << 200 | uint256(roles) << 240
        );
    }
}
