// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim, Settled} from "../Interfaces.sol";
import {Words} from "../base/Words.sol";

/// @title The library's hashes, open to tests
contract WordsHarness {
    /// Ids of many messages with their outcomes, and the two heads that they fold to.
    function entries(bytes32 laneId, Settled[] calldata settled)
        external
        pure
        returns (bytes32[] memory messageIds, bytes32[] memory outcomeIds, bytes32 outbox, bytes32 outcomes)
    {
        messageIds = new bytes32[](settled.length);
        outcomeIds = new bytes32[](settled.length);
        outbox = laneId;
        outcomes = Words.outcomesGenesis(laneId);
        for (uint256 i = 0; i < settled.length; ++i) {
            messageIds[i] = Words.messageId(laneId, settled[i].message);
            outcomeIds[i] = Words.outcomeId(messageIds[i], settled[i].status, Words.hash(settled[i].result));
            outbox = Words.fold(outbox, messageIds[i]);
            outcomes = Words.fold(outcomes, outcomeIds[i]);
        }
    }

    function outcome(bytes32 messageId, uint8 status, bytes calldata result) external pure returns (bytes32) {
        return Words.outcomeId(messageId, status, Words.hash(result));
    }

    function foldAll(bytes32 head, bytes32[] calldata ids) external pure returns (bytes32) {
        return Words.foldAll(head, ids);
    }

    function outcomesGenesis(bytes32 laneId) external pure returns (bytes32) {
        return Words.outcomesGenesis(laneId);
    }

    function nameLane(
        string calldata hub,
        bytes32 sourceChain,
        bytes calldata sourceGateway,
        bytes32 destinationChain,
        bytes calldata destinationGateway,
        string calldata channel
    ) external pure returns (bytes32) {
        return Words.nameLane(hub, sourceChain, sourceGateway, destinationChain, destinationGateway, channel);
    }

    function attestation(
        bytes32 chainWord,
        bytes32 gatewayHash,
        bytes32 verifierHash,
        uint64 epoch,
        Claim calldata claim
    ) external pure returns (bytes32) {
        return Words.attestation(chainWord, gatewayHash, verifierHash, epoch, claim);
    }
}
