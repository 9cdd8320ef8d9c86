// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredentialRegistry} from "./ICredentialRegistry.sol";
import {Inclusion} from "./libraries/Inclusion.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {TypedData} from "./libraries/TypedData.sol";

/// @title The credential registry
/// @notice See {ICredentialRegistry}: what each function does, checks and does not check.
/// @dev Storage is a public format: offline proofs read these slots. Their order, the order of the members in the
///      structs, and the types of the mapping keys must never change.
contract CredentialRegistry is ICredentialRegistry {
    // Slot 0. Per key: who it writes for, until when, and what it may do.
    mapping(address key => Key) private keys;
    // Slot 1. Per issuer and root: who anchored it and when, and since when it is withdrawn.
    mapping(address issuer => mapping(bytes32 root => Batch)) private batches;
    // Slot 2. Per issuer: the hash chain over its events.
    mapping(address issuer => bytes32) private heads;
    // Slot 3. Per kind, issuer, root and word: the bits of the credentials word * 256 to word * 256 + 255.
    mapping(uint8 kind => mapping(address issuer => mapping(bytes32 root => mapping(uint64 word => uint256))))
        private bits;
    // Slot 4. Per issuer: its admin; zero while that is the issuer itself.
    mapping(address issuer => address) private admins;
    // Slot 5. Per issuer: the proposed admin; zero if none.
    mapping(address issuer => address) private pendingAdmins;
    // Slot 6. Per signer: how many of its signatures were used.
    mapping(address signer => uint256) private nonces;

    uint8 private constant KIND_REVOKED = 1;
    uint8 private constant KIND_SUSPENDED = 2;

    uint16 private constant ROLE_ANCHOR = 1;
    uint16 private constant ROLE_SUSPEND = 2;
    uint16 private constant ROLE_REVOKE = 4;
    uint16 private constant ROLE_WITHDRAW = 8;
    uint16 private constant ALL_ROLES = 15;

    uint40 private constant UNTIL_RETIRED = type(uint40).max;

    /// @notice Call data of exactly 32 bytes is a root to anchor: the transaction's input is then the root itself, which
    ///         is where Blockcerts verifiers look for it. Anything else that is no function is refused.
    fallback() external {
        if (msg.data.length != 32) revert UnknownCall();
        _anchor(_issuerOf(msg.sender, ROLE_ANCHOR), msg.sender, bytes32(msg.data));
    }

    // ------------------------------------------------------------------------------------- the admin's functions

    /// @inheritdoc ICredentialRegistry
    function addKey(address issuer, address key, uint16 roles, uint256 deadline, bytes calldata consent) external {
        if (key != msg.sender) _requireConsent(issuer, key, roles, deadline, consent);
        _addKey(issuer, msg.sender, key, roles);
    }

    /// @inheritdoc ICredentialRegistry
    function retireKey(address issuer, address key, uint40 validUntil, uint16 reason) external {
        _retireKey(issuer, msg.sender, key, validUntil, reason);
    }

    /// @inheritdoc ICredentialRegistry
    function setProfile(address issuer, string calldata uri) external {
        _requireAdmin(issuer, msg.sender);
        uint40 time = _now();
        bytes32 head = _extend(issuer, keccak256(abi.encode(ProfileSet.selector, issuer, uri, time)));
        emit ProfileSet(issuer, uri, time, head);
    }

    /// @inheritdoc ICredentialRegistry
    function proposeAdmin(address issuer, address admin) external {
        _requireAdmin(issuer, msg.sender);
        if (pendingAdmins[issuer] == admin) return;
        pendingAdmins[issuer] = admin;
        uint40 time = _now();
        bytes32 head = _extend(issuer, keccak256(abi.encode(AdminProposed.selector, issuer, admin, time)));
        emit AdminProposed(issuer, admin, time, head);
    }

    /// @inheritdoc ICredentialRegistry
    function acceptAdmin(address issuer) external {
        if (pendingAdmins[issuer] != msg.sender) revert NotPendingAdmin(issuer, msg.sender);
        delete pendingAdmins[issuer];
        admins[issuer] = msg.sender;
        uint40 time = _now();
        bytes32 head = _extend(issuer, keccak256(abi.encode(AdminChanged.selector, issuer, msg.sender, time)));
        emit AdminChanged(issuer, msg.sender, time, head);
    }

    /// @inheritdoc ICredentialRegistry
    function annul(address issuer, bytes32 root, Change[] calldata changes, uint16 reason) external {
        _annul(issuer, msg.sender, root, changes, reason);
    }

    /// @inheritdoc ICredentialRegistry
    function annulWithdrawal(address issuer, bytes32 root, uint16 reason) external {
        _annulWithdrawal(issuer, msg.sender, root, reason);
    }

    // ------------------------------------------------------------------------------------------ a key's functions

    /// @inheritdoc ICredentialRegistry
    function anchor(bytes32 root) external {
        _anchor(_issuerOf(msg.sender, ROLE_ANCHOR), msg.sender, root);
    }

    /// @inheritdoc ICredentialRegistry
    function revoke(bytes32 root, Change[] calldata changes, uint16 reason) external {
        _revoke(_issuerOf(msg.sender, ROLE_REVOKE), msg.sender, root, changes, reason);
    }

    /// @inheritdoc ICredentialRegistry
    function suspend(bytes32 root, Change[] calldata changes, uint16 reason) external {
        _suspend(_issuerOf(msg.sender, ROLE_SUSPEND), msg.sender, root, changes, reason);
    }

    /// @inheritdoc ICredentialRegistry
    function reinstate(bytes32 root, Change[] calldata changes, uint16 reason) external {
        _reinstate(_issuerOf(msg.sender, ROLE_SUSPEND), msg.sender, root, changes, reason);
    }

    /// @inheritdoc ICredentialRegistry
    function withdraw(bytes32 root, uint16 reason) external {
        _withdraw(_issuerOf(msg.sender, ROLE_WITHDRAW), msg.sender, root, reason);
    }

    // --------------------------------------------------------------------------------------- the same by signature

    /// @inheritdoc ICredentialRegistry
    function addKeyBySig(
        address signer,
        address issuer,
        address key,
        uint16 roles,
        uint256 deadline,
        uint256 consentDeadline,
        bytes calldata consent,
        bytes calldata signature
    ) external {
        uint256 nonce = nonces[signer]++;
        _requireSignature(signer, TypedData.addKey(issuer, key, roles, nonce, deadline), nonce, deadline, signature);
        if (key != signer) _requireConsent(issuer, key, roles, consentDeadline, consent);
        _addKey(issuer, signer, key, roles);
    }

    /// @inheritdoc ICredentialRegistry
    function retireKeyBySig(
        address signer,
        address issuer,
        address key,
        uint40 validUntil,
        uint16 reason,
        uint256 deadline,
        bytes calldata signature
    ) external {
        uint256 nonce = nonces[signer]++;
        bytes32 structHash = TypedData.retireKey(issuer, key, validUntil, reason, nonce, deadline);
        _requireSignature(signer, structHash, nonce, deadline, signature);
        _retireKey(issuer, signer, key, validUntil, reason);
    }

    /// @inheritdoc ICredentialRegistry
    function anchorBySig(address signer, address issuer, bytes32 root, uint256 deadline, bytes calldata signature)
        external
    {
        uint256 nonce = nonces[signer]++;
        _requireSignature(signer, TypedData.anchor(issuer, root, nonce, deadline), nonce, deadline, signature);
        _requireKeyOf(issuer, signer, ROLE_ANCHOR);
        _anchor(issuer, signer, root);
    }

    /// @inheritdoc ICredentialRegistry
    function revokeBySig(
        address signer,
        address issuer,
        bytes32 root,
        Change[] calldata changes,
        uint16 reason,
        uint256 deadline,
        bytes calldata signature
    ) external {
        _useStatusSignature(TypedData.REVOKE, signer, issuer, root, changes, reason, deadline, signature);
        _requireKeyOf(issuer, signer, ROLE_REVOKE);
        _revoke(issuer, signer, root, changes, reason);
    }

    /// @inheritdoc ICredentialRegistry
    function suspendBySig(
        address signer,
        address issuer,
        bytes32 root,
        Change[] calldata changes,
        uint16 reason,
        uint256 deadline,
        bytes calldata signature
    ) external {
        _useStatusSignature(TypedData.SUSPEND, signer, issuer, root, changes, reason, deadline, signature);
        _requireKeyOf(issuer, signer, ROLE_SUSPEND);
        _suspend(issuer, signer, root, changes, reason);
    }

    /// @inheritdoc ICredentialRegistry
    function reinstateBySig(
        address signer,
        address issuer,
        bytes32 root,
        Change[] calldata changes,
        uint16 reason,
        uint256 deadline,
        bytes calldata signature
    ) external {
        _useStatusSignature(TypedData.REINSTATE, signer, issuer, root, changes, reason, deadline, signature);
        _requireKeyOf(issuer, signer, ROLE_SUSPEND);
        _reinstate(issuer, signer, root, changes, reason);
    }

    /// @inheritdoc ICredentialRegistry
    function annulBySig(
        address signer,
        address issuer,
        bytes32 root,
        Change[] calldata changes,
        uint16 reason,
        uint256 deadline,
        bytes calldata signature
    ) external {
        _useStatusSignature(TypedData.ANNUL, signer, issuer, root, changes, reason, deadline, signature);
        _annul(issuer, signer, root, changes, reason);
    }

    /// @inheritdoc ICredentialRegistry
    function withdrawBySig(
        address signer,
        address issuer,
        bytes32 root,
        uint16 reason,
        uint256 deadline,
        bytes calldata signature
    ) external {
        uint256 nonce = nonces[signer]++;
        bytes32 structHash = TypedData.withdrawal(TypedData.WITHDRAW, issuer, root, reason, nonce, deadline);
        _requireSignature(signer, structHash, nonce, deadline, signature);
        _requireKeyOf(issuer, signer, ROLE_WITHDRAW);
        _withdraw(issuer, signer, root, reason);
    }

    /// @inheritdoc ICredentialRegistry
    function annulWithdrawalBySig(
        address signer,
        address issuer,
        bytes32 root,
        uint16 reason,
        uint256 deadline,
        bytes calldata signature
    ) external {
        uint256 nonce = nonces[signer]++;
        bytes32 structHash = TypedData.withdrawal(TypedData.ANNUL_WITHDRAWAL, issuer, root, reason, nonce, deadline);
        _requireSignature(signer, structHash, nonce, deadline, signature);
        _annulWithdrawal(issuer, signer, root, reason);
    }

    // -------------------------------------------------------------------------------------------------- reading

    /// @inheritdoc ICredentialRegistry
    function batchOf(address issuer, bytes32 root) external view returns (Batch memory) {
        return batches[issuer][root];
    }

    /// @inheritdoc ICredentialRegistry
    function keyOf(address key) external view returns (Key memory) {
        return keys[key];
    }

    /// @inheritdoc ICredentialRegistry
    function adminOf(address issuer) public view returns (address) {
        address admin = admins[issuer];
        return admin == address(0) ? issuer : admin;
    }

    /// @inheritdoc ICredentialRegistry
    function pendingAdminOf(address issuer) external view returns (address) {
        return pendingAdmins[issuer];
    }

    /// @inheritdoc ICredentialRegistry
    function headOf(address issuer) external view returns (bytes32) {
        return heads[issuer];
    }

    /// @inheritdoc ICredentialRegistry
    function nonceOf(address signer) external view returns (uint256) {
        return nonces[signer];
    }

    /// @inheritdoc ICredentialRegistry
    function bitsOf(uint8 kind, address issuer, bytes32 root, uint64 word) external view returns (uint256) {
        return bits[kind][issuer][root][word];
    }

    /// @inheritdoc ICredentialRegistry
    function statusOf(address issuer, bytes32 root, uint64 index)
        external
        view
        returns (uint40 anchoredAt, Status status)
    {
        return _statusOf(issuer, root, index);
    }

    /// @inheritdoc ICredentialRegistry
    function verify(
        address issuer,
        bytes32 root,
        uint8 method,
        uint64 index,
        uint64 size,
        bytes32 salted,
        bytes32[] calldata path
    ) external view returns (uint40 anchoredAt, Status status) {
        bytes32 leaf = Inclusion.leafOf(method, issuer, index, salted);
        if (!Inclusion.proves(root, leaf, index, size, path)) return (0, Status.BAD_PROOF);
        return _statusOf(issuer, root, index);
    }

    // ---------------------------------------------------------------------------------- what the admin changes

    /// @dev `account` acts; that the key agreed was checked before.
    function _addKey(address issuer, address account, address key, uint16 roles) private {
        _requireAdmin(issuer, account);
        if (roles == 0 || roles > ALL_ROLES) revert InvalidRoles(roles);
        if (keys[key].issuer != address(0)) revert KeyTaken(key, keys[key].issuer);
        keys[key] = Key({issuer: issuer, validUntil: UNTIL_RETIRED, retiredAt: 0, roles: roles});
        uint40 time = _now();
        bytes32 head = _extend(issuer, keccak256(abi.encode(KeyAdded.selector, issuer, key, roles, time)));
        emit KeyAdded(issuer, key, roles, time, head);
    }

    function _retireKey(address issuer, address account, address key, uint40 validUntil, uint16 reason) private {
        _requireAdmin(issuer, account);
        if (keys[key].issuer != issuer) revert NotKeyOf(issuer, key);
        uint40 time = _now();
        uint40 stored = keys[key].validUntil;
        if (validUntil == UNTIL_RETIRED && stored != UNTIL_RETIRED) return;
        if (validUntil > time) validUntil = time;
        if (validUntil == stored) return;
        if (validUntil > stored) revert RetirementMovedForward(key, validUntil, stored);
        keys[key].validUntil = validUntil;
        keys[key].retiredAt = time;
        bytes32 head = _extend(issuer, keccak256(abi.encode(KeyRetired.selector, issuer, key, validUntil, reason, time)));
        emit KeyRetired(issuer, key, validUntil, reason, time, head);
    }

    function _annul(address issuer, address account, bytes32 root, Change[] calldata changes, uint16 reason) private {
        _requireAdmin(issuer, account);
        _requireAnchored(issuer, root);
        if (!_clearBits(KIND_REVOKED, issuer, root, changes)) return;
        bytes32 head = _extend(issuer, RevocationAnnulled.selector, root, account, changes, reason);
        emit RevocationAnnulled(issuer, root, account, changes, reason, _now(), head);
    }

    function _annulWithdrawal(address issuer, address account, bytes32 root, uint16 reason) private {
        _requireAdmin(issuer, account);
        _requireAnchored(issuer, root);
        Batch storage batch = batches[issuer][root];
        if (batch.withdrawnAt == 0) return;
        batch.withdrawnAt = 0;
        batch.reason = 0;
        uint40 time = _now();
        bytes32 head =
            _extend(issuer, keccak256(abi.encode(WithdrawalAnnulled.selector, issuer, root, account, reason, time)));
        emit WithdrawalAnnulled(issuer, root, account, reason, time, head);
    }

    // -------------------------------------------------------------------------------------- what a key changes

    function _anchor(address issuer, address key, bytes32 root) private {
        if (root == 0) revert ZeroRoot();
        Batch storage batch = batches[issuer][root];
        if (batch.anchoredAt != 0 && _isTrusted(batch)) return;
        uint40 time = _now();
        (batch.key, batch.anchoredAt) = (key, time);
        bytes32 head = _extend(issuer, keccak256(abi.encode(BatchAnchored.selector, issuer, root, key, time)));
        emit BatchAnchored(issuer, root, key, time, head);
    }

    function _revoke(address issuer, address key, bytes32 root, Change[] calldata changes, uint16 reason) private {
        _requireAnchored(issuer, root);
        if (!_setBits(KIND_REVOKED, issuer, root, changes)) return;
        bytes32 head = _extend(issuer, Revoked.selector, root, key, changes, reason);
        emit Revoked(issuer, root, key, changes, reason, _now(), head);
    }

    function _suspend(address issuer, address key, bytes32 root, Change[] calldata changes, uint16 reason) private {
        _requireAnchored(issuer, root);
        if (!_setBits(KIND_SUSPENDED, issuer, root, changes)) return;
        bytes32 head = _extend(issuer, Suspended.selector, root, key, changes, reason);
        emit Suspended(issuer, root, key, changes, reason, _now(), head);
    }

    function _reinstate(address issuer, address key, bytes32 root, Change[] calldata changes, uint16 reason) private {
        _requireAnchored(issuer, root);
        if (!_clearBits(KIND_SUSPENDED, issuer, root, changes)) return;
        bytes32 head = _extend(issuer, Reinstated.selector, root, key, changes, reason);
        emit Reinstated(issuer, root, key, changes, reason, _now(), head);
    }

    function _withdraw(address issuer, address key, bytes32 root, uint16 reason) private {
        _requireAnchored(issuer, root);
        Batch storage batch = batches[issuer][root];
        if (batch.withdrawnAt != 0) return;
        uint40 time = _now();
        batch.withdrawnAt = time;
        batch.reason = reason;
        bytes32 head = _extend(issuer, keccak256(abi.encode(BatchWithdrawn.selector, issuer, root, key, reason, time)));
        emit BatchWithdrawn(issuer, root, key, reason, time, head);
    }

    /// @return changed Whether any bit was not set before.
    function _setBits(uint8 kind, address issuer, bytes32 root, Change[] calldata changes)
        private
        returns (bool changed)
    {
        mapping(uint64 => uint256) storage words = bits[kind][issuer][root];
        for (uint256 i = 0; i < changes.length; ++i) {
            Change calldata change = changes[i];
            uint256 before = words[change.word];
            uint256 result = before | change.mask;
            if (result == before) continue;
            words[change.word] = result;
            changed = true;
        }
    }

    /// @return changed Whether any bit was set before.
    function _clearBits(uint8 kind, address issuer, bytes32 root, Change[] calldata changes)
        private
        returns (bool changed)
    {
        mapping(uint64 => uint256) storage words = bits[kind][issuer][root];
        for (uint256 i = 0; i < changes.length; ++i) {
            Change calldata change = changes[i];
            uint256 before = words[change.word];
            uint256 result = before & ~change.mask;
            if (result == before) continue;
            words[change.word] = result;
            changed = true;
        }
    }

    // ------------------------------------------------------------------------------------------- history heads

    /// @dev Folds one event into the issuer's head: head' = keccak256(abi.encode(head, entry)).
    function _extend(address issuer, bytes32 entry) private returns (bytes32 head) {
        head = keccak256(abi.encode(heads[issuer], entry));
        heads[issuer] = head;
    }

    /// @dev The same for the four events that carry changes.
    function _extend(
        address issuer,
        bytes32 topic,
        bytes32 root,
        address actor,
        Change[] calldata changes,
        uint16 reason
    ) private returns (bytes32) {
        return _extend(issuer, keccak256(abi.encode(topic, issuer, root, actor, changes, reason, _now())));
    }

    // -------------------------------------------------------------------------------------------------- checks

    function _statusOf(address issuer, bytes32 root, uint64 index) private view returns (uint40, Status) {
        Batch storage batch = batches[issuer][root];
        uint40 anchoredAt = batch.anchoredAt;
        if (anchoredAt == 0) return (0, Status.NOT_ANCHORED);
        if (!_isTrusted(batch)) return (anchoredAt, Status.DISTRUSTED);
        if (batch.withdrawnAt != 0) return (anchoredAt, Status.WITHDRAWN);
        uint64 word = index >> 8;
        uint256 bit = 1 << (index & 255);
        if (bits[KIND_REVOKED][issuer][root][word] & bit != 0) return (anchoredAt, Status.REVOKED);
        if (bits[KIND_SUSPENDED][issuer][root][word] & bit != 0) return (anchoredAt, Status.SUSPENDED);
        return (anchoredAt, Status.GOOD);
    }

    /// @dev Whether an anchor counts: its key was valid at that time, by what is known now.
    function _isTrusted(Batch storage batch) private view returns (bool) {
        return batch.anchoredAt < keys[batch.key].validUntil;
    }

    function _requireAnchored(address issuer, bytes32 root) private view {
        if (batches[issuer][root].anchoredAt == 0) revert NotAnchored(issuer, root);
    }

    function _requireAdmin(address issuer, address account) private view {
        if (adminOf(issuer) != account) revert NotAdmin(issuer, account);
    }

    /// @dev The issuer that `key` writes for, if it is valid now and has `role`.
    function _issuerOf(address key, uint16 role) private view returns (address issuer) {
        Key memory record = keys[key];
        issuer = record.issuer;
        if (issuer == address(0)) revert NotKeyOf(issuer, key);
        if (block.timestamp >= record.validUntil) revert KeyNotValid(key, record.validUntil);
        if (record.roles & role == 0) revert RoleMissing(key, role);
    }

    function _requireKeyOf(address issuer, address key, uint16 role) private view {
        if (keys[key].issuer != issuer) revert NotKeyOf(issuer, key);
        _issuerOf(key, role);
    }

    function _requireConsent(address issuer, address key, uint16 roles, uint256 deadline, bytes calldata consent)
        private
        view
    {
        if (block.timestamp > deadline) revert SignatureExpired(deadline);
        bytes32 digest = TypedData.digestOf(TypedData.keyConsent(issuer, key, roles, deadline));
        if (!Signatures.isBy(key, digest, consent)) revert InvalidConsent(key);
    }

    /// @dev The caller has consumed `nonce` already; a revert gives it back.
    function _requireSignature(
        address signer,
        bytes32 structHash,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) private view {
        if (block.timestamp > deadline) revert SignatureExpired(deadline);
        if (!Signatures.isBy(signer, TypedData.digestOf(structHash), signature)) {
            revert InvalidSignature(signer, nonce);
        }
    }

    /// @dev Consumes a nonce for one of the four types that carry changes.
    function _useStatusSignature(
        bytes32 typeHash,
        address signer,
        address issuer,
        bytes32 root,
        Change[] calldata changes,
        uint16 reason,
        uint256 deadline,
        bytes calldata signature
    ) private {
        uint256 nonce = nonces[signer]++;
        bytes32 structHash = TypedData.statusChange(
            typeHash, issuer, root, TypedData.hashOf(changes), reason, nonce, deadline
        );
        _requireSignature(signer, structHash, nonce, deadline, signature);
    }

    function _now() private view returns (uint40) {
        return uint40(block.timestamp);
    }
}
