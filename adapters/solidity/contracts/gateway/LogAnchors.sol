// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGateway} from "../Interfaces.sol";
import {LogNotLonger} from "../Errors.sol";

/// @title Where keepers of evidence logs note how long their log is, and its root
/// @notice Source: docs/protocol.md, section Evidence. A log that is noted here cannot be given another past afterwards. Each
/// account has a note of its own, so nobody can write another's, nor stand in its way; nothing else depends on it, and a
/// pause does not stop it. Stands last in the gateway's inheritance, behind every slot that proofs open.
abstract contract LogAnchors is IGateway {
    struct LogAnchor {
        uint64 size;
        bytes32 root;
    }

    mapping(address account => LogAnchor) public override loggedAnchor;

    /// @inheritdoc IGateway
    function anchorLog(uint64 size, bytes32 root) external override {
        LogAnchor storage noted = loggedAnchor[msg.sender];
        if (size <= noted.size) revert LogNotLonger(noted.size);
        noted.size = size;
        noted.root = root;
        emit LogAnchored(msg.sender, size, root);
    }
}
