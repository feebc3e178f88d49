// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NameOfAnother} from "../Errors.sol";
import {Words} from "./Words.sol";

/// @title What a contract is called in lanes and attestations: its address, or the name that its ledger knows it by
/// @notice Source: docs/encodings.md, section Chain words, gateways, verifiers, accounts. On ChainMaker a contract's address is
/// keccak256(keccak256(name))[12:], by Keccak-256 whatever the ledger's suite is.
abstract contract Identity is Words {
    bytes32 internal immutable _selfHash;

    /// @param selfName this contract's name where the ledger gives names, else empty.
    constructor(bytes memory selfName) {
        if (selfName.length == 0) {
            _selfHash = _hashAddress(address(this));
        } else {
            address named = address(uint160(uint256(keccak256(abi.encode(keccak256(selfName))))));
            if (named != address(this)) revert NameOfAnother(named, address(this));
            _selfHash = _hashBytes(selfName);
        }
    }
}
