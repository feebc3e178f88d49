// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGateway, IGatewayActions, LaneCaps, LaneOpening, LaneView, IVerifier} from "../Interfaces.sol";
import {
    AccountUnfit,
    CallerHidden,
    CapsMalformed,
    CapsNotLower,
    LaneExists,
    LaneIsClosed,
    LaneNotClosed,
    LaneToItself,
    LimitNotLower,
    LimitZero,
    Locked,
    NotOurEnd,
    OpeningMalformed,
    UnknownEnd,
    UnknownLane,
    UnknownSuite,
    VerifierUnfit,
    WrongEnd
} from "../Errors.sol";
import {Heads} from "../base/Heads.sol";
import {Officers} from "../base/Officers.sol";
import {Identity} from "../base/Identity.sol";

/// @title Lanes and their administration
/// @notice Source: docs/protocol.md, sections Names and What a gateway does (5).
abstract contract Lanes is Heads, Identity, Officers, IGateway {
    uint8 internal constant SOURCE = 0;
    uint8 internal constant DESTINATION = 1;

    uint8 private constant UNLOCKED = 1;
    uint8 private constant LOCKED = 2;

    /// One slot: all that `send` reads of a lane.
    struct Config {
        bool opened;
        bool destination;
        bool closed;
        bool paused;
        bool abandoned;
        uint8 receiverLength;
        uint32 maxPayload;
        uint40 maxGas;
        uint40 maxCallbackGas;
        uint32 windowSeconds;
        uint32 windowLimit;
    }

    /// `send` writes page and furtherPages (see Outbox); settle and deliver write only the slot that begins with `consumed`.
    struct Lane {
        Config config;
        uint256 page;
        address verifier;
        uint32 verifierChanges;
        uint32 senders;
        uint64 consumed; // a slot begins here: 160 + 32 + 32 + 64 bits do not fit into one
        uint32 window;
        uint32 used;
        bytes32 peerCodeHash;
        bytes peerGateway;
        mapping(uint256 number => uint256) furtherPages;
        mapping(address account => SenderLimit) senderLimits;
        mapping(address account => bool) receivers;
    }

    /// Where a sender's counter stands, and messages a window; 0 is denied.
    struct SenderLimit {
        uint32 place;
        uint16 limit;
        bool placed;
    }

    uint8 private _lock = UNLOCKED;
    bool public override paused;
    mapping(bytes32 laneId => Lane) internal _lanes;
    mapping(address account => bool) private _isVerifier;
    mapping(address account => uint256 lanes) private _receiverOf;

    /// @inheritdoc IGateway
    function pause() external override onlyGuardianOrOfficer {
        paused = true;
        emit PauseChanged(true);
    }

    /// @inheritdoc IGateway
    function pauseLane(bytes32 laneId) external override onlyGuardianOrOfficer {
        _known(laneId).config.paused = true;
        emit LanePauseChanged(laneId, true);
    }

    /// @inheritdoc IGateway
    function lowerCaps(bytes32 laneId, LaneCaps calldata caps) external override onlyOfficer {
        Lane storage state = _known(laneId);
        if (
            caps.maxPayload > state.config.maxPayload || caps.maxGas > state.config.maxGas
                || caps.maxCallbackGas > state.config.maxCallbackGas || caps.windowLimit > state.config.windowLimit
                || caps.windowSeconds != state.config.windowSeconds || caps.receiverLength != state.config.receiverLength
        ) revert CapsNotLower();
        _writeCaps(laneId, state, caps);
    }

    /// @inheritdoc IGateway
    function lowerSenderLimit(bytes32 laneId, address account, uint16 limit) external override onlyOfficer {
        SenderLimit storage entry = _at(laneId, SOURCE).senderLimits[account];
        if (limit >= entry.limit) revert LimitNotLower(entry.limit);
        entry.limit = limit;
        emit SenderLimitChanged(laneId, account, limit);
    }

    /// @inheritdoc IGateway
    function denyReceiver(bytes32 laneId, address account) external override onlyOfficer {
        Lane storage state = _at(laneId, DESTINATION);
        if (!state.receivers[account]) revert AccountUnfit(account);
        state.receivers[account] = false;
        --_receiverOf[account];
        emit ReceiverChanged(laneId, account, false);
    }

    function _kindOf(bytes4 selector) internal pure override returns (Kind) {
        if (selector == IGatewayActions.closeLane.selector) return Kind.AtOnce;
        if (
            selector == IGatewayActions.openLane.selector || selector == IGatewayActions.setCaps.selector
                || selector == IGatewayActions.allowSender.selector
                || selector == IGatewayActions.allowReceiver.selector
                || selector == IGatewayActions.setVerifier.selector || selector == IGatewayActions.unpause.selector
                || selector == IGatewayActions.unpauseLane.selector
                || selector == IGatewayActions.abandonLane.selector
        ) return Kind.Delayed;
        return super._kindOf(selector);
    }

    function _perform(bytes4 selector, bytes calldata arguments) internal override {
        if (selector == IGatewayActions.openLane.selector) {
            (LaneOpening memory opening, LaneCaps memory caps) = abi.decode(arguments, (LaneOpening, LaneCaps));
            _openLane(opening, caps);
        } else if (selector == IGatewayActions.setCaps.selector) {
            (bytes32 laneId, LaneCaps memory caps) = abi.decode(arguments, (bytes32, LaneCaps));
            _writeCaps(laneId, _known(laneId), caps);
        } else if (selector == IGatewayActions.allowSender.selector) {
            (bytes32 laneId, address account, uint16 limit) = abi.decode(arguments, (bytes32, address, uint16));
            _allowSender(laneId, account, limit);
        } else if (selector == IGatewayActions.allowReceiver.selector) {
            (bytes32 laneId, address account) = abi.decode(arguments, (bytes32, address));
            _allowReceiver(laneId, account);
        } else if (selector == IGatewayActions.setVerifier.selector) {
            (bytes32 laneId, address verifier) = abi.decode(arguments, (bytes32, address));
            _setVerifier(laneId, verifier);
        } else if (selector == IGatewayActions.unpause.selector) {
            paused = false;
            emit PauseChanged(false);
        } else if (selector == IGatewayActions.unpauseLane.selector) {
            bytes32 laneId = abi.decode(arguments, (bytes32));
            _known(laneId).config.paused = false;
            emit LanePauseChanged(laneId, false);
        } else if (selector == IGatewayActions.closeLane.selector) {
            _closeLane(abi.decode(arguments, (bytes32)));
        } else if (selector == IGatewayActions.abandonLane.selector) {
            _abandonLane(abi.decode(arguments, (bytes32)));
        } else {
            super._perform(selector, arguments);
        }
    }

    /// Administration is refused while a call of the gateway runs.
    function _administer() internal view override {
        _requireKeyWhereNamed();
        if (_lock != UNLOCKED) revert Locked();
    }

    function _takeLock() internal {
        if (_lock != UNLOCKED) revert Locked();
        _lock = LOCKED;
    }

    function _releaseLock() internal {
        _lock = UNLOCKED;
    }

    function _known(bytes32 laneId) internal view returns (Lane storage state) {
        state = _lanes[laneId];
        if (!state.config.opened) revert UnknownLane(laneId);
    }

    /// The lane, if it stands here with the end that the step belongs to.
    function _at(bytes32 laneId, uint8 end) internal view returns (Lane storage state) {
        state = _known(laneId);
        if (state.config.destination != (end == DESTINATION)) revert WrongEnd(laneId);
    }

    function _generation(Lane storage state) internal view returns (bytes32) {
        return keccak256(abi.encode(uint256(state.verifierChanges), IVerifier(state.verifier).generation()));
    }

    function _laneId(LaneOpening memory opening) internal view returns (bytes32) {
        return _nameLane(
            opening.hub,
            opening.sourceChain,
            opening.sourceGateway,
            opening.destinationChain,
            opening.destinationGateway,
            opening.channel
        );
    }

    function _openLane(LaneOpening memory opening, LaneCaps memory caps) private {
        _checkOpening(opening);
        bytes32 laneId = _laneId(opening);
        Lane storage state = _lanes[laneId];
        if (state.config.opened) revert LaneExists(laneId);
        state.config.opened = true;
        state.peerCodeHash = opening.peerCodeHash;
        _writeVerifier(state, opening.verifier);
        if (opening.end == SOURCE) {
            state.peerGateway = opening.destinationGateway;
            _outboxHeads[laneId] = laneId;
            _settledHeads[laneId] = _outcomesGenesis(laneId);
        } else {
            state.config.destination = true;
            state.peerGateway = opening.sourceGateway;
            _inboxHeads[laneId] = laneId;
            _outcomeHeads[laneId] = _outcomesGenesis(laneId);
        }
        emit LaneOpened(
            laneId,
            opening.end,
            opening.hub,
            opening.sourceChain,
            opening.sourceGateway,
            opening.destinationChain,
            opening.destinationGateway,
            opening.channel,
            opening.verifier,
            opening.peerCodeHash
        );
        _writeCaps(laneId, state, caps);
    }

    function _checkOpening(LaneOpening memory opening) private view {
        if (opening.end > DESTINATION) revert UnknownEnd(opening.end);
        if (!_isSuite(opening.suite)) revert UnknownSuite(opening.suite);
        if (
            !_sized(bytes(opening.hub)) || !_sized(bytes(opening.channel)) || !_sized(opening.sourceGateway)
                || !_sized(opening.destinationGateway) || opening.sourceChain == 0 || opening.destinationChain == 0
                || opening.peerCodeHash == 0
        ) revert OpeningMalformed();
        bool source = opening.sourceChain == chainWord && _hashBytes(opening.sourceGateway) == _selfHash;
        bool destination =
            opening.destinationChain == chainWord && _hashBytes(opening.destinationGateway) == _selfHash;
        if (source && destination) revert LaneToItself();
        if (opening.end == SOURCE ? !source : !destination) revert NotOurEnd();
    }

    function _sized(bytes memory name) private pure returns (bool) {
        return name.length != 0 && name.length <= 64;
    }

    function _writeCaps(bytes32 laneId, Lane storage state, LaneCaps memory caps) private {
        if (caps.maxPayload == 0 || caps.windowSeconds == 0 || caps.windowLimit == 0 || caps.receiverLength > 64) {
            revert CapsMalformed();
        }
        state.config.maxPayload = caps.maxPayload;
        state.config.maxGas = caps.maxGas;
        state.config.maxCallbackGas = caps.maxCallbackGas;
        state.config.receiverLength = caps.receiverLength;
        state.config.windowSeconds = caps.windowSeconds;
        state.config.windowLimit = caps.windowLimit;
        emit CapsChanged(laneId, caps);
    }

    function _writeVerifier(Lane storage state, address verifier) private {
        if (verifier == address(this) || verifier.code.length == 0 || _receiverOf[verifier] != 0) {
            revert VerifierUnfit(verifier);
        }
        (bool answered, bytes memory seen) = verifier.staticcall(abi.encodeCall(IVerifier.caller, ()));
        if (!answered || seen.length != 32 || uint256(bytes32(seen)) != uint160(address(this))) {
            revert CallerHidden(verifier);
        }
        _isVerifier[verifier] = true;
        state.verifier = verifier;
    }

    function _setVerifier(bytes32 laneId, address verifier) private {
        Lane storage state = _known(laneId);
        _writeVerifier(state, verifier);
        ++state.verifierChanges;
        emit VerifierChanged(laneId, verifier);
    }

    function _allowSender(bytes32 laneId, address account, uint16 limit) private {
        Lane storage state = _at(laneId, SOURCE);
        if (account == address(0)) revert AccountUnfit(account);
        if (limit == 0) revert LimitZero();
        SenderLimit storage entry = state.senderLimits[account];
        if (!entry.placed) {
            entry.placed = true;
            entry.place = state.senders++;
        }
        entry.limit = limit;
        emit SenderLimitChanged(laneId, account, limit);
    }

    function _allowReceiver(bytes32 laneId, address account) private {
        Lane storage state = _at(laneId, DESTINATION);
        if (account == address(0) || account == address(this) || _isVerifier[account] || state.receivers[account]) {
            revert AccountUnfit(account);
        }
        state.receivers[account] = true;
        ++_receiverOf[account];
        emit ReceiverChanged(laneId, account, true);
    }

    function _closeLane(bytes32 laneId) private {
        Lane storage state = _known(laneId);
        if (state.config.closed) revert LaneIsClosed(laneId);
        state.config.closed = true;
        emit LaneClosed(laneId);
    }

    function _abandonLane(bytes32 laneId) private {
        Lane storage state = _known(laneId);
        if (!state.config.closed) revert LaneNotClosed(laneId);
        state.config.abandoned = true;
        emit LaneAbandoned(laneId);
    }
}
