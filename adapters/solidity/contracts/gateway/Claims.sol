// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim, IGateway, IVerifier} from "../Interfaces.sol";
import {
    ClaimForAnotherLane,
    ClaimNonceMismatch,
    GasTooLow,
    GatewayPaused,
    HeadMismatch,
    HeadZero,
    LanePaused,
    NotAnchored,
    NotOrigin,
    ProofRefused,
    WrongDirection
} from "../Errors.sol";
import {Lanes} from "./Lanes.sol";

/// @title Believing a claim: by the lane's verifier, or because its head is anchored in the present generation
/// @notice Source: docs/protocol.md, sections The lane digest and What a gateway does (4).
abstract contract Claims is Lanes {
    mapping(bytes32 laneId => mapping(bytes32 head => bytes32 generation)) private _anchors;

    /// Relayers only, nothing paused, one call at a time.
    modifier relayed(bytes32 laneId) {
        if (msg.sender != tx.origin || msg.sender.code.length != 0) revert NotOrigin(msg.sender);
        if (paused) revert GatewayPaused();
        _takeLock();
        if (_known(laneId).config.paused) revert LanePaused(laneId);
        _;
        _releaseLock();
    }

    /// @inheritdoc IGateway
    function anchor(
        bytes32 laneId,
        uint8 direction,
        bytes32 head,
        bytes32[] calldata ids,
        Claim calldata claim,
        bytes calldata proof
    ) external override relayed(laneId) {
        Lane storage state = _known(laneId);
        if (direction != (state.config.destination ? 0 : 1)) revert WrongDirection(direction);
        if (head == 0) revert HeadZero();
        _requireHead(_stepAll(head, ids), claim);
        _believe(laneId, state, direction, claim, proof);
        bytes32 present = _generation(state);
        _anchors[laneId][head] = present;
        emit Anchored(laneId, direction, head, present);
    }

    /// @inheritdoc IGateway
    function probe(bytes32 laneId, Claim calldata claim, bytes calldata proof) external view override returns (bool) {
        Lane storage state = _known(laneId);
        _requirePlace(laneId, state.config.destination ? 0 : 1, claim);
        return _verify(state, claim, proof);
    }

    /// @inheritdoc IGateway
    function anchored(bytes32 laneId, bytes32 head) public view override returns (bool) {
        return _anchors[laneId][head] == _generation(_known(laneId));
    }

    /// What deliver and settle require of a claim: the entries fold to its head, the nonce derived is its nonce, and it is
    /// believed. An anchor is deleted once it is reached.
    function _consume(
        bytes32 laneId,
        Lane storage state,
        uint64 consumed,
        bytes32 head,
        bytes32[] calldata suffixIds,
        Claim calldata claim,
        bytes calldata proof
    ) internal {
        _requireHead(_stepAll(head, suffixIds), claim);
        uint64 derived = consumed + uint64(suffixIds.length);
        if (claim.nonce != derived) revert ClaimNonceMismatch(derived, claim.nonce);
        _believe(laneId, state, state.config.destination ? 0 : 1, claim, proof);
        if (proof.length == 0 && suffixIds.length == 0) delete _anchors[laneId][claim.head];
    }

    /// Whether a call may still be given exactly `gasLimit`; the margin covers what stands between here and the call.
    function _requireGas(uint64 nonce, uint256 gasLimit) internal view {
        uint256 needed;
        unchecked {
            needed = gasLimit + gasLimit / 63 + 10_000; // gasLimit has 64 bits
        }
        if (gasleft() < needed) revert GasTooLow(nonce, needed, gasleft());
    }

    function _believe(bytes32 laneId, Lane storage state, uint8 direction, Claim calldata claim, bytes calldata proof)
        private
        view
    {
        _requirePlace(laneId, direction, claim);
        if (proof.length == 0) {
            if (!anchored(laneId, claim.head)) revert NotAnchored(laneId, claim.head);
        } else if (!_verify(state, claim, proof)) {
            revert ProofRefused();
        }
    }

    function _verify(Lane storage state, Claim calldata claim, bytes calldata proof) private view returns (bool) {
        return IVerifier(state.verifier).verify(_selfHash, state.peerGateway, state.peerCodeHash, claim, proof);
    }

    function _requirePlace(bytes32 laneId, uint8 direction, Claim calldata claim) private pure {
        if (claim.laneId != laneId) revert ClaimForAnotherLane(claim.laneId);
        if (claim.direction != direction) revert WrongDirection(claim.direction);
    }

    function _requireHead(bytes32 folded, Claim calldata claim) private pure {
        if (folded != claim.head) revert HeadMismatch(folded, claim.head);
    }
}
