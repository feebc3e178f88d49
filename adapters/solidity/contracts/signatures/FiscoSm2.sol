// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SignatureBackendFails} from "../Errors.sol";
import {FiscoCrypto} from "./FiscoCrypto.sol";
import {Sm2Keys} from "./Sm2Keys.sol";

/// @title SM2 by FISCO BCOS's own contract
/// @notice Source: FISCO BCOS, CryptoPrecompiled. Of `sm2Verify` there are two forms, (bytes32 message, bytes publicKey, bytes32 r,
/// bytes32 s) and (bytes message, bytes signature) with r, s and the key in the signature; each answers (bool, address), the
/// account by SM3. Which one this ledger has is tried at deployment.
contract FiscoSm2 is FiscoCrypto, Sm2Keys {
    bytes4 private constant FOUR = 0xcbdb3a67; // Keccak-256 of sm2Verify(bytes32,bytes,bytes32,bytes32)
    bytes4 private constant FOUR_BY_SM3 = 0x22ede61e;
    bytes4 private constant TWO = 0x4cf2a67a; // Keccak-256 of sm2Verify(bytes,bytes)
    bytes4 private constant TWO_BY_SM3 = 0xf36ea08d;

    bool private immutable _two;

    constructor() {
        if (_crypto == address(0)) revert SignatureBackendFails();
        if (!_knows()) {
            _two = true;
            _probe();
        }
    }

    function _ask(bytes32 digest, bytes32 r, bytes32 s, bytes32 x, bytes32 y) internal view override returns (bool) {
        bytes memory call;
        if (_two) {
            bytes memory message = abi.encodePacked(digest);
            bytes memory signature = abi.encodePacked(r, s, x, y);
            call = abi.encodeWithSelector(_smSelectors ? TWO_BY_SM3 : TWO, message, signature);
        } else {
            bytes memory key = abi.encodePacked(x, y);
            call = abi.encodeWithSelector(_smSelectors ? FOUR_BY_SM3 : FOUR, digest, key, r, s);
        }
        (bool success, bytes memory output) = _crypto.staticcall{gas: gasleft() / 8}(call);
        if (!success || output.length != 64) return false;
        (uint256 good, uint256 account) = abi.decode(output, (uint256, uint256));
        (bool answered, bytes32 hashed) = _sm3(_crypto, _smSelectors, abi.encodePacked(x, y));
        return good == 1 && answered && account == uint256(uint160(uint256(hashed)));
    }
}
