// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice A contract account for tests: it accepts whatever digests its owner approved beforehand (ERC-1271), and can
///         be told to misbehave.
contract SmartWallet {
    enum Answer {
        HONEST,
        REFUSE,
        REVERT,
        TOO_SHORT,
        DIRTY
    }

    mapping(bytes32 digest => bool) public approved;
    Answer public answer;

    function approve(bytes32 digest) external {
        approved[digest] = true;
    }

    function behave(Answer answer_) external {
        answer = answer_;
    }

    /// @notice Calls on, so that the wallet can act as itself.
    function execute(address target, bytes calldata data) external {
        (bool success, bytes memory result) = target.call(data);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        }
    }

    function isValidSignature(bytes32 digest, bytes calldata) external view returns (bytes4) {
        if (answer == Answer.REVERT) revert("no");
        if (answer == Answer.TOO_SHORT) {
            assembly ("memory-safe") {
                mstore(0, shl(224, 0x1626ba7e))
                return(0, 4)
            }
        }
        if (answer == Answer.DIRTY) {
            assembly ("memory-safe") {
                mstore(0, or(shl(224, 0x1626ba7e), 1))
                return(0, 32)
            }
        }
        return answer == Answer.HONEST && approved[digest] ? this.isValidSignature.selector : bytes4(0xffffffff);
    }
}
