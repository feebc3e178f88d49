// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HashNotSm3, HashSilent} from "../Errors.sol";
import {Words} from "../base/Words.sol";
import {IHash} from "./IHash.sol";

/// @title The suite `sm`: H is SM3, by the machine's own hash opcode or by a contract, as chosen at deployment
/// @notice Source: docs/protocol.md, section Words and tags. The compiler computes Keccak-256 whatever the machine does, so the
/// tags are written out.
abstract contract SmSuite is Words {
    bytes32 private constant HASH_OF_NOTHING = 0x1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b;
    IHash private immutable _backEnd; // zero: this machine's hash opcode is SM3

    constructor(IHash backEnd) {
        _backEnd = backEnd;
        uint256 start;
        uint256 size; // of a constructor's calldata: zero, which the compiler does not know
        assembly ("memory-safe") {
            start := mload(0x40)
            size := calldatasize()
        }
        if (_hash(start, size) != HASH_OF_NOTHING) revert HashNotSm3();
    }

    function _hash(uint256 start, uint256 size) internal view override returns (bytes32 digest) {
        IHash backEnd = _backEnd;
        if (address(backEnd) == address(0)) {
            assembly ("memory-safe") {
                digest := keccak256(start, size)
            }
            return digest;
        }
        bytes4 selector = IHash.hash.selector;
        bool answered;
        assembly ("memory-safe") {
            let before := sub(start, 0x20)
            let saved := mload(before)
            mstore(before, shr(224, selector))
            answered := staticcall(gas(), backEnd, sub(start, 4), add(size, 4), 0, 0x20)
            answered := and(answered, eq(returndatasize(), 0x20))
            digest := mload(0)
            mstore(before, saved)
        }
        if (!answered) revert HashSilent();
    }

    function _tagLane() internal pure override returns (bytes32) {
        return 0xf16cb0ee89057e03361ecdcf56481edae485422c6399ed1cc744c2090a8c5349;
    }

    function _tagMessage() internal pure override returns (bytes32) {
        return 0x991ab6065df16391dd0133993027734a96a8395e1a861c9fbd1f8539a1d64c24;
    }

    function _tagOutcome() internal pure override returns (bytes32) {
        return 0x57fe8c6187b7fa719888da34a3bfa008e15a64e969c091836122a68237734765;
    }

    function _tagOutcomes() internal pure override returns (bytes32) {
        return 0x9fc07b617fffa7fd9d1c299a99b470d7edfd753ac9080091f1121ebaee390497;
    }

    function _tagStep() internal pure override returns (bytes32) {
        return 0xa41dc0c7317819b2efec68aa7fe64fa47d3c877337ba5595b258bb510e9c6355;
    }

    function _tagAttestation() internal pure override returns (bytes32) {
        return 0x442275b6a6423a763adb223e480e08b39236659fd9485e9885ca39fec117444b;
    }

    function _isSuite(string memory suite) internal pure override returns (bool) {
        return bytes(suite).length == 2 && bytes2(bytes(suite)) == "sm";
    }
}
