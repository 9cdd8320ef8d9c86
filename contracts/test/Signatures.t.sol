// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CredentialRegistry} from "../CredentialRegistry.sol";
import {ICredentialRegistry} from "../ICredentialRegistry.sol";
import {TypedData} from "../libraries/TypedData.sol";
import {Base} from "./Base.sol";
import {SmartWallet} from "./SmartWallet.sol";

/// @notice What counts as a signature, and for what it counts.
contract SignaturesTest is Base {
    uint256 private constant ISSUER = 21;
    uint256 private constant KEY = 22;
    bytes32 private constant ROOT = keccak256("root");

    address private issuer;
    address private key;

    function setUp() external {
        registry = new CredentialRegistry();
        vm.warp(1_800_000_000);
        issuer = vm.addr(ISSUER);
        key = giveKey(issuer, KEY, 15);
    }

    function _anchorHash(bytes32 root, uint256 nonce, uint256 deadline) private view returns (bytes32) {
        return TypedData.anchor(issuer, root, nonce, deadline);
    }

    function _expectInvalid(uint256 nonce) private {
        vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.InvalidSignature.selector, key, nonce));
    }

    function testFuzz_aSignatureCountsOnceAndForItsFieldsOnly(
        bytes32 root,
        bytes32 otherRoot,
        uint256 deadline,
        uint256 later
    ) external {
        vm.assume(root != 0 && otherRoot != root);
        deadline = bounded(deadline, block.timestamp, NO_DEADLINE - 1);
        later = bounded(later, deadline + 1, NO_DEADLINE);
        bytes memory signature = signed(KEY, _anchorHash(root, 0, deadline));
        _expectInvalid(0);
        registry.anchorBySig(key, issuer, otherRoot, deadline, signature);
        _expectInvalid(0);
        registry.anchorBySig(key, issuer, root, later, signature);
        _expectInvalid(0);
        registry.anchorBySig(key, address(0xdead), root, deadline, signature);
        registry.anchorBySig(key, issuer, root, deadline, signature);
        _expectInvalid(1);
        registry.anchorBySig(key, issuer, root, deadline, signature);
    }

    function testFuzz_noChangedByteIsAccepted(uint8 where, uint8 flip) external {
        bytes memory signature = signed(KEY, _anchorHash(ROOT, 0, NO_DEADLINE));
        signature[where % 65] ^= bytes1(uint8(bounded(flip, 1, 255)));
        _expectInvalid(0);
        registry.anchorBySig(key, issuer, ROOT, NO_DEADLINE, signature);
    }

    function testFuzz_noOtherLengthIsAccepted(bytes calldata signature) external {
        vm.assume(signature.length != 65);
        _expectInvalid(0);
        registry.anchorBySig(key, issuer, ROOT, NO_DEADLINE, signature);
    }

    function testFuzz_theZeroAddressNeverSigns(bytes32 r, bytes32 s, uint8 v) external {
        vm.expectRevert(
            abi.encodeWithSelector(ICredentialRegistry.InvalidSignature.selector, address(0), uint256(0))
        );
        registry.anchorBySig(address(0), address(0), ROOT, NO_DEADLINE, abi.encodePacked(r, s, v));
    }

    function test_theHighSTwinIsRefused() external {
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(KEY, digestFor(address(registry), _anchorHash(ROOT, 0, NO_DEADLINE)));
        check(uint256(s) <= HALF_CURVE, "the signer makes low s");
        _expectInvalid(0);
        registry.anchorBySig(
            key, issuer, ROOT, NO_DEADLINE, abi.encodePacked(r, bytes32(CURVE - uint256(s)), v == 27 ? uint8(28) : 27)
        );
        registry.anchorBySig(key, issuer, ROOT, NO_DEADLINE, abi.encodePacked(r, s, v));
    }

    function test_aSignatureForAnotherChainOrRegistryIsRefused() external {
        bytes memory here = signed(KEY, _anchorHash(ROOT, 0, NO_DEADLINE));
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(KEY, digestFor(address(0xdead), _anchorHash(ROOT, 0, NO_DEADLINE)));
        _expectInvalid(0);
        registry.anchorBySig(key, issuer, ROOT, NO_DEADLINE, abi.encodePacked(r, s, v));
        uint256 chain = block.chainid;
        vm.chainId(chain + 1);
        _expectInvalid(0);
        registry.anchorBySig(key, issuer, ROOT, NO_DEADLINE, here);
        vm.chainId(chain);
        registry.anchorBySig(key, issuer, ROOT, NO_DEADLINE, here);
    }

    function test_theDeadlineItselfIsStillInTime() external {
        uint256 deadline = block.timestamp;
        bytes memory signature = signed(KEY, _anchorHash(ROOT, 0, deadline));
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.SignatureExpired.selector, deadline));
        registry.anchorBySig(key, issuer, ROOT, deadline, signature);
        vm.warp(deadline);
        registry.anchorBySig(key, issuer, ROOT, deadline, signature);
    }

    function test_aNoOpConsumesTheNonceAndLeavesTheHead() external {
        registry.anchorBySig(key, issuer, ROOT, NO_DEADLINE, signed(KEY, _anchorHash(ROOT, 0, NO_DEADLINE)));
        bytes32 head = registry.headOf(issuer);
        registry.anchorBySig(key, issuer, ROOT, NO_DEADLINE, signed(KEY, _anchorHash(ROOT, 1, NO_DEADLINE)));
        same(registry.nonceOf(key), 2, "nonce");
        same(registry.headOf(issuer), head, "head");
        same(vm.load(address(registry), slotOf(6, key)), bytes32(uint256(2)), "slot");
    }

    /// @dev EIP-7702: the account's code is a delegation, here to a wallet that refuses everything.
    function test_aDelegatedAccountStillSignsWithItsKey() external {
        SmartWallet wallet = new SmartWallet();
        vm.etch(key, abi.encodePacked(hex"ef0100", address(wallet)));
        check(key.code.length == 23, "a delegation");
        registry.anchorBySig(key, issuer, ROOT, NO_DEADLINE, signed(KEY, _anchorHash(ROOT, 0, NO_DEADLINE)));
        same(registry.batchOf(issuer, ROOT).key, key, "anchored");
        _expectInvalid(1);
        registry.anchorBySig(key, issuer, ROOT, NO_DEADLINE, hex"00");
    }

    function testFuzz_aContractSignsByErc1271(uint8 answer, bytes calldata signature) external {
        SmartWallet wallet = new SmartWallet();
        bytes32 consent =
            digestFor(address(registry), TypedData.keyConsent(issuer, address(wallet), ANCHOR, NO_DEADLINE));
        wallet.approve(consent);
        vm.prank(issuer);
        registry.addKey(issuer, address(wallet), ANCHOR, NO_DEADLINE, signature);
        wallet.approve(digestFor(address(registry), _anchorHash(ROOT, 0, NO_DEADLINE)));
        wallet.behave(SmartWallet.Answer(answer % 5));
        if (answer % 5 != 0) {
            vm.expectRevert(
                abi.encodeWithSelector(ICredentialRegistry.InvalidSignature.selector, address(wallet), uint256(0))
            );
        }
        registry.anchorBySig(address(wallet), issuer, ROOT, NO_DEADLINE, signature);
    }

    function test_aKeyOfAnotherIssuerCannotSignForThisOne() external {
        address other = giveKey(vm.addr(99), 98, 15);
        bytes memory signature = signed(98, _anchorHash(ROOT, 0, NO_DEADLINE));
        vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.NotKeyOf.selector, issuer, other));
        registry.anchorBySig(other, issuer, ROOT, NO_DEADLINE, signature);
    }
}
