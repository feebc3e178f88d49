// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ProofIncomplete, ProofNodeMalformed, ProofNodeMismatch, ProofNodesUnused, RlpMalformed} from "../Errors.sol";
import {Rlp} from "./Rlp.sol";

/// @title Merkle-Patricia proofs of presence and absence (Ethereum yellow paper, appendix D)
/// @notice Every node on the path hashes to the reference in its parent, the first one to the root however short it is; a child
/// below 32 bytes is inlined and has no proof element of its own, a longer one never is inlined; no node is left over.
library Patricia {
    bytes32 internal constant EMPTY_ROOT = 0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421;
    uint256 private constant BRANCH = 17;

    /// @param places where the node's items begin.
    struct Walk {
        uint256 start; // of the present node's content
        uint256 end;
        uint256 used; // proof elements
        uint256 position; // nibbles of the key that lie behind
        uint256[17] places; // of the node's items
    }

    /// @param key of any length; for the state and storage tries a hash.
    /// @param proof the encoded nodes from the root down.
    /// @return start where the value begins in memory.
    /// @return size its bytes; 0 where the proof shows that there is none.
    function find(bytes32 root, bytes memory key, bytes[] memory proof)
        internal
        pure
        returns (uint256 start, uint256 size)
    {
        if (root == EMPTY_ROOT && _showsEmpty(proof)) return (0, 0);
        Walk memory walk;
        _openHashed(walk, root, proof);
        while (true) {
            uint256 items = _index(walk);
            bool ended;
            bool present;
            uint256 child;
            if (items == BRANCH) {
                (ended, present, child) = _branch(walk, key);
            } else if (items == 2) {
                (ended, present, child) = _shortNode(walk, key);
            } else {
                revert ProofNodeMalformed();
            }
            if (ended) {
                if (walk.used != proof.length) revert ProofNodesUnused(walk.used, proof.length);
                return present ? _value(child, walk.end) : (uint256(0), uint256(0));
            }
            _descend(walk, child, proof);
        }
    }

    function _showsEmpty(bytes[] memory proof) private pure returns (bool) {
        return proof.length == 0 || (proof.length == 1 && proof[0].length == 1 && proof[0][0] == 0x80);
    }

    function _openHashed(Walk memory walk, bytes32 expected, bytes[] memory proof) private pure {
        uint256 used = walk.used;
        if (used >= proof.length) revert ProofIncomplete(used);
        bytes memory node = proof[used];
        if (keccak256(node) != expected) revert ProofNodeMismatch(used);
        if (used != 0 && node.length < 32) revert ProofNodeMalformed();
        (walk.start, walk.end) = Rlp.list(node);
        unchecked {
            walk.used = used + 1;
        }
    }

    /// Notes where each item of the node begins; returns how many there are (18 for any larger number). Hashes and empty
    /// slots, which are nearly all, are stepped over without reading them as items.
    function _index(Walk memory walk) private pure returns (uint256 items) {
        uint256 place = walk.start;
        uint256 end = walk.end;
        uint256[17] memory places = walk.places;
        unchecked {
            while (place < end) {
                if (items == BRANCH) return BRANCH + 1;
                uint256 prefix;
                assembly ("memory-safe") {
                    mstore(add(places, shl(5, items)), place)
                    prefix := byte(0, mload(place))
                }
                ++items;
                if (prefix == 0xa0) {
                    place += 33;
                } else if (prefix == 0x80) {
                    ++place;
                } else {
                    (bool isList, uint256 start, uint256 size) = Rlp.item(place, end);
                    place = start + size;
                    if (isList) Rlp.count(start, place, 1);
                }
            }
        }
        if (place != end) revert RlpMalformed();
    }

    function _branch(Walk memory walk, bytes memory key)
        private
        pure
        returns (bool ended, bool present, uint256 child)
    {
        uint256 position = walk.position;
        if (position == 2 * key.length) return (true, true, walk.places[16]);
        child = walk.places[_nibble(key, position)];
        walk.position = position + 1;
        (bool isList,, uint256 size) = Rlp.item(child, walk.end);
        ended = !isList && size == 0;
    }

    /// A leaf or an extension.
    function _shortNode(Walk memory walk, bytes memory key)
        private
        pure
        returns (bool ended, bool present, uint256 child)
    {
        (bool isList, uint256 start, uint256 size) = Rlp.item(walk.places[0], walk.end);
        if (isList || size == 0) revert ProofNodeMalformed();
        uint256 first = _byteAt(start);
        uint256 flag = first >> 4;
        bool odd = flag & 1 == 1;
        bool leaf = flag & 2 == 2;
        if (flag > 3 || (!odd && first != flag << 4)) revert ProofNodeMalformed();
        uint256 nibbles = 2 * size - (odd ? 1 : 2);
        if (!leaf && nibbles == 0) revert ProofNodeMalformed();
        child = walk.places[1];
        (isList,, size) = Rlp.item(child, walk.end);
        if (!isList && size == 0) revert ProofNodeMalformed();
        bool along = _runsAlong(key, walk.position, start, odd ? 1 : 2, nibbles);
        walk.position += nibbles;
        ended = leaf || !along;
        present = leaf && along && walk.position == 2 * key.length;
    }

    /// Whether the next nibbles of the key are those of a partial path that begins `skipped` nibbles behind `start`. Where
    /// both stand alike in their bytes, as at every leaf, whole words are compared.
    function _runsAlong(bytes memory key, uint256 position, uint256 start, uint256 skipped, uint256 nibbles)
        private
        pure
        returns (bool)
    {
        if (position + nibbles > 2 * key.length) return false;
        unchecked {
            uint256 single = (position ^ skipped) & 1 == 1 ? nibbles : skipped & 1;
            for (uint256 i = 0; i < single; ++i) {
                uint256 place = skipped + i;
                uint256 value = (_byteAt(start + place / 2) >> (place & 1 == 0 ? 4 : 0)) & 15;
                if (value != _nibble(key, position + i)) return false;
            }
            return _sameBytes(key, (position + single) / 2, start + 1, (nibbles - single) / 2);
        }
    }

    function _sameBytes(bytes memory key, uint256 from, uint256 place, uint256 size) private pure returns (bool same) {
        assembly ("memory-safe") {
            let other := add(add(key, 0x20), from)
            same := 1
            for { let at := 0 } lt(at, size) { at := add(at, 0x20) } {
                let difference := xor(mload(add(other, at)), mload(add(place, at)))
                let rest := sub(size, at)
                if lt(rest, 0x20) { difference := shr(shl(3, sub(0x20, rest)), difference) }
                if difference { same := 0 }
            }
        }
    }

    function _descend(Walk memory walk, uint256 child, bytes[] memory proof) private pure {
        (bool isList, uint256 start, uint256 size) = Rlp.item(child, walk.end);
        unchecked {
            if (isList) {
                if (start + size - child >= 32) revert ProofNodeMalformed();
                (walk.start, walk.end) = (start, start + size);
                return;
            }
        }
        if (size != 32) revert ProofNodeMalformed();
        bytes32 expected;
        assembly ("memory-safe") {
            expected := mload(start)
        }
        _openHashed(walk, expected, proof);
    }

    function _value(uint256 place, uint256 end) private pure returns (uint256 start, uint256 size) {
        bool isList;
        (isList, start, size) = Rlp.item(place, end);
        if (isList) revert ProofNodeMalformed();
    }

    function _nibble(bytes memory key, uint256 position) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := byte(0, mload(add(add(key, 0x20), shr(1, position))))
            switch and(position, 1)
            case 0 { value := shr(4, value) }
            default { value := and(value, 15) }
        }
    }

    function _byteAt(uint256 place) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := byte(0, mload(place))
        }
    }
}
