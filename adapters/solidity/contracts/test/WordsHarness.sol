// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim, Settled} from "../Interfaces.sol";
import {Words} from "../base/Words.sol";
import {EvmSuite} from "../hashing/EvmSuite.sol";
import {IHash} from "../hashing/IHash.sol";
import {SmSuite} from "../hashing/SmSuite.sol";

/// @title The protocol's hashes, open to tests
abstract contract OpenWords is Words {
    /// Ids of many messages with their outcomes, and the two heads that they fold to.
    function entries(bytes32 laneId, Settled[] calldata settled)
        external
        view
        returns (bytes32[] memory messageIds, bytes32[] memory outcomeIds, bytes32 outbox, bytes32 outcomes)
    {
        messageIds = new bytes32[](settled.length);
        outcomeIds = new bytes32[](settled.length);
        outbox = laneId;
        outcomes = _outcomesGenesis(laneId);
        for (uint256 i = 0; i < settled.length; ++i) {
            messageIds[i] = _messageId(laneId, settled[i].message);
            outcomeIds[i] = _outcomeId(messageIds[i], settled[i].status, _hashCalldata(settled[i].result));
            outbox = _step(outbox, messageIds[i]);
            outcomes = _step(outcomes, outcomeIds[i]);
        }
    }

    function outcome(bytes32 messageId, uint8 status, bytes calldata result) external view returns (bytes32) {
        return _outcomeId(messageId, status, _hashCalldata(result));
    }

    function foldAll(bytes32 head, bytes32[] calldata ids) external view returns (bytes32) {
        return _stepAll(head, ids);
    }

    function outcomesGenesis(bytes32 laneId) external view returns (bytes32) {
        return _outcomesGenesis(laneId);
    }

    function nameLane(
        string calldata hub,
        bytes32 sourceChain,
        bytes calldata sourceGateway,
        bytes32 destinationChain,
        bytes calldata destinationGateway,
        string calldata channel
    ) external view returns (bytes32) {
        return _nameLane(hub, sourceChain, sourceGateway, destinationChain, destinationGateway, channel);
    }

    function attestation(
        bytes32 chainWord,
        bytes32 gatewayHash,
        bytes32 verifierHash,
        uint64 epoch,
        Claim calldata claim
    ) external view returns (bytes32) {
        return _attestation(chainWord, gatewayHash, verifierHash, epoch, claim);
    }
}

contract WordsHarness is EvmSuite, OpenWords {}

contract WordsHarnessSm is SmSuite, OpenWords {
    constructor(IHash hashing) SmSuite(hashing) {}
}
