// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGateway} from "../Interfaces.sol";

/// @title Sends many messages in one transaction; the officers allow this contract as the sender
contract Loader {
    IGateway public immutable gateway;
    address public immutable owner;

    constructor(address gateway_) {
        gateway = IGateway(gateway_);
        owner = msg.sender;
    }

    /// Sends `count` messages of the same payload.
    function load(
        bytes32 laneId,
        bytes calldata receiver,
        bytes calldata payload,
        uint64 gasLimit,
        uint64 callbackGas,
        uint64 expiresAt,
        uint256 count
    ) external {
        require(msg.sender == owner, "only the owner may load");
        for (uint256 i = 0; i < count; ++i) {
            gateway.send(laneId, receiver, payload, gasLimit, callbackGas, expiresAt);
        }
    }
}
