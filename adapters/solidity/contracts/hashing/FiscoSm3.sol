// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HashNotSm3, HashSilent} from "../Errors.sol";
import {FiscoCrypto} from "../signatures/FiscoCrypto.sol";
import {IHash} from "./IHash.sol";

/// @title SM3 by FISCO BCOS's own contract, for its ledgers whose hash opcode is Keccak-256
/// @notice Source: FISCO BCOS, CryptoPrecompiled, `sm3(bytes)`.
contract FiscoSm3 is FiscoCrypto, IHash {
    constructor() {
        if (_crypto == address(0)) revert HashNotSm3();
    }

    /// @inheritdoc IHash
    function hash() external view override returns (bytes32) {
        (bool answered, bytes32 digest) = _sm3(_crypto, _smSelectors, msg.data[4:]);
        if (!answered) revert HashSilent();
        return digest;
    }
}
