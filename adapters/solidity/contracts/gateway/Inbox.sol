// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim, IGateway, IReceiver, Message} from "../Interfaces.sol";
import {NonceGap, NothingNew, PayloadMismatch, PayloadMissing, WindowFull} from "../Errors.sol";
import {Words} from "../base/Words.sol";
import {Claims} from "./Claims.sol";

/// @title The destination end: deliver
/// @notice Source: docs/protocol.md, section What a gateway does (2). A receiver's failure is an outcome, never a jam.
abstract contract Inbox is Claims {
    uint8 private constant EXECUTED = 1;
    uint8 private constant FAILED = 2;
    uint8 private constant EXPIRED = 3;
    uint8 private constant REFUSED = 4;
    uint256 private constant RESULT_MAX_BYTES = 256;

    /// What stays the same while a batch runs.
    struct Batch {
        bytes32 laneId;
        bool closed;
        uint256 maxPayload;
        uint256 maxGas;
        uint64 time;
        uint256 calls;
        bytes result;
    }

    /// @inheritdoc IGateway
    function deliver(
        bytes32 laneId,
        Message[] calldata messages,
        bytes32[] calldata suffixIds,
        Claim calldata claim,
        bytes calldata proof
    ) external override relayed(laneId) {
        Lane storage state = _at(laneId, DESTINATION);
        uint64 consumed = state.consumed;
        uint256 first = 0;
        while (first < messages.length && messages[first].nonce <= consumed) ++first;
        if (first == messages.length) revert NothingNew(consumed);
        (bytes32[] memory ids, bytes32 head) = _fold(laneId, messages, first, consumed);
        consumed += uint64(ids.length);
        _consume(laneId, state, consumed, head, suffixIds, claim, proof);
        state.consumed = consumed;
        _inboxHeads[laneId] = head;
        emit HeadMoved(laneId, 2, consumed, head);
        _outcomeHeads[laneId] = head = _run(laneId, state, messages, first, ids);
        emit HeadMoved(laneId, 1, consumed, head);
    }

    function _fold(bytes32 laneId, Message[] calldata messages, uint256 first, uint64 consumed)
        private
        view
        returns (bytes32[] memory ids, bytes32 head)
    {
        ids = new bytes32[](messages.length - first);
        head = _inboxHeads[laneId];
        unchecked {
            for (uint256 i = 0; i < ids.length; ++i) {
                Message calldata message = messages[first + i];
                if (message.nonce != ++consumed) revert NonceGap(consumed, message.nonce);
                _checkPayload(message);
                bytes32 id = Words.messageId(laneId, message, message.payloadHash);
                ids[i] = id;
                head = Words.fold(head, id);
            }
        }
    }

    /// A payload that is there matches its length and hash; an empty one with a non-zero length travels by hash.
    function _checkPayload(Message calldata message) private pure {
        bytes calldata payload = message.payload;
        if (payload.length == 0 && message.payloadLength != 0) return;
        if (payload.length != message.payloadLength || Words.hash(payload) != message.payloadHash) {
            revert PayloadMismatch(message.nonce);
        }
    }

    function _run(
        bytes32 laneId,
        Lane storage state,
        Message[] calldata messages,
        uint256 first,
        bytes32[] memory ids
    )
        private
        returns (bytes32 head)
    {
        Batch memory batch = Batch({
            laneId: laneId,
            closed: state.closed,
            maxPayload: state.maxPayload,
            maxGas: state.maxGas,
            time: nowSeconds(),
            calls: 0,
            result: new bytes(RESULT_MAX_BYTES)
        });
        head = _outcomeHeads[laneId];
        unchecked {
            for (uint256 i = 0; i < ids.length; ++i) {
                head = Words.fold(head, _deliver(batch, messages[first + i], ids[i]));
            }
        }
        if (batch.calls != 0) _countWindow(laneId, state, batch.calls);
    }

    function _deliver(Batch memory batch, Message calldata message, bytes32 id) private returns (bytes32) {
        bytes memory result = batch.result;
        assembly ("memory-safe") {
            mstore(result, 0)
        }
        uint64 expiresAt = message.expiresAt;
        uint8 status;
        if (expiresAt != 0 && batch.time >= expiresAt) {
            status = EXPIRED;
        } else if (_refuses(batch, message)) {
            status = REFUSED;
        } else {
            if (message.payload.length != message.payloadLength) revert PayloadMissing(message.nonce);
            unchecked {
                ++batch.calls;
            }
            status = _call(batch.laneId, message, id, result) ? EXECUTED : FAILED;
        }
        emit MessageDelivered(batch.laneId, message.nonce, id, status, result);
        bytes32 resultHash;
        assembly ("memory-safe") {
            resultHash := keccak256(add(result, 0x20), mload(result))
        }
        return Words.outcomeId(id, status, resultHash);
    }

    /// Over a cap, not allowed (a closed lane allows nobody), or a receiver without code.
    function _refuses(Batch memory batch, Message calldata message) private view returns (bool) {
        if (batch.closed || message.gasLimit > batch.maxGas || message.payloadLength > batch.maxPayload) return true;
        if (message.receiver.length != 20) return true;
        address receiver = address(bytes20(message.receiver));
        return !_receivers[batch.laneId][receiver] || receiver.code.length == 0;
    }

    /// Calls onMessage with exactly the message's gas and keeps at most 256 of the bytes that come back.
    function _call(bytes32 laneId, Message calldata message, bytes32 id, bytes memory result)
        private
        returns (bool success)
    {
        (uint256 start, uint256 size) = _layOut(laneId, id, message.sender, message.payload);
        address receiver = address(bytes20(message.receiver));
        uint256 gasLimit = message.gasLimit;
        _requireGas(message.nonce, gasLimit);
        assembly ("memory-safe") {
            success := call(gasLimit, receiver, 0, start, size, 0, 0)
            let length := returndatasize()
            if gt(length, RESULT_MAX_BYTES) { length := RESULT_MAX_BYTES }
            mstore(result, length)
            returndatacopy(add(result, 0x20), 0, length)
        }
    }

    /// Calldata of onMessage behind the free memory pointer, which stays where it is.
    function _layOut(bytes32 laneId, bytes32 id, bytes calldata sender, bytes calldata payload)
        private
        pure
        returns (uint256 start, uint256 size)
    {
        bytes32 selector = IReceiver.onMessage.selector;
        assembly ("memory-safe") {
            function append(place, offset, length) -> end {
                mstore(place, length)
                end := add(add(place, 0x20), and(add(length, 31), not(31)))
                if length { mstore(sub(end, 0x20), 0) }
                calldatacopy(add(place, 0x20), offset, length)
            }
            start := mload(0x40)
            mstore(start, selector)
            mstore(add(start, 0x04), laneId)
            mstore(add(start, 0x24), id)
            mstore(add(start, 0x44), 0x80)
            let end := append(add(start, 0x84), sender.offset, sender.length)
            mstore(add(start, 0x64), sub(end, add(start, 0x04)))
            end := append(end, payload.offset, payload.length)
            size := sub(end, start)
        }
    }

    /// The lane-wide limit: what was called fits into the window, or the whole delivery waits.
    function _countWindow(bytes32 laneId, Lane storage state, uint256 calls) private {
        uint64 length = state.windowSeconds;
        uint32 window = uint32(nowSeconds() / length);
        uint256 used = calls + (state.window == window ? state.used : 0);
        if (used > state.windowLimit) revert WindowFull(laneId, (uint64(window) + 1) * length);
        state.window = window;
        state.used = uint32(used);
    }
}
