// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ProofNotCanonical} from "../Errors.sol";

/// @title Reading ABI-encoded proofs in place, in their canonical form only
/// @notice Source: the contract ABI specification, section Formal specification of the encoding. Bytes in calldata are copied to
/// memory once; a `bytes` lies there as Solidity keeps it, and the offsets of a list become places.
library Unpacking {
    function copy(bytes calldata data) internal pure returns (uint256 start, uint256 end) {
        if (data.length % 32 != 0) revert ProofNotCanonical();
        assembly ("memory-safe") {
            start := mload(0x40)
            end := add(start, data.length)
            calldatacopy(start, data.offset, data.length)
            mstore(0x40, end)
        }
    }

    /// The word at `place` says that something stands `offset` bytes behind a start.
    function requireOffset(uint256 place, uint256 offset) internal pure {
        if (_word(place) != offset) revert ProofNotCanonical();
    }

    /// `bytes` at `place`: its length, the data, zeros up to a whole word.
    function takeBytes(uint256 place, uint256 end) internal pure returns (bytes memory taken, uint256 next) {
        unchecked {
            if (place + 32 > end) revert ProofNotCanonical();
            uint256 length = _word(place);
            if (length > end - place - 32) revert ProofNotCanonical();
            uint256 rest = length % 32;
            next = place + 32 + length + (rest == 0 ? 0 : 32 - rest); // within `end`, which stands at a whole word
            if (rest != 0 && _word(next - 32) << (8 * rest) != 0) revert ProofNotCanonical();
        }
        assembly ("memory-safe") {
            taken := place
        }
    }

    /// `bytes[]` at `place`: how many, where each stands behind that word, and they themselves without gaps.
    function takeList(uint256 place, uint256 end) internal pure returns (bytes[] memory taken, uint256 next) {
        unchecked {
            if (place + 32 > end) revert ProofNotCanonical();
            uint256 count = _word(place);
            uint256 base = place + 32;
            if (count > (end - base) / 64) revert ProofNotCanonical();
            next = base + 32 * count;
            for (uint256 i = 0; i < count; ++i) {
                uint256 entry = base + 32 * i;
                requireOffset(entry, next - base);
                assembly ("memory-safe") {
                    mstore(entry, next)
                }
                (, next) = takeBytes(next, end);
            }
        }
        assembly ("memory-safe") {
            taken := place
        }
    }

    function _word(uint256 place) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(place)
        }
    }
}
