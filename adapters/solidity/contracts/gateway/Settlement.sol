// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim, IGateway, ISender, Message, Settled} from "../Interfaces.sol";
import {
    CallbackFailedAgain,
    NeverSent,
    NonceGap,
    NothingNew,
    NothingToRetry,
    OutcomeMalformed,
    PayloadGiven
} from "../Errors.sol";
import {Claims} from "./Claims.sol";
import {Outbox} from "./Outbox.sol";

/// @title The source end again: settle and retry
/// @notice Source: docs/protocol.md, section What a gateway does (3). A callback that fails is kept and never stops the
/// settlement. An outcome proves what the destination said, not that the message was ours.
abstract contract Settlement is Claims, Outbox {
    mapping(bytes32 outcomeId => bool) public override callbackFailed;

    /// @inheritdoc IGateway
    function settle(
        bytes32 laneId,
        Settled[] calldata settled,
        bytes32[] calldata suffixIds,
        Claim calldata claim,
        bytes calldata proof
    ) external override relayed(laneId) {
        Lane storage state = _at(laneId, SOURCE);
        uint64 consumed = state.consumed;
        uint256 first = 0;
        while (first < settled.length && settled[first].message.nonce <= consumed) ++first;
        if (first == settled.length) revert NothingNew(consumed);
        (bytes32[] memory messageIds, bytes32[] memory outcomeIds, bytes32 head) =
            _fold(laneId, settled, first, consumed);
        consumed += uint64(messageIds.length);
        _consume(laneId, state, consumed, head, suffixIds, claim, proof);
        if (claim.nonce > uint64(state.page)) revert NeverSent(uint64(state.page), claim.nonce);
        state.consumed = consumed;
        _settledHeads[laneId] = head;
        emit HeadMoved(laneId, 3, consumed, head);
        _callBack(laneId, settled, first, messageIds, outcomeIds);
    }

    /// @inheritdoc IGateway
    function retry(bytes32 laneId, Settled calldata entry) external override relayed(laneId) {
        _at(laneId, SOURCE);
        (bytes32 messageId, bytes32 outcomeId) = _ids(laneId, entry);
        if (!callbackFailed[outcomeId]) revert NothingToRetry(outcomeId);
        delete callbackFailed[outcomeId];
        _requireGas(entry.message.nonce, entry.message.callbackGas);
        if (!_call(laneId, entry, messageId, gasleft())) revert CallbackFailedAgain(outcomeId);
        emit CallbackRetried(laneId, entry.message.nonce, outcomeId);
    }

    function _fold(bytes32 laneId, Settled[] calldata settled, uint256 first, uint64 consumed)
        private
        view
        returns (bytes32[] memory messageIds, bytes32[] memory outcomeIds, bytes32 head)
    {
        uint256 count = settled.length - first;
        messageIds = new bytes32[](count);
        outcomeIds = new bytes32[](count);
        head = _settledHeads[laneId];
        unchecked {
            for (uint256 i = 0; i < count; ++i) {
                Settled calldata entry = settled[first + i];
                uint64 nonce = entry.message.nonce;
                if (nonce != ++consumed) revert NonceGap(consumed, nonce);
                (messageIds[i], outcomeIds[i]) = _ids(laneId, entry);
                head = _step(head, outcomeIds[i]);
            }
        }
    }

    function _ids(bytes32 laneId, Settled calldata entry) private view returns (bytes32 messageId, bytes32 outcomeId) {
        Message calldata message = entry.message;
        uint256 status = entry.status;
        if (message.payload.length != 0) revert PayloadGiven(message.nonce);
        if (status == 0 || status > 4 || entry.result.length > 256) revert OutcomeMalformed(message.nonce);
        messageId = _messageId(laneId, message);
        outcomeId = _outcomeId(messageId, status, _hashCalldata(entry.result));
    }

    function _callBack(
        bytes32 laneId,
        Settled[] calldata settled,
        uint256 first,
        bytes32[] memory messageIds,
        bytes32[] memory outcomeIds
    ) private {
        for (uint256 i = 0; i < messageIds.length; ++i) {
            Settled calldata entry = settled[first + i];
            uint64 callbackGas = entry.message.callbackGas;
            if (callbackGas == 0) continue;
            if (!_call(laneId, entry, messageIds[i], callbackGas)) {
                callbackFailed[outcomeIds[i]] = true;
                emit CallbackFailed(laneId, entry.message.nonce, outcomeIds[i]);
            }
        }
    }

    /// Calls the sender back; nothing that it returns is copied.
    function _call(bytes32 laneId, Settled calldata entry, bytes32 messageId, uint256 callbackGas)
        private
        returns (bool success)
    {
        if (entry.message.sender.length != 20) return false;
        address sender = address(bytes20(entry.message.sender));
        if (sender.code.length == 0) return false;
        bytes memory data = abi.encodeCall(ISender.onOutcome, (laneId, messageId, entry.status, entry.result));
        _requireGas(entry.message.nonce, entry.message.callbackGas);
        assembly ("memory-safe") {
            success := call(callbackGas, sender, 0, add(data, 0x20), mload(data), 0, 0)
        }
    }
}
