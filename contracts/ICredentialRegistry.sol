// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A registry of credential batches: roots, the keys that anchor them, and what happened to them since
/// @notice An issuer is an address. It names keys; keys anchor the Merkle roots of batches and write revocations,
///         suspensions and withdrawals. Every effective write emits one event and folds it into the issuer's
///         history head, so that a replay of the issuer's events can be proved complete against {headOf}.
/// @dev Nobody owns the registry, nobody can pause or upgrade it, and it takes no ether. What the registry does not
///      check: who stands behind an address, what a root commits to, how many leaves a batch has, and whether a reason
///      above 7 means anything (readers show those as "unspecified").
interface ICredentialRegistry {
    /// @notice A key's record. A key belongs to one issuer for ever; a zero `issuer` means that it was never added.
    /// @param issuer The issuer that the key writes for.
    /// @param validUntil The key may write, and its anchors are trusted, strictly before this time (seconds);
    ///        2^40-1 until it is retired.
    /// @param retiredAt The block time of the call that last set `validUntil`; 0 until the key is retired. A
    ///        `validUntil` well before `retiredAt` was back-dated.
    /// @param roles Sum of ANCHOR=1, SUSPEND=2 (suspend and reinstate), REVOKE=4, WITHDRAW=8.
    struct Key {
        address issuer;
        uint40 validUntil;
        uint40 retiredAt;
        uint16 roles;
    }

    /// @notice A batch's record under one issuer. A zero `anchoredAt` means that the root was never anchored.
    /// @param key The key that anchored the root. The anchor is trusted if `anchoredAt` lies before its `validUntil`.
    /// @param anchoredAt Block time of the anchor (seconds).
    /// @param withdrawnAt Block time of the withdrawal; 0 while the batch is not withdrawn.
    /// @param reason The withdrawal's reason; 0 while the batch is not withdrawn.
    struct Batch {
        address key;
        uint40 anchoredAt;
        uint40 withdrawnAt;
        uint16 reason;
    }

    /// @notice Up to 256 credentials of one batch: those whose index is `word * 256 + bit` for a set bit of `mask`.
    struct Change {
        uint64 word;
        uint256 mask;
    }

    /// @notice What the registry says of one credential: the first of these that applies.
    /// @dev NONE is never returned; it is there so that zero never reads as good. BAD_PROOF comes from {verify} only.
    enum Status {
        NONE,
        BAD_PROOF,
        NOT_ANCHORED,
        DISTRUSTED,
        WITHDRAWN,
        REVOKED,
        SUSPENDED,
        GOOD
    }

    // ------------------------------------------------------------------------------------------------- events

    /// @dev In every event, `at` is the block time, and `head` the issuer's history head after it:
    ///      entry = keccak256(abi.encode(topic0, every parameter in order except head)),
    ///      head' = keccak256(abi.encode(head, entry)), starting from zero.
    event KeyAdded(address indexed issuer, address indexed key, uint16 roles, uint40 at, bytes32 head);

    /// @dev `validUntil` as stored: never later than `at`.
    event KeyRetired(
        address indexed issuer, address indexed key, uint40 validUntil, uint16 reason, uint40 at, bytes32 head
    );

    event ProfileSet(address indexed issuer, string uri, uint40 at, bytes32 head);

    /// @dev A zero `admin` takes the open proposal back.
    event AdminProposed(address indexed issuer, address indexed admin, uint40 at, bytes32 head);

    /// @dev The open proposal is gone with it.
    event AdminChanged(address indexed issuer, address indexed admin, uint40 at, bytes32 head);

    /// @dev A second one for the same root takes an anchor over that is no longer trusted.
    event BatchAnchored(
        address indexed issuer, bytes32 indexed root, address indexed key, uint40 at, bytes32 head
    );

    event BatchWithdrawn(
        address indexed issuer, bytes32 indexed root, address indexed actor, uint16 reason, uint40 at, bytes32 head
    );

    event WithdrawalAnnulled(
        address indexed issuer, bytes32 indexed root, address indexed actor, uint16 reason, uint40 at, bytes32 head
    );

    /// @dev `changes` as given: a bit in them that was set before keeps the time, reason and actor of its first event.
    event Revoked(
        address indexed issuer,
        bytes32 indexed root,
        address indexed actor,
        Change[] changes,
        uint16 reason,
        uint40 at,
        bytes32 head
    );

    /// @dev `changes` as given, as in {Revoked}.
    event Suspended(
        address indexed issuer,
        bytes32 indexed root,
        address indexed actor,
        Change[] changes,
        uint16 reason,
        uint40 at,
        bytes32 head
    );

    /// @dev `changes` as given; bits that were not set stay as they were.
    event Reinstated(
        address indexed issuer,
        bytes32 indexed root,
        address indexed actor,
        Change[] changes,
        uint16 reason,
        uint40 at,
        bytes32 head
    );

    /// @dev `changes` as given; bits that were not set stay as they were.
    event RevocationAnnulled(
        address indexed issuer,
        bytes32 indexed root,
        address indexed actor,
        Change[] changes,
        uint16 reason,
        uint40 at,
        bytes32 head
    );

    // ------------------------------------------------------------------------------------------------- errors

    /// @notice The call data is neither a known function's nor exactly 32 bytes.
    error UnknownCall();
    /// @notice `account` is not the admin of `issuer`.
    error NotAdmin(address issuer, address account);
    /// @notice `account` is not the admin that was proposed for `issuer`.
    error NotPendingAdmin(address issuer, address account);
    /// @notice The zero root cannot be anchored.
    error ZeroRoot();
    /// @notice Roles are a sum of 1, 2, 4 and 8, and not empty.
    error InvalidRoles(uint16 roles);
    /// @notice `key` was added before, retired or not, and belongs to `issuer`.
    error KeyTaken(address key, address issuer);
    /// @notice `key` is not a key of `issuer`. A zero `issuer`: `key` is nobody's key.
    error NotKeyOf(address issuer, address key);
    /// @notice `key` is valid only before `validUntil`.
    error KeyNotValid(address key, uint40 validUntil);
    /// @notice `key` has not got `role`.
    error RoleMissing(address key, uint16 role);
    /// @notice A retirement can be moved back in time, never forward: `validUntil` lies after `stored`.
    error RetirementMovedForward(address key, uint40 validUntil, uint40 stored);
    /// @notice `root` was never anchored for `issuer`.
    error NotAnchored(address issuer, bytes32 root);
    /// @notice The signature, or the key's consent, could be used until `deadline`.
    error SignatureExpired(uint256 deadline);
    /// @notice `signature` is not `signer`'s over these fields with `nonce`, the next one of `signer`.
    error InvalidSignature(address signer, uint256 nonce);
    /// @notice `consent` is not `key`'s over these fields.
    error InvalidConsent(address key);

    // ------------------------------------------------------------------------------------- the admin's functions

    /// @notice Gives `key` to `issuer`, for ever, with `roles`. By the admin.
    /// @dev Checked: the caller is the admin; the key was never added to any issuer; the key agreed by a KeyConsent
    ///      valid until `deadline`. A key that adds itself needs no consent; `deadline` and `consent` are then not read.
    function addKey(address issuer, address key, uint16 roles, uint256 deadline, bytes calldata consent) external;

    /// @notice Ends `key`'s validity at `validUntil`: it cannot write any more, and what it anchored at or after that
    ///         time is distrusted. What it anchored before stands. By the admin.
    /// @dev `validUntil` may lie in the past; a later one than the block time is stored as the block time. Repeating
    ///      the stored value does nothing, nor does 2^40-1 ("now") on a retired key; any other later one reverts.
    function retireKey(address issuer, address key, uint40 validUntil, uint16 reason) external;

    /// @notice Publishes where the issuer describes itself. By the admin. The text lives in events only; it is not
    ///         checked, and it proves nothing about who the issuer is.
    function setProfile(address issuer, string calldata uri) external;

    /// @notice Proposes another admin, who becomes it by {acceptAdmin}; zero takes the proposal back. By the admin.
    function proposeAdmin(address issuer, address admin) external;

    /// @notice Becomes the admin of `issuer`. By the proposed admin.
    function acceptAdmin(address issuer) external;

    /// @notice Takes revocations back, whoever made them, in withdrawn batches too. By the admin, and by nobody else.
    function annul(address issuer, bytes32 root, Change[] calldata changes, uint16 reason) external;

    /// @notice Takes the withdrawal of a batch back, whoever made it. By the admin, and by nobody else.
    function annulWithdrawal(address issuer, bytes32 root, uint16 reason) external;

    // ------------------------------------------------------------------------------------------ a key's functions

    /// @notice Anchors `root` for the issuer of the calling key. Role ANCHOR. Sending the 32 bytes of the root alone, as
    ///         the whole call data, does the same.
    /// @dev Silent while the root has a trusted anchor. An anchor that is not trusted any more is taken over: key and
    ///      time are overwritten; a withdrawal and all status bits stay.
    function anchor(bytes32 root) external;

    /// @notice Revokes credentials of an anchored batch. Role REVOKE. Only the admin can take it back ({annul}).
    /// @dev Not checked: whether the batch has these indices. No effect, no event.
    function revoke(bytes32 root, Change[] calldata changes, uint16 reason) external;

    /// @notice Suspends credentials of an anchored batch. Role SUSPEND.
    function suspend(bytes32 root, Change[] calldata changes, uint16 reason) external;

    /// @notice Ends suspensions in an anchored batch; revocations stay. Role SUSPEND.
    function reinstate(bytes32 root, Change[] calldata changes, uint16 reason) external;

    /// @notice Withdraws a whole anchored batch. Role WITHDRAW. Silent if it is withdrawn already.
    function withdraw(bytes32 root, uint16 reason) external;

    // --------------------------------------------------------------------------------------- the same by signature

    /// @notice {addKey} by signature.
    /// @dev Each of these does what the function of the same name does, for `signer`, who signed the EIP-712 type of
    ///      that name (domain "Rootmark", "1", chain id, this address) with its next nonce. Usable while block.timestamp <=
    ///      deadline. The nonce is consumed even where nothing changes. A signature of 65 bytes with a low s is tried
    ///      as ECDSA first; ERC-1271 is asked after that, so that an account with code can sign either way.
    function addKeyBySig(
        address signer,
        address issuer,
        address key,
        uint16 roles,
        uint256 deadline,
        uint256 consentDeadline,
        bytes calldata consent,
        bytes calldata signature
    ) external;

    /// @notice {retireKey} by signature.
    function retireKeyBySig(
        address signer,
        address issuer,
        address key,
        uint40 validUntil,
        uint16 reason,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @notice {anchor} by signature.
    function anchorBySig(address signer, address issuer, bytes32 root, uint256 deadline, bytes calldata signature)
        external;

    /// @notice {revoke} by signature.
    function revokeBySig(
        address signer,
        address issuer,
        bytes32 root,
        Change[] calldata changes,
        uint16 reason,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @notice {suspend} by signature.
    function suspendBySig(
        address signer,
        address issuer,
        bytes32 root,
        Change[] calldata changes,
        uint16 reason,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @notice {reinstate} by signature.
    function reinstateBySig(
        address signer,
        address issuer,
        bytes32 root,
        Change[] calldata changes,
        uint16 reason,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @notice {annul} by signature.
    function annulBySig(
        address signer,
        address issuer,
        bytes32 root,
        Change[] calldata changes,
        uint16 reason,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @notice {withdraw} by signature.
    function withdrawBySig(
        address signer,
        address issuer,
        bytes32 root,
        uint16 reason,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @notice {annulWithdrawal} by signature.
    function annulWithdrawalBySig(
        address signer,
        address issuer,
        bytes32 root,
        uint16 reason,
        uint256 deadline,
        bytes calldata signature
    ) external;

    // -------------------------------------------------------------------------------------------------- reading

    /// @notice The record of a batch; all zero if the root was never anchored for this issuer.
    function batchOf(address issuer, bytes32 root) external view returns (Batch memory);

    /// @notice The record of a key; all zero if it was never added.
    function keyOf(address key) external view returns (Key memory);

    /// @notice The admin of an issuer: the issuer itself until it has handed over.
    function adminOf(address issuer) external view returns (address);

    /// @notice The admin that was proposed and has not accepted; zero if none.
    function pendingAdminOf(address issuer) external view returns (address);

    /// @notice The issuer's history head; zero before its first event.
    function headOf(address issuer) external view returns (bytes32);

    /// @notice The nonce that the next signature of `signer` has to carry.
    function nonceOf(address signer) external view returns (uint256);

    /// @notice 256 status bits of a batch: kind 1 revoked, kind 2 suspended; bit i is the credential `word * 256 + i`.
    function bitsOf(uint8 kind, address issuer, bytes32 root, uint64 word) external view returns (uint256);

    /// @notice What the registry says of the credential at `index` of a batch.
    /// @dev Not checked: whether the batch has this index, or holds any particular credential; {verify} does.
    /// @return anchoredAt Block time of the anchor; 0 if there is none.
    /// @return status The first that applies.
    function statusOf(address issuer, bytes32 root, uint64 index)
        external
        view
        returns (uint40 anchoredAt, Status status);

    /// @notice What the registry says of one credential, after checking that the batch holds it at `index` of `size`.
    /// @dev leaf = SHA-256(method || issuer || index || salted), nodes SHA-256(left || right), an unpaired last node
    ///      carried up, root = SHA-256(0xff || size || top); size from 1 to 2^32. `path` runs from the leaf's sibling
    ///      upwards and holds exactly the siblings that (index, size) ask for. It takes `salted` = SHA-256(digest ||
    ///      salt), so that a call publishes neither. Not checked: whether `method` is one that readers know.
    /// @return anchoredAt Block time of the anchor; 0 if there is none or the proof is bad.
    /// @return status The first that applies.
    function verify(
        address issuer,
        bytes32 root,
        uint8 method,
        uint64 index,
        uint64 size,
        bytes32 salted,
        bytes32[] calldata path
    ) external view returns (uint40 anchoredAt, Status status);
}
