// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Sm2Keys} from "./Sm2Keys.sol";

/// @title SM2 by ChainMaker's precompile 0x03EF
/// @notice Source: ChainMaker's vm-evm as measured: key, message and signature, each behind its length in a word; the key is a DER
/// SubjectPublicKeyInfo (RFC 5480, curve 1.2.156.10197.1.301), the signature DER (X.690). A bad signature makes the call, or
/// what it answers, zero, and a call that fails may use up all the gas that it was given.
contract ChainMakerSm2 is Sm2Keys {
    address private constant VERIFY = address(0x03ef);
    bytes27 private constant KEY_INFO = 0x3059301306072a8648ce3d020106082a811ccf5501822d03420004;

    constructor() {
        _probe();
    }

    function _ask(bytes32 digest, bytes32 r, bytes32 s, bytes32 x, bytes32 y) internal view override returns (bool) {
        bytes memory numbers = abi.encodePacked(_integer(r), _integer(s));
        bytes memory call = abi.encodePacked(
            uint256(91),
            abi.encodePacked(KEY_INFO, x, y),
            abi.encodePacked(uint256(32), digest),
            abi.encodePacked(uint256(numbers.length + 2), uint8(0x30), uint8(numbers.length), numbers)
        );
        (bool success, bytes memory output) = VERIFY.staticcall{gas: gasleft() / 8}(call);
        if (!success) return false;
        for (uint256 i = 0; i < output.length; ++i) {
            if (output[i] != 0) return true;
        }
        return output.length == 0;
    }

    /// X.690, section 8.3: as few bytes as there can be, and a zero in front where the number would look negative.
    function _integer(bytes32 number) private pure returns (bytes memory) {
        uint256 skipped = 0;
        while (number[skipped] == 0) ++skipped; // the number is not zero
        uint256 length = 32 - skipped;
        bytes memory digits = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            digits[i] = number[skipped + i];
        }
        if (digits[0] < 0x80) return abi.encodePacked(uint8(2), uint8(length), digits);
        return abi.encodePacked(uint8(2), uint8(length + 1), uint8(0), digits);
    }
}
