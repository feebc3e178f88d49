// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NameOfAnother, NotOrigin} from "../Errors.sol";
import {Words} from "./Words.sol";

/// @title What a contract is called in lanes and attestations: its address, or the name that its ledger knows it by
/// @notice Source: docs/encodings.md, section Chain words, gateways, verifiers, accounts. On ChainMaker a contract's address is
/// keccak256(keccak256(name))[12:], by Keccak-256 whatever the ledger's suite is. Ledgers with names are also those whose
/// calls are not isolated: what stands in docs/protocol.md, section Ledgers unlike Ethereum, holds where a name is given.
abstract contract Identity is Words {
    bytes32 internal immutable _selfHash;
    bool internal immutable _named;

    /// @param selfName this contract's name where the ledger gives names, else empty.
    constructor(bytes memory selfName) {
        if (selfName.length == 0) {
            _selfHash = _hashAddress(address(this));
        } else {
            address named = address(uint160(uint256(keccak256(abi.encode(keccak256(selfName))))));
            if (named != address(this)) revert NameOfAnother(named, address(this));
            _selfHash = _hashBytes(selfName);
        }
        _named = selfName.length != 0;
    }

    /// A lock does not hold where frames do not see each other's writes: there, only keys administer, no contracts.
    function _requireKeyWhereNamed() internal view {
        if (_named && msg.sender != tx.origin) revert NotOrigin(msg.sender);
    }
}
