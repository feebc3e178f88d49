// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Header, Headers} from "../lightclient/Headers.sol";
import {Patricia} from "../lightclient/Patricia.sol";
import {Rlp} from "../lightclient/Rlp.sol";

/// @title The light client's readers as functions, to be compared with Python's
contract ProofHarness {
    function find(bytes32 root, bytes memory key, bytes[] memory proof) external pure returns (bytes memory value) {
        (uint256 start, uint256 size) = Patricia.find(root, key, proof);
        value = new bytes(size);
        for (uint256 i = 0; i < size; ++i) {
            uint256 digit;
            assembly ("memory-safe") {
                digit := byte(0, mload(add(start, i)))
            }
            value[i] = bytes1(uint8(digit));
        }
    }

    function read(bytes memory header) external pure returns (Header memory) {
        return Headers.read(header);
    }

    /// Whether the bytes are one canonical item.
    function canonical(bytes memory data) external pure returns (bool) {
        uint256 start;
        assembly ("memory-safe") {
            start := add(data, 0x20)
        }
        return Rlp.count(start, start + data.length, 0) == 1;
    }
}
