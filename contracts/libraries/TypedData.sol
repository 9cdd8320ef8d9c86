// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredentialRegistry} from "../ICredentialRegistry.sol";

/// @title What issuers and keys sign (EIP-712)
/// @notice Domain: name "Rootmark", version "1", the chain id, and the registry's address; computed at each call, so that a
///         chain that splits cannot reuse signatures and the code is the same on every chain.
library TypedData {
    bytes32 private constant DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant NAME = keccak256("Rootmark");
    bytes32 private constant VERSION = keccak256("1");

    bytes32 private constant CHANGE = keccak256("Change(uint64 word,uint256 mask)");
    bytes32 private constant KEY_CONSENT =
        keccak256("KeyConsent(address issuer,address key,uint16 roles,uint256 deadline)");
    bytes32 private constant ADD_KEY =
        keccak256("AddKey(address issuer,address key,uint16 roles,uint256 nonce,uint256 deadline)");
    bytes32 private constant RETIRE_KEY = keccak256(
        "RetireKey(address issuer,address key,uint40 validUntil,uint16 reason,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant ANCHOR = keccak256("Anchor(address issuer,bytes32 root,uint256 nonce,uint256 deadline)");

    bytes32 internal constant REVOKE = keccak256(
        "Revoke(address issuer,bytes32 root,Change[] changes,uint16 reason,uint256 nonce,uint256 deadline)Change(uint64 word,uint256 mask)"
    );
    bytes32 internal constant SUSPEND = keccak256(
        "Suspend(address issuer,bytes32 root,Change[] changes,uint16 reason,uint256 nonce,uint256 deadline)Change(uint64 word,uint256 mask)"
    );
    bytes32 internal constant REINSTATE = keccak256(
        "Reinstate(address issuer,bytes32 root,Change[] changes,uint16 reason,uint256 nonce,uint256 deadline)Change(uint64 word,uint256 mask)"
    );
    bytes32 internal constant ANNUL = keccak256(
        "Annul(address issuer,bytes32 root,Change[] changes,uint16 reason,uint256 nonce,uint256 deadline)Change(uint64 word,uint256 mask)"
    );
    bytes32 internal constant WITHDRAW =
        keccak256("Withdraw(address issuer,bytes32 root,uint16 reason,uint256 nonce,uint256 deadline)");
    bytes32 internal constant ANNUL_WITHDRAWAL =
        keccak256("AnnulWithdrawal(address issuer,bytes32 root,uint16 reason,uint256 nonce,uint256 deadline)");

    /// @notice The 32 bytes that are signed.
    function digestOf(bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain = keccak256(abi.encode(DOMAIN, NAME, VERSION, block.chainid, address(this)));
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function keyConsent(address issuer, address key, uint16 roles, uint256 deadline) internal pure returns (bytes32) {
        return keccak256(abi.encode(KEY_CONSENT, issuer, key, roles, deadline));
    }

    function addKey(address issuer, address key, uint16 roles, uint256 nonce, uint256 deadline)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(ADD_KEY, issuer, key, roles, nonce, deadline));
    }

    function retireKey(address issuer, address key, uint40 validUntil, uint16 reason, uint256 nonce, uint256 deadline)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(RETIRE_KEY, issuer, key, validUntil, reason, nonce, deadline));
    }

    function anchor(address issuer, bytes32 root, uint256 nonce, uint256 deadline) internal pure returns (bytes32) {
        return keccak256(abi.encode(ANCHOR, issuer, root, nonce, deadline));
    }

    /// @param typeHash REVOKE, SUSPEND, REINSTATE or ANNUL.
    /// @param changesHash What {hashOf} makes of the changes.
    function statusChange(
        bytes32 typeHash,
        address issuer,
        bytes32 root,
        bytes32 changesHash,
        uint16 reason,
        uint256 nonce,
        uint256 deadline
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(typeHash, issuer, root, changesHash, reason, nonce, deadline));
    }

    /// @param typeHash WITHDRAW or ANNUL_WITHDRAWAL.
    function withdrawal(
        bytes32 typeHash,
        address issuer,
        bytes32 root,
        uint16 reason,
        uint256 nonce,
        uint256 deadline
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(typeHash, issuer, root, reason, nonce, deadline));
    }

    /// @notice An array of structs is hashed as the hashes of its members, one after another.
    function hashOf(ICredentialRegistry.Change[] calldata changes) internal pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](changes.length);
        for (uint256 i = 0; i < changes.length; ++i) {
            ICredentialRegistry.Change calldata change = changes[i];
            hashes[i] = keccak256(abi.encode(CHANGE, change.word, change.mask));
        }
        return keccak256(abi.encodePacked(hashes));
    }
}
