// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {KeyOfAnother, KeysMalformed, SignatureBackendFails, SignatureOfAnother} from "../Errors.sol";
import {Signatures} from "../base/Signatures.sol";
import {ISignatures} from "../signatures/ISignatures.sol";

/// @title How a committee checks its signers' signatures: the one door to a signature scheme
/// @notice Chosen at deployment: the machine's ecrecover, which needs no keys, or a contract that knows another way and is
/// tried here. A signer is an account of the ledger; where a contract checks, it is the account of the key that is kept.
abstract contract Signers is Signatures {
    ISignatures private immutable _backEnd; // zero: ecrecover
    uint256 internal immutable _signatureBytes;
    mapping(address signer => bytes) private _kept;

    constructor(ISignatures backEnd) {
        _backEnd = backEnd;
        if (address(backEnd) == address(0)) {
            _signatureBytes = 65;
            _requireRecovery();
        } else {
            if (address(backEnd).code.length == 0) revert SignatureBackendFails();
            backEnd.probe();
            _signatureBytes = backEnd.signatureBytes();
        }
    }

    function _scheme() internal view returns (string memory) {
        return address(_backEnd) == address(0) ? "secp256k1" : _backEnd.scheme();
    }

    /// The signer's key of 64 bytes; empty where ecrecover finds signers.
    function _keyOf(address signer) internal view returns (bytes memory key) {
        key = _kept[signer];
        if (key.length == 0) return key;
        assembly ("memory-safe") {
            mstore(key, 64) // what is kept begins with the key
        }
    }

    function _keepKeys(address[] memory signers, bytes[] memory keys) internal {
        if (keys.length != (address(_backEnd) == address(0) ? 0 : signers.length)) revert KeysMalformed();
        for (uint256 i = 0; i < keys.length; ++i) {
            if (keys[i].length != 64) revert KeysMalformed();
            address owner = address(uint160(uint256(keccak256(keys[i]))));
            if (owner != signers[i]) revert KeyOfAnother(signers[i], owner);
            if (_kept[owner].length == 0) _kept[owner] = _backEnd.prepare(keys[i]);
        }
    }

    function _requireSigned(bytes32 digest, bytes memory signature, address signer) internal view {
        if (address(_backEnd) == address(0)) {
            address recovered = _signerOf(digest, signature);
            if (recovered == address(0) || recovered != signer) revert SignatureOfAnother(signer, recovered);
        } else if (signer == address(0) || !_backEnd.verify(digest, signature, _kept[signer])) {
            revert SignatureOfAnother(signer, address(0));
        }
    }
}
