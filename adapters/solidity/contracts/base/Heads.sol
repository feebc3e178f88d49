// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The heads of every lane, at the storage slots that proofs open
/// @notice Slots 0 and 1 are part of the protocol (docs/encodings.md, section Solidity): this contract stands first in the
/// gateway's inheritance. Opening a lane writes both heads of its end; zero is never valid.
abstract contract Heads {
    /// Slot 0, source end: what was sent.
    mapping(bytes32 laneId => bytes32 head) internal _outboxHeads;
    /// Slot 1, destination end: what became of it.
    mapping(bytes32 laneId => bytes32 head) internal _outcomeHeads;
    /// Destination end: the outbox as far as it was consumed.
    mapping(bytes32 laneId => bytes32 head) internal _inboxHeads;
    /// Source end: the outcomes as far as they were settled.
    mapping(bytes32 laneId => bytes32 head) internal _settledHeads;
}
