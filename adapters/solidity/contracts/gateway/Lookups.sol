// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGateway, LaneCaps, LaneOpening, LaneView} from "../Interfaces.sol";
import {UnknownSuite} from "../Errors.sol";
import {Inbox} from "./Inbox.sol";
import {Settlement} from "./Settlement.sol";

/// @title Both ends together, and what anybody may look up
/// @notice Source: docs/protocol.md, section What a gateway does. It holds no value and no allowance, cannot be upgraded and
/// stands behind no proxy.
abstract contract Lookups is Inbox, Settlement {
    /// @inheritdoc IGateway
    function lane(bytes32 laneId) external view override returns (LaneView memory seen) {
        Lane storage state = _lanes[laneId];
        if (!state.config.opened) return seen;
        seen.opened = true;
        seen.end = state.config.destination ? DESTINATION : SOURCE;
        seen.closed = state.config.closed;
        seen.paused = state.config.paused;
        seen.abandoned = state.config.abandoned;
        seen.verifier = state.verifier;
        seen.peerCodeHash = state.peerCodeHash;
        seen.peerGateway = state.peerGateway;
        seen.caps = LaneCaps(
            state.config.maxPayload,
            state.config.maxGas,
            state.config.maxCallbackGas,
            state.config.receiverLength,
            state.config.windowSeconds,
            state.config.windowLimit
        );
        if (state.config.destination) {
            seen.delivered = state.consumed;
        } else {
            seen.sent = uint64(state.page);
            seen.settled = state.consumed;
        }
        seen.verifierChanges = state.verifierChanges;
        seen.generation = _generation(state);
    }

    /// @inheritdoc IGateway
    function heads(bytes32 laneId)
        external
        view
        override
        returns (bytes32 outbox, bytes32 outcomes, bytes32 inbox, bytes32 settled)
    {
        return (_outboxHeads[laneId], _outcomeHeads[laneId], _inboxHeads[laneId], _settledHeads[laneId]);
    }

    /// @inheritdoc IGateway
    function laneIdOf(LaneOpening calldata opening) external view override returns (bytes32) {
        if (!_isSuite(opening.suite)) revert UnknownSuite(opening.suite);
        return _laneId(opening);
    }

    /// @inheritdoc IGateway
    function senderLimit(bytes32 laneId, address account) external view override returns (uint16) {
        return _lanes[laneId].senderLimits[account].limit;
    }

    /// @inheritdoc IGateway
    function receiverAllowed(bytes32 laneId, address account) external view override returns (bool) {
        return _lanes[laneId].receivers[account];
    }
}
