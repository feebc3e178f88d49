// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGateway} from "../Interfaces.sol";
import {
    CallbackGasTooHigh,
    CallbackWithoutCode,
    ExpiresTooSoon,
    GasLimitTooHigh,
    GatewayPaused,
    LaneIsClosed,
    LanePaused,
    PayloadTooLarge,
    ReceiverForm,
    SenderLimitReached,
    SenderNotAllowed
} from "../Errors.sol";
import {Words} from "../base/Words.sol";
import {Lanes} from "./Lanes.sol";

/// @title The source end: send
/// @notice A page is one slot: bits 0-63 the lane's nonce (page 0 only), bits 64-95 the window's number, then ten counters of
/// 16 bits, one a sender. So the first ten senders of a lane are counted in the slot that the nonce is written to anyway.
/// `send` writes the outbox head and pages, and nothing that a frame which calls apps writes.
abstract contract Outbox is Lanes {
    uint256 private constant SENDERS_A_PAGE = 10;
    uint256 private constant COUNTERS_FROM_BIT = 96;

    uint64 public immutable override minimumExpirySeconds;
    mapping(bytes32 laneId => mapping(uint256 number => uint256)) private _pages;

    constructor(uint64 minimumExpirySeconds_) {
        minimumExpirySeconds = minimumExpirySeconds_;
    }

    /// @inheritdoc IGateway
    function send(
        bytes32 laneId,
        bytes calldata receiver,
        bytes calldata payload,
        uint64 gasLimit,
        uint64 callbackGas,
        uint64 expiresAt
    ) external override returns (bytes32 messageId) {
        uint256 windowSeconds =
            _checkSend(laneId, receiver.length, payload.length, gasLimit, callbackGas, expiresAt);
        uint64 nonce = _count(laneId, windowSeconds);
        messageId = Words.messageId(
            laneId,
            nonce,
            Words.hashAddress(msg.sender),
            Words.hash(receiver),
            expiresAt,
            gasLimit,
            callbackGas,
            payload.length,
            Words.hash(payload)
        );
        bytes32 head = Words.fold(_outboxHeads[laneId], messageId);
        _outboxHeads[laneId] = head;
        emit MessageSent(
            laneId,
            nonce,
            messageId,
            head,
            abi.encodePacked(msg.sender),
            receiver,
            expiresAt,
            gasLimit,
            callbackGas,
            payload
        );
    }

    function _sent(bytes32 laneId) internal view returns (uint64) {
        return uint64(_pages[laneId][0]);
    }

    function _checkSend(
        bytes32 laneId,
        uint256 receiverLength,
        uint256 payloadLength,
        uint64 gasLimit,
        uint64 callbackGas,
        uint64 expiresAt
    ) private view returns (uint256 windowSeconds) {
        if (paused) revert GatewayPaused();
        Lane storage state = _at(laneId, SOURCE);
        if (state.closed) revert LaneIsClosed(laneId);
        if (state.paused) revert LanePaused(laneId);
        if (payloadLength > state.maxPayload) revert PayloadTooLarge(payloadLength, state.maxPayload);
        if (gasLimit > state.maxGas) revert GasLimitTooHigh(gasLimit, state.maxGas);
        if (callbackGas > state.maxCallbackGas) revert CallbackGasTooHigh(callbackGas, state.maxCallbackGas);
        if (callbackGas != 0 && msg.sender.code.length == 0) revert CallbackWithoutCode(msg.sender);
        uint256 form = state.receiverLength;
        if (form == 0 ? receiverLength == 0 || receiverLength > 64 : receiverLength != form) {
            revert ReceiverForm(receiverLength);
        }
        uint64 earliest = nowSeconds() + minimumExpirySeconds;
        if (expiresAt != 0 && expiresAt < earliest) revert ExpiresTooSoon(earliest);
        return state.windowSeconds;
    }

    /// Counts one message of the caller in the present window and takes the lane's next nonce.
    function _count(bytes32 laneId, uint256 windowSeconds) private returns (uint64 nonce) {
        SenderLimit storage entry = _senders[laneId][msg.sender];
        uint256 limit = entry.limit;
        if (limit == 0) revert SenderNotAllowed(laneId, msg.sender);
        uint256 place = entry.place;
        mapping(uint256 number => uint256) storage pages = _pages[laneId];
        uint256 window = uint32(nowSeconds() / windowSeconds);
        uint256 first = pages[0];
        uint256 number = place / SENDERS_A_PAGE;
        uint256 page = number == 0 ? first : pages[number];
        if (uint32(page >> 64) != window) page = uint64(page) | (window << 64);
        uint256 shift = COUNTERS_FROM_BIT + 16 * (place % SENDERS_A_PAGE);
        if (uint16(page >> shift) >= limit) {
            revert SenderLimitReached(laneId, msg.sender, uint64((window + 1) * windowSeconds));
        }
        unchecked {
            page += 1 << shift;
            nonce = uint64(first) + 1;
            if (number == 0) {
                pages[0] = page + 1;
            } else {
                pages[number] = page;
                pages[0] = first + 1;
            }
        }
    }
}
