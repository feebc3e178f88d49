// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim, Message} from "../Interfaces.sol";
import {HashNotKeccak} from "../Errors.sol";

/// @title The protocol's ids, heads and digests in the suite `evm` (H is Keccak-256)
/// @notice Hashes of concatenated 32-byte words; source: docs/protocol.md, section Words and tags. The words are laid out
/// behind the free memory pointer, which stays where it is.
library Words {
    bytes32 internal constant SUITE = keccak256("evm");
    bytes32 internal constant TAG_LANE = keccak256("relayhub/evm/lane/v1");
    bytes32 internal constant TAG_MESSAGE = keccak256("relayhub/evm/message/v1");
    bytes32 internal constant TAG_OUTCOME = keccak256("relayhub/evm/outcome/v1");
    bytes32 internal constant TAG_OUTCOMES = keccak256("relayhub/evm/outcomes/v1");
    bytes32 internal constant TAG_STEP = keccak256("relayhub/evm/step/v1");
    bytes32 internal constant TAG_ATTESTATION = keccak256("relayhub/evm/attestation/v1");
    bytes32 private constant HASH_OF_NOTHING = 0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470;

    /// The opcode is asked at deployment: some ledgers compute another hash with it. Only called by constructors, whose
    /// calldata is empty; the compiler cannot fold that.
    function requireKeccak() internal pure {
        bytes32 computed;
        assembly ("memory-safe") {
            computed := keccak256(0, calldatasize())
        }
        if (computed != HASH_OF_NOTHING) revert HashNotKeccak();
    }

    function hash(bytes calldata data) internal pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            let words := mload(0x40)
            calldatacopy(words, data.offset, data.length)
            digest := keccak256(words, data.length)
        }
    }

    /// Writes `bytes` as the ABI does, padded with zeros to whole words; returns where it ends.
    function append(uint256 place, bytes calldata data) internal pure returns (uint256 end) {
        assembly ("memory-safe") {
            mstore(place, data.length)
            end := add(add(place, 0x20), and(add(data.length, 31), not(31)))
            if data.length { mstore(sub(end, 0x20), 0) }
            calldatacopy(add(place, 0x20), data.offset, data.length)
        }
    }

    function hashAddress(address account) internal pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            mstore(0, shl(96, account))
            digest := keccak256(0, 20)
        }
    }

    /// The id of a message as it lies in calldata, with the hash that it gives of its payload. The words are taken raw: one
    /// that is no unsigned 64-bit integer gives an id that no source ever folded.
    function messageId(bytes32 laneId, Message calldata message) internal pure returns (bytes32 id) {
        bytes32 tag = TAG_MESSAGE;
        assembly ("memory-safe") {
            function hashTail(place, scratch) -> digest {
                let length := calldataload(place)
                calldatacopy(scratch, add(place, 0x20), length)
                digest := keccak256(scratch, length)
            }
            let words := mload(0x40)
            let senderHash := hashTail(add(message, calldataload(add(message, 0x20))), words)
            let receiverHash := hashTail(add(message, calldataload(add(message, 0x40))), words)
            mstore(words, tag)
            mstore(add(words, 0x20), laneId)
            mstore(add(words, 0x40), calldataload(message))
            mstore(add(words, 0x60), senderHash)
            mstore(add(words, 0x80), receiverHash)
            calldatacopy(add(words, 0xa0), add(message, 0x60), 0xa0) // expiresAt to payloadHash stand in the id's order
            id := keccak256(words, 0x140)
        }
    }

    function messageId(
        bytes32 laneId,
        uint256 nonce,
        bytes32 senderHash,
        bytes32 receiverHash,
        uint256 expiresAt,
        uint256 gasLimit,
        uint256 callbackGas,
        uint256 payloadLength,
        bytes32 payloadHash
    ) internal pure returns (bytes32 id) {
        bytes32 tag = TAG_MESSAGE;
        assembly ("memory-safe") {
            let words := mload(0x40)
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
            id := keccak256(words, 0x140)
        }
    }

    function outcomeId(bytes32 message, uint256 status, bytes32 resultHash) internal pure returns (bytes32 id) {
        bytes32 tag = TAG_OUTCOME;
        assembly ("memory-safe") {
            let words := mload(0x40)
            mstore(words, tag)
            mstore(add(words, 0x20), message)
            mstore(add(words, 0x40), status)
            mstore(add(words, 0x60), resultHash)
            id := keccak256(words, 0x80)
        }
    }

    function fold(bytes32 head, bytes32 entryId) internal pure returns (bytes32 next) {
        bytes32 tag = TAG_STEP;
        assembly ("memory-safe") {
            let words := mload(0x40)
            mstore(words, tag)
            mstore(add(words, 0x20), head)
            mstore(add(words, 0x40), entryId)
            next := keccak256(words, 0x60)
        }
    }

    function foldAll(bytes32 head, bytes32[] calldata ids) internal pure returns (bytes32 last) {
        last = head;
        for (uint256 i = 0; i < ids.length; ++i) {
            last = fold(last, ids[i]);
        }
    }

    function outcomesGenesis(bytes32 laneId) internal pure returns (bytes32) {
        return keccak256(abi.encode(TAG_OUTCOMES, laneId, uint256(0)));
    }

    function nameLane(
        string memory hub,
        bytes32 sourceChain,
        bytes memory sourceGateway,
        bytes32 destinationChain,
        bytes memory destinationGateway,
        string memory channel
    ) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                TAG_LANE,
                keccak256(bytes(hub)),
                sourceChain,
                keccak256(sourceGateway),
                destinationChain,
                keccak256(destinationGateway),
                keccak256(bytes(channel))
            )
        );
    }

    function attestation(
        bytes32 chainWord,
        bytes32 gatewayHash,
        bytes32 verifierHash,
        uint64 epoch,
        Claim calldata claim
    ) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                TAG_ATTESTATION,
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
}
