// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ExtraMalformed, HeaderMalformed, ValidatorsUnfit} from "../Errors.sol";
import {Rlp} from "./Rlp.sol";

/// A header of a QBFT ledger that was read and not yet judged.
struct Header {
    bytes32 parentHash;
    address coinbase;
    bytes32 stateRoot;
    uint64 height;
    uint64 timestamp;
    bytes32 blockHash; // with round 0: what children and users name
    bytes32 sealDigest; // with its round: what validators sign
    address[] validators; // ascending
    bytes32 validatorsHash;
    bool votes;
    address subject;
    bool add;
}

/// @title Reading QBFT headers as their validators signed them
/// @notice Source: Besu QbftExtraDataCodec, BftBlockHashing; GoQuorum core/types/istanbul.go; yellow paper, section 4.4. Item 12,
/// the extra data, is an RLP list of vanity, validators, vote, round and seals; the seals' list is empty here, so that the
/// digest of the seals is the hash of the bytes. The block hash is the same with round 0.
library Headers {
    bytes32 private constant MARK = 0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365;
    uint256 private constant MAXIMUM_VALIDATORS = 256;
    uint256 private constant MAXIMUM_ROUND = 2 ** 31 - 1;

    /// Places in memory from which the header with round 0 is made.
    struct Cut {
        uint256 start; // the header's first item
        uint256 extra; // the extra data's item
        uint256 extraStart; // the extra data's first item
        uint256 roundAt; // the round's item
        uint256 tail; // behind the extra data
        uint256 end;
    }

    function read(bytes memory encoded) internal pure returns (Header memory header) {
        Cut memory cut;
        (cut.start, cut.end) = Rlp.list(encoded);
        cut.extra = _readFront(header, cut.start, cut.end);
        (bool isList, uint256 start, uint256 size) = Rlp.item(cut.extra, cut.end);
        if (isList) revert HeaderMalformed(12);
        unchecked {
            cut.tail = start + size;
        }
        uint256 round = _readExtra(header, cut, start);
        _checkBack(cut.tail, cut.end);
        header.sealDigest = keccak256(encoded);
        header.blockHash = round == 0 ? header.sealDigest : _hashOfRoundZero(cut);
    }

    /// Items 0 to 11; returns where item 12 begins.
    function _readFront(Header memory header, uint256 place, uint256 end) private pure returns (uint256) {
        (header.parentHash, place) = _word(place, end, 0);
        (, place) = _word(place, end, 1);
        uint256 start;
        (start, place) = _fixed(place, end, 20, 2);
        assembly ("memory-safe") {
            mstore(add(header, 0x20), shr(96, mload(start)))
        }
        (header.stateRoot, place) = _word(place, end, 3);
        (, place) = _word(place, end, 4);
        (, place) = _word(place, end, 5);
        (, place) = _fixed(place, end, 256, 6);
        uint256 value;
        (value, place) = Rlp.integer(place, end, 32);
        if (value != 1) revert HeaderMalformed(7);
        (value, place) = Rlp.integer(place, end, 8);
        header.height = uint64(value);
        (, place) = Rlp.integer(place, end, 32);
        (, place) = Rlp.integer(place, end, 32);
        (value, place) = Rlp.integer(place, end, 8);
        header.timestamp = uint64(value);
        return place;
    }

    /// Items 13 to 20; those from 15 on came with later forks, in this order.
    function _checkBack(uint256 place, uint256 end) private pure {
        bytes32 mark;
        (mark, place) = _word(place, end, 13);
        if (mark != MARK) revert HeaderMalformed(13);
        (, place) = _fixed(place, end, 8, 14);
        for (uint256 index = 15; place < end; ++index) {
            if (index == 15 || index == 17 || index == 18) {
                (, place) = Rlp.integer(place, end, 32);
            } else if (index < 21) {
                (, place) = _word(place, end, index);
            } else {
                revert HeaderMalformed(index);
            }
        }
    }

    /// The extra data from `place` to `cut.tail`; returns the round.
    function _readExtra(Header memory header, Cut memory cut, uint256 place) private pure returns (uint256 round) {
        uint256 end = cut.tail;
        place = Rlp.listWithin(place, end);
        cut.extraStart = place;
        (bool isList, uint256 start, uint256 size) = Rlp.item(place, end);
        if (isList || size != 32) revert ExtraMalformed();
        unchecked {
            (isList, start, size) = Rlp.item(start + size, end);
            if (!isList) revert ExtraMalformed();
            _readValidators(header, start, size);
            (isList, start, size) = Rlp.item(start + size, end);
            if (!isList) revert ExtraMalformed();
            if (size != 0) _readVote(header, start, start + size);
            cut.roundAt = start + size;
        }
        (round, place) = Rlp.integer(cut.roundAt, end, 4);
        if (round > MAXIMUM_ROUND) revert ExtraMalformed();
        (isList, start, size) = Rlp.item(place, end);
        if (!isList || size != 0 || start != end) revert ExtraMalformed();
    }

    function _readValidators(Header memory header, uint256 start, uint256 size) private pure {
        unchecked {
            uint256 count = size / 21;
            if (size % 21 != 0) revert ExtraMalformed();
            if (count == 0 || count > MAXIMUM_VALIDATORS) revert ValidatorsUnfit(count);
            address[] memory validators = new address[](count);
            for (uint256 i = 0; i < count; ++i) {
                uint256 entry;
                assembly ("memory-safe") {
                    entry := shr(88, mload(start)) // prefix and address
                }
                if (entry >> 160 != 0x94) revert ExtraMalformed();
                validators[i] = address(uint160(entry));
                if (i != 0 && validators[i - 1] >= validators[i]) revert ValidatorsUnfit(count);
                start += 21;
            }
            header.validators = validators;
            header.validatorsHash = hashOf(validators);
        }
    }

    /// keccak256 of the addresses as 32-byte words.
    function hashOf(address[] memory validators) internal pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            digest := keccak256(add(validators, 0x20), shl(5, mload(validators)))
        }
    }

    function _readVote(Header memory header, uint256 place, uint256 end) private pure {
        (bool isList, uint256 start, uint256 size) = Rlp.item(place, end);
        if (isList || size != 20) revert ExtraMalformed();
        address subject;
        assembly ("memory-safe") {
            subject := shr(96, mload(start))
        }
        uint256 kind;
        (kind, place) = Rlp.integer(start + size, end, 1);
        if (place != end || (kind != 0 && kind != 0xff)) revert ExtraMalformed();
        (header.votes, header.subject, header.add) = (true, subject, kind == 0xff);
    }

    function _word(uint256 place, uint256 end, uint256 index) private pure returns (bytes32 word, uint256 next) {
        (place, next) = _fixed(place, end, 32, index);
        assembly ("memory-safe") {
            word := mload(place)
        }
    }

    function _fixed(uint256 place, uint256 end, uint256 width, uint256 index)
        private
        pure
        returns (uint256 start, uint256 next)
    {
        bool isList;
        uint256 size;
        (isList, start, size) = Rlp.item(place, end);
        if (isList || size != width) revert HeaderMalformed(index);
        unchecked {
            next = start + size;
        }
    }

    /// The header with round 0, written behind the free memory and hashed there.
    function _hashOfRoundZero(Cut memory cut) private pure returns (bytes32 digest) {
        unchecked {
            uint256 kept = cut.roundAt - cut.extraStart;
            uint256 extraSize = _prefixSize(kept + 2) + kept + 2;
            uint256 front = cut.extra - cut.start;
            uint256 back = cut.end - cut.tail;
            uint256 begin;
            assembly ("memory-safe") {
                begin := mload(0x40)
            }
            uint256 place = _writePrefix(begin, 0xc0, front + _prefixSize(extraSize) + extraSize + back);
            place = _copy(place, cut.start, front);
            place = _writePrefix(place, 0x80, extraSize);
            place = _writePrefix(place, 0xc0, kept + 2);
            place = _copy(place, cut.extraStart, kept);
            assembly ("memory-safe") {
                mstore8(place, 0x80) // round 0
                mstore8(add(place, 1), 0xc0) // no seals
            }
            place = _copy(place + 2, cut.tail, back);
            assembly ("memory-safe") {
                digest := keccak256(begin, sub(place, begin))
            }
        }
    }

    function _prefixSize(uint256 size) private pure returns (uint256) {
        if (size < 56) return 1;
        if (size < 0x100) return 2;
        return size < 0x10000 ? 3 : 4;
    }

    function _writePrefix(uint256 place, uint256 offset, uint256 size) private pure returns (uint256) {
        unchecked {
            uint256 more = _prefixSize(size) - 1;
            uint256 prefix = more == 0 ? offset + size : ((offset + 55 + more) << (8 * more)) | size;
            assembly ("memory-safe") {
                mstore(place, shl(sub(248, shl(3, more)), prefix))
            }
            return place + 1 + more;
        }
    }

    /// Copies whole words and more than asked; what follows is written later or not read.
    function _copy(uint256 place, uint256 from, uint256 size) private pure returns (uint256) {
        assembly ("memory-safe") {
            for { let at := 0 } lt(at, size) { at := add(at, 0x20) } {
                mstore(add(place, at), mload(add(from, at)))
            }
        }
        unchecked {
            return place + size;
        }
    }
}
