// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim, IGateway, IReceiver, Message} from "../Interfaces.sol";
import {NonceGap, NothingNew, PayloadMismatch, PayloadMissing, WindowFull} from "../Errors.sol";
import {Claims} from "./Claims.sol";

/// @title The destination end: deliver
/// @notice Source: docs/protocol.md, section What a gateway does (2). A receiver's failure is an outcome, never a jam.
abstract contract Inbox is Claims {
    uint256 private constant EXECUTED = 1;
    uint256 private constant FAILED = 2;
    uint256 private constant EXPIRED = 3;
    uint256 private constant REFUSED = 4;
    bytes32 private constant MESSAGE_DELIVERED = IGateway.MessageDelivered.selector;

    /// What stays the same while a batch runs, and what it learns. `known` is the receiver of the message before, and
    /// whether it may be called: while the lock is held no list changes, and no code vanishes within a transaction.
    struct Batch {
        bytes32 laneId;
        Config config;
        uint256 time;
        uint256 calls;
        uint256 words; // data of MessageDelivered: message id, status, offset, then the result's length and 256 bytes
        address known;
        bool callable;
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
        head = _run(laneId, state, messages, first, ids);
        _outcomeHeads[laneId] = head;
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
                bytes32 id = _messageId(laneId, message);
                ids[i] = id;
                head = _step(head, id);
            }
        }
    }

    function _run(
        bytes32 laneId,
        Lane storage state,
        Message[] calldata messages,
        uint256 first,
        bytes32[] memory ids
    ) private returns (bytes32 head) {
        Batch memory batch;
        batch.laneId = laneId;
        batch.config = state.config;
        batch.time = nowSeconds();
        assembly ("memory-safe") {
            let words := mload(0x40)
            mstore(0x40, add(words, 0x180))
            mstore(add(words, 0x40), 0x60)
            mstore(add(batch, 0x80), words)
        }
        head = _outcomeHeads[laneId];
        unchecked {
            for (uint256 i = 0; i < ids.length; ++i) {
                head = _step(head, _deliver(batch, messages[first + i], ids[i]));
            }
        }
        if (batch.calls != 0) _countWindow(laneId, state, batch.calls);
    }

    /// Decides, calls where it is due, emits MessageDelivered, and gives the outcome's id.
    function _deliver(Batch memory batch, Message calldata message, bytes32 id) private returns (bytes32) {
        uint256 words = batch.words;
        assembly ("memory-safe") {
            mstore(words, id)
            mstore(add(words, 0x60), 0)
        }
        bytes calldata payload = message.payload;
        bool given = _payloadGiven(message, payload);
        uint256 expiresAt = message.expiresAt;
        uint256 status;
        if (expiresAt != 0 && batch.time >= expiresAt) {
            status = EXPIRED;
        } else {
            (address receiver, bool callable) = _receiver(batch, message);
            if (!callable) {
                status = REFUSED;
            } else {
                if (!given) revert PayloadMissing(message.nonce);
                unchecked {
                    ++batch.calls;
                }
                status = _call(batch, message, payload, receiver, id) ? EXECUTED : FAILED;
            }
        }
        bytes32 topic = MESSAGE_DELIVERED;
        bytes32 laneId = batch.laneId;
        uint256 length;
        assembly ("memory-safe") {
            length := mload(add(words, 0x60))
            mstore(add(words, 0x20), status)
            log3(words, add(0x80, and(add(length, 31), not(31))), topic, laneId, calldataload(message))
        }
        unchecked {
            return _outcomeId(id, status, _hash(words + 0x80, length));
        }
    }

    /// A payload that is there matches its length and hash; an empty one with a non-zero length travels by hash.
    function _payloadGiven(Message calldata message, bytes calldata payload) private view returns (bool) {
        if (payload.length == 0 && message.payloadLength != 0) return false;
        if (payload.length != message.payloadLength || _hashCalldata(payload) != message.payloadHash) {
            revert PayloadMismatch(message.nonce);
        }
        return true;
    }

    /// Not callable: over a cap, not allowed (a closed lane allows nobody), or without code.
    function _receiver(Batch memory batch, Message calldata message) private view returns (address, bool) {
        Config memory config = batch.config;
        if (config.closed || message.gasLimit > config.maxGas || message.payloadLength > config.maxPayload) {
            return (address(0), false);
        }
        bytes calldata native = message.receiver;
        if (native.length != 20) return (address(0), false);
        address receiver = address(bytes20(native));
        if (receiver != batch.known) {
            batch.known = receiver;
            batch.callable = _lanes[batch.laneId].receivers[receiver] && receiver.code.length != 0;
        }
        return (receiver, batch.callable);
    }

    /// Calls onMessage with exactly the message's gas and keeps at most 256 of the bytes that come back, padded with zeros.
    function _call(Batch memory batch, Message calldata message, bytes calldata payload, address receiver, bytes32 id)
        private
        returns (bool success)
    {
        (uint256 start, uint256 size) = _layOut(batch.laneId, id, message.sender, payload);
        uint256 gasLimit = message.gasLimit;
        _requireGas(message.nonce, gasLimit);
        uint256 words = batch.words;
        assembly ("memory-safe") {
            let result := add(words, 0x60)
            success := call(gasLimit, receiver, 0, start, size, 0, 0)
            let length := returndatasize()
            if gt(length, 256) { length := 256 }
            mstore(result, length)
            let data := add(result, 0x20)
            mstore(add(data, and(length, not(31))), 0)
            returndatacopy(data, 0, length)
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
            start := mload(0x40)
            mstore(start, selector)
            mstore(add(start, 0x04), laneId)
            mstore(add(start, 0x24), id)
            mstore(add(start, 0x44), 0x80)
        }
        unchecked {
            uint256 end = _append(start + 0x84, sender);
            assembly ("memory-safe") {
                mstore(add(start, 0x64), sub(end, add(start, 0x04)))
            }
            size = _append(end, payload) - start;
        }
    }

    /// The lane-wide limit: what was called fits into the window, or the whole delivery waits.
    function _countWindow(bytes32 laneId, Lane storage state, uint256 calls) private {
        uint64 length = state.config.windowSeconds;
        uint32 window = uint32(nowSeconds() / length);
        uint256 used = calls + (state.window == window ? state.used : 0);
        if (used > state.config.windowLimit) revert WindowFull(laneId, (uint64(window) + 1) * length);
        state.window = window;
        state.used = uint32(used);
    }
}
