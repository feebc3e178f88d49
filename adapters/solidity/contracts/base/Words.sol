// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim, Message} from "../Interfaces.sol";

/// @title The protocol's ids, heads and digests, in whatever suite the contract is built for
/// @notice Hashes of concatenated 32-byte words; source: docs/protocol.md, section Words and tags. The words are laid out
/// behind the free memory pointer, which stays where it is. A suite gives H and its tags (EvmSuite, SmSuite).
abstract contract Words {
    /// H of `size` bytes of memory; `start` is at least 0x80, and the word before it is as it was afterwards.
    function _hash(uint256 start, uint256 size) internal view virtual returns (bytes32);

    function _tagLane() internal pure virtual returns (bytes32);
    function _tagMessage() internal pure virtual returns (bytes32);
    function _tagOutcome() internal pure virtual returns (bytes32);
    function _tagOutcomes() internal pure virtual returns (bytes32);
    function _tagStep() internal pure virtual returns (bytes32);
    function _tagAttestation() internal pure virtual returns (bytes32);

    /// Whether a lane's suite is the one that this contract computes in.
    function _isSuite(string memory suite) internal pure virtual returns (bool);

    /// Writes `bytes` as the ABI does, padded with zeros to whole words; returns where it ends.
    function _append(uint256 place, bytes calldata data) internal pure returns (uint256 end) {
        assembly ("memory-safe") {
            mstore(place, data.length)
            end := add(add(place, 0x20), and(add(data.length, 31), not(31)))
            if data.length { mstore(sub(end, 0x20), 0) }
            calldatacopy(add(place, 0x20), data.offset, data.length)
        }
    }

    function _hashCalldata(bytes calldata data) internal view returns (bytes32) {
        uint256 words;
        assembly ("memory-safe") {
            words := mload(0x40)
            calldatacopy(words, data.offset, data.length)
        }
        return _hash(words, data.length);
    }

    function _hashBytes(bytes memory data) internal view returns (bytes32) {
        uint256 start;
        assembly ("memory-safe") {
            start := add(data, 0x20)
        }
        return _hash(start, data.length);
    }

    function _hashAddress(address account) internal view returns (bytes32) {
        uint256 words;
        assembly ("memory-safe") {
            words := mload(0x40)
            mstore(words, shl(96, account))
        }
        return _hash(words, 20);
    }

    /// The id of a message as it lies in calldata, with the hash that it gives of its payload. The words are taken raw: one
    /// that is no unsigned 64-bit integer gives an id that no source ever folded.
    function _messageId(bytes32 laneId, Message calldata message) internal view returns (bytes32) {
        bytes32 senderHash = _hashTail(message, 0x20);
        bytes32 receiverHash = _hashTail(message, 0x40);
        bytes32 tag = _tagMessage();
        uint256 words;
        assembly ("memory-safe") {
            words := mload(0x40)
            mstore(words, tag)
            mstore(add(words, 0x20), laneId)
            mstore(add(words, 0x40), calldataload(message))
            mstore(add(words, 0x60), senderHash)
            mstore(add(words, 0x80), receiverHash)
            calldatacopy(add(words, 0xa0), add(message, 0x60), 0xa0) // expiresAt to payloadHash stand in the id's order
        }
        return _hash(words, 0x140);
    }

    function _messageId(
        bytes32 laneId,
        uint256 nonce,
        bytes32 senderHash,
        bytes32 receiverHash,
        uint256 expiresAt,
        uint256 gasLimit,
        uint256 callbackGas,
        uint256 payloadLength,
        bytes32 payloadHash
    ) internal view returns (bytes32) {
        bytes32 tag = _tagMessage();
        uint256 words;
        assembly ("memory-safe") {
            words := mload(0x40)
            mstore(words, tag)
            mstore(add(words, 0x20), laneId)
            mstore(add(words, 0x40), nonce)
            mstore(add(words, 0x60), senderHash)
            mstore(add(words, 0x80), receiverHash)
            mstore(add(words, 0xa0), expiresAt)
            mstore(add(words, 0xc0), gasLimit)
            mstore(add(words, 0xe0), callbackGas)
            mstore(add(words, 0x100), payloadLength)
            mstore(add(words, 0x120), payloadHash)
        }
        return _hash(words, 0x140);
    }

    function _outcomeId(bytes32 message, uint256 status, bytes32 resultHash) internal view returns (bytes32) {
        bytes32 tag = _tagOutcome();
        uint256 words;
        assembly ("memory-safe") {
            words := mload(0x40)
            mstore(words, tag)
            mstore(add(words, 0x20), message)
            mstore(add(words, 0x40), status)
            mstore(add(words, 0x60), resultHash)
        }
        return _hash(words, 0x80);
    }

    function _step(bytes32 head, bytes32 entryId) internal view returns (bytes32) {
        bytes32 tag = _tagStep();
        uint256 words;
        assembly ("memory-safe") {
            words := mload(0x40)
            mstore(words, tag)
            mstore(add(words, 0x20), head)
            mstore(add(words, 0x40), entryId)
        }
        return _hash(words, 0x60);
    }

    function _stepAll(bytes32 head, bytes32[] calldata ids) internal view returns (bytes32 last) {
        last = head;
        for (uint256 i = 0; i < ids.length; ++i) {
            last = _step(last, ids[i]);
        }
    }

    function _outcomesGenesis(bytes32 laneId) internal view returns (bytes32) {
        return _hashBytes(abi.encode(_tagOutcomes(), laneId, uint256(0)));
    }

    function _nameLane(
        string memory hub,
        bytes32 sourceChain,
        bytes memory sourceGateway,
        bytes32 destinationChain,
        bytes memory destinationGateway,
        string memory channel
    ) internal view returns (bytes32) {
        return _hashBytes(
            abi.encode(
                _tagLane(),
                _hashBytes(bytes(hub)),
                sourceChain,
                _hashBytes(sourceGateway),
                destinationChain,
                _hashBytes(destinationGateway),
                _hashBytes(bytes(channel))
            )
        );
    }

    function _attestation(
        bytes32 chainWord,
        bytes32 gatewayHash,
        bytes32 verifierHash,
        uint64 epoch,
        Claim calldata claim
    ) internal view returns (bytes32) {
        return _hashBytes(
            abi.encode(
                _tagAttestation(),
                chainWord,
                gatewayHash,
                verifierHash,
                epoch,
                claim.laneId,
                claim.direction,
                claim.nonce,
                claim.head,
                claim.height,
                claim.blockHash
            )
        );
    }

    /// H of the `bytes` whose offset stands at this place of a message.
    function _hashTail(Message calldata message, uint256 field) private view returns (bytes32) {
        uint256 words;
        uint256 length;
        assembly ("memory-safe") {
            let place := add(message, calldataload(add(message, field)))
            length := calldataload(place)
            words := mload(0x40)
            calldatacopy(words, add(place, 0x20), length)
        }
        return _hash(words, length);
    }
}
