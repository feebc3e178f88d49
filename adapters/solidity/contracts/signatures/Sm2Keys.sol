// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {KeyUnfit, SignatureBackendFails, SignatureMalformed} from "../Errors.sol";
import {ISignatures} from "./ISignatures.sol";

/// @title SM2 by a contract of the node: what is checked before it is asked, and how it is tried
/// @notice GB/T 32918.2 and .5; the message is the 32-byte digest, the user's identity 1234567812345678. Only points of the
/// curve are kept as keys: a key of another kind brings some nodes down.
abstract contract Sm2Keys is ISignatures {
    uint256 private constant P = 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff;
    uint256 private constant B = 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93;
    uint256 private constant N = 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123;

    bytes32 private constant KNOWN_X = 0xc967bbb6d89bc7c8e3e737ab5d0a3617c50507c6d65729b831fc57ac97a8e2d6;
    bytes32 private constant KNOWN_Y = 0x93311cf3470d95acd734d67531a55fda78a1ae5fe3f83c0b3da385d0df12038a;
    bytes32 private constant KNOWN_R = 0xcc7204684c1e3c59592b54e1bd84fb71dcb6baa9028f195fef47797c82b4284e;
    bytes32 private constant KNOWN_S = 0x27efd631720afc8905aad1b6d7dd6b3ef1928f0e9d1d392742e5f354a6728a38;
    bytes32 private constant KNOWN_DIGEST = 0xc438ce2a1ee5ed5adc5ef8a3198ef22fc6d9028e9adbc40685ee751119dcf2da;

    /// @inheritdoc ISignatures
    function probe() external view override {
        _probe();
    }

    /// @inheritdoc ISignatures
    function scheme() external pure override returns (string memory) {
        return "sm2";
    }

    /// @inheritdoc ISignatures
    function signatureBytes() external pure override returns (uint256) {
        return 64;
    }

    /// @inheritdoc ISignatures
    function prepare(bytes calldata key) external pure override returns (bytes memory) {
        if (key.length != 64) revert KeyUnfit();
        uint256 x = uint256(bytes32(key));
        uint256 y = uint256(bytes32(key[32:]));
        if (x >= P || y >= P) revert KeyUnfit();
        uint256 right = addmod(mulmod(addmod(mulmod(x, x, P), P - 3, P), x, P), B, P);
        if (mulmod(y, y, P) != right) revert KeyUnfit();
        return key;
    }

    /// @inheritdoc ISignatures
    function verify(bytes32 digest, bytes calldata signature, bytes calldata kept)
        external
        view
        override
        returns (bool)
    {
        if (signature.length != 64) revert SignatureMalformed();
        if (kept.length != 64) return false;
        return _judge(digest, bytes32(signature), bytes32(signature[32:]), bytes32(kept), bytes32(kept[32:]));
    }

    /// What the node says; the numbers are in range and the key is a point of the curve.
    function _ask(bytes32 digest, bytes32 r, bytes32 s, bytes32 x, bytes32 y) internal view virtual returns (bool);

    /// A known signature is good; over another digest, with another number or by another key it is not.
    function _probe() internal view {
        if (!_knows()) revert SignatureBackendFails();
    }

    function _knows() internal view returns (bool) {
        return _judge(KNOWN_DIGEST, KNOWN_R, KNOWN_S, KNOWN_X, KNOWN_Y)
            && !_judge(~KNOWN_DIGEST, KNOWN_R, KNOWN_S, KNOWN_X, KNOWN_Y)
            && !_judge(KNOWN_DIGEST, KNOWN_R, KNOWN_R, KNOWN_X, KNOWN_Y)
            && !_judge(KNOWN_DIGEST, KNOWN_R, KNOWN_S, KNOWN_X, bytes32(P - uint256(KNOWN_Y)));
    }

    function _judge(bytes32 digest, bytes32 r, bytes32 s, bytes32 x, bytes32 y) private view returns (bool) {
        if (r == 0 || s == 0 || uint256(r) >= N || uint256(s) >= N) return false;
        return _ask(digest, r, s, x, y);
    }
}
