// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IHash} from "./IHash.sol";

/// @title SM3 in Solidity, for machines that have no SM3
/// @notice GB/T 32905-2016, section 5. Every 32-bit word stands twice in 64 bits, so that a rotation to the left by n is one
/// shift to the right by 32 - n; what stands above a word's 32 bits is cut off before it is doubled again. In the expansion
/// four words share a word of the machine, three of which are new at a step.
contract Sm3 is IHash {
    uint256 private constant LOW = 0xffffffff;
    uint256 private constant TWICE = 0x100000001; // 32 bits times this stand twice in 64 bits
    uint256 private constant LOWS = 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff;
    uint256 private constant HALVES = 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff;
    uint256 private constant EARLY = 0x79cc451979cc451979cc4519; // the constant of rounds 0 to 15, three times
    uint256 private constant LATE = 0x7a879d8a7a879d8a7a879d8a; // of rounds 16 to 63
    uint256 private constant START = 0x7380166f4914b2b9172442d7da8a0600a96f30bc163138aae38dee4db0fb0e4e;

    /// @inheritdoc IHash
    function hash() external pure override returns (bytes32) {
        uint256 words;
        uint256 place;
        uint256 end;
        assembly ("memory-safe") {
            words := mload(0x40) // the expansion: from 0x20 on 71 words of 64 bits; then the padded message
            place := add(words, 0x280)
            let size := sub(calldatasize(), 4)
            end := add(place, and(add(size, 72), not(63)))
            calldatacopy(place, 4, size)
            calldatacopy(add(place, size), calldatasize(), 0x80) // zeros
            mstore8(add(place, size), 0x80)
            mstore(sub(end, 0x20), or(mload(sub(end, 0x20)), shl(3, size)))
            mstore(0x40, add(end, 0x80))
        }
        uint256 state = START;
        unchecked {
            for (; place < end; place += 64) {
                _expand(words + 0x20, place);
                state ^= _compress(state, words + 8); // a word ends where the machine's word at 24 bytes before it ends
            }
        }
        return bytes32(state);
    }

    /// Section 5.3.2: the 68 words of the block at `place`, from `words` on.
    function _expand(uint256 words, uint256 place) private pure {
        assembly ("memory-safe") {
            function spread(four) -> doubled {
                let pairs := and(or(shl(64, four), four), HALVES)
                doubled := mul(and(or(shl(32, pairs), pairs), LOWS), TWICE)
            }
            mstore(words, spread(shr(128, mload(place))))
            mstore(add(words, 0x20), spread(and(mload(place), sub(shl(128, 1), 1))))
            mstore(add(words, 0x40), spread(shr(128, mload(add(place, 0x20)))))
            mstore(add(words, 0x60), spread(and(mload(add(place, 0x20)), sub(shl(128, 1), 1))))
            let end := add(words, 432)
            for { let p := words } lt(p, end) { p := add(p, 24) } {
                let x := xor(xor(mload(p), mload(add(p, 56))), shr(17, mload(add(p, 104))))
                x := mul(and(x, LOWS), TWICE)
                x := xor(xor(x, shr(17, x)), shr(9, x))
                x := xor(xor(x, shr(25, mload(add(p, 24)))), mload(add(p, 80)))
                mstore(add(p, 128), mul(and(x, LOWS), TWICE))
            }
        }
    }

    /// Section 5.3.3: what the state is combined with. `p` is such that word j is the lowest of the machine's word at p + 8 j,
    /// and t such that the constant shifted by t is that of the round.
    function _compress(uint256 state, uint256 p) private pure returns (uint256 mixed) {
        assembly ("memory-safe") {
            let a := mul(and(shr(224, state), LOW), TWICE)
            let b := mul(and(shr(192, state), LOW), TWICE)
            let c := mul(and(shr(160, state), LOW), TWICE)
            let d := mul(and(shr(128, state), LOW), TWICE)
            let e := mul(and(shr(96, state), LOW), TWICE)
            let f := mul(and(shr(64, state), LOW), TWICE)
            let g := mul(and(shr(32, state), LOW), TWICE)
            let h := mul(and(state, LOW), TWICE)
            let q
            let s
            let t := 64
            for {} gt(t, 48) { t := sub(t, 4) } {
                q := shr(20, a)
                s := shr(25, mul(and(add(add(q, e), shr(t, EARLY)), LOW), TWICE))
                h := mul(and(add(add(h, s), add(xor(xor(e, f), g), mload(p))), LOW), TWICE)
                d := add(add(d, xor(s, q)), add(xor(xor(a, b), c), xor(mload(p), mload(add(p, 32)))))
                d := mul(and(d, LOW), TWICE)
                h := mul(and(xor(xor(h, shr(23, h)), shr(15, h)), LOW), TWICE)
                b := shr(23, b)
                f := shr(13, f)
                q := shr(20, d)
                s := shr(25, mul(and(add(add(q, h), shr(sub(t, 1), EARLY)), LOW), TWICE))
                g := mul(and(add(add(g, s), add(xor(xor(h, e), f), mload(add(p, 8)))), LOW), TWICE)
                c := add(add(c, xor(s, q)), add(xor(xor(d, a), b), xor(mload(add(p, 8)), mload(add(p, 40)))))
                c := mul(and(c, LOW), TWICE)
                g := mul(and(xor(xor(g, shr(23, g)), shr(15, g)), LOW), TWICE)
                a := shr(23, a)
                e := shr(13, e)
                q := shr(20, c)
                s := shr(25, mul(and(add(add(q, g), shr(sub(t, 2), EARLY)), LOW), TWICE))
                f := mul(and(add(add(f, s), add(xor(xor(g, h), e), mload(add(p, 16)))), LOW), TWICE)
                b := add(add(b, xor(s, q)), add(xor(xor(c, d), a), xor(mload(add(p, 16)), mload(add(p, 48)))))
                b := mul(and(b, LOW), TWICE)
                f := mul(and(xor(xor(f, shr(23, f)), shr(15, f)), LOW), TWICE)
                d := shr(23, d)
                h := shr(13, h)
                q := shr(20, b)
                s := shr(25, mul(and(add(add(q, f), shr(sub(t, 3), EARLY)), LOW), TWICE))
                e := mul(and(add(add(e, s), add(xor(xor(f, g), h), mload(add(p, 24)))), LOW), TWICE)
                a := add(add(a, xor(s, q)), add(xor(xor(b, c), d), xor(mload(add(p, 24)), mload(add(p, 56)))))
                a := mul(and(a, LOW), TWICE)
                e := mul(and(xor(xor(e, shr(23, e)), shr(15, e)), LOW), TWICE)
                c := shr(23, c)
                g := shr(13, g)
                p := add(p, 32)
            }
            for {} t { t := sub(t, 4) } {
                q := shr(20, a)
                s := shr(25, mul(and(add(add(q, e), shr(t, LATE)), LOW), TWICE))
                h := mul(and(add(add(h, s), add(xor(g, and(e, xor(f, g))), mload(p))), LOW), TWICE)
                d := add(add(d, xor(s, q)), add(or(and(a, or(b, c)), and(b, c)), xor(mload(p), mload(add(p, 32)))))
                d := mul(and(d, LOW), TWICE)
                h := mul(and(xor(xor(h, shr(23, h)), shr(15, h)), LOW), TWICE)
                b := shr(23, b)
                f := shr(13, f)
                q := shr(20, d)
                s := shr(25, mul(and(add(add(q, h), shr(sub(t, 1), LATE)), LOW), TWICE))
                g := mul(and(add(add(g, s), add(xor(f, and(h, xor(e, f))), mload(add(p, 8)))), LOW), TWICE)
                c := add(add(c, xor(s, q)), add(or(and(d, or(a, b)), and(a, b)), xor(mload(add(p, 8)), mload(add(p, 40)))))
                c := mul(and(c, LOW), TWICE)
                g := mul(and(xor(xor(g, shr(23, g)), shr(15, g)), LOW), TWICE)
                a := shr(23, a)
                e := shr(13, e)
                q := shr(20, c)
                s := shr(25, mul(and(add(add(q, g), shr(sub(t, 2), LATE)), LOW), TWICE))
                f := mul(and(add(add(f, s), add(xor(e, and(g, xor(h, e))), mload(add(p, 16)))), LOW), TWICE)
                b := add(add(b, xor(s, q)), add(or(and(c, or(d, a)), and(d, a)), xor(mload(add(p, 16)), mload(add(p, 48)))))
                b := mul(and(b, LOW), TWICE)
                f := mul(and(xor(xor(f, shr(23, f)), shr(15, f)), LOW), TWICE)
                d := shr(23, d)
                h := shr(13, h)
                q := shr(20, b)
                s := shr(25, mul(and(add(add(q, f), shr(sub(t, 3), LATE)), LOW), TWICE))
                e := mul(and(add(add(e, s), add(xor(h, and(f, xor(g, h))), mload(add(p, 24)))), LOW), TWICE)
                a := add(add(a, xor(s, q)), add(or(and(b, or(c, d)), and(c, d)), xor(mload(add(p, 24)), mload(add(p, 56)))))
                a := mul(and(a, LOW), TWICE)
                e := mul(and(xor(xor(e, shr(23, e)), shr(15, e)), LOW), TWICE)
                c := shr(23, c)
                g := shr(13, g)
                p := add(p, 32)
            }
            mixed := or(shl(224, and(a, LOW)), shl(192, and(b, LOW)))
            mixed := or(mixed, or(shl(160, and(c, LOW)), shl(128, and(d, LOW))))
            mixed := or(mixed, or(shl(96, and(e, LOW)), shl(64, and(f, LOW))))
            mixed := or(mixed, or(shl(32, and(g, LOW)), and(h, LOW)))
        }
    }
}
