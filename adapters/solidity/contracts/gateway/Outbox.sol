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
    SenderNotAllowed,
    UnknownLane,
    WrongEnd
} from "../Errors.sol";
import {Lanes} from "./Lanes.sol";

/// @title The source end: send
/// @notice A page is one slot: bits 0-63 the lane's nonce (page 0 only), bits 64-95 the window's number, then ten counters of
/// 16 bits, one a sender. So the first ten senders of a lane are counted in the slot that the nonce is written to anyway.
/// `send` writes the outbox head and pages, and nothing that a frame which calls apps writes.
abstract contract Outbox is Lanes {
    uint256 private constant SENDERS_A_PAGE = 10;
    uint256 private constant COUNTERS_FROM_BIT = 96;
    bytes32 private constant MESSAGE_SENT = IGateway.MessageSent.selector;

    uint64 public immutable override minimumExpirySeconds;
    mapping(bytes32 laneId => mapping(uint256 nonce => bytes)) private _kept; // where the ledger gives names

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
        if (paused) revert GatewayPaused();
        Lane storage state = _lanes[laneId];
        uint256 time = nowSeconds();
        uint256 windowSeconds =
            _checkSend(laneId, state.config, receiver.length, payload.length, gasLimit, callbackGas);
        if (expiresAt != 0) _checkExpiry(expiresAt, time);
        uint256 nonce = _count(laneId, state, time, windowSeconds);
        messageId = _messageId(
            laneId,
            nonce,
            _hashAddress(msg.sender),
            _hashCalldata(receiver),
            expiresAt,
            gasLimit,
            callbackGas,
            payload.length,
            _hashCalldata(payload)
        );
        bytes32 head = _advance(laneId, messageId);
        uint256 words;
        assembly ("memory-safe") {
            words := mload(0x40)
            mstore(words, messageId)
            mstore(add(words, 0x20), head)
            mstore(add(words, 0x80), expiresAt)
            mstore(add(words, 0xa0), gasLimit)
            mstore(add(words, 0xc0), callbackGas)
        }
        _logSent(words, laneId, nonce, receiver, payload);
    }

    /// Emits MessageSent from the words laid out at `words`; its three `bytes` are put behind them.
    function _logSent(uint256 words, bytes32 laneId, uint256 nonce, bytes calldata receiver, bytes calldata payload)
        private
    {
        assembly ("memory-safe") {
            mstore(add(words, 0x40), 0x100)
            mstore(add(words, 0x60), 0x140)
            mstore(add(words, 0x100), 20)
            mstore(add(words, 0x120), shl(96, caller()))
        }
        uint256 end;
        unchecked {
            end = _append(words + 0x140, receiver);
        }
        assembly ("memory-safe") {
            mstore(add(words, 0xe0), sub(end, words))
        }
        end = _append(end, payload);
        if (_named) _keep(laneId, nonce, words, end);
        bytes32 topic = MESSAGE_SENT;
        assembly ("memory-safe") {
            log3(words, sub(end, words), topic, laneId, nonce)
        }
    }

    /// Writes the event's data to state as well, for ledgers that lose events of frames whose writes they keep.
    function _keep(bytes32 laneId, uint256 nonce, uint256 words, uint256 end) private {
        bytes memory data;
        assembly ("memory-safe") {
            data := sub(words, 0x20) // the word before is put back
            let saved := mload(data)
            mstore(0x40, end)
            mstore(end, saved)
            mstore(data, sub(end, words))
        }
        _kept[laneId][nonce] = data;
        assembly ("memory-safe") {
            mstore(data, mload(end))
            mstore(0x40, words)
        }
    }

    /// @inheritdoc IGateway
    function sentData(bytes32 laneId, uint64 nonce) external view override returns (bytes memory) {
        return _kept[laneId][nonce];
    }

    /// Folds one id onto the outbox head.
    function _advance(bytes32 laneId, bytes32 messageId) private returns (bytes32 head) {
        mapping(bytes32 laneId => bytes32 head) storage heads_ = _outboxHeads;
        uint256 slot;
        assembly ("memory-safe") {
            mstore(0, laneId)
            mstore(0x20, heads_.slot)
            slot := keccak256(0, 0x40)
            head := sload(slot)
        }
        head = _step(head, messageId);
        assembly ("memory-safe") {
            sstore(slot, head)
        }
    }

    /// The lane's whole configuration is one word, read once; its fields stand from the lowest bit up in the order of
    /// `Config`. Only an opened source end that is neither closed nor paused has these four flags.
    function _checkSend(
        bytes32 laneId,
        Config storage stored,
        uint256 receiverLength,
        uint256 payloadLength,
        uint256 gasLimit,
        uint256 callbackGas
    ) private view returns (uint256) {
        uint256 config;
        assembly ("memory-safe") {
            config := sload(stored.slot)
        }
        if (uint32(config) != 1) _refuseLane(laneId, stored);
        if (payloadLength > uint32(config >> 48)) revert PayloadTooLarge(payloadLength, uint32(config >> 48));
        if (gasLimit > uint40(config >> 80)) revert GasLimitTooHigh(uint64(gasLimit), uint40(config >> 80));
        if (callbackGas != 0) {
            if (callbackGas > uint40(config >> 120)) {
                revert CallbackGasTooHigh(uint64(callbackGas), uint40(config >> 120));
            }
            if (msg.sender.code.length == 0) revert CallbackWithoutCode(msg.sender);
        }
        uint256 form = uint8(config >> 40);
        if (receiverLength != form || form == 0) _checkAnyForm(form, receiverLength);
        return uint32(config >> 160);
    }

    /// Form 0 takes receivers of 1 to 64 bytes.
    function _checkAnyForm(uint256 form, uint256 receiverLength) private pure {
        if (form != 0 || receiverLength == 0 || receiverLength > 64) revert ReceiverForm(receiverLength);
    }

    function _checkExpiry(uint256 expiresAt, uint256 time) private view {
        unchecked {
            uint256 earliest = time + minimumExpirySeconds; // two numbers of 64 bits
            if (expiresAt < earliest) revert ExpiresTooSoon(uint64(earliest));
        }
    }

    function _refuseLane(bytes32 laneId, Config storage config) private view {
        if (!config.opened) revert UnknownLane(laneId);
        if (config.destination) revert WrongEnd(laneId);
        if (config.closed) revert LaneIsClosed(laneId);
        revert LanePaused(laneId);
    }

    /// Counts one message of the caller in the present window and takes the lane's next nonce.
    function _count(bytes32 laneId, Lane storage state, uint256 time, uint256 windowSeconds)
        private
        returns (uint256 nonce)
    {
        SenderLimit storage stored = state.senderLimits[msg.sender];
        uint256 entry;
        assembly ("memory-safe") {
            entry := sload(stored.slot)
        }
        uint256 limit = uint16(entry >> 32);
        if (limit == 0) revert SenderNotAllowed(laneId, msg.sender);
        uint256 window;
        assembly ("memory-safe") {
            window := and(div(time, windowSeconds), 0xffffffff) // never zero: no lane has such caps
        }
        unchecked {
            uint256 first = state.page;
            nonce = uint64(first) + 1;
            uint256 number = uint32(entry) / SENDERS_A_PAGE;
            uint256 page = number == 0 ? first : state.furtherPages[number];
            if (uint32(page >> 64) != window) page = uint64(page) | (window << 64);
            uint256 shift = COUNTERS_FROM_BIT + 16 * (uint32(entry) % SENDERS_A_PAGE);
            if (uint16(page >> shift) >= limit) {
                revert SenderLimitReached(laneId, msg.sender, uint64((window + 1) * windowSeconds));
            }
            page += 1 << shift;
            if (number == 0) {
                first = page;
            } else {
                state.furtherPages[number] = page;
            }
            state.page = first + 1;
        }
    }
}
