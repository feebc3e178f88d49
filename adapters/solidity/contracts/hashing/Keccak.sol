// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HashNotKeccak} from "../Errors.sol";

/// @title Whether this machine's hash opcode is Keccak-256
library Keccak {
    bytes32 private constant HASH_OF_NOTHING = 0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470;

    /// The opcode is asked at deployment: some ledgers compute another hash with it. Only called by constructors, whose
    /// calldata is empty; the compiler cannot fold that.
    function requireOpcode() internal pure {
        bytes32 computed;
        assembly ("memory-safe") {
            computed := keccak256(0, calldatasize())
        }
        if (computed != HASH_OF_NOTHING) revert HashNotKeccak();
    }
}
