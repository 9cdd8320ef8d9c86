// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice ERC-1271.
interface IERC1271 {
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4);
}

/// @title Signatures by accounts with and without code
library Signatures {
    /// @dev Half the order of secp256k1: EIP-2 calls a larger s invalid.
    uint256 private constant MAX_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @notice Whether `signature` is `signer`'s over `digest`.
    /// @dev ECDSA over 65 bytes r || s || v (low s, v 27 or 28) is tried first, whether or not the account has code, so
    ///      that an account delegated by EIP-7702 still signs with its key. ERC-1271 is asked otherwise, by a static
    ///      call. Never true for the zero address.
    function isBy(address signer, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        if (signer == address(0)) return false;
        if (signature.length == 65) {
            bytes32 r = bytes32(signature[0:32]);
            bytes32 s = bytes32(signature[32:64]);
            uint8 v = uint8(signature[64]);
            if (uint256(s) <= MAX_S && ecrecover(digest, v, r, s) == signer) return true;
        }
        if (signer.code.length == 0) return false;
        (bool success, bytes memory answer) =
            signer.staticcall(abi.encodeCall(IERC1271.isValidSignature, (digest, signature)));
        return success && answer.length >= 32 && bytes32(answer) == bytes32(IERC1271.isValidSignature.selector);
    }
}
