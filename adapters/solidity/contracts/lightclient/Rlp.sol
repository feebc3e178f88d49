// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RlpMalformed} from "../Errors.sol";

/// @title Strict RLP in memory (Ethereum yellow paper, appendix B)
/// @notice An item is given by the place of its first byte and the end of what holds it. Only the canonical form is read: the
/// shortest length, no byte below 0x80 under a prefix, nothing missing.
library Rlp {
    uint256 private constant DEEPEST = 32; // lists inside lists

    /// @return isList whether the item is a list.
    /// @return start where its content begins.
    /// @return size bytes of its content; the next item stands at start + size.
    function item(uint256 place, uint256 end) internal pure returns (bool isList, uint256 start, uint256 size) {
        unchecked {
            if (place >= end) revert RlpMalformed();
            uint256 prefix = _byteAt(place);
            if (prefix < 0x80) return (false, place, 1);
            isList = prefix >= 0xc0;
            uint256 short = prefix - (isList ? 0xc0 : 0x80);
            if (short < 56) {
                start = place + 1;
                size = short;
                if (start + size > end) revert RlpMalformed();
                if (prefix == 0x81 && _byteAt(start) < 0x80) revert RlpMalformed();
            } else {
                uint256 width = short - 55; // 1 to 8 bytes of length
                start = place + 1 + width;
                if (start > end || _byteAt(place + 1) == 0) revert RlpMalformed();
                assembly ("memory-safe") {
                    size := shr(sub(256, shl(3, width)), mload(add(place, 1)))
                }
                if (size < 56 || start + size > end) revert RlpMalformed();
            }
        }
    }

    /// The content of a list that fills the bytes.
    function list(bytes memory data) internal pure returns (uint256 start, uint256 end) {
        uint256 place;
        assembly ("memory-safe") {
            place := add(data, 0x20)
            end := add(place, mload(data))
        }
        start = listWithin(place, end);
    }

    /// The content of a list that reaches from `place` to `end`.
    function listWithin(uint256 place, uint256 end) internal pure returns (uint256 start) {
        bool isList;
        uint256 size;
        (isList, start, size) = item(place, end);
        if (!isList || start + size != end) revert RlpMalformed();
    }

    /// An unsigned integer without leading zeros of at most `widest` bytes, and where the next item stands.
    function integer(uint256 place, uint256 end, uint256 widest) internal pure returns (uint256 value, uint256 next) {
        (bool isList, uint256 start, uint256 size) = item(place, end);
        if (isList || size > widest || (size != 0 && _byteAt(start) == 0)) revert RlpMalformed();
        unchecked {
            next = start + size;
            if (size != 0) {
                assembly ("memory-safe") {
                    value := shr(sub(256, shl(3, size)), mload(start))
                }
            }
        }
    }

    /// Everything between two places is canonical items, also inside lists; returns how many stand side by side.
    function count(uint256 place, uint256 end, uint256 depth) internal pure returns (uint256 items) {
        if (depth == DEEPEST) revert RlpMalformed();
        while (place < end) {
            (bool isList, uint256 start, uint256 size) = item(place, end);
            unchecked {
                place = start + size;
                if (isList && size != 0) count(start, place, depth + 1);
                ++items;
            }
        }
    }

    function _byteAt(uint256 place) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := byte(0, mload(place))
        }
    }
}
