// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {KeyUnfit, SignatureBackendFails, SignatureMalformed} from "../Errors.sol";
import {ISignatures} from "./ISignatures.sol";

/// @title ECDSA over secp256k1 without ecrecover, judged exactly as ecrecover and the committee's rules judge it
/// @notice SEC 1, section 4.1.4, over SEC 2's curve; u1 G + u2 Q by Shamir's trick in Jacobian coordinates, with the key and
/// G + Q kept by the committee. The only precompile needed is 0x05 (EIP-198), for the two inverses.
contract Secp256k1 is ISignatures {
    uint256 private constant P = 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f;
    uint256 private constant N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;
    uint256 private constant GX = 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798;
    uint256 private constant GY = 0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8;
    uint256 private constant TWICE_GX = 0xc6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5;
    uint256 private constant TWICE_GY = 0x1ae168fea63dc339a3c58419466ceaeef7f632653266d0e1236431a950cfe52a;

    constructor() {
        _probe();
    }

    /// @inheritdoc ISignatures
    function probe() external view override {
        _probe();
    }

    /// @inheritdoc ISignatures
    function scheme() external pure override returns (string memory) {
        return "secp256k1";
    }

    /// @inheritdoc ISignatures
    function signatureBytes() external pure override returns (uint256) {
        return 65;
    }

    /// @inheritdoc ISignatures
    function prepare(bytes calldata key) external view override returns (bytes memory) {
        if (key.length != 64) revert KeyUnfit();
        return _prepare(uint256(bytes32(key)), uint256(bytes32(key[32:])));
    }

    /// @inheritdoc ISignatures
    function verify(bytes32 digest, bytes calldata signature, bytes calldata kept)
        external
        view
        override
        returns (bool)
    {
        return _verify(digest, signature, kept);
    }

    /// The key, then G + Q (zeros where that is the point at infinity): 128 bytes.
    function _prepare(uint256 x, uint256 y) private view returns (bytes memory) {
        if (x >= P || y >= P || mulmod(y, y, P) != addmod(mulmod(mulmod(x, x, P), x, P), 7, P)) revert KeyUnfit();
        if (x == GX) return y == GY ? abi.encode(x, y, TWICE_GX, TWICE_GY) : abi.encode(x, y, 0, 0);
        uint256 slope = mulmod(addmod(y, P - GY, P), _inverse(addmod(x, P - GX, P), P), P);
        uint256 sumX = addmod(mulmod(slope, slope, P), addmod(P - GX, P - x, P), P);
        uint256 sumY = addmod(mulmod(slope, addmod(GX, P - sumX, P), P), P - GY, P);
        return abi.encode(x, y, sumX, sumY);
    }

    function _verify(bytes32 digest, bytes memory signature, bytes memory kept) private view returns (bool) {
        if (signature.length != 65) revert SignatureMalformed();
        uint256 r;
        uint256 s;
        uint256 v;
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
            v := byte(0, mload(add(signature, 0x60)))
        }
        if (s > HALF_ORDER || (v != 27 && v != 28)) revert SignatureMalformed();
        if (r == 0 || r >= N || s == 0 || kept.length != 128) return false;
        uint256 inverse = _inverse(s, N);
        (uint256 x, uint256 y, uint256 z) = _combine(mulmod(uint256(digest), inverse, N), mulmod(r, inverse, N), kept);
        if (z == 0) return false;
        inverse = _inverse(z, P);
        uint256 square = mulmod(inverse, inverse, P);
        return mulmod(x, square, P) == r && mulmod(y, mulmod(square, inverse, P), P) & 1 == v - 27;
    }

    /// u1 G + u2 Q as (X, Y, Z) with x = X / Z^2 and y = Y / Z^3; Z is zero at infinity. Each step doubles and adds one of G,
    /// Q and G + Q; the formulas for a = 0 are those of the Explicit-Formulas Database, dbl-2009-l and madd-2004-hmv.
    function _combine(uint256 u1, uint256 u2, bytes memory kept)
        private
        pure
        returns (uint256 x, uint256 y, uint256 z)
    {
        assembly ("memory-safe") {
            function double(px, py, pz) -> dx, dy, dz {
                let p := P
                let yy := mulmod(py, py, p)
                let s := mulmod(4, mulmod(px, yy, p), p)
                let m := mulmod(3, mulmod(px, px, p), p)
                dz := mulmod(2, mulmod(py, pz, p), p)
                dx := addmod(mulmod(m, m, p), sub(p, addmod(s, s, p)), p)
                dy := addmod(mulmod(m, addmod(s, sub(p, dx), p), p), sub(p, mulmod(8, mulmod(yy, yy, p), p)), p)
            }
            // three affine points behind the free memory pointer: G, Q, G + Q
            let table := mload(0x40)
            mstore(table, GX)
            mstore(add(table, 0x20), GY)
            mstore(add(table, 0x40), mload(add(kept, 0x20)))
            mstore(add(table, 0x60), mload(add(kept, 0x40)))
            mstore(add(table, 0x80), mload(add(kept, 0x60)))
            mstore(add(table, 0xa0), mload(add(kept, 0x80)))
            let p := P
            for { let bit := 256 } bit {} {
                bit := sub(bit, 1)
                if z { x, y, z := double(x, y, z) }
                let chosen := or(and(shr(bit, u1), 1), shl(1, and(shr(bit, u2), 1)))
                if iszero(chosen) { continue }
                let place := add(table, shl(6, sub(chosen, 1)))
                let ax := mload(place)
                let ay := mload(add(place, 0x20))
                if iszero(ay) { continue } // no point of this curve has y = 0: infinity
                if iszero(z) {
                    x := ax
                    y := ay
                    z := 1
                    continue
                }
                let zz := mulmod(z, z, p)
                let h := addmod(mulmod(ax, zz, p), sub(p, x), p)
                let w := addmod(mulmod(ay, mulmod(zz, z, p), p), sub(p, y), p)
                if iszero(h) {
                    switch w
                    case 0 { x, y, z := double(x, y, z) }
                    default { z := 0 }
                    continue
                }
                let hh := mulmod(h, h, p)
                let hhh := mulmod(hh, h, p)
                let xhh := mulmod(x, hh, p)
                z := mulmod(z, h, p)
                x := addmod(addmod(mulmod(w, w, p), sub(p, hhh), p), sub(p, addmod(xhh, xhh, p)), p)
                y := addmod(mulmod(w, addmod(xhh, sub(p, x), p), p), sub(p, mulmod(y, hhh, p)), p)
            }
        }
    }

    /// The inverse of a value that is not zero, modulo a prime (Fermat, by the precompile of EIP-198).
    function _inverse(uint256 value, uint256 prime) private view returns (uint256 inverse) {
        bool answered;
        assembly ("memory-safe") {
            let words := mload(0x40)
            mstore(words, 0x20)
            mstore(add(words, 0x20), 0x20)
            mstore(add(words, 0x40), 0x20)
            mstore(add(words, 0x60), value)
            mstore(add(words, 0x80), sub(prime, 2))
            mstore(add(words, 0xa0), prime)
            answered := staticcall(gas(), 0x05, words, 0xc0, 0, 0x20)
            answered := and(answered, eq(returndatasize(), 0x20))
            inverse := mload(0)
        }
        if (!answered) revert SignatureBackendFails();
    }

    function _probe() private view {
        bytes memory kept = _prepare(
            0x00bf27846feb781543b010025972b040a966323971892cccd9e93c6fd5aa6049,
            0x7f672d4289edd6258ac06f89783f8fa2b0452569e0c7c53bba5329f8e4365699
        );
        bytes32 r = 0x0eca5d08852e7aec597a93fcdc3aa3cb813f48910da127c3088ac46c34a8a207;
        bytes32 s = 0x4ebc1a35bb85bf27bee6bd8eeb4c1e54dad3d522fe446666efef1dec7398c1ca;
        bytes32 digest = keccak256("relayhub/signature-probe/v1");
        if (
            !_verify(digest, abi.encodePacked(r, s, uint8(27)), kept)
                || _verify(digest, abi.encodePacked(r, s, uint8(28)), kept)
                || _verify(~digest, abi.encodePacked(r, s, uint8(27)), kept)
        ) revert SignatureBackendFails();
    }
}
